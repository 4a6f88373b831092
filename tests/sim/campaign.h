/* SPDX-License-Identifier: MIT
 * Many seeds: processes that run them, so that a failing one does not end the others; their sums,
 * and what is printed of them. */
#ifndef SIM_CAMPAIGN_H
#define SIM_CAMPAIGN_H

#include "options.h"
#include "run.h"

/* Runs one seed in this process, twice if `verify`. A failure ends the process. */
void campaign_run_one(const struct options *options, uint64_t seed, bool verify,
                      struct run_result *result);

/* Runs all seeds that the options name. The number of those that failed. */
uint32_t campaign_run(const struct options *given);

/* One line about one run. */
void campaign_print_run(const struct run_result *result);

#endif
