/* SPDX-License-Identifier: MIT
 * Servers that speak something else, or nonsense, against each kind of client: what was whole is
 * handed over, then the client ends with the reason that a naive reading of the same bytes
 * gives. */
#include <string.h>

#include "client_pair.h"
#include "process.h"
#include "swarm_world.h"
#include "tcp_pair.h"

#define MESSAGE_MAX 100u
#define STREAM_MAX 4096u

/* What a client is to make of a stream that ends. */
struct verdict {
    uint32_t messages;
    uint64_t sum; /* of all bytes of all messages, each with its place */
    int error;
};

static void count_message(struct verdict *verdict, const uint8_t *data, size_t size)
{
    verdict->messages++;
    for (size_t i = 0; i < size; i++) {
        verdict->sum = verdict->sum * 31 + data[i] + 1;
    }
    verdict->sum = verdict->sum * 31 + size;
}

static struct verdict judge(const uint8_t *bytes, size_t size)
{
    struct verdict verdict = {0};
    size_t at = 0;
    while (size - at >= 4) {
        uint64_t length = (uint64_t)bytes[at] << 24 | (uint64_t)bytes[at + 1] << 16 |
                          (uint64_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (length > MESSAGE_MAX) {
            verdict.error = THRONG_EPROTOCOL;
            return verdict;
        }
        if (size - at - 4 < length) {
            break;
        }
        count_message(&verdict, bytes + at + 4, (size_t)length);
        at += 4 + (size_t)length;
    }
    verdict.error = at < size ? THRONG_EPROTOCOL : THRONG_EEOF;
    return verdict;
}

static void expect_same(const struct verdict *got, const struct verdict *expected)
{
    assert_int_equal(got->messages, expected->messages);
    assert_true(got->sum == expected->sum);
    assert_int_equal(got->error, expected->error);
}

/* ---- streams ---- */

struct stream {
    uint8_t bytes[STREAM_MAX];
    size_t size;
};

static uint64_t random_state;

/* A linear congruence: its upper bits are good enough for nonsense. */
static uint32_t below(uint32_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % bound);
}

/* Good frames, then perhaps a length that lies, a piece of a frame, or noise. */
static void draw_stream(struct stream *stream)
{
    uint32_t frames = below(12);
    stream->size = 0;
    for (uint32_t i = 0; i < frames; i++) {
        uint32_t size = below(4) == 0 ? 0 : below(MESSAGE_MAX + 1);
        peer_frame_header(stream->bytes + stream->size, size);
        for (uint32_t k = 0; k < size; k++) {
            stream->bytes[stream->size + 4 + k] = (uint8_t)below(256);
        }
        stream->size += 4 + size;
    }
    static const uint32_t lies[] = {MESSAGE_MAX, MESSAGE_MAX + 1, 0x7fffffff,
                                    0x80000000,  0xfffffffc,      0xffffffff};
    uint32_t noise = below(3) == 0 ? below(200) : 0;
    if (below(2) == 0) {
        peer_frame_header(stream->bytes + stream->size, lies[below(6)]);
        stream->size += 1 + below(4);
    }
    for (uint32_t i = 0; i < noise; i++) {
        stream->bytes[stream->size++] = (uint8_t)below(below(2) == 0 ? 2 : 256);
    }
}

static const char *const banners[] = {
    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n",
    "220 mail.example ESMTP\r\n",
    "\026\003\001\002", /* TLS: a handshake record */
    "-ERR unknown command\r\n",
    "RFB 003.008\n",
};

/* The cut of each piece that the server sends; the rest in one. */
static size_t next_piece(size_t left)
{
    size_t piece = below(3) == 0 ? 1 + below(7) : left;
    return piece < left ? piece : left;
}

/* The peer's part, while the client takes none: all of a stream fits into what the system buffers.
 * A client that broke off already is one that had seen enough. */
static void send_and_finish(const struct peer *peer, const struct stream *stream)
{
    for (size_t at = 0; at < stream->size;) {
        size_t piece = next_piece(stream->size - at);
        if (!peer_send_all(peer, stream->bytes + at, piece, test_deadline_ms())) {
            return;
        }
        at += piece;
    }
    peer_finish(peer);
}

/* ---- each kind of client ---- */

static void drain_client(struct client_pair *pair, struct verdict *verdict)
{
    const void *data;
    size_t size;
    while (throng_client_read(pair->client, &data, &size) == 1) {
        count_message(verdict, data, size);
    }
}

static void run_client(const struct stream *stream)
{
    void *state = NULL;
    struct verdict got = {0};
    assert_int_equal(client_pair_setup(&state), 0);
    struct client_pair *pair = state;
    pair->options.message_bytes_max = MESSAGE_MAX;
    pair->options.inbox_bytes = MESSAGE_MAX + 4 + below(300);
    client_pair_connect(pair);
    send_and_finish(&pair->peer, stream);
    CLIENT_UNTIL(pair, (drain_client(pair, &got),
                        throng_client_state(pair->client) == THRONG_CLIENT_FAILED));
    drain_client(pair, &got);
    got.error = throng_client_error(pair->client);
    struct verdict expected = judge(stream->bytes, stream->size);
    expect_same(&got, &expected);
    (void)client_pair_teardown(&state);
}

static void run_tcp(const struct stream *stream)
{
    void *state = NULL;
    struct verdict got = {0};
    uint8_t message[MESSAGE_MAX];
    assert_int_equal(tcp_pair_setup(&state), 0);
    struct tcp_pair *pair = state;
    pair->options.message_bytes_max = MESSAGE_MAX;
    tcp_pair_connect(pair);
    send_and_finish(&pair->peer, stream);
    int64_t size;
    while ((size = throng_tcp_read(pair->tcp, message, sizeof(message), test_deadline_ms())) >= 0) {
        count_message(&got, message, (size_t)size);
    }
    got.error = (int)size;
    struct verdict expected = judge(stream->bytes, stream->size);
    expect_same(&got, &expected);
    (void)tcp_pair_teardown(&state);
}

static void count_in_swarm(struct swarm_world *world, struct throng_swarm_thread *thread,
                           uint32_t index, const void *data, size_t size)
{
    (void)thread;
    (void)index;
    count_message(world->context, data, size);
}

static void run_swarm(const struct stream *stream)
{
    struct swarm_world world;
    struct host host;
    struct peer peer;
    struct verdict got = {0};
    assert_true(host_open(&host, THRONG_ADDRESS_IPV4));
    swarm_world_open_options(&world, 1, host.endpoint);
    world.options.message_bytes_max = MESSAGE_MAX;
    world.on_message = count_in_swarm;
    world.context = &got;
    swarm_world_start(&world);
    assert_true(host_accept(&host, &peer, test_deadline_ms()));
    send_and_finish(&peer, stream);
    swarm_world_await(&world, &world.closes, 1);
    got.error = swarm_world_record(&world, 0).error;
    swarm_world_close(&world);
    peer_close(&peer);
    host_close(&host);
    struct verdict expected = judge(stream->bytes, stream->size);
    expect_same(&got, &expected);
}

static void run_all_kinds(const struct stream *stream)
{
    run_client(stream);
    run_tcp(stream);
    run_swarm(stream);
}

/* ---- tests ---- */

static void other_protocols_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(banners) / sizeof(banners[0]); i++) {
        struct stream stream = {.size = strlen(banners[i])};
        memcpy(stream.bytes, banners[i], stream.size);
        assert_int_equal(judge(stream.bytes, stream.size).error, THRONG_EPROTOCOL);
        run_all_kinds(&stream);
    }
}

static void nonsense_means_the_same_to_every_client(void **state)
{
    struct stream stream;
    (void)state;
    random_state = test_seed();
    for (uint32_t i = 0; i < test_scaled(150); i++) {
        draw_stream(&stream);
        run_all_kinds(&stream);
    }
}

/* Nothing is reserved for a length that is only claimed, whatever the limit. */
static void lengths_that_are_only_claimed_cost_no_memory(void **state)
{
    enum {
        CONNECTIONS = 50
    };
    static struct peer peers[CONNECTIONS];
    struct swarm_world world;
    struct host host;
    (void)state;
    assert_true(host_open(&host, THRONG_ADDRESS_IPV4));
    swarm_world_open_options(&world, CONNECTIONS, host.endpoint);
    world.options.message_bytes_max = 4u << 20;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.opens, CONNECTIONS);
    size_t before = process_memory_bytes();
    for (int i = 0; i < CONNECTIONS; i++) {
        assert_true(host_accept(&host, &peers[i], test_deadline_ms()));
        assert_true(
            peer_send_all(&peers[i], "\0\0\0\1a\0\100\0\0ten bytes.", 19, test_deadline_ms()));
    }
    swarm_world_await(&world, &world.messages, CONNECTIONS);
    size_t grown = process_memory_bytes() - before;
    printf("memory %+ld KiB of %d MiB claimed\n", (long)grown / 1024, CONNECTIONS * 4);
    if (!TEST_SANITIZED) {
        assert_true((long)grown < 8 * 1024 * 1024);
    }
    assert_int_equal(swarm_world_read(&world, &world.closes), 0);
    swarm_world_close(&world);
    for (int i = 0; i < CONNECTIONS; i++) {
        peer_close(&peers[i]);
    }
    host_close(&host);
}

/* ---- resets of a swarm's connection, in each of its states ---- */

static void fill_queue(struct swarm_world *world, struct throng_swarm_thread *thread,
                       uint32_t index)
{
    static const uint8_t message[60000];
    (void)world;
    while (throng_swarm_write(thread, index, message, sizeof(message)) == 0) {
        /* as much as it takes */
    }
}

static void connect_again(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    (void)world;
    assert_int_equal(throng_swarm_connect(thread, 0), 0);
}

/* The peer sends `bytes`, one whole message in front, and resets while the swarm's queue is empty
 * or full. Twice: the connection can be made again. */
static void reset_with(const char *bytes, size_t size, swarm_world_open *on_open)
{
    struct swarm_world world;
    struct host host;
    struct peer peer;
    assert_true(host_open_narrow(&host, 4096));
    swarm_world_open_options(&world, 1, host.endpoint);
    world.on_open = on_open;
    swarm_world_start(&world);
    for (uint32_t round = 1; round <= 2; round++) {
        assert_true(host_accept(&host, &peer, test_deadline_ms()));
        swarm_world_await(&world, &world.opens, round);
        assert_true(peer_send_all(&peer, bytes, size, test_deadline_ms()));
        if (size > 0) {
            swarm_world_await(&world, &world.messages, round);
        }
        peer_reset(&peer);
        swarm_world_await(&world, &world.closes, round);
        assert_int_equal(swarm_world_record(&world, 0).error, THRONG_ECONNRESET);
        if (round == 1) {
            swarm_world_run(&world, connect_again);
        }
    }
    assert_int_equal(throng_swarm_connected(world.swarm), 0);
    swarm_world_close(&world);
    host_close(&host);
}

static void a_reset_in_any_state_is_told_once(void **state)
{
    (void)state;
    reset_with("", 0, NULL);
    reset_with("\0\0\0\1a", 5, NULL);
    reset_with("\0\0\0\1a\0\0", 7, NULL);           /* inside a header */
    reset_with("\0\0\0\1a\0\0\0\5", 9, NULL);       /* behind it */
    reset_with("\0\0\0\1a\0\0\0\5hel", 12, NULL);   /* inside a payload */
    reset_with("", 0, fill_queue);                  /* while a send waits */
    reset_with("\0\0\0\1a\0\0\0\5", 9, fill_queue); /* and input, too */
}

/* The system knows of the reset before the swarm has looked at the connection. */
static void a_reset_before_the_first_look_is_an_end_like_any_other(void **state)
{
    struct swarm_world world;
    struct host host;
    (void)state;
    assert_true(host_open(&host, THRONG_ADDRESS_IPV4));
    swarm_world_open_options(&world, 20, host.endpoint);
    swarm_world_start(&world);
    for (int i = 0; i < 20; i++) {
        struct peer peer;
        assert_true(host_accept(&host, &peer, test_deadline_ms()));
        peer_reset(&peer);
    }
    swarm_world_await(&world, &world.closes, 20);
    for (uint32_t i = 0; i < 20; i++) {
        struct swarm_record record = swarm_world_record(&world, i);
        assert_int_equal(record.error, THRONG_ECONNRESET);
        assert_in_range(record.opens, 0, 1);
        assert_int_equal(record.closes, 1);
    }
    swarm_world_close(&world);
    host_close(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_protocols_are_refused),
        cmocka_unit_test(nonsense_means_the_same_to_every_client),
        cmocka_unit_test(lengths_that_are_only_claimed_cost_no_memory),
        cmocka_unit_test(a_reset_in_any_state_is_told_once),
        cmocka_unit_test(a_reset_before_the_first_look_is_an_end_like_any_other),
    };
    return cmocka_run_group_tests_name("hostile servers", tests, NULL, NULL);
}
