/* SPDX-License-Identifier: MIT
 * From bytes to a message: envelope, scan, and nodes in memory that was reserved for as many values
 * as the scan lets pass. MessagePack-C is asked only by who wants its objects. One thread at a
 * time. */
#ifndef TG_MESSAGE_DECODER_H
#define TG_MESSAGE_DECODER_H

#include <msgpack.h>

#include "message/scan.h"

/* Scans the body behind the envelope within `limits` (not beyond those that the decoder was made
 * with) and fills *message but for its user. 0 or the code of message->fault. */
int tg_decode_body(struct throng_decoder *decoder, const struct tg_envelope *envelope,
                   const struct throng_message_limits *limits, const void *data, size_t size,
                   struct throng_message *message);

/* The limits that it was made with, none of them 0. */
const struct throng_message_limits *tg_decoder_limits(const struct throng_decoder *decoder);

/* The value at a node of the message that was decoded last, as an object of MessagePack-C's. */
const msgpack_object *tg_decoder_object(struct throng_decoder *decoder, const struct tg_node *node);

#endif
