/* SPDX-License-Identifier: MIT
 * One connection more than the server has room for: refused or left waiting, as asked for, and
 * welcome as soon as another leaves. */
#include <string.h>

#include "server_fixture.h"

#define ROOM 8u

static void fill(struct server_fixture *fixture, struct peer *peers)
{
    for (uint32_t i = 0; i < ROOM; i++) {
        (void)fixture_open(fixture, &peers[i]);
    }
    assert_int_equal(fixture_counters(fixture).connections, ROOM);
}

static void expect_all_served(struct server_fixture *fixture, const struct peer *peers)
{
    for (uint32_t i = 0; i < ROOM; i++) {
        fixture_expect_echo(fixture, &peers[i], "one of all", 10);
    }
}

static void close_all(struct server_fixture *fixture, struct peer *peers)
{
    for (uint32_t i = 0; i < ROOM; i++) {
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
}

/* Whether a new peer gets an answer, or is turned away. */
static bool is_served(struct server_fixture *fixture, struct peer *peer)
{
    char text[4];
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    fixture_connect(fixture, peer);
    (void)peer_send_frame(peer, "", 0, test_deadline_ms());
    for (;;) {
        ptrdiff_t got = peer_receive(peer, text, sizeof(text));
        if (got != PEER_WOULD_BLOCK) {
            return got > 0;
        }
        fixture_turn_towards(fixture, deadline_ms, "an answer or a reset", __FILE__, __LINE__);
    }
}

static void one_too_many_is_reset_and_the_rest_are_unaffected(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[ROOM];
    fixture->options.max_connections = ROOM;
    fixture_start(fixture);
    fill(fixture, peers);
    fixture->log_lines = 0;
    for (uint32_t i = 0; i < 20; i++) {
        struct peer extra;
        fixture_connect(fixture, &extra);
        fixture_expect_reset(fixture, &extra);
        peer_close(&extra);
    }
    assert_int_equal(fixture_counters(fixture).refused, 20);
    /* It is said, but not twenty times. */
    FIXTURE_UNTIL(fixture, fixture->log_lines > 0);
    assert_non_null(strstr(fixture->log_last, "max_connections"));
    assert_true(fixture->log_lines <= 4);
    assert_int_equal(fixture_counters(fixture).connections, ROOM);
    assert_int_equal(fixture->journal.opened, ROOM);
    expect_all_served(fixture, peers);
    close_all(fixture, peers);
}

/* A busy machine may make one of them wait for longer than a second, by accident, but not more. */
static void expect_few_late(uint32_t late)
{
    assert_in_range(late, 0, 1);
}

static void a_place_that_frees_is_taken_again_within_a_second(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[ROOM];
    uint32_t late = 0;
    fixture->options.max_connections = ROOM;
    fixture_start(fixture);
    fill(fixture, peers);
    for (uint32_t i = 0; i < ROOM; i++) {
        int64_t begin_ms = test_now_ms();
        peer_close(&peers[i]);
        while (!is_served(fixture, &peers[i])) {
            peer_close(&peers[i]);
            assert_true(test_now_ms() - begin_ms < test_deadline_ms());
        }
        late += test_now_ms() - begin_ms >= 1000;
    }
    expect_few_late(late);
    expect_all_served(fixture, peers);
    assert_int_equal(fixture_counters(fixture).connections, ROOM);
    close_all(fixture, peers);
}

static void one_too_many_waits_in_the_backlog_if_asked_for(void **state)
{
    enum {
        WAITING = 5
    };
    struct server_fixture *fixture = *state;
    struct peer peers[ROOM];
    struct peer waiting[WAITING];
    uint32_t late = 0;
    fixture->options.max_connections = ROOM;
    fixture->options.when_full = THRONG_WHEN_FULL_BACKLOG;
    fixture_start(fixture);
    fill(fixture, peers);
    for (uint32_t i = 0; i < WAITING; i++) {
        fixture_connect(fixture, &waiting[i]);
        assert_true(peer_send_frame(&waiting[i], "patient", 7, test_deadline_ms()));
    }
    fixture_turn_for(fixture, 50);
    assert_int_equal(fixture->journal.opened, ROOM);
    expect_all_served(fixture, peers);
    for (uint32_t i = 0; i < WAITING; i++) {
        int64_t begin_ms = test_now_ms();
        peer_close(&peers[i]);
        FIXTURE_UNTIL(fixture, fixture->journal.opened == ROOM + i + 1);
        late += test_now_ms() - begin_ms >= 1000;
    }
    expect_few_late(late);
    for (uint32_t i = 0; i < WAITING; i++) {
        fixture_expect_frame(fixture, &waiting[i], "patient", 7);
        peer_close(&waiting[i]);
    }
    assert_int_equal(fixture_counters(fixture).refused, 0);
    close_all(fixture, peers);
    assert_int_equal(fixture->journal.opened, ROOM + WAITING);
}

static void one_that_gives_up_waiting_takes_nobodys_place(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[ROOM];
    fixture->options.max_connections = ROOM;
    fixture->options.when_full = THRONG_WHEN_FULL_BACKLOG;
    fixture_start(fixture);
    fill(fixture, peers);
    for (uint32_t i = 0; i < 5; i++) {
        struct peer impatient;
        fixture_connect(fixture, &impatient);
        fixture_turn_for(fixture, 5);
        peer_reset(&impatient);
    }
    peer_close(&peers[0]);
    assert_true(is_served(fixture, &peers[0]));
    expect_all_served(fixture, peers);
    close_all(fixture, peers);
}

static void a_full_server_fills_and_empties_many_times(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[ROOM];
    fixture->options.max_connections = ROOM;
    fixture->options.when_full = THRONG_WHEN_FULL_BACKLOG;
    fixture_start(fixture);
    uint32_t rounds = test_scaled(100);
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < ROOM; i++) {
            fixture_connect(fixture, &peers[i]);
        }
        expect_all_served(fixture, peers);
        for (uint32_t i = 0; i < ROOM; i++) {
            if (i % 2 == 0) {
                peer_close(&peers[i]);
            } else {
                peer_reset(&peers[i]);
            }
        }
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.opened, rounds * ROOM);
    assert_true(fixture_counters(fixture).connections_peak <= ROOM);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_too_many_is_reset_and_the_rest_are_unaffected),
        cmocka_unit_test(a_place_that_frees_is_taken_again_within_a_second),
        cmocka_unit_test(one_too_many_waits_in_the_backlog_if_asked_for),
        cmocka_unit_test(one_that_gives_up_waiting_takes_nobodys_place),
        cmocka_unit_test(a_full_server_fills_and_empties_many_times),
    };
    return fixture_run_tests("server_capacity", tests, sizeof(tests) / sizeof(tests[0]));
}
