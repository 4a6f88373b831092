/* SPDX-License-Identifier: MIT
 * The system runs out of descriptors or memory just when somebody connects: accepting pauses, costs
 * next to nothing meanwhile, says so once a second, and goes on by itself when there is enough
 * again.
 *
 * Of epoll every accept4 is answered by __wrap_accept4 (the program links throng's objects with
 * --wrap); with io_uring the kernel accepts. There, and for epoll once more, servers in processes
 * of their own have their limit of descriptors taken away and given back. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <throng/server.h>

#include "check.h"
#include "peer.h"
#include "stopwatch.h"

/* ---- accept4 ---- */

static _Atomic int accept_error; /* what every accept fails with; 0: the system's own answer */
static _Atomic uint32_t accept_failures;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names. */
extern int __real_accept4(int sock, struct sockaddr *address, socklen_t *size, int flags);
int __wrap_accept4(int sock, struct sockaddr *address, socklen_t *size, int flags);

int __wrap_accept4(int sock, struct sockaddr *address, socklen_t *size, int flags)
{
    int error = atomic_load(&accept_error);
    if (error == 0) {
        return __real_accept4(sock, address, size, flags);
    }
    atomic_fetch_add(&accept_failures, 1);
    errno = error;
    return -1;
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* ---- a server that echoes ---- */

#define WAITING 3u

struct log_notes {
    _Atomic uint32_t lines;
    char last[200];
};

static void note_line(void *context, enum throng_log_level level, const char *text)
{
    struct log_notes *notes = context;
    if (level == THRONG_LOG_WARNING) {
        (void)snprintf(notes->last, sizeof(notes->last), "%s", text);
        atomic_fetch_add(&notes->lines, 1);
    }
}

static struct throng_server *start_server(const char *backend, uint32_t io_threads,
                                          struct log_notes *notes, struct throng_address *address)
{
    struct throng_server_options options;
    struct throng_server *server = NULL;
    struct throng_error error;
    throng_server_options_init(&options);
    options.backend = backend;
    options.io_threads = io_threads;
    options.listen[0] = "tcp://127.0.0.1:0";
    options.max_connections = 64;
    options.log = note_line;
    options.log_context = notes;
    if (throng_server_start(&server, &options, &error) != 0) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(throng_server_listen_address(server, 0, address), 0);
    return server;
}

static void echo_one(struct throng_server *server, int timeout_ms)
{
    struct throng_event event;
    if (throng_get_event(server, &event, timeout_ms) == 1) {
        if (event.type == THRONG_EVENT_MESSAGE) {
            (void)throng_write_data(server, event.conn, event.data, event.size);
        }
        throng_release_event(server, &event);
    }
}

static struct throng_counters counters_of(const struct throng_server *server)
{
    struct throng_counters counters;
    throng_server_counters(server, &counters);
    return counters;
}

/* ---- accepts that fail ---- */

static struct peer connect_and_ask(const struct throng_address *address)
{
    struct peer peer;
    assert_true(peer_connect(&peer, address, NULL));
    assert_true(peer_send_frame(&peer, "x", 1, test_deadline_ms()));
    return peer;
}

static void expect_answer(struct throng_server *server, const struct peer *peer)
{
    uint8_t answer[5];
    size_t got = 0;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (got < sizeof(answer)) {
        echo_one(server, 1);
        ptrdiff_t count = peer_receive(peer, answer + got, sizeof(answer) - got);
        assert_true(count > 0 || count == PEER_WOULD_BLOCK);
        got += count > 0 ? (size_t)count : 0;
        assert_true(test_now_ms() < deadline_ms);
    }
}

/* So long nothing can be accepted. At most one try each tenth of a second, for each listener. */
static void starve(struct throng_server *server, int error, uint32_t io_threads)
{
    struct peer waiting[WAITING];
    struct throng_address address;
    assert_int_equal(throng_server_listen_address(server, 0, &address), 0);
    uint64_t accepted = counters_of(server).accepted;
    uint64_t pauses = counters_of(server).accept_pauses;
    atomic_store(&accept_failures, 0);
    atomic_store(&accept_error, error);
    int64_t begin_ms = test_now_ms();
    for (uint32_t i = 0; i < WAITING; i++) {
        waiting[i] = connect_and_ask(&address);
    }
    while (atomic_load(&accept_failures) < 3) {
        echo_one(server, 5);
        assert_true(test_now_ms() < begin_ms + test_deadline_ms());
    }
    uint32_t failures = atomic_load(&accept_failures);
    uint32_t workers = io_threads == 0 ? 1 : io_threads;
    int64_t passed_ms = test_now_ms() - begin_ms;
    assert_true(failures <= workers * (uint32_t)(2 + passed_ms / 100));
    assert_true(counters_of(server).accept_pauses > pauses);
    assert_int_equal(counters_of(server).accepted, accepted);
    atomic_store(&accept_error, 0);
    for (uint32_t i = 0; i < WAITING; i++) { /* nobody who waited was lost */
        expect_answer(server, &waiting[i]);
        peer_close(&waiting[i]);
    }
    assert_int_equal(counters_of(server).accepted, accepted + WAITING);
}

static void accepting_pauses_and_goes_on_by_itself(void **state)
{
    static const int shortages[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
    (void)state;
    for (uint32_t io_threads = 0; io_threads <= 2; io_threads++) {
        struct log_notes notes = {0};
        struct throng_address address;
        struct throng_server *server = start_server("epoll", io_threads, &notes, &address);
        int64_t begin_ms = test_now_ms();
        for (size_t i = 0; i < sizeof(shortages) / sizeof(shortages[0]); i++) {
            starve(server, shortages[i], io_threads);
        }
        uint32_t seconds = (uint32_t)((test_now_ms() - begin_ms) / 1000);
        assert_in_range(atomic_load(&notes.lines), 1, 1 + seconds);
        assert_non_null(strstr(notes.last, "accepting pauses: "));
        throng_server_stop(server);
    }
}

/* Not a shortage but a connection's own end: the next one is accepted at once. */
static void connections_that_died_in_the_backlog_are_no_shortage(void **state)
{
    static const int deaths[] = {ECONNABORTED, EPROTO, ENETDOWN, EHOSTUNREACH, EPERM};
    (void)state;
    struct log_notes notes = {0};
    struct throng_address address;
    struct throng_server *server = start_server("epoll", 0, &notes, &address);
    for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++) {
        uint64_t dead = counters_of(server).accepts_dead;
        atomic_store(&accept_error, deaths[i]);
        struct peer peer = connect_and_ask(&address);
        while (counters_of(server).accepts_dead == dead) {
            echo_one(server, 5);
        }
        atomic_store(&accept_error, 0);
        expect_answer(server, &peer);
        peer_close(&peer);
    }
    assert_int_equal(counters_of(server).accept_pauses, 0);
    assert_int_equal(atomic_load(&notes.lines), 0);
    throng_server_stop(server);
}

/* ---- no descriptors for a while ---- */

#define STUCK_MS 3000

/* Between the test and a server in a process of its own. */
struct served {
    struct log_notes notes;
    struct throng_address address;
    _Atomic uint64_t accept_pauses;
    _Atomic bool started;
    _Atomic bool stop;
};

struct child {
    const char *backend;
    uint32_t io_threads;
    bool loses_none; /* who comes meanwhile waits in the backlog */
    struct served *served;
    pid_t pid;
    struct peer good;
    struct peer waiting[WAITING];
    uint32_t lines;
    int64_t cpu_ns;
};

/* io_uring needs a descriptor for a moment to see whom it has accepted, when it has: those few are
 * reset, the rest waits. */
static struct child children[] = {
    {.backend = "epoll", .io_threads = 0, .loses_none = true},
    {.backend = "epoll", .io_threads = 2, .loses_none = true},
    {.backend = "io_uring", .io_threads = 0},
    {.backend = "io_uring", .io_threads = 1},
    {.backend = "io_uring-plain", .io_threads = 1, .loses_none = true},
};

#define CHILDREN (sizeof(children) / sizeof(children[0]))

static void serve(struct child *child)
{
    struct served *served = child->served;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves no server behind */
    struct throng_server *server =
        start_server(child->backend, child->io_threads, &served->notes, &served->address);
    atomic_store(&served->started, true);
    while (!atomic_load(&served->stop)) {
        echo_one(server, 50);
        atomic_store(&served->accept_pauses, counters_of(server).accept_pauses);
    }
    throng_server_stop(server);
    _exit(0);
}

static void start_child(struct child *child)
{
    child->served = mmap(NULL, sizeof(*child->served), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(child->served != MAP_FAILED);
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0) {
        serve(child);
    }
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (!atomic_load(&child->served->started)) {
        test_pause_us(1000);
        assert_true(test_now_ms() < deadline_ms);
    }
    child->good = connect_and_ask(&child->served->address);
}

static void stop_child(struct child *child)
{
    int status = 0;
    atomic_store(&child->served->stop, true);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    assert_int_equal(status, 0);
    (void)munmap(child->served, sizeof(*child->served));
}

/* Descriptors that there are stay. */
static void limit_descriptors(const struct child *child, rlim_t soft)
{
    struct rlimit limit;
    assert_int_equal(prlimit(child->pid, RLIMIT_NOFILE, NULL, &limit), 0);
    limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
    assert_int_equal(prlimit(child->pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

static int64_t cpu_of(const struct child *child)
{
    clockid_t clock;
    struct timespec time;
    assert_int_equal(clock_getcpuclockid(child->pid, &clock), 0);
    assert_int_equal(clock_gettime(clock, &time), 0);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void expect_echo(const struct peer *peer)
{
    char answer = 0;
    assert_int_equal(peer_receive_frame(peer, &answer, 1, test_deadline_ms()), 1);
    assert_int_equal(answer, 'x');
}

static void begin_shortage(struct child *child)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    uint64_t pauses = atomic_load(&child->served->accept_pauses);
    limit_descriptors(child, 1);
    for (uint32_t i = 0; i < WAITING; i++) {
        assert_true(peer_connect(&child->waiting[i], &child->served->address, NULL));
        (void)peer_send_frame(&child->waiting[i], "x", 1, test_deadline_ms());
    }
    while (atomic_load(&child->served->accept_pauses) == pauses) {
        test_pause_us(1000);
        assert_true(test_now_ms() < deadline_ms);
    }
    child->lines = atomic_load(&child->served->notes.lines);
    child->cpu_ns = cpu_of(child);
}

/* Time until somebody new is served. */
static int64_t end_shortage(struct child *child)
{
    char answer;
    int64_t begin_ms = test_now_ms();
    limit_descriptors(child, RLIM_INFINITY);
    struct peer peer = {.descriptor = -1};
    ptrdiff_t got = PEER_RESET;
    while (got != 1) {
        if (peer.descriptor < 0) {
            peer = connect_and_ask(&child->served->address);
        }
        got = peer_receive_frame(&peer, &answer, 1, 10);
        if (got != 1 && got != PEER_WOULD_BLOCK) { /* still one of those that are reset */
            peer_close(&peer);
        }
        assert_true(test_now_ms() < begin_ms + test_deadline_ms());
    }
    int64_t passed_ms = test_now_ms() - begin_ms;
    peer_close(&peer);
    for (uint32_t i = 0; i < WAITING; i++) {
        if (child->loses_none) {
            expect_echo(&child->waiting[i]);
        }
        peer_close(&child->waiting[i]);
    }
    return passed_ms;
}

static void expect_little_noise(struct child *child, int64_t passed_ms)
{
    int64_t cpu_ns = cpu_of(child) - child->cpu_ns;
    uint32_t lines = atomic_load(&child->served->notes.lines) - child->lines;
    print_message("%s, %u threads: %.2f %% CPU, %u lines in %d ms\n", child->backend,
                  child->io_threads, (double)cpu_ns / 10000 / (double)passed_ms, lines,
                  (int)passed_ms);
    assert_true(cpu_ns <= passed_ms * 1000000 * test_patience_ms(2) / 100);
    assert_in_range(lines, passed_ms >= 2500 ? 1 : 0, 1 + passed_ms / 1000);
    assert_non_null(strstr(child->served->notes.last, "accepting pauses: no descriptor left"));
    assert_true(peer_send_frame(&child->good, "x", 1, test_deadline_ms()));
    expect_echo(&child->good);
}

static void three_seconds_without_descriptors_cost_next_to_nothing(void **state)
{
    (void)state;
    int64_t recovery_ms[CHILDREN];
    for (size_t i = 0; i < CHILDREN; i++) {
        start_child(&children[i]);
        expect_echo(&children[i].good);
    }
    for (size_t i = 0; i < CHILDREN; i++) {
        begin_shortage(&children[i]);
    }
    int64_t begin_ms = test_now_ms();
    while (test_now_ms() < begin_ms + STUCK_MS) {
        test_pause_us(100000);
        for (size_t i = 0; i < CHILDREN; i++) { /* there is always somebody who waits */
            struct peer peer;
            assert_true(peer_connect(&peer, &children[i].served->address, NULL));
            peer_close(&peer);
        }
    }
    for (size_t i = 0; i < CHILDREN; i++) {
        expect_little_noise(&children[i], test_now_ms() - begin_ms);
    }
    for (size_t i = 0; i < CHILDREN; i++) {
        recovery_ms[i] = end_shortage(&children[i]);
        /* The machine may have had other things to do: one of a few times is proof. */
        for (int more = 0; more < 4 && recovery_ms[i] > 1000; more++) {
            begin_shortage(&children[i]);
            recovery_ms[i] = end_shortage(&children[i]);
        }
        print_message("%s, %u threads: accepts again after %d ms\n", children[i].backend,
                      children[i].io_threads, (int)recovery_ms[i]);
        assert_true(recovery_ms[i] <= 1000);
        peer_close(&children[i].good);
        stop_child(&children[i]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepting_pauses_and_goes_on_by_itself),
        cmocka_unit_test(connections_that_died_in_the_backlog_are_no_shortage),
        cmocka_unit_test(three_seconds_without_descriptors_cost_next_to_nothing),
    };
    return cmocka_run_group_tests_name("server_shortage", tests, NULL, NULL);
}
