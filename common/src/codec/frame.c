/* SPDX-License-Identifier: MIT
 * The frame codec. Pure; called by the assembler, by the server's and the clients' send paths. Any
 * thread. */
#include "codec/frame.h"

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
