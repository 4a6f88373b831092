/* SPDX-License-Identifier: MIT
 * Between its start and its end a server asks the heap for nothing: all calls of all its threads
 * are counted while a child process connects, talks, misbehaves and leaves, thousands of times. */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <throng/server.h>

#include "check.h"
#include "heap_counter.h"
#include "pattern.h"
#include "peer.h"
#include "stopwatch.h"

#define CONNECTIONS_MAX 100u
#define PAYLOAD_MAX 60000u

/* ---- the child: a client process ---- */

static uint8_t payload[PAYLOAD_MAX];
static uint8_t reply[PAYLOAD_MAX];

/* Messages small, long and in pieces; false if an answer is not what was sent. */
static bool talk(const struct peer *peer, uint32_t number)
{
    static const uint32_t sizes[] = {0, 1, 600, 5000, PAYLOAD_MAX};
    for (uint32_t i = 0; i < 5; i++) {
        test_fill_pattern(payload, sizes[i], number + i);
        if (!peer_send_frame(peer, payload, sizes[i], test_deadline_ms()) ||
            peer_receive_frame(peer, reply, sizeof(reply), test_deadline_ms()) != sizes[i] ||
            memcmp(reply, payload, sizes[i]) != 0) {
            return false;
        }
    }
    return true;
}

static void leave(struct peer *peer, uint32_t number)
{
    switch (number % 5) {
    case 0: /* a length over the limit */
        (void)peer_send_all(peer, "\xff\xff\xff\xff", 4, test_deadline_ms());
        (void)peer_await_end(peer, test_deadline_ms());
        break;
    case 1: /* inside a body */
        (void)peer_send_all(peer, "\0\0\x10\0half", 8, test_deadline_ms());
        break;
    case 2: /* half-closed first */
        peer_finish(peer);
        (void)peer_await_end(peer, test_deadline_ms());
        break;
    case 3:
        peer_reset(peer);
        break;
    default:
        break;
    }
    peer_close(peer);
}

/* A full house, one more that is refused, talk, and everybody leaves in one of five ways. A slot is
 * free a moment after its peer left, so a refusal here is tried again. */
static bool visit(const struct throng_address *address, uint32_t round)
{
    static struct peer peers[CONNECTIONS_MAX];
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        int64_t deadline_ms = test_now_ms() + test_deadline_ms();
        bool served = peer_connect(&peers[i], address, NULL) && talk(&peers[i], i);
        while (!served && test_now_ms() < deadline_ms) {
            peer_close(&peers[i]);
            served = peer_connect(&peers[i], address, NULL) && talk(&peers[i], i);
        }
        if (!served) {
            return false;
        }
    }
    struct peer extra;
    bool refused = peer_connect(&extra, address, NULL) &&
                   peer_await_end(&extra, test_deadline_ms()) == PEER_RESET;
    peer_close(&extra);
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        leave(&peers[i], i + round);
    }
    return refused;
}

/* The exit status: 0 if all went well. The last word makes the server stop serving. */
static int run_client(int address_pipe, uint32_t rounds)
{
    struct throng_address address;
    bool well = read(address_pipe, &address, sizeof(address)) == (ssize_t)sizeof(address);
    for (uint32_t i = 0; well && i < rounds; i++) {
        well = visit(&address, i);
    }
    struct peer last;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    bool stopped = false;
    while (!stopped && test_now_ms() < deadline_ms) {
        stopped = peer_connect(&last, &address, NULL) &&
                  peer_send_frame(&last, "stop", 4, test_deadline_ms()) &&
                  peer_receive_frame(&last, reply, 4, test_deadline_ms()) == 4;
        peer_close(&last);
    }
    return well && stopped ? 0 : 1;
}

/* ---- the server ---- */

/* Beside the peers: a tick, timers that come again or are stopped, and posts, each from the one
 * before. */
static void begin_time(struct throng_server *server)
{
    assert_int_equal(throng_tick(server, 500), 0);
    assert_int_equal(throng_timer_start(server, 1, 2, NULL, NULL), 0);
    assert_int_equal(throng_post(server, NULL, 0), 0);
}

static void go_on_with_time(struct throng_server *server, const struct throng_event *event)
{
    throng_timer timer = {0};
    if (event->type == THRONG_EVENT_TIMER) {
        assert_int_equal(throng_timer_start(server, 86400000, 0, NULL, &timer), 0);
        assert_int_equal(throng_timer_stop(server, timer), 0);
        assert_int_equal(throng_post(server, NULL, event->number), 0);
    }
}

static void serve_until_told(struct throng_server *server)
{
    struct throng_event events[16];
    bool stop = false;
    begin_time(server);
    while (!stop) {
        int count = throng_get_events(server, events, 16, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].type == THRONG_EVENT_MESSAGE) {
                (void)throng_write_data(server, events[i].conn, events[i].data, events[i].size);
                stop = stop || (events[i].size == 4 && memcmp(events[i].data, "stop", 4) == 0);
            }
            go_on_with_time(server, &events[i]);
            throng_release_event(server, &events[i]);
        }
    }
    throng_flush(server);
}

static void no_heap_call_is_made_while_thousands_come_talk_and_go(uint32_t io_threads)
{
    int ends[2];
    uint32_t rounds = test_scaled(30);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(run_client(ends[0], rounds));
    }
    struct throng_server *server = NULL;
    struct throng_server_options options;
    struct throng_address address;
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.max_connections = CONNECTIONS_MAX;
    options.io_threads = io_threads;
    assert_int_equal(throng_server_start(&server, &options, NULL), 0);
    assert_int_equal(throng_server_listen_address(server, 0, &address), 0);

    heap_counter_start();
    assert_int_equal(write(ends[1], &address, sizeof(address)), sizeof(address));
    serve_until_told(server);
    struct heap_calls calls = heap_counter_stop();

    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    struct throng_counters counters;
    throng_server_counters(server, &counters);
    throng_server_stop(server);
    close(ends[0]);
    close(ends[1]);
    printf("io_threads %" PRIu32 ": %" PRIu64 " connections, %" PRIu64 " messages, %" PRIu64
           " refused: %" PRIu32 " allocations, %" PRIu32 " frees, %" PRIu32 " maps\n",
           io_threads, counters.accepted, counters.messages_received, counters.refused,
           calls.allocations, calls.frees, calls.maps);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(counters.accepted >= rounds * CONNECTIONS_MAX);
    assert_int_equal(calls.allocations, 0);
    assert_int_equal(calls.frees, 0);
    assert_int_equal(calls.maps, 0);
}

static void serving_inline_makes_no_heap_call(void **state)
{
    (void)state;
    no_heap_call_is_made_while_thousands_come_talk_and_go(0);
}

static void serving_with_one_thread_makes_no_heap_call(void **state)
{
    (void)state;
    no_heap_call_is_made_while_thousands_come_talk_and_go(1);
}

static void serving_with_two_threads_makes_no_heap_call(void **state)
{
    (void)state;
    no_heap_call_is_made_while_thousands_come_talk_and_go(2);
}

static void the_counter_sees_each_kind_of_call(void **state)
{
    (void)state;
    heap_counter_start();
    void *volatile block = malloc(100);
    void *volatile larger = realloc(block, 200);
    free(larger);
    block = calloc(3, 5);
    free(block);
    block = strdup("the C library's own calls count as well");
    free(block);
    void *volatile page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)munmap(page, 4096);
    struct heap_calls calls = heap_counter_stop();
    assert_int_equal(calls.allocations, 4);
    assert_int_equal(calls.frees, 3);
    assert_int_equal(calls.maps, 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_counter_sees_each_kind_of_call),
        cmocka_unit_test(serving_inline_makes_no_heap_call),
        cmocka_unit_test(serving_with_one_thread_makes_no_heap_call),
        cmocka_unit_test(serving_with_two_threads_makes_no_heap_call),
    };
    return cmocka_run_group_tests_name("server_heap", tests, NULL, NULL);
}
