/* SPDX-License-Identifier: MIT
 * The io_uring backend's own state, shared by its files: uring.c (life and wait), uring_buffers.c
 * (receive buffers lent to the kernel), uring_receive.c, uring_stream.c (connections),
 * uring_listener.c (accepting), uring_probe.c (what this kernel can do). Nobody else includes this.
 *
 * How it differs from epoll. The kernel takes bytes off a connection without being asked each time,
 * so some may have been taken when the caller wants no more. They wait as held input: a list of
 * records per stream, each with a reference to its receive buffer. How far the kernel may run ahead
 * is bounded, see TG_URING_INCREMENTAL.
 *
 *                     tg_port_receive
 *    (not armed) ----------------------> ARMED --- a completion without MORE ---> (not armed)
 *         ^  \                             |        (no buffer, cap, end, canceled)
 *         |   \  no buffer                 | more input than one completion per wait, or paused
 *         |    v                           v
 *         |   starved ---- buffers ----> held: the ready queue gives it out, one per wait
 *
 *    tg_port_close cancels what is in flight; when all of it has completed, CLOSE is submitted, and
 *    its completion is the stream's last.
 *
 * Two ways to name a connection. With direct descriptors (Linux 6.8) it is a place in a table of
 * the ring's own and counts against no process-wide limit; before that it is a descriptor. */
#ifndef TG_PORT_URING_H
#define TG_PORT_URING_H

#include "port/batch.h"
#include "port/uring_ring.h"

/* What the kernel can do beyond the least that the backend needs. */
enum tg_uring_ability {
    /* Direct descriptors, and FIXED_FD_INSTALL to ask one for its addresses (6.8). */
    TG_URING_DIRECT = 1u << 0,
    /* Receive buffers that the kernel fills by and by (6.12), and multishot receives that end after
     * turn_bytes (6.18). Without a cap a multishot receive takes what comes, 32 times in a row and
     * more, however little the caller wants. So where there is none, receives are single ones, into
     * buffers lent in pieces of TG_URING_PIECE_BYTES, each of which one receive uses up. */
    TG_URING_INCREMENTAL = 1u << 1,
};

#define TG_URING_PIECE_BYTES 4096u

/* How much is lent at once, and in how many buffers or pieces. The kernel fills what it has in
 * turn, so more would be memory that goes through the second-level cache for nothing; one wait
 * receives about 20 times. */
#define TG_URING_LENT_BYTES (512u * 1024u)
#define TG_URING_LENT_MIN 4u
#define TG_URING_LENT_MAX 512u

#define TG_URING_SQ_ENTRIES 1024u
#define TG_URING_CQ_ENTRIES 8192u

/* Accepts kept in flight for a listener: enough for a burst, few enough that ports that share a
 * socket get their turns. */
#define TG_URING_ACCEPTS 16u

/* Connections accepted and then not wanted for the moment: the accepts of 16 listeners at most. */
#define TG_URING_SURPLUS 256u

/* Records of held input, and memory for what a submission points to until it is submitted: one
 * gathered send needs about 1.1 KiB at most. */
#define TG_URING_HELD_MAX 8192u
#define TG_URING_SCRATCH_BYTES 32768u

/* More streams than connections that the caller counts: those whose CLOSE is under way, accepts in
 * flight. */
#define TG_URING_TABLE_SPARE 64u

/* The lower half of tg_stream.flags; the upper half holds the number of the wait that has last
 * completed a RECEIVE. */
enum tg_uring_stream_flags {
    TG_STREAM_OPEN = 1u << 0,
    TG_STREAM_WANTED = 1u << 1,      /* input is to be completed */
    TG_STREAM_TAKING = 1u << 2,      /* input is to be taken from the system */
    TG_STREAM_ARMED = 1u << 3,       /* a receive is in flight */
    TG_STREAM_CANCELING = 1u << 4,   /* and is being canceled */
    TG_STREAM_END_TAKEN = 1u << 5,   /* the end or an error was taken: no receive after that */
    TG_STREAM_SENDING = 1u << 6,     /* a send is in flight */
    TG_STREAM_CONNECTING = 1u << 7,  /* a connect is in flight */
    TG_STREAM_CLOSING = 1u << 8,     /* a CLOSE completion is owed */
    TG_STREAM_ABORT = 1u << 9,       /* with a reset */
    TG_STREAM_CLOSE_SENT = 1u << 10, /* the close is in flight */
    TG_STREAM_CANCELED = 1u << 11,   /* what was in flight at the close was canceled */
    TG_STREAM_FED = 1u << 12,        /* was starved, and has received nothing since */
};
#define TG_STREAM_TURN_SHIFT 16

enum tg_uring_listener_flags {
    TG_LISTENER_OPEN = 1u << 0,
    TG_LISTENER_CLOSING = 1u << 1,
};

/* What a completion is for, in the low bits of user_data; the rest is the record's address. */
enum tg_uring_tag {
    TG_TAG_NONE = 0, /* nobody waits for it */
    TG_TAG_RECEIVE,
    TG_TAG_SEND,
    TG_TAG_CONNECT,
    TG_TAG_CLOSE,
    TG_TAG_ACCEPT,
    TG_TAG_WAKE,
    TG_TAG_CALL, /* see tg_uring_call */
};
#define TG_TAG_MASK 7u
#define TG_TAG_CALL_SHIFT 8 /* a call has its operation there instead of an address */

/* Input taken from the system and not completed. */
struct tg_uring_held {
    int32_t result; /* bytes, or the end (0) or an error */
    uint32_t buffer;
    uint32_t offset;
    uint32_t next; /* the last one's is the first one: tg_stream.held names the last */
};

struct tg_uring_surplus {
    struct tg_listener *listener; /* NULL: taken out */
    tg_handle handle;
};

struct tg_uring_port {
    struct tg_port base;
    struct tg_uring ring;
    uint32_t abilities;
    uint8_t file_flag; /* TG_SQE_FIXED_FILE with direct descriptors */
    int wakeup;        /* an eventfd, watched edge-triggered and never read */
    bool wakeup_armed;

    /* Receive buffers lent to the kernel: uring_buffers.c. */
    struct tg_uring_buffer *lent_ring;
    uint32_t lent_mask;
    uint32_t lent_max;
    uint32_t lent;               /* buffers or pieces that the kernel has */
    uint32_t piece_bytes;        /* what one receive can fill */
    uint32_t pieces_per_buffer;  /* 1 with incremental buffers */
    uint16_t lent_tail;          /* of the ring, running */
    uint16_t *references;        /* per buffer: those that the kernel holds */
    uint32_t *fill;              /* per buffer: bytes used, with incremental buffers */
    uint32_t receive_bytes_mean; /* of a receive, smoothed: what a starved stream may take */

    struct tg_uring_held *held;
    uint32_t held_free;

    struct tg_list unarmed;       /* streams: the receive is over, another one is due */
    struct tg_list ready;         /* streams: held input, and WANTED */
    struct tg_list starved;       /* streams: no buffer; first come first served */
    struct tg_list starved_again; /* likewise: those that were first, and there was none again */
    struct tg_list closing;       /* streams: the close or its completion is due */
    struct tg_list closing_in_flight;   /* streams: something is to complete before that */
    struct tg_list listeners_due;       /* listeners: surplus or LISTENER_CLOSE is owed */
    struct tg_list listeners_in_flight; /* listeners: accepts are to complete before that */

    struct tg_uring_surplus surplus[TG_URING_SURPLUS];
    uint32_t surplus_count;

    uint32_t records; /* streams and listeners that have not completed their CLOSE */
    uint16_t turn;    /* number of the wait */

    /* The thread that used the port is gone, and another one ends it. The kernel has canceled what
     * was in flight when that thread ended, and lets only that thread reap it. */
    bool orphaned;

    uint32_t scratch_used;
    alignas(64) uint8_t scratch[TG_URING_SCRATCH_BYTES];
};

static inline struct tg_uring_port *tg_uring_port_of(struct tg_port *port)
{
    return TG_CONTAINER_OF(port, struct tg_uring_port, base);
}

static inline uint64_t tg_uring_tag(const void *record, enum tg_uring_tag tag)
{
    return (uint64_t)(uintptr_t)record | (uint64_t)tag;
}

static inline bool tg_uring_has(const struct tg_uring_port *port, enum tg_uring_ability ability)
{
    return (port->abilities & ability) != 0;
}

/* ---- uring.c ---- */

/* A zeroed entry; submits what is queued if there is none free. NULL if the kernel takes nothing
 * for want of memory. */
struct tg_sqe *tg_uring_port_sqe(struct tg_uring_port *port);

/* The same, filled for an operation on a connection. */
struct tg_sqe *tg_uring_stream_sqe(struct tg_uring_port *port, enum tg_uring_op op,
                                   const struct tg_stream *stream, enum tg_uring_tag tag);

/* Memory that lasts until the next submission. At most a quarter of TG_URING_SCRATCH_BYTES. NULL as
 * tg_uring_port_sqe. Take the entry that points to it afterwards: both may submit. */
void *tg_uring_scratch(struct tg_uring_port *port, size_t bytes);

/* Cancels all requests with that user_data; their completions still come. False as above. */
bool tg_uring_cancel(struct tg_uring_port *port, uint64_t user_data);

/* Submits `sqe`, an operation that completes while it is submitted, and answers its result. */
int tg_uring_call(struct tg_uring_port *port, struct tg_sqe *sqe);

/* A descriptor of the process for a direct one, to be closed by the caller; or a negative errno. */
int tg_uring_borrow_descriptor(struct tg_uring_port *port, tg_handle handle);

/* ---- uring_probe.c ---- */

/* What this kernel can do, found out by doing it: >= 0 abilities; or a negative errno, with the
 * step that failed in *step. */
int tg_uring_probe(const char **step);

/* ---- uring_buffers.c ---- */
size_t tg_uring_buffers_bytes(const struct tg_port_options *options);
/* Carves from `memory` (page-aligned). 0 or a negative errno. */
int tg_uring_buffers_open(struct tg_uring_port *port, uint8_t *memory);
void tg_uring_buffers_close(struct tg_uring_port *port);
/* Lends what is free, up to the limit. */
void tg_uring_buffers_lend(struct tg_uring_port *port);
/* Whether a receive would find a buffer, now or after lending. */
bool tg_uring_buffers_any(const struct tg_uring_port *port);

/* A piece of a buffer that a completion names; the caller has one reference if `size` > 0. */
struct tg_uring_piece {
    uint32_t buffer;
    uint32_t offset;
};
struct tg_uring_piece tg_uring_buffers_take(struct tg_uring_port *port, const struct tg_cqe *cqe);

/* ---- uring_receive.c ---- */
size_t tg_uring_held_bytes(void);
void tg_uring_held_open(struct tg_uring_port *port, void *memory);
void tg_uring_receive(struct tg_port *base, struct tg_stream *stream);
void tg_uring_stop(struct tg_port *base, struct tg_stream *stream);
void tg_uring_pause(struct tg_port *base, struct tg_stream *stream);
/* Forgets held input and gives its buffers back. */
void tg_uring_drop_held(struct tg_uring_port *port, struct tg_stream *stream);
/* False: no record is free to hold the input, and the completion must wait where it is. */
bool tg_uring_on_receive(struct tg_uring_port *port, struct tg_stream *stream,
                         const struct tg_cqe *cqe, struct tg_batch *batch);
/* Completes held input, a completion per stream, while there is room. */
void tg_uring_serve_ready(struct tg_uring_port *port, struct tg_batch *batch);
static inline bool tg_uring_any_starved(const struct tg_uring_port *port)
{
    return !tg_list_is_empty(&port->starved) || !tg_list_is_empty(&port->starved_again);
}

/* Arms starved streams, as many as the free buffers will serve. */
void tg_uring_feed_starved(struct tg_uring_port *port);
/* Arms streams whose receive was over in the last wait. Not earlier: what it had brought may be a
 * reason for the caller to stop. */
void tg_uring_arm_again(struct tg_uring_port *port);

/* ---- uring_stream.c ---- */
int tg_uring_adopt(struct tg_port *base, struct tg_stream *stream, tg_handle accepted);
int tg_uring_connect(struct tg_port *base, struct tg_stream *stream,
                     const struct throng_address *peer, const struct throng_address *source);
int tg_uring_send(struct tg_port *base, struct tg_stream *stream, const struct tg_slice *slices,
                  uint32_t count);
void tg_uring_shutdown(struct tg_port *base, struct tg_stream *stream);
void tg_uring_stream_close(struct tg_port *base, struct tg_stream *stream, enum tg_close_mode mode);
int tg_uring_addresses(struct tg_port *base, struct tg_stream *stream, struct throng_address *peer,
                       struct throng_address *local);
void tg_uring_on_send(struct tg_uring_port *port, struct tg_stream *stream, int32_t result,
                      struct tg_batch *batch);
void tg_uring_on_connect(struct tg_uring_port *port, struct tg_stream *stream, int32_t result,
                         struct tg_batch *batch);
void tg_uring_on_close(struct tg_uring_port *port, struct tg_stream *stream,
                       struct tg_batch *batch);
/* Takes the next step of a close if nothing is in flight any more. */
void tg_uring_advance_close(struct tg_uring_port *port, struct tg_stream *stream);
/* What closing streams are owed, while there is room. */
void tg_uring_finish_closing(struct tg_uring_port *port, struct tg_batch *batch);

/* ---- uring_listener.c ---- */
int tg_uring_listen(struct tg_port *base, struct tg_listener *listener, tg_socket sock);
void tg_uring_accept(struct tg_port *base, struct tg_listener *listener, uint32_t credit);
void tg_uring_close_listener(struct tg_port *base, struct tg_listener *listener);
void tg_uring_refuse(struct tg_port *base, tg_handle accepted);
void tg_uring_on_accept(struct tg_uring_port *port, struct tg_listener *listener, int32_t result,
                        struct tg_batch *batch);
/* Surplus connections for which there is credit, and closed listeners. */
void tg_uring_finish_listeners(struct tg_uring_port *port, struct tg_batch *batch);

#endif
