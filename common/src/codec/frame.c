/* SPDX-License-Identifier: MIT
 * The frame codec. Pure; called by the assembler, by the server's and the clients' send paths. Any
 * thread. */
#include "codec/frame.h"

#include "base/assert.h"

/* Byte by byte, so that neither alignment nor the machine's own order matters; compilers turn each
 * of these into one load or store, with a swap where needed. */
uint32_t tg_frame_length_read(const uint8_t *header, enum throng_byte_order order)
{
    if (order == THRONG_BYTE_ORDER_LITTLE) {
        return (uint32_t)header[3] << 24 | (uint32_t)header[2] << 16 | (uint32_t)header[1] << 8 |
               header[0];
    }
    return (uint32_t)header[0] << 24 | (uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 |
           header[3];
}

void tg_frame_length_write(uint8_t *header, uint32_t length, enum throng_byte_order order)
{
    if (order == THRONG_BYTE_ORDER_LITTLE) {
        header[0] = (uint8_t)length;
        header[1] = (uint8_t)(length >> 8);
        header[2] = (uint8_t)(length >> 16);
        header[3] = (uint8_t)(length >> 24);
        return;
    }
    header[0] = (uint8_t)(length >> 24);
    header[1] = (uint8_t)(length >> 16);
    header[2] = (uint8_t)(length >> 8);
    header[3] = (uint8_t)length;
}

enum tg_frame_status tg_frame_read(const uint8_t *data, size_t size,
                                   const struct tg_frame_rules *rules, struct tg_frame *frame)
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
