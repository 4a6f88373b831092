/* SPDX-License-Identifier: MIT
 * Threads: start, join, identity. What is of one system alone is in test_thread.SYSTEM.c. */
#include "test_thread.h"

#include <stdatomic.h>

#include "check.h"
#include "os/clock.h"
#include "os/thread.h"

#define DEADLINE_NS 20000000000

static void increment(void *argument)
{
    int *number = argument;
    ++*number;
}

static void a_thread_has_its_argument(void **state)
{
    struct tg_thread thread;
    int number = 41;
    (void)state;
    assert_int_equal(tg_thread_start(&thread, "a-name-of-15-by", increment, &number), 0);
    tg_thread_join(&thread);
    assert_int_equal(number, 42);
    assert_int_equal(thread.handle, 0);
}

struct meeting {
    _Atomic uint32_t arrived;
    uint32_t expected;
    uintptr_t selves[8];
};

struct guest {
    struct meeting *meeting;
    uint32_t place;
};

/* Leaves only when all are there: so all live at once. */
static void attend(void *argument)
{
    const struct guest *guest = argument;
    struct meeting *meeting = guest->meeting;
    meeting->selves[guest->place] = tg_thread_self();
    atomic_fetch_add(&meeting->arrived, 1);
    uint64_t deadline = tg_clock_ns() + DEADLINE_NS;
    while (atomic_load(&meeting->arrived) < meeting->expected && tg_clock_ns() < deadline) {
    }
}

static void threads_run_at_once_and_each_is_itself(void **state)
{
    enum {
        GUESTS = 8
    };
    struct meeting meeting = {.expected = GUESTS};
    struct guest guests[GUESTS];
    struct tg_thread threads[GUESTS];
    (void)state;
    for (uint32_t i = 0; i < GUESTS; i++) {
        guests[i] = (struct guest){.meeting = &meeting, .place = i};
        assert_int_equal(tg_thread_start(&threads[i], "guest", attend, &guests[i]), 0);
    }
    for (uint32_t i = 0; i < GUESTS; i++) {
        tg_thread_join(&threads[i]);
    }
    assert_int_equal(atomic_load(&meeting.arrived), GUESTS);
    for (uint32_t i = 0; i < GUESTS; i++) {
        assert_int_not_equal(meeting.selves[i], tg_thread_self());
        for (uint32_t k = 0; k < i; k++) {
            assert_int_not_equal(meeting.selves[i], meeting.selves[k]);
        }
    }
    assert_int_equal(tg_thread_self(), tg_thread_self());
}

static void there_is_at_least_one_processor(void **state)
{
    (void)state;
    assert_in_range(tg_processor_count(), 1, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_has_its_argument),
        cmocka_unit_test(threads_run_at_once_and_each_is_itself),
        cmocka_unit_test(there_is_at_least_one_processor),
    };
    int failed = run_system_thread_tests();
    return failed + cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
