/* SPDX-License-Identifier: MIT
 * Percentiles of a Prometheus histogram. Pure. */
#ifndef TOP_LATENCY_H
#define TOP_LATENCY_H

#include "page.h"

struct latency {
    double samples; /* 0: the others mean nothing */
    double p50;     /* seconds */
    double p90;
    double p99;
    double
        most; /* the upper bound of the last bucket with something in it; infinite beyond the last */
};

/* Of the samples that came between two pages, or of all if `before` is NULL or has more than `now`:
 * the server was started anew. Between the bounds of a bucket samples count as evenly spread, as
 * Prometheus' histogram_quantile has it. */
void latency_read(struct latency *latency, const struct page *now, const struct page *before,
                  const char *name);

#endif
