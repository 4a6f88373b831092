/* SPDX-License-Identifier: MIT
 * Threads of POSIX systems: names, signals, and a descriptor table of one's own. What lowers limits
 * or filters system calls runs in child processes. */
#include "test_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "deny.h"
#include "os/clock.h"
#include "os/port_range.h"
#include "os/thread.h"

#define DEADLINE_NS 20000000000

/* In a child process an assertion of cmocka would run on in a copy of the test runner. */
#define CHILD_CHECK(condition)                                                                     \
    ((condition) ? (void)0                                                                         \
                 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), _Exit(1)))

static void in_child(void (*run)(void))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        run();
        _Exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- start ----------------------------------------------------------------------------------- */

struct observed {
    char name[16];
    bool term_blocked;
    bool int_blocked;
};

static void observe(void *argument)
{
    struct observed *observed = argument;
    sigset_t mask;
    (void)pthread_sigmask(SIG_BLOCK, NULL, &mask);
    observed->term_blocked = sigismember(&mask, SIGTERM) == 1;
    observed->int_blocked = sigismember(&mask, SIGINT) == 1;
}

static void report_name(void *argument)
{
    struct observed *observed = argument;
    /* The starter sets the name; it may still be about to. */
    uint64_t deadline = tg_clock_ns() + DEADLINE_NS;
    do {
        (void)pthread_getname_np(pthread_self(), observed->name, sizeof observed->name);
    } while (strcmp(observed->name, "throng-worker-0") != 0 && tg_clock_ns() < deadline);
}

static void a_thread_gets_no_signals(void **state)
{
    struct tg_thread thread;
    struct observed observed = {0};
    sigset_t mask;
    (void)state;
    assert_int_equal(tg_thread_start(&thread, "observer", observe, &observed), 0);
    tg_thread_join(&thread);
    assert_true(observed.term_blocked && observed.int_blocked);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &mask); /* and ours are as before */
    assert_int_equal(sigismember(&mask, SIGTERM), 0);
}

static void a_thread_has_its_name(void **state)
{
    struct tg_thread thread;
    struct observed observed = {0};
    (void)state;
    assert_int_equal(tg_thread_start(&thread, "throng-worker-0", report_name, &observed), 0);
    tg_thread_join(&thread);
    assert_string_equal(observed.name, "throng-worker-0");
}

/* --- descriptor tables ----------------------------------------------------------------------- */

static int app[2];        /* the application's pair */
static int kept_pipe[2];  /* its reading end is kept by the thread */
static int table_answer;  /* what tg_thread_own_descriptors said */
static unsigned room;     /* descriptors that the thread could open on its own */
static _Atomic int stage; /* 1: the table is the thread's own; 2: the main thread has looked */

static void await_stage(int wanted)
{
    uint64_t deadline = tg_clock_ns() + DEADLINE_NS;
    while (atomic_load_explicit(&stage, memory_order_acquire) < wanted) {
        CHILD_CHECK(tg_clock_ns() < deadline);
    }
}

static bool is_open(int number)
{
    return fcntl(number, F_GETFD) >= 0;
}

static void live_in_own_table(void *argument)
{
    const tg_socket keep[] = {kept_pipe[0], kept_pipe[0], 1}; /* doubles and standard ones */
    char byte = 0;
    (void)argument;
    table_answer = tg_thread_own_descriptors(keep, 3);
    atomic_store_explicit(&stage, 1, memory_order_release);
    if (table_answer != 0) {
        return;
    }
    CHILD_CHECK(is_open(0) && is_open(1) && is_open(2) && is_open(kept_pipe[0]));
    CHILD_CHECK(!is_open(app[0]) && !is_open(app[1]) && !is_open(kept_pipe[1]));
    await_stage(2);
    CHILD_CHECK(read(kept_pipe[0], &byte, 1) == 1 &&
                byte == 'k'); /* the same number, the same pipe */
    while (room < 10000 && dup(0) >= 0) {
        room++;
    }
    CHILD_CHECK(errno == EMFILE || room == 10000);
}

static void use_own_table(void)
{
    struct tg_thread thread;
    struct rlimit limit;
    char byte;
    /* Numbers with gaps, above and below those kept. */
    CHILD_CHECK(dup2(0, 20) == 20 && dup2(0, 40) == 40);
    CHILD_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, app) == 0 && pipe(kept_pipe) == 0);
    CHILD_CHECK(tg_thread_start(&thread, "own", live_in_own_table, NULL) == 0);
    await_stage(1);
    CHILD_CHECK(table_answer == 0);
    CHILD_CHECK(is_open(20) && is_open(40) && is_open(app[0])); /* ours are untouched */
    /* The thread lives, but does not hold the application's socket open. */
    CHILD_CHECK(close(app[1]) == 0);
    CHILD_CHECK(read(app[0], &byte, 1) == 0);
    /* It has a limit's worth of its own, while we have none left. */
    CHILD_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = 64;
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while (dup(0) >= 0) {
    }
    CHILD_CHECK(errno == EMFILE && write(kept_pipe[1], "k", 1) == 1);
    atomic_store_explicit(&stage, 2, memory_order_release);
    tg_thread_join(&thread);
    CHILD_CHECK(room == 60); /* 64 without 0, 1, 2 and the kept one */
}

static void use_own_table_on_an_old_kernel(void)
{
#ifdef SYS_close_range
    CHILD_CHECK(deny_system_call(SYS_close_range, ENOSYS));
#endif
    use_own_table();
}

/* No close_range, and no descriptor left to look into /proc with: every number is tried. */
static void use_own_table_in_the_dark(void)
{
    struct tg_thread thread;
    struct rlimit limit = {.rlim_cur = 64, .rlim_max = 64};
#ifdef SYS_close_range
    CHILD_CHECK(deny_system_call(SYS_close_range, ENOSYS));
#endif
    CHILD_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, app) == 0 && pipe(kept_pipe) == 0);
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while (dup(0) >= 0) {
    }
    CHILD_CHECK(errno == EMFILE);
    CHILD_CHECK(tg_thread_start(&thread, "own", live_in_own_table, NULL) == 0);
    await_stage(1);
    CHILD_CHECK(table_answer == 0);
    CHILD_CHECK(is_open(app[0]) && is_open(app[1]) && is_open(63)); /* ours are untouched */
    CHILD_CHECK(write(kept_pipe[1], "k", 1) == 1);
    atomic_store_explicit(&stage, 2, memory_order_release);
    tg_thread_join(&thread);
    CHILD_CHECK(room == 60);
}

static void use_own_table_in_a_strict_sandbox(void)
{
    struct tg_thread thread;
#ifdef SYS_close_range
    CHILD_CHECK(deny_system_call(SYS_close_range, EPERM));
#endif
    CHILD_CHECK(deny_system_call(SYS_unshare, EPERM));
    CHILD_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, app) == 0 && pipe(kept_pipe) == 0);
    CHILD_CHECK(tg_thread_start(&thread, "own", live_in_own_table, NULL) == 0);
    tg_thread_join(&thread);
    CHILD_CHECK(table_answer == THRONG_ENOTSUP);
    CHILD_CHECK(is_open(app[0]) && is_open(app[1]) && is_open(kept_pipe[1])); /* nothing was done */
}

static void a_thread_with_its_own_table_holds_only_its_own(void **state)
{
    (void)state;
    in_child(use_own_table);
}

static void the_same_without_close_range(void **state)
{
    (void)state;
    in_child(use_own_table_on_an_old_kernel);
}

static void the_same_without_a_look_at_the_table(void **state)
{
    (void)state;
    in_child(use_own_table_in_the_dark);
}

static void a_sandbox_that_refuses_is_said(void **state)
{
    (void)state;
    in_child(use_own_table_in_a_strict_sandbox);
}

/* --- limits ---------------------------------------------------------------------------------- */

static void use_limits(void)
{
    struct rlimit limit = {.rlim_cur = 100, .rlim_max = 200};
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHILD_CHECK(tg_descriptor_limit() == 100);
    CHILD_CHECK(tg_descriptor_limit_raise(50) == 100); /* never lowers */
    CHILD_CHECK(tg_descriptor_limit_raise(150) == 150);
    CHILD_CHECK(tg_descriptor_limit_raise(1000) == 200); /* as near as the hard limit allows */
    CHILD_CHECK(tg_descriptor_limit() == 200);
    uint32_t before = tg_descriptor_count();
    CHILD_CHECK(dup(0) >= 0 && dup(0) >= 0);
    CHILD_CHECK(tg_descriptor_count() == before + 2);
}

static void limits_are_read_and_raised(void **state)
{
    (void)state;
    in_child(use_limits);
}

/* What the system does not tell is answered with what hurts least: no limit, no descriptor counted,
 * IANA's range of ports, a processor. */
static void ask_a_system_that_does_not_tell(void)
{
    CHILD_CHECK(deny_system_call(SYS_sched_getaffinity, EINVAL));
    CHILD_CHECK(tg_processor_count() >= 1 && tg_processor_count() <= 100000);
    while (dup(0) >= 0) {
    }
    CHILD_CHECK(errno == EMFILE);
    CHILD_CHECK(tg_descriptor_count() == 0);
    CHILD_CHECK(tg_port_range_count() == 16384);
    CHILD_CHECK(deny_system_call(SYS_prlimit64, EPERM));
    CHILD_CHECK(tg_descriptor_limit() == UINT32_MAX);
    CHILD_CHECK(tg_descriptor_limit_raise(1000) == UINT32_MAX);
}

static void a_system_that_does_not_tell_is_taken_for_a_kind_one(void **state)
{
    (void)state;
    in_child(ask_a_system_that_does_not_tell);
}

int run_system_thread_tests(void)
{
    const struct CMUnitTest tests[] = {
        /* Those that fork come first: a child that starts threads wants a parent without any. */
        cmocka_unit_test(a_thread_with_its_own_table_holds_only_its_own),
        cmocka_unit_test(the_same_without_close_range),
        cmocka_unit_test(the_same_without_a_look_at_the_table),
        cmocka_unit_test(a_sandbox_that_refuses_is_said),
        cmocka_unit_test(limits_are_read_and_raised),
        cmocka_unit_test(a_system_that_does_not_tell_is_taken_for_a_kind_one),
        cmocka_unit_test(a_thread_gets_no_signals),
        cmocka_unit_test(a_thread_has_its_name),
    };
    return cmocka_run_group_tests_name("threads of POSIX", tests, NULL, NULL);
}
