/* SPDX-License-Identifier: MIT
 * The judge of deadlines, rates and heartbeats: it hears what each port of the server does (struct
 * tg_sim_port_note), keeps time of its own, and knows so of each connection what its peer has done
 * and since when. Nobody may be reset before his time, and nobody may overstay it. */
#ifndef SIM_WATCH_H
#define SIM_WATCH_H

#include "game.h"

struct tg_slot;
struct tg_worker;

void watch_begin(const struct plan *of_world);

/* The game has another server. */
void watch_serve(void);

/* tg_sim_options.on_port */
void watch_note(void *context, const struct tg_sim_port_note *note);

/* Everybody sleeps: whether this connection should have been reset long ago. */
void watch_check_overdue(const struct tg_worker *of_server, const struct tg_slot *slot);

#endif
