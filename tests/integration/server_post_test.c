/* SPDX-License-Identifier: MIT
 * What other threads hand to the loop: each post once, those of one thread in order, none lost in a
 * full queue, in a sleep or in a drain. */
#include <stdatomic.h>
#include <string.h>

#include "server_fixture.h"

#define POSTERS 8u

/* As many as a poster can have under way: those in the queue, and those that were taken
 * together. */
#define QUEUE 256u
#define BODIES (QUEUE + FIXTURE_BATCH_MAX + 1)

static void a_post_comes_with_its_pointer_and_its_number(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_event event;
    fixture_start(fixture);
    assert_int_equal(throng_post(NULL, fixture, 1), THRONG_EINVAL);
    assert_int_equal(throng_post(fixture->server, fixture, UINT64_MAX), 0);
    assert_int_equal(throng_get_event(fixture->server, &event, -1), 1);
    assert_int_equal(event.type, THRONG_EVENT_POSTED);
    assert_int_equal(event.number, UINT64_MAX);
    assert_ptr_equal(event.user, fixture);
    assert_int_equal(event.conn.id, 0);
    assert_int_equal(throng_close(fixture->server, event.conn), THRONG_ESTALE);
    assert_int_equal(fixture_counters(fixture).events_unreleased, 1);
    throng_release_event(fixture->server, &event);
    assert_int_equal(fixture_counters(fixture).events_unreleased, 0);
    assert_int_equal(fixture_turn(fixture, 0), 0);
}

/* ---- a full queue ---- */

struct numbers {
    uint64_t next;
    uint32_t wrong;
};

static void expect_next(struct server_fixture *fixture, const struct throng_event *event)
{
    struct numbers *numbers = fixture->context;
    numbers->wrong += event->type != THRONG_EVENT_POSTED || event->number != numbers->next;
    numbers->next++;
}

static void a_full_queue_answers_try_again_and_loses_nothing(void **state)
{
    struct server_fixture *fixture = *state;
    struct numbers numbers = {0};
    uint64_t posted = 0;
    fixture->options.posts_max = 5; /* rounded up to 8 */
    fixture->handle = expect_next;
    fixture->context = &numbers;
    fixture_start(fixture);
    for (uint64_t round = 1; round <= 3; round++) {
        for (uint32_t i = 0; i < 8; i++) {
            assert_int_equal(throng_post(fixture->server, NULL, posted++), 0);
        }
        assert_int_equal(throng_post(fixture->server, NULL, 4711), THRONG_EAGAIN);
        assert_int_equal(throng_post(fixture->server, NULL, 4711), THRONG_EAGAIN);
        assert_int_equal(fixture_counters(fixture).posts_refused, 2 * round);
        assert_int_equal(fixture_turn(fixture, -1), 8);
    }
    assert_int_equal(numbers.wrong, 0);
    assert_int_equal(numbers.next, posted);
}

/* ---- threads ---- */

struct poster {
    struct test_thread thread;
    struct throng_server *server;
    uint32_t number;
    uint32_t count;
    uint32_t next; /* the logic thread's: what must come next */
    uint64_t refused;
    int64_t deadline_ms;
    uint32_t bodies[BODIES];
};

static void post_all(void *argument)
{
    struct poster *poster = argument;
    uint32_t sent = 0;
    while (sent < poster->count && test_now_ms() < poster->deadline_ms) {
        uint32_t *body = &poster->bodies[sent % BODIES];
        *body = sent;
        if (throng_post(poster->server, body, (uint64_t)poster->number << 32 | sent) == 0) {
            sent++;
        } else {
            poster->refused++;
            test_pause_us(50); /* the others have the processor */
        }
    }
}

struct posters {
    struct poster all[POSTERS];
    uint64_t came;
    uint32_t wrong;
};

static void note_post(struct server_fixture *fixture, const struct throng_event *event)
{
    struct posters *posters = fixture->context;
    uint64_t from = event->number >> 32;
    if (event->type != THRONG_EVENT_POSTED || from >= POSTERS ||
        posters->all[from].next != (uint32_t)event->number ||
        *(const uint32_t *)event->user != (uint32_t)event->number) {
        posters->wrong++;
        return;
    }
    posters->all[from].next++;
    posters->came++;
}

static void posts_of_eight_threads_come_once_and_in_the_order_of_each(void **state)
{
    static struct posters posters;
    struct server_fixture *fixture = *state;
    const uint32_t count = test_scaled(100000);
    memset(&posters, 0, sizeof(posters));
    fixture->options.posts_max = QUEUE;
    fixture->handle = note_post;
    fixture->context = &posters;
    fixture_start(fixture);
    for (uint32_t i = 0; i < POSTERS; i++) {
        struct poster *poster = &posters.all[i];
        poster->server = fixture->server;
        poster->number = i;
        poster->count = count;
        poster->deadline_ms = test_now_ms() + test_deadline_ms();
        assert_true(test_thread_start(&poster->thread, post_all, poster));
    }
    /* Without a limit: a wake-up that is lost is a test that hangs. */
    while (posters.came < (uint64_t)POSTERS * count && posters.wrong == 0) {
        (void)fixture_turn(fixture, -1);
    }
    uint64_t refused = 0;
    for (uint32_t i = 0; i < POSTERS; i++) {
        assert_true(test_thread_join(&posters.all[i].thread));
        refused += posters.all[i].refused;
    }
    assert_int_equal(posters.wrong, 0);
    assert_int_equal(posters.came, (uint64_t)POSTERS * count);
    assert_int_equal(fixture_counters(fixture).posts_refused, refused);
    assert_int_equal(fixture_turn(fixture, 0), 0);
    fixture_expect_settled(fixture);
}

struct rounds {
    struct throng_server *server;
    _Atomic uint32_t round;
    uint32_t count;
};

/* Posts once for each round that the logic thread begins: before, in or after its falling
 * asleep. */
static void post_each_round(void *argument)
{
    struct rounds *rounds = argument;
    for (uint32_t i = 1; i <= rounds->count; i++) {
        while (atomic_load(&rounds->round) < i) {
        }
        (void)throng_post(rounds->server, NULL, i);
    }
}

static void each_post_ends_a_wait_and_none_of_them_answers_nothing(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct rounds rounds = {.server = fixture->server, .count = test_scaled(2000)};
    struct test_thread thread;
    assert_true(test_thread_start(&thread, post_each_round, &rounds));
    for (uint32_t i = 1; i <= rounds.count; i++) {
        struct throng_event event;
        atomic_store(&rounds.round, i);
        assert_int_equal(throng_get_event(fixture->server, &event, -1), 1);
        assert_int_equal(event.number, i);
        throng_release_event(fixture->server, &event);
    }
    assert_true(test_thread_join(&thread));
    throng_server_wake(fixture->server); /* which does answer nothing */
    assert_int_equal(fixture_turn(fixture, -1), 0);
}

static void posts_and_messages_come_side_by_side(void **state)
{
    static struct poster poster;
    struct server_fixture *fixture = *state;
    struct peer peer;
    fixture_start(fixture);
    (void)fixture_open(fixture, &peer);
    poster = (struct poster){.server = fixture->server,
                             .count = test_scaled(20000),
                             .deadline_ms = test_now_ms() + test_deadline_ms()};
    assert_true(test_thread_start(&poster.thread, post_all, &poster));
    for (uint32_t i = 0; i < 20; i++) {
        fixture_expect_echo(fixture, &peer, &i, sizeof(i));
    }
    FIXTURE_UNTIL(fixture, fixture->journal.posts == poster.count);
    assert_true(test_thread_join(&poster.thread));
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* ---- the end ---- */

static void a_drain_does_not_end_before_what_waits_was_taken(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    fixture->batch = 1;
    fixture_start(fixture);
    (void)fixture_open(fixture, &peer);
    for (uint32_t i = 0; i < 600; i++) {
        assert_int_equal(throng_post(fixture->server, NULL, i), 0);
    }
    throng_server_drain(fixture->server, (uint32_t)test_deadline_ms());
    fixture_expect_end(fixture, &peer);
    peer_close(&peer);
    FIXTURE_UNTIL(fixture, fixture->answer == THRONG_ESTOPPED);
    assert_int_equal(fixture->journal.posts, 600);
    assert_int_equal(journal_live(&fixture->journal), 0);
    /* Also one that comes behind the end is taken first. */
    assert_int_equal(throng_post(fixture->server, NULL, 600), 0);
    assert_int_equal(fixture_turn(fixture, -1), 1);
    assert_int_equal(fixture_turn(fixture, -1), THRONG_ESTOPPED);
}

static void what_waits_at_the_stop_is_forgotten(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    assert_int_equal(throng_post(fixture->server, NULL, 1), 0);
    fixture_stop(fixture);
    fixture_start(fixture);
    assert_int_equal(fixture_turn(fixture, 0), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_post_comes_with_its_pointer_and_its_number),
        cmocka_unit_test(a_full_queue_answers_try_again_and_loses_nothing),
        cmocka_unit_test(posts_of_eight_threads_come_once_and_in_the_order_of_each),
        cmocka_unit_test(each_post_ends_a_wait_and_none_of_them_answers_nothing),
        cmocka_unit_test(posts_and_messages_come_side_by_side),
        cmocka_unit_test(a_drain_does_not_end_before_what_waits_was_taken),
        cmocka_unit_test(what_waits_at_the_stop_is_forgotten),
    };
    return fixture_run_tests("server_post", tests, sizeof(tests) / sizeof(tests[0]));
}
