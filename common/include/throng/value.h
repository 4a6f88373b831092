/* SPDX-License-Identifier: MIT
 * Reading what a typed message holds: values of MessagePack, without knowing MessagePack. A part of
 * throng_message (throng/message.h); any thread, as long as the message is valid.
 *
 * Nothing here fails harder than with an answer: a value that is not there, is of another kind or
 * out of range is THRONG_EPROTOCOL, and the output is untouched. */
#ifndef THRONG_VALUE_H
#define THRONG_VALUE_H

#include <throng/error.h>
#include <throng/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A value inside a decoded message; two pointers in a struct, passed by copy. Valid as long as its
 * message. What it is, is read from the message's bytes when it is asked, and costs no more than
 * that. */
typedef struct throng_value {
    const void *private_place; /* NULL: there is none (THRONG_VALUE_NONE) */
    void *private_decoder;     /* NULL: the place is an object (throng/message_object.h) */
} throng_value;

enum throng_value_kind {
    THRONG_VALUE_NONE = 0, /* no such field or element */
    THRONG_VALUE_NIL = 1,
    THRONG_VALUE_BOOL = 2,
    THRONG_VALUE_INTEGER = 3,
    THRONG_VALUE_FLOAT = 4,
    THRONG_VALUE_STRING = 5,
    THRONG_VALUE_BIN = 6,
    THRONG_VALUE_ARRAY = 7,
    THRONG_VALUE_MAP = 8,
    THRONG_VALUE_EXT = 9, /* refused unless limits.ext_allowed */
};

THRONG_API enum throng_value_kind throng_value_kind(throng_value value);

/* "nil", "a string" ...; for messages to people. */
THRONG_API const char *throng_value_kind_text(enum throng_value_kind kind);

/* ---- one value: 0 or THRONG_EPROTOCOL ---- */

THRONG_API int throng_value_u32(throng_value value, uint32_t *number);
THRONG_API int throng_value_u64(throng_value value, uint64_t *number);
THRONG_API int throng_value_i64(throng_value value, int64_t *number);

/* An integer too (JavaScript sends 1.0 as 1). NaN and the infinities are refused: whoever wants
 * them from a stranger asks throng/message_object.h. */
THRONG_API int throng_value_f64(throng_value value, double *number);
THRONG_API int throng_value_bool(throng_value value, bool *yes);

/* `text` points into the message, has no NUL at its end and may have some inside. The first takes
 * any bytes, the second only well-formed UTF-8 (RFC 3629: no overlong form, no surrogate). */
THRONG_API int throng_value_string(throng_value value, const char **text, size_t *size);
THRONG_API int throng_value_utf8(throng_value value, const char **text, size_t *size);
THRONG_API int throng_value_bin(throng_value value, const void **data, size_t *size);

/* ---- arrays and maps ---- */

/* Elements of an array, pairs of a map; 0 for everything else. */
THRONG_API uint32_t throng_value_size(throng_value value);

/* The element `index` of an array; none if it has fewer, or is not an array. */
THRONG_API throng_value throng_array_at(throng_value array, uint32_t index);

/* The value that a map has for `key` (NUL-terminated), the first if it comes twice; none if there
 * is none, or if it is not a map. Looks at one key after the other. */
THRONG_API throng_value throng_map_get(throng_value map, const char *key);

/* Pair `index` of a map, in the sender's order; both none if it has fewer. */
THRONG_API void throng_map_at(throng_value map, uint32_t index, throng_value *key,
                              throng_value *value);

#ifdef __cplusplus
}
#endif

#endif
