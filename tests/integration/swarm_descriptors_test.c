/* SPDX-License-Identifier: MIT
 * More connections than one descriptor table may hold: the swarm takes a table for each thread and
 * as many threads as that needs, or says why it cannot. The swarm runs in a child process, whose
 * limit can be lowered for good; the child has no threads when it is made, and reports instead of
 * asserting. */
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <throng/swarm.h>

#include "check.h"
#include "echo_host.h"
#include "process.h"
#include "stopwatch.h"

/* What the child is to do, and what it says. */
struct order {
    rlim_t soft;
    rlim_t hard;
    uint32_t connections;
    uint32_t threads;
    uint32_t hoard; /* descriptors that it opens before */
    char endpoint[THRONG_ADDRESS_TEXT_SIZE];
};

struct report {
    int error; /* of throng_swarm_start */
    char text[380];
    uint32_t threads;
    uint32_t opened;
    uint32_t answered;
    uint32_t closed;
    uint32_t descriptors_before; /* of the process's table */
    uint32_t descriptors_after;
    bool threads_are_gone;
};

/* ---- the child ---- */

static _Atomic uint32_t opened;
static _Atomic uint32_t answered;
static _Atomic uint32_t closed;

static void on_open(void *context, struct throng_swarm_thread *thread, uint32_t index)
{
    (void)context;
    atomic_fetch_add(&opened, 1);
    (void)throng_swarm_write(thread, index, &index, sizeof(index));
}

static void on_message(void *context, struct throng_swarm_thread *thread, uint32_t index,
                       const void *data, size_t size)
{
    (void)context;
    (void)thread;
    bool right = size == sizeof(index) && memcmp(data, &index, sizeof(index)) == 0;
    atomic_fetch_add(&answered, right);
}

static void on_closed(void *context, struct throng_swarm_thread *thread, uint32_t index, int error)
{
    (void)context;
    (void)thread;
    (void)index;
    (void)error;
    atomic_fetch_add(&closed, 1);
}

static void wait_for_answers(uint32_t connections)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (atomic_load(&answered) + atomic_load(&closed) < connections &&
           test_now_ms() < deadline_ms) {
        const struct timespec moment = {.tv_nsec = 1000000};
        (void)nanosleep(&moment, NULL);
    }
}

static void run_swarm(const struct order *order, struct report *report)
{
    struct throng_swarm_options options;
    struct throng_swarm *swarm = NULL;
    struct throng_error error = {0};
    throng_swarm_options_init(&options);
    options.targets[0] = order->endpoint;
    options.connections = order->connections;
    options.threads = order->threads;
    options.handler = (struct throng_swarm_handler){
        .on_open = on_open, .on_message = on_message, .on_closed = on_closed};
    uint32_t threads = process_threads();
    report->descriptors_before = process_descriptors();
    report->error = throng_swarm_start(&swarm, &options, &error);
    memcpy(report->text, error.text, sizeof(report->text));
    if (report->error == 0) {
        report->threads = throng_swarm_threads(swarm);
        wait_for_answers(order->connections);
        throng_swarm_wake(swarm); /* finds its way into the private tables */
        throng_swarm_stop(swarm);
    }
    report->opened = atomic_load(&opened);
    report->answered = atomic_load(&answered);
    report->closed = atomic_load(&closed);
    report->descriptors_after = process_descriptors();
    report->threads_are_gone = process_await_threads(threads);
}

static int run_child(int orders, int reports)
{
    struct order order;
    struct report report = {0};
    if (read(orders, &order, sizeof(order)) != (ssize_t)sizeof(order)) {
        return 2;
    }
    for (uint32_t i = 0; i < order.hoard; i++) {
        (void)open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    const struct rlimit limit = {.rlim_cur = order.soft, .rlim_max = order.hard};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 3;
    }
    run_swarm(&order, &report);
    return write(reports, &report, sizeof(report)) == (ssize_t)sizeof(report) ? 0 : 4;
}

/* ---- the test ---- */

static struct report have_done(struct order order)
{
    struct report report = {0};
    struct echo_host echo;
    int orders[2];
    int reports[2];
    int status = 0;
    assert_int_equal(pipe(orders), 0);
    assert_int_equal(pipe(reports), 0);
    pid_t child = fork(); /* before there is a second thread */
    assert_true(child >= 0);
    if (child == 0) {
        _exit(run_child(orders[0], reports[1]));
    }
    assert_true(echo_host_start(&echo, THRONG_ADDRESS_IPV4));
    memcpy(order.endpoint, echo.host.endpoint, sizeof(order.endpoint));
    ssize_t written = write(orders[1], &order, sizeof(order));
    close(orders[0]);
    close(orders[1]);
    close(reports[1]);
    ssize_t got = read(reports[0], &report, sizeof(report));
    close(reports[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    echo_host_stop(&echo); /* the next test forks without it, also if this one fails */
    assert_int_equal(written, sizeof(order));
    assert_int_equal(got, sizeof(report));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(report.descriptors_after, report.descriptors_before);
    assert_true(report.threads_are_gone);
    return report;
}

static void expect_all_answered(const struct report *report, uint32_t connections)
{
    if (report->error != 0) {
        fail_msg("throng_swarm_start: %s", report->text);
    }
    assert_int_equal(report->opened, connections);
    assert_int_equal(report->answered, connections);
    assert_int_equal(report->closed, 0);
}

static void the_soft_limit_is_raised_before_anything_else(void **state)
{
    (void)state;
    struct report report =
        have_done((struct order){.soft = 100, .hard = 1200, .connections = 1000});
    expect_all_answered(&report, 1000);
    assert_int_equal(report.threads, 1);
}

static void a_hard_limit_of_200_takes_8_private_tables_for_1000_connections(void **state)
{
    (void)state;
    struct report report = have_done((struct order){.soft = 200, .hard = 200, .connections = 1000});
    expect_all_answered(&report, 1000);
    assert_int_equal(report.threads, 8); /* of 136 */
}

static void more_threads_than_necessary_may_be_asked_for(void **state)
{
    (void)state;
    struct report report =
        have_done((struct order){.soft = 200, .hard = 200, .connections = 1000, .threads = 11});
    expect_all_answered(&report, 1000);
    assert_int_equal(report.threads, 11);
}

static void a_limit_too_low_for_64_threads_is_explained(void **state)
{
    (void)state;
    struct report report = have_done((struct order){.soft = 70, .hard = 70, .connections = 1000});
    assert_int_equal(report.error, THRONG_EDESCRIPTORLIMIT);
    assert_non_null(strstr(report.text, "connections is 1000"));
    assert_non_null(strstr(report.text, "(RLIMIT_NOFILE) is 70"));
    assert_non_null(strstr(report.text, "6 connections per thread"));
    assert_non_null(strstr(report.text, "384 with the most threads (64)"));
}

/* The process's own table has no room for the ports of all threads. */
static void a_start_that_fails_half_way_leaves_nothing_behind(void **state)
{
    (void)state;
    struct report report = have_done(
        (struct order){.soft = 90, .hard = 90, .connections = 10, .threads = 20, .hoard = 50});
    assert_int_equal(report.error, THRONG_EMFILE);
    assert_non_null(strstr(report.text, "cannot start thread"));
    assert_int_equal(report.opened, 0); /* no handler has run */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_soft_limit_is_raised_before_anything_else),
        cmocka_unit_test(a_hard_limit_of_200_takes_8_private_tables_for_1000_connections),
        cmocka_unit_test(more_threads_than_necessary_may_be_asked_for),
        cmocka_unit_test(a_limit_too_low_for_64_threads_is_explained),
        cmocka_unit_test(a_start_that_fails_half_way_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("swarm descriptors", tests, NULL, NULL);
}
