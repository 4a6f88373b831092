/* SPDX-License-Identifier: MIT
 * One run: a world, from its plan to its end.
 *
 *   start (faults may spoil it) -> faults and habits -> perhaps drain or stop, and the next server ->
 *   calm: everybody comes to an end -> rest, drain or stop -> the ledger is judged */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "ledger.h"
#include "plan.h"

struct run_result {
    uint64_t seed;
    uint64_t hash;
    uint64_t virtual_ns;
    uint64_t steps;
    uint64_t switches;
    uint64_t completions;
    uint64_t faulted;
    uint64_t connections;
    uint64_t opened;
    uint64_t messages_up;
    uint64_t messages_down;
    uint64_t looks; /* at a sleeping world */
    uint64_t cpu_ns;
    uint64_t faults[TG_SIM_FAULT_COUNT];
    uint64_t reasons[LEDGER_REASONS];
};

/* A broken rule ends the process. */
void run_plan(const struct plan *plan, bool trace, struct run_result *result);

/* The plan that runs now, NULL if none does: for whoever reports a failure. */
const struct plan *run_current(void);

#endif
