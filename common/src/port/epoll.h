/* SPDX-License-Identifier: MIT
 * The epoll backend's own state, shared by its files: epoll.c (life and wait), epoll_stream.c
 * (connections), epoll_listener.c (accepting). Nobody else includes this.
 *
 * A stream is registered once, edge-triggered for both directions, so no system call but recv, send
 * and a share of epoll_wait runs per message. Edges become hints in its flags; what the hints allow
 * is done in tg_port_wait (readiness.h). tg_port_close takes it out of any queue into `closing`,
 * which the next wait turns into SEND or CONNECT (canceled) and CLOSE completions.
 *
 * A wait handles all events that it fetched before it returns, and a closed stream is taken out of
 * the epoll set first, so no event ever names a record that has completed its CLOSE. */
#ifndef TG_PORT_EPOLL_H
#define TG_PORT_EPOLL_H

#include <sys/epoll.h>

#include "port/readiness.h"

/* Most events fetched by one wait: 3 KiB of them stay in the first-level cache. */
#define TG_EPOLL_EVENTS_MAX 256

/* Completions after which a wait asks the system for news although it has streams that are known to
 * have data. With long messages, two of which fill a wait, that spares most of these calls. */
#define TG_EPOLL_UNASKED_MAX 16

enum tg_listener_flags {
    TG_LISTENER_OPEN = 1u << 0,
    TG_LISTENER_ARMED = 1u << 1,  /* in the epoll set */
    TG_LISTENER_FAILED = 1u << 2, /* could not be armed: an error is owed */
    TG_LISTENER_CLOSING = 1u << 3,
};

/* What an epoll event names, in the low bits of its pointer; the wake-up descriptor is NULL. */
#define TG_TAG_LISTENER 1u
#define TG_TAG_MASK 1u

struct tg_epoll_port {
    struct tg_port base;

    int epoll;
    int wakeup; /* an eventfd, edge-triggered and never read: a write is an edge */

    struct tg_readiness readiness;
    struct tg_list closing;       /* streams: CLOSE is owed */
    struct tg_list listeners_due; /* listeners: LISTENER_CLOSE or an error is owed */

    uint32_t records;    /* streams and listeners that have not completed their CLOSE */
    uint32_t turn;       /* counts waits, see events_to_fetch */
    uint32_t unasked;    /* completions since the system was asked for news */
    bool no_nanoseconds; /* the system has no epoll_pwait2 */

    struct epoll_event events[TG_EPOLL_EVENTS_MAX];
};

static inline struct tg_epoll_port *tg_epoll_port_of(struct tg_port *port)
{
    return TG_CONTAINER_OF(port, struct tg_epoll_port, base);
}

/* epoll_stream.c: the backend's functions (see port.h), and two steps of a wait. */
int tg_epoll_adopt(struct tg_port *base, struct tg_stream *stream, tg_handle accepted);
int tg_epoll_connect(struct tg_port *base, struct tg_stream *stream,
                     const struct throng_address *peer, const struct throng_address *source);
int tg_epoll_send(struct tg_port *base, struct tg_stream *stream, const struct tg_slice *slices,
                  uint32_t count);
void tg_epoll_shutdown(struct tg_port *base, struct tg_stream *stream);
void tg_epoll_close(struct tg_port *base, struct tg_stream *stream, enum tg_close_mode mode);
int tg_epoll_addresses(struct tg_port *base, struct tg_stream *stream, struct throng_address *peer,
                       struct throng_address *local);

/* Turns a stream's event into hints and at most one completion. */
void tg_epoll_stream_event(struct tg_epoll_port *port, struct tg_stream *stream, uint32_t events,
                           struct tg_batch *batch);

/* Completes what closed streams are owed, while there is room. */
void tg_epoll_finish_closing(struct tg_epoll_port *port, struct tg_batch *batch);

/* epoll_listener.c: the same for listeners. */
int tg_epoll_listen(struct tg_port *base, struct tg_listener *listener, tg_socket sock);
void tg_epoll_accept(struct tg_port *base, struct tg_listener *listener, uint32_t credit);
void tg_epoll_close_listener(struct tg_port *base, struct tg_listener *listener);
void tg_epoll_refuse(struct tg_port *base, tg_handle accepted);

/* Accepts at most `room` connections (>= 1). */
void tg_epoll_listener_event(struct tg_epoll_port *port, struct tg_listener *listener,
                             uint32_t room, struct tg_batch *batch);

/* Completes what closed or failed listeners are owed, while there is room. */
void tg_epoll_finish_listeners(struct tg_epoll_port *port, struct tg_batch *batch);

#endif
