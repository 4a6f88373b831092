/* SPDX-License-Identifier: MIT
 * See timeline.h. */
#include "timeline.h"

#include <string.h>

void timeline_begin(struct timeline *timeline, uint64_t start_ns)
{
    timeline->start_ns = start_ns;
}

/* As histogram.c, with fewer parts. */
static uint32_t bucket_of(uint64_t value)
{
    if (value >> TIMELINE_VALUE_BITS != 0) {
        return TIMELINE_BUCKETS - 1;
    }
    if (value < 2 * TIMELINE_PARTS) {
        return (uint32_t)value;
    }
    uint32_t top_bit = 63 - (uint32_t)__builtin_clzll(value);
    uint32_t shift = top_bit - TIMELINE_PART_BITS;
    return shift * TIMELINE_PARTS + (uint32_t)(value >> shift);
}

static uint64_t bucket_end(uint32_t bucket)
{
    if (bucket < 2 * TIMELINE_PARTS) {
        return bucket;
    }
    uint32_t shift = bucket / TIMELINE_PARTS - 1;
    uint64_t part = bucket - shift * TIMELINE_PARTS;
    return ((part + 1) << shift) - 1;
}

/* What `from` counted is added; what it saw is taken if it looked, for it is the later one. */
static void add_point(struct timeline_point *point, const struct timeline_point *from)
{
    point->answers += from->answers;
    point->bytes += from->bytes;
    point->opened += from->opened;
    if (from->latency_max_ns > point->latency_max_ns) {
        point->latency_max_ns = from->latency_max_ns;
    }
    for (uint32_t i = 0; i < TIMELINE_BUCKETS; i++) {
        point->buckets[i] += from->buckets[i];
    }
    if (from->looked) {
        point->looked = true;
        point->up = from->up > point->up ? from->up : point->up;
        point->errors = from->errors;
        point->server_rss_bytes = from->server_rss_bytes;
        point->server_cpu_seconds = from->server_cpu_seconds;
    }
}

static void make_longer(struct timeline *timeline)
{
    for (uint32_t i = 0; i < TIMELINE_POINTS / 2; i++) {
        struct timeline_point *first = &timeline->points[2 * i];
        add_point(first, &timeline->points[2 * i + 1]);
        if (i > 0) {
            timeline->points[i] = *first;
        }
    }
    memset(&timeline->points[TIMELINE_POINTS / 2], 0,
           TIMELINE_POINTS / 2 * sizeof(timeline->points[0]));
    timeline->count = (timeline->count + 1) / 2;
    timeline->shift++;
}

struct timeline_point *timeline_at(struct timeline *timeline, uint64_t now_ns)
{
    uint64_t second =
        now_ns > timeline->start_ns ? (now_ns - timeline->start_ns) / TIMELINE_SECOND_NS : 0;
    while (second >> timeline->shift >= TIMELINE_POINTS) {
        make_longer(timeline);
    }
    uint32_t index = (uint32_t)(second >> timeline->shift);
    if (index >= timeline->count) {
        timeline->count = index + 1;
    }
    return &timeline->points[index];
}

void timeline_answer(struct timeline *timeline, uint64_t now_ns, uint64_t latency_ns, size_t bytes)
{
    struct timeline_point *point = timeline_at(timeline, now_ns);
    point->answers++;
    point->bytes += bytes;
    point->buckets[bucket_of(latency_ns)]++;
    if (latency_ns > point->latency_max_ns) {
        point->latency_max_ns = latency_ns;
    }
}

void timeline_merge(struct timeline *timeline, struct timeline *other)
{
    while (other->shift < timeline->shift) {
        make_longer(other);
    }
    while (timeline->shift < other->shift) {
        make_longer(timeline);
    }
    for (uint32_t i = 0; i < other->count; i++) {
        add_point(&timeline->points[i], &other->points[i]);
    }
    if (other->count > timeline->count) {
        timeline->count = other->count;
    }
}

uint64_t timeline_latency(const struct timeline_point *point, uint32_t per_million)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < TIMELINE_BUCKETS; i++) {
        total += point->buckets[i];
    }
    uint64_t rank = total / 1000000 * per_million +
                    (total % 1000000 * per_million + 999999) / 1000000;
    uint64_t seen = 0;
    for (uint32_t i = 0; i + 1 < TIMELINE_BUCKETS; i++) {
        seen += point->buckets[i];
        if (seen >= rank && seen > 0) {
            uint64_t end = bucket_end(i);
            return end < point->latency_max_ns ? end : point->latency_max_ns;
        }
    }
    return point->latency_max_ns;
}
