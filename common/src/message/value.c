/* SPDX-License-Identifier: MIT
 * Reading values, by kind: bytes that were scanned, or objects of MessagePack-C's. See
 * throng/value.h; any thread. */
#include "message/value.h"

#include <float.h>
#include <string.h>

#include "base/utf8.h"

enum throng_value_kind throng_value_kind(throng_value value)
{
    return tg_value_item(value).kind;
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

static enum throng_message_fault_kind expect(const struct tg_item *item,
                                             enum throng_value_kind kind)
{
    if (item->kind == kind) {
        return THRONG_FAULT_NONE;
    }
    return item->kind == THRONG_VALUE_NONE ? THRONG_FAULT_NO_FIELD : THRONG_FAULT_FIELD_KIND;
}

enum throng_message_fault_kind tg_value_u64(throng_value value, uint64_t *number)
{
    const struct tg_node *node = tg_value_node(value);
    if (node != NULL && node->bytes[0] < 0x80) { /* most numbers are small */
        *number = node->bytes[0];
        return THRONG_FAULT_NONE;
    }
    const struct tg_item item = tg_value_item(value);
    const enum throng_message_fault_kind fault = expect(&item, THRONG_VALUE_INTEGER);
    if (fault == THRONG_FAULT_NONE) {
        if (item.is_negative) {
            return THRONG_FAULT_FIELD_RANGE;
        }
        *number = item.number;
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
    const struct tg_item item = tg_value_item(value);
    const enum throng_message_fault_kind fault = expect(&item, THRONG_VALUE_INTEGER);
    if (fault == THRONG_FAULT_NONE) {
        if (!item.is_negative && item.number > INT64_MAX) {
            return THRONG_FAULT_FIELD_RANGE;
        }
        *number = (int64_t)item.number;
    }
    return fault;
}

/* A fraction as most send it. */
static bool is_plain_double(const struct tg_node *node)
{
    return node != NULL && node->bytes[0] == 0xcb;
}

enum throng_message_fault_kind tg_value_f64(throng_value value, double *number)
{
    const struct tg_node *node = tg_value_node(value);
    double given;
    if (is_plain_double(node)) {
        const uint64_t bits = tg_item_load(node->bytes + 1, 8);
        memcpy(&given, &bits, sizeof given);
    } else {
        const struct tg_item item = tg_value_item(value);
        if (item.kind == THRONG_VALUE_INTEGER) {
            *number = item.is_negative ? (double)(int64_t)item.number : (double)item.number;
            return THRONG_FAULT_NONE;
        }
        const enum throng_message_fault_kind fault = expect(&item, THRONG_VALUE_FLOAT);
        if (fault != THRONG_FAULT_NONE) {
            return fault;
        }
        given = item.fraction;
    }
    if (!(given >= -DBL_MAX && given <= DBL_MAX)) { /* nor is NaN */
        return THRONG_FAULT_FIELD_RANGE;
    }
    *number = given;
    return THRONG_FAULT_NONE;
}

enum throng_message_fault_kind tg_value_bool(throng_value value, bool *yes)
{
    const struct tg_item item = tg_value_item(value);
    const enum throng_message_fault_kind fault = expect(&item, THRONG_VALUE_BOOL);
    if (fault == THRONG_FAULT_NONE) {
        *yes = item.number != 0;
    }
    return fault;
}

enum throng_message_fault_kind tg_value_string(throng_value value, const char **text, size_t *size)
{
    const struct tg_node *node = tg_value_node(value);
    if (node != NULL && (node->bytes[0] & 0xe0) == 0xa0) { /* so are most strings */
        *text = (const char *)node->bytes + 1;
        *size = node->bytes[0] & 0x1f;
        return THRONG_FAULT_NONE;
    }
    const struct tg_item item = tg_value_item(value);
    const enum throng_message_fault_kind fault = expect(&item, THRONG_VALUE_STRING);
    if (fault == THRONG_FAULT_NONE) {
        *text = item.bytes;
        *size = item.size;
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
    const struct tg_item item = tg_value_item(value);
    const enum throng_message_fault_kind fault = expect(&item, THRONG_VALUE_BIN);
    if (fault == THRONG_FAULT_NONE) {
        *data = item.bytes;
        *size = item.size;
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
