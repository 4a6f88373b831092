/* SPDX-License-Identifier: MIT
 * The record of an operation in flight as Windows wants it: its OVERLAPPED first, and beside it
 * what the operation is. The system fills in the former, so it lies in the caller's record of the
 * connection and is as long-lived. Other systems need none. */
#ifndef TG_PORT_OP_H
#define TG_PORT_OP_H

#include <stdint.h>

#include "base/list.h"

/* OVERLAPPED without <windows.h>; iocp.c asserts that they look alike. */
struct tg_overlapped {
    uintptr_t status; /* NTSTATUS */
    uintptr_t bytes;
    uint64_t offset; /* not for sockets: 0 */
    void *event;     /* none: NULL */
};

enum tg_op_kind {
    TG_OPERATION_NONE = 0,
    TG_OPERATION_ACCEPT,
    TG_OPERATION_CONNECT,
    TG_OPERATION_RECEIVE,
    TG_OPERATION_SEND,
    TG_OPERATION_DISCONNECT,
};

struct tg_op {
    struct tg_overlapped system;
    uint8_t kind; /* enum tg_op_kind */
};

/* What a stream embeds. It is the one place outside of the *.windows.c files that asks for the
 * system: 96 bytes a connection that nobody else shall pay for. */
#ifdef _WIN32
#define TG_STREAM_OPS                                                                              \
    struct tg_op receive_op;                                                                       \
    struct tg_op send_op;         /* or connect, disconnect */                                     \
    struct tg_list shortage_link; /* what it asked for met a shortage of the system's */
#else
#define TG_STREAM_OPS
#endif

#endif
