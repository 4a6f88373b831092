/* SPDX-License-Identifier: MIT
 * What only the IOCP backend promises: its pool of accepts, zero-byte receives, both ways of
 * telling a success, the order of a close, and shortages of the system's. */
#include "fixture.h"

#include <string.h>

#include "suite.h"
#include "system.windows.h"

/* NTSTATUS values, by which accepts end that were not successful. */
#define STATUS_CONNECTION_RESET_ (-1073741299L)    /* 0xC000020D */
#define STATUS_HOST_UNREACHABLE_ (-1073741251L)    /* 0xC000023D */
#define STATUS_IO_TIMEOUT_ (-1073741643L)          /* 0xC00000B5 */
#define STATUS_CONNECTION_ABORTED_ (-1073741247L)  /* 0xC0000241 */
#define STATUS_NO_RESOURCES_ (-1073741670L)        /* 0xC000009A */
#define STATUS_CANCELLED_ (-1073741536L)           /* 0xC0000120 */
#define STATUS_GRACEFUL_DISCONNECT_ (-1073741257L) /* 0xC0000237 */

/* Errors of calls. */
#define WSAEFAULT_ 10014
#define WSAEWOULDBLOCK_ 10035
#define WSAECONNRESET_ 10054
#define WSAENOBUFS_ 10055

#define POOL 32 /* as the fixture has it */

static struct fixture fixture;
static struct tg_stream stream;
static uint8_t data[TG_GATHER_MAX * 512];

static void open_fixture(void)
{
    system_reset();
    system_seen.accepts_in_flight = 0;
    fixture_open(&fixture, NULL);
}

/* --- the pool of accepts ------------------------------------------------------------------------
 */

static void the_pool_is_posted_ahead_and_never_above_the_credit(void **state)
{
    (void)state;
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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

/* Wine gives an accepted socket the options of its listener, as Linux does; Windows those that it was made
 * with. */
static void sockets_made_ahead_get_the_keepalive_of_their_port(void **state)
{
    struct fixture_options options = fixture_defaults;
    (void)state;
    open_fixture();
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

/* --- receiving ----------------------------------------------------------------------------------
 */

static void an_idle_stream_gives_the_system_no_byte_of_memory(void **state)
{
    (void)state;
    open_fixture();
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
    open_fixture();
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
    open_fixture();
    tg_socket peer = fixture_pair(&fixture, &stream);
    system_faults.receive_status = STATUS_NO_RESOURCES_;
    system_faults.receive_statuses = 1;
    expect_byte_and_end(peer);
}

/* Of an overlapped call it says that too many are in flight. */
static void a_receive_that_would_block_goes_on_after_a_rest(void **state)
{
    (void)state;
    open_fixture();
    tg_socket peer = fixture_pair(&fixture, &stream);
    system_faults.receive_failures = 2;
    system_faults.receive_error = WSAEWOULDBLOCK_;
    expect_byte_and_end(peer);
}

static void a_graceful_disconnect_is_an_end(void **state)
{
    (void)state;
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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

/* --- sending ------------------------------------------------------------------------------------
 */

static void sixty_four_blocks_go_out_in_one_call(void **state)
{
    uint8_t got[sizeof data];
    struct tg_slice slices[TG_GATHER_MAX];
    (void)state;
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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
    open_fixture();
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

/* --- sockets used again -------------------------------------------------------------------------
 */

static void open_reusing(void)
{
    struct fixture_options options = fixture_defaults;
    options.reuse_sockets = true;
    system_reset();
    system_seen.accepts_in_flight = 0;
    fixture_open(&fixture, &options);
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

/* --- connecting, closing, waking
 * ------------------------------------------------------------------ */

static void a_connect_that_fails_at_once_leaves_the_record_unused(void **state)
{
    (void)state;
    open_fixture();
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
    open_fixture();
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
    open_fixture();
    system_faults.post_failures = 3;
    tg_port_prepare_wait(fixture.port);
    tg_port_wake(fixture.port);
    assert_int_equal(system_faults.post_failures, 0);
    assert_int_equal(tg_port_wait(fixture.port, &completion, 1, INT64_C(20000000000)), 0);
    fixture_close(&fixture);
}

int run_iocp_tests(void)
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
        cmocka_unit_test(a_used_socket_is_accepted_on_again_if_asked_for),
        cmocka_unit_test(a_socket_whose_peer_has_not_ended_is_not_used_again),
        cmocka_unit_test(a_used_socket_finds_room_beside_a_full_pool),
        cmocka_unit_test(a_connection_that_was_reset_takes_its_socket_with_it),
        cmocka_unit_test(a_connect_that_fails_at_once_leaves_the_record_unused),
        cmocka_unit_test(a_close_gives_up_what_is_in_flight_before_the_socket_goes),
        cmocka_unit_test(a_wake_outlasts_a_shortage_of_the_systems_memory),
    };
    return cmocka_run_group_tests_name("port: only iocp", tests, NULL, NULL);
}
