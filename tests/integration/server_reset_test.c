/* SPDX-License-Identifier: MIT
 * Resets in every state of a connection, from either side. Each ends in at most one OPEN and
 * exactly one CLOSED for it, and everything that the connection held comes back. */
#include <string.h>

#include "pattern.h"
#include "server_fixture.h"

#define ROUNDS 20u
#define LONG_BYTES (1024u * 1024u)

/* The connections of a round ended as they should, each for `reason`. */
static void expect_rounds_ended(struct server_fixture *fixture, enum throng_close_reason reason)
{
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.opened, ROUNDS);
    assert_int_equal(fixture->journal.closed_for[reason], ROUNDS);
}

static void a_reset_before_the_accept_is_at_most_one_open_and_its_closed(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct peer peer;
        fixture_connect(fixture, &peer);
        if (i % 2 == 0) {
            (void)peer_send(&peer, "\0\0\0\1a", 5);
        }
        peer_reset(&peer);
    }
    struct peer last;
    fixture_connect(fixture, &last);
    fixture_expect_echo(fixture, &last, "after them", 10);
    peer_close(&last);
    fixture_expect_settled(fixture);
    assert_true(fixture->journal.opened <= ROUNDS + 1);
    assert_int_equal(fixture->journal.opened, fixture->journal.closed_for[THRONG_CLOSE_RESET] + 1);
}

static void a_reset_of_an_idle_connection_is_reported(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct peer peer;
        (void)fixture_open(fixture, &peer);
        peer_reset(&peer);
    }
    expect_rounds_ended(fixture, THRONG_CLOSE_RESET);
}

/* Sends `size` bytes of a frame that would have 1,000 and resets once the server has them. */
static void reset_inside_a_frame(struct server_fixture *fixture, size_t size)
{
    uint8_t bytes[1004] = {0};
    peer_frame_header(bytes, 1000);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct peer peer;
        (void)fixture_open(fixture, &peer);
        uint64_t received = fixture_counters(fixture).bytes_received;
        fixture_send(fixture, &peer, bytes, size);
        FIXTURE_UNTIL(fixture, fixture_counters(fixture).bytes_received == received + size);
        peer_reset(&peer);
    }
    expect_rounds_ended(fixture, THRONG_CLOSE_RESET);
    assert_int_equal(fixture->journal.messages, 0);
}

static void a_reset_inside_a_header_is_reported(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    reset_inside_a_frame(fixture, 2);
}

static void a_reset_inside_a_body_gives_its_memory_back(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    reset_inside_a_frame(fixture, 504);
}

static void a_reset_while_replies_are_queued_gives_the_blocks_back(void **state)
{
    struct server_fixture *fixture = *state;
    uint8_t *payload = malloc(LONG_BYTES);
    assert_non_null(payload);
    test_fill_pattern(payload, LONG_BYTES, 3);
    fixture->options.message_bytes_max = LONG_BYTES;
    fixture->options.socket_send_bytes = 16 * 1024;
    fixture_start(fixture);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct peer peer;
        const struct peer_options small = {.receive_buffer_bytes = 4096};
        assert_true(peer_connect(&peer, &fixture->address, &small));
        FIXTURE_UNTIL(fixture, fixture->journal.opened == i + 1);
        throng_conn conn = fixture->last_open.conn;
        assert_int_equal(throng_write_data(fixture->server, conn, payload, LONG_BYTES), 0);
        uint8_t first[16];
        fixture_exchange(fixture, &peer, NULL, 0, first, sizeof(first));
        peer_reset(&peer);
    }
    expect_rounds_ended(fixture, THRONG_CLOSE_RESET);
    assert_true(fixture_counters(fixture).bytes_dropped > 0);
    free(payload);
}

static void a_reset_while_the_logic_holds_messages_waits_for_their_release(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    fixture->keep = true;
    assert_true(peer_send_frame(&peer, "held", 4, test_deadline_ms()));
    FIXTURE_UNTIL(fixture, fixture->kept_count == 1);
    peer_reset(&peer);
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 1);
    assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_RESET);
    assert_int_equal(fixture->last_closed.conn.id, conn.id);
    assert_memory_equal(fixture->kept[0].data, "held", 4);
    assert_int_equal(fixture_counters(fixture).events_unreleased, 2);
    fixture->keep = false;
    fixture_release_kept_backwards(fixture); /* CLOSED before the MESSAGE that came before it */
    fixture_expect_settled(fixture);
}

static void a_reset_after_our_close_ends_it_once(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct peer peer;
        throng_conn conn = fixture_open(fixture, &peer);
        assert_int_equal(throng_close(fixture->server, conn), 0);
        journal_note_closing(&fixture->journal, conn);
        if (i % 2 == 0) {
            fixture_expect_end(fixture, &peer);
        }
        peer_reset(&peer);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.opened, ROUNDS);
    assert_int_equal(fixture->journal.closed, ROUNDS);
}

static void an_abort_gives_the_peer_a_reset(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct peer peer;
        throng_conn conn = fixture_open(fixture, &peer);
        assert_int_equal(throng_abort(fixture->server, conn), 0);
        assert_int_not_equal(throng_write_data(fixture->server, conn, "late", 4), 0);
        fixture_expect_reset(fixture, &peer);
        peer_close(&peer);
    }
    expect_rounds_ended(fixture, THRONG_CLOSE_ABORTED);
}

static void an_abort_after_throng_close_is_allowed_and_drops_the_queue(void **state)
{
    struct server_fixture *fixture = *state;
    uint8_t *payload = calloc(1, LONG_BYTES);
    assert_non_null(payload);
    fixture->options.message_bytes_max = LONG_BYTES;
    fixture->options.socket_send_bytes = 16 * 1024;
    fixture_start(fixture);
    struct peer peer;
    const struct peer_options small = {.receive_buffer_bytes = 4096};
    assert_true(peer_connect(&peer, &fixture->address, &small));
    FIXTURE_UNTIL(fixture, fixture->journal.opened == 1);
    throng_conn conn = fixture->last_open.conn;
    assert_int_equal(throng_write_data(fixture->server, conn, payload, LONG_BYTES), 0);
    assert_int_equal(throng_close(fixture->server, conn), 0);
    fixture_turn_for(fixture, 20);
    assert_int_equal(fixture->journal.closed, 0); /* the peer does not read: it is being flushed */
    assert_int_equal(throng_abort(fixture->server, conn), 0);
    fixture_expect_reset(fixture, &peer);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed, 1);
    free(payload);
}

static void abort_at_open(struct server_fixture *fixture, const struct throng_event *event)
{
    if (event->type == THRONG_EVENT_OPEN) {
        assert_int_equal(throng_abort(fixture->server, event->conn), 0);
    }
}

static void a_connection_may_be_aborted_while_its_open_is_handled(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->handle = abort_at_open;
    fixture_start(fixture);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct peer peer;
        fixture_connect(fixture, &peer);
        assert_true(peer_send_frame(&peer, "unheard", 7, test_deadline_ms()));
        fixture_expect_reset(fixture, &peer);
        peer_close(&peer);
    }
    expect_rounds_ended(fixture, THRONG_CLOSE_ABORTED);
}

static void resets_from_both_sides_at_once_are_one_closed(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct peer peer;
        throng_conn conn = fixture_open(fixture, &peer);
        peer_reset(&peer);
        int result = throng_abort(fixture->server, conn);
        assert_true(result == 0 || result == THRONG_ESTALE);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed, ROUNDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_before_the_accept_is_at_most_one_open_and_its_closed),
        cmocka_unit_test(a_reset_of_an_idle_connection_is_reported),
        cmocka_unit_test(a_reset_inside_a_header_is_reported),
        cmocka_unit_test(a_reset_inside_a_body_gives_its_memory_back),
        cmocka_unit_test(a_reset_while_replies_are_queued_gives_the_blocks_back),
        cmocka_unit_test(a_reset_while_the_logic_holds_messages_waits_for_their_release),
        cmocka_unit_test(a_reset_after_our_close_ends_it_once),
        cmocka_unit_test(an_abort_gives_the_peer_a_reset),
        cmocka_unit_test(an_abort_after_throng_close_is_allowed_and_drops_the_queue),
        cmocka_unit_test(a_connection_may_be_aborted_while_its_open_is_handled),
        cmocka_unit_test(resets_from_both_sides_at_once_are_one_closed),
    };
    return fixture_run_tests("server_reset", tests, sizeof(tests) / sizeof(tests[0]));
}
