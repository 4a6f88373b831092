/* SPDX-License-Identifier: MIT
 * A build without a sandbox (Windows; Linux without libseccomp) refuses it instead of leaving it
 * out. */
#include "../../server/examples/program/confine.h"
#include "check.h"

static void a_sandbox_that_was_not_built_is_refused(void **state)
{
    (void)state;
    assert_int_equal(confine_take_sandbox("on"), 2);
    assert_int_equal(confine_take_sandbox("maybe"), 2);
}

static void nothing_asked_for_is_nothing_done(void **state)
{
    (void)state;
    assert_int_equal(confine_take_sandbox("off"), 0);
    assert_true(confine_before_start());
    assert_true(confine_after_start());
}

static void a_user_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    assert_int_equal(confine_take_user("nobody-of-that-name"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sandbox_that_was_not_built_is_refused),
        cmocka_unit_test(nothing_asked_for_is_nothing_done),
        cmocka_unit_test(a_user_that_does_not_exist_is_refused),
    };
    return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
