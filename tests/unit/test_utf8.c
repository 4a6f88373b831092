/* SPDX-License-Identifier: MIT
 * UTF-8: what RFC 3629 has, and nothing else. Every input ends at a guard page. */
#include "base/utf8.h"

#include <string.h>

#include "check.h"
#include "guard.h"

static struct test_guard guard;

static bool is_valid(const char *text)
{
    const size_t size = strlen(text);
    return tg_utf8_is_valid(test_guard_copy(&guard, text, size), size);
}

static void characters_of_each_length_are_valid(void **state)
{
    (void)state;
    assert_true(tg_utf8_is_valid(NULL, 0));
    assert_true(is_valid("plain"));
    assert_true(is_valid("\xc2\x80\xdf\xbf"));
    assert_true(is_valid("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"));
    assert_true(is_valid("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
    assert_true(tg_utf8_is_valid("a\0b", 3));
}

static void what_only_looks_like_it_is_refused(void **state)
{
    static const char *const wrong[] = {
        "\x80",
        "\xbf",
        "\xc0\xaf",
        "\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xc2",
        "a\xe2\x82",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xc2\x41",
        "\xf0\x9f\x98",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(is_valid(wrong[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_of_each_length_are_valid),
        cmocka_unit_test(what_only_looks_like_it_is_refused),
    };
    test_guard_open(&guard, 64);
    int failed = cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
    test_guard_close(&guard);
    return failed;
}
