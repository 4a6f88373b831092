/* SPDX-License-Identifier: MIT
 * How far broadcasts may fill the queue of a connection. */
#include "check.h"
#include "worker/fanout.h"

static void a_limit_and_a_policy_are_one_word(void **state)
{
    (void)state;
    assert_int_equal(tg_send_limit_word(129, THRONG_WHEN_SEND_FULL_REFUSE), 129 * 4);
    assert_int_equal(tg_send_limit_word(129, THRONG_WHEN_SEND_FULL_DROP_OLDEST), 129 * 4 + 2);
}

/* Of 8,388,607 units (32 bits of bytes) what is written may take 4,194,304 and a message of 131,073
 * over them, and what is broadcast a message over its limit. */
static void writes_and_broadcasts_to_one_connection_have_32_bits_of_bytes_together(void **state)
{
    (void)state;
    assert_int_equal(tg_fanout_units_max(1), 1);
    assert_int_equal(tg_fanout_units_max(3932157), 3932157);
    assert_int_equal(tg_fanout_units_max(3932158), 3932157);
    assert_int_equal(tg_fanout_units_max(4194304), 3932157);
    assert_int_equal(tg_send_limit_word(4194304, THRONG_WHEN_SEND_FULL_CLOSE), 3932157 * 4 + 1);
    assert_true((3932157 + 131073 + 4194304 + 131073) * UINT64_C(512) <= UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_and_a_policy_are_one_word),
        cmocka_unit_test(writes_and_broadcasts_to_one_connection_have_32_bits_of_bytes_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
