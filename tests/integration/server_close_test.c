/* SPDX-License-Identifier: MIT
 * Every way to end a connection, from either side, and what is still delivered then. Resets have a
 * file of their own: server_reset_test.c. */
#include <string.h>

#include "pattern.h"
#include "server_fixture.h"

#define MEBIBYTE (1024u * 1024u)

/* The payload that the handlers below send. */
static uint8_t *make_mebibyte(void)
{
    uint8_t *payload = malloc(MEBIBYTE);
    assert_non_null(payload);
    test_fill_pattern(payload, MEBIBYTE, 7);
    return payload;
}

static void close_now(struct server_fixture *fixture, throng_conn conn)
{
    assert_int_equal(throng_close(fixture->server, conn), 0);
    journal_note_closing(&fixture->journal, conn);
}

/* fixture->context is a mebibyte. */
static void answer_with_a_mebibyte(struct server_fixture *fixture, const struct throng_event *event)
{
    if (event->type == THRONG_EVENT_MESSAGE) {
        assert_int_equal(
            throng_write_data(fixture->server, event->conn, fixture->context, MEBIBYTE), 0);
    }
}

static void answer_with_a_mebibyte_and_close(struct server_fixture *fixture,
                                             const struct throng_event *event)
{
    answer_with_a_mebibyte(fixture, event);
    if (event->type == THRONG_EVENT_MESSAGE) {
        close_now(fixture, event->conn);
    }
}

static void the_last_reply_arrives_a_thousand_times_after_the_peers_half_close(void **state)
{
    static const uint32_t sizes[] = {1, 500, 5000, 60000};
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    uint8_t *payload = make_mebibyte();
    uint32_t rounds = test_scaled(1000);
    for (uint32_t i = 0; i < rounds; i++) {
        struct peer peer;
        uint32_t size = sizes[i % 4];
        fixture_connect(fixture, &peer);
        fixture_send_frame(fixture, &peer, payload + i, size);
        peer_finish(&peer);
        fixture_expect_frame(fixture, &peer, payload + i, size);
        fixture_expect_end(fixture, &peer);
        peer_close(&peer);
    }
    free(payload);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.opened, rounds);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_PEER], rounds);
}

static void a_reply_written_after_the_peers_end_was_seen_arrives(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    fixture->keep = true;
    assert_true(peer_send_frame(&peer, "ask", 3, test_deadline_ms()));
    peer_finish(&peer);
    FIXTURE_UNTIL(fixture, fixture->kept_count == 1);
    /* Time for the end to be seen; it must not end the connection while its message is held. */
    fixture_turn_for(fixture, 30);
    assert_int_equal(fixture->journal.closed, 0);
    assert_int_equal(throng_write_data(fixture->server, conn, "answer", 6), 0);
    fixture->keep = false;
    fixture_release_kept(fixture);
    fixture_expect_frame(fixture, &peer, "answer", 6);
    fixture_expect_end(fixture, &peer);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_PEER], 1);
}

static void a_mebibyte_arrives_before_the_end_when_the_server_closes_first(void **state)
{
    struct server_fixture *fixture = *state;
    uint8_t *payload = make_mebibyte();
    fixture->options.message_bytes_max = MEBIBYTE;
    fixture->handle = answer_with_a_mebibyte_and_close;
    fixture->context = payload;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    fixture_send_frame(fixture, &peer, "ask", 3);
    fixture_expect_frame(fixture, &peer, payload, MEBIBYTE);
    fixture_expect_end(fixture, &peer);
    assert_int_equal(fixture->journal.closed, 0); /* the peer's end is awaited */
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_LOCAL], 1);
    free(payload);
}

static void a_mebibyte_arrives_before_the_end_when_the_peer_closes_first(void **state)
{
    struct server_fixture *fixture = *state;
    uint8_t *payload = make_mebibyte();
    fixture->options.message_bytes_max = MEBIBYTE;
    fixture->handle = answer_with_a_mebibyte;
    fixture->context = payload;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    fixture_send_frame(fixture, &peer, "ask", 3);
    peer_finish(&peer);
    fixture_expect_frame(fixture, &peer, payload, MEBIBYTE);
    fixture_expect_end(fixture, &peer);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_PEER], 1);
    free(payload);
}

static void a_mebibyte_arrives_when_both_close_at_once(void **state)
{
    struct server_fixture *fixture = *state;
    uint8_t *payload = make_mebibyte();
    fixture->options.message_bytes_max = MEBIBYTE;
    fixture->handle = answer_with_a_mebibyte_and_close;
    fixture->context = payload;
    fixture_start(fixture);
    for (uint32_t i = 0; i < test_scaled(20); i++) {
        struct peer peer;
        fixture_connect(fixture, &peer);
        assert_true(peer_send_frame(&peer, "ask", 3, test_deadline_ms()));
        peer_finish(&peer);
        fixture_expect_frame(fixture, &peer, payload, MEBIBYTE);
        fixture_expect_end(fixture, &peer);
        peer_close(&peer);
    }
    fixture_expect_settled(fixture);
    free(payload);
}

static void the_last_reply_survives_bytes_that_were_never_read(void **state)
{
    struct server_fixture *fixture = *state;
    uint8_t *payload = make_mebibyte();
    fixture->options.message_bytes_max = MEBIBYTE;
    fixture->handle = answer_with_a_mebibyte_and_close;
    fixture->context = payload;
    fixture->batch = 1;
    fixture_start(fixture);
    for (uint32_t i = 0; i < test_scaled(50); i++) {
        struct peer peer;
        fixture_connect(fixture, &peer);
        /* A close with these bytes unread in the system's buffer would become a reset and could
         * take the reply along. */
        for (uint32_t k = 0; k < 50; k++) {
            assert_true(peer_send_frame(&peer, payload, 1000, test_deadline_ms()));
        }
        fixture_expect_frame(fixture, &peer, payload, MEBIBYTE);
        fixture_expect_end(fixture, &peer);
        peer_close(&peer);
    }
    fixture_expect_settled(fixture);
    free(payload);
}

static void close_at_the_first_message(struct server_fixture *fixture,
                                       const struct throng_event *event)
{
    if (event->type == THRONG_EVENT_MESSAGE) {
        close_now(fixture, event->conn);
    }
}

static void no_message_comes_after_throng_close(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->handle = close_at_the_first_message;
    fixture->batch = 1;
    fixture_start(fixture);
    for (uint32_t i = 0; i < test_scaled(50); i++) {
        struct peer peer;
        fixture_connect(fixture, &peer);
        for (uint32_t k = 0; k < 200; k++) {
            assert_true(peer_send_frame(&peer, "one of many", 11, test_deadline_ms()));
        }
        fixture_expect_end(fixture, &peer);
        peer_close(&peer);
        fixture_expect_settled(fixture);
        assert_int_equal(fixture->journal.messages, i + 1);
    }
}

static void calls_after_throng_close_say_so(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    assert_int_equal(throng_write_data(fixture->server, conn, "last", 4), 0);
    close_now(fixture, conn);
    assert_int_equal(throng_write_data(fixture->server, conn, "late", 4), THRONG_ECLOSING);
    assert_int_equal(throng_close(fixture->server, conn), THRONG_ECLOSING);
    fixture_expect_frame(fixture, &peer, "last", 4);
    fixture_expect_end(fixture, &peer);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(throng_close(fixture->server, conn), THRONG_ESTALE);
    assert_int_equal(throng_write_data(fixture->server, conn, "late", 4), THRONG_ESTALE);
}

static void close_at_open(struct server_fixture *fixture, const struct throng_event *event)
{
    if (event->type == THRONG_EVENT_OPEN) {
        close_now(fixture, event->conn);
    }
}

static void a_connection_may_be_closed_while_its_open_is_handled(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->handle = close_at_open;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    fixture_expect_end(fixture, &peer);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_LOCAL], 1);
}

static void farewell_at_open(struct server_fixture *fixture, const struct throng_event *event)
{
    if (event->type == THRONG_EVENT_OPEN) {
        assert_int_equal(throng_write_data(fixture->server, event->conn, "bye", 3), 0);
        close_now(fixture, event->conn);
    }
}

static void a_farewell_written_at_open_arrives_before_the_end(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->handle = farewell_at_open;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    fixture_expect_frame(fixture, &peer, "bye", 3);
    fixture_expect_end(fixture, &peer);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void a_peer_that_never_ends_is_reset_after_the_linger_time(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.linger_ms = 1000; /* the end must be seen before the reset takes it away */
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    int64_t begin_ms = test_now_ms();
    close_now(fixture, conn);
    fixture_expect_end(fixture, &peer);
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 1);
    assert_true(test_now_ms() - begin_ms >= 990);
    assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_LOCAL); /* all was delivered */
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void a_peer_that_does_not_read_is_reset_after_the_linger_time(void **state)
{
    struct server_fixture *fixture = *state;
    uint8_t *payload = make_mebibyte();
    fixture->options.message_bytes_max = MEBIBYTE;
    fixture->options.socket_send_bytes = 16 * 1024;
    fixture->options.linger_ms = 100;
    fixture_start(fixture);
    struct peer peer;
    const struct peer_options small = {.receive_buffer_bytes = 4096};
    assert_true(peer_connect(&peer, &fixture->address, &small));
    FIXTURE_UNTIL(fixture, fixture->journal.opened == 1);
    throng_conn conn = fixture->last_open.conn;
    assert_int_equal(throng_write_data(fixture->server, conn, payload, MEBIBYTE), 0);
    close_now(fixture, conn);
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 1);
    assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_LINGER);
    fixture_expect_reset(fixture, &peer);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_true(fixture_counters(fixture).bytes_dropped > 0);
    free(payload);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_reply_arrives_a_thousand_times_after_the_peers_half_close),
        cmocka_unit_test(a_reply_written_after_the_peers_end_was_seen_arrives),
        cmocka_unit_test(a_mebibyte_arrives_before_the_end_when_the_server_closes_first),
        cmocka_unit_test(a_mebibyte_arrives_before_the_end_when_the_peer_closes_first),
        cmocka_unit_test(a_mebibyte_arrives_when_both_close_at_once),
        cmocka_unit_test(the_last_reply_survives_bytes_that_were_never_read),
        cmocka_unit_test(no_message_comes_after_throng_close),
        cmocka_unit_test(calls_after_throng_close_say_so),
        cmocka_unit_test(a_connection_may_be_closed_while_its_open_is_handled),
        cmocka_unit_test(a_farewell_written_at_open_arrives_before_the_end),
        cmocka_unit_test(a_peer_that_never_ends_is_reset_after_the_linger_time),
        cmocka_unit_test(a_peer_that_does_not_read_is_reset_after_the_linger_time),
    };
    return fixture_run_tests("server_close", tests, sizeof(tests) / sizeof(tests[0]));
}
