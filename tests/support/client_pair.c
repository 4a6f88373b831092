/* SPDX-License-Identifier: MIT
 * The non-blocking client and its plain peer. */
#include "client_pair.h"

#include <string.h>

#define TURN_MS 5

static struct client_pair the_pair;

int client_pair_setup(void **state)
{
    struct client_pair *pair = &the_pair;
    pair->client = NULL;
    pair->peer.descriptor = -1;
    throng_client_options_init(&pair->options);
    *state = pair;
    return host_open(&pair->host, THRONG_ADDRESS_IPV4) ? 0 : -1;
}

int client_pair_teardown(void **state)
{
    struct client_pair *pair = *state;
    throng_client_destroy(pair->client);
    peer_close(&pair->peer);
    host_close(&pair->host);
    return 0;
}

void client_pair_create(struct client_pair *pair)
{
    struct throng_error error = {.text = ""};
    int result = throng_client_create(&pair->client, &pair->options, &error);
    assert_string_equal(error.text, "");
    assert_int_equal(result, 0);
}

void client_pair_connect(struct client_pair *pair)
{
    if (pair->client == NULL) {
        client_pair_create(pair);
    }
    assert_int_equal(throng_client_connect(pair->client, pair->host.endpoint), 0);
    CLIENT_UNTIL(pair, throng_client_state(pair->client) != THRONG_CLIENT_CONNECTING);
    assert_int_equal(throng_client_state(pair->client), THRONG_CLIENT_CONNECTED);
    assert_true(host_accept(&pair->host, &pair->peer, test_deadline_ms()));
}

void client_pair_disconnect(struct client_pair *pair)
{
    throng_client_close(pair->client);
    peer_close(&pair->peer);
}

void client_pair_turn(struct client_pair *pair)
{
    const struct peer ours = {.descriptor = throng_client_descriptor(pair->client)};
    int wait_ms = throng_client_wait_ms(pair->client);
    (void)peer_await(&ours, throng_client_wants_read(pair->client),
                     throng_client_wants_write(pair->client),
                     wait_ms >= 0 && wait_ms < TURN_MS ? wait_ms : TURN_MS);
    (void)throng_client_update(pair->client);
}

void client_pair_send(struct client_pair *pair, const void *data, size_t size)
{
    const uint8_t *from = data;
    size_t sent = 0;
    while (sent < size) {
        ptrdiff_t result = 0;
        CLIENT_UNTIL(pair, (result = peer_send(&pair->peer, from + sent, size - sent)) !=
                               PEER_WOULD_BLOCK);
        assert_true(result > 0);
        sent += (size_t)result;
    }
}

void client_pair_expect(struct client_pair *pair, const void *data, size_t size)
{
    uint8_t *got = malloc(size);
    size_t have = 0;
    assert_non_null(got);
    while (have < size) {
        ptrdiff_t result = 0;
        CLIENT_UNTIL(pair, (result = peer_receive(&pair->peer, got + have, size - have)) !=
                               PEER_WOULD_BLOCK);
        assert_true(result > 0);
        have += (size_t)result;
    }
    assert_memory_equal(got, data, size);
    free(got);
}

void client_pair_expect_end(struct client_pair *pair)
{
    uint8_t byte;
    ptrdiff_t result = 0;
    CLIENT_UNTIL(pair, (result = peer_receive(&pair->peer, &byte, 1)) != PEER_WOULD_BLOCK);
    assert_int_equal(result, PEER_END);
}

void client_pair_fill_outbox(struct client_pair *pair)
{
    static const uint8_t message[1000];
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (throng_client_write(pair->client, message, sizeof(message)) == 0) {
        assert_true(test_now_ms() < deadline_ms);
    }
    assert_true(throng_client_outbox_bytes(pair->client) > 0);
}

void client_pair_expect_read(struct client_pair *pair, const void *data, size_t size)
{
    const void *message = NULL;
    size_t message_size = 0;
    CLIENT_UNTIL(pair, throng_client_read(pair->client, &message, &message_size) != 0);
    assert_int_equal(message_size, size);
    assert_non_null(message);
    assert_memory_equal(message, data, size);
}

void client_pair_expect_failed(struct client_pair *pair, int error)
{
    CLIENT_UNTIL(pair, throng_client_state(pair->client) == THRONG_CLIENT_FAILED);
    assert_int_equal(throng_client_error(pair->client), error);
    assert_int_equal(throng_client_descriptor(pair->client), -1);
    assert_false(throng_client_wants_read(pair->client));
    assert_false(throng_client_wants_write(pair->client));
    assert_int_equal(throng_client_wait_ms(pair->client), -1);
    assert_int_equal(throng_client_write(pair->client, "x", 1), THRONG_EINVAL);
    assert_int_equal(throng_client_shutdown(pair->client), THRONG_EINVAL);
    assert_int_equal(throng_client_update(pair->client), THRONG_CLIENT_FAILED);
}
