/* SPDX-License-Identifier: MIT
 * The arena's free list: a Treiber stack with a change count, in front of the slots never used. */
#include "conn/arena.h"

#include "base/assert.h"
#include "base/index_stack.h"
#include "base/yield.h"
#include "event/event.h"

/* Generations taken from the process at a time: rare enough not to be contended. */
#define TG_GENERATION_BLOCK 4096u

/* The process's generation counter. A global by necessity: "never again in this process" spans
 * servers. */
static _Atomic uint64_t next_generation = 1;

size_t tg_arena_slots_bytes(uint32_t capacity)
{
    return (size_t)capacity * sizeof(struct tg_slot);
}

size_t tg_arena_timers_bytes(uint32_t capacity)
{
    return (size_t)capacity * sizeof(struct tg_timer);
}

size_t tg_arena_links_bytes(uint32_t capacity)
{
    return (size_t)capacity * sizeof(_Atomic uint32_t);
}

void tg_arena_init(struct tg_arena *arena, void *slots, void *timers, const struct tg_ends *ends,
                   void *links, uint32_t capacity)
{
    TG_REQUIRE(capacity >= 1 && capacity <= TG_SLOT_MASK);
    arena->slots = slots;
    arena->timers = timers;
    arena->ends = *ends;
    arena->next = links;
    arena->capacity = capacity;
    atomic_init(&arena->top, 0);
    atomic_init(&arena->fresh, 0);
}

static uint32_t take_fresh(struct tg_arena *arena)
{
    uint32_t fresh = atomic_load_explicit(&arena->fresh, memory_order_relaxed);
    while (fresh < arena->capacity) {
        /* A failed exchange means that another worker took one: at most `capacity` times. */
        if (atomic_compare_exchange_weak_explicit(&arena->fresh, &fresh, fresh + 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            return fresh;
        }
    }
    return TG_INDEX_NONE;
}

uint32_t tg_arena_take(struct tg_arena *arena)
{
    /* acquire: pairs with the release in tg_arena_give; the former owner is done with the slot. */
    uint64_t top = atomic_load_explicit(&arena->top, memory_order_acquire);
    while ((uint32_t)top != 0) {
        tg_yield();
        uint32_t slot = (uint32_t)top - 1;
        uint32_t below = atomic_load_explicit(&arena->next[slot], memory_order_relaxed);
        uint64_t replacement = (((top >> 32) + 1) << 32) | below;
        tg_yield();
        if (atomic_compare_exchange_weak_explicit(&arena->top, &top, replacement,
                                                  memory_order_acquire, memory_order_acquire)) {
            return slot;
        }
    }
    return take_fresh(arena);
}

void tg_arena_give(struct tg_arena *arena, uint32_t slot)
{
    TG_REQUIRE(slot < arena->capacity);
    tg_yield();
    uint64_t top = atomic_load_explicit(&arena->top, memory_order_relaxed);
    uint64_t replacement;
    do {
        atomic_store_explicit(&arena->next[slot], (uint32_t)top, memory_order_relaxed);
        replacement = (((top >> 32) + 1) << 32) | (slot + 1);
        tg_yield();
        /* release: pairs with the acquire in tg_arena_take; publishes our last writes to the slot.
         */
    } while (!atomic_compare_exchange_weak_explicit(&arena->top, &top, replacement,
                                                    memory_order_release, memory_order_relaxed));
}

uint64_t tg_generations_next(struct tg_generations *generations)
{
    if (generations->next == generations->end) {
        generations->next =
            atomic_fetch_add_explicit(&next_generation, TG_GENERATION_BLOCK, memory_order_relaxed);
        generations->end = generations->next + TG_GENERATION_BLOCK;
        /* 44 bits: the process is older than five years of nothing but connecting. */
        TG_ENSURE(generations->end >> (64 - TG_SLOT_BITS) == 0);
    }
    return generations->next++;
}
