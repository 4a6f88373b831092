/* SPDX-License-Identifier: MIT
 * What a plain peer does on every system: streams, frames and ends, by the steps of
 * peer.PLATFORM.c. */
#include "peer.h"

#include "stopwatch.h"

bool peer_send_all(const struct peer *peer, const void *data, size_t size, int limit_ms)
{
    const uint8_t *from = data;
    while (size > 0) {
        ptrdiff_t sent = peer_send(peer, from, size);
        if (sent > 0) {
            from += sent;
            size -= (size_t)sent;
        } else if (sent != PEER_WOULD_BLOCK || !peer_await(peer, false, true, limit_ms)) {
            return false;
        }
    }
    return true;
}

/* As peer_receive_all, but says how it failed; PEER_END counts as a failure once bytes came. */
static ptrdiff_t receive_exactly(const struct peer *peer, void *data, size_t size, int limit_ms)
{
    uint8_t *to = data;
    size_t have = 0;
    while (have < size) {
        ptrdiff_t got = peer_receive(peer, to + have, size - have);
        if (got > 0) {
            have += (size_t)got;
        } else if (got == PEER_WOULD_BLOCK && peer_await(peer, true, false, limit_ms)) {
            continue;
        } else {
            return got == PEER_END && have > 0 ? PEER_FAILED : got;
        }
    }
    return (ptrdiff_t)size;
}

bool peer_receive_all(const struct peer *peer, void *data, size_t size, int limit_ms)
{
    return receive_exactly(peer, data, size, limit_ms) == (ptrdiff_t)size;
}

void peer_frame_header(uint8_t header[4], uint32_t length)
{
    header[0] = (uint8_t)(length >> 24);
    header[1] = (uint8_t)(length >> 16);
    header[2] = (uint8_t)(length >> 8);
    header[3] = (uint8_t)length;
}

bool peer_send_frame(const struct peer *peer, const void *data, size_t size, int limit_ms)
{
    uint8_t header[4];
    peer_frame_header(header, (uint32_t)size);
    return peer_send_all(peer, header, sizeof(header), limit_ms) &&
           peer_send_all(peer, data, size, limit_ms);
}

ptrdiff_t peer_receive_frame(const struct peer *peer, void *data, size_t capacity, int limit_ms)
{
    uint8_t header[4];
    ptrdiff_t got = receive_exactly(peer, header, sizeof(header), limit_ms);
    if (got != (ptrdiff_t)sizeof(header)) {
        return got == PEER_END ? PEER_FAILED : got;
    }
    size_t size = (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 |
                  (size_t)header[3];
    if (size > capacity || !peer_receive_all(peer, data, size, limit_ms)) {
        return PEER_FAILED;
    }
    return (ptrdiff_t)size;
}

enum peer_answer peer_await_end(const struct peer *peer, int limit_ms)
{
    uint8_t rest[4096];
    int64_t deadline_ms = test_now_ms() + limit_ms;
    ptrdiff_t got;
    do {
        got = peer_receive(peer, rest, sizeof(rest));
        if (got == PEER_WOULD_BLOCK) {
            (void)peer_await(peer, true, false, 10);
        } else if (got <= 0) {
            return (enum peer_answer)got;
        }
    } while (test_now_ms() < deadline_ms);
    return PEER_WOULD_BLOCK;
}

struct throng_address peer_loopback(enum throng_address_family family, uint16_t port)
{
    struct throng_address address = {.family = (uint8_t)family, .port = port};
    if (family == THRONG_ADDRESS_IPV6) {
        address.bytes[15] = 1;
    } else {
        address.bytes[0] = 127;
        address.bytes[3] = 1;
    }
    return address;
}
