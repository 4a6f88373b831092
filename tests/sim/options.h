/* SPDX-License-Identifier: MIT
 * throng-sim's command line. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan.h"

struct options {
    uint64_t first; /* seeds first..last, */
    uint64_t last;
    uint64_t *list; /* or these, if not NULL */
    size_t list_count;
    uint32_t seconds; /* > 0: seeds from `first` on, so long */
    uint32_t jobs;
    uint32_t steps;       /* > 0: completions until the faults end, instead of the plan's */
    uint32_t verify_each; /* each so-manieth seed runs twice; 0: none */
    bool is_one;          /* --seed: in this process */
    bool trace;
    bool plan_only;
    bool json;
    bool quiet;
    bool first_only; /* no more seeds once one has failed */
    bool scaled;     /* as many seeds as THRONG_TEST_SCALE says, percent */
    bool has_faults;
    uint32_t faults[TG_SIM_FAULT_COUNT];
    const char *program;
    const char *faults_text; /* as given, for the command that reproduces a failure */
};

/* False: the program ends with *status. */
bool options_read(struct options *options, int count, char **arguments, int *status);

/* The plan of a seed, with what the command line changes. */
void options_plan(const struct options *options, uint64_t seed, struct plan *plan);

#endif
