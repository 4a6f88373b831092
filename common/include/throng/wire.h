/* SPDX-License-Identifier: MIT
 * The frame on the wire, for those who read or write it themselves: a 4-byte payload length, then
 * the payload. common/PROTOCOL.md is the specification. */
#ifndef THRONG_WIRE_H
#define THRONG_WIRE_H

#include <throng/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the length prefix. It counts the payload only, not itself. */
#define THRONG_FRAME_HEADER_BYTES 4

/* Default and hardest limit of a payload. */
#define THRONG_MESSAGE_BYTES_DEFAULT 65536u
#define THRONG_MESSAGE_BYTES_LIMIT (64u * 1024u * 1024u)

/* The byte order of the length prefix. Big-endian is the default and what other systems speak;
 * little-endian serves OIOCPNet's own clients. */
enum throng_byte_order {
    THRONG_BYTE_ORDER_BIG = 0,
    THRONG_BYTE_ORDER_LITTLE = 1,
};

#ifdef __cplusplus
}
#endif

#endif
