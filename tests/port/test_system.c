/* SPDX-License-Identifier: MIT
 * The small parts of the system's seam: memory, randomness, the clock, the range of ports. */
#include <string.h>

#include "check.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/port_range.h"
#include "os/random.h"
#include "stopwatch.h"

static void memory_comes_zeroed_and_goes(void **state)
{
    (void)state;
    const size_t bytes = 1000001;
    uint8_t *memory = tg_memory_reserve(bytes);
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % 4096, 0);
    assert_int_equal(memory[0], 0);
    assert_int_equal(memory[bytes - 1], 0);
    memset(memory, 1, bytes);
    tg_memory_release(memory, bytes);
    tg_memory_release(NULL, 5);
    assert_null(tg_memory_reserve(SIZE_MAX / 2));
}

static void randomness_fills_all_bytes(void **state)
{
    uint8_t first[1000] = {0};
    uint8_t second[1000] = {0};
    (void)state;
    assert_int_equal(tg_random_fill(first, sizeof first), 0);
    assert_int_equal(tg_random_fill(second, sizeof second), 0);
    assert_memory_not_equal(first, second, sizeof first);
    assert_memory_not_equal(first + 900, second + 900, 100);
    assert_int_equal(tg_random_fill(first, 0), 0);
}

static void the_clock_does_not_go_back(void **state)
{
    (void)state;
    uint64_t before = tg_clock_ns();
    for (int i = 0; i < 1000; i++) {
        uint64_t now = tg_clock_ns();
        assert_true(now >= before);
        before = now;
    }
}

static void the_clock_counts_nanoseconds(void **state)
{
    (void)state;
    int64_t begin_test = test_now_ns();
    uint64_t begin = tg_clock_ns();
    test_pause_us(30000);
    uint64_t passed = tg_clock_ns() - begin;
    int64_t passed_test = test_now_ns() - begin_test;
    assert_true(passed >= 15000000); /* a tick of Windows early at most */
    assert_true(passed <= (uint64_t)passed_test);
}

static void there_are_ports_for_outgoing_connections(void **state)
{
    (void)state;
    assert_in_range(tg_port_range_count(), 1, 65535);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_comes_zeroed_and_goes),
        cmocka_unit_test(randomness_fills_all_bytes),
        cmocka_unit_test(the_clock_does_not_go_back),
        cmocka_unit_test(the_clock_counts_nanoseconds),
        cmocka_unit_test(there_are_ports_for_outgoing_connections),
    };
    return cmocka_run_group_tests_name("system", tests, NULL, NULL);
}
