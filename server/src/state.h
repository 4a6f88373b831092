/* SPDX-License-Identifier: MIT
 * The server as a whole: what the logic thread owns, and the workers beside it. Each file of this
 * folder works on it: server.c (life), api_event.c (the loop), api_write.c (sending and closing),
 * api_conn.c (looking at connections). */
#ifndef TG_SERVER_STATE_H
#define TG_SERVER_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <throng/server.h>

#include "budget.h"
#include "config.h"
#include "conn/arena.h"
#include "os/parker.h"
#include "worker/worker.h"

/* Events taken between two flushes at most, so that answers do not wait for the end of a long
 * queue. */
#define TG_BATCH_EVENTS 256u

enum tg_seat_flags {
    TG_SEAT_DIRTY = 1,      /* in the list of connections to flush */
    TG_SEAT_CLOSING = 2,    /* throng_close was called */
    TG_SEAT_ABORTING = 4,   /* throng_abort was called */
    TG_SEAT_GONE = 8,       /* CLOSED was taken, not yet released */
    TG_SEAT_CLOSE_DUE = 16, /* the close is to be told to the worker */
    TG_SEAT_ABORT_DUE = 32, /* likewise the abort */
};

/* A connection as the logic thread knows it: its seat, one for each slot. It is filled when OPEN is
 * taken and emptied when CLOSED is released, so whether an id is stale depends on nothing but the
 * events that the game has seen: the same events give the same answers again. */
struct tg_seat {
    uint64_t id; /* 0: nobody */
    void *user;
    struct tg_chain pending; /* written, not yet flushed */
    uint32_t units_out;      /* 512-byte units flushed and not yet home */
    uint32_t dirty_next;     /* the next connection to flush */
    uint16_t worker;
    uint16_t flags;
};

/* Counters of the logic thread: it writes, anybody reads. */
struct tg_logic_counters {
    _Atomic uint64_t messages_written;
    _Atomic uint64_t writes_refused;
    _Atomic uint64_t writes_stale;
    _Atomic uint64_t bytes_dropped;
    _Atomic uint64_t events_unreleased;
    _Atomic uint64_t send_units_free;
};

struct throng_server {
    /* Set at start. */
    struct tg_config config;
    struct tg_memory memory;
    struct tg_arena arena;
    struct tg_worker_shared shared;
    struct tg_worker *workers;
    uint32_t workers_started;
    struct throng_address bound[THRONG_LISTENERS_MAX];
    tg_socket sockets[THRONG_LISTENERS_MAX]; /* until the workers have them */
    struct tg_acceptor acceptor;             /* if there are several workers */

    /* Logic thread. */
    struct tg_seat *seats;
    struct tg_block_pool blocks;
    uint32_t
        dirty_head; /* connections with something to flush, in the order of their first write */
    uint32_t dirty_tail;
    uint32_t batch_left;  /* events until the next flush */
    uint32_t next_worker; /* whose ring is looked at first */
    bool releases_due;    /* pushed, not published */
    /* The last of them, to which more messages of the same connection and holder are added; or NULL.
     * A slot belongs to one worker until its release was published, so these two name it. */
    struct tg_release_entry *release;
    bool draining;
    uint32_t drain_deadline_ms;
    uint64_t drain_due; /* bit per worker that is still to be told */
    struct tg_logic_counters counters;

    /* Any thread. */
    struct tg_parker parker;
    _Atomic bool woken; /* throng_server_wake was called */
};

/* The seat of a live connection, or NULL: stale. */
static inline struct tg_seat *tg_seat_find(struct throng_server *server, throng_conn conn)
{
    uint32_t slot = tg_conn_slot(conn.id);
    if (slot >= server->arena.capacity || server->seats[slot].id != conn.id || conn.id == 0) {
        tg_count(&server->counters.writes_stale, 1);
        return NULL;
    }
    return &server->seats[slot];
}

/* Gives a chain back to the pool (api_write.c). */
void tg_server_free_chain(struct throng_server *server, struct tg_chain *chain);

/* Takes back the blocks that the workers have sent (api_write.c). */
void tg_server_collect_blocks(struct throng_server *server);

/* Hands everything written and released to the workers and wakes those that sleep (api_write.c). */
void tg_server_flush(struct throng_server *server);

#endif
