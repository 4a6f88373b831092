/* SPDX-License-Identifier: MIT
 * One harmless line of any bytes: what is escaped and how, where it is cut. Every input ends at a
 * guard page, and so does the room for the line. */
/* NOLINTBEGIN(misc-misleading-bidirectional): written as escapes, they are what is tested. */
#include "base/line.h"

#include <string.h>

#include "check.h"
#include "guard.h"

static struct test_guard source;
static struct test_guard target;

static int open_guards(void **state)
{
    (void)state;
    test_guard_open(&source, 70000);
    test_guard_open(&target, 70000);
    return 0;
}

static int close_guards(void **state)
{
    (void)state;
    test_guard_close(&source);
    test_guard_close(&target);
    return 0;
}

static const char *escape(size_t capacity, const char *text, size_t length)
{
    char *line = (char *)test_guard_tail(&target, capacity);
    const char *copy = (const char *)test_guard_copy(&source, text, length);
    size_t answer = tg_line_escape(line, capacity, copy, length);
    assert_true(answer < capacity);
    assert_int_equal(strlen(line), answer);
    return line;
}

struct row {
    const char *text;
    size_t length;
    const char *line;
};
#define ROW(text, line)                                                                            \
    {                                                                                              \
        text, sizeof(text) - 1, line                                                               \
    }

static void expect_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(escape(100, rows[i].text, rows[i].length), rows[i].line);
    }
}

static void plain_text_stays_as_it_is(void **state)
{
    static const struct row rows[] = {
        ROW("", ""),
        ROW("listening on tcp://[::1]:7000 (io_uring, 4 I/O threads)",
            "listening on tcp://[::1]:7000 (io_uring, 4 I/O threads)"),
        ROW("100 %s %n \"quoted\" ~", "100 %s %n \"quoted\" ~"),
        ROW("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"), /* two bytes a letter */
        ROW("\xe6\xbc\xa2\xed\x9f\xbf\xee\x80\x80", "\xe6\xbc\xa2\xed\x9f\xbf\xee\x80\x80"),
        ROW("\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf", "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf"),
        ROW("\xc2\xa0", "\xc2\xa0"), /* the first character after C1 */
    };
    (void)state;
    expect_rows(rows, sizeof rows / sizeof rows[0]);
}

static void nothing_ends_the_line_or_talks_to_a_terminal(void **state)
{
    static const struct row rows[] = {
        ROW("a\nerror: forged", "a\\nerror: forged"),
        ROW("a\r\nb\tc", "a\\r\\nb\\tc"),
        ROW("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ROW("a\0b", "a\\x00b"),
        ROW("\x08\x7f\x1f ", "\\x08\\x7f\\x1f "),
        ROW("\xc2\x85\xc2\x9b\x31m\xc2\x80\xc2\x9f", "\\u{85}\\u{9b}1m\\u{80}\\u{9f}"),
        ROW("\xe2\x80\xa8\xe2\x80\xa9", "\\u{2028}\\u{2029}"),
        ROW("C:\\n", "C:\\\\n"), /* or it could not be told from a line end */
    };
    (void)state;
    expect_rows(rows, sizeof rows / sizeof rows[0]);
}

static void nothing_turns_the_direction_or_hides(void **state)
{
    static const struct row rows[] = {
        ROW("\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80\xae",
            "\\u{202a}\\u{202b}\\u{202c}\\u{202d}\\u{202e}"),
        ROW("\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9",
            "\\u{2066}\\u{2067}\\u{2068}\\u{2069}"),
        ROW("\xe2\x80\x8b\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c\xef\xbb\xbf\xc2\xad",
            "\\u{200b}\\u{200e}\\u{200f}\\u{61c}\\u{feff}\\u{ad}"),
        ROW("\xf3\xa0\x80\x81\xf3\xa0\x81\xbf", "\\u{e0001}\\u{e007f}"),
        ROW("\xe2\x80\xaf\xe2\x80\x8a", "\xe2\x80\xaf\xe2\x80\x8a"), /* spaces, on either side */
    };
    (void)state;
    expect_rows(rows, sizeof rows / sizeof rows[0]);
}

static void bytes_that_are_not_utf8_are_shown_as_numbers(void **state)
{
    static const struct row rows[] = {
        ROW("\x80\xbf", "\\x80\\xbf"), /* nothing to continue */
        ROW("\xc3", "\\xc3"),          /* cut off */
        ROW("\xe2\x80", "\\xe2\\x80"),
        ROW("\xf0\x9f\x98", "\\xf0\\x9f\\x98"),
        ROW("\xc3(", "\\xc3("), /* not continued */
        ROW("\xe2\x80\n", "\\xe2\\x80\\n"),
        ROW("\xc0\x8a\xc1\xbf", "\\xc0\\x8a\\xc1\\xbf"), /* '\n' in two bytes */
        ROW("\xe0\x80\x8a\xe0\x9f\xbf", "\\xe0\\x80\\x8a\\xe0\\x9f\\xbf"),
        ROW("\xf0\x80\x80\x8a", "\\xf0\\x80\\x80\\x8a"),
        ROW("\xed\xa0\x80\xed\xbf\xbf", "\\xed\\xa0\\x80\\xed\\xbf\\xbf"), /* surrogates */
        ROW("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"),                   /* beyond U+10FFFF */
        ROW("\xf5\xfe\xff", "\\xf5\\xfe\\xff"),
    };
    (void)state;
    expect_rows(rows, sizeof rows / sizeof rows[0]);
}

static void a_line_that_does_not_fit_is_cut_between_characters(void **state)
{
    (void)state;
    assert_string_equal(escape(8, "1234567", 7), "1234567");
    assert_string_equal(escape(8, "12345678", 8), "1234...");
    assert_string_equal(escape(8, "123\n", 4), "123\\n");
    assert_string_equal(escape(8, "123\n\n\n", 6), "123..."); /* an escape is not cut */
    assert_string_equal(escape(8, "12\n\n\n", 5), "12\\n...");
    assert_string_equal(escape(8, "123\xc3\xbc\xc3\xbc\xc3\xbc", 9), "123..."); /* nor a letter */
    assert_string_equal(escape(8, "\xe2\x80\xae", 3), "..."); /* "\u{202e}" has 8 */
    assert_string_equal(escape(9, "\xe2\x80\xae", 3), "\\u{202e}");
    assert_string_equal(escape(4, "abcd", 4), "...");
    assert_string_equal(escape(4, "abc", 3), "abc");
}

static void sixty_four_kibibytes_are_as_harmless_as_one(void **state)
{
    static char text[65536];
    (void)state;
    memset(text, '\n', sizeof text);
    const char *line = escape(252, text, sizeof text);
    assert_int_equal(strlen(line), 251);
    assert_memory_equal(line, "\\n\\n", 4);
    assert_string_equal(line + 248, "...");
    memset(text, 'x', sizeof text);
    assert_int_equal(strlen(escape(65536, text, sizeof text)), 65535);
}

TG_FORMAT(2, 3)
static const char *format(size_t capacity, const char *text, ...)
{
    char *line = (char *)test_guard_tail(&target, capacity);
    va_list arguments;
    va_start(arguments, text);
    size_t answer = tg_line_format(line, capacity, text, arguments);
    va_end(arguments);
    assert_int_equal(strlen(line), answer);
    return line;
}

static void what_was_formatted_is_escaped_and_percents_in_it_are_only_signs(void **state)
{
    static char text[4096];
    (void)state;
    assert_string_equal(format(100, "%s said \"%s\", %d times", "127.0.0.1", "%s%n\r\n", 3),
                        "127.0.0.1 said \"%s%n\\r\\n\", 3 times");
    assert_string_equal(format(100, "%c.", 0), "\\x00.");
    memset(text, 'x', sizeof text - 1);
    assert_int_equal(strlen(format(512, "%s", text)), 511); /* longer than its own room */
    assert_string_equal(format(512, "%s", text) + 507, "x...");
    /* A letter that its room cuts does not come out as half a letter. */
    for (size_t i = 0; i + 2 < sizeof text; i += 2) {
        text[i] = (char)0xc3;
        text[i + 1] = (char)0xbc;
    }
    assert_null(strstr(format(512, "%s", text), "\\x"));
    assert_null(strstr(format(512, "-%s", text), "\\x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays_as_it_is),
        cmocka_unit_test(nothing_ends_the_line_or_talks_to_a_terminal),
        cmocka_unit_test(nothing_turns_the_direction_or_hides),
        cmocka_unit_test(bytes_that_are_not_utf8_are_shown_as_numbers),
        cmocka_unit_test(a_line_that_does_not_fit_is_cut_between_characters),
        cmocka_unit_test(sixty_four_kibibytes_are_as_harmless_as_one),
        cmocka_unit_test(what_was_formatted_is_escaped_and_percents_in_it_are_only_signs),
    };
    return cmocka_run_group_tests_name("line", tests, open_guards, close_guards);
}
/* NOLINTEND(misc-misleading-bidirectional) */
