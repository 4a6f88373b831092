/* SPDX-License-Identifier: MIT
 * Judges runs, and keeps the table that is printed at the end. */
#ifndef TEST_TORTURE_VERDICT_H
#define TEST_TORTURE_VERDICT_H

#include "runner.h"
#include "subject.h"

/* A scenario's row. */
struct verdict {
    const struct scenario *scenario;
    uint32_t places;   /* that could fail */
    uint32_t injected; /* runs in which one did */
    uint32_t refused;  /* a clean error, nothing left behind */
    uint32_t went_on;  /* it started all the same, and served */
    uint32_t missed;   /* runs that did not come by the place again */
    uint32_t leaks;
    uint32_t hangs;
    uint32_t wrong; /* all that is neither */
    double seconds;
};

/* One run, in which `what` failed. Says what it has against it. */
void verdict_judge(struct verdict *verdict, const struct run *run, const struct subject *subject,
                   const char *what);

/* Nothing was found but what the scenario is made for. */
bool verdict_is_good(const struct verdict *verdict);

/* Says it on a line of its own, if THRONG_TORTURE_VERBOSE is set. */
__attribute__((format(printf, 1, 2))) void verdict_say(const char *format, ...);

void verdict_print_head(void);
void verdict_print(const struct verdict *verdict);

#endif
