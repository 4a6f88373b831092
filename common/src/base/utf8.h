/* SPDX-License-Identifier: MIT
 * UTF-8 as RFC 3629 has it: no overlong form, no surrogate, nothing beyond U+10FFFF. Pure; any
 * thread. */
#ifndef TG_BASE_UTF8_H
#define TG_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bytes the character has whose first byte this is; 0: none begins so. (0xc0 and 0xc1
 * could only be longer forms of ASCII, 0xf5 and above are beyond Unicode.) */
static inline size_t tg_utf8_sequence_len(uint8_t first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        return 3;
    }
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* Reads one character of `length` (>= 1) bytes. Answers how many it has, 0 if they are none. */
static inline size_t tg_utf8_read(const uint8_t *bytes, size_t length, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = tg_utf8_sequence_len(bytes[0]);
    if (len == 0 || len > length) {
        return 0;
    }
    *character = len == 1 ? bytes[0] : bytes[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((bytes[i] & 0xc0u) != 0x80) {
            return 0;
        }
        *character = *character << 6 | (bytes[i] & 0x3fu);
    }
    bool is_surrogate = *character >= 0xd800 && *character <= 0xdfff;
    return *character < least[len] || *character > 0x10ffff || is_surrogate ? 0 : len;
}

/* Whether all of it is characters; NUL is one. `text` may be NULL if size is 0. */
bool tg_utf8_is_valid(const void *text, size_t size);

#endif
