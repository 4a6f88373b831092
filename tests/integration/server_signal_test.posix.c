/* SPDX-License-Identifier: MIT
 * Signals while throng_get_event waits: one whose handler wakes the server, and one that means
 * nothing to it. And SIGPIPE, which no send raises: its default would end the process. */
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

/* A peer that has sent its end, does not read, and then resets: the kernel answers the next send
 * with EPIPE, and raises the signal unless the send asked for none. */
static void a_send_to_a_peer_that_is_gone_raises_no_sigpipe(void **state)
{
    enum {
        ROUNDS = 10,
        SIZE = 50000,
        WAITING = 4
    };
    static const uint8_t message[SIZE];
    struct server_fixture *fixture = *state;
    struct sigaction saved;
    struct sigaction action = {.sa_handler = only_count_signal};
    fixture->options.socket_send_bytes = 16384;
    fixture_start(fixture);
    signals = 0;
    assert_int_equal(sigaction(SIGPIPE, &action, &saved), 0);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const struct peer_options options = {.receive_buffer_bytes = 4096};
        struct peer peer;
        uint64_t opened = fixture->journal.opened;
        assert_true(peer_connect(&peer, &fixture->address, &options));
        FIXTURE_UNTIL(fixture, fixture->journal.opened == opened + 1);
        for (uint32_t i = 0; i < WAITING; i++) {
            assert_int_equal(
                throng_write_data(fixture->server, fixture->last_open.conn, message, SIZE), 0);
        }
        throng_flush(fixture->server);
        assert_true(peer_await(&peer, true, false, test_deadline_ms())); /* the rest waits */
        peer_finish(&peer);
        (void)fixture_turn(fixture, 10);
        peer_reset(&peer);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(sigaction(SIGPIPE, &saved, NULL), 0);
    assert_int_equal(signals, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wake_from_a_signal_handler_ends_the_wait),
        cmocka_unit_test(a_signal_without_a_wake_does_not_end_the_wait),
        cmocka_unit_test(a_send_to_a_peer_that_is_gone_raises_no_sigpipe),
    };
    return fixture_run_tests("server_signal", tests, sizeof(tests) / sizeof(tests[0]));
}
