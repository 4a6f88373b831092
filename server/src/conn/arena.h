/* SPDX-License-Identifier: MIT
 * The arena: all slots, reserved at start, and the list of the free ones. Any worker takes a slot
 * and gives it back; only these two calls touch what is shared. Slots that were never used cost no
 * memory.
 *
 * Ids come from one counter for the whole process, taken in blocks, so an id is never given twice,
 * not even by another server or after a restart. 44 bits last 5 years at 100,000 connections a
 * second. */
#ifndef TG_CONN_ARENA_H
#define TG_CONN_ARENA_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn/ends.h"
#include "conn/slot.h"
#include "timer/timer_wheel.h"

struct tg_arena {
    /* Set once. */
    struct tg_slot *slots;
    struct tg_timer
        *timers; /* of each slot, its worker's: the watchdog's, then the end of our patience */
    struct tg_ends ends;    /* of each slot: both ends' addresses */
    _Atomic uint32_t *next; /* per slot: the free slot below it */
    uint32_t capacity;

    /* Any worker. Top of the free stack: slot number + 1 in the low half (0 = empty), a count of
     * changes in the high half, so that a slot taken and given back meanwhile is noticed (ABA). */
    alignas(64) _Atomic uint64_t top;
    _Atomic uint32_t fresh; /* slots below it were used at least once */
};

size_t tg_arena_slots_bytes(uint32_t capacity);
size_t tg_arena_timers_bytes(uint32_t capacity);
size_t tg_arena_links_bytes(uint32_t capacity);

/* Memories are the caller's, zeroed, kept; the slots' begins with a cache line. */
void tg_arena_init(struct tg_arena *arena, void *slots, void *timers, const struct tg_ends *ends,
                   void *links, uint32_t capacity);

/* A slot's number. */
static inline uint32_t tg_arena_index(const struct tg_arena *arena, const struct tg_slot *slot)
{
    return (uint32_t)(slot - arena->slots);
}

static inline struct tg_timer *tg_arena_timer(const struct tg_arena *arena,
                                              const struct tg_slot *slot)
{
    return &arena->timers[tg_arena_index(arena, slot)];
}

/* The slot that has the timer. */
static inline struct tg_slot *tg_arena_timed(const struct tg_arena *arena,
                                             const struct tg_timer *timer)
{
    return &arena->slots[timer - arena->timers];
}

/* A free slot, or TG_INDEX_NONE: every slot is taken. The latest freed comes first. */
uint32_t tg_arena_take(struct tg_arena *arena);

/* Whether a take would find a slot, unless somebody is faster. */
static inline bool tg_arena_has_free(const struct tg_arena *arena)
{
    return (uint32_t)atomic_load_explicit(&arena->top, memory_order_relaxed) != 0 ||
           atomic_load_explicit(&arena->fresh, memory_order_relaxed) < arena->capacity;
}

/* Gives a slot back. */
void tg_arena_give(struct tg_arena *arena, uint32_t slot);

/* A worker's part of the generation counter. */
struct tg_generations {
    uint64_t next;
    uint64_t end;
};

/* A generation that nobody in this process had. */
uint64_t tg_generations_next(struct tg_generations *generations);

#endif
