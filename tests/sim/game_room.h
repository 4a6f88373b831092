/* SPDX-License-Identifier: MIT
 * The game's rooms: it creates, joins, leaves, destroys and broadcasts by chance, and knows who
 * must be where. */
#ifndef SIM_GAME_ROOM_H
#define SIM_GAME_ROOM_H

#include <throng/room.h>

#include "game.h"

#define GAME_ROOMS_MAX 6u

struct tg_slot;
struct tg_worker;

/* Another server. */
void game_room_begin(const struct plan *plan, struct throng_server *server);

/* Something with a room, by chance; it may concern this connection. */
void game_room_act(struct game_conn *conn);

/* Its CLOSED was released. */
void game_room_gone(throng_conn conn);

/* What the counters must say. */
void game_room_check_counters(const struct throng_counters *now);

/* Bytes that were broadcast, for each member. */
uint64_t game_room_offered_bytes(void);

/* What members missed before this server came. */
void game_room_check_quiet(const struct throng_counters *now);

/* ---- oracle_room.c ---- */

/* Everything of rooms is at home. */
bool oracle_rooms_are_quiet(struct throng_server *server);

/* Units of a connection's own blocks that wait at its worker. */
uint64_t oracle_own_units(const struct tg_worker *worker, const struct tg_slot *slot);

/* Units of broadcasts that are out; and the workers' records against each other. All threads
 * sleep. */
uint64_t oracle_check_rooms(const struct throng_server *server);

#endif
