/* SPDX-License-Identifier: MIT
 * When things are due that happen at a rate. Event k of a thread is due at first_due_ns + k *
 * interval_ns, whatever happened to those before it: what could not be done in time stays due, and
 * its latency counts from here (no coordinated omission). One per thread, which owns it. Pure. */
#ifndef STRESS_PACE_H
#define STRESS_PACE_H

#include <stdint.h>

struct pace {
    uint64_t first_due_ns;
    double interval_ns;
    uint64_t due_count; /* k */
};

/* `per_second` events over all threads, of which this one has `share` (0..1; 0: none at all). The
 * threads take turns instead of beginning all at once. */
static inline struct pace pace_start(uint64_t start_ns, double per_second, double share,
                                     uint32_t thread, uint32_t threads)
{
    struct pace pace = {.first_due_ns = start_ns, .interval_ns = 1e18};
    if (share > 0) {
        pace.interval_ns = 1e9 / (per_second * share);
        pace.first_due_ns += (uint64_t)(pace.interval_ns * thread / threads);
    }
    return pace;
}

static inline uint64_t pace_due(const struct pace *pace)
{
    return pace->first_due_ns + (uint64_t)((double)pace->due_count * pace->interval_ns);
}

/* Events that were due before now_ns and did not happen. */
static inline uint64_t pace_missed(const struct pace *pace, uint64_t now_ns)
{
    if (now_ns <= pace->first_due_ns) {
        return 0;
    }
    double due = (double)(now_ns - pace->first_due_ns) / pace->interval_ns;
    return (uint64_t)due > pace->due_count ? (uint64_t)due - pace->due_count : 0;
}

#endif
