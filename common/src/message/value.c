/* SPDX-License-Identifier: MIT
 * Reading values: what MessagePack-C has decoded, by kind. See throng/value.h; any thread. */
#include "message/value.h"

#include <float.h>
#include <string.h>

#include <msgpack.h>

#include "base/utf8.h"

static const msgpack_object *object_of(throng_value value)
{
    return value.private_object;
}

static throng_value value_of(const msgpack_object *object)
{
    return (throng_value){object};
}

enum throng_value_kind throng_value_kind(throng_value value)
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
    const msgpack_object *object = object_of(value);
    if (object == NULL || (size_t)object->type >= sizeof kinds / sizeof kinds[0]) {
        return THRONG_VALUE_NONE;
    }
    return kinds[object->type];
}

const char *throng_value_kind_text(enum throng_value_kind kind)
{
    static const char *const texts[] = {
        [THRONG_VALUE_NONE] = "nothing",     [THRONG_VALUE_NIL] = "nil",
        [THRONG_VALUE_BOOL] = "a boolean",   [THRONG_VALUE_INTEGER] = "a whole number",
        [THRONG_VALUE_FLOAT] = "a fraction", [THRONG_VALUE_STRING] = "a string",
        [THRONG_VALUE_BIN] = "a bin",        [THRONG_VALUE_ARRAY] = "an array",
        [THRONG_VALUE_MAP] = "a map",        [THRONG_VALUE_EXT] = "an extension type",
    };
    return (size_t)kind < sizeof texts / sizeof texts[0] ? texts[kind] : "an unknown kind";
}

/* ---- one value ---- */

/* The object, if it is of one of these two types. */
static enum throng_message_fault_kind expect(throng_value value, msgpack_object_type type,
                                             msgpack_object_type other)
{
    const msgpack_object *object = object_of(value);
    if (object == NULL) {
        return THRONG_FAULT_NO_FIELD;
    }
    return object->type == type || object->type == other ? THRONG_FAULT_NONE
                                                         : THRONG_FAULT_FIELD_KIND;
}

static enum throng_message_fault_kind expect_integer(throng_value value)
{
    return expect(value, MSGPACK_OBJECT_POSITIVE_INTEGER, MSGPACK_OBJECT_NEGATIVE_INTEGER);
}

enum throng_message_fault_kind tg_value_u64(throng_value value, uint64_t *number)
{
    const enum throng_message_fault_kind fault = expect_integer(value);
    if (fault == THRONG_FAULT_NONE) {
        if (object_of(value)->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
            return THRONG_FAULT_FIELD_RANGE;
        }
        *number = object_of(value)->via.u64;
    }
    return fault;
}

enum throng_message_fault_kind tg_value_u32(throng_value value, uint32_t *number)
{
    uint64_t wide;
    const enum throng_message_fault_kind fault = tg_value_u64(value, &wide);
    if (fault == THRONG_FAULT_NONE) {
        if (wide > UINT32_MAX) {
            return THRONG_FAULT_FIELD_RANGE;
        }
        *number = (uint32_t)wide;
    }
    return fault;
}

enum throng_message_fault_kind tg_value_i64(throng_value value, int64_t *number)
{
    const enum throng_message_fault_kind fault = expect_integer(value);
    if (fault == THRONG_FAULT_NONE) {
        const msgpack_object *object = object_of(value);
        if (object->type == MSGPACK_OBJECT_POSITIVE_INTEGER && object->via.u64 > INT64_MAX) {
            return THRONG_FAULT_FIELD_RANGE;
        }
        *number = object->via.i64;
    }
    return fault;
}

enum throng_message_fault_kind tg_value_f64(throng_value value, double *number)
{
    if (expect_integer(value) == THRONG_FAULT_NONE) {
        const msgpack_object *object = object_of(value);
        *number = object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER ? (double)object->via.i64
                                                                  : (double)object->via.u64;
        return THRONG_FAULT_NONE;
    }
    const enum throng_message_fault_kind fault =
        expect(value, MSGPACK_OBJECT_FLOAT64, MSGPACK_OBJECT_FLOAT32);
    if (fault == THRONG_FAULT_NONE) {
        const double given = object_of(value)->via.f64;
        if (!(given >= -DBL_MAX && given <= DBL_MAX)) { /* nor is NaN */
            return THRONG_FAULT_FIELD_RANGE;
        }
        *number = given;
    }
    return fault;
}

enum throng_message_fault_kind tg_value_bool(throng_value value, bool *yes)
{
    const enum throng_message_fault_kind fault =
        expect(value, MSGPACK_OBJECT_BOOLEAN, MSGPACK_OBJECT_BOOLEAN);
    if (fault == THRONG_FAULT_NONE) {
        *yes = object_of(value)->via.boolean;
    }
    return fault;
}

enum throng_message_fault_kind tg_value_string(throng_value value, const char **text, size_t *size)
{
    const enum throng_message_fault_kind fault =
        expect(value, MSGPACK_OBJECT_STR, MSGPACK_OBJECT_STR);
    if (fault == THRONG_FAULT_NONE) {
        *text = object_of(value)->via.str.ptr;
        *size = object_of(value)->via.str.size;
    }
    return fault;
}

enum throng_message_fault_kind tg_value_utf8(throng_value value, const char **text, size_t *size)
{
    const char *bytes;
    size_t count;
    const enum throng_message_fault_kind fault = tg_value_string(value, &bytes, &count);
    if (fault == THRONG_FAULT_NONE) {
        if (!tg_utf8_is_valid(bytes, count)) {
            return THRONG_FAULT_FIELD_UTF8;
        }
        *text = bytes;
        *size = count;
    }
    return fault;
}

enum throng_message_fault_kind tg_value_bin(throng_value value, const void **data, size_t *size)
{
    const enum throng_message_fault_kind fault =
        expect(value, MSGPACK_OBJECT_BIN, MSGPACK_OBJECT_BIN);
    if (fault == THRONG_FAULT_NONE) {
        *data = object_of(value)->via.bin.ptr;
        *size = object_of(value)->via.bin.size;
    }
    return fault;
}

static int answer(enum throng_message_fault_kind fault)
{
    return fault == THRONG_FAULT_NONE ? 0 : THRONG_EPROTOCOL;
}

int throng_value_u32(throng_value value, uint32_t *number)
{
    return answer(tg_value_u32(value, number));
}

int throng_value_u64(throng_value value, uint64_t *number)
{
    return answer(tg_value_u64(value, number));
}

int throng_value_i64(throng_value value, int64_t *number)
{
    return answer(tg_value_i64(value, number));
}

int throng_value_f64(throng_value value, double *number)
{
    return answer(tg_value_f64(value, number));
}

int throng_value_bool(throng_value value, bool *yes)
{
    return answer(tg_value_bool(value, yes));
}

int throng_value_string(throng_value value, const char **text, size_t *size)
{
    return answer(tg_value_string(value, text, size));
}

int throng_value_utf8(throng_value value, const char **text, size_t *size)
{
    return answer(tg_value_utf8(value, text, size));
}

int throng_value_bin(throng_value value, const void **data, size_t *size)
{
    return answer(tg_value_bin(value, data, size));
}

/* ---- arrays and maps ---- */

/* The object if it has this type, else NULL. */
static const msgpack_object *object_if(throng_value value, msgpack_object_type type)
{
    const msgpack_object *object = object_of(value);
    return object != NULL && object->type == type ? object : NULL;
}

uint32_t throng_value_size(throng_value value)
{
    const msgpack_object *array = object_if(value, MSGPACK_OBJECT_ARRAY);
    const msgpack_object *map = object_if(value, MSGPACK_OBJECT_MAP);
    if (array != NULL) {
        return array->via.array.size;
    }
    return map == NULL ? 0 : map->via.map.size;
}

throng_value throng_array_at(throng_value array, uint32_t index)
{
    const msgpack_object *object = object_if(array, MSGPACK_OBJECT_ARRAY);
    return value_of(object != NULL && index < object->via.array.size ? &object->via.array.ptr[index]
                                                                     : NULL);
}

/* Most keys differ in size or first byte already. */
static bool is_key(const msgpack_object *object, const char *key, size_t size)
{
    return object->type == MSGPACK_OBJECT_STR && object->via.str.size == size &&
           (size == 0 ||
            (object->via.str.ptr[0] == key[0] && memcmp(object->via.str.ptr, key, size) == 0));
}

throng_value throng_map_get(throng_value map, const char *key)
{
    const msgpack_object *object = object_if(map, MSGPACK_OBJECT_MAP);
    if (object == NULL || key == NULL) {
        return value_of(NULL);
    }
    const size_t size = strlen(key);
    for (uint32_t i = 0; i < object->via.map.size; i++) {
        const msgpack_object_kv *pair = &object->via.map.ptr[i];
        if (is_key(&pair->key, key, size)) {
            return value_of(&pair->val);
        }
    }
    return value_of(NULL);
}

void throng_map_at(throng_value map, uint32_t index, throng_value *key, throng_value *value)
{
    const msgpack_object *object = object_if(map, MSGPACK_OBJECT_MAP);
    const bool is_there = object != NULL && index < object->via.map.size;
    *key = value_of(is_there ? &object->via.map.ptr[index].key : NULL);
    *value = value_of(is_there ? &object->via.map.ptr[index].val : NULL);
}
