/* SPDX-License-Identifier: MIT
 * Rooms with members that read late or never beside members that keep up: each policy, changed
 * while it runs, want of send memory and of references, and whether the counts add up. */
#include <string.h>

#include "pattern.h"
#include "slow_reader.h"

#define FAST 5
#define SLOW 4

struct club {
    throng_room room;
    struct peer fast[FAST];
    struct peer slow[SLOW];
    throng_conn fast_conns[FAST];
    throng_conn slow_conns[SLOW];
    uint64_t acks;
    uint32_t said; /* the number of the next message */
    uint32_t slow_heard;
};

static struct club club;

static void join(struct server_fixture *fixture, throng_conn conn)
{
    assert_int_equal(throng_room_join(fixture->server, club.room, conn), 0);
}

static void open_club(struct server_fixture *fixture)
{
    memset(&club, 0, sizeof(club));
    slow_reader_options(fixture);
    fixture_start(fixture);
    assert_int_equal(throng_room_create(fixture->server, &club.room), 0);
    for (int i = 0; i < FAST; i++) {
        club.fast_conns[i] = fixture_open(fixture, &club.fast[i]);
        join(fixture, club.fast_conns[i]);
    }
    for (int i = 0; i < SLOW; i++) {
        club.slow_conns[i] = slow_reader_open(fixture, &club.slow[i]);
        join(fixture, club.slow_conns[i]);
    }
}

/* Everybody goes: nothing of any room is left, and all of it can be used again. */
static void close_club(struct server_fixture *fixture)
{
    for (int i = 0; i < FAST; i++) {
        peer_close(&club.fast[i]);
    }
    for (int i = 0; i < SLOW; i++) {
        peer_close(&club.slow[i]);
    }
    fixture_expect_settled(fixture);
    struct throng_counters now = fixture_counters(fixture);
    assert_int_equal(now.room_members, 0);
    assert_int_equal(now.send_units_free, now.send_units_total);
    assert_int_equal(throng_room_destroy(fixture->server, club.room), 0);
}

/* Members that keep up hear it, and say so: when that has come, it is known that they were sent
 * all. */
static void fast_hear(struct server_fixture *fixture, uint32_t number)
{
    for (int i = 0; i < FAST; i++) {
        assert_int_equal(slow_reader_receive(fixture, &club.fast[i]), number);
        fixture_send_frame(fixture, &club.fast[i], "I", 1);
    }
    club.acks += FAST;
    FIXTURE_UNTIL(fixture, fixture->journal.messages == club.acks);
}

/* Broadcasts the next message until it is accepted. */
static void say(struct server_fixture *fixture, size_t size)
{
    int result;
    const uint32_t number = club.said++;
    FIXTURE_UNTIL(fixture, (result = slow_reader_broadcast(fixture, club.room, number, size,
                                                           THRONG_NOBODY)) != THRONG_EAGAIN);
    assert_int_equal(result, 0);
    fast_hear(fixture, number);
}

static void set_policy(struct server_fixture *fixture, int slow, enum throng_when_send_full policy)
{
    assert_int_equal(throng_set_send_policy(fixture->server, club.slow_conns[slow], policy), 0);
}

static struct throng_room_info info_of(struct server_fixture *fixture)
{
    struct throng_room_info info;
    assert_int_equal(throng_room_get_info(fixture->server, club.room, &info), 0);
    return info;
}

/* The next message for a slow member: its number is higher than the one before. */
static void slow_hears(struct server_fixture *fixture, int i, int64_t *before)
{
    int64_t number = slow_reader_receive(fixture, &club.slow[i]);
    assert_true(number > *before);
    *before = number;
    club.slow_heard++;
}

/* Takes what has come to the slow members; whether it is all that is due. */
static bool have_heard(struct server_fixture *fixture, int64_t before[SLOW], uint64_t due)
{
    for (int i = 0; i < SLOW; i++) {
        while (club.slow_heard < due && peer_await(&club.slow[i], true, false, 0)) {
            slow_hears(fixture, i, &before[i]);
        }
    }
    return club.slow_heard == due;
}

/* They read all that waits, and one more message that then everybody hears. */
static void slow_hear_all(struct server_fixture *fixture, int64_t before[SLOW])
{
    const struct throng_counters now = fixture_counters(fixture);
    const uint64_t due = now.broadcast_deliveries - now.messages_dropped -
                         (uint64_t)FAST * club.said;
    FIXTURE_UNTIL(fixture, have_heard(fixture, before, due));
    say(fixture, SLOW_READER_BLOCK);
    for (int i = 0; i < SLOW; i++) {
        slow_hears(fixture, i, &before[i]);
        assert_int_equal(before[i], club.said - 1);
    }
}

static void expect_sums(struct server_fixture *fixture, uint64_t offered)
{
    const struct throng_counters now = fixture_counters(fixture);
    const struct throng_room_info info = info_of(fixture);
    assert_int_equal(now.broadcasts, club.said);
    assert_int_equal(info.broadcasts, club.said);
    assert_int_equal(now.broadcast_deliveries + now.broadcast_drops, offered);
    assert_int_equal(info.dropped, now.broadcast_drops + now.messages_dropped);
}

static void who_refuses_hears_the_first_and_misses_the_rest(void **state)
{
    struct server_fixture *fixture = *state;
    int64_t before[SLOW] = {-1, -1, -1, -1};
    open_club(fixture);
    while (info_of(fixture).dropped < 300) {
        say(fixture, SLOW_READER_BLOCK);
    }
    for (int i = 0; i < SLOW; i++) {
        for (uint32_t number = 0; number < SLOW_READER_QUEUE; number++) {
            slow_hears(fixture, i, &before[i]);
            assert_int_equal(before[i], number); /* the system's buffers only add to that */
        }
    }
    slow_hear_all(fixture, before);
    assert_int_equal(fixture_counters(fixture).messages_dropped, 0);
    expect_sums(fixture, (uint64_t)club.said * (FAST + SLOW));
    close_club(fixture);
}

static void who_drops_the_oldest_hears_the_newest(void **state)
{
    struct server_fixture *fixture = *state;
    int64_t before[SLOW] = {-1, -1, -1, -1};
    fixture->options.when_send_full = THRONG_WHEN_SEND_FULL_DROP_OLDEST;
    open_club(fixture);
    while (info_of(fixture).dropped < 300) {
        say(fixture, SLOW_READER_BLOCK);
    }
    for (int i = 0; i < SLOW; i++) {
        while (before[i] < club.said - 1) {
            slow_hears(fixture, i, &before[i]);
        }
    }
    slow_hear_all(fixture, before);
    assert_int_equal(fixture_counters(fixture).broadcast_drops, 0);
    expect_sums(fixture, (uint64_t)club.said * (FAST + SLOW));
    close_club(fixture);
}

static void who_is_to_be_closed_is_reset(void **state)
{
    struct server_fixture *fixture = *state;
    open_club(fixture);
    for (int i = 0; i < SLOW; i++) {
        set_policy(fixture, i, THRONG_WHEN_SEND_FULL_CLOSE);
    }
    while (fixture->journal.closed < SLOW) {
        say(fixture, SLOW_READER_BLOCK);
    }
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_SLOW_READER], SLOW);
    say(fixture, SLOW_READER_BLOCK);
    assert_int_equal(info_of(fixture).members, FAST);
    assert_int_equal(info_of(fixture).dropped, SLOW);
    assert_int_equal(fixture_counters(fixture).broadcast_drops, SLOW);
    close_club(fixture);
}

/* Members that now read and now do not, whose policy and limit change, and to whom something is
 * written too: in order, each once, and every message is accounted for. */
static void policies_and_limits_may_change_while_it_runs(void **state)
{
    struct server_fixture *fixture = *state;
    int64_t before[SLOW] = {-1, -1, -1, -1};
    uint64_t chance = 11;
    open_club(fixture);
    for (uint32_t round = 0; round < 600; round++) {
        const int i = (int)(test_random(&chance) % SLOW);
        say(fixture, 4 + test_random(&chance) % 1500);
        if (test_random(&chance) % 8 == 0) {
            set_policy(fixture, i,
                       test_random(&chance) % 2 == 0 ? THRONG_WHEN_SEND_FULL_REFUSE
                                                     : THRONG_WHEN_SEND_FULL_DROP_OLDEST);
        }
        if (test_random(&chance) % 8 == 0) {
            const size_t limit = SLOW_READER_QUEUE * 512 >> test_random(&chance) % 4;
            assert_int_equal(throng_set_send_limit(fixture->server, club.slow_conns[i], limit), 0);
        }
        if (test_random(&chance) % 2 == 0 && peer_await(&club.slow[i], true, false, 0)) {
            slow_hears(fixture, i, &before[i]);
        }
    }
    slow_hear_all(fixture, before);
    expect_sums(fixture, (uint64_t)club.said * (FAST + SLOW));
    close_club(fixture);
}

/* As many as there is memory for, at once: then it is refused, and goes on when that was sent. */
static void want_of_send_memory_is_the_slow_ones_own(void **state)
{
    struct server_fixture *fixture = *state;
    int64_t before[SLOW] = {-1, -1, -1, -1};
    fixture->options.send_small_bytes = 64 * 512;
    open_club(fixture);
    set_policy(fixture, 0, THRONG_WHEN_SEND_FULL_DROP_OLDEST);
    set_policy(fixture, 1, THRONG_WHEN_SEND_FULL_DROP_OLDEST);
    for (uint32_t round = 0; round < 200; round++) {
        say(fixture, SLOW_READER_BLOCK);
    }
    assert_true(info_of(fixture).dropped > 0);
    for (uint32_t round = 0; round < 20; round++) {
        const uint32_t first = club.said;
        while (slow_reader_broadcast(fixture, club.room, club.said, SLOW_READER_BLOCK,
                                     THRONG_NOBODY) == 0) {
            club.said++;
        }
        assert_true(club.said > first); /* half of the reserve */
        for (uint32_t number = first; number < club.said; number++) {
            fast_hear(fixture, number);
        }
    }
    assert_int_equal(fixture_counters(fixture).broadcasts_refused, 20);
    slow_hear_all(fixture, before);
    expect_sums(fixture, (uint64_t)club.said * (FAST + SLOW));
    close_club(fixture);
}

static void want_of_references_is_the_slow_ones_own(void **state)
{
    struct server_fixture *fixture = *state;
    int64_t before[SLOW] = {-1, -1, -1, -1};
    fixture->options.room_references_max = 64;
    fixture->options.send_queue_bytes_max = 1024 * 512;
    open_club(fixture);
    set_policy(fixture, 0, THRONG_WHEN_SEND_FULL_DROP_OLDEST);
    for (uint32_t round = 0; round < 300; round++) {
        say(fixture, SLOW_READER_BLOCK);
    }
    assert_true(info_of(fixture).dropped > 0);
    slow_hear_all(fixture, before);
    expect_sums(fixture, (uint64_t)club.said * (FAST + SLOW));
    close_club(fixture);
}

/* ---- written to a member, batch after batch ---- */

#define TALKERS 8
#define SAID_BY_EACH 1000

/* Some in each batch. */
static void write_a_longest_message(struct server_fixture *fixture,
                                    const struct throng_event *event)
{
    if (event->type == THRONG_EVENT_MESSAGE && fixture->journal.messages % 16 == 0) {
        assert_int_equal(
            slow_reader_write(fixture, club.slow_conns[0], club.said++, SLOW_READER_LONGEST), 0);
    }
}

static void talk(const struct peer *peer)
{
    static uint8_t frames[SAID_BY_EACH * 5];
    for (size_t i = 0; i < sizeof(frames); i += 5) {
        frames[i + 3] = 1; /* of one byte each */
    }
    assert_true(peer_send_all(peer, frames, sizeof(frames), test_deadline_ms()));
}

/* Commands of many batches lie in a row in the ring, each one message over the limit. */
static void many_batches_that_are_sent_at_once_stay_within_the_limit(void **state)
{
    enum {
        LIMIT = (4 + SLOW_READER_LONGEST + 511) / 512 /* blocks: one longest message */
    };
    struct server_fixture *fixture = *state;
    struct peer talkers[TALKERS];
    fixture->options.turn_messages = SAID_BY_EACH;
    fixture->options.send_small_bytes = 64 << 20; /* all of it, if that worker is not there */
    fixture->options.when_send_full = THRONG_WHEN_SEND_FULL_DROP_OLDEST;
    open_club(fixture);
    assert_int_equal(throng_set_send_limit(fixture->server, club.slow_conns[0], LIMIT * 512), 0);
    for (int i = 0; i < TALKERS; i++) {
        (void)fixture_open(fixture, &talkers[i]);
    }
    fixture->handle = write_a_longest_message;
    for (int i = 0; i < TALKERS; i++) {
        talk(&talkers[i]);
    }
    const uint64_t all = fixture->journal.messages + (uint64_t)TALKERS * SAID_BY_EACH;
    FIXTURE_UNTIL(fixture, fixture->journal.messages == all);
    /* A limit in the queue, the newest message behind it, and one more on its way. */
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).send_units_total -
                                   fixture_counters(fixture).send_units_free <=
                               3 * LIMIT);
    (void)slow_reader_expect_some(fixture, &club.slow[0], club.said - 1);
    for (int i = 0; i < TALKERS; i++) {
        peer_close(&talkers[i]);
    }
    fixture->handle = fixture_ignore;
    close_club(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_refuses_hears_the_first_and_misses_the_rest),
        cmocka_unit_test(who_drops_the_oldest_hears_the_newest),
        cmocka_unit_test(who_is_to_be_closed_is_reset),
        cmocka_unit_test(policies_and_limits_may_change_while_it_runs),
        cmocka_unit_test(want_of_send_memory_is_the_slow_ones_own),
        cmocka_unit_test(want_of_references_is_the_slow_ones_own),
        cmocka_unit_test(many_batches_that_are_sent_at_once_stay_within_the_limit),
    };
    return fixture_run_tests("server_room_slow", tests, sizeof(tests) / sizeof(tests[0]));
}
