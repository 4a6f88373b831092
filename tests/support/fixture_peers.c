/* SPDX-License-Identifier: MIT
 * The peers' side of the server fixture: steps that turn the server while they wait. */
#include <string.h>

#include "server_fixture.h"

void fixture_connect(struct server_fixture *fixture, struct peer *peer)
{
    if (!peer_connect(peer, &fixture->address, NULL)) {
        fail_msg("a peer cannot connect");
    }
}

throng_conn fixture_open(struct server_fixture *fixture, struct peer *peer)
{
    uint32_t opened = fixture->journal.opened;
    fixture_connect(fixture, peer);
    FIXTURE_UNTIL(fixture, fixture->journal.opened > opened);
    return fixture->last_open.conn;
}

/* One step each way; answers whether something moved. */
static bool exchange_step(const struct peer *peer, const uint8_t *out, size_t out_size,
                          size_t *sent, uint8_t *in, size_t in_size, size_t *received)
{
    bool moved = false;
    if (*sent < out_size) {
        ptrdiff_t count = peer_send(peer, out + *sent, out_size - *sent);
        if (count > 0) {
            *sent += (size_t)count;
            moved = true;
        } else if (count != PEER_WOULD_BLOCK) {
            fail_msg("the peer cannot send: %d after %zu of %zu bytes", (int)count, *sent,
                     out_size);
        }
    }
    if (*received < in_size) {
        ptrdiff_t count = peer_receive(peer, in + *received, in_size - *received);
        if (count > 0) {
            *received += (size_t)count;
            moved = true;
        } else if (count != PEER_WOULD_BLOCK) {
            fail_msg("the peer cannot receive: %d after %zu of %zu bytes", (int)count, *received,
                     in_size);
        }
    }
    return moved;
}

void fixture_exchange(struct server_fixture *fixture, const struct peer *peer, const void *out,
                      size_t out_size, void *in, size_t in_size)
{
    size_t sent = 0;
    size_t received = 0;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (sent < out_size || received < in_size) {
        bool moved = exchange_step(peer, out, out_size, &sent, in, in_size, &received);
        if (moved) {
            deadline_ms = test_now_ms() + test_deadline_ms();
        } else if (test_now_ms() >= deadline_ms) {
            fail_msg("stuck: %zu of %zu bytes sent, %zu of %zu received", sent, out_size, received,
                     in_size);
        }
        (void)fixture_turn(fixture, moved ? 0 : 1);
    }
}

void fixture_send(struct server_fixture *fixture, const struct peer *peer, const void *data,
                  size_t size)
{
    fixture_exchange(fixture, peer, data, size, NULL, 0);
}

void fixture_send_frame(struct server_fixture *fixture, const struct peer *peer, const void *data,
                        size_t size)
{
    uint8_t header[4];
    peer_frame_header(header, (uint32_t)size);
    fixture_send(fixture, peer, header, sizeof(header));
    fixture_send(fixture, peer, data, size);
}

void fixture_expect_frame(struct server_fixture *fixture, const struct peer *peer, const void *data,
                          size_t size)
{
    uint8_t expected[4];
    uint8_t header[4];
    peer_frame_header(expected, (uint32_t)size);
    fixture_exchange(fixture, peer, NULL, 0, header, sizeof(header));
    assert_memory_equal(header, expected, sizeof(header));
    if (size > 0) {
        uint8_t *payload = malloc(size);
        assert_non_null(payload);
        fixture_exchange(fixture, peer, NULL, 0, payload, size);
        assert_memory_equal(payload, data, size);
        free(payload);
    }
}

void fixture_expect_echo(struct server_fixture *fixture, const struct peer *peer, const void *data,
                         size_t size)
{
    size_t frame_size = size + 4;
    uint8_t *out = malloc(frame_size);
    uint8_t *in = malloc(frame_size);
    assert_non_null(out);
    assert_non_null(in);
    peer_frame_header(out, (uint32_t)size);
    if (size > 0) {
        memcpy(out + 4, data, size);
    }
    fixture_exchange(fixture, peer, out, frame_size, in, frame_size);
    assert_memory_equal(in, out, frame_size);
    free(out);
    free(in);
}

/* Takes what comes until the stream ends; answers how, and how many bytes came before it. */
static enum peer_answer await_end(struct server_fixture *fixture, const struct peer *peer,
                                  size_t *bytes)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    *bytes = 0;
    for (;;) {
        uint8_t rest[4096];
        ptrdiff_t got = peer_receive(peer, rest, sizeof(rest));
        if (got > 0) {
            *bytes += (size_t)got;
        } else if (got != PEER_WOULD_BLOCK) {
            return (enum peer_answer)got;
        }
        fixture_turn_towards(fixture, deadline_ms, "the end of a peer's stream", __FILE__,
                             __LINE__);
    }
}

void fixture_expect_end(struct server_fixture *fixture, const struct peer *peer)
{
    size_t bytes;
    assert_int_equal(await_end(fixture, peer, &bytes), PEER_END);
    assert_int_equal(bytes, 0);
}

void fixture_expect_reset(struct server_fixture *fixture, const struct peer *peer)
{
    size_t bytes;
    assert_int_equal(await_end(fixture, peer, &bytes), PEER_RESET);
}

void fixture_expect_gone(struct server_fixture *fixture, const struct peer *peer)
{
    size_t bytes;
    enum peer_answer answer = await_end(fixture, peer, &bytes);
    assert_true(answer == PEER_END || answer == PEER_RESET);
}
