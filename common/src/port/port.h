/* SPDX-License-Identifier: MIT
 * THE completion port: one contract, four backends (epoll, io_uring, IOCP, a simulated one).
 * Operations name a record of the caller and complete later; tg_port_wait answers what is done,
 * never what is ready.
 *
 * One thread owns a port and everything in it: the first that calls tg_port_wait. Only tg_port_wake
 * may be called from elsewhere. After that thread has ended another one may close what is left,
 * wait for that, and destroy the port. The owner is a server's worker, a swarm's thread, or a test.
 *
 * THE CONTRACT
 *
 *  1. Records. A tg_stream or tg_listener is the caller's memory and stays valid until its CLOSE
 *     completion has been taken out of tg_port_wait, also after tg_port_close. The port never
 *     allocates.
 *  2. Answers. tg_port_send and tg_port_connect answer exactly one of: done (> 0, no completion
 *     will come), pending (TG_PORT_PENDING, exactly one completion will come), or an error (< 0,
 *     none will come). A completion may be in the port's batch before the submitting call has
 *     returned.
 *  3. Receiving is a stream: after tg_port_receive, RECEIVE completions come until the caller
 *     pauses or one with result <= 0 came, which is the last: 0 = the peer ended its direction, <
 *     0 = error. Each with result > 0 carries one reference to a buffer of the receive pool, which
 *     the caller releases. One tg_port_wait answers at most one RECEIVE per stream, of at most
 *     turn_bytes, so none starves the rest; after tg_port_pause none comes until tg_port_receive,
 *     and no byte is lost. A stream that finds no free receive buffer waits in a queue, first come
 *     first served, and goes on by itself when buffers come home; TCP carries the pressure to the
 *     peer meanwhile. An idle stream pins no buffer.
 *  4. Sending. At most one send of a stream is in flight (submitting a second one is a caller's
 *     bug). The slices array is read during the call; the bytes that it points to belong to the
 *     port until the completion. A send may complete short, also with 0 bytes: submit the rest
 *     again.
 *  5. Accepting. ACCEPT completions bring a handle that the caller gives to a record of its own
 *     (tg_port_adopt) or turns away (tg_port_refuse); it must do one of both. At most `credit` of
 *     them come per tg_port_accept: a backend that takes connections ahead keeps the surplus until
 *     there is credit. A connection that died before it was accepted is skipped silently and
 *     counted. An ACCEPT completion with result < 0 says that the system has run out of something:
 *     accepting has stopped until the caller calls tg_port_accept again (after a while). It never
 *     spins. Ports that share a listening socket are opened with the same tg_acceptor.
 *  6. Closing. tg_port_close makes everything in flight of that stream complete (with success if
 *     it was faster, else with THRONG_ECANCELED), and then, last, CLOSE completes. After CLOSE
 *     nothing arrives for the record, and it may be used anew. A receive that was armed ends
 *     silently.
 *  7. Errors of all systems are THRONG_E... codes; an unknown one means that the connection is
 *     dead. After an error of a stream only tg_port_close is useful.
 *  8. Submitting. What a call asks of the system may reach it only with the next tg_port_wait.
 *  9. Waking. tg_port_wake makes the current or next tg_port_wait return; wakes are coalesced.
 *     Around a wait the owner calls tg_port_prepare_wait, looks for work once more, and passes
 *     timeout 0 if there is some; then no wake is lost, and none costs a system call unless the
 *     owner sleeps.
 */
#ifndef TG_PORT_PORT_H
#define TG_PORT_PORT_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/error.h>
#include <throng/types.h>

#include "base/list.h"
#include "base/yield.h"
#include "buffer/chain.h"
#include "buffer/recv_pool.h"
#include "os/socket.h"
#include "os/thread.h"
#include "port/op.h"

/* A backend's own name of a connection: a descriptor, a SOCKET, an index into a file table. */
typedef intptr_t tg_handle;
#define TG_HANDLE_NONE ((tg_handle)-1)

#define TG_PORT_PENDING 0

enum tg_completion_kind {
    TG_COMPLETION_ACCEPT = 1,
    TG_COMPLETION_CONNECT,
    TG_COMPLETION_RECEIVE,
    TG_COMPLETION_SEND,
    TG_COMPLETION_CLOSE,
    TG_COMPLETION_LISTENER_CLOSE,
};

/* One connection as the port sees it; embedded in the caller's record. The caller zeroes it before
 * adopt/connect and then only reads `handle`; all else is the backend's. 32 bytes (Windows: 128).
 */
struct tg_stream {
    tg_handle handle;
    struct tg_list link; /* in one of the backend's queues */
    uint32_t flags;      /* the backend's */
    uint32_t held;       /* the backend's: input taken from the system and not completed */
    TG_STREAM_OPS
};

/* Whether the port has the stream in a queue: there may be input that was not completed, for want
 * of a receive buffer or of a turn. Whoever judges a peer's silence asks. */
static inline bool tg_stream_is_queued(const struct tg_stream *stream)
{
    return tg_list_is_linked(&stream->link) || stream->held != 0;
}

/* One listening socket in one port. The same socket may be in several ports; each closes its own.
 */
struct tg_listener {
    tg_handle handle;
    struct tg_list link;
    uint32_t flags;
    uint32_t credit;    /* connections that the caller can still take */
    uint32_t in_flight; /* the backend's: accepts not yet completed */
};

struct tg_completion {
    uint8_t kind; /* enum tg_completion_kind */
    /* RECEIVE: bytes, 0 at the end of the stream; SEND: bytes; CONNECT, ACCEPT, CLOSE: 0; or an
     * error. */
    int32_t result;
    uint32_t buffer; /* RECEIVE with result > 0: the receive buffer that holds `data` */
    union {
        struct tg_stream *stream;
        struct tg_listener *listener; /* ACCEPT, LISTENER_CLOSE */
    };
    union {
        const uint8_t *data; /* RECEIVE with result > 0 */
        tg_handle accepted;  /* ACCEPT with result 0 */
    };
};

enum tg_close_mode {
    TG_CLOSE_NORMAL, /* FIN, unless unread data makes the system send a reset */
    TG_CLOSE_ABORT,  /* reset: nothing more is delivered, no TIME_WAIT */
};

/* What a port counts. Owner thread writes, relaxed (`wakes`: the waker); any thread may read. */
struct tg_port_counters {
    _Atomic uint64_t waits;          /* tg_port_wait calls that reached the system */
    _Atomic uint64_t receives;       /* receive system calls */
    _Atomic uint64_t sends;          /* send system calls */
    _Atomic uint64_t wakes;          /* tg_port_wake calls that had to reach the system */
    _Atomic uint64_t accepts_dead;   /* connections that had died before they were accepted */
    _Atomic uint64_t accept_pauses;  /* times that accepting stopped for want of something */
    _Atomic uint64_t buffers_missed; /* times that a stream found no receive buffer */
};

struct tg_port_options {
    struct tg_recv_pool *recv_pool; /* the caller's, kept as long as the port */
    uint32_t turn_bytes;            /* most bytes one stream receives per wait; >= 1 */
    uint32_t streams_max;           /* most streams at once, for backends that need tables */
    uint32_t buffers_max;           /* buffers of recv_pool, likewise */
    uint32_t listeners_max;         /* most listeners at once, likewise */
    uint32_t accept_pool; /* accepts in flight per listener, for IOCP: its sockets are made ahead */
    bool reuse_sockets;   /* for IOCP: see iocp_reuse.c */
    uint32_t keepalive_s; /* for IOCP, of those sockets (os/socket.h); elsewhere they inherit it */
    struct tg_acceptor *acceptor; /* of ports that share listening sockets, else NULL */
    void *memory;                 /* tg_port_memory_bytes(), zeroed, kept */
};

/* Most descriptors that a port holds for itself. */
#define TG_PORT_DESCRIPTORS_MAX 4

struct tg_port;

/* What the ports that share a listening socket have in common; the caller's memory. A socket of
 * Windows reports to one completion port for its whole life: there a thread takes what is accepted
 * and passes it to the port that has asked. Nothing on other systems. */
struct tg_acceptor {
    void *system;
    struct tg_thread thread;
};

/* A backend: its name and its functions, documented at the wrappers below. */
struct tg_port_backend {
    const char *name; /* "epoll", "io_uring", "iocp", "sim" */
    int (*check)(const char **reason);
    bool (*has_own_table)(void);
    int (*open_acceptor)(struct tg_acceptor *acceptor); /* NULL: sharing needs none */
    void (*close_acceptor)(struct tg_acceptor *acceptor);
    size_t (*memory_bytes)(const struct tg_port_options *options);
    int (*open)(struct tg_port **port, const struct tg_port_options *options);
    void (*destroy)(struct tg_port *port);
    uint32_t (*descriptors)(const struct tg_port *port, tg_socket *list, uint32_t capacity);
    int (*listen)(struct tg_port *port, struct tg_listener *listener, tg_socket sock);
    void (*accept)(struct tg_port *port, struct tg_listener *listener, uint32_t credit);
    void (*close_listener)(struct tg_port *port, struct tg_listener *listener);
    int (*adopt)(struct tg_port *port, struct tg_stream *stream, tg_handle accepted);
    void (*refuse)(struct tg_port *port, tg_handle accepted);
    int (*connect)(struct tg_port *port, struct tg_stream *stream,
                   const struct throng_address *peer, const struct throng_address *source);
    void (*receive)(struct tg_port *port, struct tg_stream *stream);
    void (*stop)(struct tg_port *port, struct tg_stream *stream);
    void (*pause)(struct tg_port *port, struct tg_stream *stream);
    int (*send)(struct tg_port *port, struct tg_stream *stream, const struct tg_slice *slices,
                uint32_t count);
    void (*shutdown)(struct tg_port *port, struct tg_stream *stream);
    void (*close)(struct tg_port *port, struct tg_stream *stream, enum tg_close_mode mode);
    int (*addresses)(struct tg_port *port, struct tg_stream *stream, struct throng_address *peer,
                     struct throng_address *local);
    uint32_t (*wait)(struct tg_port *port, struct tg_completion *completions, uint32_t capacity,
                     int64_t timeout_ns);
    void (*wake_system)(struct tg_port *port);
};

/* What every backend's port begins with. */
struct tg_port {
    const struct tg_port_backend *backend;
    struct tg_recv_pool *recv_pool;
    uint32_t turn_bytes;
    struct tg_port_counters counters;
    alignas(64) _Atomic uint32_t sleeping; /* see tg_port_prepare_wait */
};

/* The one that "auto" would like best in this build. Whether the system allows it is another
 * question. */
extern const struct tg_port_backend *const tg_port_backend_best;

/* The backend by that name, or with "auto" the best that this system allows; NULL if it is unknown
 * or not in this build. */
const struct tg_port_backend *tg_port_backend_find(const char *name);

/* Whether this system allows the backend: 0; THRONG_ENOTSUP, or THRONG_EMFILE or THRONG_ENOMEM if
 * there is too little left to find out, with what was refused in `reason`. Tries it, so it takes
 * some system calls. */
#define TG_PORT_REASON_BYTES 128
int tg_port_backend_check(const struct tg_port_backend *backend, char reason[TG_PORT_REASON_BYTES]);

/* Whether its connections count against no descriptor table of the process, so that each port has
 * the whole descriptor limit for itself. */
static inline bool tg_port_has_own_table(const struct tg_port_backend *backend)
{
    return backend->has_own_table();
}

/* The names of the backends in this build, comma-separated, for error texts. */
const char *tg_port_backend_names(void);

/* Bytes of memory that the port lives in, besides what the system holds. */
static inline size_t tg_port_memory_bytes(const struct tg_port_backend *backend,
                                          const struct tg_port_options *options)
{
    return backend->memory_bytes(options);
}

/* Before the first port that shares a listening socket with another is opened, and after the last
 * one was destroyed. 0, THRONG_ENOMEM. close: harmless if it is not open (zeroed). */
static inline int tg_acceptor_open(struct tg_acceptor *acceptor,
                                   const struct tg_port_backend *backend)
{
    return backend->open_acceptor == NULL ? 0 : backend->open_acceptor(acceptor);
}

static inline void tg_acceptor_close(struct tg_acceptor *acceptor,
                                     const struct tg_port_backend *backend)
{
    if (acceptor->system != NULL) {
        backend->close_acceptor(acceptor);
    }
}

/* Opens a port in options->memory. 0; THRONG_EMFILE, THRONG_ENOMEM, THRONG_ENOTSUP with nothing
 * left. */
static inline int tg_port_open(struct tg_port **port, const struct tg_port_backend *backend,
                               const struct tg_port_options *options)
{
    return backend->open(port, options);
}

/* Ends a port in which every stream and listener has completed its CLOSE. NULL is allowed. */
static inline void tg_port_destroy(struct tg_port *port)
{
    if (port != NULL) {
        port->backend->destroy(port);
    }
}

/* The descriptors that the port itself holds (not its streams), for tg_thread_own_descriptors.
 * Answers their number, at most TG_PORT_DESCRIPTORS_MAX. */
static inline uint32_t tg_port_descriptors(const struct tg_port *port, tg_socket *list,
                                           uint32_t capacity)
{
    return port->backend->descriptors(port, list, capacity);
}

/* Brings a listening socket into the port, which owns `sock` from now on (a duplicate if several
 * ports share it in one descriptor table). No connection is taken before tg_port_accept. 0 or an
 * error. */
static inline int tg_port_listen(struct tg_port *port, struct tg_listener *listener, tg_socket sock)
{
    return port->backend->listen(port, listener, sock);
}

/* Sets how many more ACCEPT completions may come; 0 pauses accepting. Each completion takes one. */
static inline void tg_port_accept(struct tg_port *port, struct tg_listener *listener,
                                  uint32_t credit)
{
    port->backend->accept(port, listener, credit);
}

/* Stops accepting and closes; LISTENER_CLOSE completes last. Connections accepted by the system but
 * not completed yet are reset. */
static inline void tg_port_close_listener(struct tg_port *port, struct tg_listener *listener)
{
    port->backend->close_listener(port, listener);
}

/* Gives an accepted handle to a record. The stream does not receive before tg_port_receive. 0, or
 * an error with the handle closed and the record unused. */
static inline int tg_port_adopt(struct tg_port *port, struct tg_stream *stream, tg_handle accepted)
{
    return port->backend->adopt(port, stream, accepted);
}

/* Turns an accepted connection away with a reset. */
static inline void tg_port_refuse(struct tg_port *port, tg_handle accepted)
{
    port->backend->refuse(port, accepted);
}

/* Connects a zeroed record. `source` may be NULL (the system chooses). TG_PORT_PENDING, then a
 * CONNECT completion; a failed one still needs tg_port_close. An error at once leaves the record
 * unused. */
static inline int tg_port_connect(struct tg_port *port, struct tg_stream *stream,
                                  const struct throng_address *peer,
                                  const struct throng_address *source)
{
    return port->backend->connect(port, stream, peer, source);
}

/* Starts, or after a pause resumes, the stream of RECEIVE completions. Harmless while it runs. */
static inline void tg_port_receive(struct tg_port *port, struct tg_stream *stream)
{
    port->backend->receive(port, stream);
}

/* Takes no more input from the system until tg_port_receive. What was taken already still comes, so
 * that a stream that waits for long pins no buffer; with the last RECEIVE it is turn_bytes at most.
 */
static inline void tg_port_stop(struct tg_port *port, struct tg_stream *stream)
{
    port->backend->stop(port, stream);
}

/* Stops, and keeps back also what was taken already: for a caller that has no room now. */
static inline void tg_port_pause(struct tg_port *port, struct tg_stream *stream)
{
    port->backend->pause(port, stream);
}

/* One gathered send of 1..TG_GATHER_MAX slices, none empty. Bytes taken (>= 1), TG_PORT_PENDING, or
 * an error. */
static inline int tg_port_send(struct tg_port *port, struct tg_stream *stream,
                               const struct tg_slice *slices, uint32_t count)
{
    return port->backend->send(port, stream, slices, count);
}

/* Ends our direction behind what was sent; receiving goes on. No send may be in flight. No
 * completion. */
static inline void tg_port_shutdown(struct tg_port *port, struct tg_stream *stream)
{
    port->backend->shutdown(port, stream);
}

static inline void tg_port_close(struct tg_port *port, struct tg_stream *stream,
                                 enum tg_close_mode mode)
{
    port->backend->close(port, stream, mode);
}

/* The addresses of an adopted or connected stream; either may be NULL. 0 or an error (a connection
 * that was reset has none). */
static inline int tg_port_addresses(struct tg_port *port, struct tg_stream *stream,
                                    struct throng_address *peer, struct throng_address *local)
{
    return port->backend->addresses(port, stream, peer, local);
}

/* Announces that a wait may sleep. Look at the rings afterwards. */
static inline void tg_port_prepare_wait(struct tg_port *port)
{
    tg_yield();
    atomic_store_explicit(&port->sleeping, 1, memory_order_relaxed);
    /* Full fence: pairs with the one in tg_port_wake. Either we see the work published before it,
     * or the waker sees our announcement. */
    atomic_thread_fence(memory_order_seq_cst);
    tg_yield();
}

/* Waits for completions: at most timeout_ns (0: only look; negative: no limit). Answers how many
 * were written; 0 after a wake, a time-out, or for no reason. Ends the announcement. capacity >= 1.
 */
static inline uint32_t tg_port_wait(struct tg_port *port, struct tg_completion *completions,
                                    uint32_t capacity, int64_t timeout_ns)
{
    uint32_t count = port->backend->wait(port, completions, capacity, timeout_ns);
    atomic_store_explicit(&port->sleeping, 0, memory_order_relaxed);
    return count;
}

/* Any thread, also a signal handler: ends an announced or running wait. Publish the work first. */
static inline void tg_port_wake(struct tg_port *port)
{
    tg_yield();
    atomic_thread_fence(memory_order_seq_cst); /* pairs with tg_port_prepare_wait */
    if (atomic_load_explicit(&port->sleeping, memory_order_relaxed) != 0 &&
        atomic_exchange_explicit(&port->sleeping, 0, memory_order_relaxed) != 0) {
        port->backend->wake_system(port);
    }
}

#endif
