/* SPDX-License-Identifier: MIT
 * The queue from many threads to one: its two ends. */
#include "base/post_queue.h"

#include "base/assert.h"
#include "base/bits.h"

_Static_assert(sizeof(struct tg_post_cell) == 24, "the budget names it");

void tg_post_queue_init(struct tg_post_queue *queue, void *zeroed, uint32_t capacity)
{
    TG_REQUIRE(zeroed != NULL);
    TG_REQUIRE(capacity >= 1 && (capacity & (capacity - 1)) == 0);
    queue->cells = zeroed;
    queue->mask = capacity - 1;
    queue->bits = tg_bits_lowest(capacity);
    queue->head = 0;
    atomic_init(&queue->tail, 0);
}

/* Takes a place of its own for the caller; NULL if the queue is full. Each repetition is a step
 * that another producer has made, so all of them together always go on. */
static struct tg_post_cell *claim(struct tg_post_queue *queue, uint64_t *place)
{
    *place = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    for (;;) {
        struct tg_post_cell *cell = &queue->cells[*place & queue->mask];
        tg_yield();
        /* acquire: pairs with the release in tg_post_queue_pop; the consumer has read the cell. */
        uint64_t turn = atomic_load_explicit(&cell->turn, memory_order_acquire);
        uint64_t is_free = 2 * tg_post_queue_lap(queue, *place);
        if (turn < is_free) {
            return NULL; /* the post of one lap before still lies there */
        }
        tg_yield();
        if (turn > is_free) {
            /* Somebody was faster. */
            *place = atomic_load_explicit(&queue->tail, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(&queue->tail, place, *place + 1,
                                                         memory_order_relaxed,
                                                         memory_order_relaxed)) {
            /* relaxed: the tail only says whose place it is; the turn publishes what lies there. */
            return cell;
        }
    }
}

bool tg_post_queue_push(struct tg_post_queue *queue, const struct tg_post *post)
{
    uint64_t place;
    struct tg_post_cell *cell = claim(queue, &place);
    if (cell == NULL) {
        return false;
    }
    tg_yield();
    cell->post = *post;
    tg_yield();
    /* release: pairs with the acquire in tg_post_queue_pop; makes the post, and all that its thread
     * did before, visible. */
    atomic_store_explicit(&cell->turn, 2 * tg_post_queue_lap(queue, place) + 1,
                          memory_order_release);
    return true;
}

bool tg_post_queue_pop(struct tg_post_queue *queue, struct tg_post *post)
{
    struct tg_post_cell *cell = &queue->cells[queue->head & queue->mask];
    uint64_t filled = 2 * tg_post_queue_lap(queue, queue->head) + 1;
    tg_yield();
    /* acquire: pairs with the release in tg_post_queue_push. */
    if (atomic_load_explicit(&cell->turn, memory_order_acquire) != filled) {
        return false;
    }
    *post = cell->post;
    tg_yield();
    /* release: pairs with the acquire in claim; our read of the cell is done. */
    atomic_store_explicit(&cell->turn, filled + 1, memory_order_release);
    queue->head++;
    return true;
}
