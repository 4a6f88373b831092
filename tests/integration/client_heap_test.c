/* SPDX-License-Identifier: MIT
 * Once they are connected, the clients ask the heap and the memory map for nothing: all calls are
 * counted while they talk, wait, fill up and lose their peer. */
#include <string.h>

#include <throng/client.h>
#include <throng/tcp.h>

#include "check.h"
#include "heap_counter.h"
#include "host.h"
#include "peer.h"
#include "stopwatch.h"

#define LONGEST 65536u

static uint8_t payload[LONGEST];
static uint8_t message[LONGEST];
static uint8_t stream[LONGEST + 4];

static void expect_no_calls(struct heap_calls calls)
{
    assert_int_equal(calls.allocations, 0);
    assert_int_equal(calls.frees, 0);
    assert_int_equal(calls.maps, 0);
}

static void open_both(struct host *host, struct peer *peer, bool (*connect)(void *, const char *),
                      void *client)
{
    assert_true(host_open(host, THRONG_ADDRESS_IPV4));
    assert_true(connect(client, host->endpoint));
    assert_true(host_accept(host, peer, test_deadline_ms()));
}

/* --- the blocking client ------------------------------------------------------------------- */

static bool connect_tcp(void *client, const char *endpoint)
{
    struct throng_tcp **tcp = client;
    return throng_tcp_connect(tcp, endpoint, NULL, test_deadline_ms(), NULL) == 0;
}

static bool talk_tcp(struct throng_tcp *tcp, const struct peer *peer, uint32_t size)
{
    return throng_tcp_read(tcp, message, sizeof(message), 1) == THRONG_EAGAIN &&
           throng_tcp_write(tcp, payload, size, test_deadline_ms()) == 0 &&
           peer_receive_frame(peer, stream, sizeof(stream), test_deadline_ms()) == size &&
           peer_send_frame(peer, stream, size, test_deadline_ms()) &&
           throng_tcp_read(tcp, message, sizeof(message), test_deadline_ms()) == size;
}

static void the_blocking_client_allocates_nothing_once_it_is_connected(void **state)
{
    static const uint32_t sizes[] = {0, 1, 100, 4092, 4093, 20000, 30000};
    struct host host;
    struct peer peer;
    struct throng_tcp *tcp;
    uint32_t good = 0;
    (void)state;
    open_both(&host, &peer, connect_tcp, &tcp);
    heap_counter_start();
    for (uint32_t i = 0; i < 700; i++) {
        good += talk_tcp(tcp, &peer, sizes[i % 7]);
    }
    peer_reset(&peer);
    int64_t end = throng_tcp_read(tcp, message, sizeof(message), test_deadline_ms());
    struct heap_calls calls = heap_counter_stop();
    throng_tcp_close(tcp);
    host_close(&host);
    expect_no_calls(calls);
    assert_int_equal(good, 700);
    assert_int_equal(end, THRONG_ECONNRESET);
}

/* --- the non-blocking client --------------------------------------------------------------- */

static bool connect_client(void *client, const char *endpoint)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    if (throng_client_connect(client, endpoint) != 0) {
        return false;
    }
    while (throng_client_update(client) == THRONG_CLIENT_CONNECTING) {
        if (test_now_ms() >= deadline_ms) {
            return false;
        }
    }
    return throng_client_state(client) == THRONG_CLIENT_CONNECTED;
}

/* Fills the outbox of a peer that reads nothing, then lets it go both ways until all is back. */
static bool talk_client(struct throng_client *client, const struct peer *peer, uint32_t size)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    uint32_t written = 0;
    uint32_t read = 0;
    while (throng_client_write(client, payload, size) == 0) {
        written++;
    }
    while (read < written && test_now_ms() < deadline_ms) {
        const void *data;
        size_t data_size;
        ptrdiff_t got = peer_receive(peer, stream, sizeof(stream));
        size_t sent = 0;
        while (got > 0 && sent < (size_t)got && test_now_ms() < deadline_ms) {
            ptrdiff_t result = peer_send(peer, stream + sent, (size_t)got - sent);
            sent += result > 0 ? (size_t)result : 0;
            (void)throng_client_update(client);
            while (throng_client_read(client, &data, &data_size) == 1) {
                read += data_size == size;
            }
        }
        (void)throng_client_update(client);
        while (throng_client_read(client, &data, &data_size) == 1) {
            read += data_size == size;
        }
    }
    return written > 0 && read == written;
}

static bool answer_heartbeat(struct throng_client *client, const struct peer *peer)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    ptrdiff_t got = 0;
    if (!peer_send_all(peer, "\0\0\0\0", 4, test_deadline_ms())) {
        return false;
    }
    do {
        (void)throng_client_update(client);
        got = peer_receive(peer, stream, 4);
    } while (got == PEER_WOULD_BLOCK && test_now_ms() < deadline_ms);
    return got == 4;
}

static void the_non_blocking_client_allocates_nothing_once_it_is_made(void **state)
{
    static const uint32_t sizes[] = {1000, 20000, 65536};
    struct host host;
    struct peer peer;
    struct throng_client *client;
    struct throng_client_options options;
    uint32_t good = 0;
    (void)state;
    throng_client_options_init(&options);
    options.heartbeat_ms = 60000;
    assert_int_equal(throng_client_create(&client, &options, NULL), 0);
    heap_counter_start();
    open_both(&host, &peer, connect_client, client);
    for (uint32_t i = 0; i < 6; i++) {
        good += talk_client(client, &peer, sizes[i % 3]) && answer_heartbeat(client, &peer);
    }
    throng_client_close(client);
    peer_close(&peer);
    struct heap_calls calls = heap_counter_stop();
    throng_client_destroy(client);
    host_close(&host);
    expect_no_calls(calls);
    assert_int_equal(good, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_blocking_client_allocates_nothing_once_it_is_connected),
        cmocka_unit_test(the_non_blocking_client_allocates_nothing_once_it_is_made),
    };
    return cmocka_run_group_tests_name("the clients and the heap", tests, NULL, NULL);
}
