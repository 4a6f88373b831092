/* SPDX-License-Identifier: MIT
 * Texts and names of the chat: what may be, what is the same. Every input ends at a guard page. */
/* NOLINTBEGIN(misc-misleading-bidirectional): written as escapes, they are what is tested. */
#include "../../server/examples/chat/names.h"
#include "../../server/examples/chat/utf8.h"

#include <string.h>

#include "check.h"
#include "guard.h"

static struct test_guard source;

static int open_guard(void **state)
{
    (void)state;
    test_guard_open(&source, 70000);
    return 0;
}

static int close_guard(void **state)
{
    (void)state;
    test_guard_close(&source);
    return 0;
}

static const char *guarded(const char *text, size_t size)
{
    return (const char *)test_guard_copy(&source, text, size);
}

struct row {
    const char *text;
    enum chat_code code;
};

static void check_rows(const struct row *rows, size_t count,
                       enum chat_code (*check)(const char *text, size_t size))
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(rows[i].text);
        enum chat_code code = check(guarded(rows[i].text, size), size);
        if (code != rows[i].code) {
            fail_msg("row %zu: code %d instead of %d", i, (int)code, (int)rows[i].code);
        }
    }
}

#define CHECK_ROWS(rows, check) check_rows(rows, sizeof(rows) / sizeof((rows)[0]), check)

/* ---- texts ---- */

static enum chat_code check_text(const char *text, size_t size)
{
    return utf8_check_text(text, size, 1024);
}

static void a_text_is_utf8_without_controls(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", CHAT_CODE_NONE},
        {"hello, world ~", CHAT_CODE_NONE},
        {"gr\xc3\xbc\xc3\x9f dich \xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80", CHAT_CODE_NONE},
        {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", CHAT_CODE_NONE}, /* joined emoji */
        {"\xf4\x8f\xbf\xbd", CHAT_CODE_NONE},                             /* U+10FFFD */
        {"\xc0\x80", CHAT_CODE_BAD_UTF8},                                 /* overlong */
        {"\xc1\xbf", CHAT_CODE_BAD_UTF8},
        {"\xe0\x9f\xbf", CHAT_CODE_BAD_UTF8},
        {"\xf0\x8f\xbf\xbf", CHAT_CODE_BAD_UTF8},
        {"\xed\xa0\x80", CHAT_CODE_BAD_UTF8}, /* surrogates */
        {"\xed\xbf\xbf", CHAT_CODE_BAD_UTF8},
        {"\xf4\x90\x80\x80", CHAT_CODE_BAD_UTF8}, /* over U+10FFFF */
        {"\xf5\x80\x80\x80", CHAT_CODE_BAD_UTF8},
        {"\x80", CHAT_CODE_BAD_UTF8},
        {"a\xff", CHAT_CODE_BAD_UTF8},
        {"\xe4\xbd", CHAT_CODE_BAD_UTF8}, /* cut off */
        {"\xf0\x9f\x98", CHAT_CODE_BAD_UTF8},
        {"\xc3(", CHAT_CODE_BAD_UTF8},
        {"a\nb", CHAT_CODE_BAD_CHARACTER},
        {"a\tb", CHAT_CODE_BAD_CHARACTER},
        {"\x1b[2J", CHAT_CODE_BAD_CHARACTER},
        {"\x7f", CHAT_CODE_BAD_CHARACTER},
        {"\xc2\x80", CHAT_CODE_BAD_CHARACTER}, /* C1 */
        {"\xc2\x9f", CHAT_CODE_BAD_CHARACTER},
        {"\xc2\xa0", CHAT_CODE_NONE},
        {"\xe2\x80\xa8", CHAT_CODE_BAD_CHARACTER}, /* line separator */
        {"\xe2\x80\xae", CHAT_CODE_BAD_CHARACTER}, /* right-to-left override */
        {"\xe2\x81\xa6", CHAT_CODE_BAD_CHARACTER}, /* isolate */
        {"\xef\xbb\xbf", CHAT_CODE_BAD_CHARACTER}, /* byte order mark */
        {"\xef\xbf\xbe", CHAT_CODE_BAD_CHARACTER}, /* no character */
    };
    CHECK_ROWS(rows, check_text);
    assert_int_equal(check_text(guarded("a\0b", 3), 3), CHAT_CODE_BAD_CHARACTER);
}

static void a_text_may_be_as_long_as_its_limit(void **state)
{
    (void)state;
    char text[12];
    memset(text, 'x', sizeof(text));
    assert_int_equal(utf8_check_text(guarded(text, 9), 9, 10), CHAT_CODE_NONE);
    assert_int_equal(utf8_check_text(guarded(text, 10), 10, 10), CHAT_CODE_NONE);
    assert_int_equal(utf8_check_text(guarded(text, 11), 11, 10), CHAT_CODE_TOO_LONG);
}

static void every_character_is_read_as_it_was_written(void **state)
{
    (void)state;
    uint32_t read = 0;
    for (uint32_t character = 0; character <= 0x10ffff; character++) {
        char text[4];
        size_t size = utf8_write(character, text);
        bool is_surrogate = character >= 0xd800 && character <= 0xdfff;
        uint32_t back = 0;
        size_t taken = utf8_read(text, size, &back);
        assert_int_equal(taken, is_surrogate ? 0 : size);
        assert_true(is_surrogate || back == character);
        assert_int_equal(utf8_read(text, size - 1, &back), 0);
        read += taken > 0;
    }
    assert_int_equal(read, 0x110000 - 0x800);
}

/* ---- names ---- */

static enum chat_code check_name(const char *text, size_t size)
{
    struct chat_name name;
    enum chat_code code = chat_name_take(&name, text, size, CHAT_NAME_CHARS_MAX);
    return code == CHAT_CODE_NONE && chat_name_is_reserved(&name) ? CHAT_CODE_RESERVED : code;
}

static void a_name_is_letters_digits_and_three_signs(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"ana", CHAT_CODE_NONE},
        {"a", CHAT_CODE_NONE},
        {"7", CHAT_CODE_NONE},
        {"J.R-R_Tolkien", CHAT_CODE_NONE},
        {"J\xc3\xbcrgen", CHAT_CODE_NONE},
        {"\xd0\x90\xd0\xbd\xd0\xbd\xd0\xb0", CHAT_CODE_NONE},     /* Anna, Cyrillic */
        {"\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8", CHAT_CODE_NONE}, /* Devanagari with a sign */
        {"\xe5\xb1\xb1\xe7\x94\xb0", CHAT_CODE_NONE},             /* Han */
        {"\xd8\xb9\xd9\x84\xd9\x8a", CHAT_CODE_NONE},             /* Arabic */
        {"", CHAT_CODE_EMPTY},
        {"a b", CHAT_CODE_BAD_CHARACTER},
        {" a", CHAT_CODE_BAD_CHARACTER},
        {"a\xc2\xa0", CHAT_CODE_BAD_CHARACTER}, /* no-break space */
        {"<ana>", CHAT_CODE_BAD_CHARACTER},
        {"***", CHAT_CODE_BAD_CHARACTER},
        {"#room", CHAT_CODE_BAD_CHARACTER},
        {"a\nb", CHAT_CODE_BAD_CHARACTER},
        {"a\x1b[1m", CHAT_CODE_BAD_CHARACTER},
        {"an\xe2\x80\x8b", CHAT_CODE_BAD_CHARACTER},  /* zero width space */
        {"an\xe2\x80\x8d", CHAT_CODE_BAD_CHARACTER},  /* zero width joiner */
        {"\xe2\x80\xaenab", CHAT_CODE_BAD_CHARACTER}, /* right-to-left override */
        {"an\xe2\x80\x8e", CHAT_CODE_BAD_CHARACTER},  /* left-to-right mark */
        {"\xe3\x85\xa4", CHAT_CODE_BAD_CHARACTER},    /* Hangul filler: a letter that nobody sees */
        {"a\xcc\x88", CHAT_CODE_BAD_CHARACTER},       /* free-standing accent */
        {"\xef\xbd\x81", CHAT_CODE_BAD_CHARACTER},    /* fullwidth a */
        {"\xf0\x9d\x92\xb6", CHAT_CODE_BAD_CHARACTER},         /* mathematical a */
        {"\xf0\x9f\x98\x80", CHAT_CODE_BAD_CHARACTER},         /* emoji */
        {"\xe0\xa4\xbf\xe0\xa4\xb9", CHAT_CODE_BAD_CHARACTER}, /* a sign before any letter */
        {"p\xd0\xb0ul", CHAT_CODE_BAD_CHARACTER}, /* a Cyrillic a between Latin letters */
        {"\xc3", CHAT_CODE_BAD_UTF8},
        {"\xed\xa0\x80", CHAT_CODE_BAD_UTF8},
        {"...", CHAT_CODE_RESERVED},
        {"-", CHAT_CODE_RESERVED},
        {"server", CHAT_CODE_RESERVED},
        {"SERVER", CHAT_CODE_RESERVED},
        {"Adm1n", CHAT_CODE_RESERVED},
        {"r00t", CHAT_CODE_RESERVED},
        {"everyone", CHAT_CODE_RESERVED},
        {"serverus", CHAT_CODE_NONE},
        {"123456789012345678901234", CHAT_CODE_NONE},
        {"1234567890123456789012345", CHAT_CODE_TOO_LONG},
        {"\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5"
         "\xb1\xb1"
         "\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5"
         "\xb1\xb1"
         "\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5"
         "\xb1\xb1",
         CHAT_CODE_NONE},
    };
    CHECK_ROWS(rows, check_name);
}

static void expect_same(const char *left, const char *right, bool is_same)
{
    struct chat_name names[2];
    assert_int_equal(chat_name_take(&names[0], left, strlen(left), 32), CHAT_CODE_NONE);
    assert_int_equal(chat_name_take(&names[1], right, strlen(right), 32), CHAT_CODE_NONE);
    if (chat_name_same(&names[0], &names[1]) != is_same) {
        fail_msg("\"%s\" and \"%s\" should %sbe the same", left, right, is_same ? "" : "not ");
    }
}

static void names_that_look_alike_are_the_same(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"ana", "ANA"},
        {"Ian", "lan"},
        {"b0b", "Bob"},
        {"user1", "userl"},
        {"\xc3\x84rger", "\xc3\xa4rger"},             /* A and a with two dots */
        {"\xd0\xa1\xd0\x90\xd0\xa0\xd0\x90", "CAPA"}, /* all Cyrillic, all Latin */
        {"\xd0\xb0\xd0\xbd\xd0\xbd\xd0\xb0", "\xd0\x90\xd0\x9d\xd0\x9d\xd0\x90"},
        {"\xce\xa9\xce\xa3", "\xcf\x89\xcf\x82"}, /* capital and final sigma */
        {"\xd5\x95\xd5\x95", "oo"},               /* Armenian */
    };
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        expect_same(same[i][0], same[i][1], true);
    }
    expect_same("ana", "anna", false);
    expect_same("a.b", "ab", false);
    expect_same("a-b", "a_b", false);
    expect_same("\xc3\xa4rger", "arger", false);
    expect_same("\xe5\xb1\xb1", "\xe5\xb1\xb2", false);
}

static void any_bytes_as_a_name_are_judged_within_their_memory(void **state)
{
    (void)state;
    uint64_t random = test_seed() | 1;
    for (int i = 0; i < 20000; i++) {
        char bytes[40];
        for (size_t at = 0; at < sizeof(bytes); at++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            bytes[at] = (char)(random >> 33 & (random >> 60 == 0 ? 0xff : 0x7f));
        }
        size_t size = (size_t)(random >> 40) % sizeof(bytes);
        struct chat_name name;
        if (chat_name_take(&name, guarded(bytes, size), size, 32) == CHAT_CODE_NONE) {
            assert_int_equal(name.size, size);
            assert_int_equal(utf8_check_text(name.key, name.key_size, sizeof(name.key)), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_utf8_without_controls),
        cmocka_unit_test(a_text_may_be_as_long_as_its_limit),
        cmocka_unit_test(every_character_is_read_as_it_was_written),
        cmocka_unit_test(a_name_is_letters_digits_and_three_signs),
        cmocka_unit_test(names_that_look_alike_are_the_same),
        cmocka_unit_test(any_bytes_as_a_name_are_judged_within_their_memory),
    };
    return cmocka_run_group_tests(tests, open_guard, close_guard);
}
/* NOLINTEND(misc-misleading-bidirectional) */
