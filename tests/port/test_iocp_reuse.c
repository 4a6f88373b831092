/* SPDX-License-Identifier: MIT
 * Sockets that the IOCP backend accepts on again (reuse_sockets): which ones, and which not. */
#include "test_iocp.h"

#include <string.h>

static struct fixture fixture;
static struct tg_stream stream;

static void open_reusing(void)
{
    struct fixture_options options = fixture_defaults;
    options.reuse_sockets = true;
    iocp_open(&fixture, &options);
}

static uint32_t count_calls(char call)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < system_seen.call_count; i++) {
        count += system_seen.calls[i] == call;
    }
    return count;
}

/* As far as Wine goes: the socket comes again, but would receive nothing. */
static void a_used_socket_is_accepted_on_again_if_asked_for(void **state)
{
    (void)state;
    open_reusing();
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_handle first = stream.handle;
    tg_socket_close(peer);
    tg_port_receive(fixture.port, &stream);
    assert_int_equal(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &stream).result, 0);
    fixture_close_stream(&fixture, &stream);
    peer = fixture_pair(&fixture, &stream);
    assert_int_equal(stream.handle, first);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* It would wait for the peer's end, and then for a TIME_WAIT. */
static void a_socket_whose_peer_has_not_ended_is_not_used_again(void **state)
{
    (void)state;
    open_reusing();
    tg_socket peer = fixture_pair(&fixture, &stream);
    uint32_t closed = count_calls('x');
    fixture_close_stream(&fixture, &stream);
    assert_int_equal(count_calls('x'), closed + 1);
    assert_int_equal(peer_receive_any(peer), THRONG_EEOF);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

/* With the whole pool in flight there is room for sockets that come back. */
static void a_used_socket_finds_room_beside_a_full_pool(void **state)
{
    (void)state;
    open_reusing();
    tg_port_accept(fixture.port, &fixture.listener, UINT32_MAX);
    tg_socket peer = peer_connect(&fixture.address);
    struct tg_completion accepted = fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
    memset(&stream, 0, sizeof stream);
    assert_int_equal(tg_port_adopt(fixture.port, &stream, accepted.accepted), 0);
    tg_port_receive(fixture.port, &stream);
    tg_socket_close(peer);
    assert_int_equal(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &stream).result, 0);
    uint32_t closed = count_calls('x');
    fixture_close_stream(&fixture, &stream);
    assert_int_equal(count_calls('x'), closed);
    fixture_close(&fixture);
}

static void a_connection_that_was_reset_takes_its_socket_with_it(void **state)
{
    (void)state;
    open_reusing();
    tg_socket peer = fixture_pair(&fixture, &stream);
    system_seen.call_count = 0;
    memset(system_seen.calls, 0, sizeof system_seen.calls);
    tg_port_close(fixture.port, &stream, TG_CLOSE_ABORT);
    (void)fixture_take(&fixture, TG_COMPLETION_CLOSE, &stream);
    assert_string_equal(system_seen.calls, "x");
    assert_int_equal(peer_receive_any(peer), THRONG_ECONNRESET);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

int run_iocp_reuse_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_used_socket_is_accepted_on_again_if_asked_for),
        cmocka_unit_test(a_socket_whose_peer_has_not_ended_is_not_used_again),
        cmocka_unit_test(a_used_socket_finds_room_beside_a_full_pool),
        cmocka_unit_test(a_connection_that_was_reset_takes_its_socket_with_it),
    };
    return cmocka_run_group_tests_name("port: sockets used again by iocp", tests, NULL, NULL);
}
