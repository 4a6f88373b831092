/* SPDX-License-Identifier: MIT
 * How long events wait between their I/O thread and the logic thread, by a sample: each worker has
 * one event at a time under its eye, the last one of what it publishes. Only with an admin
 * listener; nobody else pays for the clock.
 *
 *   worker: tg_latency_offer, then tg_ring_publish      logic thread: tg_ring_pop, then tg_latency_take
 */
#ifndef TG_EVENT_LATENCY_H
#define TG_EVENT_LATENCY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ring.h"

/* Bucket i holds what took up to 2^(TG_LATENCY_FIRST + i) ns: 8.192 us, then the double each, up to
 * 8.6 s. One more for the rest. */
#define TG_LATENCY_FIRST 13u
#define TG_LATENCY_BUCKETS 21u

/* One worker's event under observation. */
struct tg_latency_sample {
    /* 0: none, the worker may choose one. The worker writes it (release: pairs with the acquire in
     * tg_latency_take; makes `position` visible), the logic thread clears it (release: pairs with
     * the acquire in tg_latency_offer; it has read `position`). */
    _Atomic uint64_t published_ns;
    uint32_t position; /* the ring's place behind it */
};

/* The logic thread writes, anybody reads. */
struct tg_latency {
    _Atomic uint64_t buckets[TG_LATENCY_BUCKETS + 1];
    _Atomic uint64_t sum_ns;
};

/* Worker: whether a sample is wanted of what was pushed and is to be published now. */
static inline bool tg_latency_is_wanted(const struct tg_latency_sample *sample,
                                        const struct tg_ring *events)
{
    return atomic_load_explicit(&sample->published_ns, memory_order_acquire) == 0 &&
           atomic_load_explicit(&events->tail_shared, memory_order_relaxed) != events->tail;
}

/* Worker: takes the last of those. now_ns is not 0. */
static inline void tg_latency_offer(struct tg_latency_sample *sample, const struct tg_ring *events,
                                    uint64_t now_ns)
{
    sample->position = events->tail;
    atomic_store_explicit(&sample->published_ns, now_ns, memory_order_release);
}

/* Logic thread: whether the sampled event was taken. */
static inline bool tg_latency_is_taken(const struct tg_latency_sample *sample,
                                       const struct tg_ring *events)
{
    return atomic_load_explicit(&sample->published_ns, memory_order_acquire) != 0 &&
           (int32_t)(events->head - sample->position) >= 0;
}

/* The bucket of a duration. */
static inline uint32_t tg_latency_bucket(uint64_t ns)
{
    uint32_t bucket = 0;
    while (bucket < TG_LATENCY_BUCKETS && ns > UINT64_C(1) << (TG_LATENCY_FIRST + bucket)) {
        bucket++;
    }
    return bucket;
}

/* Logic thread: counts the sampled event, which was taken at now_ns. */
static inline void tg_latency_take(struct tg_latency *latency, struct tg_latency_sample *sample,
                                   uint64_t now_ns)
{
    uint64_t since_ns = atomic_load_explicit(&sample->published_ns, memory_order_relaxed);
    uint64_t ns = now_ns > since_ns ? now_ns - since_ns : 0;
    _Atomic uint64_t *bucket = &latency->buckets[tg_latency_bucket(ns)];
    /* A single writer: no locked instruction. */
    atomic_store_explicit(bucket, atomic_load_explicit(bucket, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    atomic_store_explicit(&latency->sum_ns,
                          atomic_load_explicit(&latency->sum_ns, memory_order_relaxed) + ns,
                          memory_order_relaxed);
    atomic_store_explicit(&sample->published_ns, 0, memory_order_release);
}

#endif
