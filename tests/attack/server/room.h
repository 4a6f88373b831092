/* SPDX-License-Identifier: MIT
 * The room of the attack server's game: its members, and the broadcasts that they are owed. A
 * broadcast is a function of its number, its size and its time, so a member who had no room is
 * served later without anything being kept for it. Logic thread. */
#ifndef ATTACK_ROOM_H
#define ATTACK_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "game.h"

/* A connection. Lives from OPEN to the release of CLOSED. */
struct player {
    throng_conn conn;
    struct player *next_free;
    bool member;
    uint32_t place;      /* among the members */
    uint64_t next_round; /* the first one that is still owed */
    bool kicked;
    uint32_t held;      /* how many of its messages wait to be sent back */
    struct held *first; /* messages whose echo waits for room, in order */
    struct held *last;
};

struct room {
    struct throng_server *server;
    struct game_numbers *numbers;
    struct player **members;
    uint32_t count;
    struct round {
        uint64_t made_at; /* ns */
        uint32_t size;
    } * rounds;
    uint64_t made;
    uint32_t owed; /* still to be made, of `size`, one each `interval_ns` */
    uint32_t size;
    uint64_t interval_ns;
    uint64_t due_at;
    uint8_t *message;  /* the one composed last */
    uint64_t composed; /* its number; UINT64_MAX: none */
    uint32_t bytes_max;
};

bool room_open(struct room *room, struct throng_server *server, struct game_numbers *numbers,
               const struct throng_server_options *options);
void room_close(struct room *room);

/* Membership begins with the next broadcast. */
void room_join(struct room *room, struct player *player);
void room_leave(struct room *room, struct player *player);

/* Hands a member what it is owed, until throng has no room for more. */
void room_serve(struct room *room, struct player *player);

/* False: too long, or too many. */
bool room_order(struct room *room, uint32_t size, uint32_t count, uint32_t per_s);

/* Makes the broadcasts that are due; ms until the next one, or -1. */
int room_tick(struct room *room);

#endif
