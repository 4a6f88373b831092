/* SPDX-License-Identifier: MIT
 * Thousands of connections that come and end at once: what that leaves in the server, in its log,
 * and in the system, and that a restart does not wait for it. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "server_fixture.h"
#include "system_sockets.h"

/* Sockets in TIME_WAIT whose own address is the server's. */
static uint32_t count_time_wait(const struct throng_address *address)
{
    int count = system_sockets_count(address, SYSTEM_SOCKET_TIME_WAIT, 0, NULL);
    if (count < 0) {
        print_message("skipped: this system does not tell its sockets (sock_diag)\n");
        skip();
    }
    return (uint32_t)count;
}

/* On an address of this process alone: a port's number may also be that of some client of another
 * test. */
static void start_alone(struct server_fixture *fixture, char endpoint[64], uint16_t port)
{
    unsigned number = (unsigned)getpid();
    (void)snprintf(endpoint, 64, "tcp://127.77.%u.%u:%u", number >> 8 & 255, number & 255, port);
    fixture->options.listen[0] = endpoint;
    fixture_start(fixture);
}

static void expect_echo_of_a_new_peer(struct server_fixture *fixture)
{
    struct peer peer;
    fixture_connect(fixture, &peer);
    fixture_expect_echo(fixture, &peer, "still here", 10);
    peer_close(&peer);
}

/* 21,000 in all seven modes together. */
static void three_thousand_resets_are_counted_and_not_a_line_is_logged(void **state)
{
    struct server_fixture *fixture = *state;
    uint32_t rounds = test_scaled(3000);
    fixture->options.max_connections = 4096; /* a slot for each, however late the server is */
    fixture_start(fixture);
    fixture->log_lines = 0;
    for (uint32_t i = 0; i < rounds; i++) {
        struct peer peer;
        fixture_connect(fixture, &peer);
        if (i % 4 == 3) {
            (void)peer_send(&peer, "\0\0\0\1a", 5);
        }
        peer_reset(&peer);
        if (i % 64 == 0) { /* else they pile up in the backlog */
            (void)fixture_turn(fixture, 0);
        }
    }
    expect_echo_of_a_new_peer(fixture);
    fixture_expect_settled(fixture);
    struct throng_counters counters = fixture_counters(fixture);
    assert_int_equal(counters.accepted + counters.accepts_dead, rounds + 1);
    assert_int_equal(counters.closed, counters.accepted);
    assert_int_equal(counters.refused + counters.accept_pauses, 0);
    assert_int_equal(fixture->journal.opened, fixture->journal.closed);
    if (fixture->log_lines != 0) {
        fail_msg("%" PRIu32 " log lines, the last: %s", fixture->log_lines, fixture->log_last);
    }
}

static void a_client_that_closes_first_leaves_no_time_wait_at_the_server(void **state)
{
    struct server_fixture *fixture = *state;
    uint32_t rounds = test_scaled(1000);
    char endpoint[64];
    start_alone(fixture, endpoint, 0);
    for (uint32_t i = 0; i < rounds; i++) {
        struct peer peer;
        fixture_connect(fixture, &peer);
        if (i % 2 == 0) {
            peer_finish(&peer);
            fixture_expect_end(fixture, &peer);
        }
        peer_close(&peer);
        (void)fixture_turn(fixture, 0);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(count_time_wait(&fixture->address), 0);
}

static void an_abort_leaves_no_time_wait(void **state)
{
    struct server_fixture *fixture = *state;
    char endpoint[64];
    start_alone(fixture, endpoint, 0);
    for (uint32_t i = 0; i < 200; i++) {
        struct peer peer;
        assert_int_equal(throng_abort(fixture->server, fixture_open(fixture, &peer)), 0);
        fixture_expect_reset(fixture, &peer);
        peer_close(&peer);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(count_time_wait(&fixture->address), 0);
}

#define TOGETHER 50u

static void close_many(struct server_fixture *fixture)
{
    static struct peer peers[TOGETHER];
    for (uint32_t i = 0; i < TOGETHER; i++) {
        throng_conn conn = fixture_open(fixture, &peers[i]);
        assert_int_equal(throng_close(fixture->server, conn), 0);
        journal_note_closing(&fixture->journal, conn);
    }
    for (uint32_t i = 0; i < TOGETHER; i++) {
        fixture_expect_end(fixture, &peers[i]);
        peer_close(&peers[i]);
    }
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).slots_taken == 0);
}

/* Whoever ends its direction first is in TIME_WAIT in the end (RFC 9293, 3.3.2), also a server that
 * waits for the client's end before it closes: the system has forgotten the socket by then and
 * remembers its name for a minute. That costs no slot and no descriptor, and no restart has to wait
 * for it. */
static void a_restart_does_not_wait_for_a_thousand_time_waits(void **state)
{
    struct server_fixture *fixture = *state;
    uint32_t rounds = test_scaled(1000 / TOGETHER);
    char endpoint[64];
    fixture->options.max_connections = TOGETHER; /* the slots are free again at once */
    start_alone(fixture, endpoint, 0);
    for (uint32_t i = 0; i < rounds; i++) {
        close_many(fixture);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture_counters(fixture).refused, 0);
    assert_true(count_time_wait(&fixture->address) > 0);
    uint16_t port = fixture->address.port;
    fixture_stop(fixture);
    start_alone(fixture, endpoint, port);
    assert_int_equal(fixture->address.port, port);
    expect_echo_of_a_new_peer(fixture);
    fixture_expect_settled(fixture);
    assert_true(count_time_wait(&fixture->address) > 0); /* they were there all the time */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_thousand_resets_are_counted_and_not_a_line_is_logged),
        cmocka_unit_test(a_client_that_closes_first_leaves_no_time_wait_at_the_server),
        cmocka_unit_test(an_abort_leaves_no_time_wait),
        cmocka_unit_test(a_restart_does_not_wait_for_a_thousand_time_waits),
    };
    return fixture_run_tests("server_churn", tests, sizeof(tests) / sizeof(tests[0]));
}
