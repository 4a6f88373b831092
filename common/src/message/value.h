/* SPDX-License-Identifier: MIT
 * What throng_value_... find out, with the reason why not: the fields of a body (body.c) note it.
 * And what a value stands on: a node of a scanned message, or an object of MessagePack-C's.
 * Pure. */
#ifndef TG_MESSAGE_VALUE_H
#define TG_MESSAGE_VALUE_H

#include <throng/message.h>

#include "message/node.h"
#include "message/object.h"

#define TG_VALUE_NONE ((throng_value){NULL, NULL})

/* The node of a value that is bytes; NULL: it is an object, or none. */
static inline const struct tg_node *tg_value_node(throng_value value)
{
    return value.private_decoder == NULL ? NULL : (const struct tg_node *)value.private_place;
}

static inline struct tg_item tg_value_item(throng_value value)
{
    const struct tg_node *node = tg_value_node(value);
    struct tg_item item;
    if (node != NULL) {
        tg_item_read(node->bytes, &item);
    } else {
        tg_object_read(value.private_place, &item);
    }
    return item;
}

/* Each answers THRONG_FAULT_NONE and the value, or the fault with the output untouched. */
enum throng_message_fault_kind tg_value_u64(throng_value value, uint64_t *number);
enum throng_message_fault_kind tg_value_i64(throng_value value, int64_t *number);
enum throng_message_fault_kind tg_value_u32(throng_value value, uint32_t *number);
enum throng_message_fault_kind tg_value_f64(throng_value value, double *number);
enum throng_message_fault_kind tg_value_bool(throng_value value, bool *yes);
enum throng_message_fault_kind tg_value_string(throng_value value, const char **text, size_t *size);
enum throng_message_fault_kind tg_value_utf8(throng_value value, const char **text, size_t *size);
enum throng_message_fault_kind tg_value_bin(throng_value value, const void **data, size_t *size);

#endif
