/* SPDX-License-Identifier: MIT
 * One harmless line of any bytes. See line.h. */
#include "base/line.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"

#define ELLIPSIS "..."
#define ELLIPSIS_LEN 3u

/* The longest escape: "\u{10ffff}" and its NUL. */
#define ESCAPE_BYTES 11u

/* What readers of a log must not be given as it is: C1 controls, and what changes the order or
 * the look of the text around it without being seen: direction marks, embeddings, overrides and
 * isolates, separators, zero widths, tags. (Not all of Unicode's category Cf: signs of a script
 * that are seen pass.) */
static const struct range {
    uint32_t first;
    uint32_t last;
} hidden[] = {
    {0x80, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e}, {0x200b, 0x200f},
    {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

static bool is_hidden(uint32_t character)
{
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        if (character >= hidden[i].first && character <= hidden[i].last) {
            return true;
        }
    }
    return false;
}

/* The character's short escape, or 0. */
static char short_escape(uint32_t character)
{
    switch (character) {
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\\':
        return '\\';
    default:
        return 0;
    }
}

/* Writes the next character of `text` as it may be shown. Answers how many bytes of `text` it
 * took. */
static size_t show_next(const uint8_t *text, size_t length, char *shown)
{
    uint32_t character = 0;
    size_t taken = tg_utf8_read(text, length, &character);
    if (taken == 0) {
        (void)snprintf(shown, ESCAPE_BYTES, "\\x%02x", text[0]);
        return 1;
    }
    if (short_escape(character) != 0) {
        (void)snprintf(shown, ESCAPE_BYTES, "\\%c", short_escape(character));
    } else if (character < 0x20 || character == 0x7f) {
        (void)snprintf(shown, ESCAPE_BYTES, "\\x%02x", (unsigned)character);
    } else if (is_hidden(character)) {
        (void)snprintf(shown, ESCAPE_BYTES, "\\u{%x}", (unsigned)character);
    } else {
        memcpy(shown, text, taken);
        shown[taken] = '\0';
    }
    return taken;
}

size_t tg_line_escape(char *line, size_t capacity, const char *text, size_t length)
{
    const uint8_t *bytes = (const uint8_t *)text;
    TG_REQUIRE(capacity > ELLIPSIS_LEN);
    size_t used = 0;
    size_t cut = 0; /* where the ellipsis would go */
    for (size_t at = 0; at < length;) {
        char shown[ESCAPE_BYTES];
        at += show_next(bytes + at, length - at, shown);
        size_t shown_len = strlen(shown);
        if (used + shown_len >= capacity) {
            memcpy(line + cut, ELLIPSIS, ELLIPSIS_LEN + 1);
            return cut + ELLIPSIS_LEN;
        }
        memcpy(line + used, shown, shown_len);
        used += shown_len;
        if (used + ELLIPSIS_LEN < capacity) {
            cut = used;
        }
    }
    line[used] = '\0';
    TG_ENSURE(used < capacity);
    return used;
}

size_t tg_line_format(char *line, size_t capacity, const char *format, va_list arguments)
{
    /* What vsnprintf cuts off here would be cut off below: no escape is shorter than what it stands
     * for. */
    char text[TG_LINE_FORMAT_MAX + 4];
    TG_REQUIRE(capacity <= TG_LINE_FORMAT_MAX);
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length < 0) {
        length =
            0; /* a character that this locale cannot write: an empty line says little, but is one */
    }
    size_t most = sizeof text - 1;
    return tg_line_escape(line, capacity, text, (size_t)length < most ? (size_t)length : most);
}
