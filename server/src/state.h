/* SPDX-License-Identifier: MIT
 * The server as a whole: what the logic thread owns, and the workers beside it. Each file of this
 * folder works on it: server.c (life, in the steps of life.h), api_event.c (the loop),
 * api_release.c (giving events back), api_write.c (sending and closing), api_writer.c (messages in
 * pieces), api_room.c (rooms), api_broadcast.c (to all of a room), api_conn.c (looking at
 * connections), flush.c (to the workers and home again); send_room.h, send_policy.h, writable.h and
 * queue_growth.h (peers that do not read); time/logic_time.h (ticks, timers, posts). */
#ifndef TG_SERVER_STATE_H
#define TG_SERVER_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <throng/room.h>
#include <throng/server.h>

#include "budget.h"
#include "config.h"
#include "conn/address_table.h"
#include "conn/arena.h"
#include "os/parker.h"
#include "queue_growth.h"
#include "room/room_table.h"
#include "send_room.h"
#include "time/logic_time.h"
#include "worker/worker.h"
#include "writable.h"

/* Events taken between two flushes at most, so that answers do not wait for the end of a long
 * queue. */
#define TG_BATCH_EVENTS 256u

enum tg_seat_flags {
    TG_SEAT_DIRTY = 1,           /* in the list of connections to flush */
    TG_SEAT_CLOSING = 2,         /* throng_close was called */
    TG_SEAT_ABORTING = 4,        /* throng_abort was called */
    TG_SEAT_GONE = 8,            /* CLOSED was taken, not yet released */
    TG_SEAT_CLOSE_DUE = 16,      /* the close is to be told to the worker */
    TG_SEAT_ABORT_DUE = 32,      /* likewise the abort */
    TG_SEAT_WAITING = 64,        /* a write was refused: WRITABLE is due (writable.h) */
    TG_SEAT_SLOW = 128,          /* the abort is not throng_abort's: the peer does not read */
    TG_SEAT_TOLD_REFUSED = 1024, /* its worker knows that it is WAITING */
    TG_SEAT_BEATS = 512,         /* an empty message to it would be a heartbeat */
    TG_SEAT_HELD = 256,          /* DROP_OLDEST: `pending` waits until what was flushed is home */
};

/* A connection as the logic thread knows it: its seat, one for each slot. It is filled when OPEN is
 * taken and emptied when CLOSED is released, so whether an id is stale depends on nothing but the
 * events that the game has seen: the same events give the same answers again. */
struct tg_seat {
    uint64_t id; /* 0: nobody */
    void *user;
    struct tg_chain pending; /* written, not yet flushed: whole messages */
    uint32_t units_out;      /* 512-byte units flushed and not yet home */
    uint32_t units_max;      /* of both together */
    uint32_t dirty_next;     /* the next connection to flush */
    uint32_t waiter_next;    /* in a list of writable.h */
    uint32_t waiter_before;
    uint32_t refused_bytes; /* WAITING: of the message, with its header */
    uint16_t worker;
    uint16_t flags;
    uint8_t waits;     /* WAITING: enum tg_waits */
    uint8_t policy;    /* enum throng_when_send_full */
    uint8_t doublings; /* of its queue, that were counted (queue_growth.h) */
};

_Static_assert(sizeof(struct tg_seat) <= 64, "a seat is a cache line");

/* Counters of the logic thread: it writes, anybody reads. */
struct tg_logic_counters {
    _Atomic uint64_t messages_written;
    _Atomic uint64_t writes_refused;
    _Atomic uint64_t writes_stale;
    _Atomic uint64_t bytes_dropped;
    _Atomic uint64_t events_unreleased;
    _Atomic uint64_t send_units_free;
    _Atomic uint64_t messages_dropped;
    _Atomic uint64_t writable_events;
    _Atomic uint64_t queue_doublings;
    _Atomic uint64_t queue_bytes_peak;
    _Atomic uint64_t rooms;
    _Atomic uint64_t room_members;
    _Atomic uint64_t broadcasts;
    _Atomic uint64_t broadcasts_refused;
};

struct tg_admin;

struct throng_server {
    /* Set at start. */
    struct tg_config config;
    struct tg_memory memory;
    struct tg_arena arena;
    struct tg_address_table address_table;
    struct tg_worker_shared shared;
    struct tg_worker *workers;
    uint32_t workers_started;
    struct throng_address bound[THRONG_LISTENERS_MAX];
    tg_socket sockets[THRONG_LISTENERS_MAX]; /* until the workers have them */
    struct tg_acceptor acceptor;             /* if there are several workers */
    struct tg_admin *admin;                  /* NULL: there is no admin listener */

    /* Logic thread. */
    struct tg_seat *seats;
    uint32_t seats_taken;
    struct tg_block_pool blocks;
    struct tg_send_reserve reserve;
    struct tg_waiters waiters;
    struct tg_queue_growth growth;
    struct tg_room_table rooms;
    bool heartbeats;            /* a listener has them: an empty message would be one */
    struct tg_logic_time *time; /* its posts belong to any thread */
    uint32_t held_count;        /* seats that are HELD */
    uint32_t
        dirty_head; /* connections with something to flush, in the order of their first write */
    uint32_t dirty_tail;
    uint32_t batch_left;  /* events until the next flush */
    uint32_t next_worker; /* whose ring is looked at first */
    bool turn_due; /* inline: the batch had no event of a worker; it has its turn before the next */
    bool releases_due; /* pushed, not published */
    /* The last of them, to which more messages of the same connection and holder are added; or NULL.
     * A slot belongs to one worker until its release was published, so these two name it. */
    struct tg_release_entry *release;
    bool draining;
    uint32_t drain_deadline_ms;
    uint64_t drain_due; /* bit per worker that is still to be told */
    struct tg_logic_counters counters;
    struct tg_latency latency;

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

/* Whether somebody waits for blocks to come home: the logic thread is to be woken when they do. */
static inline uint32_t tg_server_writers_waiting(const struct throng_server *server)
{
    return server->waiters.count + server->held_count;
}

/* Hands a line to the user's sink (server.c). Not inside calls of which throng/log.h does not say
 * so. */
TG_FORMAT(3, 4)
void tg_server_log(const struct throng_server *server, enum throng_log_level level,
                   const char *format, ...);

/* Waits until a thread of the server's says in `started` that it runs (> 0) or could not (< 0), which
 * it does with a release and tg_parker_wake(&server->parker). 0 or its error. (workers.c) */
int tg_server_await(struct throng_server *server, const _Atomic int *started);

/* Ends a sleep of the logic thread; it looks for work anew (server.c). Any thread, a signal handler
 * too. */
void tg_server_rouse(struct throng_server *server);

/* ---- api_write.c ---- */

/* Whether the connection still takes calls that change it. 0 or the error to answer. */
int tg_server_check_seat(struct throng_server *server, throng_conn conn, struct tg_seat **seat);

/* A message was accepted behind what waited before, in flight or not. */
void tg_server_note_written(struct throng_server *server, struct tg_seat *seat,
                            uint32_t units_before);

/* Resets the connection; `slow` 0 or TG_SEAT_SLOW. */
void tg_server_abort_seat(struct throng_server *server, struct tg_seat *seat, uint16_t slow);

/* ---- flush.c ---- */

/* Puts a connection into the list of those to flush, unless it is there. */
void tg_server_mark_dirty(struct throng_server *server, struct tg_seat *seat);

/* Drops what was written to the connection and not flushed. */
void tg_server_drop_pending(struct throng_server *server, struct tg_seat *seat);

/* Takes back the blocks that the workers have sent. */
void tg_server_collect_blocks(struct throng_server *server);

/* Whether some came that were not taken back. */
bool tg_server_blocks_came(const struct throng_server *server);

/* Hands everything written and released to the workers and wakes those that sleep. */
void tg_server_flush(struct throng_server *server);

/* Puts what was written to connections into the command rings, before something that must come after
 * it. False if a ring is full. */
bool tg_server_flush_writes(struct throng_server *server);

/* Nothing is held any more: its connection has ended, or the server is draining. */
void tg_server_end_hold(struct throng_server *server, struct tg_seat *seat);
void tg_server_end_holds(struct throng_server *server);

/* ---- api_room.c ---- */

void tg_server_init_rooms(struct throng_server *server);

/* The connection's seat is empty: it is in no room any more. */
void tg_server_leave_rooms(struct throng_server *server, uint32_t slot);

/* Tells the workers who joined and left. False if a ring is full. */
bool tg_server_flush_members(struct throng_server *server);

/* Takes back the records that the workers are done with. */
void tg_server_collect_members(struct throng_server *server);

/* 0 or the error to answer. */
int tg_server_find_room(const struct throng_server *server, throng_room id, struct tg_room **room);

/* ---- api_broadcast.c ---- */

/* Sets the limit and policy that broadcasts keep to. */
void tg_server_set_fanout_limit(struct throng_server *server, const struct tg_seat *seat);

#endif
