/* SPDX-License-Identifier: MIT
 * The rhythm of throng_tick. */
#include "time/tick.h"

#include "check.h"

#define S UINT64_C(1000000000)
#define CENTURY_S UINT64_C(3155760000)
#define START (UINT64_C(77) * S + 123456789)

static struct tg_tick at_rate(uint32_t rate_hz)
{
    return (struct tg_tick){.start_ns = START, .rate_hz = rate_hz};
}

static void a_tick_is_due_at_its_time_and_not_a_nanosecond_earlier(void **state)
{
    (void)state;
    for (uint32_t rate = 1; rate <= TG_TICK_RATE_MAX; rate++) {
        const struct tg_tick tick = at_rate(rate);
        const uint64_t numbers[] = {1, 2, 3, 7, 999, 1000, 1001, 1000000007, CENTURY_S * rate};
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
            uint64_t due_ns = tg_tick_due_ns(&tick, numbers[i]);
            assert_int_equal(tg_tick_reached(&tick, due_ns), numbers[i]);
            assert_int_equal(tg_tick_reached(&tick, due_ns - 1), numbers[i] - 1);
        }
    }
}

static void the_rhythm_does_not_drift(void **state)
{
    (void)state;
    const struct tg_tick tick = at_rate(60); /* a period is no whole number of nanoseconds */
    assert_int_equal(tg_tick_due_ns(&tick, 1) - START, 16666667);
    assert_int_equal(tg_tick_due_ns(&tick, 2) - START, 33333334);
    assert_int_equal(tg_tick_due_ns(&tick, 3) - START, 50000000);
    uint64_t year = UINT64_C(365) * 86400;
    assert_int_equal(tg_tick_due_ns(&tick, year * 60) - START, year * S);
}

static void what_is_late_is_taken_once_and_the_rest_is_counted(void **state)
{
    (void)state;
    struct tg_tick tick = at_rate(20);
    assert_false(tg_tick_is_due(&tick, START));
    assert_false(tg_tick_is_due(&tick, START - 1));
    assert_false(tg_tick_is_due(&tick, 0));
    assert_false(tg_tick_is_due(&tick, START + 49999999));
    assert_true(tg_tick_is_due(&tick, START + 50000000));
    assert_int_equal(tg_tick_take(&tick, START + 50000000), 0);
    assert_int_equal(tick.taken, 1);
    assert_false(tg_tick_is_due(&tick, START + 99999999));
    assert_true(tg_tick_is_due(&tick, START + 270000000));
    assert_int_equal(tg_tick_take(&tick, START + 270000000), 3); /* 2, 3 and 4 */
    assert_int_equal(tick.taken, 5);
    assert_false(tg_tick_is_due(&tick, START + 299999999));
    assert_true(tg_tick_is_due(&tick, START + 300000000)); /* the rhythm has stayed */
}

static void no_rate_is_never_due(void **state)
{
    (void)state;
    const struct tg_tick tick = at_rate(0);
    assert_false(tg_tick_is_due(&tick, UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tick_is_due_at_its_time_and_not_a_nanosecond_earlier),
        cmocka_unit_test(the_rhythm_does_not_drift),
        cmocka_unit_test(what_is_late_is_taken_once_and_the_rest_is_counted),
        cmocka_unit_test(no_rate_is_never_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
