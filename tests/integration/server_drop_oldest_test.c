/* SPDX-License-Identifier: MIT
 * DROP_OLDEST: a peer that does not keep up gets the newest messages instead of all of them; whole
 * ones, in order, and the last one always. */
#include <string.h>

#include "pattern.h"
#include "slow_reader.h"

static void start(struct server_fixture *fixture)
{
    slow_reader_options(fixture);
    fixture->options.when_send_full = THRONG_WHEN_SEND_FULL_DROP_OLDEST;
    fixture_start(fixture);
}

/* Writes messages of many sizes, first..last, with a turn after each few; none may be refused. */
static void write_states(struct server_fixture *fixture, throng_conn conn, uint32_t first,
                         uint32_t last)
{
    uint64_t chance = first + 1;
    for (uint32_t number = first; number <= last; number++) {
        size_t size = 4 + test_random(&chance) % (SLOW_READER_LONGEST - 3);
        size = test_random(&chance) % 4 > 0 ? 4 + size % 200 : size;
        assert_int_equal(slow_reader_write(fixture, conn, number, size), 0);
        if (test_random(&chance) % 8 == 0) {
            (void)fixture_turn(fixture, 0);
        }
    }
    (void)fixture_turn(fixture, 0); /* what is held now is not to be flushed any more */
}

static void the_oldest_go_and_the_rest_arrives(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    start(fixture);
    throng_conn conn = slow_reader_open(fixture, &peer);
    size_t queued = 0;
    for (uint32_t number = 0; number < 200; number++) {
        assert_int_equal(slow_reader_write(fixture, conn, number, SLOW_READER_BLOCK), 0);
    }
    assert_int_equal(throng_queued_bytes(fixture->server, conn, &queued), 0);
    assert_int_equal(queued, SLOW_READER_QUEUE * 512);
    assert_int_equal(fixture_counters(fixture).messages_dropped, 72);
    slow_reader_expect(fixture, &peer, 72, 199);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void a_peer_that_lags_gets_whole_messages_up_to_the_newest(void **state)
{
    enum {
        STATES = 3000
    };
    struct server_fixture *fixture = *state;
    struct peer peer;
    start(fixture);
    throng_conn conn = slow_reader_open(fixture, &peer);
    write_states(fixture, conn, 0, STATES - 1);
    size_t queued = 0;
    assert_int_equal(throng_queued_bytes(fixture->server, conn, &queued), 0);
    assert_true(queued <= (SLOW_READER_QUEUE + 8) * 512); /* one longest message over it */
    uint32_t received = slow_reader_expect_some(fixture, &peer, STATES - 1);
    struct throng_counters counters = fixture_counters(fixture);
    assert_int_equal(received + counters.messages_dropped, STATES);
    assert_true(counters.messages_dropped > STATES / 2);
    assert_int_equal(counters.writes_refused, 0);

    write_states(fixture, conn, STATES, STATES + 9); /* it has caught up: nothing is lost */
    slow_reader_expect(fixture, &peer, STATES, STATES + 9);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* Receives the states on a thread of its own; says so once it has the last one. */
static void receive_states(void *argument)
{
    const struct peer *peer = argument;
    uint8_t message[SLOW_READER_LONGEST];
    uint32_t number = 0;
    while (number != 29 && peer_receive_frame(peer, message, sizeof(message), test_deadline_ms()) ==
                               SLOW_READER_LONGEST) {
        memcpy(&number, message, sizeof(number));
    }
    if (number == 29) {
        (void)peer_send_frame(peer, "all", 3, test_deadline_ms());
    } else {
        peer_finish(peer);
    }
}

/* Once its worker has something, later ones wait at the seat: and go out when it is sent, though
 * the game sleeps and writes nothing more. */
static void what_is_held_goes_out_by_itself(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    struct test_thread thread;
    start(fixture);
    for (uint32_t round = 1; round <= 10; round++) {
        throng_conn conn = slow_reader_open(fixture, &peer);
        for (uint32_t number = 0; number < 30; number++) {
            assert_int_equal(slow_reader_write(fixture, conn, number, SLOW_READER_LONGEST), 0);
            throng_flush(fixture->server);
        }
        assert_true(test_thread_start(&thread, receive_states, &peer));
        /* Nothing but the peer's word or its end can end this sleep. */
        assert_int_equal(fixture_turn(fixture, 2 * test_deadline_ms()), 1);
        assert_true(test_thread_join(&thread));
        assert_int_equal(fixture->journal.messages, round);
        peer_close(&peer);
        FIXTURE_UNTIL(fixture, fixture->journal.closed == round);
    }
    fixture_expect_settled(fixture);
}

static void a_close_delivers_what_was_kept(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    start(fixture);
    throng_conn conn = slow_reader_open(fixture, &peer);
    write_states(fixture, conn, 0, 999);
    assert_int_equal(throng_close(fixture->server, conn), 0);
    assert_int_equal(slow_reader_write(fixture, conn, 1000, 4), THRONG_ECLOSING);
    uint32_t received = slow_reader_expect_some(fixture, &peer, 999);
    assert_int_equal(received + fixture_counters(fixture).messages_dropped, 1000);
    fixture_expect_end(fixture, &peer);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_LOCAL], 1);
}

static void an_abort_drops_what_was_kept(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    start(fixture);
    throng_conn conn = slow_reader_open(fixture, &peer);
    write_states(fixture, conn, 0, 999);
    assert_int_equal(throng_abort(fixture->server, conn), 0);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_ABORTED], 1);
    peer_close(&peer);
}

static void a_drain_delivers_what_was_kept(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    start(fixture);
    throng_conn conn = slow_reader_open(fixture, &peer);
    write_states(fixture, conn, 0, 999);
    throng_server_drain(fixture->server, (uint32_t)test_deadline_ms());
    (void)slow_reader_expect_some(fixture, &peer, 999);
    fixture_expect_end(fixture, &peer);
    peer_close(&peer);
    FIXTURE_UNTIL(fixture, fixture->answer == THRONG_ESTOPPED);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_DRAINED], 1);
}

/* Answers a question with states, of which only the first can go to the worker. */
static void answer_in_parts(struct server_fixture *fixture, const struct throng_event *event)
{
    if (event->type == THRONG_EVENT_MESSAGE) {
        for (uint32_t number = 0; number < 100; number++) {
            assert_int_equal(slow_reader_write(fixture, event->conn, number, SLOW_READER_LONGEST),
                             0);
            throng_flush(fixture->server);
        }
    }
}

/* The worker has sent all that it has, and the last message was released: it must not take the end
 * of a half-closed connection before what is held has come. */
static void a_half_closed_peer_gets_what_was_kept(void **state)
{
    struct server_fixture *fixture = *state;
    start(fixture);
    fixture->handle = answer_in_parts;
    for (uint32_t round = 0; round < 5; round++) {
        struct peer peer;
        (void)slow_reader_open(fixture, &peer);
        assert_true(peer_send_frame(&peer, "?", 1, 0));
        peer_finish(&peer);
        (void)slow_reader_expect_some(fixture, &peer, 99);
        fixture_expect_end(fixture, &peer);
        peer_close(&peer);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_PEER], 5);
}

static void a_change_of_policy_lets_go_what_was_kept(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    start(fixture);
    throng_conn conn = slow_reader_open(fixture, &peer);
    write_states(fixture, conn, 0, 999);
    assert_int_equal(throng_set_send_policy(fixture->server, conn, THRONG_WHEN_SEND_FULL_REFUSE),
                     0);
    (void)fixture_turn(fixture, 0);
    uint32_t last = slow_reader_fill(fixture, conn, 1000, SLOW_READER_LONGEST) - 1;
    uint32_t received = slow_reader_expect_some(fixture, &peer, last);
    assert_int_equal(received + fixture_counters(fixture).messages_dropped, last + 1);
    FIXTURE_UNTIL(fixture, fixture->journal.writables == 1);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* Others hold all memory: it may use again what it holds itself, and no more. */
static void without_memory_it_lives_on_its_own(void **state)
{
    enum {
        HOGS = 40
    };
    struct server_fixture *fixture = *state;
    struct peer peers[HOGS + 1];
    throng_conn conns[HOGS + 1];
    fixture->options.send_small_bytes = 128u * 1024; /* 256 blocks */
    fixture->options.send_large_bytes = 33 * 512;
    slow_reader_options(fixture);
    fixture_start(fixture);
    for (uint32_t i = 0; i < HOGS + 1; i++) {
        conns[i] = slow_reader_open(fixture, &peers[i]);
    }
    throng_conn conn = conns[HOGS];
    assert_int_equal(
        throng_set_send_policy(fixture->server, conn, THRONG_WHEN_SEND_FULL_DROP_OLDEST), 0);
    assert_int_equal(slow_reader_write(fixture, conn, 0, SLOW_READER_BLOCK), 0);
    assert_int_equal(slow_reader_write(fixture, conn, 1, SLOW_READER_BLOCK), 0);
    uint32_t taken[HOGS];
    for (uint32_t i = 0; i < HOGS; i++) {
        taken[i] = slow_reader_fill(fixture, conns[i], 0, SLOW_READER_BLOCK);
    }
    for (uint32_t i = 0; i < HOGS; i++) { /* what shares and first messages have left */
        taken[i] = slow_reader_fill(fixture, conns[i], taken[i], SLOW_READER_BLOCK);
    }
    for (uint32_t number = 2; number < 500; number++) {
        assert_int_equal(slow_reader_write(fixture, conn, number, SLOW_READER_BLOCK), 0);
    }
    assert_true(fixture_counters(fixture).messages_dropped > 400);
    (void)slow_reader_expect_some(fixture, &peers[HOGS], 499);
    for (uint32_t i = 0; i < HOGS + 1; i++) {
        if (i < HOGS && taken[i] > 0) {
            slow_reader_expect(fixture, &peers[i], 0, taken[i] - 1);
        }
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_go_and_the_rest_arrives),
        cmocka_unit_test(a_peer_that_lags_gets_whole_messages_up_to_the_newest),
        cmocka_unit_test(what_is_held_goes_out_by_itself),
        cmocka_unit_test(a_close_delivers_what_was_kept),
        cmocka_unit_test(an_abort_drops_what_was_kept),
        cmocka_unit_test(a_drain_delivers_what_was_kept),
        cmocka_unit_test(a_half_closed_peer_gets_what_was_kept),
        cmocka_unit_test(a_change_of_policy_lets_go_what_was_kept),
        cmocka_unit_test(without_memory_it_lives_on_its_own),
    };
    return fixture_run_tests("server_drop_oldest", tests, sizeof(tests) / sizeof(tests[0]));
}
