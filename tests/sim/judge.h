/* SPDX-License-Identifier: MIT
 * The judge of one life: which reasons of CLOSED are possible for it, and what must have arrived.
 * Called by the ledger. */
#ifndef SIM_JUDGE_H
#define SIM_JUDGE_H

#include "ledger.h"

void judge_begin(const struct plan *of_world);

/* The game took CLOSED. */
void judge_reason(struct life *life);

/* Both sides are done with it. */
void judge_both(const struct life *life);

/* The world ends. */
void judge_end(const struct life *life);
void judge_sums(void);

#endif
