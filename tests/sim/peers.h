/* SPDX-License-Identifier: MIT
 * Raw peers: what the network brings to a server's door. Each is a state machine on the simulated
 * network, without a thread: it connects, behaves as its kind does, goes, and comes again. What it
 * reads it compares with the script, byte by byte. */
#ifndef SIM_PEERS_H
#define SIM_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"

/* All of them rest until peers_start. */
void peers_begin(const struct plan *plan);
void peers_start(void);

/* From here on nobody connects anew, and everybody comes to an end as its kind does, soon. */
void peers_finish(void);

/* How many have a connection, or try to get one. */
uint32_t peers_busy(void);

/* Prints who is busy, and with what. */
void peers_print(void);

#endif
