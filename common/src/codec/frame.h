/* SPDX-License-Identifier: MIT
 * The frame codec: a 4-byte payload length, then the payload. Pure: bytes in, bytes out.
 * common/PROTOCOL.md is the specification. */
#ifndef TG_CODEC_FRAME_H
#define TG_CODEC_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include <throng/wire.h>

struct tg_frame_rules {
    uint32_t message_bytes_max;        /* longest payload, 1..THRONG_MESSAGE_BYTES_LIMIT */
    enum throng_byte_order byte_order; /* of the length */
};

enum tg_frame_status {
    TG_FRAME_PARTIAL = 0, /* more bytes are needed */
    TG_FRAME_WHOLE = 1,
    TG_FRAME_TOO_LARGE = 2, /* the length is over the limit; nothing after it can be read */
};

struct tg_frame {
    const uint8_t *payload; /* WHOLE: inside the input */
    uint32_t size; /* WHOLE, TOO_LARGE, and PARTIAL with a whole header: the payload length */
};

/* The four bytes of a length in the other order. */
static inline uint32_t tg_frame_length_swap(uint32_t length)
{
    return length << 24 | (length & 0xff00) << 8 | (length >> 8 & 0xff00) | length >> 24;
}

/* Byte by byte, so that neither alignment nor the machine's own order matters; compilers turn each
 * of these into one load or store, with a swap where needed. The order of the bytes is fixed and
 * the length swapped: given both orders, byte by byte, gcc picks each byte anew. */
static inline uint32_t tg_frame_length_read(const uint8_t *header, enum throng_byte_order order)
{
    uint32_t length = (uint32_t)header[0] << 24 | (uint32_t)header[1] << 16 |
                      (uint32_t)header[2] << 8 | header[3];
    return order == THRONG_BYTE_ORDER_LITTLE ? tg_frame_length_swap(length) : length;
}

static inline void tg_frame_length_write(uint8_t *header, uint32_t length,
                                         enum throng_byte_order order)
{
    if (order == THRONG_BYTE_ORDER_LITTLE) {
        length = tg_frame_length_swap(length);
    }
    header[0] = (uint8_t)(length >> 24);
    header[1] = (uint8_t)(length >> 16);
    header[2] = (uint8_t)(length >> 8);
    header[3] = (uint8_t)length;
}

/* Looks at the frame that starts at data[0]. A whole frame occupies THRONG_FRAME_HEADER_BYTES +
 * frame->size bytes of the input. */
static inline enum tg_frame_status tg_frame_read(const uint8_t *data, size_t size,
                                                 const struct tg_frame_rules *rules,
                                                 struct tg_frame *frame)
{
    if (size < THRONG_FRAME_HEADER_BYTES) {
        return TG_FRAME_PARTIAL;
    }
    uint32_t length = tg_frame_length_read(data, rules->byte_order);
    frame->size = length;
    /* The length is unsigned: what other systems read as negative is merely far too large. */
    if (length > rules->message_bytes_max) {
        return TG_FRAME_TOO_LARGE;
    }
    /* Compared without adding to `length`, so that nothing can wrap. */
    if (size - THRONG_FRAME_HEADER_BYTES < length) {
        return TG_FRAME_PARTIAL;
    }
    frame->payload = data + THRONG_FRAME_HEADER_BYTES;
    return TG_FRAME_WHOLE;
}

#endif
