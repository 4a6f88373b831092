/* SPDX-License-Identifier: MIT
 * Heartbeats of a swarm: asked, answered, given up, and never a storm. Where a time is not what is
 * tested, the interval is a minute. */
#include <string.h>

#include <throng/swarm.h>

#include "check.h"
#include "echo_host.h"
#include "peer.h"
#include "stopwatch.h"
#include "swarm_world.h"

#define MINUTE_MS 60000u

static uint8_t zeros[300000];

/* One connection to a peer of the test's. */
struct duet {
    struct swarm_world world;
    struct host host;
    struct peer peer;
};

static void open_duet(struct duet *duet, uint32_t heartbeat_ms)
{
    assert_true(host_open(&duet->host, THRONG_ADDRESS_IPV4));
    swarm_world_open_options(&duet->world, 1, duet->host.endpoint);
    duet->world.options.heartbeat_ms = heartbeat_ms;
    swarm_world_start(&duet->world);
    assert_true(host_accept(&duet->host, &duet->peer, test_deadline_ms()));
    swarm_world_await(&duet->world, &duet->world.opens, 1);
}

static void close_duet(struct duet *duet)
{
    swarm_world_close(&duet->world);
    peer_close(&duet->peer);
    host_close(&duet->host);
}

static void send_bytes(const struct duet *duet, const void *bytes, size_t size)
{
    assert_true(peer_send_all(&duet->peer, bytes, size, test_deadline_ms()));
}

static void expect_bytes(const struct duet *duet, const void *bytes, size_t size)
{
    uint8_t got[16];
    assert_true(size <= sizeof(got));
    assert_true(peer_receive_all(&duet->peer, got, size, test_deadline_ms()));
    assert_memory_equal(got, bytes, size);
}

static void say_x(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    (void)world;
    assert_int_equal(throng_swarm_write(thread, 0, "x", 1), 0);
}

/* ---- answers ---- */

static void empty_messages_are_answered_and_not_handed_up(void **state)
{
    struct duet duet;
    (void)state;
    open_duet(&duet, MINUTE_MS);
    for (int i = 0; i < 3; i++) {
        send_bytes(&duet, "\0\0\0\0", 4);
        expect_bytes(&duet, "\0\0\0\0", 4);
    }
    send_bytes(&duet, "\0\0\0\0\0\0\0\2hi\0\0\0\0", 14);
    swarm_world_await(&duet.world, &duet.world.messages, 1);
    expect_bytes(&duet, "\0\0\0\0", 4);
    swarm_world_run(&duet.world, say_x);
    expect_bytes(&duet, "\0\0\0\1x", 5); /* one answer to both */
    assert_int_equal(swarm_world_read(&duet.world, &duet.world.messages), 1);
    assert_int_equal(swarm_world_record(&duet.world, 0).bytes, 2);
    close_duet(&duet);
}

static void without_heartbeats_empty_messages_are_messages(void **state)
{
    struct duet duet;
    (void)state;
    open_duet(&duet, 0);
    send_bytes(&duet, zeros, 400);
    swarm_world_await(&duet.world, &duet.world.messages, 100);
    swarm_world_run(&duet.world, say_x);
    expect_bytes(&duet, "\0\0\0\1x", 5);
    close_duet(&duet);
}

static void write_nothing(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    int *result = world->context;
    *result = throng_swarm_write(thread, 0, NULL, 0);
}

static void an_empty_message_cannot_be_written(void **state)
{
    struct duet duet;
    int result = 0;
    (void)state;
    open_duet(&duet, MINUTE_MS);
    duet.world.context = &result;
    swarm_world_run(&duet.world, write_nothing);
    assert_int_equal(result, THRONG_EINVAL);
    close_duet(&duet);
}

/* ---- our own ---- */

static void a_heartbeat_goes_out_after_an_interval_without_a_send(void **state)
{
    struct duet duet;
    (void)state;
    int64_t begin_ms = test_now_ms();
    open_duet(&duet, 150);
    expect_bytes(&duet, "\0\0\0\0", 4);
    assert_in_range(test_now_ms() - begin_ms, 149, test_deadline_ms());
    send_bytes(&duet, "\0\0\0\0", 4); /* the answer is not answered: that would come at once */
    expect_bytes(&duet, "\0\0\0\0", 4);
    assert_in_range(test_now_ms() - begin_ms, 299, test_deadline_ms());
    close_duet(&duet);
}

static void do_nothing(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    (void)world;
    (void)thread;
}

static void a_silent_peer_is_given_up_after_three_intervals(void **state)
{
    struct duet duet;
    (void)state;
    open_duet(&duet, 60);
    int64_t begin_ms = test_now_ms();
    send_bytes(&duet, "\0\0\0\3bye\0\0", 9);
    swarm_world_await(&duet.world, &duet.world.closes, 1);
    assert_in_range(test_now_ms() - begin_ms, 179, test_deadline_ms());
    struct swarm_record record = swarm_world_record(&duet.world, 0);
    assert_int_equal(record.error, THRONG_ETIMEDOUT);
    assert_int_equal(record.messages, 1);
    assert_int_equal(peer_await_end(&duet.peer, test_deadline_ms()), PEER_RESET);
    swarm_world_run(&duet.world, do_nothing);
    assert_int_equal(swarm_world_read(&duet.world, &duet.world.closes), 1);
    close_duet(&duet);
}

static void stay_away(struct swarm_world *world, struct throng_swarm_thread *thread, uint32_t index,
                      const void *data, size_t size)
{
    const struct duet *duet = world->context;
    (void)thread;
    (void)index;
    (void)data;
    if (size == 1) {
        (void)peer_send_all(&duet->peer, "\0\0\0\2bc", 6, test_deadline_ms());
        test_pause_us(800000);
    }
}

/* A handler that takes long is our own absence. */
static void our_own_absence_is_not_held_against_the_peer(void **state)
{
    struct duet duet;
    (void)state;
    open_duet(&duet, 200);
    duet.world.context = &duet;
    duet.world.on_message = stay_away;
    swarm_world_run(&duet.world, do_nothing); /* its thread knows */
    send_bytes(&duet, "\0\0\0\1a", 5);
    swarm_world_await(&duet.world, &duet.world.messages, 2);
    assert_int_equal(swarm_world_read(&duet.world, &duet.world.closes), 0);
    close_duet(&duet);
}

static void leave(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    (void)world;
    assert_int_equal(throng_swarm_disconnect(thread, 0, false), 0);
}

static void a_disconnect_says_nothing_more(void **state)
{
    struct duet duet;
    (void)state;
    open_duet(&duet, MINUTE_MS);
    swarm_world_run(&duet.world, leave);
    assert_true(peer_send_all(&duet.peer, zeros, 400, test_deadline_ms()));
    assert_int_equal(peer_await_end(&duet.peer, test_deadline_ms()), PEER_END);
    peer_close(&duet.peer);
    swarm_world_await(&duet.world, &duet.world.closes, 1);
    assert_int_equal(swarm_world_record(&duet.world, 0).error, THRONG_ECANCELED);
    close_duet(&duet);
}

/* ---- floods and storms ---- */

/* Who answers every flood, and reads nothing, gets at most as much as the system buffers. */
static void a_flood_of_a_peer_that_reads_nothing_costs_no_memory(void **state)
{
    struct duet duet;
    (void)state;
    open_duet(&duet, MINUTE_MS);
    for (uint32_t round = 1; round <= 20; round++) {
        send_bytes(&duet, zeros, sizeof(zeros));
        send_bytes(&duet, "\0\0\0\1a", 5);
        swarm_world_await(&duet.world, &duet.world.messages, round);
    }
    swarm_world_run(&duet.world, say_x);
    /* Each answer is to one receive at least, and those are of 64 KiB if there is as much. */
    uint64_t answers = 0;
    uint8_t bytes[4] = {0};
    while (bytes[3] == 0) {
        assert_true(peer_receive_all(&duet.peer, bytes, 4, test_deadline_ms()));
        answers += bytes[3] == 0;
    }
    printf("%u answers to %u heartbeats\n", (unsigned)answers, (unsigned)(sizeof(zeros) / 4 * 20));
    assert_in_range(answers, 1, sizeof(zeros) / 4 * 20 / 10);
    assert_int_equal(swarm_world_read(&duet.world, &duet.world.closes), 0);
    close_duet(&duet);
}

/* Of a host that did not run for too long. */
static void connect_again(struct swarm_world *world, struct throng_swarm_thread *thread,
                          uint32_t index, int error)
{
    (void)world;
    (void)error;
    (void)throng_swarm_connect(thread, index);
}

/* An echo sends our heartbeats back, and so do the ends that answer them. A storm would go round as
 * fast as the machine can. */
static void an_echo_of_heartbeats_makes_no_storm(void **state)
{
    struct echo_host echo;
    struct swarm_world world;
    (void)state;
    assert_true(echo_host_start(&echo, THRONG_ADDRESS_IPV4));
    swarm_world_open_options(&world, 50, echo.host.endpoint);
    world.options.threads = 2;
    world.options.heartbeat_ms = 100;
    world.on_closed = connect_again;
    int64_t begin_ms = test_now_ms();
    swarm_world_start(&world);
    swarm_world_await(&world, &world.opens, 50);
    while (atomic_load(&echo.bytes) < UINT64_C(50) * 4 * 5) {
        assert_true(test_now_ms() - begin_ms < test_deadline_ms());
        test_pause_us(1000);
    }
    uint64_t bytes = atomic_load(&echo.bytes);
    int64_t took_ms = test_now_ms() - begin_ms;
    assert_true(took_ms >= 499);
    assert_true(bytes <= UINT64_C(50) * 4 * ((uint64_t)took_ms / 100 + 1));
    assert_int_equal(swarm_world_read(&world, &world.messages), 0);
    swarm_world_close(&world);
    echo_host_stop(&echo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_messages_are_answered_and_not_handed_up),
        cmocka_unit_test(without_heartbeats_empty_messages_are_messages),
        cmocka_unit_test(an_empty_message_cannot_be_written),
        cmocka_unit_test(a_heartbeat_goes_out_after_an_interval_without_a_send),
        cmocka_unit_test(a_silent_peer_is_given_up_after_three_intervals),
        cmocka_unit_test(our_own_absence_is_not_held_against_the_peer),
        cmocka_unit_test(a_disconnect_says_nothing_more),
        cmocka_unit_test(a_flood_of_a_peer_that_reads_nothing_costs_no_memory),
        cmocka_unit_test(an_echo_of_heartbeats_makes_no_storm),
    };
    return cmocka_run_group_tests_name("swarm heartbeats", tests, NULL, NULL);
}
