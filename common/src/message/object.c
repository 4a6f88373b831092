/* SPDX-License-Identifier: MIT
 * Values that are objects of MessagePack-C's, and the way to them from those that are bytes. See
 * object.h and throng/message_object.h. */
#include "message/object.h"

#include <throng/message_object.h>

#include "message/decoder.h"

static enum throng_value_kind kind_of(const msgpack_object *object)
{
    static const enum throng_value_kind kinds[] = {
        [MSGPACK_OBJECT_NIL] = THRONG_VALUE_NIL,
        [MSGPACK_OBJECT_BOOLEAN] = THRONG_VALUE_BOOL,
        [MSGPACK_OBJECT_POSITIVE_INTEGER] = THRONG_VALUE_INTEGER,
        [MSGPACK_OBJECT_NEGATIVE_INTEGER] = THRONG_VALUE_INTEGER,
        [MSGPACK_OBJECT_FLOAT64] = THRONG_VALUE_FLOAT,
        [MSGPACK_OBJECT_FLOAT32] = THRONG_VALUE_FLOAT,
        [MSGPACK_OBJECT_STR] = THRONG_VALUE_STRING,
        [MSGPACK_OBJECT_ARRAY] = THRONG_VALUE_ARRAY,
        [MSGPACK_OBJECT_MAP] = THRONG_VALUE_MAP,
        [MSGPACK_OBJECT_BIN] = THRONG_VALUE_BIN,
        [MSGPACK_OBJECT_EXT] = THRONG_VALUE_EXT,
    };
    return (size_t)object->type < sizeof kinds / sizeof kinds[0] ? kinds[object->type]
                                                                 : THRONG_VALUE_NONE;
}

static void read_object(const msgpack_object *object, struct tg_item *item)
{
    item->kind = kind_of(object);
    switch (item->kind) {
    case THRONG_VALUE_BOOL:
        item->number = object->via.boolean;
        break;
    case THRONG_VALUE_INTEGER:
        item->is_negative = object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER;
        item->number = object->via.u64;
        break;
    case THRONG_VALUE_FLOAT:
        item->fraction = object->via.f64;
        break;
    case THRONG_VALUE_STRING:
        item->bytes = object->via.str.ptr;
        item->size = object->via.str.size;
        break;
    case THRONG_VALUE_BIN:
        item->bytes = object->via.bin.ptr;
        item->size = object->via.bin.size;
        break;
    case THRONG_VALUE_ARRAY:
        item->size = object->via.array.size;
        break;
    case THRONG_VALUE_MAP:
        item->size = object->via.map.size;
        break;
    default: /* a kind without more to tell */
        break;
    }
}

void tg_object_read(const void *object, struct tg_item *item)
{
    *item = (struct tg_item){.kind = THRONG_VALUE_NONE};
    if (object != NULL) {
        read_object(object, item);
    }
}

throng_value tg_object_array_at(const void *array, uint32_t index)
{
    return throng_object_value(&((const msgpack_object *)array)->via.array.ptr[index]);
}

void tg_object_map_at(const void *map, uint32_t index, throng_value *key, throng_value *value)
{
    const msgpack_object_kv *pair = &((const msgpack_object *)map)->via.map.ptr[index];
    *key = throng_object_value(&pair->key);
    *value = throng_object_value(&pair->val);
}

const msgpack_object *throng_value_object(throng_value value)
{
    if (value.private_decoder == NULL) {
        return value.private_place;
    }
    return tg_decoder_object(value.private_decoder, value.private_place);
}
