/* SPDX-License-Identifier: MIT
 * Sentences of struct throng_error: filled, cut, gone on with. */
#include "base/failure.h"

#include <string.h>

#include "check.h"

static void the_code_is_answered_with_and_without_an_error_to_fill(void **state)
{
    struct throng_error error = {0, ""};
    (void)state;
    assert_int_equal(tg_failure(NULL, THRONG_EINVAL, "nobody hears %d", 1), THRONG_EINVAL);
    assert_int_equal(tg_failure(&error, THRONG_ENOMEM, "%s of %d", "one", 7), THRONG_ENOMEM);
    assert_int_equal(error.code, THRONG_ENOMEM);
    assert_string_equal(error.text, "one of 7");
}

static void what_does_not_fit_is_cut(void **state)
{
    struct throng_error error = {0, ""};
    char text[400];
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)tg_failure(&error, THRONG_EINVAL, "%s", text);
    assert_int_equal(strlen(error.text), 379);
    tg_failure_append(&error, "%s", "more");
    assert_int_equal(strlen(error.text), 379);
    assert_int_equal(error.text[378], 'x');
}

static void a_sentence_goes_on_where_it_ended(void **state)
{
    struct throng_error error = {0, ""};
    char text[400];
    (void)state;
    (void)tg_failure(&error, THRONG_EINVAL, "limit %u", 5u);
    tg_failure_append(&error, "; %s", "see there");
    assert_string_equal(error.text, "limit 5; see there");
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    tg_failure_append(&error, "%s", text);
    assert_int_equal(strlen(error.text), 379);
    assert_int_equal(error.code, THRONG_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_code_is_answered_with_and_without_an_error_to_fill),
        cmocka_unit_test(what_does_not_fit_is_cut),
        cmocka_unit_test(a_sentence_goes_on_where_it_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
