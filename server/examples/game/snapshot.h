/* SPDX-License-Identifier: MIT
 * From two states to the message that turns the one into the other. handlers.c calls it. Pure.
 *
 * The base of every delta is the last state that was broadcast, the same for all players. So a tick
 * has one encoding and one broadcast, however many listen. (The other way, a base that each client
 * has acknowledged, is for datagrams, which get lost all the time: it costs an encoding per client
 * and a history of states. Here messages come in order or, when a slow reader's queue is full, not
 * at all; who has missed one sees a base that it does not have, and asks for a state with base
 * 0.) */
#ifndef GAME_SNAPSHOT_H
#define GAME_SNAPSHOT_H

#include <stddef.h>

#include "protocol.h"

/* Writes the SNAPSHOT from `base` (NULL: the empty state) to `now`; answers its size. `out` has
 * GAME_SNAPSHOT_BYTES_MAX bytes. */
size_t snapshot_encode(const struct game_state *base, const struct game_state *now, uint8_t *out);

#endif
