/* SPDX-License-Identifier: MIT
 * Port contract: what needs a process of its own, because it lowers limits, forks, or gives a
 * thread a descriptor table. */
#include "fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deny.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/thread.h"

static struct fixture fixture;

static void in_child(void (*run)(void))
{
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        check_in_child = true;
        run();
        _Exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* --- no descriptors -------------------------------------------------------------------------- */

enum {
    PEERS = 10
};

/* Allows `more` descriptors beyond those now open. */
static void limit_descriptors(unsigned more)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max; /* an earlier call may have left no room for the dup */
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int next = dup(0); /* the lowest free number: without gaps below, all others are above */
    CHECK(next >= 0 && close(next) == 0);
    limit.rlim_cur = (rlim_t)next + more;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void adopt(struct tg_stream *stream)
{
    struct tg_completion accepted = fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
    CHECK(accepted.result == 0);
    memset(stream, 0, sizeof *stream);
    CHECK(tg_port_adopt(fixture.port, stream, accepted.accepted) == 0);
}

static void expect_pause(void)
{
    CHECK(fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener).result == THRONG_EMFILE);
    /* It rests now: waits sleep, and nothing more is said. */
    fixture_expect_sleep(&fixture);
}

static void end_without_pause(struct tg_stream *streams, const tg_socket *peers)
{
    for (int i = 0; i < PEERS; i++) {
        adopt(&streams[i]);
    }
    CHECK(fixture_counter(&fixture.port->counters.accept_pauses) == 0);
    for (int i = 0; i < PEERS; i++) {
        tg_socket_close(peers[i]);
        fixture_close_stream(&fixture, &streams[i]);
    }
    fixture_close(&fixture);
}

static void run_out_of_descriptors(void)
{
    static struct tg_stream streams[PEERS];
    tg_socket peers[PEERS];
    int adopted = 0;
    fixture_open(&fixture, NULL);
    for (int i = 0; i < PEERS; i++) {
        peers[i] = peer_connect(&fixture.address);
    }
    limit_descriptors(3);
    tg_port_accept(fixture.port, &fixture.listener, 100);
    if (tg_port_has_own_table(fixture_backend)) {
        end_without_pause(streams, peers); /* the process's limit is not the port's */
        return;
    }
    while (adopted < 3) {
        adopt(&streams[adopted++]);
    }
    expect_pause();
    tg_port_accept(fixture.port, &fixture.listener, 100); /* tried again too early */
    expect_pause();
    CHECK(fixture_counter(&fixture.port->counters.accept_pauses) == 2);

    fixture_close_stream(&fixture, &streams[--adopted]);
    tg_port_accept(fixture.port, &fixture.listener, 100);
    adopt(&streams[adopted++]);
    expect_pause();

    limit_descriptors(100);
    tg_port_accept(fixture.port, &fixture.listener, 100);
    while (adopted < PEERS - 1) { /* one of the ten was closed */
        adopt(&streams[adopted++]);
    }
    for (int i = 0; i < PEERS; i++) {
        tg_socket_close(peers[i]);
    }
    while (adopted > 0) {
        fixture_close_stream(&fixture, &streams[--adopted]);
    }
    fixture_close(&fixture);
}

static void without_descriptors_accepting_pauses_and_recovers(void **state)
{
    (void)state;
    in_child(run_out_of_descriptors);
}

static void fail_to_open(void)
{
    struct tg_port *port = NULL;
    uint32_t before = tg_descriptor_count();
    fixture_open(&fixture, NULL);
    struct tg_port_options options = {
        .recv_pool = &fixture.pool, .turn_bytes = 1, .streams_max = 8, .buffers_max = 16};
    size_t bytes = tg_port_memory_bytes(fixture_backend, &options);
    options.memory = tg_memory_reserve(bytes);
    CHECK(options.memory != NULL);
    uint32_t open = tg_descriptor_count();
    int error = THRONG_EMFILE;
    for (unsigned more = 0; error != 0; more++) {
        CHECK(error == THRONG_EMFILE && port == NULL && more < 256);
        limit_descriptors(more);
        error = tg_port_open(&port, fixture_backend, &options);
        limit_descriptors(50);
        CHECK(error == 0 || tg_descriptor_count() == open);
    }
    tg_port_destroy(port);
    CHECK(tg_descriptor_count() == open);
    tg_memory_release(options.memory, bytes);
    fixture_close(&fixture);
    CHECK(tg_descriptor_count() == before);
}

static void a_port_that_cannot_open_leaves_nothing_open(void **state)
{
    (void)state;
    in_child(fail_to_open);
}

/* --- forks of the application ---------------------------------------------------------------- */

/* A child that the application forked holds a copy of every descriptor; the kernel keeps what hangs
 * on them. The record of a closed stream must not be named again all the same. */
static void a_forked_child_does_not_bring_closed_streams_back(void **state)
{
    static struct tg_stream stream;
    int stop[2];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    CHECK(pipe(stop) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char byte;
        (void)close(stop[1]);
        ssize_t got = read(stop[0], &byte, 1); /* until the parent closes its end */
        _Exit(got == 0 ? 0 : 1);
    }
    (void)close(stop[0]);
    fixture_close_stream(&fixture, &stream);
    memset(&stream, 0xAA, sizeof stream);
    peer_send(peer, "ghost", 5);
    tg_socket_close(peer);
    fixture_settle(&fixture);
    CHECK(fixture.log_count == 0);
    for (size_t i = 0; i < sizeof stream; i++) {
        CHECK(((uint8_t *)&stream)[i] == 0xAA);
    }
    (void)close(stop[1]);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    fixture_close(&fixture);
}

/* --- a worker with a descriptor table of its own ---------------------------------------------- */

enum {
    CLIENTS = 40
};

static _Atomic uint32_t worker_ready;

/* Serves CLIENTS connections and ends with the last of them. */
static void serve_in_own_table(void *argument)
{
    static struct tg_stream streams[CLIENTS];
    tg_socket keep[5];
    (void)argument;
    uint32_t count = tg_port_descriptors(fixture.port, keep, 4);
    keep[count++] = fixture.listener.handle;
    CHECK(tg_thread_own_descriptors(keep, count) == 0);
    atomic_store_explicit(&worker_ready, 1, memory_order_release);
    tg_port_accept(fixture.port, &fixture.listener, CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        adopt(&streams[i]);
        tg_port_receive(fixture.port, &streams[i]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        uint8_t word[4];
        fixture_read(&fixture, &streams[i], word, 4);
        fixture_send(&fixture, &streams[i], word, 4);
        CHECK(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &streams[i]).result == 0);
        fixture_close_stream(&fixture, &streams[i]);
    }
    tg_port_close_listener(fixture.port, &fixture.listener);
    (void)fixture_take(&fixture, TG_COMPLETION_LISTENER_CLOSE, &fixture.listener);
    fixture.listening = false;
}

static void serve_beyond_the_limit(void)
{
    struct tg_thread worker;
    tg_socket peers[CLIENTS];
    fixture_open(&fixture, NULL);
    tg_socket main_copy = fixture.listener.handle;
    /* Room for one end of every connection, but not for both. */
    limit_descriptors(CLIENTS + 5);
    CHECK(tg_thread_start(&worker, "worker", serve_in_own_table, NULL) == 0);
    uint64_t deadline = now_ms() + DEADLINE_MS;
    while (atomic_load_explicit(&worker_ready, memory_order_acquire) == 0) {
        CHECK(now_ms() < deadline);
    }
    tg_socket_close(main_copy);
    for (int i = 0; i < CLIENTS; i++) {
        peers[i] = peer_connect(&fixture.address);
    }
    for (int i = 0; i < CLIENTS; i++) {
        uint8_t word[4] = {'w', (uint8_t)i, 'r', 'd'};
        uint8_t echo[4];
        peer_send(peers[i], word, 4);
        CHECK(tg_socket_shutdown_send(peers[i]) == 0);
        peer_receive(peers[i], echo, 4);
        CHECK(memcmp(word, echo, 4) == 0);
        CHECK(peer_receive_any(peers[i]) == THRONG_EEOF);
        tg_socket_close(peers[i]);
    }
    tg_thread_join(&worker);
    fixture_close(&fixture);
}

/* ThreadSanitizer knows one descriptor table a process: two files of the same number in two tables
 * are a data race to it. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

static void a_port_serves_in_a_table_of_its_own_beyond_the_limit(void **state)
{
    (void)state;
    if (UNDER_TSAN) {
        print_message("ThreadSanitizer does not know descriptor tables\n");
        skip();
    }
    in_child(serve_beyond_the_limit);
}

/* --- old kernels ------------------------------------------------------------------------------ */

static void wait_without_nanoseconds(void)
{
#ifdef SYS_epoll_pwait2
    struct tg_completion completion;
    if (!deny_system_call(SYS_epoll_pwait2, ENOSYS)) {
        fprintf(stderr, "no system call filter here: nothing shown\n");
        return;
    }
    fixture_open(&fixture, NULL);
    const int64_t timeouts_ns[] = {1, 300000, 1500000, 5000000};
    for (size_t i = 0; i < sizeof timeouts_ns / sizeof timeouts_ns[0]; i++) {
        uint64_t begin = tg_clock_ns();
        CHECK(tg_port_wait(fixture.port, &completion, 1, timeouts_ns[i]) == 0);
        CHECK(tg_clock_ns() - begin >= (uint64_t)timeouts_ns[i]); /* rounded up, no spin */
    }
    fixture_close(&fixture);
#endif
}

static void an_old_kernel_waits_in_milliseconds(void **state)
{
    (void)state;
    in_child(wait_without_nanoseconds);
}

int run_process_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_descriptors_accepting_pauses_and_recovers),
        cmocka_unit_test(a_port_that_cannot_open_leaves_nothing_open),
        cmocka_unit_test(a_forked_child_does_not_bring_closed_streams_back),
        cmocka_unit_test(a_port_serves_in_a_table_of_its_own_beyond_the_limit),
        cmocka_unit_test(an_old_kernel_waits_in_milliseconds),
    };
    return cmocka_run_group_tests_name("port: processes", tests, NULL, NULL);
}
