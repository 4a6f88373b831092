/* SPDX-License-Identifier: MIT
 * The fixture of the port contract suite. */
#include "fixture.h"

#include <string.h>

#include "os/clock.h"
#include "os/memory.h"

/* Accepts in flight per listener, where sockets are made ahead. */
#define ACCEPT_POOL 32

const struct fixture_options fixture_defaults = {
    .buffer_bytes = 16384,
    .buffers = 16,
    .turn_bytes = 65536,
    .batch = 64,
};

const struct tg_port_backend *fixture_backend;
bool check_in_child;

void check_condition(bool holds, const char *condition, const char *file, int line)
{
    if (holds) {
        return;
    }
    if (check_in_child) {
        fprintf(stderr, "%s:%d: in a child process: %s\n", file, line, condition);
        _Exit(1);
    }
    print_error("%s\n", condition);
    _fail(file, line);
}

uint64_t now_ms(void)
{
    return tg_clock_ns() / 1000000;
}

uint64_t fixture_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* --- life ---------------------------------------------------------------------------------- */

static void open_pool(struct fixture *fixture)
{
    uint32_t count = fixture->options.buffers;
    uint32_t bytes = fixture->options.buffer_bytes;
    fixture->pool_memory = tg_memory_reserve((size_t)count * bytes);
    fixture->pool_tables = tg_memory_reserve(tg_recv_pool_table_bytes(count));
    CHECK(fixture->pool_memory != NULL && fixture->pool_tables != NULL);
    tg_recv_pool_init(&fixture->pool, fixture->pool_memory, bytes, count, fixture->pool_tables);
}

static void open_port(struct fixture *fixture)
{
    struct tg_port_options options = {
        .recv_pool = &fixture->pool,
        .turn_bytes = fixture->options.turn_bytes,
        .streams_max = 2048,
        .buffers_max = fixture->options.buffers,
        .listeners_max = 4,
        .accept_pool = ACCEPT_POOL,
        .reuse_sockets = fixture->options.reuse_sockets,
        .keepalive_s = fixture->options.keepalive_s,
        .acceptor = fixture->options.acceptor,
    };
    fixture->port_bytes = tg_port_memory_bytes(fixture_backend, &options);
    fixture->port_memory = tg_memory_reserve(fixture->port_bytes);
    CHECK(fixture->port_memory != NULL);
    options.memory = fixture->port_memory;
    CHECK(tg_port_open(&fixture->port, fixture_backend, &options) == 0);
}

static void open_listener(struct fixture *fixture)
{
    tg_socket sock;
    struct tg_listen_options options = {
        .address = {.family = THRONG_ADDRESS_IPV4, .bytes = {127, 0, 0, 1}},
        .backlog = 2048,
        .send_buffer_bytes = fixture->options.send_bytes,
    };
    CHECK(tg_socket_listen(&sock, &options, &fixture->address) == 0);
    CHECK(tg_port_listen(fixture->port, &fixture->listener, sock) == 0);
    fixture->listening = true;
}

void fixture_open(struct fixture *fixture, const struct fixture_options *options)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->options = options == NULL ? fixture_defaults : *options;
    fixture->marker_peer = TG_SOCKET_NONE;
    open_pool(fixture);
    open_port(fixture);
    open_listener(fixture);
}

void fixture_close(struct fixture *fixture)
{
    if (fixture->marker_peer != TG_SOCKET_NONE) {
        tg_socket_close(fixture->marker_peer);
        fixture_close_stream(fixture, &fixture->marker);
    }
    if (fixture->listening) {
        tg_port_close_listener(fixture->port, &fixture->listener);
        (void)fixture_take(fixture, TG_COMPLETION_LISTENER_CLOSE, &fixture->listener);
    }
    CHECK(fixture->log_count == 0);
    tg_port_destroy(fixture->port);
    CHECK(tg_index_stack_count(&fixture->pool.free) == fixture->options.buffers);
    tg_memory_release(fixture->port_memory, fixture->port_bytes);
    tg_memory_release(fixture->pool_tables, tg_recv_pool_table_bytes(fixture->options.buffers));
    tg_memory_release(fixture->pool_memory,
                      (size_t)fixture->options.buffers * fixture->options.buffer_bytes);
}

/* --- completions --------------------------------------------------------------------------- */

uint32_t fixture_pump(struct fixture *fixture, int timeout_ms)
{
    CHECK(fixture->log_count + fixture->options.batch <= LOG_MAX);
    uint32_t count = tg_port_wait(fixture->port, fixture->log + fixture->log_count,
                                  fixture->options.batch, (int64_t)timeout_ms * 1000000);
    CHECK(count <= fixture->options.batch);
    fixture->log_count += count;
    return count;
}

static bool find(const struct fixture *fixture, int kind, const void *record, uint32_t *at)
{
    for (uint32_t i = 0; i < fixture->log_count; i++) {
        const struct tg_completion *completion = &fixture->log[i];
        if ((kind == 0 || completion->kind == kind) && completion->stream == record) {
            *at = i;
            return true;
        }
    }
    return false;
}

bool fixture_has(const struct fixture *fixture, int kind, const void *record)
{
    uint32_t at;
    return find(fixture, kind, record, &at);
}

struct tg_completion fixture_take(struct fixture *fixture, int kind, const void *record)
{
    uint64_t deadline = now_ms() + DEADLINE_MS;
    uint32_t at = 0;
    while (!find(fixture, kind, record, &at)) {
        CHECK(now_ms() < deadline);
        fixture_pump(fixture, 100);
    }
    struct tg_completion taken = fixture->log[at];
    fixture->log_count--;
    memmove(&fixture->log[at], &fixture->log[at + 1],
            (fixture->log_count - at) * sizeof fixture->log[0]);
    return taken;
}

void fixture_settle(struct fixture *fixture)
{
    uint8_t byte = 7;
    if (fixture->marker_peer == TG_SOCKET_NONE) {
        fixture->marker_peer = fixture_pair(fixture, &fixture->marker);
        tg_port_receive(fixture->port, &fixture->marker);
    }
    peer_send(fixture->marker_peer, &byte, 1);
    fixture_read(fixture, &fixture->marker, &byte, 1);
    for (int i = 0; i < 4; i++) {
        fixture_pump(fixture, 0);
    }
}

void fixture_expect_sleep(struct fixture *fixture)
{
    uint64_t waits = fixture_counter(&fixture->port->counters.waits);
    uint64_t begin = now_ms();
    while (now_ms() < begin + 50) {
        CHECK(fixture_pump(fixture, 50) == 0);
    }
    CHECK(fixture_counter(&fixture->port->counters.waits) <= waits + 4);
}

void fixture_release(struct fixture *fixture, const struct tg_completion *completion)
{
    tg_recv_pool_release(&fixture->pool, completion->buffer, 1);
}

bool fixture_shares_buffers(void)
{
    return strcmp(fixture_backend->name, "io_uring-plain") != 0;
}

/* --- streams ------------------------------------------------------------------------------- */

tg_socket fixture_pair(struct fixture *fixture, struct tg_stream *stream)
{
    tg_socket peer = peer_connect(&fixture->address);
    tg_port_accept(fixture->port, &fixture->listener, 1);
    struct tg_completion accepted = fixture_take(fixture, TG_COMPLETION_ACCEPT, &fixture->listener);
    CHECK(accepted.result == 0);
    memset(stream, 0, sizeof *stream);
    CHECK(tg_port_adopt(fixture->port, stream, accepted.accepted) == 0);
    return peer;
}

void fixture_close_stream(struct fixture *fixture, struct tg_stream *stream)
{
    tg_port_close(fixture->port, stream, TG_CLOSE_NORMAL);
    (void)fixture_take(fixture, TG_COMPLETION_CLOSE, stream);
    while (fixture_has(fixture, 0, stream)) {
        struct tg_completion left = fixture_take(fixture, 0, stream);
        if (left.kind == TG_COMPLETION_RECEIVE && left.result > 0) {
            fixture_release(fixture, &left);
        }
    }
}

void fixture_read(struct fixture *fixture, struct tg_stream *stream, void *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        struct tg_completion received = fixture_take(fixture, TG_COMPLETION_RECEIVE, stream);
        CHECK(received.result > 0 && (size_t)received.result <= size - done);
        memcpy((uint8_t *)data + done, received.data, (size_t)received.result);
        done += (size_t)received.result;
        fixture_release(fixture, &received);
    }
}

void fixture_send(struct fixture *fixture, struct tg_stream *stream, const void *data, size_t size)
{
    struct tg_slice slice = {.data = data, .size = size};
    while (slice.size > 0) {
        int sent = tg_port_send(fixture->port, stream, &slice, 1);
        if (sent == TG_PORT_PENDING) {
            sent = fixture_take(fixture, TG_COMPLETION_SEND, stream).result;
        }
        CHECK(sent >= 0 && (size_t)sent <= slice.size);
        slice.data += sent;
        slice.size -= (size_t)sent;
    }
}

/* Whether the send is only on its way, as every one is with io_uring, and not waiting for room. */
static bool completes_soon(struct fixture *fixture, const struct tg_stream *stream)
{
    for (int i = 0; i < 5 && !fixture_has(fixture, TG_COMPLETION_SEND, stream); i++) {
        fixture_pump(fixture, 10);
    }
    return fixture_has(fixture, TG_COMPLETION_SEND, stream);
}

size_t fixture_fill(struct fixture *fixture, struct tg_stream *stream, size_t from)
{
    static uint8_t block[65536];
    for (int i = 0; i < 10000; i++) {
        pattern_fill(block, from, sizeof block);
        struct tg_slice slice = {.data = block, .size = sizeof block};
        int sent = tg_port_send(fixture->port, stream, &slice, 1);
        CHECK(sent >= 0);
        if (sent == TG_PORT_PENDING && !completes_soon(fixture, stream)) {
            return from;
        }
        if (sent == TG_PORT_PENDING) {
            sent = fixture_take(fixture, TG_COMPLETION_SEND, stream).result;
            CHECK(sent >= 0);
        }
        from += (size_t)sent;
    }
    CHECK_NOT_REACHED("the stream is never full");
    return 0;
}

/* --- peers --------------------------------------------------------------------------------- */

tg_socket peer_connect(const struct throng_address *address)
{
    tg_socket peer;
    CHECK(tg_socket_open(&peer, (enum throng_address_family)address->family) == 0);
    int error = tg_socket_connect(peer, address);
    if (error == THRONG_EAGAIN) {
        CHECK(tg_socket_wait(peer, true, DEADLINE_MS) == 1);
        error = tg_socket_take_error(peer);
    }
    CHECK(error == 0);
    return peer;
}

void peer_send(tg_socket peer, const void *data, size_t size)
{
    const uint8_t *next = data;
    while (size > 0) {
        CHECK(tg_socket_wait(peer, true, DEADLINE_MS) == 1);
        int sent = tg_socket_send(peer, next, size);
        CHECK(sent > 0 || sent == THRONG_EAGAIN);
        if (sent > 0) {
            next += sent;
            size -= (size_t)sent;
        }
    }
}

void peer_receive(tg_socket peer, void *data, size_t size)
{
    uint8_t *next = data;
    while (size > 0) {
        CHECK(tg_socket_wait(peer, false, DEADLINE_MS) == 1);
        int got = tg_socket_receive(peer, next, size);
        CHECK(got > 0);
        next += got;
        size -= (size_t)got;
    }
}

int peer_receive_any(tg_socket peer)
{
    uint8_t byte;
    CHECK(tg_socket_wait(peer, false, DEADLINE_MS) == 1);
    return tg_socket_receive(peer, &byte, 1);
}

void pattern_fill(uint8_t *data, size_t from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        data[i] = pattern_byte(from + i);
    }
}

bool pattern_matches(const uint8_t *data, size_t from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] != pattern_byte(from + i)) {
            return false;
        }
    }
    return true;
}
