/* SPDX-License-Identifier: MIT
 * See text.h. */
#include "text.h"

#include <stdio.h>
#include <string.h>

#include "widths.h"

/* More marks on one letter than any script needs are an attack on the lines above and below. */
#define COMBINING_MAX 4

/* ---- UTF-8 (RFC 3629) ---- */

/* The length that a first byte promises, and the smallest character of that length; 0: none. */
static size_t length_of_first(unsigned char first, uint32_t *least)
{
    if (first < 0x80) {
        *least = 0;
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        *least = 0x80;
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        *least = 0x800;
        return 3;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        *least = 0x10000;
        return 4;
    }
    *least = 0;
    return 0;
}

size_t text_next(const char *text, size_t size, uint32_t *code)
{
    unsigned char first = (unsigned char)text[0];
    uint32_t least;
    size_t length = length_of_first(first, &least);
    *code = TEXT_NOT_UTF8;
    if (length == 0 || length > size) {
        return 1;
    }
    uint32_t sum = length == 1 ? first : first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte & 0xc0) != 0x80) {
            return 1;
        }
        sum = sum << 6 | (byte & 0x3f);
    }
    if (sum < least || sum > 0x10ffff || (sum >= 0xd800 && sum <= 0xdfff)) {
        return 1;
    }
    *code = sum;
    return length;
}

size_t text_encode(uint32_t code, char bytes[4])
{
    if (code < 0x80) {
        bytes[0] = (char)code;
        return 1;
    }
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    bytes[0] = (char)((0xf00u >> length & 0xff) | code);
    return length;
}

/* ---- columns ---- */

static bool is_in(const struct range *ranges, size_t count, uint32_t code)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code > ranges[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && code >= ranges[low].first;
}

unsigned text_width(uint32_t code)
{
    if (code < 0x300) {
        return 1;
    }
    if (is_in(zero_width, sizeof(zero_width) / sizeof(zero_width[0]), code)) {
        return 0;
    }
    return is_in(double_width, sizeof(double_width) / sizeof(double_width[0]), code) ? 2 : 1;
}

size_t text_columns(const char *text, size_t size)
{
    size_t columns = 0;
    for (size_t at = 0; at < size;) {
        uint32_t code;
        at += text_next(text + at, size - at, &code);
        columns += text_width(code);
    }
    return columns;
}

size_t text_fit(const char *text, size_t size, size_t columns)
{
    size_t used = 0, at = 0;
    while (at < size) {
        uint32_t code;
        size_t length = text_next(text + at, size - at, &code);
        used += text_width(code);
        if (used > columns) {
            break;
        }
        at += length;
    }
    return at;
}

size_t text_wrap(const char *text, size_t size, size_t columns, size_t *skip)
{
    uint32_t code;
    size_t fits = text_fit(text, size, columns);
    *skip = 0;
    if (fits == size) {
        return size;
    }
    if (fits == 0) {
        return text_next(text, size,
                         &code); /* narrower than a character: it is cut by the screen */
    }
    for (size_t at = fits; at > 0; at--) {
        if (text[at] == ' ') {
            *skip = 1;
            return at;
        }
    }
    return fits;
}

/* ---- safety ---- */

/* Sorted. U+200C and U+200D stay: Persian and emoji are written with them. */
static const struct range unsafe[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad}, /* soft hyphen */
    {0x034f, 0x034f},                                     /* grapheme joiner */
    {0x061c, 0x061c},                                     /* Arabic letter mark */
    {0x115f, 0x1160},                                     /* Hangul fillers */
    {0x180b, 0x180f}, {0x200b, 0x200b}, {0x200e, 0x200f}, /* left-to-right, right-to-left mark */
    {0x2028, 0x202e},                                     /* separators, embeddings, overrides */
    {0x2060, 0x206f},                                     /* isolates, invisible operators */
    {0x3164, 0x3164}, {0xfdd0, 0xfdef}, {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
    {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}, /* tags */
};

bool text_is_unsafe(uint32_t code)
{
    if (code > 0x10ffff || (code & 0xfffe) == 0xfffe) {
        return true;
    }
    return is_in(unsafe, sizeof(unsafe) / sizeof(unsafe[0]), code);
}

/* How an unsafe character is shown; answers the length. */
static size_t show(char shown[16], uint32_t code, unsigned char byte)
{
    int length;
    if (code == '\n' || code == '\t' || code == '\r') {
        length = snprintf(shown, 16, "\\%c", code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
    } else if (code == TEXT_NOT_UTF8 || code < 0x80) {
        length = snprintf(shown, 16, "\\x%02x", byte);
    } else {
        length = snprintf(shown, 16, "\\u{%x}", (unsigned)code);
    }
    return (size_t)length;
}

size_t text_escape(char *out, size_t out_size, const char *text, size_t size)
{
    size_t used = 0, at = 0;
    unsigned combining = COMBINING_MAX; /* a mark needs a letter before it */
    while (at < size) {
        char shown[16];
        uint32_t code;
        const char *from = text + at;
        size_t length = text_next(from, size - at, &code);
        at += length;
        combining = text_width(code) == 0 ? combining + 1 : 0;
        if (text_is_unsafe(code) || combining > COMBINING_MAX) {
            length = show(shown, code, (unsigned char)*from);
            from = shown;
            combining = combining > COMBINING_MAX ? COMBINING_MAX : 0;
        }
        if (used + length >= out_size) {
            break;
        }
        memcpy(out + used, from, length);
        used += length;
    }
    out[used] = '\0';
    return used;
}

uint32_t text_hash(const char *text, size_t size)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    }
    return hash;
}
