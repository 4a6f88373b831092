/* SPDX-License-Identifier: MIT
 * What only the IOCP backend promises of accepting: its pool of accepts is as large as the credit
 * allows, however accepts end, and what was made ahead is made right. */
#include "test_iocp.h"

#include <string.h>

#define POOL 32 /* as the fixture has it */

static struct fixture fixture;
static struct tg_stream stream;

static void the_pool_is_posted_ahead_and_never_above_the_credit(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    assert_int_equal(system_seen.accepts_in_flight, 0);
    tg_port_accept(fixture.port, &fixture.listener, 3);
    assert_int_equal(system_seen.accepts_in_flight, 3);
    tg_port_accept(fixture.port, &fixture.listener, 100000);
    assert_int_equal(system_seen.accepts_in_flight, POOL);
    assert_int_equal(system_seen.accepts_most, POOL);
    tg_port_accept(fixture.port, &fixture.listener, 0);
    for (int i = 0; i < 100 && system_seen.accepts_in_flight > 0; i++) {
        fixture_pump(&fixture, 10);
    }
    assert_int_equal(system_seen.accepts_in_flight, 0);
    fixture_close(&fixture);
}

/* Somebody holds Ctrl+R: connect, reset, connect. */
static void connects_and_resets_leave_the_pool_as_it_was(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    tg_port_accept(fixture.port, &fixture.listener, UINT32_MAX);
    int rounds = (int)test_scaled(1000);
    for (int i = 0; i < rounds; i++) {
        tg_socket_abort(peer_connect(&fixture.address));
        fixture_pump(&fixture, 0);
        assert_int_equal(system_seen.accepts_in_flight, POOL);
        while (fixture_has(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener)) {
            struct tg_completion accepted =
                fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
            assert_int_equal(accepted.result, 0);
            tg_port_refuse(fixture.port, accepted.accepted);
        }
    }
    assert_int_equal(fixture_counter(&fixture.port->counters.accept_pauses), 0);
    fixture_settle(&fixture);
    fixture_close(&fixture);
}

/* Whatever an accept ends with, it says nothing of the listener. */
static void an_accept_that_ends_badly_is_replaced_and_counted(void **state)
{
    static const long statuses[] = {STATUS_CONNECTION_RESET_, STATUS_HOST_UNREACHABLE_,
                                    STATUS_IO_TIMEOUT_, STATUS_CONNECTION_ABORTED_};
    (void)state;
    iocp_open(&fixture, NULL);
    tg_port_accept(fixture.port, &fixture.listener, UINT32_MAX);
    for (uint64_t i = 0; i < 4; i++) {
        system_faults.accept_status = statuses[i];
        system_faults.accept_statuses = 1;
        tg_socket peer = peer_connect(&fixture.address);
        while (fixture_counter(&fixture.port->counters.accepts_dead) == i) {
            assert_int_equal(fixture_pump(&fixture, DEADLINE_MS), 0); /* nobody hears of it */
        }
        assert_int_equal(system_seen.accepts_in_flight, POOL);
        tg_socket_close(peer);
    }
    assert_int_equal(fixture_counter(&fixture.port->counters.accepts_dead), 4);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void an_accept_call_that_fails_at_once_is_made_again(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    system_faults.accept_failures = 5;
    system_faults.accept_error = WSAECONNRESET_;
    tg_port_accept(fixture.port, &fixture.listener, UINT32_MAX);
    assert_int_equal(system_seen.accepts_in_flight, POOL);
    assert_int_equal(fixture_counter(&fixture.port->counters.accepts_dead), 5);
    fixture_close(&fixture);
}

/* One that fails for ever is no reason to spin: the caller is told, and may try later. */
static void accept_calls_that_always_fail_end_with_an_error(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    system_faults.accept_failures = 1000;
    system_faults.accept_error = WSAECONNRESET_;
    tg_port_accept(fixture.port, &fixture.listener, 5);
    struct tg_completion failed = fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
    assert_int_equal(failed.result, THRONG_ECONNRESET);
    fixture_expect_sleep(&fixture);
    system_reset();
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* socket() fails for a while: what could not be made then is made with the next accept. */
static void a_deficit_of_the_pool_is_made_good(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    tg_port_accept(fixture.port, &fixture.listener, 2);
    system_faults.socket_failures = 1;
    tg_port_accept(fixture.port, &fixture.listener, UINT32_MAX);
    assert_int_equal(system_seen.accepts_in_flight, 2);
    tg_socket peer = peer_connect(&fixture.address);
    struct tg_completion accepted = fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
    assert_int_equal(accepted.result, 0);
    assert_int_equal(system_seen.accepts_in_flight, POOL);
    tg_port_refuse(fixture.port, accepted.accepted);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

static void with_no_socket_at_all_the_caller_is_told(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    system_faults.socket_failures = 2;
    tg_port_accept(fixture.port, &fixture.listener, 4);
    struct tg_completion failed = fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
    assert_int_equal(failed.result, THRONG_EMFILE);
    assert_int_equal(fixture_counter(&fixture.port->counters.accept_pauses), 1);
    fixture_expect_sleep(&fixture);
    tg_port_accept(fixture.port, &fixture.listener, 4);
    assert_int_equal(system_seen.accepts_in_flight, 4);
    fixture_close(&fixture);
}

/* The system takes no accept for want of memory: as if there were no socket. */
static void an_accept_that_ends_for_want_of_memory_stops_accepting(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    system_faults.accept_status = STATUS_NO_RESOURCES_;
    system_faults.accept_statuses = 1;
    tg_port_accept(fixture.port, &fixture.listener, 4);
    tg_socket peer = peer_connect(&fixture.address);
    struct tg_completion failed = fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
    assert_int_equal(failed.result, THRONG_ENOBUFS);
    tg_socket_close(peer);
    fixture_expect_sleep(&fixture);
    peer = fixture_pair(&fixture, &stream);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void an_accepted_socket_that_cannot_be_associated_is_reset(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    tg_port_accept(fixture.port, &fixture.listener, 1);
    tg_socket peer = peer_connect(&fixture.address);
    struct tg_completion accepted = fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
    system_faults.associate_failures = 1;
    memset(&stream, 0, sizeof stream);
    assert_int_equal(tg_port_adopt(fixture.port, &stream, accepted.accepted), THRONG_ENOBUFS);
    assert_int_equal(peer_receive_any(peer), THRONG_ECONNRESET);
    assert_int_equal(stream.flags, 0);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

/* Under Wine a connection works without that; on Windows it would have no peer and no shutdown. */
static void a_socket_made_ahead_is_told_what_it_has_become(void **state)
{
    struct tg_stream outgoing = {.flags = 0};
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    assert_int_equal(system_seen.accepts_updated, 1);
    assert_int_equal(tg_port_connect(fixture.port, &outgoing, &fixture.address, NULL),
                     TG_PORT_PENDING);
    assert_int_equal(fixture_take(&fixture, TG_COMPLETION_CONNECT, &outgoing).result, 0);
    assert_int_equal(system_seen.connects_updated, 1);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &outgoing);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* So that Windows sees whom to reset. */
static void a_connection_too_late_is_told_what_it_is_before_its_reset(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    tg_port_accept(fixture.port, &fixture.listener, 1);
    tg_socket peer = peer_connect(&fixture.address);
    tg_port_close_listener(fixture.port, &fixture.listener);
    fixture.listening = false;
    (void)fixture_take(&fixture, TG_COMPLETION_LISTENER_CLOSE, &fixture.listener);
    assert_int_equal(peer_receive_any(peer), THRONG_ECONNRESET);
    assert_int_equal(system_seen.accepts_updated, 1);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

/* Somebody else has canceled it: a filter, or a Windows that cancels too much. */
static void an_accept_that_nobody_canceled_is_replaced(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    tg_port_accept(fixture.port, &fixture.listener, UINT32_MAX);
    system_faults.accept_status = STATUS_CANCELLED_;
    system_faults.accept_statuses = 1;
    tg_socket peer = peer_connect(&fixture.address);
    while (system_faults.accept_statuses > 0) {
        assert_int_equal(fixture_pump(&fixture, DEADLINE_MS), 0);
    }
    assert_int_equal(system_seen.accepts_in_flight, POOL);
    assert_int_equal(fixture_counter(&fixture.port->counters.accepts_dead), 0);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

/* Under Wine the kernel does so by itself. */
static void sockets_made_ahead_get_the_buffers_of_their_listener(void **state)
{
    struct fixture_options options = fixture_defaults;
    (void)state;
    iocp_open(&fixture, NULL);
    tg_port_accept(fixture.port, &fixture.listener, 1);
    assert_int_equal(system_seen.send_buffers_set, 0);
    fixture_close(&fixture);
    options.send_bytes = 8192;
    fixture_open(&fixture, &options);
    system_seen.send_buffers_set = 0; /* the listener's own */
    tg_port_accept(fixture.port, &fixture.listener, 3);
    assert_int_equal(system_seen.send_buffers_set, 3);
    assert_int_equal(system_seen.receive_buffers_set, 0); /* whose tuning goes on */
    fixture_close(&fixture);
}

/* Wine gives an accepted socket the options of its listener, as Linux does; Windows those that it
 * was made with. */
static void sockets_made_ahead_get_the_keepalive_of_their_port(void **state)
{
    struct fixture_options options = fixture_defaults;
    (void)state;
    iocp_open(&fixture, NULL);
    tg_port_accept(fixture.port, &fixture.listener, 3);
    assert_int_equal(system_seen.keepalives_set, 0);
    fixture_close(&fixture);
    options.keepalive_s = 100;
    fixture_open(&fixture, &options);
    tg_port_accept(fixture.port, &fixture.listener, 3);
    assert_int_equal(system_seen.keepalives_set, 3);
    assert_int_equal(system_seen.keepalive_ms, 100000);
    fixture_close(&fixture);
}

int run_iocp_accept_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pool_is_posted_ahead_and_never_above_the_credit),
        cmocka_unit_test(connects_and_resets_leave_the_pool_as_it_was),
        cmocka_unit_test(an_accept_that_ends_badly_is_replaced_and_counted),
        cmocka_unit_test(an_accept_call_that_fails_at_once_is_made_again),
        cmocka_unit_test(accept_calls_that_always_fail_end_with_an_error),
        cmocka_unit_test(a_deficit_of_the_pool_is_made_good),
        cmocka_unit_test(with_no_socket_at_all_the_caller_is_told),
        cmocka_unit_test(an_accept_that_ends_for_want_of_memory_stops_accepting),
        cmocka_unit_test(an_accepted_socket_that_cannot_be_associated_is_reset),
        cmocka_unit_test(a_socket_made_ahead_is_told_what_it_has_become),
        cmocka_unit_test(a_connection_too_late_is_told_what_it_is_before_its_reset),
        cmocka_unit_test(an_accept_that_nobody_canceled_is_replaced),
        cmocka_unit_test(sockets_made_ahead_get_the_buffers_of_their_listener),
        cmocka_unit_test(sockets_made_ahead_get_the_keepalive_of_their_port),
    };
    return cmocka_run_group_tests_name("port: accepts of iocp", tests, NULL, NULL);
}
