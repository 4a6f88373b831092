/* SPDX-License-Identifier: MIT
 * The game: the logic thread of the simulated world. It takes events, checks each against the
 * ledger, and does what games do, by chance: answers, writes to others, speaks first, closes,
 * aborts, holds events and gives them back in another order, stands still; and what games do by
 * mistake: uses ids of connections that have long gone. */
#ifndef SIM_GAME_H
#define SIM_GAME_H

#include <throng/server.h>

#include "ledger.h"

#define GAME_CONNS_MAX 4096u
#define GAME_HELD_MAX 256u
#define GAME_TAKE_MAX 64u
#define GAME_PAST_MAX 64u

/* A connection as the game knows it: one for each slot, since an id tells its slot. */
struct game_conn {
    throng_conn id; /* 0: nobody */
    struct life *life;
    void *user;
    uint32_t user_turn;  /* when the pointer was set: events of that turn have the one before */
    uint64_t close_ns;   /* when throng_close was called */
    uint32_t close_turn; /* when it was closed: those of that turn may still be messages */
    bool is_closing;
    bool is_aborting;
    bool is_refused; /* a write was, and no WRITABLE came since */
    uint8_t policy;  /* enum throng_when_send_full */
    bool is_gone;    /* CLOSED was taken, */
    bool has_closed; /* and handled */
};

struct game_held {
    struct throng_event event;
    uint32_t message; /* which one of its life it is */
};

struct game_world {
    const struct plan *plan;
    struct throng_server *server;
    bool is_waiting; /* inside throng_get_events */
    bool is_ending;  /* holds nothing, does nothing odd */
    bool is_draining;
    uint32_t turn;
    uint32_t open; /* connections whose CLOSED was not taken */
    uint32_t conns_used;
    uint32_t held_count;
    uint32_t past_count;
    struct game_conn conns[GAME_CONNS_MAX];
    struct game_held held[GAME_HELD_MAX];
    throng_conn past[GAME_PAST_MAX];

    /* What the counters must say. */
    uint64_t opened;
    uint64_t closed;
    uint64_t taken;
    uint64_t accepted;
    uint64_t accepted_bytes;
    uint64_t refused;
    uint64_t stale;
    uint64_t replaced_bytes; /* dropped for newer messages */
    uint64_t dropped;        /* so many messages */
    uint64_t missed_before;  /* messages_dropped of the servers before this one */
    uint64_t closed_by[LEDGER_REASONS];
    uint64_t writables;
    uint64_t writables_out; /* taken and not released */
    uint32_t waiting;       /* connections that is_refused */
    uint64_t out[64];       /* events taken and not released, per worker, but WRITABLE */
    bool has_closed;        /* a close or abort was called: messages may have been hidden */
};

extern struct game_world game;

void game_begin(const struct plan *plan);

/* A new server for the game. */
void game_serve(struct throng_server *server);

/* The server is about to stop: what is open has no end. */
void game_forget(void);

/* One turn: waits at most timeout_ms, handles what came, and acts. As throng_get_events. */
int game_turn(int timeout_ms);

void game_drain(uint32_t deadline_ms);

/* Gives everything back that is held. */
void game_release_all(void);

/* ---- game_acts.c ---- */

void game_write(struct game_conn *conn);
/* Whoever has something waiting has more to come, as from a server that is behind with its own
 * work. */
void game_feed(void);
/* A WRITABLE is due, or is not any more. */
void game_set_refused(struct game_conn *conn, bool is_refused);
/* Changes its limit or its policy. */
void game_change_limits(struct game_conn *conn);
void game_close(struct game_conn *conn);
void game_abort(struct game_conn *conn);
/* Somebody by chance; NULL: found nobody. */
struct game_conn *game_somebody(void);
/* Uses an id that means nobody. */
void game_use_dead_id(void);
/* Calls for a connection whose CLOSED was taken and not released. */
void game_use_gone(struct game_conn *conn);
/* Calls that are refused for their arguments. */
void game_misuse(struct game_conn *conn);

static inline struct game_conn *game_conn_of(throng_conn conn)
{
    return &game.conns[conn.id & 0xfffffu];
}

/* So many of 256. */
static inline bool game_chance(uint32_t parts)
{
    return parts > 0 && tg_sim_below(256) < parts;
}

#endif
