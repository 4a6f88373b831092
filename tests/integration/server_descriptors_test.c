/* SPDX-License-Identifier: MIT
 * More connections than one descriptor table may hold: the server takes a table for each I/O thread
 * and as many threads as that needs, or says why it cannot. The server runs in a child process,
 * whose limit can be lowered for good. */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <throng/server.h>

#include "check.h"
#include "peer.h"
#include "stopwatch.h"

#define CONNECTIONS 400u

/* What the child says once it serves. */
struct report {
    struct throng_address address;
    uint32_t io_threads;
    int error; /* of throng_server_start */
    char text[380];
};

struct forked {
    pid_t pid;
    struct report report;
};

static struct throng_server *served;
static volatile sig_atomic_t terminated;

static void on_term(int number)
{
    (void)number;
    terminated = 1;
    throng_server_wake(served);
}

/* Echoes until SIGTERM, drains; the exit status. */
static int echo_until_told(struct throng_server *server)
{
    struct throng_event event;
    bool draining = false;
    int result;
    while ((result = throng_get_event(server, &event, -1)) >= 0) {
        if (result == 1) {
            if (event.type == THRONG_EVENT_MESSAGE) {
                (void)throng_write_data(server, event.conn, event.data, event.size);
            }
            throng_release_event(server, &event);
        }
        if (terminated && !draining) {
            throng_server_drain(server, (uint32_t)test_deadline_ms());
            draining = true;
        }
    }
    throng_server_stop(server);
    return result == THRONG_ESTOPPED ? 0 : 1;
}

/* `later`: the limit from the moment on in which it serves; NULL: none. */
static int run_child(int report_pipe, const struct rlimit *limit, const struct rlimit *later,
                     const struct throng_server_options *options)
{
    struct report report = {0};
    struct throng_error error = {0};
    if (setrlimit(RLIMIT_NOFILE, limit) != 0) {
        return 2;
    }
    const struct sigaction action = {.sa_handler = on_term};
    (void)sigaction(SIGTERM, &action, NULL);
    report.error = throng_server_start(&served, options, &error);
    memcpy(report.text, error.text, sizeof(report.text));
    if (report.error == 0) {
        (void)throng_server_listen_address(served, 0, &report.address);
        report.io_threads = throng_server_io_threads(served);
    }
    if (later != NULL && setrlimit(RLIMIT_NOFILE, later) != 0) {
        return 2;
    }
    if (write(report_pipe, &report, sizeof(report)) != (ssize_t)sizeof(report)) {
        return 2;
    }
    return report.error == 0 ? echo_until_told(served) : 0;
}

static struct forked fork_server_limited_later(rlim_t soft, rlim_t hard, const struct rlimit *later,
                                               const struct throng_server_options *options)
{
    struct forked forked;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    forked.pid = fork();
    assert_true(forked.pid >= 0);
    if (forked.pid == 0) {
        close(ends[0]);
        const struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves no server behind */
        _exit(run_child(ends[1], &limit, later, options));
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &forked.report, sizeof(forked.report)), sizeof(forked.report));
    close(ends[0]);
    return forked;
}

static struct forked fork_server(rlim_t soft, rlim_t hard,
                                 const struct throng_server_options *options)
{
    return fork_server_limited_later(soft, hard, NULL, options);
}

static void expect_exit(const struct forked *forked, int expected)
{
    int status = 0;
    assert_int_equal(waitpid(forked->pid, &status, 0), forked->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), expected);
}

/* Of the servers of all tests below: main runs them for each. */
static const char *backend;

static struct throng_server_options options_for(uint32_t connections, uint32_t io_threads)
{
    struct throng_server_options options;
    throng_server_options_init(&options);
    options.backend = backend;
    options.listen[0] = "tcp://127.0.0.1:0";
    options.max_connections = connections;
    options.io_threads = io_threads;
    return options;
}

static void expect_echo(const struct peer *peer, uint32_t number)
{
    uint32_t reply = 0;
    assert_true(peer_send_frame(peer, &number, sizeof(number), test_deadline_ms()));
    assert_int_equal(peer_receive_frame(peer, &reply, sizeof(reply), test_deadline_ms()),
                     sizeof(reply));
    assert_int_equal(reply, number);
}

/* Fills the server, talks with each, finds it full, frees one, and ends it with a drain. */
static void use_fully(struct forked *forked)
{
    static struct peer peers[CONNECTIONS];
    const struct throng_address *address = &forked->report.address;
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        assert_true(peer_connect(&peers[i], address, NULL));
        expect_echo(&peers[i], i);
    }
    struct peer extra;
    assert_true(peer_connect(&extra, address, NULL));
    assert_int_equal(peer_await_end(&extra, test_deadline_ms()), PEER_RESET);
    peer_close(&extra);
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        expect_echo(&peers[i], i + 1000);
    }
    assert_int_equal(kill(forked->pid, SIGTERM), 0);
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        assert_int_equal(peer_await_end(&peers[i], test_deadline_ms()), PEER_END);
        peer_close(&peers[i]);
    }
    expect_exit(forked, 0);
}

static void four_hundred_connections_are_served_under_a_limit_of_150(void **state)
{
    (void)state;
    const struct throng_server_options options = options_for(CONNECTIONS, 1);
    struct forked forked = fork_server(150, 150, &options);
    assert_int_equal(forked.report.error, 0);
    assert_true(forked.report.io_threads >= 4);
    use_fully(&forked);
}

static void inline_mode_becomes_threads_where_one_table_cannot_do(void **state)
{
    (void)state;
    const struct throng_server_options options = options_for(CONNECTIONS, 0);
    struct forked forked = fork_server(150, 150, &options);
    assert_int_equal(forked.report.error, 0);
    assert_true(forked.report.io_threads >= 4);
    use_fully(&forked);
}

static void the_soft_limit_is_raised_first(void **state)
{
    (void)state;
    const struct throng_server_options options = options_for(CONNECTIONS, 0);
    struct forked forked = fork_server(150, 2000, &options);
    assert_int_equal(forked.report.error, 0);
    assert_int_equal(forked.report.io_threads, 0);
    use_fully(&forked);
}

static void an_impossible_number_of_connections_is_refused_with_the_numbers(void **state)
{
    (void)state;
    const struct throng_server_options options = options_for(65000, 1);
    struct forked forked = fork_server(100, 100, &options);
    assert_int_equal(forked.report.error, THRONG_EDESCRIPTORLIMIT);
    assert_non_null(strstr(forked.report.text, "65000"));
    assert_non_null(strstr(forked.report.text, "100"));
    assert_non_null(strstr(forked.report.text, "64")); /* the most I/O threads */
    expect_exit(&forked, 0);
}

/* User and system time of a process so far, in clock ticks. */
static unsigned long cpu_ticks(pid_t pid)
{
    char path[64];
    char text[1024] = {0};
    unsigned long user = 0;
    unsigned long system = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    (void)fclose(file);
    /* The name in parentheses may hold anything; after it come state, ten numbers, and these
     * two. */
    const char *rest = strrchr(text, ')');
    assert_non_null(rest);
    assert_int_equal(
        sscanf(rest + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &user, &system),
        2);
    return user + system;
}

/* How many peers have been answered so far. */
static uint32_t count_answered(const struct peer *peers, bool *answered, uint32_t count)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        char reply;
        answered[i] = answered[i] || peer_receive_frame(&peers[i], &reply, 1, 0) == 1;
        total += answered[i] ? 1 : 0;
    }
    return total;
}

/* Waits until `least` have been answered, all of them, or nobody new for 300 ms; those come in the
 * same moment that can be served. Answers how many. */
static uint32_t await_answers(const struct peer *peers, bool *answered, uint32_t count,
                              uint32_t least)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    int64_t quiet_ms = test_now_ms() + 300;
    uint32_t total = count_answered(peers, answered, count);
    while (total < count && test_now_ms() < deadline_ms &&
           (total < least || test_now_ms() < quiet_ms)) {
        const struct timespec moment = {.tv_nsec = 1000000};
        (void)nanosleep(&moment, NULL);
        uint32_t now = count_answered(peers, answered, count);
        quiet_ms = now > total ? test_now_ms() + 300 : quiet_ms;
        total = now;
    }
    return total;
}

/* A table of 30 for 60 peers: those without a descriptor wait in the backlog, at no cost, and are
 * served once the others leave. */
static void fill_small_table(uint32_t io_threads)
{
    enum {
        PEERS = 60
    };
    static struct peer peers[PEERS];
    static bool answered[PEERS];
    memset(answered, 0, sizeof(answered));
    const struct rlimit small = {.rlim_cur = 30, .rlim_max = 30};
    const struct throng_server_options options = options_for(100, io_threads);
    struct forked forked = fork_server_limited_later(2000, 2000, &small, &options);
    assert_int_equal(forked.report.error, 0);
    for (uint32_t i = 0; i < PEERS; i++) {
        assert_true(peer_connect(&peers[i], &forked.report.address, NULL));
        assert_true(peer_send_frame(&peers[i], "x", 1, test_deadline_ms()));
    }
    uint32_t served_first = await_answers(peers, answered, PEERS, 10);
    assert_in_range(served_first, 10, 29);

    unsigned long before = cpu_ticks(forked.pid);
    const struct timespec second = {.tv_sec = 1};
    (void)nanosleep(&second, NULL);
    unsigned long spent = cpu_ticks(forked.pid) - before;
    assert_true(spent * 10 < (unsigned long)sysconf(_SC_CLK_TCK)); /* less than a tenth */

    uint32_t served_now = served_first;
    while (served_now < PEERS) {
        for (uint32_t i = 0; i < PEERS; i++) {
            if (answered[i]) {
                peer_close(&peers[i]);
            }
        }
        uint32_t next = await_answers(peers, answered, PEERS, served_now + 1);
        assert_true(next > served_now);
        served_now = next;
    }
    assert_int_equal(kill(forked.pid, SIGTERM), 0);
    for (uint32_t i = 0; i < PEERS; i++) {
        peer_close(&peers[i]);
    }
    expect_exit(&forked, 0);
}

static void a_table_that_runs_full_costs_no_cpu_and_recovers(void **state)
{
    (void)state;
    fill_small_table(0);
    fill_small_table(1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_hundred_connections_are_served_under_a_limit_of_150),
        cmocka_unit_test(inline_mode_becomes_threads_where_one_table_cannot_do),
        cmocka_unit_test(the_soft_limit_is_raised_first),
        cmocka_unit_test(an_impossible_number_of_connections_is_refused_with_the_numbers),
    };
    /* With io_uring the connections are in tables of the rings', which the limit bounds only when
     * they are made. */
    static const struct CMUnitTest process_table_tests[] = {
        cmocka_unit_test(a_table_that_runs_full_costs_no_cpu_and_recovers),
    };
    backend = "epoll";
    int failed = cmocka_run_group_tests_name("server_descriptors: epoll", tests, NULL, NULL) +
                 cmocka_run_group_tests_name("server_descriptors: epoll, a full table",
                                             process_table_tests, NULL, NULL);
    backend = "auto";
    return failed +
           cmocka_run_group_tests_name("server_descriptors: the best backend", tests, NULL, NULL);
}
