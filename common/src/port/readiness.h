/* SPDX-License-Identifier: MIT
 * Receiving by readiness, for the backends whose system says when a receive may find something:
 * epoll with its edges, IOCP with its zero-byte receives. Turns, the shared receive buffer, and the
 * queues of those who wait for one or the other. Called by the port's owner.
 *
 *                 READABLE and RECEIVING            no receive buffer
 *    (no queue) --------------------------> ready ----------------------> starved
 *        ^                                  |  ^                             |
 *        |  drained, ended, paused          |  |  turn_bytes used up         |  buffer came home
 *        +----------------------------------+--+-----------------------------+
 */
#ifndef TG_PORT_READINESS_H
#define TG_PORT_READINESS_H

#include "port/batch.h"

/* After that many received bytes a wait begins no further stream: the caller reads them while they
 * are in the cache, and the buffers come home to be filled again. Echoing 16 KiB messages of 50
 * streams it saves about 7 % of the processor time that is spent without such a limit. */
#define TG_READINESS_WAIT_BYTES 32768

/* tg_stream.flags. A backend has bits of its own from TG_STREAM_FLAGS_OWN on. tg_stream.held is the
 * error (its number without the sign) in which the data will end, if the system has told
 * already. */
enum tg_stream_flags {
    TG_STREAM_RECEIVING = 1u << 0,    /* the caller wants RECEIVE completions */
    TG_STREAM_READABLE = 1u << 1,     /* a receive may find something */
    TG_STREAM_HANGUP = 1u << 2,       /* the end or an error lies behind the data: read up to it */
    TG_STREAM_ENDED = 1u << 3,        /* RECEIVE has completed with 0, or (also HANGUP) an error */
    TG_STREAM_WRITABLE = 1u << 4,     /* a send may find room */
    TG_STREAM_SEND_PENDING = 1u << 5, /* a SEND completion is owed */
    TG_STREAM_CONNECTING = 1u << 6,   /* a CONNECT completion is owed */
    TG_STREAM_CLOSING = 1u << 7,      /* a CLOSE completion is owed */
    TG_STREAM_OPEN = 1u << 8,         /* adopted or connecting, not closed */
    TG_STREAM_FLAGS_OWN = 1u << 9,
};

struct tg_readiness {
    struct tg_recv_pool *pool;
    uint32_t turn_bytes;

    /* The receive buffer being filled, TG_INDEX_NONE if there is none; one reference is ours. */
    uint32_t buffer;
    uint32_t buffer_fill;     /* bytes of it that are taken */
    uint32_t buffer_rest_min; /* with less than that left it is given up */

    struct tg_list ready;   /* streams: READABLE and RECEIVING */
    struct tg_list starved; /* streams: the same, but no buffer; first come first served */
    struct tg_list drained; /* streams: RECEIVING and no longer READABLE, if they are collected */
    bool collects_drained;  /* the backend asks the system for each of them anew */
};

void tg_readiness_init(struct tg_readiness *readiness, const struct tg_port_options *options,
                       bool collects_drained);

/* Gives the shared buffer back. */
void tg_readiness_end(struct tg_readiness *readiness);

/* Puts a stream that can receive and wants to into the ready queue, unless it is already in that or
 * in the starved one. */
static inline void tg_readiness_queue(struct tg_readiness *readiness, struct tg_stream *stream)
{
    const uint32_t both = TG_STREAM_READABLE | TG_STREAM_RECEIVING;
    if ((stream->flags & both) == both && !tg_list_is_linked(&stream->link)) {
        tg_list_push_back(&readiness->ready, &stream->link);
    }
}

/* tg_port_receive and tg_port_pause. begin answers whether the stream receives from now on. */
bool tg_readiness_begin(struct tg_readiness *readiness, struct tg_stream *stream);
void tg_readiness_pause(struct tg_stream *stream);

/* Whether a stream could be served now. */
bool tg_readiness_has_work(const struct tg_readiness *readiness);

/* Receives for the starved streams and then for the ready ones, each once, while there is room. */
void tg_readiness_serve(struct tg_readiness *readiness, struct tg_port_counters *counters,
                        struct tg_batch *batch);

#endif
