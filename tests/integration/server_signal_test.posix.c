/* SPDX-License-Identifier: MIT
 * Signals while throng_get_event waits: one whose handler wakes the server, and one that means nothing
 * to it. */
#include <signal.h>
#include <sys/time.h>

#include "server_fixture.h"

static struct throng_server *signalled_server;
static volatile sig_atomic_t signals;

static void wake_on_signal(int number)
{
    (void)number;
    signals++;
    throng_server_wake(signalled_server);
}

static void only_count_signal(int number)
{
    (void)number;
    signals++;
}

/* SIGALRM goes to `handler` in 20 ms and then every 20 ms. */
static void arm_signal(void (*handler)(int), struct sigaction *saved)
{
    struct sigaction action = {.sa_handler = handler};
    const struct itimerval every = {.it_interval.tv_usec = 20000, .it_value.tv_usec = 20000};
    signals = 0;
    assert_int_equal(sigaction(SIGALRM, &action, saved), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
}

static void disarm_signal(const struct sigaction *saved)
{
    const struct itimerval never = {.it_value.tv_usec = 0};
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, saved, NULL), 0);
}

static void a_wake_from_a_signal_handler_ends_the_wait(void **state)
{
    struct server_fixture *fixture = *state;
    struct sigaction saved;
    fixture_start(fixture);
    signalled_server = fixture->server;
    arm_signal(wake_on_signal, &saved);
    int answer = fixture_turn(fixture, -1);
    disarm_signal(&saved);
    assert_int_equal(answer, 0);
    assert_true(signals > 0);
}

static void a_signal_without_a_wake_does_not_end_the_wait(void **state)
{
    struct server_fixture *fixture = *state;
    struct sigaction saved;
    fixture_start(fixture);
    int64_t begin_ms = test_now_ms();
    arm_signal(only_count_signal, &saved);
    int answer = fixture_turn(fixture, 200);
    disarm_signal(&saved);
    assert_int_equal(answer, 0);
    assert_true(signals > 0);
    assert_true(test_now_ms() - begin_ms >= 199);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wake_from_a_signal_handler_ends_the_wait),
        cmocka_unit_test(a_signal_without_a_wake_does_not_end_the_wait),
    };
    return fixture_run_tests("server_signal", tests, sizeof(tests) / sizeof(tests[0]));
}
