/* SPDX-License-Identifier: MIT
 * The two sides of target `connection`: peers on the simulated network, and the game on the server.
 * A life is one connection of a peer: what it sent, and what was accepted for it. */
#ifndef FUZZ_CONNECTION_H
#define FUZZ_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <throng/server.h>

#define CONN_PEERS 4u
#define CONN_MESSAGE_MAX 700u

/* Connections in one run, and bytes that each sends and is sent. */
#define CONN_LIVES 12u
#define CONN_UP_MAX 4096u
#define CONN_DOWN_MAX 8192u

struct conn_life {
    uint16_t port; /* the peer's */
    uint64_t conn; /* the server's id; 0: no OPEN came */
    bool closed;   /* CLOSED came */
    bool ended;    /* the peer ended or closed it, or reset it */
    bool unheard;  /* throng_close was called: what it said since is not reported */
    uint32_t up_size;
    uint32_t up_parsed; /* what the server has reported */
    uint32_t down_size;
    uint32_t down_read;
    uint8_t up[CONN_UP_MAX];
    uint8_t down[CONN_DOWN_MAX];
};

/* ---- the peers (connection_peers.c); what a peer cannot do now, it does not ---- */

/* At least a longest message of bytes that depend on the place. */
const uint8_t *conn_pattern(uint32_t place);

/* Forgets all lives. */
void conn_lives_begin(void);
uint32_t conn_lives_count(void);
struct conn_life *conn_life_at(uint32_t index);
/* The life of which that is the address. */
struct conn_life *conn_life_of(const struct throng_address *address);
/* The peer's present one; NULL: it is not connected. */
struct conn_life *conn_life_of_peer(uint32_t peer);

void conn_peer_connect(uint32_t peer);
void conn_peer_send(uint32_t peer, const uint8_t *data, uint32_t size);
/* A whole message; `size` modulo the limit and two more. */
void conn_peer_send_message(uint32_t peer, uint32_t size);
/* Reads at most `most` bytes and holds them against what was accepted. */
void conn_peer_read(uint32_t peer, uint32_t most);
void conn_peer_end(uint32_t peer);
void conn_peer_close(uint32_t peer, bool abort);

/* The server reports a message: it must be the next that was sent. */
void conn_life_said(struct conn_life *life, const void *data, size_t size);
/* Why the server says that the connection ended must be possible. */
void conn_life_closed(struct conn_life *life, uint32_t reason);
/* The server has accepted a message. */
void conn_life_hears(struct conn_life *life, const void *data, size_t size);

/* ---- the game (connection_game.c) ---- */

void conn_game_init(struct throng_server *started);
void conn_take(uint32_t most);
void conn_release(uint32_t which);
void conn_release_all(void);
void conn_write(uint32_t peer, uint32_t size);
/* Calls with the id of the `which`th connection of the run, if it is gone. */
void conn_use_stale(uint32_t which, uint32_t call);
void conn_close(uint32_t peer, bool abort);
/* Answers the oldest message that is held. */
void conn_echo(uint32_t times);
bool conn_is_at_rest(void);
void conn_check_rest(void);

#endif
