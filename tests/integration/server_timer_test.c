/* SPDX-License-Identifier: MIT
 * Timers: never early, in order, stopped in time; with a logic thread that is late, and beside the
 * I/O. */
#include <string.h>

#include "pattern.h"
#include "server_fixture.h"

#define MS INT64_C(1000000)
#define TIMERS 40u

/* Keeps the logic thread busy: nothing is waited for. */
static void be_busy_ms(int duration_ms)
{
    int64_t end_ns = test_now_ns() + duration_ms * MS;
    while (test_now_ns() < end_ns) {
    }
}

static throng_timer start_timer(struct server_fixture *fixture, uint32_t delay_ms,
                                uint32_t period_ms)
{
    throng_timer timer = {0};
    assert_int_equal(throng_timer_start(fixture->server, delay_ms, period_ms, fixture, &timer), 0);
    assert_int_not_equal(timer.id, 0);
    return timer;
}

/* ---- time and order ---- */

struct due {
    throng_timer timer;
    int64_t least_ns; /* it is due between these, as far as this thread can know */
    int64_t most_ns;
    int64_t came_ns;
};

struct schedule {
    struct due dues[TIMERS];
    uint32_t order[TIMERS]; /* as they came */
    uint32_t came;
    uint32_t strangers;
};

static void note_due(struct server_fixture *fixture, const struct throng_event *event)
{
    struct schedule *schedule = fixture->context;
    struct due *due = event->user;
    if (event->type != THRONG_EVENT_TIMER || schedule->came == TIMERS || due->came_ns != 0 ||
        event->number != due->timer.id) {
        schedule->strangers++;
        return;
    }
    due->came_ns = test_now_ns();
    schedule->order[schedule->came++] = (uint32_t)(due - schedule->dues);
}

static void timers_come_once_in_the_order_in_which_they_are_due_and_never_early(void **state)
{
    struct server_fixture *fixture = *state;
    struct schedule schedule;
    uint64_t random = test_seed();
    memset(&schedule, 0, sizeof(schedule));
    fixture->handle = note_due;
    fixture->context = &schedule;
    fixture_start(fixture);
    for (uint32_t i = 0; i < TIMERS; i++) {
        struct due *due = &schedule.dues[i];
        uint32_t delay_ms = (uint32_t)(test_random(&random) % 60);
        due->least_ns = test_now_ns() + delay_ms * MS;
        assert_int_equal(throng_timer_start(fixture->server, delay_ms, 0, due, &due->timer), 0);
        due->most_ns = test_now_ns() + (delay_ms + 1) * MS;
    }
    assert_int_equal(fixture_counters(fixture).timers_running, TIMERS);
    FIXTURE_UNTIL(fixture, schedule.came == TIMERS);
    fixture_turn_for(fixture, 5);
    assert_int_equal(schedule.strangers, 0);
    for (uint32_t i = 0; i < TIMERS; i++) {
        const struct due *due = &schedule.dues[schedule.order[i]];
        assert_true(due->came_ns >= due->least_ns);
        assert_true(i == 0 || due->most_ns >= schedule.dues[schedule.order[i - 1]].least_ns);
        assert_int_equal(throng_timer_stop(fixture->server, due->timer), THRONG_ESTALE);
    }
    assert_int_equal(fixture_counters(fixture).timers_running, 0);
}

static void a_timer_ends_an_unlimited_wait(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    int64_t begin_ns = test_now_ns();
    throng_timer timer = start_timer(fixture, 20, 0);
    struct throng_event event;
    assert_int_equal(throng_get_event(fixture->server, &event, -1), 1);
    assert_true(test_now_ns() - begin_ns >= 20 * MS);
    assert_int_equal(event.type, THRONG_EVENT_TIMER);
    assert_int_equal(event.number, timer.id);
    assert_ptr_equal(event.user, fixture);
    /* It has no connection, and its release goes to nobody. */
    assert_int_equal(event.conn.id, 0);
    assert_int_equal(throng_write_data(fixture->server, event.conn, "x", 1), THRONG_ESTALE);
    assert_int_equal(fixture_counters(fixture).events_unreleased, 1);
    throng_release_event(fixture->server, &event);
    throng_release_event(fixture->server, &event);
    assert_int_equal(fixture_counters(fixture).events_unreleased, 0);
}

static void a_look_without_a_wait_takes_what_is_due_and_nothing_else(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    (void)start_timer(fixture, 86400000, 0);
    assert_int_equal(fixture_turn(fixture, 0), 0);
    assert_int_equal(fixture_turn(fixture, 5), 0);
    (void)start_timer(fixture, 0, 0);
    be_busy_ms(3);
    assert_int_equal(fixture_turn(fixture, 0), 1);
    assert_int_equal(fixture->journal.timers, 1);
    assert_int_equal(fixture_turn(fixture, 0), 0);
}

static void the_time_stands_still_in_a_batch_and_goes_on_with_the_next(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    uint64_t before_ns = throng_now_ns(fixture->server);
    (void)start_timer(fixture, 0, 0);
    (void)start_timer(fixture, 0, 0);
    be_busy_ms(3);
    fixture->batch = 1;
    assert_int_equal(fixture_turn(fixture, 0), 1);
    uint64_t batch_ns = throng_now_ns(fixture->server);
    assert_true(batch_ns >= before_ns + 2000000);
    be_busy_ms(2);
    assert_int_equal(throng_now_ns(fixture->server), batch_ns);
    assert_int_equal(fixture_turn(fixture, 0), 1); /* of the same batch */
    assert_int_equal(throng_now_ns(fixture->server), batch_ns);
    assert_int_equal(fixture_turn(fixture, 0), 0);
    assert_true(throng_now_ns(fixture->server) >= batch_ns + 2000000);
}

static void a_timer_that_is_started_late_in_a_batch_is_not_early(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    assert_int_equal(throng_post(fixture->server, NULL, 0), 0);
    assert_int_equal(fixture_turn(fixture, 0), 1);
    uint64_t batch_ns = throng_now_ns(fixture->server);
    be_busy_ms(10);
    int64_t begin_ns = test_now_ns();
    (void)start_timer(fixture, 5, 0);
    assert_int_equal(throng_now_ns(fixture->server), batch_ns);
    assert_int_equal(fixture_turn(fixture, -1), 1);
    assert_true(test_now_ns() - begin_ns >= 5 * MS);
}

/* ---- stopping ---- */

static void a_timer_that_is_stopped_never_comes_though_it_was_due(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    throng_timer timers[3];
    for (uint32_t i = 0; i < 3; i++) {
        timers[i] = start_timer(fixture, 0, 0);
    }
    be_busy_ms(3);
    fixture->batch = 1;
    assert_int_equal(fixture_turn(fixture, 0), 1); /* all three are due in this batch */
    assert_int_equal(throng_timer_stop(fixture->server, timers[0]), THRONG_ESTALE);
    assert_int_equal(throng_timer_stop(fixture->server, timers[1]), 0);
    assert_int_equal(throng_timer_stop(fixture->server, timers[1]), THRONG_ESTALE);
    assert_int_equal(fixture_turn(fixture, 0), 1);
    assert_int_equal(throng_timer_stop(fixture->server, timers[2]), THRONG_ESTALE);
    fixture_turn_for(fixture, 5);
    assert_int_equal(fixture->journal.timers, 2);
}

static void a_timer_that_was_handed_out_is_stale(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    throng_timer once = start_timer(fixture, 0, 0);
    throng_timer periodic = start_timer(fixture, 0, 1000);
    be_busy_ms(3);
    struct throng_event events[4];
    assert_int_equal(throng_get_events(fixture->server, events, 4, 0), 2);
    assert_int_equal(throng_timer_stop(fixture->server, once), THRONG_ESTALE);
    assert_int_equal(throng_timer_stop(fixture->server, periodic), 0); /* it would come again */
    assert_int_equal(throng_timer_stop(fixture->server, periodic), THRONG_ESTALE);
    throng_release_event(fixture->server, &events[1]);
    throng_release_event(fixture->server, &events[0]);
    assert_int_equal(fixture_counters(fixture).timers_running, 0);
    assert_int_equal(fixture_counters(fixture).events_unreleased, 0);
}

static void what_cannot_be_is_refused(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.timers_max = 4;
    fixture_start(fixture);
    throng_timer timer = {4711};
    assert_int_equal(throng_timer_start(NULL, 1, 0, NULL, &timer), THRONG_EINVAL);
    assert_int_equal(throng_timer_start(fixture->server, 86400001, 0, NULL, &timer), THRONG_EINVAL);
    assert_int_equal(throng_timer_start(fixture->server, 1, 86400001, NULL, &timer), THRONG_EINVAL);
    assert_int_equal(throng_timer_stop(NULL, timer), THRONG_EINVAL);
    assert_int_equal(throng_timer_stop(fixture->server, timer), THRONG_ESTALE);
    assert_int_equal(throng_timer_stop(fixture->server, (throng_timer){0}), THRONG_ESTALE);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(throng_timer_start(fixture->server, 86400000, 86400000, NULL, NULL), 0);
    }
    assert_int_equal(throng_timer_start(fixture->server, 1, 0, NULL, &timer), THRONG_EAGAIN);
    assert_int_equal(timer.id, 4711);
    assert_int_equal(fixture_counters(fixture).timers_running, 4);
    assert_int_equal(fixture_turn(fixture, 2), 0);
}

/* ---- a late logic thread ---- */

static void a_late_periodic_timer_leaves_out_what_it_missed(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    int64_t begin_ns = test_now_ns();
    throng_timer timer = start_timer(fixture, 2, 2);
    for (int64_t i = 1; i <= 5; i++) {
        be_busy_ms(21);
        struct throng_event events[16];
        /* Ten periods have passed: it comes once. */
        assert_int_equal(throng_get_events(fixture->server, events, 16, 0), 1);
        assert_int_equal(events[0].number, timer.id);
        assert_int_equal(events[0].missed, 0);
        throng_release_event(fixture->server, &events[0]);
    }
    /* In time it comes once in each period. */
    for (int64_t i = 6; i <= 15; i++) {
        struct throng_event event;
        assert_int_equal(throng_get_event(fixture->server, &event, -1), 1);
        assert_true(test_now_ns() - begin_ns >= (5 * 20 + (i - 5) * 2) * MS);
        throng_release_event(fixture->server, &event);
    }
    assert_int_equal(throng_timer_stop(fixture->server, timer), 0);
}

/* More of them than one batch may hand out: the others have their turn between. */
static void a_crowd_of_timers_lets_the_posts_come_between(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    for (uint32_t i = 0; i < 600; i++) {
        (void)start_timer(fixture, 0, 0);
    }
    be_busy_ms(3);
    assert_int_equal(throng_post(fixture->server, NULL, 1), 0);
    uint64_t before = 0;
    FIXTURE_UNTIL(fixture, (before = fixture->journal.timers, fixture->journal.posts == 1));
    assert_int_equal(before, 256);
    FIXTURE_UNTIL(fixture, fixture->journal.timers == 600);
}

static void be_late(struct server_fixture *fixture, const struct throng_event *event)
{
    if (event->type == THRONG_EVENT_TIMER) {
        be_busy_ms(2);
    }
    fixture_echo(fixture, event);
}

/* Inline, the logic thread is also the one that has to do the I/O. */
static void a_timer_that_is_always_due_keeps_nobody_from_being_served(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    fixture->handle = be_late;
    fixture_start(fixture);
    throng_timer timer = start_timer(fixture, 0, 1);
    (void)fixture_open(fixture, &peer);
    for (uint32_t i = 0; i < 5; i++) {
        fixture_expect_echo(fixture, &peer, &i, sizeof(i));
    }
    assert_int_equal(throng_timer_stop(fixture->server, timer), 0);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_true(fixture->journal.timers > 0);
}

static void timers_come_in_a_drain_and_do_not_hold_it_up(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    fixture->handle = be_late;
    fixture_start(fixture);
    (void)fixture_open(fixture, &peer);
    (void)start_timer(fixture, 0, 1);
    throng_server_drain(fixture->server, (uint32_t)test_deadline_ms());
    FIXTURE_UNTIL(fixture, fixture->journal.timers >= 3);
    fixture_expect_end(fixture, &peer);
    peer_close(&peer);
    FIXTURE_UNTIL(fixture, fixture->answer == THRONG_ESTOPPED);
    assert_int_equal(journal_live(&fixture->journal), 0);
    be_busy_ms(2);
    assert_int_equal(fixture_turn(fixture, -1), THRONG_ESTOPPED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_come_once_in_the_order_in_which_they_are_due_and_never_early),
        cmocka_unit_test(a_timer_ends_an_unlimited_wait),
        cmocka_unit_test(a_look_without_a_wait_takes_what_is_due_and_nothing_else),
        cmocka_unit_test(the_time_stands_still_in_a_batch_and_goes_on_with_the_next),
        cmocka_unit_test(a_timer_that_is_started_late_in_a_batch_is_not_early),
        cmocka_unit_test(a_timer_that_is_stopped_never_comes_though_it_was_due),
        cmocka_unit_test(a_timer_that_was_handed_out_is_stale),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(a_late_periodic_timer_leaves_out_what_it_missed),
        cmocka_unit_test(a_crowd_of_timers_lets_the_posts_come_between),
        cmocka_unit_test(a_timer_that_is_always_due_keeps_nobody_from_being_served),
        cmocka_unit_test(timers_come_in_a_drain_and_do_not_hold_it_up),
    };
    return fixture_run_tests("server_timer", tests, sizeof(tests) / sizeof(tests[0]));
}
