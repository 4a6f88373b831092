/* SPDX-License-Identifier: MIT
 * Our own clients in the simulated world: a swarm on its threads, and a few non-blocking clients on
 * one, as a game's frames would drive them. They compare what comes with the script. */
#ifndef SIM_CLIENTS_H
#define SIM_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"

void clients_begin(const struct plan *plan);

/* Start what the plan has of them. 0, or the error of a start that a fault has spoilt; then nothing
 * is left of it. On the main thread. */
int clients_start_swarm(void);
int clients_start_frames(void);

/* From here on nobody connects anew, and all come to an end. */
void clients_finish(void);

/* How many connections of theirs are not down. */
uint32_t clients_busy(void);

/* Ends the swarm and the clients' thread; also in the middle. */
void clients_stop(void);

/* A pause between two steps, ns. */
uint64_t clients_pause(void);

struct clients_world {
    const struct plan *plan;
    bool is_finishing;
};

extern struct clients_world clients_world;

/* frame_clients.c */
void frame_clients_finish(void);
uint32_t frame_clients_busy(void);
void frame_clients_stop(void);

#endif
