/* SPDX-License-Identifier: MIT
 * The timer wheel, by hand at its level boundaries and against a plain table of due times. */
#include "timer/timer_wheel.h"

#include <string.h>

#include "base/prng.h"
#include "check.h"

#define TURN ((uint64_t)1 << 24)
#define TIMERS 64u

static struct tg_timer_wheel wheel;
static struct tg_timer timers[TIMERS];

static void open_wheel(uint64_t now_ms)
{
    tg_timer_wheel_init(&wheel, now_ms);
    for (uint32_t i = 0; i < TIMERS; i++) {
        tg_timer_init(&timers[i]);
    }
}

/* The number of the timer that expires by now_ms, or -1. */
static int expire(uint64_t now_ms)
{
    struct tg_timer *timer = tg_timer_wheel_expire(&wheel, now_ms);
    if (timer == NULL) {
        return -1;
    }
    assert_false(tg_timer_is_running(timer));
    return (int)(timer - timers);
}

static void a_timer_expires_at_its_tick_and_not_before(void **state)
{
    (void)state;
    static const uint64_t starts[] = {0,
                                      1,
                                      63,
                                      64,
                                      4095,
                                      4096,
                                      TURN - 1,
                                      TURN,
                                      TURN + 1,
                                      262143,
                                      262144,
                                      123456789,
                                      ((uint64_t)1 << 40) - 1};
    static const uint64_t delays[] = {
        1,    2,        62,        63,           64,       65,           127,    128,
        4032, 4095,     4096,      4097,         262143,   262144,       262145, TURN - 1,
        TURN, TURN + 1, TURN + 64, TURN * 2 - 1, TURN * 2, TURN * 3 + 77};
    for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++) {
        for (size_t d = 0; d < sizeof delays / sizeof delays[0]; d++) {
            uint64_t due = starts[s] + delays[d];
            open_wheel(starts[s]);
            tg_timer_start(&wheel, &timers[0], due);
            assert_true(tg_timer_is_running(&timers[0]));
            assert_int_equal(expire(starts[s]), -1);
            assert_int_equal(expire(due - 1), -1);
            assert_true(tg_timer_is_running(&timers[0]));
            assert_int_equal(expire(due), 0);
            assert_int_equal(expire(due), -1);
            assert_int_equal(wheel.count, 0);
        }
    }
}

static void a_timer_that_is_due_already_comes_out_at_once(void **state)
{
    (void)state;
    open_wheel(1000);
    tg_timer_start(&wheel, &timers[0], 1000);
    tg_timer_start(&wheel, &timers[1], 0);
    assert_int_equal(tg_timer_wheel_wait_ms(&wheel, 1000), 0);
    assert_int_equal(expire(1000), 0);
    assert_int_equal(expire(1000), 1);
    assert_int_equal(expire(1000), -1);
}

static void a_long_jump_brings_all_timers_in_the_order_of_their_ticks(void **state)
{
    (void)state;
    static const uint64_t dues[] = {TURN * 5 + 3, 64, 5,        4096, 262144,
                                    TURN,         63, TURN * 2, 65,   4095};
    static const int order[] = {2, 6, 1, 8, 9, 3, 4, 5, 7, 0};
    open_wheel(0);
    for (uint32_t i = 0; i < 10; i++) {
        tg_timer_start(&wheel, &timers[i], dues[i]);
    }
    assert_int_equal(wheel.count, 10);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(expire(TURN * 10), order[i]);
    }
    assert_int_equal(expire(TURN * 10), -1);
    assert_int_equal(wheel.now_ms, TURN * 10);
}

static void timers_of_one_tick_all_come(void **state)
{
    (void)state;
    bool came[TIMERS] = {false};
    open_wheel(7);
    for (uint32_t i = 0; i < TIMERS; i++) {
        tg_timer_start(&wheel, &timers[i], 5000);
    }
    for (uint32_t i = 0; i < TIMERS; i++) {
        int number = expire(5000);
        assert_true(number >= 0 && !came[number]);
        came[number] = true;
    }
    assert_int_equal(expire(5000), -1);
}

static void a_stopped_timer_never_comes(void **state)
{
    (void)state;
    static const uint64_t dues[] = {10, 100, 5000, 300000, TURN + 5};
    for (uint32_t i = 0; i < 5; i++) {
        open_wheel(0);
        tg_timer_start(&wheel, &timers[0], dues[i]);
        tg_timer_start(&wheel, &timers[1], dues[i]);
        tg_timer_stop(&wheel, &timers[0]);
        tg_timer_stop(&wheel, &timers[0]); /* harmless */
        assert_false(tg_timer_is_running(&timers[0]));
        assert_int_equal(wheel.count, 1);
        assert_int_equal(expire(dues[i]), 1);
        assert_int_equal(expire(TURN * 3), -1);
    }
}

static void a_timer_that_is_due_can_still_be_stopped(void **state)
{
    (void)state;
    open_wheel(0);
    for (uint32_t i = 0; i < 3; i++) {
        tg_timer_start(&wheel, &timers[i], 10);
    }
    assert_int_equal(expire(10), 0);
    assert_true(tg_timer_is_running(&timers[1])); /* waits to be taken */
    tg_timer_stop(&wheel, &timers[1]);
    assert_int_equal(expire(10), 2);
    assert_int_equal(expire(10), -1);
    assert_int_equal(tg_timer_wheel_wait_ms(&wheel, 10), -1);
}

static void a_restarted_timer_comes_once_at_its_new_tick(void **state)
{
    (void)state;
    open_wheel(0);
    tg_timer_start(&wheel, &timers[0], 50);
    tg_timer_start(&wheel, &timers[0], 9000);
    assert_int_equal(wheel.count, 1);
    assert_int_equal(expire(8999), -1);
    tg_timer_start(&wheel, &timers[0], 9001);
    assert_int_equal(expire(9000), -1);
    assert_int_equal(expire(9001), 0);
    assert_int_equal(expire(20000), -1);
}

static void a_timer_may_start_itself_anew_while_others_expire(void **state)
{
    (void)state;
    open_wheel(0);
    tg_timer_start(&wheel, &timers[0], 10);
    tg_timer_start(&wheel, &timers[1], 95);
    uint64_t due = 10;
    uint32_t rounds = 0;
    int number;
    while ((number = expire(100)) == 0) { /* every 10 ms, all within one late call */
        due += 10;
        rounds++;
        tg_timer_start(&wheel, &timers[0], due);
    }
    assert_int_equal(rounds, 9);
    assert_int_equal(number, 1);
    assert_int_equal(expire(100), 0);
    assert_int_equal(expire(100), -1);
}

static void a_step_back_is_ignored(void **state)
{
    (void)state;
    open_wheel(1000);
    tg_timer_start(&wheel, &timers[0], 1100);
    assert_int_equal(expire(1050), -1);
    assert_int_equal(expire(900), -1);
    assert_int_equal(wheel.now_ms, 1050);
    assert_int_equal(expire(1099), -1);
    assert_int_equal(expire(1100), 0);
}

static void the_latest_possible_tick_is_far_away(void **state)
{
    (void)state;
    open_wheel(5);
    tg_timer_start(&wheel, &timers[0], UINT64_MAX);
    assert_int_equal(expire(TURN * 100), -1);
    assert_true(tg_timer_wheel_wait_ms(&wheel, TURN * 100) > 0);
    tg_timer_stop(&wheel, &timers[0]);
    assert_int_equal(tg_timer_wheel_wait_ms(&wheel, TURN * 100), -1);
}

static void the_wait_leads_to_the_timer_in_a_few_looks(void **state)
{
    (void)state;
    static const uint64_t delays[] = {1, 63, 64, 1000, 4096, 30000, 262144, 1000000, TURN - 1};
    for (uint64_t start = 0; start < 20000; start += 977) {
        for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
            uint64_t now = start;
            uint64_t due = start + delays[i];
            uint32_t looks = 0;
            open_wheel(start);
            assert_int_equal(tg_timer_wheel_wait_ms(&wheel, now), -1);
            tg_timer_start(&wheel, &timers[0], due);
            while (expire(now) == -1) {
                int64_t wait = tg_timer_wheel_wait_ms(&wheel, now);
                assert_true(wait >= 1 && now + (uint64_t)wait <= due);
                now += (uint64_t)wait;
                looks++;
            }
            assert_int_equal(now, due);
            assert_true(looks <= 4);
        }
    }
}

static void a_late_look_need_not_wait(void **state)
{
    (void)state;
    open_wheel(0);
    tg_timer_start(&wheel, &timers[0], 20);
    assert_int_equal(tg_timer_wheel_wait_ms(&wheel, 0), 20);
    assert_int_equal(tg_timer_wheel_wait_ms(&wheel, 19), 1);
    assert_int_equal(tg_timer_wheel_wait_ms(&wheel, 20), 0);
    assert_int_equal(tg_timer_wheel_wait_ms(&wheel, 25), 0);
}

/* The reference: when each timer must come, or NEVER. */
#define NEVER UINT64_MAX
static uint64_t due_at[TIMERS];

static uint64_t first_due(void)
{
    uint64_t first = NEVER;
    for (uint32_t i = 0; i < TIMERS; i++) {
        first = due_at[i] < first ? due_at[i] : first;
    }
    return first;
}

/* Delays of all sizes, often next to the boundaries of the levels. */
static uint64_t random_delay(struct tg_prng *prng)
{
    uint64_t delay = tg_prng_next(prng) & (((uint64_t)1 << tg_prng_below(prng, 27)) - 1);
    if (tg_prng_below(prng, 3) == 0) {
        delay = ((uint64_t)1 << (6 * (1 + tg_prng_below(prng, 4)))) + tg_prng_below(prng, 5) - 2;
    }
    return delay;
}

static void start_or_stop_one(struct tg_prng *prng)
{
    uint32_t i = tg_prng_below(prng, TIMERS);
    if (tg_prng_below(prng, 4) == 0) {
        tg_timer_stop(&wheel, &timers[i]);
        due_at[i] = NEVER;
    } else {
        uint64_t due = wheel.now_ms + random_delay(prng);
        due -= tg_prng_below(prng, 8) == 0 && due >= 10 ? 10 : 0;
        tg_timer_start(&wheel, &timers[i], due);
        /* A tick that is over cannot be met: the timer comes in the order of the present one. */
        due_at[i] = due > wheel.now_ms ? due : wheel.now_ms;
    }
}

/* Takes out all that is due, each in its turn, and changes timers meanwhile. */
static void expire_and_compare(struct tg_prng *prng, uint64_t now_ms)
{
    int number;
    uint32_t changes = 3;
    while ((number = expire(now_ms)) >= 0) {
        assert_true(due_at[number] <= now_ms);
        assert_int_equal(due_at[number], first_due());
        due_at[number] = NEVER;
        if (changes > 0 && tg_prng_below(prng, 4) == 0) {
            changes--;
            start_or_stop_one(prng);
        }
    }
    assert_true(first_due() > now_ms);
}

static void check_wait(uint64_t now_ms)
{
    int64_t wait = tg_timer_wheel_wait_ms(&wheel, now_ms);
    uint64_t first = first_due();
    if (first == NEVER) {
        assert_int_equal(wait, -1);
    } else {
        assert_true(wait >= 0);
        assert_true(wait == 0 || now_ms + (uint64_t)wait <= first);
    }
}

static void random_use_agrees_with_a_table_of_due_times(void **state)
{
    (void)state;
    struct tg_prng prng = {test_seed()};
    for (uint32_t round = test_scaled(60); round > 0; round--) {
        uint64_t now = tg_prng_next(&prng) >> (20 + tg_prng_below(&prng, 40));
        open_wheel(now);
        memset(due_at, 0xff, sizeof due_at);
        for (uint32_t i = 0; i < 2000; i++) {
            start_or_stop_one(&prng);
            check_wait(now);
            if (tg_prng_below(&prng, 2) == 0) {
                int64_t wait = tg_timer_wheel_wait_ms(&wheel, now);
                bool jump = wait < 0 || tg_prng_below(&prng, 3) == 0;
                now += jump ? random_delay(&prng) : (uint64_t)wait;
                expire_and_compare(&prng, now);
                assert_int_equal(wheel.now_ms, now);
                check_wait(now);
            }
        }
        expire_and_compare(&prng, now + 40 * TURN);
        expire_and_compare(&prng, now + 80 * TURN);
        assert_int_equal(wheel.count, 0);
        assert_int_equal(tg_timer_wheel_wait_ms(&wheel, now), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_expires_at_its_tick_and_not_before),
        cmocka_unit_test(a_timer_that_is_due_already_comes_out_at_once),
        cmocka_unit_test(a_long_jump_brings_all_timers_in_the_order_of_their_ticks),
        cmocka_unit_test(timers_of_one_tick_all_come),
        cmocka_unit_test(a_stopped_timer_never_comes),
        cmocka_unit_test(a_timer_that_is_due_can_still_be_stopped),
        cmocka_unit_test(a_restarted_timer_comes_once_at_its_new_tick),
        cmocka_unit_test(a_timer_may_start_itself_anew_while_others_expire),
        cmocka_unit_test(a_step_back_is_ignored),
        cmocka_unit_test(the_latest_possible_tick_is_far_away),
        cmocka_unit_test(the_wait_leads_to_the_timer_in_a_few_looks),
        cmocka_unit_test(a_late_look_need_not_wait),
        cmocka_unit_test(random_use_agrees_with_a_table_of_due_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
