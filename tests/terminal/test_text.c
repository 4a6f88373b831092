/* SPDX-License-Identifier: MIT
 * Text for a terminal: UTF-8, columns, rows, and what must never reach a terminal. */
#include <string.h>

#include "check.h"
#include "guard.h"

#include "../../tools/terminal/text.h"

#define ESCAPED(text) escaped((text), sizeof(text) - 1)

static const char *escaped(const char *text, size_t size)
{
    static char out[256];
    (void)text_escape(out, sizeof(out), text, size);
    return out;
}

/* Behind a letter, with which some of them would combine. */
static const char *escaped_code(uint32_t code)
{
    char bytes[5] = "a";
    return escaped(bytes, 1 + text_encode(code, bytes + 1)) + 1;
}

static uint32_t code_of(const char *text, size_t size, size_t length)
{
    uint32_t code;
    assert_int_equal(text_next(text, size, &code), length);
    return code;
}

static void characters_of_each_length_are_read(void **state)
{
    (void)state;
    assert_int_equal(code_of("a", 1, 1), 'a');
    assert_int_equal(code_of("\x7f", 1, 1), 0x7f);
    assert_int_equal(code_of("\xc2\x80", 2, 2), 0x80);
    assert_int_equal(code_of("\xdf\xbf", 2, 2), 0x7ff);
    assert_int_equal(code_of("\xe0\xa0\x80", 3, 3), 0x800);
    assert_int_equal(code_of("\xef\xbf\xbf", 3, 3), 0xffff);
    assert_int_equal(code_of("\xf0\x90\x80\x80", 4, 4), 0x10000);
    assert_int_equal(code_of("\xf4\x8f\xbf\xbf", 4, 4), 0x10ffff);
}

static void what_is_no_utf8_is_one_bad_byte(void **state)
{
    static const char *const bad[] = {
        "\x80",         "\xbf",         "\xc0\xaf",         "\xc1\xbf",         "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff",         "\xc3",         "\xe2\x82",         "\xf0\x9f\x91",     "\xc3(",
        "\xe2(\xa1"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(code_of(bad[i], strlen(bad[i]), 1), TEXT_NOT_UTF8);
    }
}

static void every_character_survives_writing_and_reading(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x110000; code++) {
        char bytes[4];
        uint32_t read;
        size_t length = text_encode(code, bytes);
        if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
            assert_int_equal(length, 0);
            continue;
        }
        assert_int_equal(text_next(bytes, length, &read), length);
        assert_int_equal(read, code);
    }
}

static void a_reader_stops_at_the_end_of_the_bytes(void **state)
{
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x91\x8b";
    struct test_guard guard;
    char out[64];
    (void)state;
    test_guard_open(&guard, 64);
    for (size_t size = 1; size < sizeof(text); size++) {
        const char *copy = (const char *)test_guard_copy(&guard, text, size);
        (void)text_columns(copy, size);
        (void)text_escape(out, sizeof(out), copy, size);
        (void)text_fit(copy, size, 3);
    }
    test_guard_close(&guard);
}

static void columns_are_those_of_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(text_columns("abc", 3), 3);
    assert_int_equal(text_columns("e\xcc\x81", 3), 1);    /* e and an accent */
    assert_int_equal(text_columns("日本", 6), 4);         /* wide */
    assert_int_equal(text_columns("👋", 4), 2);            /* emoji */
    assert_int_equal(text_columns("ｱ", 3), 1);            /* half-width katakana */
    assert_int_equal(text_columns("Ａ", 3), 2);           /* full-width A */
    assert_int_equal(text_columns("\xed\x9e\xa3", 3), 2); /* the last Hangul syllable */
    assert_int_equal(text_columns("ש\xd6\xb8", 4), 1);    /* a Hebrew letter with a point */
}

static void what_fits_is_whole_characters_with_their_marks(void **state)
{
    (void)state;
    assert_int_equal(text_fit("日本", 6, 3), 3);
    assert_int_equal(text_fit("日本", 6, 4), 6);
    assert_int_equal(text_fit("e\xcc\x81x", 4, 1), 3);
    assert_int_equal(text_fit("abc", 3, 0), 0);
    assert_int_equal(text_fit("abc", 3, 9), 3);
}

static void rows_break_at_blanks_or_where_they_must(void **state)
{
    size_t skip;
    (void)state;
    assert_int_equal(text_wrap("to be or", 8, 6, &skip), 5);
    assert_int_equal(skip, 1);
    assert_int_equal(text_wrap("to be or", 8, 5, &skip), 5);
    assert_int_equal(skip, 1);
    assert_int_equal(text_wrap("abcdef", 6, 4, &skip), 4);
    assert_int_equal(skip, 0);
    assert_int_equal(text_wrap("日本", 6, 1, &skip),
                     3); /* never nothing: the caller would not end */
    assert_int_equal(text_wrap("short", 5, 5, &skip), 5);
    assert_int_equal(skip, 0);
}

static void control_bytes_are_shown_not_sent(void **state)
{
    (void)state;
    assert_string_equal(ESCAPED("plain äö 日本 👋"), "plain äö 日本 👋");
    assert_string_equal(ESCAPED("\x1b[2Jx"), "\\x1b[2Jx");
    assert_string_equal(ESCAPED("a\nb\tc\rd"), "a\\nb\\tc\\rd");
    assert_string_equal(ESCAPED("\0\x07\x7f"), "\\x00\\x07\\x7f");
    assert_string_equal(ESCAPED("\xc2\x9b"
                                "31m"),
                        "\\u{9b}31m"); /* CSI as C1 */
    assert_string_equal(ESCAPED("\x9b"
                                "31m"),
                        "\\x9b31m"); /* and as a bare byte */
    assert_string_equal(escaped_code(0x202e), "\\u{202e}");
    assert_string_equal(escaped_code(0x2066), "\\u{2066}");
    assert_string_equal(ESCAPED("\xe2\x80\xa8"), "\\u{2028}");
    assert_string_equal(ESCAPED("a\xe2\x80\x8b"
                                "b"),
                        "a\\u{200b}b");
    assert_string_equal(ESCAPED("\xf3\xa0\x81\x81"), "\\u{e0041}");
    assert_string_equal(ESCAPED("\xef\xbf\xbe"), "\\u{fffe}");
}

static void no_control_character_of_unicode_passes(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110000; code++) {
        bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
        bool bidi = code == 0x61c || (code >= 0x200e && code <= 0x200f) ||
                    (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
        if (control || bidi) {
            const char *shown = escaped_code(code);
            assert_int_equal(shown[0], '\\');
            assert_true(strlen(shown) >= 2);
        }
    }
}

static void marks_do_not_pile_up(void **state)
{
    (void)state;
    /* Four accents on an e are let through, the fifth is shown; and one without a letter. */
    assert_string_equal(ESCAPED("e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"),
                        "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\\u{301}");
    assert_string_equal(ESCAPED("\xcc\x81"), "\\u{301}");
}

static void a_text_too_long_is_cut_at_a_character(void **state)
{
    char out[6];
    (void)state;
    assert_int_equal(text_escape(out, sizeof(out), "日本語", 9), 3);
    assert_string_equal(out, "日");
    assert_int_equal(text_escape(out, sizeof(out), "ab\x1b", 3), 2);
    assert_string_equal(out, "ab");
    assert_int_equal(text_escape(out, 1, "a", 1), 0);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_of_each_length_are_read),
        cmocka_unit_test(what_is_no_utf8_is_one_bad_byte),
        cmocka_unit_test(every_character_survives_writing_and_reading),
        cmocka_unit_test(a_reader_stops_at_the_end_of_the_bytes),
        cmocka_unit_test(columns_are_those_of_a_terminal),
        cmocka_unit_test(what_fits_is_whole_characters_with_their_marks),
        cmocka_unit_test(rows_break_at_blanks_or_where_they_must),
        cmocka_unit_test(control_bytes_are_shown_not_sent),
        cmocka_unit_test(no_control_character_of_unicode_passes),
        cmocka_unit_test(marks_do_not_pile_up),
        cmocka_unit_test(a_text_too_long_is_cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
