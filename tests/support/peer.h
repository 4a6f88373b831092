/* SPDX-License-Identifier: MIT
 * A peer made of one plain socket and nothing of ours, so that it can break every rule: half a
 * header, a reset in the middle, an end that comes too early. Never blocks but where a time limit
 * says so; reports instead of asserting, so it may be used on any thread, one thread at a time. */
#ifndef TEST_SUPPORT_PEER_H
#define TEST_SUPPORT_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/types.h>

struct peer {
    intptr_t descriptor; /* a descriptor, or a SOCKET on Windows; -1: none */
    bool was_reset;      /* already while it connected; peer_receive says so */
};

/* What peer_send and peer_receive answer besides a count of bytes (>= 1). */
enum peer_answer {
    PEER_END = 0,          /* the other side ended its direction */
    PEER_WOULD_BLOCK = -1, /* nothing is possible right now */
    PEER_RESET = -2,       /* the other side reset the connection */
    PEER_FAILED = -3,      /* anything else */
};

/* How to connect; zeroed: nothing special. */
struct peer_options {
    int receive_buffer_bytes;     /* SO_RCVBUF, set before the connect; 0 = the system's choice */
    struct throng_address source; /* family NONE: the system's choice */
};

/* Connects within 5 s; `options` may be NULL. On failure the peer holds no descriptor. A connection
 * that was made and reset at once counts as made. */
bool peer_connect(struct peer *peer, const struct throng_address *target,
                  const struct peer_options *options);

/* Waits until the peer has something to receive (`input`) or takes something to send (`room`), or
 * has failed. False if nothing of that came within limit_ms. One without a descriptor only
 * waits. */
bool peer_await(const struct peer *peer, bool input, bool room, int limit_ms);

/* What the system says right now: bytes, or enum peer_answer. size >= 1. */
ptrdiff_t peer_send(const struct peer *peer, const void *data, size_t size);
ptrdiff_t peer_receive(const struct peer *peer, void *data, size_t capacity);

/* All of it, waiting at most limit_ms between two pieces. */
bool peer_send_all(const struct peer *peer, const void *data, size_t size, int limit_ms);
bool peer_receive_all(const struct peer *peer, void *data, size_t size, int limit_ms);

/* One frame with a big-endian header. receive answers the size of the payload, PEER_WOULD_BLOCK,
 * PEER_RESET, or PEER_FAILED (the stream ended, or the payload is over `capacity`). */
bool peer_send_frame(const struct peer *peer, const void *data, size_t size, int limit_ms);
ptrdiff_t peer_receive_frame(const struct peer *peer, void *data, size_t capacity, int limit_ms);

/* Takes what comes, and throws it away, until the end or an error: PEER_END, PEER_RESET,
 * PEER_FAILED, or PEER_WOULD_BLOCK if neither came within limit_ms. */
enum peer_answer peer_await_end(const struct peer *peer, int limit_ms);

/* Ends our direction with a FIN. */
void peer_finish(const struct peer *peer);

/* Closes: with a FIN, or with a reset. Nothing happens if there is no descriptor. */
void peer_close(struct peer *peer);
void peer_reset(struct peer *peer);

/* SO_SNDBUF. False if the system refuses. */
bool peer_limit_send_buffer(const struct peer *peer, int bytes);

void peer_local_address(const struct peer *peer, struct throng_address *address);
void peer_remote_address(const struct peer *peer, struct throng_address *address);

/* The 4-byte big-endian length. */
void peer_frame_header(uint8_t header[4], uint32_t length);

/* The address in `host`, a numeric one. The port is left as it is. False if it is none. */
bool peer_read_host(struct throng_address *address, const char *host);

/* 127.0.0.1 or ::1 with a port. */
struct throng_address peer_loopback(enum throng_address_family family, uint16_t port);

#endif
