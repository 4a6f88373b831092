/* SPDX-License-Identifier: MIT
 * What this process has used so far. Any thread. */
#ifndef STRESS_PROCESS_H
#define STRESS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct process_usage {
    double user_seconds; /* CPU, all threads */
    double system_seconds;
    uint64_t peak_rss_bytes;
};

void process_usage(struct process_usage *usage);

/* Whether standard error is a terminal. */
bool process_has_terminal(void);

#endif
