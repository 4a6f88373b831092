/* SPDX-License-Identifier: MIT
 * The pace of a swarm's connects: never more than asked for, and the threads take turns. */
#include <throng/swarm.h>

#include "check.h"
#include "echo_group.h"
#include "swarm_world.h"

#define PACED 120u
#define PER_SECOND 400u
#define ATTEMPTS 5

static uint64_t begun_ns[PACED];

/* When a connect began; later than that by what held its thread up before this. */
static void note_begin(struct swarm_world *world, struct throng_swarm_thread *thread,
                       uint32_t index)
{
    (void)world;
    begun_ns[index] = throng_swarm_now_ns() - throng_swarm_connect_ns(thread, index);
}

/* Four threads connect at that rate. Answers a time before the first connect. */
static uint64_t connect_at_rate(uint32_t connections, uint32_t per_second)
{
    struct swarm_world world;
    swarm_world_open_options(&world, connections, echo.host.endpoint);
    world.options.threads = 4;
    world.options.connects_per_second = per_second;
    world.on_open = note_begin;
    uint64_t start_ns = throng_swarm_now_ns();
    swarm_world_start(&world);
    swarm_world_await(&world, &world.opens, connections);
    swarm_world_close(&world);
    return start_ns;
}

static int compare_times(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* The connects in any stretch of time: what the rate allows, and once what a thread that was held
 * up may catch up with (100 ms); one of each thread at the edge; and 2 ms, because on_open comes a
 * little after the time that it is measured by. */
static bool was_paced(void)
{
    for (uint32_t i = 0; i < PACED; i++) {
        for (uint32_t k = i + 1; k < PACED; k++) {
            uint64_t stretch_ms = (begun_ns[k] - begun_ns[i]) / 1000000 + 1;
            uint64_t most = (stretch_ms + 100 + 2) * PER_SECOND / 1000 + 4;
            if (k - i + 1 > most) {
                return false;
            }
        }
    }
    return true;
}

/* Where the machine holds a thread up between looking at the clock and connecting, or before
 * on_open, what is measured is denser than what was asked for. That may happen, but not each time.
 */
static void no_stretch_of_time_has_more_connects_than_asked_for(void **state)
{
    (void)state;
    bool paced = false;
    for (int attempt = 0; attempt < ATTEMPTS && !paced; attempt++) {
        uint64_t start_ns = connect_at_rate(PACED, PER_SECOND);
        qsort(begun_ns, PACED, sizeof(begun_ns[0]), compare_times);
        paced = was_paced();
        /* Each thread's last one is due 29 intervals of 10 ms after its first: never early. */
        assert_true(begun_ns[PACED - 1] >= start_ns + 290000000);
    }
    assert_true(paced);
}

static void threads_take_turns_with_their_first_connects(void **state)
{
    (void)state;
    bool took_turns = false;
    for (int attempt = 0; attempt < ATTEMPTS && !took_turns; attempt++) {
        uint64_t start_ns = connect_at_rate(4, 10);
        took_turns = true;
        for (uint32_t i = 1; i < 4; i++) {
            /* 100 ms apart: none is early, but a busy machine may make one late. */
            assert_true(begun_ns[i] >= start_ns + i * UINT64_C(100000000));
            took_turns = took_turns && begun_ns[i] > begun_ns[i - 1] + 20000000;
        }
    }
    assert_true(took_turns);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_stretch_of_time_has_more_connects_than_asked_for),
        cmocka_unit_test(threads_take_turns_with_their_first_connects),
    };
    return cmocka_run_group_tests_name("swarm pace", tests, start_echo, stop_echo);
}
