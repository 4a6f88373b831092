/* SPDX-License-Identifier: MIT
 * One run from connect to close, and what came of it. Main thread. */
#ifndef STRESS_RUN_H
#define STRESS_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "options.h"
#include "process.h"
#include "tally.h"

struct outcome {
    struct totals totals;
    struct histogram latency; /* ns */
    struct histogram connect; /* of each connect, ns */
    uint32_t peak;            /* connections up at once */
    uint32_t alive;           /* and before we closed them */
    bool has_established;
    uint64_t established; /* the server's ends, by the kernel's table, at the same moment */
    double connect_seconds;
    double talk_seconds; /* to the last echo */
    uint64_t unanswered;
    uint64_t errors; /* everything that makes the exit status 1 */
    bool interrupted;
    uint32_t threads;
    uint32_t sources;
    const char *backend;
    struct process_usage usage;
};

/* Runs. 0, or the error of throng_swarm_start or of reserving memory; nothing was done then. */
int run_load(const struct stress_options *options, struct outcome *outcome,
             struct throng_error *error);

#endif
