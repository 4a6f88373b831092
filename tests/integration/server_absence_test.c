/* SPDX-License-Identifier: MIT
 * A logic thread that is stuck, or a server that was away: what peers did or sent meanwhile, by the
 * rules, costs none of them anything, and the report of it comes and goes. */
#include <string.h>

#include "server_fixture.h"

#define PEERS 24
#define MESSAGE_BYTES 1000u

static uint8_t message[THRONG_FRAME_HEADER_BYTES + MESSAGE_BYTES];

/* Few receive buffers, so that unreleased events soon hold all of them. One mode with an I/O thread
 * of each backend is enough: the state is the worker's. */
static bool start(struct server_fixture *fixture)
{
    if (fixture->mode.io_threads != 1) {
        return false;
    }
    peer_frame_header(message, MESSAGE_BYTES);
    fixture->options.receive_buffers = 4;
    fixture->options.receive_buffer_bytes = 4096;
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    return true;
}

static void open_all(struct server_fixture *fixture, struct peer *peers)
{
    for (uint32_t i = 0; i < PEERS; i++) {
        (void)fixture_open(fixture, &peers[i]);
    }
}

static void send_from_all(const struct peer *peers)
{
    for (uint32_t i = 0; i < PEERS; i++) {
        assert_true(peer_send_all(&peers[i], message, sizeof(message), test_deadline_ms()));
    }
}

static void expect_nobody_lost(struct server_fixture *fixture, struct peer *peers,
                               uint64_t messages)
{
    FIXTURE_UNTIL(fixture, fixture->journal.messages == messages);
    assert_int_equal(fixture->journal.closed, 0);
    for (uint32_t i = 0; i < PEERS; i++) {
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
}

static void a_stuck_logic_thread_makes_nobody_idle(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    fixture->options.heartbeat_ms[0] = 400;
    if (!start(fixture)) {
        return;
    }
    open_all(fixture, peers);
    for (int i = 0; i < 10; i++) { /* the logic thread does not turn */
        send_from_all(peers);
        test_pause_us(200000);
    }
    expect_nobody_lost(fixture, peers, UINT64_C(10) * PEERS);
}

static void a_stuck_logic_thread_makes_no_slow_senders(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    fixture->options.message_timeout_ms = 1000;
    fixture->options.first_message_timeout_ms = 1000;
    if (!start(fixture)) {
        return;
    }
    open_all(fixture, peers);
    send_from_all(peers);
    test_pause_us(2000000);
    expect_nobody_lost(fixture, peers, PEERS);
}

static void who_has_sent_what_nobody_could_read_is_not_silent(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS], newcomer;
    fixture->options.max_connections = PEERS;
    fixture->options.evict_silent_ms = 500;
    if (!start(fixture)) {
        return;
    }
    open_all(fixture, peers);
    send_from_all(peers);
    test_pause_us(800000);
    fixture_connect(fixture, &newcomer); /* refused: every slot is taken */
    test_pause_us(200000);
    expect_nobody_lost(fixture, peers, PEERS);
    peer_close(&newcomer);
}

/* Ten a second where 15 are allowed, all at once for a server that was away. */
static void what_piled_up_meanwhile_is_over_nobodys_rate(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    if (fixture->mode.io_threads > 0) {
        return; /* inline: the logic thread's absence is the worker's */
    }
    fixture->options.messages_per_s = 15;
    fixture->options.when_over_rate = THRONG_WHEN_OVER_RATE_CLOSE;
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    (void)fixture_open(fixture, &peer);
    for (int i = 0; i < 20; i++) {
        assert_true(peer_send_frame(&peer, "x", 1, test_deadline_ms()));
        test_pause_us(100000);
    }
    FIXTURE_UNTIL(fixture, fixture->journal.messages == 20);
    assert_int_equal(fixture->journal.closed, 0);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void await_gauge(struct server_fixture *fixture, bool up)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while ((fixture_counters(fixture).logic_stalled_ms > 0) != up) {
        assert_true(test_now_ms() < deadline_ms);
        test_pause_us(10000);
    }
}

/* Also if the ring is empty by then: a flush from inside the event that took so long. */
static void the_gauge_falls_when_the_logic_thread_is_back(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_event event;
    struct peer peer;
    fixture->options.logic_stall_ms = 200;
    if (!start(fixture)) {
        return;
    }
    (void)fixture_open(fixture, &peer);
    assert_true(peer_send_frame(&peer, "x", 1, test_deadline_ms()));
    assert_int_equal(throng_get_event(fixture->server, &event, test_deadline_ms()), 1);
    await_gauge(fixture, true);
    throng_release_event(fixture->server, &event);
    throng_flush(fixture->server);
    assert_int_equal(throng_get_event(fixture->server, &event, 100), 0);
    await_gauge(fixture, false);
    assert_int_equal(fixture_counters(fixture).logic_stalls, 1);
    FIXTURE_UNTIL(fixture, strstr(fixture->log_last, "took no event for") != NULL);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stuck_logic_thread_makes_nobody_idle),
        cmocka_unit_test(a_stuck_logic_thread_makes_no_slow_senders),
        cmocka_unit_test(who_has_sent_what_nobody_could_read_is_not_silent),
        cmocka_unit_test(what_piled_up_meanwhile_is_over_nobodys_rate),
        cmocka_unit_test(the_gauge_falls_when_the_logic_thread_is_back),
    };
    return fixture_run_tests("server_absence", tests, sizeof(tests) / sizeof(tests[0]));
}
