/* SPDX-License-Identifier: MIT
 * See histogram.h. Called by the swarm's threads (add) and by the main thread (merge, at). */
#include "histogram.h"

/* Bucket of a value:
 *     0..255                 the value itself: two octaves' worth of buckets, exact
 *     256..511               256 + (value - 256) / 2
 *     2^k..2^(k+1)-1         the top 8 bits of the value choose among 128 parts */
static uint32_t bucket_of(uint64_t value)
{
    if (value >> HISTOGRAM_VALUE_BITS != 0) {
        return HISTOGRAM_BUCKETS - 1;
    }
    if (value < 2 * HISTOGRAM_PARTS) {
        return (uint32_t)value;
    }
    uint32_t top_bit = 63 - (uint32_t)__builtin_clzll(value);
    uint32_t shift = top_bit - HISTOGRAM_PART_BITS;
    return shift * HISTOGRAM_PARTS + (uint32_t)(value >> shift);
}

/* The largest value of a bucket. */
static uint64_t bucket_end(uint32_t bucket)
{
    if (bucket < 2 * HISTOGRAM_PARTS) {
        return bucket;
    }
    uint32_t shift = bucket / HISTOGRAM_PARTS - 1;
    uint64_t part = bucket - shift * HISTOGRAM_PARTS;
    return ((part + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->count++;
    histogram->buckets[bucket_of(value)]++;
    if (value > histogram->max) {
        histogram->max = value;
    }
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
    histogram->count += other->count;
    if (other->max > histogram->max) {
        histogram->max = other->max;
    }
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        histogram->buckets[i] += other->buckets[i];
    }
}

/* How many values the answer must cover: `per_million` of the count, rounded up, at least one. In
 * two parts, so that the product cannot overflow. */
static uint64_t rank_of(uint64_t count, uint32_t per_million)
{
    uint64_t whole = count / 1000000 * per_million;
    uint64_t rest = (count % 1000000 * per_million + 999999) / 1000000;
    uint64_t rank = whole + rest;
    return rank > 0 ? rank : 1;
}

uint64_t histogram_at(const struct histogram *histogram, uint32_t per_million)
{
    uint64_t rank = rank_of(histogram->count, per_million);
    uint64_t seen = 0;
    /* The last bucket has no end of its own: the maximum stands for it. */
    for (uint32_t i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= rank) {
            uint64_t end = bucket_end(i);
            return end < histogram->max ? end : histogram->max;
        }
    }
    return histogram->max;
}

uint64_t histogram_count_to(const struct histogram *histogram, uint64_t value)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i <= bucket_of(value); i++) {
        count += histogram->buckets[i];
    }
    return count;
}

void histogram_moments(const struct histogram *histogram, double *mean, double *variance)
{
    double sum = 0;
    double squares = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t end = bucket_end(i) < histogram->max ? bucket_end(i) : histogram->max;
        sum += (double)histogram->buckets[i] * (double)end;
    }
    *mean = histogram->count > 0 ? sum / (double)histogram->count : 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t end = bucket_end(i) < histogram->max ? bucket_end(i) : histogram->max;
        double off = (double)end - *mean;
        squares += (double)histogram->buckets[i] * off * off;
    }
    *variance = histogram->count > 0 ? squares / (double)histogram->count : 0;
}
