/* SPDX-License-Identifier: MIT
 * What only the IOCP backend promises of a stream: zero-byte receives, both ways of telling a
 * success, the order of a close, and that shortages of the system's pass. */
#include "test_iocp.h"

#include <string.h>

static struct fixture fixture;
static struct tg_stream stream;
static uint8_t data[TG_GATHER_MAX * 512];

/* --- receiving -------------------------------------------------------------------------------- */

static void an_idle_stream_gives_the_system_no_byte_of_memory(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    fixture_pump(&fixture, 0);
    assert_int_equal(tg_index_stack_count(&fixture.pool.free), fixture.options.buffers);
    for (int i = 0; i < 10; i++) {
        uint8_t byte;
        peer_send(peer, "x", 1);
        fixture_read(&fixture, &stream, &byte, 1);
    }
    assert_true(system_seen.receives >= 10);
    assert_int_equal(system_seen.receive_bytes, 0);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void a_receive_that_meets_a_shortage_goes_on_after_a_rest(void **state)
{
    uint8_t byte;
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    system_faults.receive_failures = 3;
    system_faults.receive_error = WSAENOBUFS_;
    tg_port_receive(fixture.port, &stream);
    peer_send(peer, "x", 1);
    fixture_read(&fixture, &stream, &byte, 1);
    assert_int_equal(system_faults.receive_failures, 0);
    assert_int_equal(byte, 'x');
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* A stream of the fixture's receives a byte and the peer's end; `disturb` has been set up before.
 */
static void expect_byte_and_end(tg_socket peer)
{
    uint8_t byte;
    tg_port_receive(fixture.port, &stream);
    peer_send(peer, "x", 1);
    fixture_read(&fixture, &stream, &byte, 1);
    fixture_settle(&fixture);
    tg_socket_close(peer);
    assert_int_equal(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &stream).result, 0);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* The shortage is told by the packet. The end that comes later is an end. */
static void a_receive_that_completes_with_a_shortage_goes_on_too(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    system_faults.receive_status = STATUS_NO_RESOURCES_;
    system_faults.receive_statuses = 1;
    expect_byte_and_end(peer);
}

/* Of an overlapped call it says that too many are in flight. */
static void a_receive_that_would_block_goes_on_after_a_rest(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    system_faults.receive_failures = 2;
    system_faults.receive_error = WSAEWOULDBLOCK_;
    expect_byte_and_end(peer);
}

static void a_graceful_disconnect_is_an_end(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    system_faults.receive_status = STATUS_GRACEFUL_DISCONNECT_;
    system_faults.receive_statuses = 1;
    tg_port_receive(fixture.port, &stream);
    fixture_pump(&fixture, 0);
    tg_socket_close(peer);
    assert_int_equal(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &stream).result, 0);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* An error of which nothing is known ends the stream; it is not asked again and again. */
static void an_unknown_error_of_a_receive_ends_the_stream(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    system_faults.receive_failures = 1000000;
    system_faults.receive_error = WSAEFAULT_;
    tg_port_receive(fixture.port, &stream);
    assert_int_equal(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &stream).result, THRONG_ESYSTEM);
    assert_true(system_faults.receive_failures >= 999999);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* Paused and closed while its receive is owed: nothing may touch it later. */
static void a_stream_may_close_while_a_shortage_keeps_it_from_receiving(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    system_faults.receive_failures = 1000;
    system_faults.receive_error = WSAENOBUFS_;
    tg_port_receive(fixture.port, &stream);
    while (system_faults.receive_failures == 999) {
        fixture_pump(&fixture, 0);
    }
    /* It was just tried again: the next try is a rest away, and finds the stream closed. */
    tg_port_pause(fixture.port, &stream);
    fixture_close_stream(&fixture, &stream);
    memset(&stream, 0xAA, sizeof stream);
    system_reset();
    fixture_expect_sleep(&fixture);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

/* --- sending ---------------------------------------------------------------------------------- */

static void sixty_four_blocks_go_out_in_one_call(void **state)
{
    uint8_t got[sizeof data];
    struct tg_slice slices[TG_GATHER_MAX];
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    pattern_fill(data, 0, sizeof data);
    for (size_t i = 0; i < TG_GATHER_MAX; i++) {
        slices[i] = (struct tg_slice){.data = data + i * 512, .size = 512};
    }
    int sent = tg_port_send(fixture.port, &stream, slices, TG_GATHER_MAX);
    if (sent == TG_PORT_PENDING) {
        sent = fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result;
    }
    assert_int_equal(sent, sizeof data);
    assert_int_equal(system_seen.sends, 1);
    assert_int_equal(system_seen.send_buffers_most, 64);
    peer_receive(peer, got, sizeof got);
    assert_memory_equal(got, data, sizeof got);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* One that does not fit says nothing of what the peer takes until all of it was taken. */
static void a_long_send_is_cut_so_that_progress_is_seen(void **state)
{
    static const uint8_t bytes[1000000];
    const struct tg_slice slices[2] = {{.data = bytes, .size = 20000},
                                       {.data = bytes, .size = sizeof bytes}};
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    for (int i = 0; i < 100; i++) {
        int sent = tg_port_send(fixture.port, &stream, slices, 2);
        peer_receive(peer, data, 32768);
        if (sent == TG_PORT_PENDING) {
            sent = fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result;
        }
        assert_int_equal(sent, 32768);
    }
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void a_send_that_meets_a_shortage_loses_nothing(void **state)
{
    uint8_t got[1000];
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    system_faults.send_shortages = 3;
    pattern_fill(data, 0, sizeof got);
    fixture_send(&fixture, &stream, data, sizeof got);
    assert_int_equal(system_faults.send_shortages, 0);
    peer_receive(peer, got, sizeof got);
    assert_memory_equal(got, data, sizeof got);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void a_shortage_is_not_asked_again_at_once(void **state)
{
    struct tg_slice slice = {.data = data, .size = 100};
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    system_faults.send_shortages = 1;
    uint64_t begin_ms = now_ms();
    assert_int_equal(tg_port_send(fixture.port, &stream, &slice, 1), TG_PORT_PENDING);
    assert_int_equal(fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result, 0);
    assert_true(now_ms() >= begin_ms + 9);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void a_send_in_a_shortage_is_canceled_by_the_close(void **state)
{
    struct tg_slice slice = {.data = data, .size = 100};
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    system_faults.send_shortages = 1000;
    assert_int_equal(tg_port_send(fixture.port, &stream, &slice, 1), TG_PORT_PENDING);
    tg_port_close(fixture.port, &stream, TG_CLOSE_ABORT);
    assert_int_equal(fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result, THRONG_ECANCELED);
    (void)fixture_take(&fixture, TG_COMPLETION_CLOSE, &stream);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

/* The suite runs in both modes; this says that it does. */
static void a_success_is_told_once_in_either_mode(void **state)
{
    struct tg_slice slice = {.data = data, .size = 100};
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    assert_true(system_seen.skips >= 1);
    int sent = tg_port_send(fixture.port, &stream, &slice, 1);
    assert_int_equal(sent, system_faults.refuses_skip ? TG_PORT_PENDING : 100);
    fixture_settle(&fixture);
    assert_int_equal(fixture_has(&fixture, TG_COMPLETION_SEND, &stream),
                     system_faults.refuses_skip);
    if (system_faults.refuses_skip) {
        assert_int_equal(fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result, 100);
    }
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* A layered service provider's sockets are no file handles: then nothing is skipped. */
static void sockets_that_are_no_file_handles_tell_each_success(void **state)
{
    struct tg_slice slice = {.data = data, .size = 100};
    (void)state;
    system_reset();
    system_faults.has_no_file_handles = true;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    assert_int_equal(system_seen.skips, 0);
    assert_int_equal(tg_port_send(fixture.port, &stream, &slice, 1), TG_PORT_PENDING);
    assert_int_equal(fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result, 100);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* --- connecting, closing, waking
 * --------------------------------------------------------------- */

static void a_connect_that_fails_at_once_leaves_the_record_unused(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    system_faults.connect_failures = 1;
    memset(&stream, 0, sizeof stream);
    assert_int_equal(tg_port_connect(fixture.port, &stream, &fixture.address, NULL),
                     THRONG_EUNREACHABLE);
    assert_int_equal(stream.flags, 0);
    fixture_close(&fixture);
}

/* closesocket with a receive in flight is a reset on Windows and a FIN under Wine. */
static void a_close_gives_up_what_is_in_flight_before_the_socket_goes(void **state)
{
    (void)state;
    iocp_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    fixture_pump(&fixture, 0);
    memset(system_seen.calls, 0, sizeof system_seen.calls);
    system_seen.call_count = 0;
    fixture_close_stream(&fixture, &stream);
    assert_string_equal(system_seen.calls, "scpx"); /* FIN, cancel, the receive's packet, the end */
    assert_int_equal(peer_receive_any(peer), THRONG_EEOF);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

static void a_wake_outlasts_a_shortage_of_the_systems_memory(void **state)
{
    struct tg_completion completion;
    (void)state;
    iocp_open(&fixture, NULL);
    system_faults.post_failures = 3;
    tg_port_prepare_wait(fixture.port);
    tg_port_wake(fixture.port);
    assert_int_equal(system_faults.post_failures, 0);
    assert_int_equal(tg_port_wait(fixture.port, &completion, 1, INT64_C(20000000000)), 0);
    fixture_close(&fixture);
}

int run_iocp_stream_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_stream_gives_the_system_no_byte_of_memory),
        cmocka_unit_test(a_receive_that_meets_a_shortage_goes_on_after_a_rest),
        cmocka_unit_test(a_receive_that_completes_with_a_shortage_goes_on_too),
        cmocka_unit_test(a_receive_that_would_block_goes_on_after_a_rest),
        cmocka_unit_test(a_graceful_disconnect_is_an_end),
        cmocka_unit_test(an_unknown_error_of_a_receive_ends_the_stream),
        cmocka_unit_test(a_stream_may_close_while_a_shortage_keeps_it_from_receiving),
        cmocka_unit_test(sixty_four_blocks_go_out_in_one_call),
        cmocka_unit_test(a_long_send_is_cut_so_that_progress_is_seen),
        cmocka_unit_test(a_send_that_meets_a_shortage_loses_nothing),
        cmocka_unit_test(a_shortage_is_not_asked_again_at_once),
        cmocka_unit_test(a_send_in_a_shortage_is_canceled_by_the_close),
        cmocka_unit_test(a_success_is_told_once_in_either_mode),
        cmocka_unit_test(sockets_that_are_no_file_handles_tell_each_success),
        cmocka_unit_test(a_connect_that_fails_at_once_leaves_the_record_unused),
        cmocka_unit_test(a_close_gives_up_what_is_in_flight_before_the_socket_goes),
        cmocka_unit_test(a_wake_outlasts_a_shortage_of_the_systems_memory),
    };
    return cmocka_run_group_tests_name("port: streams of iocp", tests, NULL, NULL);
}
