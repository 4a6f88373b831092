/* SPDX-License-Identifier: MIT
 * The game of the attack server: every message is sent back, and members of one room get what is
 * broadcast, in order. Whoever has no room for more waits for WRITABLE, as a real game would do it.
 * Logic thread only, but for the numbers at the end. */
#ifndef ATTACK_GAME_H
#define ATTACK_GAME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <throng/server.h>

/* Most broadcasts of a server's life. */
#define GAME_ROUNDS_MAX 65536u

/* Shortest broadcast: its number (8 bytes, big-endian) and when it was made (the same, ns of the
 * monotonic clock). */
#define GAME_ROUND_BYTES_MIN 16u

/* What the game did, for `counters`. Written by the logic thread, read by any: each is a plain
 * figure that publishes nothing else, so relaxed. */
struct game_numbers {
    _Atomic uint64_t opened;  /* OPEN events */
    _Atomic uint64_t ended;   /* CLOSED events of connections that were open */
    _Atomic uint64_t strange; /* events of connections that were not: there must be none */
    _Atomic uint64_t members;
    _Atomic uint64_t rounds;     /* broadcasts made */
    _Atomic uint64_t owed;       /* broadcasts asked for and not made yet */
    _Atomic uint64_t delivered;  /* messages of broadcasts that throng took */
    _Atomic uint64_t refused;    /* writes of broadcasts that throng refused with THRONG_EAGAIN */
    _Atomic uint64_t kicked;     /* players aborted because too many of their messages waited */
    _Atomic uint64_t held;       /* messages whose echo waits for WRITABLE */
    _Atomic uint64_t writable;   /* WRITABLE events */
    _Atomic uint64_t publish_us; /* time that the logic thread spent on broadcasts */
};

struct game;

/* NULL: no memory. */
struct game *game_create(struct throng_server *server, const struct throng_server_options *options);
void game_destroy(struct game *game);

/* Takes an event; it is released here, now or later. */
void game_on_event(struct game *game, struct throng_event *event);

/* Sends `count` messages of `size` bytes to all members, `per_s` of them a second (0: at once). */
bool game_broadcast(struct game *game, uint32_t size, uint32_t count, uint32_t per_s);

/* Does what is due; how many ms until there is more, -1 if nothing is. */
int game_tick(struct game *game);

/* Keeps the logic thread busy with nothing for so long. */
void game_stall(uint32_t ms);

const struct game_numbers *game_numbers(const struct game *game);

#endif
