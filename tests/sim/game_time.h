/* SPDX-License-Identifier: MIT
 * The game's clockwork: timers that it starts and stops by chance, its tick, and the rules of both:
 * never early, in due order, none lost, none after its stop, and ticks numbered without a gap. */
#ifndef SIM_GAME_TIME_H
#define SIM_GAME_TIME_H

#include <throng/server.h>

#include "plan.h"

/* Another server. */
void game_time_begin(const struct plan *plan, struct throng_server *server);

/* A TIMER, a TICK or a POSTED was taken; in their order, before any event is handled. */
void game_time_take(const struct throng_event *event);

/* One of them was given back. */
void game_time_release(void);

/* Those taken and not given back. */
uint64_t game_time_out(void);

/* Starts, stops, changes the tick: by chance. */
void game_time_act(void);

/* The game is ending: the tick and what comes again and again is stopped. */
void game_time_end(void);

/* Timers that are still to come. */
uint32_t game_time_waiting(void);

/* What the counters must say. */
void game_time_check_counters(const struct throng_counters *now);

/* The game sleeps, and everybody else. */
void game_time_check_sleep(void);

#endif
