/* SPDX-License-Identifier: MIT
 * The graceful end of a server: what was written is delivered, every connection is reported once,
 * and the end comes in time whatever a peer does. */
#include <stdlib.h>
#include <string.h>

#include <throng/room.h>

#include "pattern.h"
#include "server_fixture.h"

#define PEERS 20u
#define REPLY 60000u

/* Limits of a drain. A short one leaves a busy machine time for what has to come before it, and is
 * late by seconds at most; nobody waits for a long one. */
#define SHORT_MS 1000
#define LATE_MS 6000
#define LONG_MS 60000

static void write_reply(struct server_fixture *fixture, throng_conn conn, uint32_t number)
{
    uint8_t reply[REPLY];
    test_fill_pattern(reply, sizeof(reply), number);
    assert_int_equal(throng_write_data(fixture->server, conn, reply, sizeof(reply)), 0);
}

static void expect_reply(struct server_fixture *fixture, const struct peer *peer, uint32_t number)
{
    uint8_t reply[REPLY];
    test_fill_pattern(reply, sizeof(reply), number);
    fixture_expect_frame(fixture, peer, reply, sizeof(reply));
}

static void expect_stopped(struct server_fixture *fixture)
{
    FIXTURE_UNTIL(fixture, fixture->answer == THRONG_ESTOPPED);
    assert_int_equal(fixture_turn(fixture, 1000), THRONG_ESTOPPED); /* and again, at once */
    struct throng_event event;
    assert_int_equal(throng_get_event(fixture->server, &event, -1), THRONG_ESTOPPED);
    assert_int_equal(journal_live(&fixture->journal), 0);
}

static void a_drain_delivers_what_was_written_and_then_stops(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    fixture_start(fixture);
    for (uint32_t i = 0; i < PEERS; i++) {
        write_reply(fixture, fixture_open(fixture, &peers[i]), i);
    }
    throng_server_drain(fixture->server, (uint32_t)test_deadline_ms());
    for (uint32_t i = 0; i < PEERS; i++) {
        expect_reply(fixture, &peers[i], i);
        fixture_expect_end(fixture, &peers[i]);
        peer_close(&peers[i]);
    }
    expect_stopped(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_DRAINED], PEERS);
    struct throng_counters counters = fixture_counters(fixture);
    assert_int_equal(counters.accepted, PEERS);
    assert_int_equal(counters.closed, PEERS);
    assert_int_equal(counters.connections, 0);
    assert_int_equal(counters.bytes_dropped, 0);
}

/* A busy machine may make it late by accident, but not each time. */
static void a_drain_of_an_idle_server_stops_at_once(void **state)
{
    struct server_fixture *fixture = *state;
    bool at_once = false;
    for (int attempt = 0; attempt < 20 && !at_once; attempt++) {
        fixture->answer = 0;
        fixture_start(fixture);
        int64_t begin_ms = test_now_ms();
        throng_server_drain(fixture->server, LONG_MS);
        expect_stopped(fixture);
        at_once = test_now_ms() - begin_ms < 1000;
        fixture_stop(fixture);
    }
    assert_true(at_once);
}

/* Each peer has said something, the drain has begun, and the replies are written `pause_ms`
 * later. */
static void drain_and_answer(struct server_fixture *fixture, int pause_ms)
{
    struct peer peers[PEERS];
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    for (uint32_t i = 0; i < PEERS; i++) {
        (void)fixture_open(fixture, &peers[i]);
    }
    fixture->keep = true;
    for (uint32_t i = 0; i < PEERS; i++) {
        assert_true(peer_send_frame(&peers[i], &i, sizeof(i), test_deadline_ms()));
    }
    FIXTURE_UNTIL(fixture, fixture->kept_count == PEERS);
    throng_server_drain(fixture->server, (uint32_t)test_deadline_ms());
    if (pause_ms > 0) {
        fixture_turn_for(fixture, pause_ms);
    }
    for (size_t i = 0; i < PEERS; i++) {
        const struct throng_event *event = &fixture->kept[i];
        assert_int_equal(throng_write_data(fixture->server, event->conn, event->data, event->size),
                         0);
    }
    fixture->keep = false;
    fixture_release_kept(fixture);
    for (uint32_t i = 0; i < PEERS; i++) {
        fixture_expect_frame(fixture, &peers[i], &i, sizeof(i));
        fixture_expect_end(fixture, &peers[i]);
        peer_close(&peers[i]);
    }
    expect_stopped(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_DRAINED], PEERS);
    assert_int_equal(fixture_counters(fixture).bytes_dropped, 0);
}

static void messages_received_before_a_drain_are_still_answered(void **state)
{
    drain_and_answer(*state, 20);
}

/* All three calls before the worker has heard of the first: the drain is in front of the reply, and
 * the release that follows the reply is seen before both. */
static void a_reply_written_right_after_the_drain_is_delivered(void **state)
{
    drain_and_answer(*state, 0);
}

static void the_deadline_resets_a_peer_that_does_not_read(void **state)
{
    struct server_fixture *fixture = *state;
    const struct peer_options narrow = {.receive_buffer_bytes = 4096};
    fixture->options.socket_send_bytes = 16 * 1024;
    fixture_start(fixture);
    struct peer deaf;
    assert_true(peer_connect(&deaf, &fixture->address, &narrow));
    FIXTURE_UNTIL(fixture, fixture->journal.opened == 1);
    write_reply(fixture, fixture->last_open.conn, 0);
    struct peer good;
    write_reply(fixture, fixture_open(fixture, &good), 1);
    int64_t begin_ms = test_now_ms();
    throng_server_drain(fixture->server, SHORT_MS);
    expect_reply(fixture, &good, 1);
    fixture_expect_end(fixture, &good);
    peer_close(&good);
    expect_stopped(fixture);
    int64_t elapsed_ms = test_now_ms() - begin_ms;
    assert_true(elapsed_ms >= SHORT_MS - 1);
    assert_true(elapsed_ms < LATE_MS);
    fixture_expect_reset(fixture, &deaf);
    peer_close(&deaf);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_DRAINED], 2);
    assert_non_null(strstr(fixture->log_last, "over its deadline: 1 connections"));
}

/* A member of a room that drops the oldest has two chains at its worker; the log tells of both. */
static void the_deadline_counts_what_waits_behind_the_queue(void **state)
{
    struct server_fixture *fixture = *state;
    const struct peer_options narrow = {.receive_buffer_bytes = 4096};
    static const uint8_t message[REPLY];
    throng_room room;
    struct peer deaf;
    fixture->options.socket_send_bytes = 16 * 1024;
    fixture->options.when_send_full = THRONG_WHEN_SEND_FULL_DROP_OLDEST;
    fixture_start(fixture);
    assert_true(peer_connect(&deaf, &fixture->address, &narrow));
    FIXTURE_UNTIL(fixture, fixture->journal.opened == 1);
    assert_int_equal(throng_room_create(fixture->server, &room), 0);
    assert_int_equal(throng_room_join(fixture->server, room, fixture->last_open.conn), 0);
    while (fixture_counters(fixture).messages_dropped == 0) {
        int result;
        FIXTURE_UNTIL(fixture, (result = throng_room_broadcast(fixture->server, room, message,
                                                               sizeof(message), THRONG_NOBODY)) !=
                                   THRONG_EAGAIN);
        assert_int_equal(result, 0);
        (void)fixture_turn(fixture, 0);
    }
    throng_server_drain(fixture->server, 50);
    expect_stopped(fixture);
    const char *told = strstr(fixture->log_last, "were reset, ");
    assert_non_null(told);
    /* The system may have taken some of it after it was told. */
    uint64_t bytes = strtoull(told + strlen("were reset, "), NULL, 10);
    assert_true(bytes >= fixture_counters(fixture).bytes_dropped);
    assert_true(fixture_counters(fixture).bytes_dropped > sizeof(message));
    peer_close(&deaf);
}

static void the_deadline_ends_a_peer_that_never_ends(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    int64_t begin_ms = test_now_ms();
    throng_server_drain(fixture->server, SHORT_MS);
    fixture_expect_end(fixture, &peer); /* our end is there at once; its own end does not come */
    expect_stopped(fixture);
    assert_true(test_now_ms() - begin_ms < LATE_MS);
    peer_close(&peer);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_DRAINED], 1);
}

static void a_second_drain_only_shortens_the_deadline(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    int64_t begin_ms = test_now_ms();
    throng_server_drain(fixture->server, LONG_MS);
    fixture_turn_for(fixture, 20);
    assert_int_equal(fixture->journal.closed, 0);
    throng_server_drain(fixture->server, 100);
    throng_server_drain(fixture->server, LONG_MS);
    expect_stopped(fixture);
    assert_true(test_now_ms() - begin_ms < LATE_MS);
    peer_close(&peer);
    assert_int_equal(fixture->journal.closed, 1);
}

static void nobody_gets_in_during_a_drain(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    throng_server_drain(fixture->server, (uint32_t)test_deadline_ms());
    fixture_expect_end(fixture, &peer);
    struct peer late;
    if (peer_connect(&late, &fixture->address, NULL)) {
        /* One worker may have been slower to hear of it: then it is one more to drain. */
        fixture_expect_gone(fixture, &late);
        peer_close(&late);
    }
    peer_close(&peer);
    expect_stopped(fixture);
    assert_true(fixture->journal.opened <= 2);
    assert_false(peer_connect(&late, &fixture->address, NULL));
}

static void connections_already_closing_keep_their_own_reason(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    assert_int_equal(throng_close(fixture->server, conn), 0);
    journal_note_closing(&fixture->journal, conn);
    throng_server_drain(fixture->server, (uint32_t)test_deadline_ms());
    fixture_expect_end(fixture, &peer);
    peer_close(&peer);
    expect_stopped(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_LOCAL], 1);
}

static void a_new_server_starts_after_a_drain(void **state)
{
    struct server_fixture *fixture = *state;
    for (uint32_t i = 0; i < 5; i++) {
        struct peer peer;
        fixture->answer = 0;
        fixture_start(fixture);
        fixture_connect(fixture, &peer);
        fixture_expect_echo(fixture, &peer, "again", 5);
        throng_server_drain(fixture->server, (uint32_t)test_deadline_ms());
        fixture_expect_end(fixture, &peer);
        peer_close(&peer);
        expect_stopped(fixture);
        fixture_stop(fixture);
    }
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_DRAINED], 5);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drain_delivers_what_was_written_and_then_stops),
        cmocka_unit_test(a_drain_of_an_idle_server_stops_at_once),
        cmocka_unit_test(messages_received_before_a_drain_are_still_answered),
        cmocka_unit_test(a_reply_written_right_after_the_drain_is_delivered),
        cmocka_unit_test(the_deadline_resets_a_peer_that_does_not_read),
        cmocka_unit_test(the_deadline_counts_what_waits_behind_the_queue),
        cmocka_unit_test(the_deadline_ends_a_peer_that_never_ends),
        cmocka_unit_test(a_second_drain_only_shortens_the_deadline),
        cmocka_unit_test(nobody_gets_in_during_a_drain),
        cmocka_unit_test(connections_already_closing_keep_their_own_reason),
        cmocka_unit_test(a_new_server_starts_after_a_drain),
    };
    return fixture_run_tests("server_drain", tests, sizeof(tests) / sizeof(tests[0]));
}
