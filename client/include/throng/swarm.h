/* SPDX-License-Identifier: MIT
 * The swarm: tens of thousands of client connections in one process, driven by a small fixed number
 * of threads, each with its own completion port. For load tools, bots and gateways.
 *
 * Each connection belongs to one thread for life: connection i to thread i % threads. The handler's
 * functions run on that thread; the calls marked "handler" may only be made there. Everything is
 * reserved at start.
 *
 * Where the descriptor limit is too low for all connections, each thread gets a descriptor table of
 * its own. A handler then sees none of the process's descriptors but 0, 1 and 2: files and sockets
 * of the application are for the application's threads. */
#ifndef THRONG_SWARM_H
#define THRONG_SWARM_H

#include <throng/error.h>
#include <throng/types.h>
#include <throng/wire.h>

#ifdef __cplusplus
extern "C" {
#endif

#define THRONG_SWARM_CONNECTIONS_LIMIT 1048575u
#define THRONG_SWARM_THREADS_LIMIT 64u
#define THRONG_SWARM_TARGETS_MAX 16

struct throng_swarm;

/* One thread's part of the swarm; what handler calls take. */
struct throng_swarm_thread;

struct throng_swarm_handler {
    void *context;

    /* Connection `index` (0..connections-1) is up. */
    void (*on_open)(void *context, struct throng_swarm_thread *thread, uint32_t index);

    /* A whole message; `data` is valid during the call. */
    void (*on_message)(void *context, struct throng_swarm_thread *thread, uint32_t index,
                       const void *data, size_t size);

    /* The connection ended, or could not be made (then without on_open). `error`: THRONG_EEOF (the
     * peer ended its direction; what was not sent yet is dropped), THRONG_ECANCELED
     * (throng_swarm_disconnect, unless the connection broke, or 5 seconds passed, before everything
     * written was sent: then that error, or THRONG_ETIMEDOUT), THRONG_ECONNREFUSED,
     * THRONG_ETIMEDOUT (heartbeat_ms, too), THRONG_EPROTOCOL (a frame over message_bytes_max, or
     * cut off by the end), THRONG_ENOBUFS (see assembly_bytes), ... It stays down until
     * throng_swarm_connect, which may be called from here; a handler that always does so should
     * pace itself (connects_per_second), for a refusal comes at once. */
    void (*on_closed)(void *context, struct throng_swarm_thread *thread, uint32_t index, int error);

    /* Once per turn of the thread's loop, for pacing and bookkeeping; may be NULL. Answers the time
     * (throng_swarm_now_ns) at which it wants to run again at the latest; UINT64_MAX: whenever.
     * Runs again soon after throng_swarm_wake, and then sees what the waker did before. */
    uint64_t (*on_turn)(void *context, struct throng_swarm_thread *thread, uint64_t now_ns);
};

/* Fill with throng_swarm_options_init. */
struct throng_swarm_options {
    size_t struct_size;

    /* "tcp://HOST:PORT", at least one; connection i goes to target i % count. A name is looked up
     * once, by throng_swarm_start. The strings are copied. */
    const char *targets[THRONG_SWARM_TARGETS_MAX];

    uint32_t connections; /* 1..1,048,575; default 1 */

    /* 1..64; 0 (default): as many as the descriptor limit makes necessary. Raised to that when
     * fewer are asked for; throng_swarm_threads tells. */
    uint32_t threads;

    uint32_t message_bytes_max; /* longest payload; default 65,536 */
    enum throng_byte_order byte_order;

    /* Connects per second over all threads; 0 (default): as fast as it goes, at most
     * connects_in_flight (default 256) at once per thread. */
    uint32_t connects_per_second;
    uint32_t connects_in_flight;
    uint32_t connect_timeout_ms; /* default 30,000 */

    /* First source address; family NONE (default): the system's choice, and when connections per
     * target exceed the ports of one address and the target is in 127.0.0.0/8, sources are spread
     * over 127.0.0.1, 127.0.0.2, ... by itself. With a source given, `source_count` (default 1)
     * consecutive addresses from it are used. */
    struct throng_address source;
    uint32_t source_count; /* 1..65,536 */

    /* Most bytes waiting to be sent on one connection; default 256 KiB or two longest messages. */
    uint32_t send_queue_bytes_max;

    /* Memory per thread: sends waiting, default 16 MiB or two longest messages; and messages that
     * arrive in pieces, default one longest message per connection, but 8 MiB (or four longest
     * messages) at least and 64 MiB (or that) at most. Connections that find no memory for a piece
     * wait for it in line; half is set aside for them. If the line stands still for a second, the
     * connection that takes longest over one message is reset (THRONG_ENOBUFS), and so on each
     * second. What is not needed is not touched. */
    size_t send_bytes;
    size_t assembly_bytes;

    const char *backend;                 /* as in the server's options */
    struct throng_swarm_handler handler; /* copied */

    /* Heartbeats, ms; 0..86,400,000; default 0: none, and empty messages are messages. Turn them on
     * where the server has them on, best with the same interval. Then empty messages are not handed
     * to on_message and cannot be written: each is answered (unless it is an answer itself), one is
     * sent where nothing was sent for an interval, and a connection from which nothing came for
     * three ends (THRONG_ETIMEDOUT), half of one later at most. (common/PROTOCOL.md) */
    uint32_t heartbeat_ms;
};

THRONG_API void throng_swarm_options_init(struct throng_swarm_options *options);

/* Starts the threads; all connections begin to connect. 0, or an error as throng_server_start with
 * nothing left behind; too few ports for that many connections is THRONG_EADDRNOTAVAIL, and `error`
 * says how many source addresses would do. */
THRONG_API int throng_swarm_start(struct throng_swarm **swarm,
                                  const struct throng_swarm_options *options,
                                  struct throng_error *error);

/* Resets what is connected, ends the threads, frees everything. No handler runs afterwards, and
 * none is told about the connections that this ends. NULL is allowed. Not from a handler. */
THRONG_API void throng_swarm_stop(struct throng_swarm *swarm);

THRONG_API uint32_t throng_swarm_threads(const struct throng_swarm *swarm);
THRONG_API uint32_t throng_swarm_source_count(const struct throng_swarm *swarm);
THRONG_API const char *throng_swarm_backend(const struct throng_swarm *swarm);

/* Connections that are up now. Any thread. */
THRONG_API uint32_t throng_swarm_connected(const struct throng_swarm *swarm);

/* Makes each thread run a turn (and so on_turn) soon. Any thread but the swarm's own: a handler's
 * thread is on its way to a turn anyway. (Nor another swarm's: see above about descriptors.) */
THRONG_API void throng_swarm_wake(struct throng_swarm *swarm);

/* The swarm's clock, monotonic. Any thread. */
THRONG_API uint64_t throng_swarm_now_ns(void);

/* ---- handler calls ---- */

/* Which thread this is, 0..threads-1. */
THRONG_API uint32_t throng_swarm_thread_index(const struct throng_swarm_thread *thread);

/* Queues one message; it goes out at the end of the turn. 0; THRONG_EINVAL: not connected, or an
 * empty message although there are heartbeats; THRONG_EAGAIN: the connection's queue or the
 * thread's send memory is full; THRONG_ETOOBIG. All or nothing. */
THRONG_API int throng_swarm_write(struct throng_swarm_thread *thread, uint32_t index,
                                  const void *data, size_t size);

/* Connects one that is down (again). 0, or THRONG_EINVAL if it is not down. */
THRONG_API int throng_swarm_connect(struct throng_swarm_thread *thread, uint32_t index);

/* Closes one: gracefully (what was written is sent, then our end; waits for the peer's, 5 seconds
 * in all; messages that still arrive are dropped) or by reset, which one that is not up yet always
 * is. on_closed follows, after this returns. 0, also if it is closing already, or THRONG_EINVAL if
 * it is down. */
THRONG_API int throng_swarm_disconnect(struct throng_swarm_thread *thread, uint32_t index,
                                       bool abort);

/* How long the connect of a connected one took, ns; 0 if it is not connected. */
THRONG_API uint64_t throng_swarm_connect_ns(const struct throng_swarm_thread *thread,
                                            uint32_t index);

/* The local address of a connected one. 0, THRONG_EINVAL, or an error if it was reset meanwhile. */
THRONG_API int throng_swarm_local_address(struct throng_swarm_thread *thread, uint32_t index,
                                          struct throng_address *address);

#ifdef __cplusplus
}
#endif

#endif
