/* SPDX-License-Identifier: MIT
 * The game itself: players move in a walled field and collect pellets. handlers.c drives it, tests
 * do.
 *
 * Pure: it knows no clock, no socket, no throng. The same calls in the same order make the same
 * world, bit for bit, on every machine: all numbers are whole, and chance comes from a seed. Any
 * thread, one at a time. */
#ifndef GAME_WORLD_H
#define GAME_WORLD_H

#include "protocol.h"

/* world_join: every place is taken. */
#define WORLD_NO_PLAYER UINT32_MAX

struct world_rules {
    uint32_t seed;         /* of where newcomers and pellets come up */
    uint32_t side;         /* GAME_SIDE_MIN..GAME_SIDE_MAX */
    uint32_t speed;        /* sixteenths of a unit a second, 1..65,535 */
    uint32_t rate_hz;      /* ticks a second, 1 and up */
    uint32_t pellet_count; /* 0..GAME_PELLETS_MAX */
};

struct world {
    struct game_state state; /* what clients are to know; read it, do not change it */
    struct world_rules rules;
    uint32_t random;
    uint32_t next_slot;                     /* where the search for a free one begins */
    uint8_t input_counts[GAME_PLAYERS_MAX]; /* since the last tick */
};

/* An empty field at tick 0, with its pellets. */
void world_init(struct world *world, const struct world_rules *rules);

/* A newcomer somewhere in the field: its slot, or WORLD_NO_PLAYER. A slot that was left rests for
 * as long as others are free. */
uint32_t world_join(struct world *world);
void world_leave(struct world *world, uint32_t player);

enum world_verdict {
    WORLD_TAKEN,
    WORLD_SHORTENED, /* taken, but the direction was longer than GAME_FULL_SPEED */
    WORLD_STALE,     /* refused: the sequence is not above the last one */
    WORLD_TOO_MANY,  /* refused: more than GAME_INPUTS_PER_TICK since the last tick */
};

/* From the next tick on `player`, who is here, goes that way. Nothing that a client can say is
 * trusted: a refused input changes nothing. */
enum world_verdict world_input(struct world *world, uint32_t player, uint32_t sequence, int8_t dx,
                               int8_t dy);

/* One tick: everybody moves and collects, in the order of slots. */
void world_step(struct world *world);

#endif
