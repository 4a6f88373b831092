/* SPDX-License-Identifier: MIT
 * Bounded queue from any number of threads to one, without locks: what other threads hand to the
 * logic thread. Filled through throng_post, emptied by time/logic_time.c.
 *
 * Each cell has a turn, which says whose it is. In the lap L of a place in the queue (place /
 * capacity):
 *
 *      turn 2L      free: the producer that moves the tail over it may fill it
 *      turn 2L + 1  filled: the consumer may read it
 *      turn 2L + 2  read: free in the next lap
 *
 * So the turn, and not the tail, is what publishes an entry: a producer that was interrupted
 * between the two lets those behind it wait, never be lost, and comes back to wake the consumer.
 * Places count in 64 bits and never turn around, so no producer can mistake a lap for another one,
 * however long it slept. All zeroes is an empty queue: its memory is not touched before it is
 * used. */
#ifndef TG_BASE_POST_QUEUE_H
#define TG_BASE_POST_QUEUE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ring.h"
#include "base/yield.h"

struct tg_post {
    void *user;
    uint64_t number;
};

struct tg_post_cell {
    _Atomic uint64_t turn;
    struct tg_post post; /* whose the turn says */
};

struct tg_post_queue {
    /* Set once before the threads start. */
    alignas(TG_CACHE_LINE_BYTES) struct tg_post_cell *cells;
    uint32_t mask; /* capacity - 1 */
    uint32_t bits; /* the capacity is 2^bits */

    /* Producers: the next place. */
    alignas(TG_CACHE_LINE_BYTES) _Atomic uint64_t tail;

    /* Consumer: the place to read next. */
    alignas(TG_CACHE_LINE_BYTES) uint64_t head;
};

/* Bytes of memory for so many cells. */
static inline size_t tg_post_queue_bytes(uint32_t capacity)
{
    return (size_t)capacity * sizeof(struct tg_post_cell);
}

/* Makes an empty queue over zeroed memory (the caller's, kept until the queue is no longer used).
 * `capacity` is a power of two in 1..2^31. Before any thread uses it. */
void tg_post_queue_init(struct tg_post_queue *queue, void *zeroed, uint32_t capacity);

/* Any thread: adds a post; false if the queue is full. Wake the consumer afterwards. */
bool tg_post_queue_push(struct tg_post_queue *queue, const struct tg_post *post);

/* Consumer: takes the oldest post; false if there is none, or if it is not yet filled. */
bool tg_post_queue_pop(struct tg_post_queue *queue, struct tg_post *post);

static inline uint64_t tg_post_queue_lap(const struct tg_post_queue *queue, uint64_t place)
{
    return place >> queue->bits;
}

/* Consumer: whether there is one to take. Used between "I am about to sleep" and sleeping as
 * well. */
static inline bool tg_post_queue_has_posts(const struct tg_post_queue *queue)
{
    tg_yield();
    /* acquire: pairs with the release in tg_post_queue_push. */
    uint64_t turn =
        atomic_load_explicit(&queue->cells[queue->head & queue->mask].turn, memory_order_acquire);
    return turn == 2 * tg_post_queue_lap(queue, queue->head) + 1;
}

/* Consumer: whether nobody has begun to add one that was not taken. A post whose call has returned,
 * as the caller of this knows, is seen: it knows it by way of something that orders the tail as
 * well. */
static inline bool tg_post_queue_is_empty(const struct tg_post_queue *queue)
{
    return atomic_load_explicit(&queue->tail, memory_order_relaxed) == queue->head;
}

#endif
