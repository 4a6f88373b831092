/* SPDX-License-Identifier: MIT
 * What a peer must do in time, and what it has no hurry with. A deadline never comes early; how
 * late it comes is the machine's affair. */
#include <stdlib.h>
#include <string.h>

#include "pattern.h"
#include "server_fixture.h"

#define DEADLINE_MS 200

/* Not for these peers. */
static void switch_off(struct server_fixture *fixture)
{
    fixture->options.first_message_timeout_ms = THRONG_OFF;
    fixture->options.message_timeout_ms = THRONG_OFF;
    fixture->options.write_timeout_ms = THRONG_OFF;
}

static void expect_closed(struct server_fixture *fixture, uint64_t count,
                          enum throng_close_reason reason)
{
    FIXTURE_UNTIL(fixture, fixture->journal.closed == count);
    assert_int_equal(fixture->last_closed.reason, reason);
    assert_int_equal(throng_server_closed_count(fixture->server, reason), count);
}

static void who_connects_and_says_nothing_is_closed(void **state)
{
    struct server_fixture *fixture = *state;
    switch_off(fixture);
    fixture->options.first_message_timeout_ms = DEADLINE_MS;
    fixture_start(fixture);
    struct peer speaker, silent;
    (void)fixture_open(fixture, &speaker);
    fixture_expect_echo(fixture, &speaker, "", 0); /* an empty message is one */
    int64_t begun_ms = test_now_ms();
    fixture_connect(fixture, &silent);
    expect_closed(fixture, 1, THRONG_CLOSE_FIRST_MESSAGE);
    assert_true(test_now_ms() - begun_ms >= DEADLINE_MS);
    fixture_expect_gone(fixture, &silent);
    fixture_expect_echo(fixture, &speaker, "here", 4);
    peer_close(&silent);
    peer_close(&speaker);
    fixture_expect_settled(fixture);
}

static void half_a_first_message_is_none(void **state)
{
    struct server_fixture *fixture = *state;
    switch_off(fixture);
    fixture->options.first_message_timeout_ms = DEADLINE_MS;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    fixture_send(fixture, &peer, "\0\0\0\4wor", 7);
    expect_closed(fixture, 1, THRONG_CLOSE_FIRST_MESSAGE);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* A byte now and then. Answers how many it were until another connection ended. */
static uint32_t drip(struct server_fixture *fixture, const struct peer *peer, const uint8_t *bytes,
                     uint32_t size)
{
    const uint32_t closed = fixture->journal.closed;
    uint32_t sent = 0;
    int64_t due_ms = test_now_ms();
    int64_t deadline_ms = due_ms + test_deadline_ms();
    while (sent < size && fixture->journal.closed == closed) {
        assert_true(test_now_ms() < deadline_ms);
        if (test_now_ms() >= due_ms) {
            sent += peer_send(peer, bytes + sent, 1) == 1 ? 1 : 0;
            due_ms += 10;
        }
        (void)fixture_turn(fixture, 5);
    }
    return sent;
}

static void a_message_that_drips_is_not_waited_for(void **state)
{
    static const uint8_t header_and_body[1000] = {0, 0, 0xff};
    struct server_fixture *fixture = *state;
    switch_off(fixture);
    fixture->options.message_timeout_ms = DEADLINE_MS;
    fixture_start(fixture);
    for (uint32_t skipped = 0; skipped < 4; skipped += 3) {
        struct peer peer;
        (void)fixture_open(fixture, &peer);
        int64_t begun_ms = test_now_ms();
        fixture_send(fixture, &peer, header_and_body, skipped + 1);
        assert_true(drip(fixture, &peer, header_and_body, 1000) < 1000);
        assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_SLOW_SENDER);
        assert_true(test_now_ms() - begun_ms >= DEADLINE_MS);
        peer_close(&peer);
    }
    assert_int_equal(throng_server_closed_count(fixture->server, THRONG_CLOSE_SLOW_SENDER), 2);
    fixture_expect_settled(fixture);
}

/* "0" to "9" as messages of one byte each, cut so that a part of the next one always comes
 * along. */
static void each_message_has_its_own_time(void **state)
{
    struct server_fixture *fixture = *state;
    switch_off(fixture);
    fixture->options.message_timeout_ms = 2 * DEADLINE_MS;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    fixture_send(fixture, &peer, "\0\0", 2);
    int64_t begun_ms = test_now_ms();
    uint32_t messages = 0;
    while (test_now_ms() - begun_ms < 4 * DEADLINE_MS) {
        fixture_send(fixture, &peer, "\0\1x\0\0", 5);
        messages++;
        FIXTURE_UNTIL(fixture, fixture->journal.messages == messages);
        fixture_turn_for(fixture, 20);
    }
    assert_int_equal(fixture->journal.closed, 0);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void a_peer_from_which_nothing_comes_is_idle(void **state)
{
    struct server_fixture *fixture = *state;
    switch_off(fixture);
    fixture->options.idle_timeout_ms = 2 * DEADLINE_MS;
    fixture_start(fixture);
    struct peer talker, idler;
    (void)fixture_open(fixture, &talker);
    (void)fixture_open(fixture, &idler);
    int64_t begun_ms = test_now_ms();
    fixture_expect_echo(fixture, &idler, "once", 4);
    while (fixture->journal.closed == 0) {
        fixture_expect_echo(fixture, &talker, "more", 4);
        fixture_turn_for(fixture, 20);
        assert_true(test_now_ms() - begun_ms < test_deadline_ms());
    }
    assert_true(test_now_ms() - begun_ms >= 2 * DEADLINE_MS);
    assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_IDLE);
    fixture_expect_gone(fixture, &idler);
    fixture_expect_echo(fixture, &talker, "more", 4);
    peer_close(&talker);
    peer_close(&idler);
    fixture_expect_settled(fixture);
}

/* Whose reading the server itself has paused owes nothing meanwhile. */
static void a_game_that_holds_its_events_makes_nobody_idle(void **state)
{
    struct server_fixture *fixture = *state;
    switch_off(fixture);
    fixture->options.idle_timeout_ms = DEADLINE_MS;
    fixture->options.message_timeout_ms = DEADLINE_MS;
    fixture->options.events_max = 64;
    fixture->keep = true;
    fixture_start(fixture);
    struct peer peer;
    uint8_t frames[70 * 5 + 2] = {0};
    for (uint32_t i = 0; i < 70; i++) {
        frames[5 * i + 3] = 1;
    }
    (void)fixture_open(fixture, &peer);
    fixture_send(fixture, &peer, frames, sizeof(frames)); /* and half a header */
    FIXTURE_UNTIL(fixture, fixture->kept_count == 64);
    fixture_turn_for(fixture, 4 * DEADLINE_MS);
    assert_int_equal(fixture->journal.closed, 0);
    fixture->keep = false;
    fixture_release_kept(fixture);
    FIXTURE_UNTIL(fixture, fixture->journal.messages == 70);
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 1); /* now it counts */
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* Inline, the game's own absence is the server's. */
static void the_servers_absence_is_nobodys_fault(void **state)
{
    struct server_fixture *fixture = *state;
    if (fixture->mode.io_threads > 0) {
        return; /* there the I/O threads serve meanwhile; tests/attack stops the whole process */
    }
    switch_off(fixture);
    fixture->options.idle_timeout_ms = 700;
    fixture->options.first_message_timeout_ms = 700;
    fixture_start(fixture);
    struct peer talker, silent;
    (void)fixture_open(fixture, &talker);
    (void)fixture_open(fixture, &silent);
    fixture_expect_echo(fixture, &talker, "once", 4);
    test_pause_us(1300000);
    assert_true(peer_send_frame(&talker, "late", 4, test_deadline_ms()));
    fixture_turn_for(fixture, 300);
    assert_int_equal(fixture->journal.closed, 0);
    fixture_expect_frame(fixture, &talker, "late", 4);
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 2); /* in the end they are found out */
    peer_close(&talker);
    peer_close(&silent);
}

/* ---- readers ---- */

static void limit_buffers(struct server_fixture *fixture)
{
    switch_off(fixture);
    fixture->options.socket_send_bytes = 8192;
    fixture->options.write_timeout_ms = DEADLINE_MS;
}

static void connect_small(struct server_fixture *fixture, struct peer *peer)
{
    const struct peer_options options = {.receive_buffer_bytes = 4096};
    assert_true(peer_connect(peer, &fixture->address, &options));
}

/* Writes until the connection's queue takes no more. */
static void fill_queue(struct server_fixture *fixture, throng_conn conn)
{
    static const uint8_t payload[8192];
    int result = 0;
    for (uint32_t i = 0; i < 1000 && result == 0; i++) {
        result = throng_write_data(fixture->server, conn, payload, sizeof(payload));
        (void)fixture_turn(fixture, 0);
    }
    assert_true(result == THRONG_EAGAIN || result == THRONG_ESTALE);
}

static void who_takes_nothing_is_a_slow_reader(void **state)
{
    struct server_fixture *fixture = *state;
    limit_buffers(fixture);
    fixture_start(fixture);
    struct peer peer;
    connect_small(fixture, &peer);
    FIXTURE_UNTIL(fixture, fixture->journal.opened == 1);
    int64_t begun_ms = test_now_ms();
    fill_queue(fixture, fixture->last_open.conn);
    expect_closed(fixture, 1, THRONG_CLOSE_SLOW_READER);
    assert_true(test_now_ms() - begun_ms >= DEADLINE_MS);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* The game waits for room for its answers, and holds the question meanwhile. */
static void who_half_closes_and_takes_nothing_is_one_too(void **state)
{
    struct server_fixture *fixture = *state;
    limit_buffers(fixture);
    fixture->keep = true;
    fixture_start(fixture);
    struct peer peer;
    connect_small(fixture, &peer);
    FIXTURE_UNTIL(fixture, fixture->journal.opened == 1);
    fixture_send_frame(fixture, &peer, "all of it", 9);
    peer_finish(&peer);
    FIXTURE_UNTIL(fixture, fixture->journal.messages == 1);
    fill_queue(fixture, fixture->last_open.conn);
    expect_closed(fixture, 1, THRONG_CLOSE_SLOW_READER);
    fixture->keep = false;
    fixture_release_kept(fixture);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* Takes up to `bytes` every few milliseconds until the connection ends or so much time has
 * passed. */
static void read_slowly(struct server_fixture *fixture, const struct peer *peer, size_t bytes,
                        int duration_ms)
{
    uint8_t buffer[32768];
    int64_t end_ms = test_now_ms() + duration_ms;
    while (test_now_ms() < end_ms && fixture->journal.closed == 0) {
        (void)peer_receive(peer, buffer, bytes);
        fixture_turn_for(fixture, 5);
    }
}

static void who_takes_a_byte_now_and_then_is_one_too(void **state)
{
    struct server_fixture *fixture = *state;
    limit_buffers(fixture);
    fixture->options.reader_rate_min = 20000;
    fixture_start(fixture);
    struct peer peer;
    connect_small(fixture, &peer);
    FIXTURE_UNTIL(fixture, fixture->journal.opened == 1);
    fill_queue(fixture, fixture->last_open.conn);
    read_slowly(fixture, &peer, 1, test_deadline_ms());
    assert_int_equal(fixture->journal.closed, 1);
    assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_SLOW_READER);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void who_reads_steadily_is_none_however_much_waits(void **state)
{
    struct server_fixture *fixture = *state;
    /* Where each call is slow, a stall of the machine must not be longer than the span. */
    const int patient_ms = test_patience_ms(2 * DEADLINE_MS);
    const int span_ms = patient_ms < 8 * DEADLINE_MS ? patient_ms : 8 * DEADLINE_MS;
    limit_buffers(fixture);
    fixture->options.write_timeout_ms = (uint32_t)span_ms;
    fixture->options.message_bytes_max = 8192;
    fixture->options.send_queue_bytes_max = 1 << 22;
    fixture_start(fixture);
    struct peer peer;
    connect_small(fixture, &peer);
    FIXTURE_UNTIL(fixture, fixture->journal.opened == 1);
    fill_queue(fixture, fixture->last_open.conn);
    read_slowly(fixture, &peer, 32768, 3 * span_ms);
    assert_int_equal(fixture->journal.closed, 0);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_connects_and_says_nothing_is_closed),
        cmocka_unit_test(half_a_first_message_is_none),
        cmocka_unit_test(a_message_that_drips_is_not_waited_for),
        cmocka_unit_test(each_message_has_its_own_time),
        cmocka_unit_test(a_peer_from_which_nothing_comes_is_idle),
        cmocka_unit_test(a_game_that_holds_its_events_makes_nobody_idle),
        cmocka_unit_test(the_servers_absence_is_nobodys_fault),
        cmocka_unit_test(who_takes_nothing_is_a_slow_reader),
        cmocka_unit_test(who_half_closes_and_takes_nothing_is_one_too),
        cmocka_unit_test(who_takes_a_byte_now_and_then_is_one_too),
        cmocka_unit_test(who_reads_steadily_is_none_however_much_waits),
    };
    return fixture_run_tests("server_deadline", tests, sizeof(tests) / sizeof(tests[0]));
}
