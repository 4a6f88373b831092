/* SPDX-License-Identifier: MIT
 * Bounds of server/DESIGN.md ("What bounds what") that only a stubborn peer or a slow game reaches:
 * what is thrown away after our close, and connections that end while there is no room to report
 * even their OPEN. */
#include <string.h>

#include "server_fixture.h"

#define DISCARD_MAX (1024u * 1024u)
#define PEERS 200u

/* Never ends its direction, so only the bound can end it: the time limit is far away. */
static void a_peer_that_talks_on_after_our_close_is_reset_after_a_mebibyte(void **state)
{
    static uint8_t bytes[65536];
    struct server_fixture *fixture = *state;
    struct peer peer;
    ptrdiff_t answer = 0;
    size_t sent = 0;
    fixture->options.linger_ms = 600000;
    fixture->options.socket_receive_bytes = 65536;
    fixture_start(fixture);
    throng_conn conn = fixture_open(fixture, &peer);
    assert_int_equal(throng_close(fixture->server, conn), 0);
    journal_note_closing(&fixture->journal, conn);
    fixture_expect_end(fixture, &peer);
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (answer >= 0 || answer == PEER_WOULD_BLOCK) {
        answer = peer_send(&peer, bytes, sizeof(bytes));
        sent += answer > 0 ? (size_t)answer : 0;
        fixture_turn_towards(fixture, deadline_ms, "a reset", __FILE__, __LINE__);
    }
    assert_int_equal(answer, PEER_RESET);
    assert_true(sent > DISCARD_MAX);
    assert_true(sent < 8 * DISCARD_MAX); /* the system's buffers hold the rest */
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_LOCAL], 1);
    assert_int_equal(fixture->journal.messages, 0);
}

/* More connections than there may be events, of which the game gives none back. */
static void connect_more_than_can_be_told(struct server_fixture *fixture, struct peer *peers)
{
    fixture->options.events_max = 64;
    fixture->keep = true;
    fixture_start(fixture);
    for (uint32_t i = 0; i < PEERS; i++) {
        fixture_connect(fixture, &peers[i]);
    }
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).accepted == PEERS);
    FIXTURE_UNTIL(fixture, fixture->kept_count >= 64);
    fixture_turn_for(fixture, 20);
    assert_true(fixture->kept_count < PEERS);
}

/* The journal holds the server to one OPEN and then one CLOSED of each. */
static void expect_all_told(struct server_fixture *fixture, enum throng_close_reason reason)
{
    fixture->keep = false;
    fixture_release_kept(fixture);
    FIXTURE_UNTIL(fixture, fixture->journal.closed == PEERS);
    assert_int_equal(fixture->journal.opened, PEERS);
    assert_int_equal(fixture->journal.closed_for[reason], PEERS);
}

static void a_reset_before_there_is_room_for_the_open_is_told_after_it(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    connect_more_than_can_be_told(fixture, peers);
    for (uint32_t i = 0; i < PEERS; i++) {
        peer_reset(&peers[i]);
    }
    fixture_turn_for(fixture, 20);
    expect_all_told(fixture, THRONG_CLOSE_RESET);
    fixture_expect_settled(fixture);
}

static void a_drain_before_there_is_room_for_the_open_is_told_after_it(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    connect_more_than_can_be_told(fixture, peers);
    throng_server_drain(fixture->server, 0); /* at once: every connection is reset */
    fixture_turn_for(fixture, 20);
    expect_all_told(fixture, THRONG_CLOSE_DRAINED);
    FIXTURE_UNTIL(fixture, fixture->answer == THRONG_ESTOPPED);
    for (uint32_t i = 0; i < PEERS; i++) {
        peer_close(&peers[i]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_talks_on_after_our_close_is_reset_after_a_mebibyte),
        cmocka_unit_test(a_reset_before_there_is_room_for_the_open_is_told_after_it),
        cmocka_unit_test(a_drain_before_there_is_room_for_the_open_is_told_after_it),
    };
    return fixture_run_tests("server_bounds", tests, sizeof(tests) / sizeof(tests[0]));
}
