/* SPDX-License-Identifier: MIT
 * The decoder. See decoder.h and throng/message.h.
 *
 * A zone of MessagePack-C is memory that is used up from its front and cleared as a whole. One of
 * nodes_max objects is never used up: an array takes an object for each of its values, a map two
 * for each pair, and the scan has counted them. */
#include "message/decoder.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/failure.h"
#include "message/fault.h"
#include "message/item.h"

/* An empty zone still wants some, and each container's memory is aligned. */
#define ZONE_BYTES_BESIDE 64u

struct throng_decoder {
    struct throng_message_limits limits;
    const void *data; /* of the message that was decoded last */
    size_t size;
    bool has_objects; /* `root` is that message's body */
    msgpack_zone zone;
    msgpack_object root;
    struct tg_node nodes[]; /* limits.nodes_max */
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
    struct throng_decoder *made =
        malloc(sizeof *made + filled.nodes_max * sizeof(struct tg_node)); /* touched by use */
    const size_t bytes = filled.nodes_max * sizeof(msgpack_object) + ZONE_BYTES_BESIDE;
    if (made == NULL || !msgpack_zone_init(&made->zone, bytes)) {
        free(made);
        return tg_failure(error, THRONG_ENOMEM, "no memory for limits.nodes_max %u",
                          filled.nodes_max);
    }
    made->limits = filled;
    made->has_objects = false;
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
    const int result =
        tg_message_scan(data, size, envelope->body, limits, decoder->nodes, &message->fault);
    if (result < 0) {
        return result;
    }
    decoder->data = data;
    decoder->size = size;
    decoder->has_objects = false;
    message->type = envelope->type;
    message->request = envelope->request;
    message->is_reply = envelope->is_reply;
    message->body = (throng_value){decoder->nodes, decoder};
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

/* ---- objects ---- */

/* Decodes the body, once for each message. Whatever the scan lets pass, MessagePack-C decodes
 * (tests/fuzz, message). */
static bool make_objects(struct throng_decoder *decoder)
{
    if (!decoder->has_objects) {
        const uint8_t *data = decoder->data;
        size_t at = (size_t)(decoder->nodes[0].bytes - data);
        msgpack_zone_clear(&decoder->zone);
        decoder->has_objects = msgpack_unpack(decoder->data, decoder->size, &at, &decoder->zone,
                                              &decoder->root) == MSGPACK_UNPACK_SUCCESS;
    }
    return decoder->has_objects;
}

/* Values inside, keys too; 0 if it is no container. */
static size_t count_children(const struct tg_node *node)
{
    struct tg_item item;
    tg_item_read(node->bytes, &item);
    switch (item.kind) {
    case THRONG_VALUE_ARRAY:
        return item.size;
    case THRONG_VALUE_MAP:
        return 2 * (size_t)item.size;
    default:
        return 0;
    }
}

/* Which child is this node, or has it inside: the last one that does not begin behind it in the
 * message. Halved, for the peer says how many there are. */
static size_t child_towards(const struct tg_node *around, size_t count, const struct tg_node *node)
{
    const struct tg_node *children = around->children;
    size_t child = 0;
    size_t beyond = count;
    while (beyond - child > 1) {
        const size_t middle = child + (beyond - child) / 2;
        if (children[middle].bytes <= node->bytes) {
            child = middle;
        } else {
            beyond = middle;
        }
    }
    return child;
}

static const msgpack_object *object_child(const msgpack_object *object, size_t child)
{
    if (object->type == MSGPACK_OBJECT_ARRAY) {
        return &object->via.array.ptr[child];
    }
    const msgpack_object_kv *pair = &object->via.map.ptr[child / 2];
    return child % 2 == 0 ? &pair->key : &pair->val;
}

const msgpack_object *tg_decoder_object(struct throng_decoder *decoder, const struct tg_node *node)
{
    const struct tg_node *around = decoder->nodes;
    const msgpack_object *object = &decoder->root;
    if (!make_objects(decoder)) {
        return NULL;
    }
    while (around != node) {
        const size_t count = count_children(around);
        TG_REQUIRE(count > 0); /* a value of another message */
        const size_t child = child_towards(around, count, node);
        around = &around->children[child];
        object = object_child(object, child);
    }
    return object;
}
