/* SPDX-License-Identifier: MIT
 * A graceful disconnect while much is still to be sent: everything arrives though the peer has
 * ended its own direction, and where it cannot arrive, on_closed says so. */
#include <string.h>

#include <throng/swarm.h>

#include "check.h"
#include "host.h"
#include "peer.h"
#include "stopwatch.h"
#include "swarm_world.h"

/* More than the system takes from us while the peer does not read: at most tcp_wmem's 4 MiB and the
 * narrow receive buffer of the peer. And not much more: on a busy machine, too, it has to be
 * through in the five seconds that a disconnect has. */
#define MESSAGES 100u
#define MESSAGE_BYTES 65000u
#define WINDOW_BYTES 65536 /* narrow, and wide enough for that */

static uint8_t payload[MESSAGE_BYTES];

struct flush {
    struct swarm_world world;
    struct host host;
    struct peer peer;
    int64_t start_ms; /* before the connection was up */
};

static void write_all_and_leave(struct swarm_world *world, struct throng_swarm_thread *thread,
                                uint32_t index)
{
    (void)world;
    for (uint32_t i = 0; i < MESSAGES; i++) {
        memset(payload, (int)i, sizeof(payload));
        if (throng_swarm_write(thread, index, payload, sizeof(payload)) != 0) {
            abort();
        }
    }
    if (throng_swarm_disconnect(thread, index, false) != 0) {
        abort();
    }
}

static int begin(void **state)
{
    static struct flush flush;
    if (!host_open_narrow(&flush.host, WINDOW_BYTES)) {
        return -1;
    }
    swarm_world_open_options(&flush.world, 1, flush.host.endpoint);
    flush.world.options.send_queue_bytes_max = 32 * 1024 * 1024;
    flush.world.options.send_bytes = 64 * 1024 * 1024;
    flush.world.on_open = write_all_and_leave;
    flush.start_ms = test_now_ms();
    swarm_world_start(&flush.world);
    *state = &flush;
    return host_accept(&flush.host, &flush.peer, test_deadline_ms()) ? 0 : -1;
}

static int end(void **state)
{
    struct flush *flush = *state;
    swarm_world_close(&flush->world);
    peer_close(&flush->peer);
    host_close(&flush->host);
    return 0;
}

static void do_nothing(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    (void)world;
    (void)thread;
}

/* What lies in the system now has been taken notice of: one turn fetches it, the next is begun. */
static void take_turns(struct swarm_world *world)
{
    swarm_world_run(world, do_nothing);
    swarm_world_run(world, do_nothing);
}

static void expect_everything(const struct peer *peer)
{
    static uint8_t frame[MESSAGE_BYTES];
    for (uint32_t i = 0; i < MESSAGES; i++) {
        assert_int_equal(peer_receive_frame(peer, frame, sizeof(frame), test_deadline_ms()),
                         MESSAGE_BYTES);
        assert_int_equal(frame[0], i);
        assert_int_equal(frame[MESSAGE_BYTES - 1], i);
    }
}

static void expect_closed(struct swarm_world *world, int error)
{
    swarm_world_await(world, &world->closes, 1);
    struct swarm_record record = swarm_world_record(world, 0);
    assert_int_equal(record.opens, 1);
    assert_int_equal(record.closes, 1);
    assert_int_equal(record.messages, 0);
    assert_string_equal(throng_error_name(record.error), throng_error_name(error));
    assert_int_equal(throng_swarm_connected(world->swarm), 0);
}

static void everything_arrives_though_the_peer_has_ended_its_direction_first(void **state)
{
    struct flush *flush = *state;
    swarm_world_await(&flush->world, &flush->world.opens, 1);
    peer_finish(&flush->peer);
    take_turns(&flush->world);
    assert_int_equal(swarm_world_read(&flush->world, &flush->world.closes), 0);
    expect_everything(&flush->peer);
    assert_int_equal(peer_await_end(&flush->peer, test_deadline_ms()), PEER_END);
    expect_closed(&flush->world, THRONG_ECANCELED);
}

static void connect_again(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    (void)world;
    if (throng_swarm_connect(thread, 0) != 0) {
        abort();
    }
}

static void the_next_disconnect_waits_for_its_own_peer(void **state)
{
    struct flush *flush = *state;
    swarm_world_await(&flush->world, &flush->world.opens, 1);
    peer_finish(&flush->peer);
    take_turns(&flush->world);
    expect_everything(&flush->peer);
    expect_closed(&flush->world, THRONG_ECANCELED);
    peer_close(&flush->peer);

    swarm_world_run(&flush->world, connect_again);
    assert_true(host_accept(&flush->host, &flush->peer, test_deadline_ms()));
    expect_everything(&flush->peer);
    assert_int_equal(peer_await_end(&flush->peer, test_deadline_ms()), PEER_END);
    take_turns(&flush->world);
    assert_int_equal(swarm_world_read(&flush->world, &flush->world.closes), 1);
    peer_finish(&flush->peer);
    swarm_world_await(&flush->world, &flush->world.closes, 2);
    assert_int_equal(swarm_world_record(&flush->world, 0).error, THRONG_ECANCELED);
}

static void what_the_peer_says_meanwhile_is_dropped(void **state)
{
    struct flush *flush = *state;
    for (uint32_t i = 0; i < 20; i++) {
        assert_true(peer_send_frame(&flush->peer, "too late", 8, test_deadline_ms()));
    }
    take_turns(&flush->world);
    expect_everything(&flush->peer);
    assert_int_equal(peer_await_end(&flush->peer, test_deadline_ms()), PEER_END);
    assert_true(peer_send_frame(&flush->peer, "and later", 9, test_deadline_ms()));
    take_turns(&flush->world);
    peer_finish(&flush->peer);
    expect_closed(&flush->world, THRONG_ECANCELED);
}

static void half_a_message_of_the_peer_takes_nothing_from_a_disconnect(void **state)
{
    struct flush *flush = *state;
    expect_everything(&flush->peer);
    assert_int_equal(peer_await_end(&flush->peer, test_deadline_ms()), PEER_END);
    assert_true(peer_send_all(&flush->peer, "\0\0\1", 3, test_deadline_ms()));
    peer_finish(&flush->peer);
    expect_closed(&flush->world, THRONG_ECANCELED);
}

static void a_reset_before_everything_was_sent_is_told(void **state)
{
    struct flush *flush = *state;
    swarm_world_await(&flush->world, &flush->world.opens, 1);
    take_turns(&flush->world);
    peer_reset(&flush->peer);
    expect_closed(&flush->world, THRONG_ECONNRESET);
}

static void a_reset_after_everything_was_sent_is_an_end_like_any_other(void **state)
{
    struct flush *flush = *state;
    expect_everything(&flush->peer);
    assert_int_equal(peer_await_end(&flush->peer, test_deadline_ms()), PEER_END);
    peer_reset(&flush->peer);
    expect_closed(&flush->world, THRONG_ECANCELED);
}

static void a_peer_that_reads_nothing_is_given_five_seconds(void **state)
{
    struct flush *flush = *state;
    swarm_world_await(&flush->world, &flush->world.opens, 1);
    expect_closed(&flush->world, THRONG_ETIMEDOUT);
    assert_true(test_now_ms() - flush->start_ms >= 4990); /* timers tick in milliseconds */
}

static void break_off(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    (void)world;
    if (throng_swarm_disconnect(thread, 0, true) != 0) {
        abort();
    }
}

static void an_abort_ends_a_disconnect_that_takes_too_long(void **state)
{
    struct flush *flush = *state;
    swarm_world_await(&flush->world, &flush->world.opens, 1);
    take_turns(&flush->world);
    assert_int_equal(swarm_world_read(&flush->world, &flush->world.closes), 0);
    swarm_world_run(&flush->world, break_off);
    expect_closed(&flush->world, THRONG_ECANCELED);
    assert_int_equal(peer_await_end(&flush->peer, test_deadline_ms()), PEER_RESET);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            everything_arrives_though_the_peer_has_ended_its_direction_first, begin, end),
        cmocka_unit_test_setup_teardown(the_next_disconnect_waits_for_its_own_peer, begin, end),
        cmocka_unit_test_setup_teardown(what_the_peer_says_meanwhile_is_dropped, begin, end),
        cmocka_unit_test_setup_teardown(half_a_message_of_the_peer_takes_nothing_from_a_disconnect,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_reset_before_everything_was_sent_is_told, begin, end),
        cmocka_unit_test_setup_teardown(a_reset_after_everything_was_sent_is_an_end_like_any_other,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_peer_that_reads_nothing_is_given_five_seconds, begin,
                                        end),
        cmocka_unit_test_setup_teardown(an_abort_ends_a_disconnect_that_takes_too_long, begin, end),
    };
    return cmocka_run_group_tests_name("swarm flushes", tests, NULL, NULL);
}
