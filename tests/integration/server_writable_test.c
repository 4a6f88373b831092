/* SPDX-License-Identifier: MIT
 * Writes that are refused, and the WRITABLE that says when to try again: once, in time, in turn,
 * and to nobody who does not want to know any more. */
#include <string.h>

#include "slow_reader.h"

/* What a game notes of its WRITABLEs. */
struct notes {
    throng_conn conns[128];
    size_t count;
    void *user;
    size_t queued_most; /* when one came */
};

static void note_writable(struct server_fixture *fixture, const struct throng_event *event)
{
    struct notes *notes = fixture->context;
    size_t queued = 0;
    if (event->type == THRONG_EVENT_WRITABLE) {
        assert_int_equal(throng_queued_bytes(fixture->server, event->conn, &queued), 0);
        notes->queued_most = queued > notes->queued_most ? queued : notes->queued_most;
        notes->user = event->user;
        notes->conns[notes->count++] = event->conn;
        assert_true(notes->count < 128);
    }
}

static void start(struct server_fixture *fixture, struct notes *notes)
{
    slow_reader_options(fixture);
    memset(notes, 0, sizeof(*notes));
    fixture->handle = note_writable;
    fixture->context = notes;
    fixture_start(fixture);
}

static void writable_comes_once_when_the_queue_has_fallen(void **state)
{
    struct server_fixture *fixture = *state;
    struct notes notes;
    struct peer peer;
    start(fixture, &notes);
    throng_conn conn = slow_reader_open(fixture, &peer);
    assert_int_equal(throng_set_user(fixture->server, conn, &notes), 0);
    uint32_t taken = slow_reader_stuff(fixture, conn, 0, SLOW_READER_LONGEST);
    notes.count = 0; /* some may have come while the system still took bytes */
    uint64_t events = fixture_counters(fixture).writable_events;
    (void)slow_reader_fill(fixture, conn, taken, SLOW_READER_LONGEST);
    fixture_turn_for(fixture, 20);
    assert_int_equal(notes.count, 0); /* nobody reads */

    slow_reader_expect(fixture, &peer, 0, taken - 1);
    FIXTURE_UNTIL(fixture, notes.count == 1);
    fixture_turn_for(fixture, 20);
    assert_int_equal(notes.count, 1);
    assert_int_equal(notes.conns[0].id, conn.id);
    assert_ptr_equal(notes.user, &notes);
    assert_true(notes.queued_most <= SLOW_READER_QUEUE * 512 / 2);
    assert_int_equal(fixture_counters(fixture).writable_events, events + 1);
    assert_int_equal(slow_reader_write(fixture, conn, taken, SLOW_READER_LONGEST), 0);
    slow_reader_expect(fixture, &peer, taken, taken);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* All is written without a flush and taken by the system at once: nothing ever comes from the peer,
 * so only the blocks that come home can wake the game. */
static void a_game_that_sleeps_is_woken(void **state)
{
    enum {
        SLEEPS = 60 /* each a quarter of a second too long would be over the deadline */
    };
    struct server_fixture *fixture = *state;
    struct notes notes;
    struct peer peer;
    start(fixture, &notes);
    fixture_connect(fixture, &peer);
    FIXTURE_UNTIL(fixture, fixture->journal.opened == 1);
    throng_conn conn = fixture->last_open.conn;
    int64_t begin_ms = test_now_ms();
    for (uint32_t round = 0, number = 0; round < SLEEPS; round++) {
        uint32_t taken = slow_reader_fill(fixture, conn, number, 300);
        assert_int_equal(slow_reader_write(fixture, conn, taken, SLOW_READER_LONGEST),
                         THRONG_EAGAIN);
        for (size_t count = notes.count; count == notes.count;) {
            /* Nothing but WRITABLE can end this: a lost wake-up is a turn without an event. */
            assert_int_equal(fixture_turn(fixture, test_deadline_ms()), 1);
        }
        slow_reader_expect(fixture, &peer, number, taken - 1);
        number = taken;
    }
    assert_true(test_now_ms() - begin_ms < test_deadline_ms());
    assert_int_equal(notes.count, SLEEPS);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* A smaller message goes through behind the refused one: nothing is owed. */
static void an_accepted_write_forgets_the_refusal(void **state)
{
    struct server_fixture *fixture = *state;
    struct notes notes;
    struct peer peer;
    start(fixture, &notes);
    throng_conn conn = slow_reader_open(fixture, &peer);
    uint32_t taken = slow_reader_fill(fixture, conn, 0, SLOW_READER_LONGEST);
    assert_int_equal(taken, 16); /* of 8 blocks less 92 bytes each */
    assert_int_equal(slow_reader_write(fixture, conn, 16, 4), 0);
    slow_reader_expect(fixture, &peer, 0, 16);
    fixture_turn_for(fixture, 20);
    assert_int_equal(notes.count, 0);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void none_comes_after_a_close_or_an_abort(void **state)
{
    struct server_fixture *fixture = *state;
    struct notes notes;
    struct peer peers[3];
    throng_conn conns[3];
    start(fixture, &notes);
    for (uint32_t i = 0; i < 3; i++) {
        conns[i] = slow_reader_open(fixture, &peers[i]);
        assert_int_equal(slow_reader_fill(fixture, conns[i], 0, SLOW_READER_BLOCK),
                         SLOW_READER_QUEUE);
    }
    assert_int_equal(throng_close(fixture->server, conns[0]), 0);
    assert_int_equal(throng_abort(fixture->server, conns[1]), 0);
    slow_reader_expect(fixture, &peers[0], 0, SLOW_READER_QUEUE - 1);
    fixture_expect_end(fixture, &peers[0]);
    peer_close(&peers[0]);
    fixture_expect_reset(fixture, &peers[1]);
    peer_reset(&peers[2]); /* and none to a connection that is gone */
    fixture_expect_settled(fixture);
    /* The third one may have had its own before the reset arrived. */
    for (size_t i = 0; i < notes.count; i++) {
        assert_int_equal(notes.conns[i].id, conns[2].id);
    }
    assert_true(notes.count <= 1);
    peer_close(&peers[1]);
}

/* Twenty take all memory, three come too late. When memory comes back they are told in the order in
 * which they came. */
static void whoever_waits_for_memory_is_told_in_turn(void **state)
{
    enum {
        HOGS = 40,
        LATE = 3
    };
    struct server_fixture *fixture = *state;
    struct notes notes;
    struct peer peers[HOGS + LATE];
    throng_conn conns[HOGS + LATE];
    fixture->options.send_small_bytes = 128u * 1024; /* 256 blocks, of which 64 are the reserve */
    fixture->options.send_large_bytes = 33 * 512;
    fixture->options.send_reserve_percent = 25;
    start(fixture, &notes);
    for (uint32_t i = 0; i < HOGS + LATE; i++) {
        conns[i] = slow_reader_open(fixture, &peers[i]);
    }
    uint32_t taken[HOGS + LATE] = {0};
    for (uint32_t i = 0; i < HOGS; i++) {
        taken[i] = slow_reader_fill(fixture, conns[i], 0, SLOW_READER_LONGEST);
    }
    static const uint32_t order[LATE] = {41, 42, 40};
    for (uint32_t i = 0; i < LATE; i++) {
        assert_int_equal(slow_reader_write(fixture, conns[order[i]], 0, SLOW_READER_LONGEST),
                         THRONG_EAGAIN);
    }
    for (uint32_t i = 0; i < HOGS; i++) {
        if (taken[i] > 0) {
            slow_reader_expect(fixture, &peers[i], 0, taken[i] - 1);
        }
    }
    FIXTURE_UNTIL(fixture, notes.count == HOGS + LATE);
    uint32_t next = 0;
    for (size_t i = 0; i < notes.count; i++) {
        if (next < LATE && notes.conns[i].id == conns[order[next]].id) {
            next++;
        }
    }
    assert_int_equal(next, LATE);
    for (uint32_t i = 0; i < HOGS + LATE; i++) {
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
}

static void each_doubling_of_a_queue_is_counted(void **state)
{
    static const struct {
        uint32_t written;
        uint32_t doublings;
    } steps[] = {{15, 0}, {16, 1},  {31, 1},  {32, 2}, {63, 2},
                 {64, 3}, {127, 3}, {128, 4}, {129, 4}};
    struct server_fixture *fixture = *state;
    struct notes notes;
    struct peer peer;
    start(fixture, &notes);
    throng_conn conn = slow_reader_open(fixture, &peer);
    uint32_t lines = fixture->log_lines;
    for (uint32_t round = 1; round <= 2; round++) {
        uint32_t written = 0;
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            while (written < steps[i].written) {
                int result = slow_reader_write(fixture, conn, written++, SLOW_READER_BLOCK);
                assert_int_equal(result, written <= 128 ? 0 : THRONG_EAGAIN);
            }
            assert_int_equal(fixture_counters(fixture).queue_doublings,
                             4 * (round - 1) + steps[i].doublings);
        }
        assert_int_equal(fixture_counters(fixture).queue_bytes_peak, 128 * 512);
        slow_reader_expect(fixture, &peer, 0, 127);
        FIXTURE_UNTIL(fixture, notes.count == round);
        FIXTURE_UNTIL(fixture, fixture_counters(fixture).send_units_free ==
                                   fixture_counters(fixture).send_units_total);
    }
    assert_true(fixture->log_lines > lines);
    assert_non_null(strstr(fixture->log_last, "info: tcp://127.0.0.1:"));
    assert_non_null(strstr(fixture->log_last, "8192 bytes wait"));
    assert_non_null(strstr(fixture->log_last, "65536"));
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void a_limit_can_be_changed_while_it_matters(void **state)
{
    struct server_fixture *fixture = *state;
    struct notes notes;
    struct peer peer;
    start(fixture, &notes);
    throng_conn conn = slow_reader_open(fixture, &peer);
    uint32_t taken = slow_reader_fill(fixture, conn, 0, SLOW_READER_BLOCK);
    assert_int_equal(taken, 128);
    assert_int_equal(throng_set_send_limit(fixture->server, conn, 256 * 512), 0);
    taken = slow_reader_fill(fixture, conn, taken, SLOW_READER_BLOCK);
    assert_int_equal(taken, 256);
    assert_int_equal(throng_set_send_limit(fixture->server, conn, 16 * 512 - 511), 0);
    assert_int_equal(slow_reader_write(fixture, conn, taken, SLOW_READER_BLOCK), THRONG_EAGAIN);
    slow_reader_expect(fixture, &peer, 0, taken - 1); /* what waited stays */
    FIXTURE_UNTIL(fixture, notes.count == 1);
    assert_true(notes.queued_most <= 8 * 512);
    size_t queued = 1;
    FIXTURE_UNTIL(fixture, throng_queued_bytes(fixture->server, conn, &queued) == 0 && queued == 0);
    assert_int_equal(slow_reader_fill(fixture, conn, 0, SLOW_READER_BLOCK), 16);

    /* 8 blocks hold one longest message. */
    assert_int_equal(throng_set_send_limit(fixture->server, conn, 8 * 512), 0);
    assert_int_equal(throng_set_send_limit(fixture->server, conn, 8 * 512 - 1), THRONG_EINVAL);
    assert_int_equal(throng_set_send_limit(fixture->server, conn, 0), THRONG_EINVAL);
    assert_int_equal(throng_set_send_limit(fixture->server, conn, (size_t)1 << 31), 0);
    assert_int_equal(throng_set_send_limit(fixture->server, conn, ((size_t)1 << 31) + 1),
                     THRONG_EINVAL);
    assert_int_equal(throng_set_send_limit(NULL, conn, 65536), THRONG_EINVAL);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(throng_set_send_limit(fixture->server, conn, 65536), THRONG_ESTALE);
    assert_int_equal(throng_set_send_limit(fixture->server, (throng_conn){0}, 65536),
                     THRONG_ESTALE);
}

/* A limit that is raised is room: a refusal is answered without a byte being sent. */
static void a_raised_limit_makes_a_connection_writable(void **state)
{
    struct server_fixture *fixture = *state;
    struct notes notes;
    struct peer peer;
    start(fixture, &notes);
    throng_conn conn = slow_reader_open(fixture, &peer);
    uint32_t taken = slow_reader_stuff(fixture, conn, 0, SLOW_READER_BLOCK);
    notes.count = 0;
    assert_int_equal(slow_reader_fill(fixture, conn, taken, SLOW_READER_BLOCK), taken);
    assert_int_equal(throng_set_send_limit(fixture->server, conn, 1024 * 512), 0);
    FIXTURE_UNTIL(fixture, notes.count == 1);
    assert_int_equal(slow_reader_write(fixture, conn, taken, SLOW_READER_BLOCK), 0);
    slow_reader_expect(fixture, &peer, 0, taken);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writable_comes_once_when_the_queue_has_fallen),
        cmocka_unit_test(a_game_that_sleeps_is_woken),
        cmocka_unit_test(an_accepted_write_forgets_the_refusal),
        cmocka_unit_test(none_comes_after_a_close_or_an_abort),
        cmocka_unit_test(whoever_waits_for_memory_is_told_in_turn),
        cmocka_unit_test(each_doubling_of_a_queue_is_counted),
        cmocka_unit_test(a_limit_can_be_changed_while_it_matters),
        cmocka_unit_test(a_raised_limit_makes_a_connection_writable),
    };
    return fixture_run_tests("server_writable", tests, sizeof(tests) / sizeof(tests[0]));
}
