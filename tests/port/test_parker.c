/* SPDX-License-Identifier: MIT
 * The parker: no wake-up is lost between two threads, and nobody awake is charged for one. */
#include "check.h"

#include "os/clock.h"
#include "os/parker.h"
#include "os/thread.h"

/* A sleep that a test only survives by being woken. */
#define LONG_NS 20000000000

struct side {
    struct tg_parker parker;
    _Atomic uint32_t turn; /* written by the other side: the rounds that it has played */
};

static struct side left;
static struct side right;
static uint32_t rounds;
static _Atomic uint32_t slept_through; /* sleeps that took suspiciously long */

/* Sleeps until `turn` reaches `wanted`. */
static void await_turn(struct side *mine, uint32_t wanted)
{
    while (atomic_load_explicit(&mine->turn, memory_order_acquire) < wanted) {
        tg_parker_prepare(&mine->parker);
        if (atomic_load_explicit(&mine->turn, memory_order_acquire) >= wanted) {
            tg_parker_cancel(&mine->parker);
            return;
        }
        uint64_t begin = tg_clock_ns();
        tg_parker_sleep(&mine->parker, LONG_NS);
        if (tg_clock_ns() - begin > LONG_NS / 2) {
            atomic_fetch_add_explicit(&slept_through, 1, memory_order_relaxed);
            return;
        }
    }
}

static void give_turn(struct side *theirs, uint32_t number)
{
    atomic_store_explicit(&theirs->turn, number, memory_order_release);
    (void)tg_parker_wake(&theirs->parker);
}

static void play_right(void *argument)
{
    (void)argument;
    for (uint32_t i = 1; i <= rounds; i++) {
        await_turn(&right, i);
        give_turn(&left, i);
    }
}

static void a_hundred_thousand_rounds_lose_no_wake_up(void **state)
{
    struct tg_thread thread;
    (void)state;
    rounds = test_scaled(100000);
    tg_parker_init(&left.parker);
    tg_parker_init(&right.parker);
    assert_int_equal(tg_thread_start(&thread, "right", play_right, NULL), 0);
    for (uint32_t i = 1; i <= rounds; i++) {
        give_turn(&right, i);
        await_turn(&left, i);
    }
    tg_thread_join(&thread);
    assert_int_equal(atomic_load(&slept_through), 0);
    assert_int_equal(atomic_load(&left.turn), rounds);
}

static void waking_somebody_awake_makes_no_system_call(void **state)
{
    struct tg_parker parker;
    (void)state;
    tg_parker_init(&parker);
    assert_false(tg_parker_wake(&parker));
    tg_parker_prepare(&parker);
    tg_parker_cancel(&parker);
    assert_false(tg_parker_wake(&parker));
    tg_parker_prepare(&parker);
    assert_true(tg_parker_wake(&parker));
    assert_false(tg_parker_wake(&parker)); /* one wake is enough */
}

static void a_wake_between_announcement_and_sleep_ends_the_sleep(void **state)
{
    struct tg_parker parker;
    (void)state;
    tg_parker_init(&parker);
    uint64_t begin = tg_clock_ns();
    tg_parker_prepare(&parker);
    assert_true(tg_parker_wake(&parker));
    tg_parker_sleep(&parker, LONG_NS);
    assert_true(tg_clock_ns() - begin < LONG_NS / 2);
}

static void a_sleep_ends_at_its_time_out(void **state)
{
    struct tg_parker parker;
    const uint64_t wanted_ns = 3000000;
    uint64_t begin = tg_clock_ns();
    (void)state;
    tg_parker_init(&parker);
    int sleeps = 0;
    while (tg_clock_ns() - begin < wanted_ns) {
        tg_parker_prepare(&parker);
        tg_parker_sleep(&parker, (int64_t)wanted_ns);
        sleeps++;
    }
    assert_true(sleeps <= 3);
    assert_true(tg_clock_ns() - begin < 1000000000);
    assert_false(tg_parker_wake(&parker)); /* the announcement ended with the sleep */
}

/* The system's wait may count in milliseconds; what is less must not become a busy loop. */
static void a_sleep_of_less_than_a_millisecond_is_one(void **state)
{
    enum {
        SLEEPS = 100
    };
    struct tg_parker parker;
    uint64_t begin = tg_clock_ns();
    (void)state;
    tg_parker_init(&parker);
    for (int i = 0; i < SLEEPS; i++) {
        tg_parker_prepare(&parker);
        tg_parker_sleep(&parker, 300000);
    }
    assert_true(tg_clock_ns() - begin >= SLEEPS / 10 * 9 * 300000); /* a few may return early */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand_rounds_lose_no_wake_up),
        cmocka_unit_test(waking_somebody_awake_makes_no_system_call),
        cmocka_unit_test(a_wake_between_announcement_and_sleep_ends_the_sleep),
        cmocka_unit_test(a_sleep_ends_at_its_time_out),
        cmocka_unit_test(a_sleep_of_less_than_a_millisecond_is_one),
    };
    return cmocka_run_group_tests_name("parker", tests, NULL, NULL);
}
