/* SPDX-License-Identifier: MIT
 * The fixed tick: numbered without a gap (the journal counts), never early, and missed ones
 * counted. */
#include <string.h>

#include "server_fixture.h"

#define MS INT64_C(1000000)

static void be_busy_ms(int duration_ms)
{
    int64_t end_ns = test_now_ns() + duration_ms * MS;
    while (test_now_ns() < end_ns) {
    }
}

struct rhythm {
    int64_t begin_ns; /* before the call of throng_tick */
    int64_t period_ns;
    uint64_t missed;
    uint64_t last; /* the number of the latest */
    uint32_t early;
    uint32_t wrong;
};

static void note_tick(struct server_fixture *fixture, const struct throng_event *event)
{
    struct rhythm *rhythm = fixture->context;
    if (event->type != THRONG_EVENT_TICK || event->user != NULL ||
        event->number != rhythm->last + event->missed + 1) {
        rhythm->wrong++;
    }
    int64_t due_ns = rhythm->begin_ns + (int64_t)event->number * rhythm->period_ns;
    rhythm->early += test_now_ns() < due_ns;
    rhythm->missed += event->missed;
    rhythm->last = event->number;
}

static struct rhythm start_ticks(struct server_fixture *fixture, uint32_t rate_hz)
{
    struct rhythm rhythm = {.begin_ns = test_now_ns(), .period_ns = 1000 * MS / rate_hz};
    assert_int_equal(throng_tick(fixture->server, rate_hz), 0);
    return rhythm;
}

static void ticks_are_numbered_and_never_early(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct rhythm rhythm = start_ticks(fixture, 500);
    fixture->handle = note_tick;
    fixture->context = &rhythm;
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(fixture_turn(fixture, -1), 1); /* nothing but ticks ends the wait */
    }
    assert_int_equal(rhythm.early, 0);
    assert_int_equal(rhythm.wrong, 0);
    assert_int_equal(fixture_counters(fixture).ticks_missed, rhythm.missed);
    assert_int_equal(fixture_counters(fixture).events_unreleased, 0);
}

static void a_late_logic_thread_gets_one_tick_and_hears_how_many_it_missed(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct rhythm rhythm = start_ticks(fixture, 1000);
    fixture->handle = note_tick;
    fixture->context = &rhythm;
    for (uint64_t i = 1; i <= 3; i++) {
        be_busy_ms(20);
        assert_int_equal(fixture_turn(fixture, 0), 1);
        assert_true(rhythm.last >= 20 * i);
        assert_true(rhythm.missed >= 20 * i - i);
    }
    int64_t end_ns = test_now_ns();
    assert_int_equal(rhythm.early, 0);
    assert_int_equal(rhythm.wrong, 0);
    assert_true((int64_t)rhythm.last <= (end_ns - rhythm.begin_ns) / rhythm.period_ns);
    assert_int_equal(rhythm.last, rhythm.missed + 3);
    assert_int_equal(fixture_counters(fixture).ticks_missed, rhythm.missed);
}

static void a_new_rate_begins_anew_and_nought_ends_the_ticks(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    assert_int_equal(throng_tick(fixture->server, 1000), 0);
    FIXTURE_UNTIL(fixture, fixture->journal.tick >= 3);
    be_busy_ms(3);
    struct rhythm rhythm = start_ticks(fixture, 200); /* one of the old ones was due */
    fixture->handle = note_tick;
    fixture->context = &rhythm;
    assert_int_equal(fixture_turn(fixture, -1), 1);
    assert_int_equal(rhythm.last, rhythm.missed + 1);
    assert_int_equal(rhythm.early, 0);
    assert_int_equal(rhythm.wrong, 0);
    be_busy_ms(6);
    assert_int_equal(throng_tick(fixture->server, 0), 0);
    uint64_t ticks = fixture->journal.ticks;
    assert_int_equal(fixture_turn(fixture, 12), 0);
    assert_int_equal(fixture->journal.ticks, ticks);
}

static void a_rate_that_cannot_be_is_refused_and_changes_nothing(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    assert_int_equal(throng_tick(NULL, 20), THRONG_EINVAL);
    assert_int_equal(throng_tick(fixture->server, 1001), THRONG_EINVAL);
    assert_int_equal(fixture_turn(fixture, 3), 0);
    struct rhythm rhythm = start_ticks(fixture, 1000);
    assert_int_equal(throng_tick(fixture->server, UINT32_MAX), THRONG_EINVAL);
    fixture->handle = note_tick;
    fixture->context = &rhythm;
    assert_int_equal(fixture_turn(fixture, -1), 1);
    assert_int_equal(rhythm.wrong, 0);
}

static void a_batch_begins_with_the_tick_and_goes_on_with_timers_and_posts(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_event events[8];
    struct peer peer;
    fixture_start(fixture);
    (void)fixture_open(fixture, &peer);
    assert_int_equal(throng_post(fixture->server, fixture, 77), 0);
    assert_int_equal(throng_timer_start(fixture->server, 3, 0, NULL, NULL), 0);
    assert_int_equal(throng_timer_start(fixture->server, 1, 0, fixture, NULL), 0);
    assert_int_equal(throng_tick(fixture->server, 200), 0);
    be_busy_ms(8);
    assert_int_equal(throng_get_events(fixture->server, events, 8, 0), 4);
    assert_int_equal(events[0].type, THRONG_EVENT_TICK);
    assert_int_equal(events[0].number, events[0].missed + 1);
    assert_int_equal(events[1].type, THRONG_EVENT_TIMER);
    assert_ptr_equal(events[1].user, fixture);
    assert_int_equal(events[2].type, THRONG_EVENT_TIMER);
    assert_int_equal(events[3].type, THRONG_EVENT_POSTED);
    assert_int_equal(events[3].number, 77);
    assert_int_equal(throng_tick(fixture->server, 0), 0);
    for (uint32_t i = 0; i < 4; i++) {
        throng_release_event(fixture->server, &events[i]);
    }
    fixture_expect_echo(fixture, &peer, "still here", 10);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void be_late(struct server_fixture *fixture, const struct throng_event *event)
{
    if (event->type == THRONG_EVENT_TICK) {
        be_busy_ms(2);
    }
    fixture_echo(fixture, event);
}

/* There is always a tick due: others are served, and a drain ends. */
static void a_tick_that_is_always_late_holds_up_neither_the_peers_nor_the_end(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    fixture->handle = be_late;
    fixture_start(fixture);
    assert_int_equal(throng_tick(fixture->server, 1000), 0);
    (void)fixture_open(fixture, &peer);
    fixture_expect_echo(fixture, &peer, "late", 4);
    throng_server_drain(fixture->server, (uint32_t)test_deadline_ms());
    fixture_expect_end(fixture, &peer);
    peer_close(&peer);
    FIXTURE_UNTIL(fixture, fixture->answer == THRONG_ESTOPPED);
    assert_int_equal(journal_live(&fixture->journal), 0);
    assert_true(fixture->journal.ticks > 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_numbered_and_never_early),
        cmocka_unit_test(a_late_logic_thread_gets_one_tick_and_hears_how_many_it_missed),
        cmocka_unit_test(a_new_rate_begins_anew_and_nought_ends_the_ticks),
        cmocka_unit_test(a_rate_that_cannot_be_is_refused_and_changes_nothing),
        cmocka_unit_test(a_batch_begins_with_the_tick_and_goes_on_with_timers_and_posts),
        cmocka_unit_test(a_tick_that_is_always_late_holds_up_neither_the_peers_nor_the_end),
    };
    return fixture_run_tests("server_tick", tests, sizeof(tests) / sizeof(tests[0]));
}
