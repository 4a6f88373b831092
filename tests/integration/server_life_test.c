/* SPDX-License-Identifier: MIT
 * Start, stop and start again: nothing stays behind, whatever was going on; and several servers and
 * clients get along in one process. */
#include <stdatomic.h>
#include <string.h>

#include <throng/tcp.h>

#include "process.h"
#include "server_fixture.h"
#include "streams.h"

/* Serves a few peers and stops with some of them connected, a message half received, replies queued
 * and events held. */
static void serve_and_stop_in_the_middle(struct server_fixture *fixture)
{
    enum {
        PEERS = 12
    };
    struct peer peers[PEERS];
    static const uint8_t half[2] = {0, 0};
    fixture_start(fixture);
    fixture->keep = false;
    for (uint32_t i = 0; i < PEERS; i++) {
        fixture_connect(fixture, &peers[i]);
        fixture_expect_echo(fixture, &peers[i], "served", 6);
    }
    fixture->keep = true;
    for (uint32_t i = 0; i < PEERS; i++) {
        assert_true(peer_send_frame(&peers[i], "held", 4, test_deadline_ms()));
        if (i % 3 == 0) {
            (void)peer_send(&peers[i], half, sizeof(half));
        } else if (i % 3 == 1) {
            peer_reset(&peers[i]);
        }
    }
    (void)fixture_turn(fixture, 20);
    fixture_stop(fixture);
    for (uint32_t i = 0; i < PEERS; i++) {
        if (peers[i].descriptor >= 0) {
            assert_int_not_equal(peer_await_end(&peers[i], test_deadline_ms()), PEER_WOULD_BLOCK);
            peer_close(&peers[i]);
        }
    }
    /* Begun anew, so that the journal itself does not grow from round to round. */
    journal_destroy(&fixture->journal);
    journal_init(&fixture->journal);
}

static uint32_t threads_at_rest; /* without a server */

static void start_and_stop_many_times(struct server_fixture *fixture)
{
    /* The first rounds fill what the C library keeps. */
    for (uint32_t i = 0; i < 5; i++) {
        serve_and_stop_in_the_middle(fixture);
    }
    uint32_t descriptors = process_descriptors();
    size_t memory = process_memory_bytes();
    uint32_t rounds = test_scaled(50);
    for (uint32_t i = 0; i < rounds; i++) {
        serve_and_stop_in_the_middle(fixture);
        assert_int_equal(process_descriptors(), descriptors);
        assert_true(process_await_threads(threads_at_rest));
    }
    size_t grown = process_memory_bytes() - memory;
    printf("%" PRIu32 " rounds: %" PRIu32 " descriptors, %" PRIu32 " threads, memory %+ld KiB\n",
           rounds, descriptors, threads_at_rest, (long)grown / 1024);
    /* A leak of one page a round would be 200 KiB. Sanitizers keep freed memory back, so there the
     * number means nothing. */
    if (!TEST_SANITIZED) {
        assert_true((long)grown < 100 * 1024);
    }
}

static void fifty_starts_and_stops_leave_nothing_behind(void **state)
{
    start_and_stop_many_times(*state);
}

static void fifty_starts_and_stops_with_four_threads_leave_nothing_behind(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.io_threads = 4;
    start_and_stop_many_times(fixture);
}

static void a_start_that_fails_leaves_nothing_behind(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_error error;
    uint32_t descriptors = process_descriptors();
    fixture->options.listen[0] = "tcp://127.0.0.1:0";
    fixture->options.listen[1] = "tcp://192.0.2.1:0"; /* nobody has it: the second listener fails */
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(fixture_start_refused(fixture, &error), THRONG_EADDRNOTAVAIL);
    }
    assert_int_equal(process_descriptors(), descriptors);
    assert_true(process_await_threads(threads_at_rest));
}

static void stop_right_after_start_is_fine(void **state)
{
    struct server_fixture *fixture = *state;
    for (uint32_t i = 0; i < test_scaled(200); i++) {
        fixture_start(fixture);
        fixture_stop(fixture);
    }
    throng_server_stop(NULL);
}

static void stop_in_the_middle_of_a_drain_is_fine(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    fixture_start(fixture);
    (void)fixture_open(fixture, &peer);
    throng_server_drain(fixture->server, 60000);
    (void)fixture_turn(fixture, 1);
    fixture_stop(fixture);
    peer_close(&peer);
}

/* A server of its own beside the fixture's, turned by hand. */
static void echo_all(struct throng_server *server)
{
    struct throng_event event;
    while (throng_get_event(server, &event, 0) == 1) {
        if (event.type == THRONG_EVENT_MESSAGE) {
            assert_int_equal(throng_write_data(server, event.conn, event.data, event.size), 0);
        }
        throng_release_event(server, &event);
    }
}

static void two_servers_in_one_process_do_not_meet(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_server *other = NULL;
    struct throng_address address;
    struct peer other_peer;
    fixture_start(fixture);
    assert_int_equal(throng_server_start(&other, &fixture->options, NULL), 0);
    assert_int_equal(throng_server_listen_address(other, 0, &address), 0);
    assert_true(peer_connect(&other_peer, &address, NULL));
    for (uint32_t i = 0; i < 20; i++) {
        struct peer peer;
        char text[4] = {0};
        fixture_connect(fixture, &peer);
        fixture_expect_echo(fixture, &peer, "one", 3);
        assert_true(peer_send_frame(&other_peer, "two", 3, test_deadline_ms()));
        int64_t deadline_ms = test_now_ms() + test_deadline_ms();
        ptrdiff_t got;
        do {
            echo_all(other);
            got = peer_receive_frame(&other_peer, text, sizeof(text), 1);
        } while (got == PEER_WOULD_BLOCK && test_now_ms() < deadline_ms);
        assert_int_equal(got, 3);
        assert_string_equal(text, "two");
        peer_close(&peer);
    }
    throng_server_stop(other);
    peer_close(&other_peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.opened, 20);
}

/* A blocking client of ours on its own thread. */
struct client_run {
    char endpoint[THRONG_ADDRESS_TEXT_SIZE];
    struct throng_server *server;
    uint32_t rounds;
    int result; /* 0, or the first error */
};

static _Atomic uint32_t clients_done;

static int talk(struct client_run *run, struct throng_tcp *tcp)
{
    for (uint32_t i = 0; i < run->rounds; i++) {
        uint32_t reply = 0;
        int result = throng_tcp_write(tcp, &i, sizeof(i), test_deadline_ms());
        if (result != 0) {
            return result;
        }
        int64_t size = throng_tcp_read(tcp, &reply, sizeof(reply), test_deadline_ms());
        if (size != sizeof(reply) || reply != i) {
            return size < 0 ? (int)size : THRONG_EPROTOCOL;
        }
    }
    return 0;
}

static void run_client(void *argument)
{
    struct client_run *run = argument;
    struct throng_tcp *tcp = NULL;
    run->result = throng_tcp_connect(&tcp, run->endpoint, NULL, test_deadline_ms(), NULL);
    if (run->result == 0) {
        run->result = talk(run, tcp);
        throng_tcp_close(tcp);
    }
    atomic_fetch_add(&clients_done, 1);
    throng_server_wake(run->server);
}

static void a_server_and_clients_of_ours_live_in_one_process(void **state)
{
    enum {
        CLIENTS = 4
    };
    struct server_fixture *fixture = *state;
    struct client_run runs[CLIENTS];
    struct test_thread threads[CLIENTS];
    fixture_start(fixture);
    atomic_store(&clients_done, 0);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        runs[i].rounds = test_scaled(500);
        runs[i].server = fixture->server;
        (void)throng_address_text(&fixture->address, runs[i].endpoint);
        assert_true(test_thread_start(&threads[i], run_client, &runs[i]));
    }
    while (atomic_load(&clients_done) < CLIENTS) {
        (void)fixture_turn(fixture, -1);
    }
    for (uint32_t i = 0; i < CLIENTS; i++) {
        assert_true(test_thread_join(&threads[i]));
        assert_int_equal(runs[i].result, 0);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.messages, CLIENTS * test_scaled(500));
}

/* Everything that might make a library talk: refusals, lies, resets, a failed start. */
static void misbehave(void *context)
{
    struct server_fixture *fixture = context;
    struct peer peers[4];
    fixture->options.max_connections = 2;
    fixture->options.log = NULL;
    fixture_start(fixture);
    for (uint32_t i = 0; i < 4; i++) {
        fixture_connect(fixture, &peers[i]);
        fixture_turn_for(fixture, 5);
    }
    (void)peer_send(&peers[0], "\xff\xff\xff\xff", 4);
    fixture_turn_for(fixture, 5);
    peer_reset(&peers[1]);
    for (uint32_t i = 0; i < 4; i++) {
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
    fixture_stop(fixture);
    struct throng_server *none = NULL;
    fixture->options.listen[0] = "nonsense";
    (void)throng_server_start(&none, &fixture->options, NULL);
}

static void the_library_says_nothing_on_the_standard_streams(void **state)
{
    assert_int_equal(test_streams_said(misbehave, *state), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(fifty_starts_and_stops_leave_nothing_behind),
        cmocka_unit_test(fifty_starts_and_stops_with_four_threads_leave_nothing_behind),
        cmocka_unit_test(a_start_that_fails_leaves_nothing_behind),
        cmocka_unit_test(stop_right_after_start_is_fine),
        cmocka_unit_test(stop_in_the_middle_of_a_drain_is_fine),
        cmocka_unit_test(two_servers_in_one_process_do_not_meet),
        cmocka_unit_test(a_server_and_clients_of_ours_live_in_one_process),
        cmocka_unit_test(the_library_says_nothing_on_the_standard_streams),
    };
    threads_at_rest = process_threads_at_rest();
    return fixture_run_tests("server_life", tests, sizeof(tests) / sizeof(tests[0]));
}
