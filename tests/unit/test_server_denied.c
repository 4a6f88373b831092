/* SPDX-License-Identifier: MIT
 * A sandbox that refuses io_uring: a server that may choose takes epoll and says so in one line,
 * one that was told to use io_uring does not start and says why. In a child process, for the
 * refusal cannot be taken back. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <throng/server.h>

#include "../port/deny.h"
#include "check.h"
#include "os/thread.h"

#define DENIED_MISSING 2 /* the child's status: this system has no filters */

struct report {
    int auto_error;
    char auto_backend[16];
    uint32_t auto_lines; /* that name io_uring */
    char auto_line[200];
    int told_error;
    char told_text[380];
    bool told_is_null;
    uint32_t descriptors_before;
    uint32_t descriptors_after;
};

static void note_line(void *context, enum throng_log_level level, const char *text)
{
    struct report *report = context;
    if (strstr(text, "io_uring") != NULL && level == THRONG_LOG_WARNING) {
        report->auto_lines++;
        (void)snprintf(report->auto_line, sizeof(report->auto_line), "%s", text);
    }
}

static void start_both(struct report *report)
{
    struct throng_server_options options;
    struct throng_server *server = NULL;
    struct throng_error error = {0};
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.max_connections = 16;
    options.io_threads = 1;
    options.log = note_line;
    options.log_context = report;
    report->descriptors_before = tg_descriptor_count();
    report->auto_error = throng_server_start(&server, &options, &error);
    if (report->auto_error == 0) {
        (void)snprintf(report->auto_backend, sizeof(report->auto_backend), "%s",
                       throng_server_backend(server));
    }
    throng_server_stop(server);
    server = NULL;
    options.backend = "io_uring";
    report->told_error = throng_server_start(&server, &options, &error);
    memcpy(report->told_text, error.text, sizeof(report->told_text));
    report->told_is_null = server == NULL;
    report->descriptors_after = tg_descriptor_count();
}

static int run_child(int reports)
{
    struct report report = {0};
    /* io_uring_setup, on every architecture that has it. */
    if (!deny_system_call(425, EPERM)) {
        return DENIED_MISSING;
    }
    start_both(&report);
    return write(reports, &report, sizeof(report)) == (ssize_t)sizeof(report) ? 0 : 3;
}

static void a_server_without_io_uring_takes_epoll_and_says_so(void **state)
{
    struct report report = {0};
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
    if (WIFEXITED(status) && WEXITSTATUS(status) == DENIED_MISSING) {
        print_message("skipped: this system has no filters for system calls\n");
        skip();
    }
    assert_int_equal(status, 0);
    assert_int_equal(got, sizeof(report));
    assert_int_equal(report.auto_error, 0);
    assert_string_equal(report.auto_backend, "epoll");
    assert_int_equal(report.auto_lines, 1);
    assert_non_null(strstr(report.auto_line, "using epoll"));
    assert_int_equal(report.told_error, THRONG_ENOTSUP);
    assert_non_null(strstr(report.told_text, "backend io_uring cannot be used here"));
    assert_true(report.told_is_null);
    assert_int_equal(report.descriptors_after, report.descriptors_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_without_io_uring_takes_epoll_and_says_so),
    };
    return cmocka_run_group_tests_name("server denied", tests, NULL, NULL);
}
