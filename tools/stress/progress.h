/* SPDX-License-Identifier: MIT
 * One line a second on standard error: rewritten in place on a terminal, plain lines elsewhere.
 * Main thread. */
#ifndef STRESS_PROGRESS_H
#define STRESS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"
#include "tally.h"

struct progress {
    bool quiet;
    bool terminal;
    bool line_open; /* the cursor stands behind a line that will be rewritten */
    const char *phase;
    uint32_t connections;
    uint64_t start_ns;
    uint64_t shown_ns;
    uint64_t received; /* when it was shown */
    uint64_t bytes;
    uint64_t opened;
};

void progress_start(struct progress *progress, const struct stress_options *options,
                    uint64_t now_ns);

/* What is being done now: a word. */
void progress_phase(struct progress *progress, const char *phase);

/* Shows where things are, if a second has passed. */
void progress_show(struct progress *progress, const struct totals *totals, uint32_t up,
                   uint64_t now_ns);

void progress_end(struct progress *progress);

#endif
