/* SPDX-License-Identifier: MIT
 * How throng_get_event waits, what ends the wait, and that no wake-up is ever lost. */
#include <stdatomic.h>
#include <string.h>

#include "pattern.h"
#include "server_fixture.h"

/* Ten looks within 200 ms. A busy machine may take the processor away, but not each time. */
static void a_timeout_of_zero_only_looks(void **state)
{
    struct server_fixture *fixture = *state;
    bool only_looked = false;
    fixture_start(fixture);
    for (int attempt = 0; attempt < 20 && !only_looked; attempt++) {
        int64_t begin_ms = test_now_ms();
        for (uint32_t i = 0; i < 10; i++) {
            assert_int_equal(fixture_turn(fixture, 0), 0);
        }
        only_looked = test_now_ms() - begin_ms < 200;
    }
    assert_true(only_looked);
}

static void a_timeout_is_waited_for_and_answers_nothing(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    int64_t begin_ns = test_now_ns();
    assert_int_equal(fixture_turn(fixture, 50), 0);
    int64_t elapsed_ns = test_now_ns() - begin_ns;
    assert_true(elapsed_ns >= 49 * INT64_C(1000000));
    assert_true(elapsed_ns < 5000 * INT64_C(1000000)); /* late, on a busy machine, but not lost */
}

static void an_event_ends_an_unlimited_wait(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    while (fixture->journal.opened == 0) {
        assert_int_equal(fixture_turn(fixture, -1), 1);
    }
    peer_close(&peer);
    assert_int_equal(fixture_turn(fixture, -1), 1);
    assert_int_equal(fixture->journal.closed, 1);
}

static void a_wake_before_the_wait_is_not_forgotten(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    throng_server_wake(fixture->server);
    throng_server_wake(fixture->server);
    assert_int_equal(fixture_turn(fixture, -1), 0);
    /* It is used up now. */
    int64_t begin_ms = test_now_ms();
    assert_int_equal(fixture_turn(fixture, 30), 0);
    assert_true(test_now_ms() - begin_ms >= 29);
}

struct waker {
    struct throng_server *server;
    _Atomic uint32_t round;
    uint32_t rounds;
};

/* Wakes once for each round that the logic thread begins, before, in or after its falling
 * asleep. */
static void wake_each_round(void *argument)
{
    struct waker *waker = argument;
    for (uint32_t i = 1; i <= waker->rounds; i++) {
        while (atomic_load(&waker->round) < i) {
        }
        throng_server_wake(waker->server);
    }
}

static void one_wake_of_another_thread_ends_one_wait(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct waker waker = {.server = fixture->server, .rounds = test_scaled(3000)};
    struct test_thread thread;
    assert_true(test_thread_start(&thread, wake_each_round, &waker));
    for (uint32_t i = 1; i <= waker.rounds; i++) {
        atomic_store(&waker.round, i);
        assert_int_equal(fixture_turn(fixture, -1), 0);
    }
    assert_true(test_thread_join(&thread));
}

#define LATE_MS 100
#define LOST_MS 1000

/* A client on a thread of its own that says something every 1 to 3 ms and waits for the answer. */
struct pacer {
    struct throng_address address;
    struct server_fixture *fixture;
    uint64_t random;
    uint32_t count;
    uint32_t late; /* replies after more than LATE_MS */
    int64_t worst_reply_ns;
    int64_t worst_sleep_ns; /* how much too long the machine let this thread sleep */
    bool complete;
};

static _Atomic uint32_t pacers_done;

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool say_and_wait(struct pacer *pacer, const struct peer *peer, uint32_t number)
{
    uint32_t reply = 0;
    uint32_t pause_us = 1000 + (uint32_t)(test_random(&pacer->random) % 2000);
    int64_t before_ns = test_now_ns();
    test_pause_us(pause_us); /* the pace of the load, not a wait for anything */
    int64_t begin_ns = test_now_ns();
    pacer->worst_sleep_ns =
        larger(pacer->worst_sleep_ns, begin_ns - before_ns - pause_us * INT64_C(1000));
    bool answered = peer_send_frame(peer, &number, sizeof(number), test_deadline_ms()) &&
                    peer_receive_frame(peer, &reply, sizeof(reply), test_deadline_ms()) == 4 &&
                    reply == number;
    int64_t reply_ns = test_now_ns() - begin_ns;
    pacer->worst_reply_ns = larger(pacer->worst_reply_ns, reply_ns);
    pacer->late += reply_ns > test_patience_ms(LATE_MS) * INT64_C(1000000);
    return answered;
}

static void run_pacer(void *argument)
{
    struct pacer *pacer = argument;
    struct peer peer;
    if (peer_connect(&peer, &pacer->address, NULL)) {
        pacer->complete = true;
        for (uint32_t i = 0; i < pacer->count && pacer->complete; i++) {
            pacer->complete = say_and_wait(pacer, &peer, i);
        }
        peer_close(&peer);
    }
    atomic_fetch_add(&pacers_done, 1);
    throng_server_wake(pacer->fixture->server);
}

static void no_reply_comes_late_when_messages_come_one_at_a_time(void **state)
{
    enum {
        PACERS = 2
    };
    struct server_fixture *fixture = *state;
    struct pacer pacers[PACERS];
    struct test_thread threads[PACERS];
    uint64_t seed = test_seed();
    fixture_start(fixture);
    atomic_store(&pacers_done, 0);
    for (uint32_t i = 0; i < PACERS; i++) {
        pacers[i] = (struct pacer){.address = fixture->address,
                                   .fixture = fixture,
                                   .random = seed + i,
                                   .count = test_scaled(1000)};
        assert_true(test_thread_start(&threads[i], run_pacer, &pacers[i]));
    }
    /* Without a limit: a wake-up lost here is a reply that never comes. */
    while (atomic_load(&pacers_done) < PACERS) {
        (void)fixture_turn(fixture, -1);
    }
    for (uint32_t i = 0; i < PACERS; i++) {
        assert_true(test_thread_join(&threads[i]));
    }
    for (uint32_t i = 0; i < PACERS; i++) {
        printf("worst reply %.1f ms, %" PRIu32 " late, worst oversleeping %.1f ms\n",
               (double)pacers[i].worst_reply_ns / 1e6, pacers[i].late,
               (double)pacers[i].worst_sleep_ns / 1e6);
        assert_true(pacers[i].complete);
        /* A busy machine delays everybody, now and then; what it does to a mere sleep is not held
         * against us. */
        assert_true(pacers[i].late <= 1 + pacers[i].count / 50);
        assert_true(pacers[i].worst_reply_ns <=
                    test_patience_ms(LOST_MS) * INT64_C(1000000) + 4 * pacers[i].worst_sleep_ns);
    }
    fixture_expect_settled(fixture);
}

static void what_was_written_goes_out_at_flush_without_an_event(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    assert_int_equal(throng_write_data(fixture->server, conn, "now", 3), 0);
    throng_flush(fixture->server);
    char text[3];
    /* No throng_get_event is called while the peer waits. */
    assert_int_equal(peer_receive_frame(&peer, text, sizeof(text), test_deadline_ms()), 3);
    assert_memory_equal(text, "now", 3);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timeout_of_zero_only_looks),
        cmocka_unit_test(a_timeout_is_waited_for_and_answers_nothing),
        cmocka_unit_test(an_event_ends_an_unlimited_wait),
        cmocka_unit_test(a_wake_before_the_wait_is_not_forgotten),
        cmocka_unit_test(one_wake_of_another_thread_ends_one_wait),
        cmocka_unit_test(no_reply_comes_late_when_messages_come_one_at_a_time),
        cmocka_unit_test(what_was_written_goes_out_at_flush_without_an_event),
    };
    return fixture_run_tests("server_wake", tests, sizeof(tests) / sizeof(tests[0]));
}
