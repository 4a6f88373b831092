/* SPDX-License-Identifier: MIT
 * From bytes to a message: envelope, scan, and MessagePack-C into memory that was reserved for as many values as the
 * scan lets pass. One thread at a time. */
#ifndef TG_MESSAGE_DECODER_H
#define TG_MESSAGE_DECODER_H

#include "message/scan.h"

/* Scans the body behind the envelope within `limits` (not beyond those that the decoder was made with) and decodes
 * it. 0 or the code of message->fault. */
int tg_decode_body(struct throng_decoder *decoder, const struct tg_envelope *envelope,
                   const struct throng_message_limits *limits, const void *data, size_t size,
                   struct throng_message *message);

/* The limits that it was made with, none of them 0. */
const struct throng_message_limits *tg_decoder_limits(const struct throng_decoder *decoder);

#endif
