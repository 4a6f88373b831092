/* SPDX-License-Identifier: MIT
 * What was written and not yet flushed when its connection ended, by the peer or by throng_abort:
 * it is counted as dropped, its memory comes home, and nothing of it reaches anybody. */
#include "server_fixture.h"

#define WORDS 10u
#define WORD_FRAME_BYTES 8u /* a header and four bytes */
#define ROUNDS 50u

/* Writes without a flush; answers how many were taken. */
static uint32_t write_words(struct server_fixture *fixture, throng_conn conn)
{
    uint32_t taken = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        taken += throng_write_data(fixture->server, conn, "word", 4) == 0 ? 1 : 0;
    }
    return taken;
}

static void what_was_written_before_an_abort_is_dropped_and_counted(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    fixture_start(fixture);
    throng_conn conn = fixture_open(fixture, &peer);
    assert_int_equal(write_words(fixture, conn), WORDS);
    assert_int_equal(throng_abort(fixture->server, conn), 0);
    assert_int_equal(throng_abort(fixture->server, conn), 0); /* allowed, and nothing more */
    assert_int_equal(write_words(fixture, conn), 0);
    assert_int_equal(throng_write_data(fixture->server, conn, "word", 4), THRONG_ECLOSING);
    assert_int_equal(throng_close(fixture->server, conn), THRONG_ECLOSING);
    assert_int_equal(fixture_counters(fixture).bytes_dropped, WORDS * WORD_FRAME_BYTES);
    fixture_expect_reset(fixture, &peer); /* and no byte before it */
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_ABORTED], 1);
    assert_int_equal(fixture_counters(fixture).bytes_dropped, WORDS * WORD_FRAME_BYTES);
    peer_close(&peer);
}

static bool all_have_ended(const struct server_fixture *fixture)
{
    struct throng_counters counters = fixture_counters(fixture);
    return counters.closed + counters.accepts_dead == ROUNDS;
}

/* Without a turn of the server's: what its threads do by themselves. */
#define AWAIT_THREADS(condition)                                                                   \
    for (int64_t deadline_ms = test_now_ms() + test_deadline_ms(); !(condition);) {                \
        assert_true(test_now_ms() < deadline_ms);                                                  \
        test_pause_us(1000);                                                                       \
    }

/* Connects peers and resets them. An I/O thread sees the end of each before the game looks: OPEN
 * and CLOSED then lie in one batch, and what is written between the two waits for a flush. */
static void reset_many(struct server_fixture *fixture)
{
    struct peer peers[ROUNDS];
    bool threads = fixture->mode.io_threads > 0;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        fixture_connect(fixture, &peers[i]);
        assert_int_equal(peer_send(&peers[i], "\0", 1), 1); /* once it came, the OPEN is there */
    }
    if (threads) {
        AWAIT_THREADS(fixture_counters(fixture).bytes_received == ROUNDS)
    }
    for (uint32_t i = 0; i < ROUNDS; i++) {
        peer_reset(&peers[i]);
    }
    if (threads) {
        AWAIT_THREADS(all_have_ended(fixture))
    }
}

/* Greets who comes, as a game does that cannot know of the reset behind. */
static void greet(struct server_fixture *fixture, const struct throng_event *event)
{
    if (event->type == THRONG_EVENT_OPEN) {
        (void)write_words(fixture, event->conn);
    }
}

/* All memory is back, and the bytes are accounted for: dropped at the seat by an end that came
 * before the flush, at the I/O thread by a later one. Nobody was there to take any, unless the
 * game, inline, was faster than the reset. */
static void expect_all_dropped(struct server_fixture *fixture)
{
    fixture_expect_settled(fixture);
    struct throng_counters counters = fixture_counters(fixture);
    uint64_t written = (uint64_t)fixture->journal.opened * WORDS * WORD_FRAME_BYTES;
    assert_int_equal(fixture->journal.closed, fixture->journal.opened);
    assert_true(counters.bytes_dropped <= written);
    if (fixture->mode.io_threads > 0) {
        assert_int_equal(fixture->journal.opened, ROUNDS);
        assert_int_equal(counters.messages_written, ROUNDS * WORDS);
        assert_int_equal(counters.bytes_dropped, written);
    }
    assert_int_equal(counters.send_units_free, counters.send_units_total);
}

static void what_waits_for_a_peer_that_has_reset_is_dropped_with_it(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->handle = greet;
    fixture->batch = 1; /* the greeting comes before the CLOSED is taken */
    fixture_start(fixture);
    reset_many(fixture);
    FIXTURE_UNTIL(fixture, all_have_ended(fixture) && journal_live(&fixture->journal) == 0);
    expect_all_dropped(fixture);
}

static void the_same_while_the_end_is_still_held(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->batch = 1;
    fixture->keep = true;
    fixture->handle = greet;
    fixture_start(fixture);
    reset_many(fixture);
    FIXTURE_UNTIL(fixture, all_have_ended(fixture) && journal_live(&fixture->journal) == 0);
    if (fixture->mode.io_threads > 0) {
        /* A flush drops what it finds of those that are gone: no release is waited for. */
        FIXTURE_UNTIL(fixture, fixture_counters(fixture).bytes_dropped ==
                                   (uint64_t)ROUNDS * WORDS * WORD_FRAME_BYTES);
        FIXTURE_UNTIL(fixture, fixture_counters(fixture).send_units_free ==
                                   fixture_counters(fixture).send_units_total);
    }
    uint64_t stale = fixture_counters(fixture).writes_stale;
    for (size_t i = 0; i < fixture->kept_count; i++) {
        if (fixture->kept[i].type == THRONG_EVENT_CLOSED) {
            throng_conn conn = fixture->kept[i].conn;
            assert_int_equal(throng_write_data(fixture->server, conn, "late", 4), THRONG_ESTALE);
        }
    }
    assert_int_equal(fixture_counters(fixture).writes_stale, stale + fixture->journal.closed);
    fixture_release_kept(fixture);
    fixture->keep = false;
    expect_all_dropped(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_before_an_abort_is_dropped_and_counted),
        cmocka_unit_test(what_waits_for_a_peer_that_has_reset_is_dropped_with_it),
        cmocka_unit_test(the_same_while_the_end_is_still_held),
    };
    return fixture_run_tests("server_unsent", tests, sizeof(tests) / sizeof(tests[0]));
}
