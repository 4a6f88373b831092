/* SPDX-License-Identifier: MIT
 * See latency.h. */
#include "latency.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MAX 128

struct bucket {
    double bound; /* seconds; the last one's is infinite */
    double count; /* of samples up to the bound */
};

static int by_bound(const void *left, const void *right)
{
    const struct bucket *a = left, *b = right;
    return (a->bound > b->bound) - (a->bound < b->bound);
}

static bool read_bound(const struct prometheus_sample *sample, double *bound)
{
    char text[32];
    page_label(sample, "le", text, sizeof(text));
    return prometheus_number(text, strlen(text), bound) && *bound >= 0;
}

static size_t read_buckets(struct bucket *buckets, const struct page *now,
                           const struct page *before, const char *name)
{
    char full[96];
    size_t from = 0, count = 0;
    const struct prometheus_sample *sample;
    (void)snprintf(full, sizeof(full), "%s_bucket", name);
    while (count < BUCKETS_MAX && (sample = page_next(now, full, &from)) != NULL) {
        const struct prometheus_sample *old = before != NULL ? page_same(before, sample) : NULL;
        double counted = sample->value - (old != NULL ? old->value : 0);
        if (!prometheus_is_finite(counted) || counted < 0 ||
            !read_bound(sample, &buckets[count].bound)) {
            continue;
        }
        buckets[count++].count = counted;
    }
    qsort(buckets, count, sizeof(buckets[0]), by_bound);
    return count;
}

static double quantile(const struct bucket *buckets, size_t count, double part)
{
    double rank = part * buckets[count - 1].count;
    double low = 0, below = 0;
    for (size_t i = 0; i < count; i++) {
        if (buckets[i].count >= rank && buckets[i].count > below) {
            if (!prometheus_is_finite(buckets[i].bound)) {
                return low; /* all that is known */
            }
            double inside = (rank - below) / (buckets[i].count - below);
            return low + (buckets[i].bound - low) * inside;
        }
        low = buckets[i].bound;
        below = buckets[i].count > below ? buckets[i].count : below;
    }
    return low;
}

static double most(const struct bucket *buckets, size_t count)
{
    double below = 0, bound = 0;
    for (size_t i = 0; i < count; i++) {
        if (buckets[i].count > below) {
            below = buckets[i].count;
            bound = buckets[i].bound;
        }
    }
    return bound;
}

void latency_read(struct latency *latency, const struct page *now, const struct page *before,
                  const char *name)
{
    struct bucket buckets[BUCKETS_MAX] = {{0}};
    char full[96];
    (void)snprintf(full, sizeof(full), "%s_count", name);
    if (before != NULL && page_sum(before, full, 0) > page_sum(now, full, 0)) {
        before = NULL;
    }
    size_t count = read_buckets(buckets, now, before, name);
    memset(latency, 0, sizeof(*latency));
    if (count == 0 || !(buckets[count - 1].count > 0)) {
        return;
    }
    latency->samples = buckets[count - 1].count;
    latency->p50 = quantile(buckets, count, 0.5);
    latency->p90 = quantile(buckets, count, 0.9);
    latency->p99 = quantile(buckets, count, 0.99);
    latency->most = most(buckets, count);
}
