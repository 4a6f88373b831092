/* SPDX-License-Identifier: MIT
 * The fields of a message whose body is a map: values by name, and a note of the first that could
 * not be had. Called by the user's handlers. */
#include "message/fault.h"
#include "message/value.h"

throng_value throng_body_get(const struct throng_message *message, const char *key)
{
    return throng_map_get(message->body, key);
}

bool throng_body_has(const struct throng_message *message, const char *key)
{
    const enum throng_value_kind kind = throng_value_kind(throng_body_get(message, key));
    return kind != THRONG_VALUE_NONE && kind != THRONG_VALUE_NIL;
}

/* Notes a fault unless there is one already. 0 or its code. */
static int note(struct throng_message *message, const char *key, throng_value value,
                enum throng_message_fault_kind fault, enum throng_value_kind wanted)
{
    if (fault == THRONG_FAULT_NONE) {
        return 0;
    }
    if (message->fault.kind == THRONG_FAULT_NONE) {
        (void)tg_fault_set(&message->fault, fault, 0, (uint64_t)throng_value_kind(value),
                           (uint64_t)wanted);
        message->fault.field = key;
    }
    return THRONG_EPROTOCOL;
}

int throng_body_u32(struct throng_message *message, const char *key, uint32_t *number)
{
    const throng_value value = throng_body_get(message, key);
    return note(message, key, value, tg_value_u32(value, number), THRONG_VALUE_INTEGER);
}

int throng_body_u64(struct throng_message *message, const char *key, uint64_t *number)
{
    const throng_value value = throng_body_get(message, key);
    return note(message, key, value, tg_value_u64(value, number), THRONG_VALUE_INTEGER);
}

int throng_body_i64(struct throng_message *message, const char *key, int64_t *number)
{
    const throng_value value = throng_body_get(message, key);
    return note(message, key, value, tg_value_i64(value, number), THRONG_VALUE_INTEGER);
}

int throng_body_f64(struct throng_message *message, const char *key, double *number)
{
    const throng_value value = throng_body_get(message, key);
    return note(message, key, value, tg_value_f64(value, number), THRONG_VALUE_FLOAT);
}

int throng_body_bool(struct throng_message *message, const char *key, bool *yes)
{
    const throng_value value = throng_body_get(message, key);
    return note(message, key, value, tg_value_bool(value, yes), THRONG_VALUE_BOOL);
}

int throng_body_string(struct throng_message *message, const char *key, const char **text,
                       size_t *size)
{
    const throng_value value = throng_body_get(message, key);
    return note(message, key, value, tg_value_string(value, text, size), THRONG_VALUE_STRING);
}

int throng_body_utf8(struct throng_message *message, const char *key, const char **text,
                     size_t *size)
{
    const throng_value value = throng_body_get(message, key);
    return note(message, key, value, tg_value_utf8(value, text, size), THRONG_VALUE_STRING);
}

int throng_body_bin(struct throng_message *message, const char *key, const void **data,
                    size_t *size)
{
    const throng_value value = throng_body_get(message, key);
    return note(message, key, value, tg_value_bin(value, data, size), THRONG_VALUE_BIN);
}

/* A field that is a container of this kind. */
static int get_container(struct throng_message *message, const char *key,
                         enum throng_value_kind wanted, throng_value *container)
{
    const throng_value value = throng_body_get(message, key);
    const enum throng_value_kind kind = throng_value_kind(value);
    enum throng_message_fault_kind fault = THRONG_FAULT_NONE;
    if (kind == THRONG_VALUE_NONE) {
        fault = THRONG_FAULT_NO_FIELD;
    } else if (kind != wanted) {
        fault = THRONG_FAULT_FIELD_KIND;
    } else {
        *container = value;
    }
    return note(message, key, value, fault, wanted);
}

int throng_body_array(struct throng_message *message, const char *key, throng_value *array)
{
    return get_container(message, key, THRONG_VALUE_ARRAY, array);
}

int throng_body_map(struct throng_message *message, const char *key, throng_value *map)
{
    return get_container(message, key, THRONG_VALUE_MAP, map);
}
