/* SPDX-License-Identifier: MIT
 * What only the io_uring backend has: queues that run full, accepts in flight, a thread that ends
 * before its ring, and kernels or sandboxes that lack it. */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deny.h"
#include "port/backends.h"
#include "port/uring.h"

static struct fixture fixture;

static struct tg_uring_port *uring(void)
{
    return tg_uring_port_of(fixture.port);
}

/* An operation that completes at once and that nobody waits for. */
static void submit_nothing(void)
{
    struct tg_sqe *sqe = tg_uring_port_sqe(uring());
    if (sqe == NULL) {
        CHECK_NOT_REACHED("the kernel takes no submission");
        return;
    }
    sqe->opcode = TG_OP_NOP;
}

/* --- queues that run full
 * ---------------------------------------------------------------------- */

/* Each of them receives and sends between two waits: more submissions than the queue has places. */
static void more_submissions_than_places_all_happen(void **state)
{
    enum {
        STREAMS = 600
    };
    static struct tg_stream streams[STREAMS];
    static tg_socket peers[STREAMS];
    _Static_assert(2 * STREAMS > TG_URING_SQ_ENTRIES, "the queue is to run full");
    (void)state;
    fixture_open(&fixture, NULL);
    for (int i = 0; i < STREAMS; i++) {
        peers[i] = fixture_pair(&fixture, &streams[i]);
        peer_send(peers[i], "up", 2);
    }
    const struct tg_slice halves[2] = {{(const uint8_t *)"do", 2}, {(const uint8_t *)"wn", 2}};
    for (int i = 0; i < STREAMS; i++) {
        tg_port_receive(fixture.port, &streams[i]);
        CHECK(tg_port_send(fixture.port, &streams[i], halves, 2) == TG_PORT_PENDING);
    }
    for (int i = 0; i < STREAMS; i++) {
        char word[4];
        CHECK(fixture_take(&fixture, TG_COMPLETION_SEND, &streams[i]).result == 4);
        fixture_read(&fixture, &streams[i], word, 2);
        CHECK(memcmp(word, "up", 2) == 0);
        peer_receive(peers[i], word, 4);
        CHECK(memcmp(word, "down", 4) == 0);
        tg_socket_close(peers[i]);
        fixture_close_stream(&fixture, &streams[i]);
    }
    fixture_close(&fixture);
}

/* Completions that nobody takes, until the queue has no place left and the kernel keeps the
 * rest. */
static void overflow_completions(void)
{
    for (uint32_t i = 0; i < TG_URING_CQ_ENTRIES + 100; i++) {
        submit_nothing();
    }
    CHECK(tg_uring_enter(&uring()->ring, 0, 0) == 0);
    CHECK((atomic_load(uring()->ring.sq_flags) & TG_SQ_CQ_OVERFLOW) != 0);
}

static void an_overflown_completion_queue_loses_nothing(void **state)
{
    static struct tg_stream stream;
    static uint8_t sent[40000];
    static uint8_t got[40000];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    fixture_settle(&fixture);
    for (int round = 0; round < 3; round++) {
        /* What is received meanwhile ends its request: without a place there is no MORE. */
        pattern_fill(sent, (size_t)round * sizeof sent, sizeof sent);
        peer_send(peer, sent, sizeof sent / 2);
        overflow_completions();
        peer_send(peer, sent + sizeof sent / 2, sizeof sent / 2);
        fixture_read(&fixture, &stream, got, sizeof got);
        CHECK(pattern_matches(got, (size_t)round * sizeof sent, sizeof got));
    }
    peer_send(peer, "on", 2); /* and it goes on */
    fixture_read(&fixture, &stream, got, 2);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* The addresses are asked with a submission of their own, whose answer must be found. */
static void addresses_are_known_while_completions_wait(void **state)
{
    static struct tg_stream stream;
    struct throng_address local;
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    for (int i = 0; i < 100; i++) {
        submit_nothing();
    }
    for (int i = 0; i < 3; i++) {
        CHECK(tg_port_addresses(fixture.port, &stream, NULL, &local) == 0);
        CHECK(local.port == fixture.address.port);
    }
    fixture_expect_sleep(&fixture);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* The call's result finds no place in the queue, and its caller does not wait. */
static void a_result_that_comes_late_leaves_no_descriptor(void **state)
{
    static struct tg_stream stream;
    struct throng_address local;
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    fixture_settle(&fixture); /* has a connection of its own from now on */
    uint32_t open = tg_descriptor_count();
    overflow_completions();
    bool direct = tg_uring_has(uring(), TG_URING_DIRECT);
    CHECK((tg_port_addresses(fixture.port, &stream, NULL, &local) < 0) == direct);
    fixture_settle(&fixture);
    CHECK(tg_descriptor_count() == open);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* --- accepts in flight
 * --------------------------------------------------------------------------- */

static void connections_that_come_as_credit_ends_are_kept_for_later(void **state)
{
    enum {
        EARLY = 5
    };
    static struct tg_stream streams[EARLY];
    tg_socket peers[EARLY];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_port_accept(fixture.port, &fixture.listener, 100);
    fixture_pump(&fixture, 0); /* the accepts are in flight */
    for (int i = 0; i < EARLY; i++) {
        peers[i] = peer_connect(&fixture.address);
    }
    tg_port_accept(fixture.port, &fixture.listener, 0);
    for (int i = 0; i < 5; i++) {
        fixture_pump(&fixture, 1);
    }
    CHECK(!fixture_has(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener));
    for (int credit = 2; credit <= EARLY; credit += 3) {
        tg_port_accept(fixture.port, &fixture.listener, credit == 2 ? 2 : EARLY - 2);
        for (int i = credit == 2 ? 0 : 2; i < credit; i++) {
            struct tg_completion accepted =
                fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
            CHECK(accepted.result == 0);
            CHECK(tg_port_adopt(fixture.port, &streams[i], accepted.accepted) == 0);
        }
        fixture_expect_sleep(&fixture);
    }
    for (int i = 0; i < EARLY; i++) {
        tg_socket_close(peers[i]);
        fixture_close_stream(&fixture, &streams[i]);
        memset(&streams[i], 0, sizeof streams[i]);
    }
    fixture_close(&fixture);
}

static void a_closed_listener_resets_what_came_as_credit_ended(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    tg_port_accept(fixture.port, &fixture.listener, 100);
    fixture_pump(&fixture, 0);
    tg_socket peer = peer_connect(&fixture.address);
    tg_port_accept(fixture.port, &fixture.listener, 0);
    fixture_pump(&fixture, 10);
    tg_port_close_listener(fixture.port, &fixture.listener);
    (void)fixture_take(&fixture, TG_COMPLETION_LISTENER_CLOSE, &fixture.listener);
    fixture.listening = false;
    fixture_pump(&fixture, 0);
    CHECK(peer_receive_any(peer) == THRONG_ECONNRESET);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

/* Whom the kernel has accepted and has no place for it drops; who comes next had better wait. */
static void a_table_without_a_place_pauses_accepting_until_the_caller_asks_again(void **state)
{
    enum {
        PLACES = 3
    };
    /* IORING_REGISTER_FILE_ALLOC_RANGE: where the kernel may look for a place. */
    const struct {
        uint32_t offset, count;
        uint64_t reserved;
    } range = {.offset = 0, .count = PLACES};
    tg_handle accepted[PLACES];
    (void)state;
    fixture_open(&fixture, NULL);
    if (!tg_uring_has(uring(), TG_URING_DIRECT)) {
        fixture_close(&fixture); /* there is no table */
        return;
    }
    CHECK(tg_uring_register(&uring()->ring, 25, &range, 0) == 0);
    tg_port_accept(fixture.port, &fixture.listener, 100);
    for (int i = 0; i < PLACES; i++) {
        tg_socket peer = peer_connect(&fixture.address);
        struct tg_completion accept =
            fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
        CHECK(accept.result == 0);
        accepted[i] = accept.accepted;
        tg_socket_close(peer);
    }
    tg_socket dropped = peer_connect(&fixture.address);
    CHECK(fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener).result == THRONG_EMFILE);
    CHECK(fixture_counter(&fixture.port->counters.accept_pauses) == 1);
    tg_socket waiting = peer_connect(&fixture.address);
    fixture_expect_sleep(&fixture);
    tg_port_refuse(fixture.port, accepted[0]);
    tg_port_accept(fixture.port, &fixture.listener, 1);
    struct tg_completion accept = fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
    CHECK(accept.result == 0);
    for (int i = 0; i < PLACES; i++) {
        tg_port_refuse(fixture.port, i == 0 ? accept.accepted : accepted[i]);
    }
    tg_socket_close(dropped);
    tg_socket_close(waiting);
    fixture_close(&fixture);
}

/* --- the end of its thread
 * ------------------------------------------------------------------------- */

/* A thread that uses the port: two streams receive, one of them has a send in flight. */
static struct tg_stream left[2];

static void *use_and_leave(void *argument)
{
    tg_socket *peers = argument;
    for (int i = 0; i < 2; i++) {
        peers[i] = fixture_pair(&fixture, &left[i]);
        tg_port_receive(fixture.port, &left[i]);
    }
    (void)fixture_fill(&fixture, &left[1], 0);
    tg_port_accept(fixture.port, &fixture.listener, 10);
    fixture_pump(&fixture, 0);
    return NULL;
}

static void another_thread_ends_what_a_thread_that_is_gone_has_left(void **state)
{
    tg_socket peers[2];
    pthread_t thread;
    (void)state;
    fixture_open(&fixture, NULL);
    CHECK(pthread_create(&thread, NULL, use_and_leave, peers) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    for (int i = 0; i < 2; i++) {
        tg_port_close(fixture.port, &left[i], TG_CLOSE_NORMAL);
    }
    for (int i = 0; i < 2; i++) {
        (void)fixture_take(&fixture, TG_COMPLETION_CLOSE, &left[i]);
    }
    CHECK(fixture_take(&fixture, TG_COMPLETION_SEND, &left[1]).result < 0);
    fixture_close(&fixture); /* the listener too, whose accepts were in flight */
    for (int i = 0; i < 2; i++) {
        static uint8_t bytes[65536];
        int got;
        do {
            CHECK(tg_socket_wait(peers[i], false, DEADLINE_MS) == 1);
            got = tg_socket_receive(peers[i], bytes, sizeof bytes);
        } while (got > 0);
        CHECK(got == THRONG_EEOF || got == THRONG_ECONNRESET);
        tg_socket_close(peers[i]);
    }
}

/* --- systems without it
 * -------------------------------------------------------------------------- */

/* In a child process: it denies itself the call. */
static void expect_epoll_without(long call, int error, const char *reason)
{
    (void)fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char said[TG_PORT_REASON_BYTES];
        bool right = deny_system_call(call, error) &&
                     tg_port_backend_find("auto") == &tg_epoll_backend &&
                     tg_port_backend_check(&tg_uring_backend, said) == THRONG_ENOTSUP &&
                     strcmp(said, reason) == 0;
        if (!right) {
            (void)fprintf(stderr, "it said: %s\n", said);
        }
        _Exit(right ? 0 : 1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_system_that_forbids_it_gets_epoll_and_says_why(void **state)
{
    (void)state;
    expect_epoll_without(SYS_io_uring_setup, EPERM, "io_uring_setup: Operation not permitted");
    expect_epoll_without(SYS_io_uring_setup, ENOSYS, "io_uring_setup: Function not implemented");
    expect_epoll_without(SYS_io_uring_register, EINVAL, "provided buffers: Invalid argument");
    expect_epoll_without(SYS_io_uring_enter, EPERM, "multishot receive: Operation not permitted");
}

int run_uring_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_submissions_than_places_all_happen),
        cmocka_unit_test(an_overflown_completion_queue_loses_nothing),
        cmocka_unit_test(addresses_are_known_while_completions_wait),
        cmocka_unit_test(a_result_that_comes_late_leaves_no_descriptor),
        cmocka_unit_test(connections_that_come_as_credit_ends_are_kept_for_later),
        cmocka_unit_test(a_closed_listener_resets_what_came_as_credit_ended),
        cmocka_unit_test(a_table_without_a_place_pauses_accepting_until_the_caller_asks_again),
        cmocka_unit_test(another_thread_ends_what_a_thread_that_is_gone_has_left),
        cmocka_unit_test(a_system_that_forbids_it_gets_epoll_and_says_why),
    };
    bool is_uring = strncmp(fixture_backend->name, "io_uring", 8) == 0;
    return is_uring ? cmocka_run_group_tests_name("port: io_uring", tests, NULL, NULL) : 0;
}
