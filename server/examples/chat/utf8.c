/* SPDX-License-Identifier: MIT
 * Reading and checking UTF-8. See utf8.h. */
#include "utf8.h"

#include <stdbool.h>

#define SURROGATE_FIRST 0xd800u
#define SURROGATE_LAST 0xdfffu
#define CHARACTER_LAST 0x10ffffu

/* Bytes that a first byte announces; 0: it is none. */
static size_t announced(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first < 0xe0) { /* c0 and c1 could only begin an overlong form */
        return 2;
    }
    if (first >= 0xe0 && first < 0xf0) {
        return 3;
    }
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

size_t utf8_read(const char *text, size_t size, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t count = size == 0 ? 0 : announced(bytes[0]);
    if (count == 0 || count > size) {
        return 0;
    }
    uint32_t value = count == 1 ? bytes[0] : bytes[0] & (0x7fu >> count);
    for (size_t i = 1; i < count; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (bytes[i] & 0x3fu);
    }
    if (value < least[count] || value > CHARACTER_LAST ||
        (value >= SURROGATE_FIRST && value <= SURROGATE_LAST)) {
        return 0;
    }
    *character = value;
    return count;
}

size_t utf8_write(uint32_t character, char *text)
{
    if (character < 0x80) {
        text[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        text[0] = (char)(0xc0 | character >> 6);
        text[1] = (char)(0x80 | (character & 0x3f));
        return 2;
    }
    if (character < 0x10000) {
        text[0] = (char)(0xe0 | character >> 12);
        text[1] = (char)(0x80 | (character >> 6 & 0x3f));
        text[2] = (char)(0x80 | (character & 0x3f));
        return 3;
    }
    text[0] = (char)(0xf0 | character >> 18);
    text[1] = (char)(0x80 | (character >> 12 & 0x3f));
    text[2] = (char)(0x80 | (character >> 6 & 0x3f));
    text[3] = (char)(0x80 | (character & 0x3f));
    return 4;
}

/* What would move a terminal's cursor, break a line or turn its direction round for what follows.
 * Joiners stay: Persian and emoji need them, and in a line they hide nothing. */
static bool is_refused(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character <= 0x9f) ||
           (character >= 0x2028 && character <= 0x202e) ||   /* separators, embeddings, overrides */
           (character >= 0x2066 && character <= 0x2069) ||   /* isolates */
           (character >= 0xfdd0 && character <= 0xfdef) ||   /* no characters */
           (character & 0xfffe) == 0xfffe ||                 /* nor these, of each plane */
           (character >= 0xfff9 && character <= 0xfffb) ||   /* interlinear annotation */
           (character >= 0xe0000 && character <= 0xe007f) || /* tags: text that nobody sees */
           character == 0xfeff;
}

enum chat_code utf8_check_text(const char *text, size_t size, size_t bytes_max)
{
    if (size > bytes_max) {
        return CHAT_CODE_TOO_LONG;
    }
    for (size_t at = 0; at < size;) {
        uint32_t character = 0;
        size_t count = utf8_read(text + at, size - at, &character);
        if (count == 0) {
            return CHAT_CODE_BAD_UTF8;
        }
        if (is_refused(character)) {
            return CHAT_CODE_BAD_CHARACTER;
        }
        at += count;
    }
    return CHAT_CODE_NONE;
}
