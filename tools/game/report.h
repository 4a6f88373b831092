/* SPDX-License-Identifier: MIT
 * What the bots say in the end. Main thread. */
#ifndef GAME_REPORT_H
#define GAME_REPORT_H

#include <stdio.h>

#include "../stress/histogram.h"
#include "options.h"
#include "tally.h"

struct outcome {
    struct totals whole;    /* from beginning to end */
    struct totals measured; /* of the time in which everybody played */
    double seconds;         /* of that time */
    uint32_t players;       /* who joined */
    struct histogram latency;
    uint64_t errors;
};

/* Ticks a second and bytes a second that one player was told of. */
double report_ticks(const struct outcome *outcome);
double report_bytes(const struct outcome *outcome);

void report_text(FILE *file, const struct options *options, const struct outcome *outcome);
void report_json(FILE *file, const struct options *options, const struct outcome *outcome);

#endif
