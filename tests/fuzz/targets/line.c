/* SPDX-License-Identifier: MIT
 * One harmless line of any bytes, held against its way back: what is read out of the line is what
 * was put into it, or its beginning; and the line has nothing in it that ends it, talks to a
 * terminal or turns letters around.
 *
 *   byte 0   the line's room, from 4 on
 *   1 ...    the text */
#include "base/line.h"

#include <string.h>

#include "fuzz.h"

#define TEXT_MAX 512u

/* Reads lower-case hexadecimal digits, at most `most`. Answers how many. */
static size_t read_hex(const char *text, size_t most, uint32_t *number)
{
    static const char digits[] = "0123456789abcdef";
    size_t count = 0;
    *number = 0;
    for (; count < most && text[count] != '\0' && strchr(digits, text[count]) != NULL; count++) {
        *number = *number << 4 | (uint32_t)(strchr(digits, text[count]) - digits);
    }
    return count;
}

/* UTF-8 of a character beyond ASCII. */
static size_t encode(uint32_t character, uint8_t *bytes)
{
    size_t len = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        bytes[i] = (uint8_t)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    bytes[0] = (uint8_t)((0xf00u >> len & 0xff) | character);
    return len;
}

/* One escape, from its backslash. Answers its length. */
static size_t read_escape(const char *line, uint8_t *bytes, size_t *count)
{
    uint32_t number;
    *count = 1;
    switch (line[1]) {
    case 'n':
        bytes[0] = '\n';
        return 2;
    case 'r':
        bytes[0] = '\r';
        return 2;
    case 't':
        bytes[0] = '\t';
        return 2;
    case '\\':
        bytes[0] = '\\';
        return 2;
    case 'x':
        FUZZ_CHECK(read_hex(line + 2, 2, &number) == 2);
        bytes[0] = (uint8_t)number;
        return 4;
    default:
        FUZZ_CHECK(line[1] == 'u' && line[2] == '{');
        size_t digits = read_hex(line + 3, 6, &number);
        FUZZ_CHECK(digits >= 2 && line[3 + digits] == '}');
        *count = encode(number, bytes);
        return 4 + digits;
    }
}

/* Whether line[0..length) stands for the first bytes of the text; *taken of them. */
static bool is_beginning(const char *line, size_t length, const uint8_t *text, size_t size,
                         size_t *taken)
{
    *taken = 0;
    for (size_t at = 0; at < length;) {
        uint8_t bytes[4] = {(uint8_t)line[at]};
        size_t count = 1;
        at += line[at] == '\\' ? read_escape(line + at, bytes, &count) : 1;
        if (count > size - *taken || memcmp(text + *taken, bytes, count) != 0) {
            return false;
        }
        *taken += count;
    }
    return true;
}

static void check_harmless(const char *line, size_t length)
{
    /* NOLINTNEXTLINE(misc-misleading-bidirectional): written as escapes */
    static const char *const never[] = {"\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x81\xa6",
                                        "\xe2\x81\xa9", "\xc2\x85",     "\xc2\x9b"};
    for (size_t i = 0; i < length; i++) {
        FUZZ_CHECK((uint8_t)line[i] >= 0x20 && line[i] != 0x7f);
    }
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        FUZZ_CHECK(strstr(line, never[i]) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char line[4 + 255] = "";
    if (size < 1 || size > TEXT_MAX) {
        return 0;
    }
    const uint8_t *text = data + 1;
    size_t room = 4 + (size_t)data[0];
    size_t length = tg_line_escape(line, room, (const char *)text, --size);
    size_t taken;
    FUZZ_CHECK(length < room && line[length] == '\0' && strlen(line) == length);
    check_harmless(line, length);
    if (is_beginning(line, length, text, size, &taken) && taken == size) {
        return 0;
    }
    FUZZ_CHECK(length >= 3 && strcmp(line + length - 3, "...") == 0);
    FUZZ_CHECK(is_beginning(line, length - 3, text, size, &taken) && taken < size);
    /* Cut only for want of room: the next character has "\u{10ffff}" at most. */
    FUZZ_CHECK(length + 10 >= room);
    return 0;
}
