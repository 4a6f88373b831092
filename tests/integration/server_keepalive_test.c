/* SPDX-License-Identifier: MIT
 * TCP keepalive of accepted connections, as the system itself shows it: a connection that is silent
 * has a keepalive timer, which is due some time. */
#include "server_fixture.h"
#include "system_sockets.h"

/* Connects, lets it come to rest, and looks. */
static void open_and_look(struct server_fixture *fixture, struct system_socket *found)
{
    struct peer peer;
    struct throng_address address;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    (void)fixture_open(fixture, &peer);
    fixture_expect_echo(fixture, &peer, "quiet now", 9);
    peer_local_address(&peer, &address);
    *found = (struct system_socket){0};
    /* Until the answer is acknowledged, its retransmission has the timer: kind 1. */
    while (found->peer_port == 0 || found->timer == 1) {
        fixture_turn_towards(fixture, deadline_ms, "the connection at rest", __FILE__, __LINE__);
        if (system_sockets_count(&fixture->address, SYSTEM_SOCKET_ESTABLISHED, address.port,
                                 found) < 0) {
            print_message("skipped: this system does not tell its sockets (sock_diag)\n");
            skip();
        }
    }
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void a_silent_connection_is_asked_after_keepalive_s(void **state)
{
    struct server_fixture *fixture = *state;
    struct system_socket found;
    fixture->options.keepalive_s = 3000;
    fixture_start(fixture);
    open_and_look(fixture, &found);
    assert_int_equal(found.timer, SYSTEM_SOCKET_TIMER_KEEPALIVE);
    assert_in_range(found.due_ms, 2900000, 3000000);
}

static void nobody_is_asked_if_keepalive_is_off(void **state)
{
    struct server_fixture *fixture = *state;
    struct system_socket found;
    fixture->options.keepalive_s = THRONG_OFF;
    fixture_start(fixture);
    open_and_look(fixture, &found);
    assert_int_not_equal(found.timer, SYSTEM_SOCKET_TIMER_KEEPALIVE);
}

static void the_default_is_two_minutes(void **state)
{
    struct server_fixture *fixture = *state;
    struct system_socket found;
    fixture_start(fixture);
    open_and_look(fixture, &found);
    assert_int_equal(found.timer, SYSTEM_SOCKET_TIMER_KEEPALIVE);
    assert_in_range(found.due_ms, 60000, 120000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_connection_is_asked_after_keepalive_s),
        cmocka_unit_test(nobody_is_asked_if_keepalive_is_off),
        cmocka_unit_test(the_default_is_two_minutes),
    };
    return fixture_run_tests("server_keepalive", tests, sizeof(tests) / sizeof(tests[0]));
}
