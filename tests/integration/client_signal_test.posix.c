/* SPDX-License-Identifier: MIT
 * The blocking client while signals rain on its thread. */
#include <signal.h>
#include <sys/time.h>

#include "tcp_pair.h"

static volatile sig_atomic_t signals_seen;

static void count_signal(int number)
{
    (void)number;
    signals_seen++;
}

/* Without SA_RESTART, every few milliseconds. */
static void let_signals_rain(int every_us)
{
    struct sigaction action = {.sa_handler = count_signal};
    struct itimerval timer = {.it_interval.tv_usec = every_us, .it_value.tv_usec = every_us};
    signals_seen = 0;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* How late a call may end on a loaded machine; far less than it would take if every signal began
 * the limit anew. */
#define LATEST_MS (100 + test_deadline_ms() / 2)

static void signals_neither_end_a_wait_nor_stretch_it(void **state)
{
    struct tcp_pair *pair = *state;
    uint8_t message[8];
    tcp_pair_connect(pair);
    let_signals_rain(3000);
    int64_t begin_ms = test_now_ms();
    int64_t result = throng_tcp_read(pair->tcp, message, 8, 100);
    int64_t took_ms = test_now_ms() - begin_ms;
    int seen = signals_seen;
    let_signals_rain(0);
    assert_true(seen > 0);
    assert_int_equal(result, THRONG_EAGAIN);
    assert_in_range(took_ms, 99, LATEST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(signals_neither_end_a_wait_nor_stretch_it, tcp_pair_setup,
                                        tcp_pair_teardown),
    };
    return cmocka_run_group_tests_name("the blocking client and signals", tests, NULL, NULL);
}
