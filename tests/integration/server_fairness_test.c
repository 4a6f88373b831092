/* SPDX-License-Identifier: MIT
 * What one peer may take from the others: turns, rates, slots; and what is said of a logic thread
 * that takes its events too slowly. */
#include <stdlib.h>
#include <string.h>

#include "server_fixture.h"

/* `count` messages of one byte each. The caller frees it. */
static uint8_t *make_messages(uint32_t count)
{
    uint8_t *bytes = calloc(count, 5);
    assert_non_null(bytes);
    for (uint32_t i = 0; i < count; i++) {
        bytes[5 * (size_t)i + 3] = 1;
    }
    return bytes;
}

/* ---- turns ---- */

#define FLOOD 8000u

struct order {
    throng_conn quiet;
    uint64_t before; /* messages of others before the quiet one's first */
    bool seen;
};

static void note_order(struct server_fixture *fixture, const struct throng_event *event)
{
    struct order *order = fixture->context;
    if (event->type == THRONG_EVENT_MESSAGE) {
        order->seen |= event->conn.id == order->quiet.id;
        order->before += order->seen ? 0 : 1;
    }
}

static void a_flood_lets_others_have_their_turn(void **state)
{
    struct server_fixture *fixture = *state;
    struct order order = {0};
    fixture->options.turn_messages = 50;
    fixture->context = &order;
    fixture_start(fixture);
    struct peer flooder, quiet;
    uint8_t *flood = make_messages(FLOOD);
    (void)fixture_open(fixture, &flooder);
    order.quiet = fixture_open(fixture, &quiet);
    fixture->handle = note_order;
    /* Both lie in the kernel before an inline server looks. */
    assert_true(peer_send_all(&flooder, flood, (size_t)FLOOD * 5, test_deadline_ms()));
    assert_true(peer_send_frame(&quiet, "me too", 6, test_deadline_ms()));
    FIXTURE_UNTIL(fixture, fixture->journal.messages == FLOOD + 1);
    if (fixture->mode.io_threads == 0) {
        assert_in_range(order.before, 0, 100);
    }
    assert_true(fixture_counters(fixture).turn_pauses > 0);
    free(flood);
    peer_close(&flooder);
    peer_close(&quiet);
    fixture_expect_settled(fixture);
}

/* ---- rates ---- */

static void who_is_over_the_message_rate_is_slowed_and_loses_nothing(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.messages_per_s = 100;
    fixture->options.messages_burst = 10;
    fixture_start(fixture);
    struct peer peer;
    uint8_t *messages = make_messages(40);
    (void)fixture_open(fixture, &peer);
    int64_t begun_ms = test_now_ms();
    for (uint32_t i = 0; i < 40; i++) {
        fixture_send(fixture, &peer, messages + 5 * (size_t)i, 5);
        (void)fixture_turn(fixture, 0);
    }
    FIXTURE_UNTIL(fixture, fixture->journal.messages == 40);
    fixture_send(fixture, &peer, messages, 5);
    FIXTURE_UNTIL(fixture, fixture->journal.messages == 41);
    assert_true(test_now_ms() - begun_ms >= 300); /* 30 beyond the burst, at 100 a second */
    /* A busy machine may have sent them at no more than that, by accident, but not each time. */
    for (uint64_t more = 1; more < 20 && fixture_counters(fixture).rate_pauses == 0; more++) {
        fixture_send(fixture, &peer, messages, (size_t)40 * 5);
        FIXTURE_UNTIL(fixture, fixture->journal.messages == 41 + 40 * more);
    }
    assert_true(fixture_counters(fixture).rate_pauses >= 1);
    assert_int_equal(fixture->journal.closed, 0);
    free(messages);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void who_is_over_the_byte_rate_is_slowed_too(void **state)
{
    static uint8_t payload[20000];
    struct server_fixture *fixture = *state;
    fixture->options.message_bytes_max = sizeof(payload);
    fixture->options.bytes_per_s = 100000;
    fixture->options.bytes_burst = 20004;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    int64_t begun_ms = test_now_ms();
    for (int i = 0; i < 4; i++) {
        fixture_send_frame(fixture, &peer, payload, sizeof(payload));
    }
    FIXTURE_UNTIL(fixture, fixture->journal.messages == 4);
    fixture_send_frame(fixture, &peer, "x", 1);
    FIXTURE_UNTIL(fixture, fixture->journal.messages == 5);
    assert_true(test_now_ms() - begun_ms >= 600);
    assert_int_equal(fixture->journal.closed, 0);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* Who is slowed in the middle of a message holds memory that others wait for; that is not his
 * fault. */
static void who_is_slowed_is_not_taken_for_one_that_stands_still(void **state)
{
    enum {
        UPLOADERS = 8
    };
    static uint8_t frame[60004];
    struct server_fixture *fixture = *state;
    struct peer peers[UPLOADERS];
    size_t sent[UPLOADERS] = {0};
    if (fixture->mode.io_threads != 1) {
        return; /* what is tested is the worker's */
    }
    fixture->options.message_bytes_max = 60000;
    fixture->options.assembly_bytes = 2 * 65536;
    fixture->options.receive_buffer_bytes = 16384;
    fixture->options.bytes_per_s = 20000;
    fixture->options.bytes_burst = 60004;
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    peer_frame_header(frame, 60000);
    for (uint32_t i = 0; i < UPLOADERS; i++) {
        (void)fixture_open(fixture, &peers[i]);
    }
    for (int64_t end_ms = test_now_ms() + 4000; test_now_ms() < end_ms;) {
        for (uint32_t i = 0; i < UPLOADERS; i++) {
            size_t at = sent[i] % sizeof(frame);
            ptrdiff_t count = peer_send(&peers[i], frame + at, sizeof(frame) - at);
            sent[i] += count > 0 ? (size_t)count : 0;
        }
        (void)fixture_turn(fixture, 5);
    }
    assert_int_equal(fixture->journal.closed, 0);
    for (uint32_t i = 0; i < UPLOADERS; i++) {
        peer_close(&peers[i]);
    } /* what they had sent is still read at their rate: that takes longer than a test may */
}

static void with_the_policy_close_who_is_over_the_rate_is_reset(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.messages_per_s = 10;
    fixture->options.messages_burst = 20;
    fixture->options.when_over_rate = THRONG_WHEN_OVER_RATE_CLOSE;
    fixture_start(fixture);
    struct peer flooder, good;
    uint8_t *messages = make_messages(21);
    (void)fixture_open(fixture, &good);
    throng_conn conn = fixture_open(fixture, &flooder);
    int64_t deadline_ms = test_now_ms() + 2 * test_deadline_ms();
    fixture_send(fixture, &good, messages, (size_t)20 * 5); /* its burst to the last message */
    FIXTURE_UNTIL(fixture, fixture->journal.messages == 20);
    fixture_send(fixture, &flooder, messages, (size_t)21 * 5);
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 1 || fixture->journal.messages == 41);
    while (fixture->journal.closed ==
           0) { /* a busy machine was so slow that one more was allowed */
        (void)peer_send(&flooder, messages, (size_t)21 * 5);
        fixture_turn_towards(fixture, deadline_ms, "the reset", __FILE__, __LINE__);
    }
    assert_int_equal(fixture->last_closed.conn.id, conn.id);
    assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_OVER_RATE);
    assert_non_null(strstr(fixture->log_last, "10 messages"));
    assert_int_equal(fixture->journal.closed, 1);
    free(messages);
    peer_close(&flooder);
    peer_close(&good);
    fixture_expect_settled(fixture);
}

/* ---- slots ---- */

#define SLOTS 4u

static void fill_with_silence(struct server_fixture *fixture, struct peer *speaker,
                              struct peer *silent)
{
    fixture->options.max_connections = SLOTS;
    fixture->options.evict_silent_ms = 100;
    fixture_start(fixture);
    (void)fixture_open(fixture, speaker);
    fixture_expect_echo(fixture, speaker, "word", 4);
    for (uint32_t i = 0; i < SLOTS - 1; i++) {
        (void)fixture_open(fixture, &silent[i]);
    }
}

static void close_all(struct peer *speaker, struct peer *silent)
{
    peer_close(speaker);
    for (uint32_t i = 0; i < SLOTS - 1; i++) {
        peer_close(&silent[i]);
    }
}

/* Knocks until somebody opens. */
static void knock(struct server_fixture *fixture, struct peer *newcomer)
{
    uint32_t opened = fixture->journal.opened;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    for (;;) {
        fixture_connect(fixture, newcomer);
        /* Nothing is sent to whom it opens; a reset is something to receive. */
        while (fixture->journal.opened == opened && !peer_await(newcomer, true, false, 0)) {
            (void)fixture_turn(fixture, 5);
            assert_true(test_now_ms() < deadline_ms);
        }
        if (fixture->journal.opened > opened) {
            return;
        }
        peer_close(newcomer);
        fixture_turn_for(fixture, 20);
    }
}

static void while_all_is_full_the_silent_make_room_for_who_knocks(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer speaker, silent[SLOTS - 1], newcomer;
    fill_with_silence(fixture, &speaker, silent);
    fixture_turn_for(fixture, 150);
    assert_int_equal(fixture->journal.closed, 0); /* nobody knocked */
    knock(fixture, &newcomer);
    fixture_expect_echo(fixture, &newcomer, "new", 3);
    fixture_expect_echo(fixture, &speaker, "old", 3);
    assert_true(fixture->journal.closed_for[THRONG_CLOSE_EVICTED] >= 1);
    assert_int_equal(fixture_counters(fixture).evicted,
                     fixture->journal.closed_for[THRONG_CLOSE_EVICTED]);
    assert_int_equal(fixture->journal.closed, fixture->journal.closed_for[THRONG_CLOSE_EVICTED]);
    peer_close(&newcomer);
    close_all(&speaker, silent);
    fixture_expect_settled(fixture);
}

static void who_waits_in_the_backlog_gets_their_place(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer speaker, silent[SLOTS - 1], newcomer;
    fixture->options.when_full = THRONG_WHEN_FULL_BACKLOG;
    fixture->options.first_message_timeout_ms = THRONG_OFF;
    fill_with_silence(fixture, &speaker, silent);
    fixture_connect(fixture, &newcomer);
    fixture_expect_echo(fixture, &newcomer, "new", 3);
    assert_true(fixture->journal.closed_for[THRONG_CLOSE_EVICTED] >= 1);
    peer_close(&newcomer);
    close_all(&speaker, silent);
    fixture_expect_settled(fixture);
}

static void one_newcomer_takes_one_place(void **state)
{
    enum {
        SILENT = 40
    };
    struct server_fixture *fixture = *state;
    struct peer silent[SILENT], newcomer;
    fixture->options.max_connections = SILENT;
    fixture->options.evict_silent_ms = 200;
    fixture_start(fixture);
    for (uint32_t i = 0; i < SILENT; i++) {
        (void)fixture_open(fixture, &silent[i]);
    }
    fixture_turn_for(fixture, 300);
    fixture_connect(fixture, &newcomer);
    FIXTURE_UNTIL(fixture, fixture->journal.closed_for[THRONG_CLOSE_EVICTED] > 0);
    fixture_turn_for(fixture, 300);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_EVICTED], 1);
    for (uint32_t i = 0; i < SILENT; i++) {
        peer_close(&silent[i]);
    }
    peer_close(&newcomer);
    fixture_expect_settled(fixture);
}

/* The age of a connection counts from its own accept, not from its slot's first use. */
static void a_slots_next_owner_is_young(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer old, young, newcomer;
    fixture->options.max_connections = 1;
    fixture->options.evict_silent_ms = 300;
    fixture_start(fixture);
    (void)fixture_open(fixture, &old);
    fixture_turn_for(fixture, 250);
    peer_close(&old);
    fixture_expect_settled(fixture);
    int64_t begun_ms = test_now_ms();
    (void)fixture_open(fixture, &young);
    knock(fixture, &newcomer);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_EVICTED], 1);
    assert_true(test_now_ms() - begun_ms >= 300);
    peer_close(&young);
    peer_close(&newcomer);
    fixture_expect_settled(fixture);
}

/* ---- the logic thread ---- */

#define STALL_MS 400

static void think(struct server_fixture *fixture, const struct throng_event *event)
{
    (void)fixture;
    if (event->type == THRONG_EVENT_MESSAGE) {
        test_pause_us(STALL_MS * 1000);
    }
}

static void a_logic_thread_that_is_stuck_is_reported_with_its_event(void **state)
{
    enum {
        THOUGHTS = 10
    };
    struct server_fixture *fixture = *state;
    fixture->options.logic_stall_ms = STALL_MS / 4;
    fixture->batch = 1;
    fixture->handle = think;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    /* The first is enough, unless a busy machine has just had the line of this second. */
    uint32_t thoughts = 0;
    do {
        assert_true(++thoughts <= THOUGHTS);
        fixture_send_frame(fixture, &peer, "think", 5);
        FIXTURE_UNTIL(fixture, fixture->journal.messages == thoughts);
        fixture_turn_for(fixture, STALL_MS / 4);
    } while (strstr(fixture->log_last, "MESSAGE") == NULL);
    assert_non_null(strstr(fixture->log_last, "took no event for"));
    /* Once, and not with every look; the machine may have stopped us, too. */
    assert_in_range(fixture_counters(fixture).logic_stalls, thoughts, thoughts + 2);
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).logic_stalled_ms == 0);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* Were the wait counted, it would be each time; a busy machine stops us now and then. */
static void a_logic_thread_that_merely_waits_is_not_stuck(void **state)
{
    enum {
        WAITS = 10
    };
    struct server_fixture *fixture = *state;
    fixture->options.logic_stall_ms = STALL_MS / 4;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    uint64_t before;
    uint32_t waits = 0;
    do {
        assert_true(++waits <= WAITS);
        before = fixture_counters(fixture).logic_stalls;
        fixture_expect_echo(fixture, &peer, "word", 4);
        (void)fixture_turn(fixture, STALL_MS);
        fixture_expect_echo(fixture, &peer, "word", 4);
    } while (fixture_counters(fixture).logic_stalls > before);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_lets_others_have_their_turn),
        cmocka_unit_test(who_is_over_the_message_rate_is_slowed_and_loses_nothing),
        cmocka_unit_test(who_is_over_the_byte_rate_is_slowed_too),
        cmocka_unit_test(who_is_slowed_is_not_taken_for_one_that_stands_still),
        cmocka_unit_test(with_the_policy_close_who_is_over_the_rate_is_reset),
        cmocka_unit_test(while_all_is_full_the_silent_make_room_for_who_knocks),
        cmocka_unit_test(who_waits_in_the_backlog_gets_their_place),
        cmocka_unit_test(one_newcomer_takes_one_place),
        cmocka_unit_test(a_slots_next_owner_is_young),
        cmocka_unit_test(a_logic_thread_that_is_stuck_is_reported_with_its_event),
        cmocka_unit_test(a_logic_thread_that_merely_waits_is_not_stuck),
    };
    return fixture_run_tests("server_fairness", tests, sizeof(tests) / sizeof(tests[0]));
}
