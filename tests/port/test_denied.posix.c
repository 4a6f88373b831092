/* SPDX-License-Identifier: MIT
 * Port contract: the kernel refuses, in the middle of service, what it used to grant. Each call
 * says so and leaves its record as it was; nothing is said twice, nothing stays open. In child
 * processes, for a refusal cannot be taken back. */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deny.h"
#include "os/memory.h"
#include "os/thread.h"

#define QUEUE_ENTRIES 1024u /* of io_uring's submission queue */
#define STREAMS (QUEUE_ENTRIES + 3)

static struct fixture fixture;
static const uint8_t word[4] = "word";

/* Answers false if this system has no filters for system calls. */
static bool in_child(void (*run)(void))
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
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77);
    return WEXITSTATUS(status) == 0;
}

static void deny_or_skip(long number, int error)
{
    if (!deny_system_call(number, error)) {
        _Exit(77);
    }
}

static void run_or_skip(void (*run)(void))
{
    if (!in_child(run)) {
        print_message("skipped: this system has no filters for system calls\n");
        skip();
    }
}

/* --- epoll: no more registrations ------------------------------------------------------------ */

static void expect_no_port(void)
{
    struct tg_port *port = NULL;
    struct tg_port_options options = {
        .recv_pool = &fixture.pool, .turn_bytes = 1, .streams_max = 8, .buffers_max = 16};
    size_t bytes = tg_port_memory_bytes(fixture_backend, &options);
    options.memory = tg_memory_reserve(bytes);
    CHECK(options.memory != NULL);
    CHECK(tg_port_open(&port, fixture_backend, &options) == THRONG_ENOMEM && port == NULL);
    tg_memory_release(options.memory, bytes);
}

static void expect_accept_to_rest(void)
{
    tg_port_accept(fixture.port, &fixture.listener, 1);
    tg_port_accept(fixture.port, &fixture.listener, 1); /* told once all the same */
    struct tg_completion accept = fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
    CHECK(accept.result == THRONG_ENOBUFS);
    fixture_expect_sleep(&fixture);
}

static void refuse_registrations(void)
{
    struct tg_stream stream = {0};
    fixture_open(&fixture, NULL);
    tg_socket peer = peer_connect(&fixture.address);
    tg_port_accept(fixture.port, &fixture.listener, 1);
    struct tg_completion accept = fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
    uint32_t open = tg_descriptor_count();
    deny_or_skip(SYS_epoll_ctl, ENOMEM);

    CHECK(tg_port_adopt(fixture.port, &stream, accept.accepted) == THRONG_ENOMEM);
    CHECK(stream.flags == 0);
    CHECK(peer_receive_any(peer) == THRONG_ECONNRESET); /* it is not left waiting */
    CHECK(tg_port_connect(fixture.port, &stream, &fixture.address, NULL) == THRONG_ENOMEM);
    CHECK(stream.flags == 0);
    CHECK(tg_descriptor_count() == open - 1); /* without the one that was not adopted */
    expect_no_port();
    CHECK(tg_descriptor_count() == open - 1);
    expect_accept_to_rest();
    expect_accept_to_rest();
    CHECK(fixture_counter(&fixture.port->counters.accept_pauses) == 2);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

static void a_refused_registration_is_an_error_and_leaves_nothing(void **state)
{
    (void)state;
    run_or_skip(refuse_registrations);
}

/* --- io_uring: the ring takes nothing more --------------------------------------------------- */

/* Sends on as many streams as the queue has room for; answers the first that it does not take. */
static uint32_t fill_queue(struct tg_stream *streams)
{
    static const struct tg_slice slice = {.data = word, .size = 1};
    uint32_t taken = 0;
    int answer = TG_PORT_PENDING;
    while (taken < STREAMS && answer == TG_PORT_PENDING) {
        answer = tg_port_send(fixture.port, &streams[taken], &slice, 1);
        taken += answer == TG_PORT_PENDING ? 1 : 0;
    }
    CHECK(answer == THRONG_ENOBUFS);
    return taken;
}

static void expect_refusals(struct tg_stream *stream)
{
    static const struct tg_slice slices[] = {{.data = word, .size = 1}, {.data = word, .size = 3}};
    const struct tg_stream before = *stream;
    struct tg_stream fresh = {0};
    CHECK(tg_port_send(fixture.port, stream, slices, 1) == THRONG_ENOBUFS);
    CHECK(tg_port_send(fixture.port, stream, slices, 2) == THRONG_ENOBUFS);
    CHECK(memcmp(stream, &before, sizeof before) == 0);
    CHECK(tg_port_connect(fixture.port, &fresh, &fixture.address, NULL) < 0);
    CHECK(fresh.flags == 0);
}

static void take_nothing_more(void)
{
    struct tg_stream *streams = calloc(STREAMS, sizeof *streams);
    struct tg_completion completion;
    uint32_t closed = 0;
    CHECK(streams != NULL);
    fixture_open(&fixture, NULL);
    for (uint32_t i = 0; i < STREAMS; i++) {
        (void)fixture_pair(&fixture, &streams[i]);
    }
    uint64_t sends = fixture_counter(&fixture.port->counters.sends);
    deny_or_skip(SYS_io_uring_enter, EAGAIN);
    uint32_t taken = fill_queue(streams);
    CHECK(taken >= QUEUE_ENTRIES - 8 && taken <= QUEUE_ENTRIES);
    CHECK(fixture_counter(&fixture.port->counters.sends) == sends + taken);
    expect_refusals(&streams[STREAMS - 1]);
    /* These have no answer: they are tried again with each wait. A descriptor can be closed without
     * the ring, so there the CLOSE comes; nothing else does. */
    tg_port_close(fixture.port, &streams[STREAMS - 1], TG_CLOSE_ABORT);
    tg_port_close(fixture.port, &streams[STREAMS - 2], TG_CLOSE_NORMAL);
    tg_port_receive(fixture.port, &streams[STREAMS - 3]);
    tg_port_accept(fixture.port, &fixture.listener, 1);
    for (int i = 0; i < 5; i++) {
        uint32_t count = tg_port_wait(fixture.port, &completion, 1, 0);
        CHECK(count == 0 || completion.kind == TG_COMPLETION_CLOSE);
        CHECK(count == 0 || completion.stream >= &streams[STREAMS - 2]);
        closed += count;
    }
    CHECK(closed <= 2 && fixture_counter(&fixture.port->counters.sends) == sends + taken);
}

static void a_ring_that_takes_nothing_more_says_so_and_loses_nothing(void **state)
{
    (void)state;
    run_or_skip(take_nothing_more);
}

/* A call to the ring is submitted without waiting: with flags 0, the third argument counted from 0.
 * What could not be submitted then must not be with the next wait. */
static void submit_with_waits_only(void)
{
    static struct tg_stream stream;
    struct throng_address local;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    uint32_t open = tg_descriptor_count();
    if (!deny_system_call_if(SYS_io_uring_enter, 3, 0, EAGAIN)) {
        _Exit(77);
    }
    for (int i = 0; i < 3; i++) {
        int answer = tg_port_addresses(fixture.port, &stream, NULL, &local);
        CHECK(answer == 0 || answer == THRONG_ENOMEM); /* 0: without a table no call is needed */
    }
    for (int i = 0; i < 5; i++) {
        CHECK(fixture_pump(&fixture, 1) == 0);
    }
    CHECK(tg_descriptor_count() == open);
    tg_socket_close(peer);
}

static void a_call_that_the_ring_did_not_take_leaves_nothing(void **state)
{
    (void)state;
    run_or_skip(submit_with_waits_only);
}

int run_denied_tests(void)
{
    /* Each backend's are about the call that it lives by. */
    const struct CMUnitTest of_epoll[] = {
        cmocka_unit_test(a_refused_registration_is_an_error_and_leaves_nothing),
    };
    const struct CMUnitTest of_io_uring[] = {
        cmocka_unit_test(a_ring_that_takes_nothing_more_says_so_and_loses_nothing),
        cmocka_unit_test(a_call_that_the_ring_did_not_take_leaves_nothing),
    };
    return strcmp(fixture_backend->name, "epoll") == 0
               ? cmocka_run_group_tests_name("port: denied", of_epoll, NULL, NULL)
               : cmocka_run_group_tests_name("port: denied", of_io_uring, NULL, NULL);
}
