/* SPDX-License-Identifier: MIT
 * A log-linear histogram of durations: each octave is cut into 128 parts, so a percentile is less
 * than 1 % too high and never too low. One per thread, filled without any lock; merged when the
 * threads have ended. Pure. */
#ifndef STRESS_HISTOGRAM_H
#define STRESS_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_PART_BITS 7
#define HISTOGRAM_PARTS (1u << HISTOGRAM_PART_BITS)

/* Values from 2^40 ns (18 minutes) on share the last bucket; the maximum stays exact. */
#define HISTOGRAM_VALUE_BITS 40
#define HISTOGRAM_BUCKETS ((HISTOGRAM_VALUE_BITS - HISTOGRAM_PART_BITS + 1) * HISTOGRAM_PARTS)

struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* Adds what `other` holds. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);

/* A value that `per_million` millionths of all values do not exceed: 500,000 is the median. 0 if
 * there are no values. At most 1/128 above the exact value. */
uint64_t histogram_at(const struct histogram *histogram, uint32_t per_million);

/* How many of the values are at most `value`; values of its own bucket, up to 1/128 larger, count
 * too. */
uint64_t histogram_count_to(const struct histogram *histogram, uint64_t value);

/* Their mean and variance, of the buckets' largest values. 0 if there are none. */
void histogram_moments(const struct histogram *histogram, double *mean, double *variance);

#endif
