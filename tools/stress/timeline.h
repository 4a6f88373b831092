/* SPDX-License-Identifier: MIT
 * What happened when: points of one second, in fixed memory. When they are used up each two become
 * one of twice the length, so a run of any length has TIMELINE_POINTS/2 to TIMELINE_POINTS of them.
 * One per thread, which owns it; the main thread has one of its own for what it looks at, and
 * merges all when the threads have ended. Pure.
 *
 * Latencies are kept with 16 parts an octave: a percentile is never too low and at most 6 % too
 * high. */
#ifndef STRESS_TIMELINE_H
#define STRESS_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMELINE_POINTS 240u
#define TIMELINE_SECOND_NS UINT64_C(1000000000)

#define TIMELINE_PART_BITS 4
#define TIMELINE_PARTS (1u << TIMELINE_PART_BITS)
#define TIMELINE_VALUE_BITS 40
#define TIMELINE_BUCKETS ((TIMELINE_VALUE_BITS - TIMELINE_PART_BITS + 1) * TIMELINE_PARTS)

struct timeline_point {
    /* Counted by the swarm's threads. */
    uint64_t answers;
    uint64_t bytes;
    uint64_t opened;
    uint64_t latency_max_ns;
    uint32_t buckets[TIMELINE_BUCKETS];

    /* Looked at by the main thread: the last look of the point; of `up` the most. */
    bool looked;
    uint32_t up;
    uint64_t errors;           /* so far */
    uint64_t server_rss_bytes; /* 0: unknown */
    double server_cpu_seconds; /* so far */
};

struct timeline {
    uint64_t start_ns;
    uint32_t shift; /* a point is 2^shift seconds long */
    uint32_t count; /* points up to the last one that was asked for */
    struct timeline_point points[TIMELINE_POINTS];
};

/* `timeline` must be all zero. */
void timeline_begin(struct timeline *timeline, uint64_t start_ns);

/* The point of that time; never NULL: before the start is the first one. */
struct timeline_point *timeline_at(struct timeline *timeline, uint64_t now_ns);

void timeline_answer(struct timeline *timeline, uint64_t now_ns, uint64_t latency_ns, size_t bytes);

/* Adds what `other`, of the same start, holds; its points may be made longer for that. */
void timeline_merge(struct timeline *timeline, struct timeline *other);

/* As histogram_at, over one point. */
uint64_t timeline_latency(const struct timeline_point *point, uint32_t per_million);

/* Seconds of one point. */
static inline double timeline_step(const struct timeline *timeline)
{
    return (double)(UINT64_C(1) << timeline->shift);
}

#endif
