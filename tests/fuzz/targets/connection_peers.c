/* SPDX-License-Identifier: MIT
 * Target `connection`: the peers. */
#include <string.h>

#include <throng/wire.h>

#include "connection.h"
#include "fuzz.h"

#include "sim/net.h"

#define NOWHERE UINT32_MAX

static struct conn_life lives[CONN_LIVES];
static uint32_t lives_count;

static struct {
    uint32_t sock; /* NOWHERE: not connected */
    struct conn_life *life;
} peers[CONN_PEERS] = {{.sock = NOWHERE}, {.sock = NOWHERE}, {.sock = NOWHERE}, {.sock = NOWHERE}};

/* Bytes that tell their place. */
static uint8_t pattern[256 + CONN_MESSAGE_MAX + 2];

void conn_lives_begin(void)
{
    lives_count = 0;
    for (uint32_t i = 0; pattern[1] == 0 && i < sizeof(pattern); i++) {
        pattern[i] = (uint8_t)(i + i / 251);
    }
}

const uint8_t *conn_pattern(uint32_t place)
{
    return pattern + (place & 255);
}

uint32_t conn_lives_count(void)
{
    return lives_count;
}

struct conn_life *conn_life_at(uint32_t index)
{
    return &lives[index];
}

struct conn_life *conn_life_of(const struct throng_address *address)
{
    for (uint32_t i = 0; i < lives_count; i++) {
        if (lives[i].port == address->port) {
            return &lives[i];
        }
    }
    TG_UNREACHABLE("an address that is nobody's");
}

struct conn_life *conn_life_of_peer(uint32_t peer)
{
    return peers[peer].sock == NOWHERE ? NULL : peers[peer].life;
}

void conn_peer_connect(uint32_t peer)
{
    const struct throng_address target = {
        .family = THRONG_ADDRESS_IPV4, .port = 7000, .bytes = {127, 0, 0, 1}};
    struct throng_address local;
    if (peers[peer].sock != NOWHERE || lives_count == CONN_LIVES) {
        return;
    }
    int sock = tg_net_socket();
    FUZZ_CHECK(sock >= 0);
    (void)tg_net_connect((uint32_t)sock, &target);
    (void)tg_net_local_address((uint32_t)sock, &local);
    struct conn_life *life = &lives[lives_count++];
    life->port = local.port;
    life->conn = 0;
    life->closed = false;
    life->ended = false;
    life->unheard = false;
    life->up_size = life->up_parsed = life->down_size = life->down_read = 0;
    peers[peer].sock = (uint32_t)sock;
    peers[peer].life = life;
}

void conn_peer_send(uint32_t peer, const uint8_t *data, uint32_t size)
{
    struct conn_life *life = conn_life_of_peer(peer);
    if (life == NULL || size > CONN_UP_MAX - life->up_size) {
        return;
    }
    int sent = tg_net_write(peers[peer].sock, data, size);
    if (sent > 0) {
        memcpy(life->up + life->up_size, data, (size_t)sent);
        life->up_size += (uint32_t)sent;
    }
}

void conn_peer_send_message(uint32_t peer, uint32_t size)
{
    uint8_t frame[THRONG_FRAME_HEADER_BYTES + CONN_MESSAGE_MAX + 2];
    size %= CONN_MESSAGE_MAX + 3;
    frame[0] = 0;
    frame[1] = 0;
    frame[2] = (uint8_t)(size >> 8);
    frame[3] = (uint8_t)size;
    const struct conn_life *life = conn_life_of_peer(peer);
    if (life == NULL) {
        return;
    }
    memcpy(frame + 4, conn_pattern(life->up_size * 7), size);
    conn_peer_send(peer, frame, THRONG_FRAME_HEADER_BYTES + size);
}

void conn_peer_read(uint32_t peer, uint32_t most)
{
    uint8_t data[512];
    struct conn_life *life = conn_life_of_peer(peer);
    while (life != NULL && most > 0) {
        int got = tg_net_read(peers[peer].sock, data,
                              most < sizeof(data) ? most : (uint32_t)sizeof(data));
        if (got <= 0) {
            return;
        }
        FUZZ_CHECK((uint32_t)got <= life->down_size - life->down_read);
        FUZZ_CHECK(memcmp(data, life->down + life->down_read, (size_t)got) == 0);
        life->down_read += (uint32_t)got;
        most -= (uint32_t)got;
    }
}

void conn_peer_end(uint32_t peer)
{
    if (peers[peer].sock != NOWHERE) {
        peers[peer].life->ended = true;
        tg_net_shutdown(peers[peer].sock);
    }
}

void conn_peer_close(uint32_t peer, bool abort)
{
    if (peers[peer].sock != NOWHERE) {
        conn_peer_read(peer, UINT32_MAX);
        peers[peer].life->ended = true;
        tg_net_close_socket(peers[peer].sock, abort);
        peers[peer].sock = NOWHERE;
    }
}

/* ---- what the server says and hears ---- */

/* The length of the frame that comes next in what was sent; UINT32_MAX if there is no whole
 * header. */
static uint32_t next_length(const struct conn_life *life)
{
    if (life->up_size - life->up_parsed < THRONG_FRAME_HEADER_BYTES) {
        return UINT32_MAX;
    }
    const uint8_t *header = life->up + life->up_parsed;
    return (uint32_t)header[0] << 24 | (uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 |
           header[3];
}

void conn_life_said(struct conn_life *life, const void *data, size_t size)
{
    FUZZ_CHECK(size <= CONN_MESSAGE_MAX && next_length(life) == size);
    uint32_t begin = life->up_parsed + THRONG_FRAME_HEADER_BYTES;
    FUZZ_CHECK(size <= life->up_size - begin);
    FUZZ_CHECK(size == 0 || memcmp(data, life->up + begin, size) == 0);
    life->up_parsed = begin + (uint32_t)size;
}

void conn_life_closed(struct conn_life *life, uint32_t reason)
{
    uint32_t left = life->up_size - life->up_parsed;
    switch ((enum throng_close_reason)reason) {
    case THRONG_CLOSE_PEER:
        FUZZ_CHECK(life->ended && (left == 0 || life->unheard));
        break;
    case THRONG_CLOSE_TRUNCATED:
        FUZZ_CHECK(life->ended && left > 0);
        FUZZ_CHECK(left < 4 || next_length(life) > left - 4 || life->unheard);
        break;
    case THRONG_CLOSE_TOO_LARGE:
        FUZZ_CHECK((next_length(life) > CONN_MESSAGE_MAX && left >= 4) || life->unheard);
        break;
    default:
        FUZZ_CHECK(reason != THRONG_CLOSE_NONE && reason != THRONG_CLOSE_DRAINED);
        break;
    }
    life->closed = true;
}

void conn_life_hears(struct conn_life *life, const void *data, size_t size)
{
    uint8_t *end = life->down + life->down_size;
    FUZZ_CHECK(size + THRONG_FRAME_HEADER_BYTES <= CONN_DOWN_MAX - life->down_size);
    end[0] = (uint8_t)(size >> 24);
    end[1] = (uint8_t)(size >> 16);
    end[2] = (uint8_t)(size >> 8);
    end[3] = (uint8_t)size;
    if (size > 0) {
        memcpy(end + THRONG_FRAME_HEADER_BYTES, data, size);
    }
    life->down_size += (uint32_t)size + THRONG_FRAME_HEADER_BYTES;
}
