/* SPDX-License-Identifier: MIT
 * What the game's server does at each event: the one place where the world meets throng. main.c
 * calls it. Logic thread. */
#ifndef GAME_HANDLERS_H
#define GAME_HANDLERS_H

#include <throng/room.h>

#include "snapshot.h"
#include "world.h"

struct game_settings {
    uint32_t rate_hz;      /* ticks a second, 1..100 */
    uint32_t side_units;   /* of the field */
    uint32_t pellet_count; /* 0..GAME_PELLETS_MAX */
    uint32_t seed;
};

/* Somebody who plays; the connection's user pointer. */
struct session {
    throng_conn conn;
    bool is_member;    /* of the room: it has had a whole snapshot */
    bool wants_whole;  /* it is due one with the next tick */
    uint32_t whole_at; /* tick of the last one */
};

struct game_counts {
    uint64_t ticks;
    uint64_t ticks_caught_up; /* the world's steps for those that were missed */
    uint64_t ticks_lost;      /* missed, and too many to catch up with */
    uint64_t joined;
    uint64_t turned_away;
    uint64_t inputs[WORLD_TOO_MANY + 1]; /* by verdict */
    uint64_t bad_messages;               /* each ended its connection */
    uint64_t whole_snapshots;
    uint64_t delta_bytes;
    uint64_t broadcasts_refused;
    uint64_t step_ns;
    uint64_t encode_ns;
    uint64_t send_ns;
    uint64_t tick_ns_max;
};

struct game {
    struct throng_server *server;
    throng_room room; /* those who get the deltas */
    struct game_settings settings;
    struct world world;
    struct game_state shown;                   /* as it was last broadcast: every delta's base */
    struct session sessions[GAME_PLAYERS_MAX]; /* by the player's slot */
    struct game_counts counts;
    uint8_t message[GAME_MESSAGE_BYTES_MAX];
};

/* Makes the room and starts the ticks. 0 or an error of throng's. */
int game_open(struct game *game, struct throng_server *server,
              const struct game_settings *settings);

/* Does what an event asks for; does not release it. */
void game_handle(struct game *game, const struct throng_event *event);

/* No more ticks: the server drains. */
void game_end(struct game *game);

/* Lines about the game, on standard error. */
void game_report(const struct game *game);

#endif
