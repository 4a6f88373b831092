/* SPDX-License-Identifier: MIT
 * The blocking client and its plain peer. */
#include "tcp_pair.h"

#include <string.h>

#define READ_BYTES 64

static struct tcp_pair the_pair;

int tcp_pair_setup(void **state)
{
    struct tcp_pair *pair = &the_pair;
    pair->tcp = NULL;
    pair->peer.descriptor = -1;
    pair->script.is_running = false;
    throng_tcp_options_init(&pair->options);
    *state = pair;
    return host_open(&pair->host, THRONG_ADDRESS_IPV4) ? 0 : -1;
}

int tcp_pair_teardown(void **state)
{
    struct tcp_pair *pair = *state;
    throng_tcp_close(pair->tcp);
    /* Of a test that failed: what the part waited for will not come. */
    atomic_store(&pair->script.is_over, true);
    (void)script_join(&pair->script);
    peer_close(&pair->peer);
    host_close(&pair->host);
    return 0;
}

void tcp_pair_connect(struct tcp_pair *pair)
{
    struct throng_error error = {.text = ""};
    int result = throng_tcp_connect(&pair->tcp, pair->host.endpoint, &pair->options,
                                    test_deadline_ms(), &error);
    assert_string_equal(error.text, "");
    assert_int_equal(result, 0);
    assert_true(host_accept(&pair->host, &pair->peer, test_deadline_ms()));
}

void tcp_pair_disconnect(struct tcp_pair *pair)
{
    throng_tcp_close(pair->tcp);
    pair->tcp = NULL;
    peer_close(&pair->peer);
}

void tcp_pair_play(struct tcp_pair *pair, bool (*play)(struct script *script), size_t size)
{
    pair->script.peer = pair->peer;
    pair->script.play = play;
    pair->script.size = size;
    assert_true(script_start(&pair->script));
}

void tcp_pair_expect_played(struct tcp_pair *pair)
{
    assert_true(script_join(&pair->script));
}

void tcp_pair_send(const struct tcp_pair *pair, const void *data, size_t size)
{
    assert_true(peer_send_all(&pair->peer, data, size, test_deadline_ms()));
}

void tcp_pair_expect(const struct tcp_pair *pair, const void *data, size_t size)
{
    uint8_t *got = malloc(size);
    assert_non_null(got);
    assert_true(peer_receive_all(&pair->peer, got, size, test_deadline_ms()));
    assert_memory_equal(got, data, size);
    free(got);
}

void tcp_pair_expect_end(const struct tcp_pair *pair)
{
    assert_int_equal(peer_await_end(&pair->peer, test_deadline_ms()), PEER_END);
}

void tcp_pair_expect_reset(const struct tcp_pair *pair)
{
    assert_int_equal(peer_await_end(&pair->peer, test_deadline_ms()), PEER_RESET);
}

void tcp_pair_expect_read(struct tcp_pair *pair, const void *data, size_t size)
{
    uint8_t message[READ_BYTES];
    int64_t got = throng_tcp_read(pair->tcp, message, sizeof(message), test_deadline_ms());
    assert_int_equal(got, size);
    assert_memory_equal(message, data, size);
}

void tcp_pair_expect_error(struct tcp_pair *pair, int error)
{
    uint8_t message[READ_BYTES];
    int64_t got = throng_tcp_read(pair->tcp, message, sizeof(message), test_deadline_ms());
    assert_int_equal(got, error);
}
