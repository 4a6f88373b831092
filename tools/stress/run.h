/* SPDX-License-Identifier: MIT
 * One run from connect to close, and what came of it. Main thread. */
#ifndef STRESS_RUN_H
#define STRESS_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "options.h"
#include "process.h"
#include "server_usage.h"
#include "tally.h"
#include "timeline.h"

struct outcome {
    struct totals totals;
    struct histogram latency; /* ns */
    struct histogram connect; /* of each connect, ns */
    struct histogram
        first_reply;            /* CHURN: from when a connection was due to its first answer, ns */
    struct timeline *timeline;  /* all threads' together; NULL: no --report; until run_release */
    struct timeline *timelines; /* the memory that it lies in */
    char first_wrong[256];      /* ROOMS, CHAT: the first thing that was wrong; or empty */
    bool has_server;            /* --server-pid: */
    struct server_usage server_begin;
    struct server_usage server_end;
    uint64_t first_opened; /* connections of connect_seconds */
    uint32_t peak;         /* connections up at once */
    uint32_t alive;        /* and before we closed them */
    bool has_established;
    uint64_t established; /* the server's ends, by the kernel's table, at the same moment */
    double connect_seconds;
    double talk_seconds; /* to the last echo */
    uint64_t failed;     /* connects that came to nothing */
    uint64_t unready;    /* came up, but could not join */
    uint64_t others;     /* CHAT: lines of people, for each member that heard them */
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

/* Frees what the outcome holds. */
void run_release(struct outcome *outcome);

#endif
