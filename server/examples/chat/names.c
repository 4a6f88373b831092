/* SPDX-License-Identifier: MIT
 * Checks of names, and the key that makes names that look alike one. See names.h.
 *
 * The key is the name in small letters, with one letter for all that look like it. It is coarse on
 * purpose: "Ian" and "lan" are the same, for nobody can tell them apart in a chat; the second one
 * takes another name. Scripts that have such letters cannot be mixed in one name. */
#include "names.h"

#include <string.h>

#include "letters.h"
#include "utf8.h"

/* Marks behind one letter. */
#define MARKS_MAX 2

/* Names that would be taken for the server's voice, as keys (l, 1 and i are one; 0 and o). */
static const char *const reserved[] = {"server", "system",    "operator", "adm1n",
                                       "root",   "everybody", "everyone", "a11",
                                       "here",   "nobody",    "throng"};

struct lookalike {
    uint32_t character;
    char latin;
};

/* Small letters of other scripts, and of Latin, that are drawn as a Latin one, or whose capital
 * is. */
static const struct lookalike lookalikes[] = {
    {'0', 'o'},   {'i', '1'},   {'l', '1'},   {0x131, '1'}, {0x3b1, 'a'}, {0x3b2, 'b'},
    {0x3b5, 'e'}, {0x3b6, 'z'}, {0x3b7, 'h'}, {0x3b9, '1'}, {0x3ba, 'k'}, {0x3bc, 'm'},
    {0x3bd, 'n'}, {0x3bf, 'o'}, {0x3c1, 'p'}, {0x3c4, 't'}, {0x3c5, 'y'}, {0x3c7, 'x'},
    {0x3f2, 'c'}, {0x3f3, 'j'}, {0x430, 'a'}, {0x432, 'b'}, {0x433, 'r'}, {0x435, 'e'},
    {0x43a, 'k'}, {0x43c, 'm'}, {0x43d, 'h'}, {0x43e, 'o'}, {0x43f, 'n'}, {0x440, 'p'},
    {0x441, 'c'}, {0x442, 't'}, {0x443, 'y'}, {0x445, 'x'}, {0x44c, 'b'}, {0x455, 's'},
    {0x456, '1'}, {0x458, 'j'}, {0x475, 'v'}, {0x4af, 'y'}, {0x4bb, 'h'}, {0x4cf, '1'},
    {0x501, 'd'}, {0x51b, 'q'}, {0x51d, 'w'}, {0x570, 'h'}, {0x578, 'n'}, {0x57d, 'u'},
    {0x581, 'g'}, {0x585, 'o'}, {0x251, 'a'}, {0x261, 'g'}, {0x26a, '1'}, {0x1c0, '1'},
};

/* Final sigma is the small letter of the same capital. */
#define SIGMA_FINAL 0x3c2u
#define SIGMA 0x3c3u

static uint32_t fold(uint32_t character)
{
    uint32_t small = character >= 'A' && character <= 'Z' ? character + ('a' - 'A')
                                                          : letters_lower(character);
    if (small == SIGMA_FINAL) {
        return SIGMA;
    }
    for (size_t i = 0; i < sizeof(lookalikes) / sizeof(lookalikes[0]); i++) {
        if (lookalikes[i].character == small) {
            return (unsigned char)lookalikes[i].latin;
        }
    }
    return small;
}

/* Scripts whose letters are drawn alike. */
enum script {
    SCRIPT_NONE = 0,
    SCRIPT_LATIN = 1,
    SCRIPT_GREEK = 2,
    SCRIPT_CYRILLIC = 4,
    SCRIPT_ARMENIAN = 8,
    SCRIPT_CHEROKEE = 16,
};

static const struct {
    uint32_t first;
    uint32_t last;
    enum script script;
} scripts[] = {
    {'A', 'Z', SCRIPT_LATIN},          {'a', 'z', SCRIPT_LATIN},
    {0xaa, 0x2af, SCRIPT_LATIN},       {0x370, 0x3ff, SCRIPT_GREEK},
    {0x400, 0x52f, SCRIPT_CYRILLIC},   {0x530, 0x58f, SCRIPT_ARMENIAN},
    {0x13a0, 0x13ff, SCRIPT_CHEROKEE}, {0x1c80, 0x1c8f, SCRIPT_CYRILLIC},
    {0x1d00, 0x1dbf, SCRIPT_LATIN},    {0x1e00, 0x1eff, SCRIPT_LATIN},
    {0x1f00, 0x1fff, SCRIPT_GREEK},    {0x2c60, 0x2c7f, SCRIPT_LATIN},
    {0xa640, 0xa69f, SCRIPT_CYRILLIC}, {0xa720, 0xa7ff, SCRIPT_LATIN},
    {0xab30, 0xab6f, SCRIPT_LATIN},    {0xab70, 0xabbf, SCRIPT_CHEROKEE},
};

static unsigned script_of(uint32_t character)
{
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        if (character >= scripts[i].first && character <= scripts[i].last) {
            return scripts[i].script;
        }
    }
    return SCRIPT_NONE;
}

static bool is_sign(uint32_t character)
{
    return character == '.' || character == '_' || character == '-';
}

static bool is_letter(uint32_t character)
{
    return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
           (character >= 'a' && character <= 'z') || letters_has(character);
}

/* What has been seen of a name so far. */
struct look {
    unsigned scripts;
    unsigned marks; /* since the last letter; MARKS_MAX: none may follow */
    bool has_letter;
};

static bool may_follow(struct look *look, uint32_t character)
{
    if (is_letter(character)) {
        look->has_letter = true;
        look->marks = 0;
        look->scripts |= script_of(character);
        return (look->scripts & (look->scripts - 1)) == 0; /* one bit, or none */
    }
    if (letters_has_mark(character)) {
        return look->marks++ < MARKS_MAX;
    }
    look->marks = MARKS_MAX;
    return is_sign(character);
}

enum chat_code chat_name_take(struct chat_name *name, const char *text, size_t size,
                              size_t chars_max)
{
    struct look look = {.marks = MARKS_MAX};
    size_t chars = 0;
    size_t key_size = 0;
    for (size_t at = 0; at < size; chars++) {
        uint32_t character = 0;
        size_t count = utf8_read(text + at, size - at, &character);
        if (count == 0) {
            return CHAT_CODE_BAD_UTF8;
        }
        if (chars == chars_max) {
            return CHAT_CODE_TOO_LONG;
        }
        if (!may_follow(&look, character)) {
            return CHAT_CODE_BAD_CHARACTER;
        }
        key_size += utf8_write(fold(character), name->key + key_size);
        at += count;
    }
    if (size == 0) {
        return CHAT_CODE_EMPTY;
    }
    memcpy(name->text, text, size);
    name->text[size] = '\0';
    name->size = (uint8_t)size;
    name->key_size = (uint8_t)key_size;
    return look.has_letter ? CHAT_CODE_NONE : CHAT_CODE_RESERVED;
}

bool chat_name_same(const struct chat_name *left, const struct chat_name *right)
{
    return left->key_size == right->key_size && memcmp(left->key, right->key, left->key_size) == 0;
}

bool chat_name_is_reserved(const struct chat_name *name)
{
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (strlen(reserved[i]) == name->key_size &&
            memcmp(reserved[i], name->key, name->key_size) == 0) {
            return true;
        }
    }
    return false;
}
