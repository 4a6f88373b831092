/* SPDX-License-Identifier: MIT
 * Port contract, clause 8: wakes are never lost and mostly free; time-outs; finding a backend. */
#include "fixture.h"

#include <string.h>

#include "os/clock.h"
#include "os/parker.h"
#include "os/thread.h"

static struct fixture fixture;

#define NS_PER_S 1000000000
#define ATTEMPTS 20

/* A wait with a time-out that no test reaches unless a wake was lost. */
static void wait_for_wake(bool has_work)
{
    struct tg_completion completion;
    uint64_t begin = tg_clock_ns();
    int64_t timeout_ns = has_work ? 0 : (int64_t)DEADLINE_MS * 1000000;
    CHECK(tg_port_wait(fixture.port, &completion, 1, timeout_ns) == 0);
    CHECK(tg_clock_ns() - begin < (uint64_t)DEADLINE_MS * 1000000 / 2);
}

static uint64_t wakes(void)
{
    return fixture_counter(&fixture.port->counters.wakes);
}

static void waking_somebody_awake_is_free(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    for (int i = 0; i < 1000; i++) {
        tg_port_wake(fixture.port);
    }
    CHECK(wakes() == 0);
    fixture_close(&fixture);
}

static void wakes_of_one_sleep_are_one(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    for (uint64_t round = 1; round <= 100; round++) {
        tg_port_prepare_wait(fixture.port);
        for (int i = 0; i < 5; i++) {
            tg_port_wake(fixture.port);
        }
        CHECK(wakes() == round);
        wait_for_wake(false); /* returns though the wake came before the wait */
    }
    fixture_close(&fixture);
}

static void a_wake_ends_one_wait_only(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    for (int i = 0; i < 3; i++) {
        tg_port_prepare_wait(fixture.port);
        tg_port_wake(fixture.port);
        wait_for_wake(false);
        fixture_expect_sleep(&fixture);
    }
    fixture_close(&fixture);
}

static void a_wake_after_the_wait_is_not_remembered(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    tg_port_prepare_wait(fixture.port);
    CHECK(fixture_pump(&fixture, 0) == 0);
    tg_port_wake(fixture.port); /* the wait has ended the announcement */
    CHECK(wakes() == 0);
    fixture_close(&fixture);
}

/* --- from other threads ---------------------------------------------------------------------- */

/* Each line has one writer. */
struct ping_pong {
    _Atomic uint32_t ping; /* the waker's */
    _Atomic uint32_t pong; /* the port owner's */
    struct tg_parker parker;
    uint32_t rounds;
};

static void play_ping(void *argument)
{
    struct ping_pong *game = argument;
    uint64_t deadline = now_ms() + 4 * DEADLINE_MS;
    for (uint32_t i = 1; i <= game->rounds; i++) {
        /* release: what the owner finds when it sees the number */
        atomic_store_explicit(&game->ping, i, memory_order_release);
        tg_port_wake(fixture.port);
        while (now_ms() < deadline) {
            tg_parker_prepare(&game->parker);
            if (atomic_load_explicit(&game->pong, memory_order_acquire) == i) {
                tg_parker_cancel(&game->parker);
                break;
            }
            tg_parker_sleep(&game->parker, (int64_t)DEADLINE_MS * 1000000);
        }
    }
}

static void a_hundred_thousand_wakes_from_another_thread_are_all_felt(void **state)
{
    static struct ping_pong game;
    struct tg_thread thread;
    uint32_t seen = 0;
    (void)state;
    fixture_open(&fixture, NULL);
    atomic_init(&game.ping, 0);
    atomic_init(&game.pong, 0);
    tg_parker_init(&game.parker);
    game.rounds = test_scaled(100000);
    CHECK(tg_thread_start(&thread, "ping", play_ping, &game) == 0);
    while (seen < game.rounds) {
        tg_port_prepare_wait(fixture.port);
        wait_for_wake(atomic_load_explicit(&game.ping, memory_order_acquire) != seen);
        uint32_t ping = atomic_load_explicit(&game.ping, memory_order_acquire);
        if (ping != seen) {
            CHECK(ping == seen + 1);
            seen = ping;
            atomic_store_explicit(&game.pong, seen, memory_order_release);
            (void)tg_parker_wake(&game.parker);
        }
    }
    tg_thread_join(&thread);
    CHECK(wakes() <= game.rounds);
    fixture_close(&fixture);
}

struct crowd {
    _Atomic uint32_t done;
    uint32_t each;
};

static void shout(void *argument)
{
    struct crowd *crowd = argument;
    for (uint32_t i = 0; i < crowd->each; i++) {
        atomic_fetch_add_explicit(&crowd->done, 1, memory_order_release);
        tg_port_wake(fixture.port);
    }
}

static void three_threads_wake_one_port(void **state)
{
    static struct crowd crowd;
    struct tg_thread threads[3];
    (void)state;
    fixture_open(&fixture, NULL);
    atomic_init(&crowd.done, 0);
    crowd.each = test_scaled(20000);
    for (int i = 0; i < 3; i++) {
        CHECK(tg_thread_start(&threads[i], "shout", shout, &crowd) == 0);
    }
    uint32_t seen = 0;
    while (seen < 3 * crowd.each) {
        tg_port_prepare_wait(fixture.port);
        wait_for_wake(atomic_load_explicit(&crowd.done, memory_order_acquire) != seen);
        seen = atomic_load_explicit(&crowd.done, memory_order_acquire);
    }
    for (int i = 0; i < 3; i++) {
        tg_thread_join(&threads[i]);
    }
    CHECK(wakes() <= 3 * (uint64_t)crowd.each);
    fixture_close(&fixture);
}

static void a_wake_ends_a_wait_without_hiding_data(void **state)
{
    static struct tg_stream stream;
    uint8_t byte;
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    for (int i = 0; i < 100; i++) {
        tg_port_prepare_wait(fixture.port);
        peer_send(peer, "x", 1);
        tg_port_wake(fixture.port);
        fixture_read(&fixture, &stream, &byte, 1);
    }
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* --- time-outs ------------------------------------------------------------------------------- */

/* Waits until `timeout_ns` are over, however often a wait returns early. */
static uint64_t waited_ns(int64_t timeout_ns, int *calls)
{
    struct tg_completion completion;
    uint64_t begin = tg_clock_ns();
    uint64_t passed = 0;
    *calls = 0;
    while (passed < (uint64_t)timeout_ns) {
        CHECK(tg_port_wait(fixture.port, &completion, 1, timeout_ns - (int64_t)passed) == 0);
        (*calls)++;
        passed = tg_clock_ns() - begin;
    }
    return passed;
}

/* A busy machine may be late by accident, but not each time. */
static bool waited_in_time(int64_t timeout_ns, int *calls)
{
    bool in_time = false;
    for (int attempt = 0; attempt < ATTEMPTS && !in_time; attempt++) {
        in_time = waited_ns(timeout_ns, calls) < NS_PER_S;
    }
    return in_time;
}

static void a_wait_ends_at_its_time_out(void **state)
{
    int calls;
    (void)state;
    fixture_open(&fixture, NULL);
    (void)fixture_pump(&fixture, 0);
    const int64_t timeouts_ns[] = {1, 50000, 300000, 1000000, 1500000, 20000000};
    for (size_t i = 0; i < sizeof timeouts_ns / sizeof timeouts_ns[0]; i++) {
        CHECK(waited_in_time(timeouts_ns[i], &calls));
        CHECK(calls <= 3); /* asleep, not spinning */
    }
    fixture_close(&fixture);
}

static void time_out_zero_only_looks(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    bool only_looked = false;
    for (int attempt = 0; attempt < ATTEMPTS && !only_looked; attempt++) {
        uint64_t begin = now_ms();
        for (int i = 0; i < 100; i++) {
            CHECK(fixture_pump(&fixture, 0) == 0);
        }
        only_looked = now_ms() - begin < 100;
    }
    CHECK(only_looked);
    fixture_close(&fixture);
}

static void no_time_out_waits_for_the_event(void **state)
{
    static struct tg_stream stream;
    struct tg_completion completion;
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    peer_send(peer, "x", 1);
    uint32_t count = 0;
    for (int i = 0; count == 0; i++) {
        CHECK(i < 10);
        count = tg_port_wait(fixture.port, &completion, 1, -1);
    }
    CHECK(completion.kind == TG_COMPLETION_RECEIVE && completion.result == 1);
    fixture_release(&fixture, &completion);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void backends_are_found_by_name(void **state)
{
    (void)state;
    CHECK(tg_port_backend_find(fixture_backend->name) == fixture_backend);
    const struct tg_port_backend *best = tg_port_backend_find("auto");
    CHECK(best != NULL && strstr(tg_port_backend_names(), best->name) != NULL);
    CHECK(tg_port_backend_find("") == NULL);
    CHECK(tg_port_backend_find("kqueue") == NULL);
}

static void a_port_tells_its_descriptors(void **state)
{
    tg_socket list[4];
    (void)state;
    fixture_open(&fixture, NULL);
    uint32_t count = tg_port_descriptors(fixture.port, list, 4);
    CHECK(count <= 4);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(list[i] > 2);
    }
    fixture_close(&fixture);
}

int run_wake_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waking_somebody_awake_is_free),
        cmocka_unit_test(wakes_of_one_sleep_are_one),
        cmocka_unit_test(a_wake_ends_one_wait_only),
        cmocka_unit_test(a_wake_after_the_wait_is_not_remembered),
        cmocka_unit_test(a_hundred_thousand_wakes_from_another_thread_are_all_felt),
        cmocka_unit_test(three_threads_wake_one_port),
        cmocka_unit_test(a_wake_ends_a_wait_without_hiding_data),
        cmocka_unit_test(a_wait_ends_at_its_time_out),
        cmocka_unit_test(time_out_zero_only_looks),
        cmocka_unit_test(no_time_out_waits_for_the_event),
        cmocka_unit_test(backends_are_found_by_name),
        cmocka_unit_test(a_port_tells_its_descriptors),
    };
    return cmocka_run_group_tests_name("port: wake and wait", tests, NULL, NULL);
}
