/* SPDX-License-Identifier: MIT
 * A system, or a sandbox, that refuses a thread its own descriptor table: a swarm that needs one
 * does not start, says why, and leaves nothing. In a child process, for neither limit nor refusal
 * can be taken back. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <throng/swarm.h>

#include "../port/deny.h"
#include "check.h"
#include "os/thread.h"

struct report {
    bool was_denied; /* the system can play one that refuses */
    bool is_null;    /* *swarm */
    int error;
    uint32_t calls;
    uint32_t descriptors_before;
    uint32_t descriptors_after;
    char text[380];
};

static uint32_t calls;

static void on_open(void *context, struct throng_swarm_thread *thread, uint32_t index)
{
    (void)context;
    (void)thread;
    (void)index;
    calls++;
}

static void on_message(void *context, struct throng_swarm_thread *thread, uint32_t index,
                       const void *data, size_t size)
{
    (void)data;
    (void)size;
    on_open(context, thread, index);
}

static void on_closed(void *context, struct throng_swarm_thread *thread, uint32_t index, int error)
{
    (void)error;
    on_open(context, thread, index);
}

static void start(struct report *report)
{
    struct throng_swarm_options options;
    struct throng_swarm *swarm = NULL;
    struct throng_error error = {0};
    throng_swarm_options_init(&options);
    options.targets[0] = "tcp://127.0.0.1:1";
    options.connections = 1000;
    options.backend = "epoll"; /* io_uring needs no private tables */
    options.handler = (struct throng_swarm_handler){
        .on_open = on_open, .on_message = on_message, .on_closed = on_closed};
    report->descriptors_before = tg_descriptor_count();
    report->error = throng_swarm_start(&swarm, &options, &error);
    report->descriptors_after = tg_descriptor_count();
    report->is_null = swarm == NULL;
    report->calls = calls;
    memcpy(report->text, error.text, sizeof(report->text));
}

static int run_child(int reports)
{
    struct report report = {0};
    const struct rlimit limit = {.rlim_cur = 200, .rlim_max = 200};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 2;
    }
    report.was_denied = deny_system_call(SYS_close_range, ENOSYS) &&
                        deny_system_call(SYS_unshare, EPERM);
    if (report.was_denied) {
        start(&report);
    }
    return write(reports, &report, sizeof(report)) == (ssize_t)sizeof(report) ? 0 : 3;
}

static void a_swarm_that_is_refused_private_tables_says_so_and_leaves_nothing(void **state)
{
    struct report report;
    int reports[2];
    int status = 0;
    (void)state;
    assert_int_equal(pipe(reports), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(run_child(reports[1]));
    }
    close(reports[1]);
    ssize_t got = read(reports[0], &report, sizeof(report));
    close(reports[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(got, sizeof(report));
    if (!report.was_denied) {
        print_message("skipped: this system has no filters for system calls\n");
        skip();
    }
    assert_int_equal(report.error, THRONG_ENOTSUP);
    assert_non_null(strstr(report.text, "connections is 1000"));
    assert_non_null(strstr(report.text, "(RLIMIT_NOFILE) is 200"));
    assert_true(report.is_null);
    assert_int_equal(report.calls, 0);
    assert_int_equal(report.descriptors_after, report.descriptors_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_swarm_that_is_refused_private_tables_says_so_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("swarm denied", tests, NULL, NULL);
}
