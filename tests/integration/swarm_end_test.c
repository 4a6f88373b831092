/* SPDX-License-Identifier: MIT
 * Connections of a swarm that cannot be made, and ends that the swarm begins: each is told once,
 * with its reason. swarm_peer_end_test.c has the peer's. */
#include <stdatomic.h>
#include <string.h>

#include <throng/swarm.h>

#include "check.h"
#include "echo_group.h"
#include "peer.h"
#include "stopwatch.h"
#include "swarm_world.h"

#define CONNECTIONS 40u

static uint8_t payload[65536];

/* Every connection was up `opens` times, ended `closes` times, the last time with `error`. */
static void expect_all(struct swarm_world *world, uint32_t opens, uint32_t closes, int error)
{
    for (uint32_t i = 0; i < world->options.connections; i++) {
        struct swarm_record record = swarm_world_record(world, i);
        assert_int_equal(record.opens, opens);
        assert_int_equal(record.closes, closes);
        assert_int_equal(record.error, error);
    }
}

static void for_each(struct swarm_world *world, struct throng_swarm_thread *thread,
                     void (*act)(struct throng_swarm_thread *thread, uint32_t index))
{
    for (uint32_t i = 0; i < world->options.connections; i++) {
        if (swarm_world_is_on(world, thread, i)) {
            act(thread, i);
        }
    }
}

/* ---- connections that cannot be made ---- */

static void a_target_that_refuses_is_told_for_each_connection(void **state)
{
    struct swarm_world world;
    struct host host;
    (void)state;
    assert_true(host_open_refusing(&host));
    swarm_world_open_options(&world, CONNECTIONS, host.endpoint);
    world.options.threads = 2;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.closes, CONNECTIONS);
    expect_all(&world, 0, 1, THRONG_ECONNREFUSED);
    assert_int_equal(throng_swarm_connected(world.swarm), 0);
    swarm_world_close(&world);
    host_close(&host);
}

static void connect_again(struct swarm_world *world, struct throng_swarm_thread *thread,
                          uint32_t index, int error)
{
    (void)error;
    if (swarm_world_record(world, index).closes < 20 && throng_swarm_connect(thread, index) != 0) {
        abort();
    }
}

static void a_refused_connection_may_be_tried_again_from_on_closed(void **state)
{
    struct swarm_world world;
    struct host host;
    (void)state;
    assert_true(host_open_refusing(&host));
    swarm_world_open_options(&world, CONNECTIONS, host.endpoint);
    world.on_closed = connect_again;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.closes, CONNECTIONS * 20);
    expect_all(&world, 0, 20, THRONG_ECONNREFUSED);
    swarm_world_close(&world);
    host_close(&host);
}

static void a_connect_without_an_answer_times_out_and_makes_room_for_the_next(void **state)
{
    struct swarm_world world;
    struct host host;
    (void)state;
    assert_true(host_open_deaf(&host));
    swarm_world_open_options(&world, 12, host.endpoint);
    world.options.connects_in_flight = 4;
    world.options.connect_timeout_ms = 100;
    int64_t start_ms = test_now_ms();
    swarm_world_start(&world);
    swarm_world_await(&world, &world.closes, 12);
    /* Three rounds of four at once. Timers tick in milliseconds. */
    assert_in_range(test_now_ms() - start_ms, 297, (uint64_t)test_deadline_ms());
    expect_all(&world, 0, 1, THRONG_ETIMEDOUT);
    swarm_world_close(&world);
    host_close(&host);
}

/* ---- ends that the swarm begins ---- */

static void write_and_leave(struct swarm_world *world, struct throng_swarm_thread *thread,
                            uint32_t index)
{
    (void)world;
    for (uint32_t i = 0; i < 3; i++) {
        (void)throng_swarm_write(thread, index, payload, sizeof(payload));
    }
    (void)throng_swarm_disconnect(thread, index, false);
    (void)throng_swarm_disconnect(thread, index, false); /* on its way: as good as once */
    if (throng_swarm_write(thread, index, payload, 1) != THRONG_EINVAL) {
        abort();
    }
}

static void a_graceful_end_sends_what_was_written_first(void **state)
{
    /* All their bytes are echoed within the five seconds that a graceful end has. */
    const uint32_t connections = test_scaled(CONNECTIONS);
    struct swarm_world world;
    (void)state;
    assert_true(echo_host_settle(&echo));
    uint64_t bytes = atomic_load(&echo.bytes);
    uint32_t ends = atomic_load(&echo.ends);
    uint32_t resets = atomic_load(&echo.resets);
    swarm_world_open_options(&world, connections, echo.host.endpoint);
    world.options.threads = 2;
    world.on_open = write_and_leave;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.closes, connections);
    expect_all(&world, 1, 1, THRONG_ECANCELED);
    assert_true(echo_host_await(&echo.ends, ends + connections));
    assert_int_equal(atomic_load(&echo.resets), resets);
    assert_int_equal(atomic_load(&echo.bytes) - bytes, connections * 3u * (sizeof(payload) + 4));
    assert_int_equal(throng_swarm_connected(world.swarm), 0);
    swarm_world_close(&world);
}

static void break_off(struct swarm_world *world, struct throng_swarm_thread *thread, uint32_t index)
{
    (void)world;
    (void)throng_swarm_write(thread, index, payload, sizeof(payload));
    (void)throng_swarm_disconnect(thread, index, true);
}

static void an_abort_resets(void **state)
{
    struct swarm_world world;
    (void)state;
    assert_true(echo_host_settle(&echo));
    uint32_t resets = atomic_load(&echo.resets);
    swarm_world_open_options(&world, CONNECTIONS, echo.host.endpoint);
    world.on_open = break_off;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.closes, CONNECTIONS);
    expect_all(&world, 1, 1, THRONG_ECANCELED);
    assert_true(echo_host_await(&echo.resets, resets + CONNECTIONS));
    swarm_world_close(&world);
}

static void leave(struct swarm_world *world, struct throng_swarm_thread *thread, uint32_t index)
{
    (void)world;
    (void)throng_swarm_disconnect(thread, index, false);
}

static void a_graceful_end_gives_a_peer_that_stays_five_seconds(void **state)
{
    struct swarm_world world;
    struct host host;
    struct peer peer;
    (void)state;
    assert_true(host_open(&host, THRONG_ADDRESS_IPV4));
    swarm_world_open_options(&world, 1, host.endpoint);
    world.on_open = leave;
    int64_t start_ms = test_now_ms();
    swarm_world_start(&world);
    assert_true(host_accept(&host, &peer, test_deadline_ms()));
    assert_int_equal(peer_await_end(&peer, test_deadline_ms()), PEER_END);
    assert_true(test_now_ms() - start_ms < 4000); /* our end is there at once */
    swarm_world_await(&world, &world.closes, 1);
    assert_in_range(test_now_ms() - start_ms, 4990, (uint64_t)test_deadline_ms());
    expect_all(&world, 1, 1, THRONG_ECANCELED);
    assert_true(peer_send(&peer, "x", 1) < 0); /* it was reset */
    swarm_world_close(&world);
    peer_close(&peer);
    host_close(&host);
}

#define DUE_LAST 29u

static int results[4];

static void cancel_one_that_is_due(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    (void)world;
    results[0] = throng_swarm_disconnect(thread, DUE_LAST, false);
    results[1] = throng_swarm_connect(thread, DUE_LAST); /* on_closed has not been called yet */
}

static void use_one_that_is_down(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    struct throng_address address;
    (void)world;
    results[0] = throng_swarm_disconnect(thread, DUE_LAST, true);
    results[1] = throng_swarm_write(thread, DUE_LAST, "x", 1);
    results[2] = throng_swarm_local_address(thread, DUE_LAST, &address);
    results[3] = throng_swarm_connect(thread, DUE_LAST);
}

static void a_connection_can_be_taken_back_before_its_turn_to_connect(void **state)
{
    struct swarm_world world;
    (void)state;
    /* The last one's turn comes after half a minute. */
    swarm_world_open_options(&world, DUE_LAST + 1, echo.host.endpoint);
    world.options.connects_per_second = 1;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.opens, 1);
    swarm_world_run(&world, cancel_one_that_is_due);
    swarm_world_await(&world, &world.closes, 1);
    assert_int_equal(results[0], 0);
    assert_int_equal(results[1], THRONG_EINVAL);
    struct swarm_record record = swarm_world_record(&world, DUE_LAST);
    assert_int_equal(record.opens, 0);
    assert_int_equal(record.closes, 1);
    assert_int_equal(record.error, THRONG_ECANCELED);

    swarm_world_run(&world, use_one_that_is_down);
    assert_int_equal(results[0], THRONG_EINVAL);
    assert_int_equal(results[1], THRONG_EINVAL);
    assert_int_equal(results[2], THRONG_EINVAL);
    assert_int_equal(results[3], 0);
    swarm_world_close(&world);
}

static void disconnect_one(struct throng_swarm_thread *thread, uint32_t index)
{
    (void)throng_swarm_disconnect(thread, index, false);
}

static void disconnect_all(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    for_each(world, thread, disconnect_one);
}

static void a_connection_can_be_taken_back_while_it_connects(void **state)
{
    struct swarm_world world;
    struct host host;
    (void)state;
    assert_true(host_open_deaf(&host));
    swarm_world_open_options(&world, 10, host.endpoint);
    world.options.threads = 2;
    world.options.connects_in_flight = 3; /* some connect, others are due */
    swarm_world_start(&world);
    swarm_world_run(&world, disconnect_all);
    swarm_world_await(&world, &world.closes, 10);
    expect_all(&world, 0, 1, THRONG_ECANCELED);
    swarm_world_close(&world);
    host_close(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_that_refuses_is_told_for_each_connection),
        cmocka_unit_test(a_refused_connection_may_be_tried_again_from_on_closed),
        cmocka_unit_test(a_connect_without_an_answer_times_out_and_makes_room_for_the_next),
        cmocka_unit_test(a_graceful_end_sends_what_was_written_first),
        cmocka_unit_test(an_abort_resets),
        cmocka_unit_test(a_graceful_end_gives_a_peer_that_stays_five_seconds),
        cmocka_unit_test(a_connection_can_be_taken_back_before_its_turn_to_connect),
        cmocka_unit_test(a_connection_can_be_taken_back_while_it_connects),
    };
    return cmocka_run_group_tests_name("swarm ends", tests, start_echo, stop_echo);
}
