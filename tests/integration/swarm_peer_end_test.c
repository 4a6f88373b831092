/* SPDX-License-Identifier: MIT
 * How connections of a swarm end by the peer's doing or in the middle of a handler, and how they
 * begin again: each end is told once, with its reason, and leaves a connection that can be made
 * anew. */
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

static void connect_again(struct swarm_world *world, struct throng_swarm_thread *thread,
                          uint32_t index, int error)
{
    (void)error;
    if (swarm_world_record(world, index).closes < 20 && throng_swarm_connect(thread, index) != 0) {
        abort();
    }
}

/* ---- ends that the peer begins ---- */

static void say_hello(struct swarm_world *world, struct throng_swarm_thread *thread, uint32_t index)
{
    (void)world;
    (void)throng_swarm_write(thread, index, "hello", 5);
}

static void a_connection_that_the_peer_ends_can_be_made_again_and_again(void **state)
{
    struct swarm_world world;
    (void)state;
    echo_host_set_mood(&echo, ECHO_FINISHES);
    swarm_world_open_options(&world, CONNECTIONS, echo.host.endpoint);
    world.options.threads = 2;
    world.on_open = say_hello;
    world.on_closed = connect_again;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.closes, CONNECTIONS * 20);
    expect_all(&world, 20, 20, THRONG_EEOF);
    assert_int_equal(swarm_world_read(&world, &world.messages), CONNECTIONS * 20);
    swarm_world_close(&world);
    echo_host_set_mood(&echo, ECHO_ANSWERS);
}

/* One connection to `host`; the peer sends `bytes`, which carry `messages` whole messages, and
 * ends. */
static void expect_end(const char *bytes, size_t size, bool reset, uint32_t messages, int error)
{
    struct swarm_world world;
    struct host host;
    struct peer peer;
    assert_true(host_open(&host, THRONG_ADDRESS_IPV4));
    swarm_world_open_options(&world, 1, host.endpoint);
    world.options.message_bytes_max = 1000;
    swarm_world_start(&world);
    assert_true(host_accept(&host, &peer, test_deadline_ms()));
    assert_true(peer_send_all(&peer, bytes, size, test_deadline_ms()));
    if (messages > 0) {
        swarm_world_await(&world, &world.messages, messages);
    }
    if (reset) {
        peer_reset(&peer);
    } else {
        peer_finish(&peer);
    }
    swarm_world_await(&world, &world.closes, 1);
    struct swarm_record record = swarm_world_record(&world, 0);
    assert_int_equal(record.messages, messages);
    assert_int_equal(record.error, error);
    swarm_world_close(&world);
    peer_close(&peer);
    host_close(&host);
}

static void the_reason_of_an_end_is_told(void **state)
{
    (void)state;
    expect_end("\0\0\0\1a\0\0\0\0", 9, false, 2, THRONG_EEOF);
    expect_end("\0\0\0\1a\0\0", 7, false, 1, THRONG_EPROTOCOL); /* inside a header */
    expect_end("\0\0\0\2a", 5, false, 0, THRONG_EPROTOCOL);     /* inside a payload */
    expect_end("\0\0\3\350", 4, false, 0, THRONG_EPROTOCOL);    /* 1,000 announced, none came */
    expect_end("\0\0\0\1a\0\0\3\351", 9, false, 1, THRONG_EPROTOCOL); /* 1,001: over the limit */
    expect_end("\377\377\377\377", 4, false, 0, THRONG_EPROTOCOL);
    expect_end("\0\0\0\1a", 5, true, 1, THRONG_ECONNRESET);
}

static void do_nothing(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    (void)world;
    (void)thread;
}

static void break_off_the_first(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    (void)world;
    (void)throng_swarm_disconnect(thread, 0, true);
}

static void connect_the_first(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    (void)world;
    (void)throng_swarm_connect(thread, 0);
}

static void a_message_begun_before_an_end_is_not_continued_after_it(void **state)
{
    struct swarm_world world;
    struct host host;
    struct peer peer;
    (void)state;
    assert_true(host_open(&host, THRONG_ADDRESS_IPV4));
    swarm_world_open_options(&world, 1, host.endpoint);
    swarm_world_start(&world);
    assert_true(host_accept(&host, &peer, test_deadline_ms()));
    assert_true(peer_send_all(&peer, "\0\0\0\1a\0\0\0\12half", 13, test_deadline_ms()));
    swarm_world_await(&world, &world.messages, 1);
    swarm_world_run(&world, do_nothing); /* the half behind it has been taken, too */
    swarm_world_run(&world, break_off_the_first);
    swarm_world_await(&world, &world.closes, 1);
    peer_close(&peer);

    swarm_world_run(&world, connect_the_first);
    assert_true(host_accept(&host, &peer, test_deadline_ms()));
    assert_true(peer_send_all(&peer, "\0\0\0\3new", 7, test_deadline_ms()));
    swarm_world_await(&world, &world.messages, 2);
    struct swarm_record record = swarm_world_record(&world, 0);
    assert_int_equal(record.bytes, 1 + 3);
    assert_int_equal(record.opens, 2);
    assert_int_equal(record.closes, 1);
    swarm_world_close(&world);
    peer_close(&peer);
    host_close(&host);
}

static void keep_talking(struct swarm_world *world, struct throng_swarm_thread *thread,
                         uint32_t index, const void *data, size_t size)
{
    (void)world;
    (void)throng_swarm_write(thread, index, data, size);
}

static void a_target_that_dies_in_the_middle_ends_every_connection(void **state)
{
    struct swarm_world world;
    struct echo_host mortal;
    (void)state;
    assert_true(echo_host_start(&mortal, THRONG_ADDRESS_IPV4));
    swarm_world_open_options(&world, CONNECTIONS, mortal.host.endpoint);
    world.options.threads = 2;
    world.on_open = say_hello;
    world.on_message = keep_talking;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.messages, CONNECTIONS * 50);
    echo_host_die(&mortal);
    swarm_world_await(&world, &world.closes, CONNECTIONS);
    expect_all(&world, 1, 1, THRONG_ECONNRESET);
    assert_int_equal(throng_swarm_connected(world.swarm), 0);
    swarm_world_close(&world);
    echo_host_stop(&mortal);
}

/* ---- handlers that meddle ---- */

static void end_the_next_and_then_oneself(struct swarm_world *world,
                                          struct throng_swarm_thread *thread, uint32_t index,
                                          const void *data, size_t size)
{
    uint32_t next = (index + 1) % world->options.connections;
    (void)data;
    (void)size;
    (void)throng_swarm_disconnect(thread, next, true);
    (void)throng_swarm_disconnect(thread, index, true);
}

static void say_much(struct swarm_world *world, struct throng_swarm_thread *thread, uint32_t index)
{
    (void)world;
    for (uint32_t i = 0; i < 50; i++) {
        (void)throng_swarm_write(thread, index, payload, 20);
    }
}

static void a_connection_that_a_handler_ended_says_nothing_more(void **state)
{
    struct swarm_world world;
    (void)state;
    swarm_world_open_options(&world, CONNECTIONS, echo.host.endpoint);
    world.on_open = say_much;
    world.on_message = end_the_next_and_then_oneself;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.closes, CONNECTIONS);
    expect_all(&world, 1, 1, THRONG_ECANCELED);
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        assert_in_range(swarm_world_record(&world, i).messages, 0, 1);
    }
    swarm_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_that_the_peer_ends_can_be_made_again_and_again),
        cmocka_unit_test(the_reason_of_an_end_is_told),
        cmocka_unit_test(a_message_begun_before_an_end_is_not_continued_after_it),
        cmocka_unit_test(a_target_that_dies_in_the_middle_ends_every_connection),
        cmocka_unit_test(a_connection_that_a_handler_ended_says_nothing_more),
    };
    return cmocka_run_group_tests_name("swarm ends by peers", tests, start_echo, stop_echo);
}
