/* SPDX-License-Identifier: MIT
 * Bounded single-producer single-consumer ring of fixed-size entries: the only way data crosses
 * between a worker and the logic thread.
 *
 * The producer fills entries and publishes them together; the consumer takes what was published and
 * gives the room back together. Publishing once per loop costs about 3 ns an entry, publishing each
 * about 17 (FACTS). Every index lives on the cache line of the thread that writes it: producer and
 * consumer sharing a line costs 15 ns an entry whatever the batch.
 *
 *      head (consumer's)                tail (producer's)
 *        |                                |
 *   [free][taken, not returned][readable][filled, not published][free]
 *        ^head_shared          ^head      ^tail_shared          ^tail
 */
#ifndef TG_BASE_RING_H
#define TG_BASE_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/yield.h"

#define TG_CACHE_LINE_BYTES 64

struct tg_ring {
    /* Set once before the threads start; read by both. */
    alignas(TG_CACHE_LINE_BYTES) uint8_t *entries;
    uint32_t entry_bytes;
    uint32_t mask; /* capacity - 1; the capacity is a power of two */

    /* Producer thread. */
    alignas(TG_CACHE_LINE_BYTES) uint32_t tail;
    uint32_t head_seen; /* the producer's latest view of head_shared */

    /* Consumer thread. */
    alignas(TG_CACHE_LINE_BYTES) uint32_t head;
    uint32_t tail_seen; /* the consumer's latest view of tail_shared */

    /* Written by the producer (release), read by the consumer (acquire). */
    alignas(TG_CACHE_LINE_BYTES) _Atomic uint32_t tail_shared;

    /* Written by the consumer (release), read by the producer (acquire). */
    alignas(TG_CACHE_LINE_BYTES) _Atomic uint32_t head_shared;
};

/* The smallest power of two that is at least `n`; n in 1..2^31. */
uint32_t tg_ring_capacity_for(uint32_t n);

/* Bytes of entry storage that tg_ring_init needs. */
static inline size_t tg_ring_storage_bytes(uint32_t capacity, uint32_t entry_bytes)
{
    return (size_t)capacity * entry_bytes;
}

/* Makes an empty ring over `storage` (owned by the caller, kept until the ring is no longer used).
 * `capacity` is a power of two in 1..2^31. Before either thread uses it. */
void tg_ring_init(struct tg_ring *ring, void *storage, uint32_t capacity, uint32_t entry_bytes);

/* Producer: the next free entry to fill, or NULL if the ring is full. tg_ring_push() follows. */
static inline void *tg_ring_claim(struct tg_ring *ring)
{
    if (ring->tail - ring->head_seen > ring->mask) {
        tg_yield();
        /* acquire: pairs with the release in tg_ring_return; the consumer is done with the entries.
         */
        ring->head_seen = atomic_load_explicit(&ring->head_shared, memory_order_acquire);
        if (ring->tail - ring->head_seen > ring->mask) {
            return NULL;
        }
    }
    return ring->entries + (size_t)(ring->tail & ring->mask) * ring->entry_bytes;
}

/* Producer: counts the claimed entry as filled. Not visible before tg_ring_publish. */
static inline void tg_ring_push(struct tg_ring *ring)
{
    ring->tail++;
}

/* Producer: free entries that lie in a row, from the next one on: at most `most` (>= 1). *count is
 * their number, 0 if the ring is full. tg_ring_push_run() follows. */
static inline void *tg_ring_claim_run(struct tg_ring *ring, uint32_t most, uint32_t *count)
{
    void *first = tg_ring_claim(ring);
    const uint32_t place = ring->tail & ring->mask;
    const uint32_t to_end = ring->mask + 1 - place;
    const uint32_t room = ring->mask + 1 - (ring->tail - ring->head_seen);
    const uint32_t in_a_row = room < to_end ? room : to_end;
    *count = most < in_a_row ? most : in_a_row;
    return first;
}

/* Producer: counts the first `count` entries of the claimed run as filled. */
static inline void tg_ring_push_run(struct tg_ring *ring, uint32_t count)
{
    ring->tail += count;
}

/* Producer: makes all pushed entries visible to the consumer. Answers whether there were any. */
static inline bool tg_ring_publish(struct tg_ring *ring)
{
    if (atomic_load_explicit(&ring->tail_shared, memory_order_relaxed) == ring->tail) {
        return false;
    }
    tg_yield();
    /* release: pairs with the acquire in tg_ring_peek; makes the entries' bytes and all that they
     * point to visible. */
    atomic_store_explicit(&ring->tail_shared, ring->tail, memory_order_release);
    return true;
}

/* Producer: whether the consumer has given everything that was published back. */
static inline bool tg_ring_is_consumed(const struct tg_ring *ring)
{
    return atomic_load_explicit(&ring->head_shared, memory_order_relaxed) ==
           atomic_load_explicit(&ring->tail_shared, memory_order_relaxed);
}

/* Consumer: the oldest readable entry, or NULL. Looks at the shared index only when its own view is
 * used up. tg_ring_pop() follows. */
static inline void *tg_ring_peek(struct tg_ring *ring)
{
    if (ring->head == ring->tail_seen) {
        tg_yield();
        /* acquire: pairs with the release in tg_ring_publish. */
        ring->tail_seen = atomic_load_explicit(&ring->tail_shared, memory_order_acquire);
        if (ring->head == ring->tail_seen) {
            return NULL;
        }
    }
    return ring->entries + (size_t)(ring->head & ring->mask) * ring->entry_bytes;
}

/* Consumer: like tg_ring_peek, but only among what an earlier peek has seen: never a fresh look. */
static inline void *tg_ring_peek_seen(struct tg_ring *ring)
{
    if (ring->head == ring->tail_seen) {
        return NULL;
    }
    return ring->entries + (size_t)(ring->head & ring->mask) * ring->entry_bytes;
}

/* Consumer: like tg_ring_peek_seen, for entries that lie in a row: at most `most`. *count is their
 * number, 0 if there is none. tg_ring_pop_run() follows. */
static inline void *tg_ring_peek_run(const struct tg_ring *ring, uint32_t most, uint32_t *count)
{
    const uint32_t place = ring->head & ring->mask;
    const uint32_t to_end = ring->mask + 1 - place;
    const uint32_t seen = ring->tail_seen - ring->head;
    const uint32_t in_a_row = seen < to_end ? seen : to_end;
    *count = most < in_a_row ? most : in_a_row;
    return ring->entries + (size_t)place * ring->entry_bytes;
}

/* Consumer: takes `count` entries. */
static inline void tg_ring_pop_run(struct tg_ring *ring, uint32_t count)
{
    TG_REQUIRE(count <= ring->tail_seen - ring->head);
    ring->head += count;
}

/* Consumer: a fresh look. Answers how many entries are readable. */
static inline uint32_t tg_ring_look(struct tg_ring *ring)
{
    tg_yield();
    /* acquire: pairs with the release in tg_ring_publish. */
    ring->tail_seen = atomic_load_explicit(&ring->tail_shared, memory_order_acquire);
    return ring->tail_seen - ring->head;
}

/* Consumer: takes the peeked entry. Its room is not given back before tg_ring_return. */
static inline void tg_ring_pop(struct tg_ring *ring)
{
    TG_REQUIRE(ring->head != ring->tail_seen);
    ring->head++;
}

/* Consumer: gives the room of all popped entries back to the producer. Answers whether there was
 * any. */
static inline bool tg_ring_return(struct tg_ring *ring)
{
    if (atomic_load_explicit(&ring->head_shared, memory_order_relaxed) == ring->head) {
        return false;
    }
    tg_yield();
    /* release: pairs with the acquire in tg_ring_claim; our reads of the entries are done. */
    atomic_store_explicit(&ring->head_shared, ring->head, memory_order_release);
    return true;
}

/* Any thread: entries that were published and whose room was not given back: about so many, while
 * both sides go on, for the two ends are read at two moments. */
static inline uint32_t tg_ring_depth(const struct tg_ring *ring)
{
    uint32_t head = atomic_load_explicit(&ring->head_shared, memory_order_relaxed);
    uint32_t depth = atomic_load_explicit(&ring->tail_shared, memory_order_relaxed) - head;
    uint32_t capacity = ring->mask + 1;
    if (depth <= capacity) {
        return depth;
    }
    return depth > UINT32_MAX / 2 ? 0 : capacity;
}

/* Consumer: whether a fresh look would find an entry. Used between "I am about to sleep" and
 * sleeping. */
static inline bool tg_ring_has_entries(const struct tg_ring *ring)
{
    tg_yield();
    return atomic_load_explicit(&ring->tail_shared, memory_order_acquire) != ring->head;
}

#endif
