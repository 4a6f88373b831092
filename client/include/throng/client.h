/* SPDX-License-Identifier: MIT
 * The non-blocking client: one connection that fits into somebody else's loop (a game's frame, a
 * poll loop). Nothing here waits. Memory is reserved by throng_client_create; one client belongs to
 * one thread. */
#ifndef THRONG_CLIENT_H
#define THRONG_CLIENT_H

#include <throng/error.h>
#include <throng/types.h>
#include <throng/wire.h>

#ifdef __cplusplus
extern "C" {
#endif

struct throng_client;

enum throng_client_state {
    THRONG_CLIENT_IDLE = 0,       /* created, or closed: connect may be called */
    THRONG_CLIENT_CONNECTING = 1, /* throng_client_update moves it on */
    THRONG_CLIENT_CONNECTED = 2,
    THRONG_CLIENT_FAILED =
        3, /* throng_client_error says why; whole messages received can still be read */
};

/* Fill with throng_client_options_init. 0 means the default. */
struct throng_client_options {
    size_t struct_size;
    uint32_t message_bytes_max; /* longest payload; 1..67,108,864; default 65,536 */
    uint32_t inbox_bytes;  /* received, not yet read; at least one longest frame; default 128 KiB or
                              that */
    uint32_t outbox_bytes; /* written, not yet sent; likewise */
    uint32_t connect_timeout_ms; /* default 10,000 */
    enum throng_byte_order byte_order;
    struct throng_address source; /* local address; family NONE (default): any */

    /* Heartbeats, ms; 0..86,400,000; default 0: none, and empty messages are messages. Turn them on
     * where the server has them on, best with the same interval. Then empty messages are not read
     * and cannot be written: throng_client_update answers them, sends one where nothing was sent
     * for an interval, and gives the peer up (THRONG_ETIMEDOUT) from which nothing came for three.
     * Call it at least once an interval; time without a call is not held against the peer, but the
     * peer may hold it against us. (common/PROTOCOL.md) */
    uint32_t heartbeat_ms;
};

THRONG_API void throng_client_options_init(struct throng_client_options *options);

/* `options` may be NULL. 0, THRONG_EINVAL, THRONG_ENOMEM. */
THRONG_API int throng_client_create(struct throng_client **client,
                                    const struct throng_client_options *options,
                                    struct throng_error *error);

/* Closes and frees; NULL is allowed. */
THRONG_API void throng_client_destroy(struct throng_client *client);

/* Begins to connect to "tcp://HOST:PORT" with a numeric HOST, or to a resolved address; a name
 * would have to be looked up, which blocks: throng_client_resolve does that. 0, or THRONG_EINVAL
 * (not IDLE, the text, or a source of the other address family). What the system refuses at once
 * makes the state FAILED, as what it refuses later does. */
THRONG_API int throng_client_connect(struct throng_client *client, const char *endpoint);
THRONG_API int throng_client_connect_address(struct throng_client *client,
                                             const struct throng_address *address);

/* Looks a host name up; blocks. Answers the count of addresses (>= 1), THRONG_ERESOLVE or
 * THRONG_EINVAL. */
THRONG_API int throng_client_resolve(const char *endpoint, struct throng_address *addresses,
                                     int capacity);

/* Moves everything that can move now: connecting, receiving, sending. Call when the descriptor is
 * ready, or once a frame. Answers the state. */
THRONG_API enum throng_client_state throng_client_update(struct throng_client *client);

THRONG_API enum throng_client_state throng_client_state(const struct throng_client *client);

/* Why the client FAILED: THRONG_EEOF (the peer closed), THRONG_ECONNREFUSED, THRONG_ETIMEDOUT,
 * THRONG_ECONNRESET, THRONG_EPROTOCOL (a frame over the limit, or cut off by the end) ...; 0
 * otherwise. THRONG_ETIMEDOUT: the connect took too long, or heartbeats found the peer silent, or
 * TCP itself gave up. */
THRONG_API int throng_client_error(const struct throng_client *client);

/* The descriptor to poll (SOCKET on Windows), -1 in states without one; and what to poll it for.
 * Readable is not wanted while the inbox is full: once that is so, until half of it, or every whole
 * message, was read. */
THRONG_API intptr_t throng_client_descriptor(const struct throng_client *client);
THRONG_API bool throng_client_wants_read(const struct throng_client *client);
THRONG_API bool throng_client_wants_write(const struct throng_client *client);
/* Milliseconds until throng_client_update must be called even if nothing is ready (connect timeout,
 * heartbeats; 0: a write found the peer gone, or there is more to do at once); -1: never. */
THRONG_API int throng_client_wait_ms(const struct throng_client *client);

/* Puts one message into the outbox and tries to send. 0; THRONG_EAGAIN: the outbox is full (nothing
 * was taken); THRONG_ETOOBIG; THRONG_EINVAL: not CONNECTED, or an empty message although there are
 * heartbeats; THRONG_ECLOSING: after shutdown; or why
 * the peer cannot be reached any more (throng_client_update then moves on to FAILED, with what the
 * peer had sent in the inbox). All of the message or none. */
THRONG_API int throng_client_write(struct throng_client *client, const void *data, size_t size);

/* The next whole message of the inbox: 1 with *data and *size, valid until the next
 * throng_client_update, _read, _connect or _close of this client; 0 if there is none (look at the
 * state to tell "not yet" from "never"). Does not touch the socket: throng_client_update does. */
THRONG_API int throng_client_read(struct throng_client *client, const void **data, size_t *size);

/* Bytes in the two boxes. */
THRONG_API size_t throng_client_inbox_bytes(const struct throng_client *client);
THRONG_API size_t throng_client_outbox_bytes(const struct throng_client *client);

/* Ends our direction once the outbox is empty; the state stays CONNECTED until the peer ends too.
 * The other way round a peer's end is reported (FAILED, THRONG_EEOF) once the outbox is empty. 0,
 * THRONG_EINVAL: not CONNECTED, or an error as of throng_client_write. */
THRONG_API int throng_client_shutdown(struct throng_client *client);

/* Closes at once; back to IDLE with empty boxes. */
THRONG_API void throng_client_close(struct throng_client *client);

#ifdef __cplusplus
}
#endif

#endif
