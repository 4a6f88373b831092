/* SPDX-License-Identifier: MIT
 * Heartbeats: empty messages that the I/O threads send and answer, and that the game never sees. */
#include <string.h>

#include "server_fixture.h"

#define INTERVAL_MS 150

static void start(struct server_fixture *fixture, uint32_t interval_ms)
{
    fixture->options.heartbeat_ms[0] = interval_ms;
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
}

static uint64_t beats_received(const struct server_fixture *fixture)
{
    return fixture_counters(fixture).heartbeats_received;
}

static void expect_beat(struct server_fixture *fixture, const struct peer *peer)
{
    fixture_expect_frame(fixture, peer, "", 0);
}

static void a_silent_connection_is_asked_and_lives_while_it_answers(void **state)
{
    struct server_fixture *fixture = *state;
    start(fixture, INTERVAL_MS);
    struct peer peer;
    int64_t begun_ms = test_now_ms();
    (void)fixture_open(fixture, &peer);
    for (int64_t i = 1; i <= 5; i++) {
        expect_beat(fixture, &peer);
        assert_true(test_now_ms() - begun_ms >= i * INTERVAL_MS);
        fixture_send_frame(fixture, &peer, "", 0);
    }
    assert_true(fixture_counters(fixture).heartbeats_sent >= 5);
    assert_int_equal(fixture->journal.messages, 0);
    assert_int_equal(fixture->journal.closed, 0);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void one_that_does_not_answer_is_given_up_after_three_intervals(void **state)
{
    struct server_fixture *fixture = *state;
    start(fixture, INTERVAL_MS);
    struct peer peer;
    int64_t begun_ms = test_now_ms();
    (void)fixture_open(fixture, &peer);
    expect_beat(fixture, &peer);
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 1);
    assert_true(test_now_ms() - begun_ms >= 3 * INTERVAL_MS);
    assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_IDLE);
    assert_in_range(fixture_counters(fixture).heartbeats_sent, 1, 3); /* one an interval */
    fixture_expect_gone(fixture, &peer);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void a_peers_own_heartbeat_is_answered_and_no_event(void **state)
{
    struct server_fixture *fixture = *state;
    start(fixture, 86400000);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    for (int i = 0; i < 3; i++) {
        fixture_send_frame(fixture, &peer, "", 0);
        expect_beat(fixture, &peer);
    }
    fixture_send_frame(fixture, &peer, "word", 4);
    FIXTURE_UNTIL(fixture, fixture->journal.messages == 1);
    assert_int_equal(beats_received(fixture), 3);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* An answer to an answer would never end. */
static void an_answer_is_not_answered(void **state)
{
    struct server_fixture *fixture = *state;
    start(fixture, INTERVAL_MS);
    struct peer peer;
    int64_t begun_ms = test_now_ms();
    (void)fixture_open(fixture, &peer);
    expect_beat(fixture, &peer);
    fixture_send_frame(fixture, &peer, "", 0);
    FIXTURE_UNTIL(fixture, beats_received(fixture) == 1);
    /* One an interval, which is one unless the machine is busy. */
    uint64_t sent = fixture_counters(fixture).heartbeats_sent;
    assert_true(sent <= (uint64_t)(test_now_ms() - begun_ms) / INTERVAL_MS);
    expect_beat(fixture, &peer); /* the next one is in its time */
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void a_heartbeat_in_pieces_among_messages_is_found(void **state)
{
    static const uint8_t bytes[] = {0, 0, 0, 1, 'a', 0, 0, 0, 0, 0, 0, 0, 1, 'b', 0, 0, 0, 0};
    struct server_fixture *fixture = *state;
    start(fixture, 86400000);
    for (size_t cut = 1; cut < sizeof(bytes); cut++) {
        struct peer peer;
        uint64_t messages = fixture->journal.messages;
        (void)fixture_open(fixture, &peer);
        fixture_send(fixture, &peer, bytes, cut);
        fixture_turn_for(fixture, 2);
        fixture_send(fixture, &peer, bytes + cut, sizeof(bytes) - cut);
        FIXTURE_UNTIL(fixture, fixture->journal.messages == messages + 2);
        expect_beat(fixture, &peer);
        FIXTURE_UNTIL(fixture, beats_received(fixture) == 2 * cut);
        peer_close(&peer);
    }
    fixture_expect_settled(fixture);
}

/* The answer waits for the end of what is being sent, so that it lies between two messages. */
static void an_answer_never_cuts_a_message(void **state)
{
    static uint8_t payload[60000];
    struct server_fixture *fixture = *state;
    const struct peer_options small = {.receive_buffer_bytes = 4096};
    fixture->options.socket_send_bytes = 8192;
    start(fixture, 86400000);
    struct peer peer;
    assert_true(peer_connect(&peer, &fixture->address, &small));
    FIXTURE_UNTIL(fixture, fixture->journal.opened == 1);
    memset(payload, 'm', sizeof(payload));
    assert_int_equal(
        throng_write_data(fixture->server, fixture->last_open.conn, payload, sizeof(payload)), 0);
    throng_flush(fixture->server);
    while (!peer_await(&peer, true, false, 0)) {
        (void)fixture_turn(fixture, 1); /* the first bytes are on their way, the rest waits */
    }
    for (int i = 0; i < 5; i++) {
        fixture_send_frame(fixture, &peer, "", 0);
    }
    FIXTURE_UNTIL(fixture, beats_received(fixture) == 5);
    fixture_expect_frame(fixture, &peer, payload, sizeof(payload));
    expect_beat(fixture, &peer);
    assert_int_equal(fixture_counters(fixture).heartbeats_sent, 1); /* one answers all */
    assert_int_equal(throng_write_data(fixture->server, fixture->last_open.conn, "end", 3), 0);
    fixture_expect_frame(fixture, &peer, "end", 3);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

#define FLOOD 16384u

static void a_flood_of_heartbeats_is_answered_with_few(void **state)
{
    static const uint8_t beats[FLOOD * THRONG_FRAME_HEADER_BYTES];
    struct server_fixture *fixture = *state;
    start(fixture, 86400000);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    fixture_send(fixture, &peer, beats, sizeof(beats));
    FIXTURE_UNTIL(fixture, beats_received(fixture) == FLOOD);
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).heartbeats_sent > 0);
    assert_in_range(fixture_counters(fixture).heartbeats_sent, 1, 5);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* They are the I/O threads' affair, so a game that is stuck disconnects nobody. */
static void heartbeats_go_on_while_the_logic_thread_is_stuck(void **state)
{
    struct server_fixture *fixture = *state;
    if (fixture->mode.io_threads == 0) {
        return; /* inline, the logic thread is the one that would answer */
    }
    start(fixture, INTERVAL_MS);
    struct peer peer;
    uint8_t empty[1];
    (void)fixture_open(fixture, &peer);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(peer_receive_frame(&peer, empty, sizeof(empty), test_deadline_ms()), 0);
        assert_true(peer_send_frame(&peer, "", 0, test_deadline_ms()));
    }
    fixture_turn_for(fixture, 1);
    assert_int_equal(fixture->journal.closed, 0);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* The peer would answer it, and we the answer, without end. */
static void the_game_cannot_send_an_empty_message_where_it_is_a_heartbeat(void **state)
{
    struct server_fixture *fixture = *state;
    start(fixture, 86400000);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    assert_int_equal(throng_write_data(fixture->server, conn, "", 0), THRONG_EINVAL);
    assert_int_equal(throng_write_data(fixture->server, conn, NULL, 0), THRONG_EINVAL);
    assert_int_equal(throng_write_data(fixture->server, conn, "word", 4), 0);
    assert_int_equal(throng_write_data(fixture->server, conn, "", 0), THRONG_EINVAL);
    fixture_expect_frame(fixture, &peer, "word", 4);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* DROP_OLDEST keeps messages at the logic thread while others are on their way. */
static void heartbeats_go_on_while_messages_are_held(void **state)
{
    static uint8_t payload[60000], received[60000];
    struct server_fixture *fixture = *state;
    const struct peer_options small = {.receive_buffer_bytes = 4096};
    if (fixture->mode.io_threads != 1) {
        return;
    }
    fixture->options.when_send_full = THRONG_WHEN_SEND_FULL_DROP_OLDEST;
    fixture->options.socket_send_bytes = 8192;
    start(fixture, INTERVAL_MS);
    struct peer peer;
    assert_true(peer_connect(&peer, &fixture->address, &small));
    FIXTURE_UNTIL(fixture, fixture->journal.opened == 1);
    throng_conn conn = fixture->last_open.conn;
    assert_int_equal(throng_write_data(fixture->server, conn, payload, sizeof(payload)), 0);
    throng_flush(fixture->server);
    assert_true(peer_await(&peer, true, false, test_deadline_ms()));
    assert_int_equal(throng_write_data(fixture->server, conn, payload, 100), 0);
    throng_flush(fixture->server);
    /* From here the logic thread is stuck. */
    assert_int_equal(peer_receive_frame(&peer, received, sizeof(received), test_deadline_ms()),
                     sizeof(payload));
    for (int beats = 0; beats < 3;) {
        ptrdiff_t size = peer_receive_frame(&peer, received, sizeof(received), test_deadline_ms());
        assert_true(size == 0 || size == 100); /* the held one, if the first was home in time */
        beats += size == 0 ? 1 : 0;
        assert_true(peer_send_frame(&peer, "", 0, test_deadline_ms()));
    }
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void without_the_option_an_empty_message_is_a_message(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    fixture_expect_echo(fixture, &peer, "", 0);
    assert_int_equal(fixture->journal.messages, 1);
    assert_int_equal(beats_received(fixture), 0);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_connection_is_asked_and_lives_while_it_answers),
        cmocka_unit_test(one_that_does_not_answer_is_given_up_after_three_intervals),
        cmocka_unit_test(a_peers_own_heartbeat_is_answered_and_no_event),
        cmocka_unit_test(an_answer_is_not_answered),
        cmocka_unit_test(a_heartbeat_in_pieces_among_messages_is_found),
        cmocka_unit_test(an_answer_never_cuts_a_message),
        cmocka_unit_test(a_flood_of_heartbeats_is_answered_with_few),
        cmocka_unit_test(heartbeats_go_on_while_the_logic_thread_is_stuck),
        cmocka_unit_test(the_game_cannot_send_an_empty_message_where_it_is_a_heartbeat),
        cmocka_unit_test(heartbeats_go_on_while_messages_are_held),
        cmocka_unit_test(without_the_option_an_empty_message_is_a_message),
    };
    return fixture_run_tests("server_heartbeat", tests, sizeof(tests) / sizeof(tests[0]));
}
