/* SPDX-License-Identifier: MIT
 * When a swarm's threads run: at the times that on_turn names, after every wake, and else not at
 * all; and what its calls answer on the wrong thread. */
#include <stdatomic.h>
#include <string.h>

#include <throng/swarm.h>

#include "check.h"
#include "echo_group.h"
#include "peer.h"
#include "stopwatch.h"
#include "swarm_world.h"

/* ---- turns ---- */

#define ATTEMPTS 5

struct turns {
    _Atomic uint32_t opens;
    _Atomic uint32_t count;
    _Atomic uint64_t at_ns[3]; /* when the first ones began */
    _Atomic bool go;           /* the first one may end */
    uint64_t burn_ns;          /* how long the first one takes, in vain */
    uint64_t period_ns;        /* when on_turn wants to run again; 0: whenever */
};

static void count_open(void *context, struct throng_swarm_thread *thread, uint32_t index)
{
    struct turns *turns = context;
    atomic_fetch_add(&turns->opens, 1);
    (void)thread;
    (void)index;
}

static void ignore_message(void *context, struct throng_swarm_thread *thread, uint32_t index,
                           const void *data, size_t size)
{
    (void)context;
    (void)thread;
    (void)index;
    (void)data;
    (void)size;
}

static void ignore_closed(void *context, struct throng_swarm_thread *thread, uint32_t index,
                          int error)
{
    (void)context;
    (void)thread;
    (void)index;
    (void)error;
}

/* One connection, whose thread has nothing to do but its turns. */
static struct throng_swarm *start_turns(struct turns *turns, const char *target,
                                        uint64_t (*on_turn)(void *, struct throng_swarm_thread *,
                                                            uint64_t))
{
    struct throng_swarm *swarm = NULL;
    struct throng_swarm_options options;
    throng_swarm_options_init(&options);
    options.targets[0] = target;
    options.handler = (struct throng_swarm_handler){.context = turns,
                                                    .on_open = count_open,
                                                    .on_message = ignore_message,
                                                    .on_closed = ignore_closed,
                                                    .on_turn = on_turn};
    assert_int_equal(throng_swarm_start(&swarm, &options, NULL), 0);
    return swarm;
}

static void await_turns(struct turns *turns, uint32_t least)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (atomic_load(&turns->count) < least) {
        assert_true(test_now_ms() < deadline_ms);
        test_pause_us(1000);
    }
}

static uint64_t count_turn(void *context, struct throng_swarm_thread *thread, uint64_t now_ns)
{
    struct turns *turns = context;
    (void)thread;
    uint32_t count = atomic_fetch_add(&turns->count, 1);
    if (count < 3) {
        atomic_store(&turns->at_ns[count], now_ns);
    }
    while (count == 0 && throng_swarm_now_ns() < now_ns + turns->burn_ns) {
        /* a turn that takes long */
    }
    return turns->period_ns == 0 ? UINT64_MAX : now_ns + turns->period_ns;
}

/* How many turns there are in 300 ms. */
static uint32_t count_for_a_while(const struct turns *turns)
{
    uint32_t count = atomic_load(&turns->count);
    test_pause_us(300000);
    return atomic_load(&turns->count) - count;
}

static void an_idle_thread_does_not_turn_at_all(void **state)
{
    struct turns turns = {0};
    (void)state;
    struct throng_swarm *swarm = start_turns(&turns, echo.host.endpoint, count_turn);
    assert_true(echo_host_await(&turns.opens, 1));
    throng_swarm_wake(swarm);
    await_turns(&turns, 2);
    /* What was begun takes its turns, on a busy machine for some time. */
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    uint32_t more = count_for_a_while(&turns);
    while (more > 2 && test_now_ms() < deadline_ms) {
        more = count_for_a_while(&turns);
    }
    /* A look at the timer wheel would be allowed, a spin would be thousands each time. */
    assert_in_range(more, 0, 2);
    throng_swarm_stop(swarm);
}

static void on_turn_is_called_at_its_times_and_hardly_more_often(void **state)
{
    struct turns turns = {.period_ns = 10000000};
    (void)state;
    int64_t start_ms = test_now_ms();
    struct throng_swarm *swarm = start_turns(&turns, echo.host.endpoint, count_turn);
    await_turns(&turns, 30);
    /* In this order: a turn that comes between the two has had its time. */
    uint32_t count = atomic_load(&turns.count);
    int64_t took_ms = test_now_ms() - start_ms;
    throng_swarm_stop(swarm);
    /* Besides those on time: for the connection, and for what it has to do. */
    assert_in_range(count, 30, (uint64_t)took_ms / 10 + 10);
}

/* What on_turn asks for counts from the time that it was told, however long it took itself. A busy
 * machine may be late by accident, but not each time. */
static void a_long_turn_does_not_put_the_next_one_off(void **state)
{
    (void)state;
    bool in_time = false;
    for (int attempt = 0; attempt < ATTEMPTS && !in_time; attempt++) {
        struct turns turns = {.burn_ns = 300000000, .period_ns = 400000000};
        struct host deaf; /* nothing else wakes the thread up */
        assert_true(host_open_deaf(&deaf));
        struct throng_swarm *swarm = start_turns(&turns, deaf.endpoint, count_turn);
        await_turns(&turns, 2);
        in_time = atomic_load(&turns.at_ns[1]) - atomic_load(&turns.at_ns[0]) < 650000000;
        throng_swarm_stop(swarm);
        host_close(&deaf);
    }
    assert_true(in_time);
}

/* The second one, because the first follows the start, which may leave a wake of its own behind. */
static uint64_t hold_second_turn(void *context, struct throng_swarm_thread *thread, uint64_t now_ns)
{
    struct turns *turns = context;
    (void)thread;
    uint32_t count = atomic_fetch_add(&turns->count, 1);
    while (count == 1 && !atomic_load(&turns->go)) {
        /* the test wakes the swarm meanwhile */
    }
    return count == 0 ? now_ns : UINT64_MAX;
}

static void a_wake_that_comes_during_on_turn_brings_another_turn(void **state)
{
    uint32_t late = 0;
    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        struct turns turns = {0};
        struct host deaf;
        assert_true(host_open_deaf(&deaf));
        struct throng_swarm *swarm = start_turns(&turns, deaf.endpoint, hold_second_turn);
        await_turns(&turns, 2);
        throng_swarm_wake(swarm);
        int64_t start_ms = test_now_ms();
        atomic_store(&turns.go, true);
        await_turns(&turns, 3);
        late += test_now_ms() - start_ms >= 1000;
        throng_swarm_stop(swarm);
        host_close(&deaf);
    }
    /* Without the wake the timer wheel brings the next turn, when it looks at itself: at a multiple
     * of 4,096 ms, so three times out of four later than this. A busy machine is so by accident. */
    assert_in_range(late, 0, 3);
}

/* ---- calls ---- */

static int answers[5][5];

static void try_index(struct throng_swarm_thread *thread, uint32_t index, int *answer)
{
    struct throng_address address;
    answer[0] = throng_swarm_write(thread, index, "x", 1);
    answer[1] = throng_swarm_local_address(thread, index, &address);
    answer[2] = throng_swarm_connect(thread, index);
    answer[3] = throng_swarm_disconnect(thread, index, true);
    answer[4] = throng_swarm_connect_ns(thread, index) == 0 ? THRONG_EINVAL : 0;
}

static void try_foreign_indexes(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    (void)world;
    if (throng_swarm_thread_index(thread) == 1) {
        try_index(thread, 0, answers[0]);  /* of thread 0 */
        try_index(thread, 2, answers[1]);  /* of thread 2 */
        try_index(thread, 10, answers[2]); /* of nobody: there are 10; would be thread 1's */
        try_index(thread, UINT32_MAX, answers[3]);
        answers[4][0] = throng_swarm_local_address(thread, 1, NULL);
    }
}

static void a_connection_of_another_thread_or_of_nobody_is_refused(void **state)
{
    struct swarm_world world;
    (void)state;
    swarm_world_open_options(&world, 10, echo.host.endpoint);
    world.options.threads = 3;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.opens, 10);
    memset(answers, 0, sizeof(answers));
    swarm_world_run(&world, try_foreign_indexes);
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 5; k++) {
            assert_int_equal(answers[i][k], THRONG_EINVAL);
        }
    }
    assert_int_equal(answers[4][0], THRONG_EINVAL);
    assert_int_equal(throng_swarm_connected(world.swarm), 10);
    assert_int_equal(swarm_world_read(&world, &world.messages), 0);
    swarm_world_close(&world);
}

static void note_peer(struct swarm_world *world, struct throng_swarm_thread *thread, uint32_t index)
{
    if (throng_swarm_local_address(thread, index, world->context) != 0) {
        abort();
    }
}

static void the_local_address_is_the_one_that_the_peer_sees(void **state)
{
    struct swarm_world world;
    struct host host;
    struct peer peer;
    struct throng_address ours = {0};
    struct throng_address seen;
    (void)state;
    assert_true(host_open(&host, THRONG_ADDRESS_IPV4));
    swarm_world_open_options(&world, 1, host.endpoint);
    world.context = &ours;
    world.on_open = note_peer;
    swarm_world_start(&world);
    assert_true(host_accept(&host, &peer, test_deadline_ms()));
    peer_remote_address(&peer, &seen);
    swarm_world_await(&world, &world.opens, 1);
    swarm_world_close(&world); /* on_open is over */
    assert_memory_equal(&ours, &seen, sizeof(seen));
    peer_close(&peer);
    host_close(&host);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_thread_does_not_turn_at_all),
        cmocka_unit_test(on_turn_is_called_at_its_times_and_hardly_more_often),
        cmocka_unit_test(a_long_turn_does_not_put_the_next_one_off),
        cmocka_unit_test(a_wake_that_comes_during_on_turn_brings_another_turn),
        cmocka_unit_test(a_connection_of_another_thread_or_of_nobody_is_refused),
        cmocka_unit_test(the_local_address_is_the_one_that_the_peer_sees),
    };
    return cmocka_run_group_tests_name("swarm turns", tests, start_echo, stop_echo);
}
