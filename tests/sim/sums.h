/* SPDX-License-Identifier: MIT
 * What many runs came to. */
#ifndef SIM_SUMS_H
#define SIM_SUMS_H

#include "options.h"
#include "run.h"

#define SUMS_FAILED_MAX 4096u

struct sums {
    uint64_t runs;
    uint64_t cpu_ns;
    uint64_t virtual_ns;
    uint64_t steps;
    uint64_t switches;
    uint64_t completions;
    uint64_t faulted;
    uint64_t connections;
    uint64_t opened;
    uint64_t messages_up;
    uint64_t messages_down;
    uint64_t looks;
    uint64_t faults[TG_SIM_FAULT_COUNT];
    uint64_t reasons[LEDGER_REASONS];
    uint32_t failed_count;
    uint64_t failed[SUMS_FAILED_MAX];
};

void sums_add(struct sums *sums, const struct run_result *result);
void sums_fail(struct sums *sums, uint64_t seed);
void sums_print_progress(const struct sums *sums, double seconds);
void sums_print(const struct sums *sums, const struct options *options, double seconds);

#endif
