/* SPDX-License-Identifier: MIT
 * The sandbox of the server programs from inside: a child process enters it as program_start does,
 * with a server running, and then tries what an intruder would, on its main thread and on one that
 * was there before. What it found lies in memory that it shares with the test. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <throng/server.h>

#include "../../server/examples/program/sandbox.h"
#include "attempts.h"
#include "check.h"

#define NOT_TRIED (-1)

struct findings {
    int of_main[ATTEMPTS_MAX];
    int of_thread[ATTEMPTS_MAX];
    int ring_read;
    int ring_write;
    int read_hosts; /* what a start needs stays possible */
    int end;        /* 1: the child came to its end */
};

static struct findings *findings;

static int open_findings(void **state)
{
    (void)state;
    findings =
        mmap(NULL, sizeof *findings, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return findings == MAP_FAILED ? -1 : 0;
}

static int close_findings(void **state)
{
    (void)state;
    return munmap(findings, sizeof *findings);
}

/* Runs `act` in a child process; the child has to come to its end. */
static void in_child(void (*act)(void))
{
    int status = 0;
    memset(findings, 0xff, sizeof *findings);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        act();
        findings->end = 1;
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(findings->end, 1);
}

static void try_all(const struct attempt *list, size_t count, int *errors)
{
    for (size_t i = 0; i < count; i++) {
        errors[i] = list[i].make();
    }
}

static void expect_errors(const struct attempt *list, size_t count, const int *errors, int expected)
{
    for (size_t i = 0; i < count; i++) {
        if (errors[i] != expected) {
            fail_msg("%s: errno %d, expected %d", list[i].name, errors[i], expected);
        }
    }
}

/* ---- both halves, around a server ---- */

static sem_t is_here;
static sem_t is_closed;

static void *try_on_thread(void *unused)
{
    (void)sem_post(&is_here);
    while (sem_wait(&is_closed) != 0) {
    }
    try_all(attempts, attempt_count, findings->of_thread);
    return unused;
}

static const char *backend;

/* _exit with another status than 0 is seen by in_child. */
static void must(bool condition)
{
    if (!condition) {
        _exit(1);
    }
}

static void enter_with_a_server(void)
{
    struct throng_server_options options;
    struct throng_server *server;
    struct throng_error error;
    pthread_t thread;
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.backend = backend;
    options.max_connections = 100;
    options.io_threads = 2;
    must(sandbox_close_files());
    must(sem_init(&is_here, 0, 0) == 0 && sem_init(&is_closed, 0, 0) == 0);
    must(pthread_create(&thread, NULL, try_on_thread, NULL) == 0);
    must(throng_server_start(&server, &options, &error) == 0); /* its threads run when it returns */
    must(sem_wait(&is_here) == 0);
    must(sandbox_close_calls());
    must(sem_post(&is_closed) == 0);
    must(pthread_join(thread, NULL) == 0);
    try_all(attempts, attempt_count, findings->of_main);
    throng_server_stop(server);
}

static void every_call_but_those_of_serving_is_refused_on_every_thread(void **state)
{
    static const char *const backends[] = {"epoll", "auto"};
    (void)state;
    assert_true(attempt_count <= ATTEMPTS_MAX);
    for (size_t i = 0; i < 2; i++) {
        backend = backends[i];
        in_child(enter_with_a_server);
        expect_errors(attempts, attempt_count, findings->of_main, EPERM);
        expect_errors(attempts, attempt_count, findings->of_thread, EPERM);
    }
}

static void fail_an_assertion(void)
{
    must(sandbox_close_files() && sandbox_close_calls());
    abort();
}

static void an_abort_still_ends_the_process(void **state)
{
    int status = 0;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fail_an_assertion();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* ---- files alone ---- */

static bool has_landlock(void)
{
    return syscall(444 /* landlock_create_ruleset */, NULL, 0, 1) >= 1;
}

static void *try_files_on_thread(void *unused)
{
    try_all(file_attempts, file_attempt_count, findings->of_thread);
    return unused;
}

static void enter_without_files(void)
{
    pthread_t thread;
    bool has_ring = attempt_ring_prepare();
    must(sandbox_close_files());
    must(pthread_create(&thread, NULL, try_files_on_thread, NULL) == 0);
    must(pthread_join(thread, NULL) == 0);
    try_all(file_attempts, file_attempt_count, findings->of_main);
    if (has_ring) {
        findings->ring_read = attempt_ring_open("/dev/zero", O_RDONLY);
        findings->ring_write = attempt_ring_open("/dev/null", O_WRONLY);
    }
    int users = open("/etc/passwd", O_RDONLY);
    findings->read_hosts = users < 0;
    if (users >= 0) {
        (void)close(users);
    }
}

static void files_are_closed_to_threads_and_to_their_rings(void **state)
{
    (void)state;
    if (!has_landlock()) {
        print_message("skipped: this kernel has no landlock\n");
        skip();
    }
    in_child(enter_without_files);
    expect_errors(file_attempts, file_attempt_count, findings->of_main, EACCES);
    expect_errors(file_attempts, file_attempt_count, findings->of_thread, EACCES);
    assert_int_equal(findings->read_hosts, 0);
    if (findings->ring_read != NOT_TRIED) {
        assert_int_equal(findings->ring_read, EACCES);
        assert_int_equal(findings->ring_write, EACCES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_but_those_of_serving_is_refused_on_every_thread),
        cmocka_unit_test(an_abort_still_ends_the_process),
        cmocka_unit_test(files_are_closed_to_threads_and_to_their_rings),
    };
    return cmocka_run_group_tests_name("sandbox", tests, open_findings, close_findings);
}
