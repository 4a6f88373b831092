/* SPDX-License-Identifier: MIT
 * The decoder. See decoder.h and throng/message.h.
 *
 * A zone of MessagePack-C is memory that is used up from its front and cleared as a whole. One of nodes_max objects is
 * never used up: an array takes an object for each of its values, a map two for each pair, and the scan has counted
 * them. */
#include "message/decoder.h"

#include <stdlib.h>

#include <msgpack.h>

#include "base/assert.h"
#include "base/failure.h"
#include "message/fault.h"

/* An empty zone still wants some, and each container's memory is aligned. */
#define ZONE_BYTES_BESIDE 64u

struct throng_decoder {
    struct throng_message_limits limits;
    msgpack_zone zone;
    msgpack_object root;
};

_Static_assert(sizeof(msgpack_object_kv) <= 2 * sizeof(msgpack_object), "a pair is two values");

int throng_decoder_create(struct throng_decoder **decoder,
                          const struct throng_message_limits *limits, struct throng_error *error)
{
    struct throng_message_limits filled = {0};
    if (limits != NULL) {
        filled = *limits;
    }
    if (decoder == NULL) {
        return tg_failure(error, THRONG_EINVAL, "decoder is NULL");
    }
    if (!tg_message_limits_fill(&filled, error)) {
        return THRONG_EINVAL;
    }
    struct throng_decoder *made = calloc(1, sizeof *made);
    const size_t bytes = filled.nodes_max * sizeof(msgpack_object) + ZONE_BYTES_BESIDE;
    if (made == NULL || !msgpack_zone_init(&made->zone, bytes)) {
        free(made);
        return tg_failure(error, THRONG_ENOMEM, "no memory for limits.nodes_max %u",
                          filled.nodes_max);
    }
    made->limits = filled;
    *decoder = made;
    return 0;
}

void throng_decoder_destroy(struct throng_decoder *decoder)
{
    if (decoder != NULL) {
        msgpack_zone_destroy(&decoder->zone);
        free(decoder);
    }
}

const struct throng_message_limits *tg_decoder_limits(const struct throng_decoder *decoder)
{
    return &decoder->limits;
}

int tg_decode_body(struct throng_decoder *decoder, const struct tg_envelope *envelope,
                   const struct throng_message_limits *limits, const void *data, size_t size,
                   struct throng_message *message)
{
    const int result = tg_message_scan(data, size, envelope->body, limits, &message->fault);
    if (result < 0) {
        return result;
    }
    size_t at = envelope->body;
    msgpack_zone_clear(&decoder->zone);
    const msgpack_unpack_return answer =
        msgpack_unpack(data, size, &at, &decoder->zone, &decoder->root);
    if (answer != MSGPACK_UNPACK_SUCCESS || at != size) {
        return tg_fault_set(&message->fault, THRONG_FAULT_DECODER, at, 0, 0);
    }
    message->type = envelope->type;
    message->request = envelope->request;
    message->is_reply = envelope->is_reply;
    message->body = (throng_value){&decoder->root};
    message->user = NULL;
    message->data = data;
    message->size = size;
    return 0;
}

int throng_decode(struct throng_decoder *decoder, const void *data, size_t size,
                  struct throng_message *message)
{
    TG_REQUIRE(decoder != NULL);
    TG_REQUIRE(data != NULL || size == 0);
    const struct throng_message_limits *limits = &decoder->limits;
    if (size > limits->bytes_max) {
        return tg_fault_set(&message->fault, THRONG_FAULT_BYTES, limits->bytes_max, size,
                            limits->bytes_max);
    }
    struct tg_envelope envelope;
    const int result = tg_envelope_read(data, size, &envelope, &message->fault);
    if (result < 0) {
        return result;
    }
    return tg_decode_body(decoder, &envelope, limits, data, size, message);
}
