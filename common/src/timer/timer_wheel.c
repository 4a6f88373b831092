/* SPDX-License-Identifier: MIT
 * The timer wheel. Called by whoever owns the timed things: a worker, a swarm's thread.
 *
 * A tick's number is read as groups of 6 bits, one a level:
 *
 *      ... | bits 18-23 | bits 12-17 | bits 6-11 | bits 0-5
 *            level 3      level 2      level 1     level 0
 *
 * A timer lies in the level of the highest group in which its due tick differs from now_ms, in the
 * slot that this group of the due tick names. So a slot of level 0 holds one tick, all slots of the
 * levels 0-2 that hold timers lie ahead of now's own, and everything in a level is due before
 * anything in the next one. When now reaches the first tick of a slot of a higher level, its timers
 * move down (cascade). Level 3 turns around; what is further away than a whole turn waits in now's
 * own slot there and is placed anew after the turn. */
#include "timer/timer_wheel.h"

#include "base/assert.h"
#include "base/bits.h"

#define LEVEL_BITS 6u
#define SLOT_MASK 63u
#define TURN_BITS (LEVEL_BITS * TG_TIMER_LEVELS)
#define TOP_LEVEL (TG_TIMER_LEVELS - 1u)

_Static_assert(TG_TIMER_SLOTS == 1u << LEVEL_BITS, "a level's bitmap is one 64-bit word");

/* The next tick at which a slot has to be looked at. */
struct next_slot {
    uint64_t tick_ms;
    uint32_t level;
    uint32_t slot;
};

static uint32_t slot_of(uint64_t tick_ms, uint32_t level)
{
    return (uint32_t)(tick_ms >> (LEVEL_BITS * level)) & SLOT_MASK;
}

void tg_timer_wheel_init(struct tg_timer_wheel *wheel, uint64_t now_ms)
{
    wheel->now_ms = now_ms;
    wheel->next_ms = UINT64_MAX;
    wheel->count = 0;
    for (uint32_t level = 0; level < TG_TIMER_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (uint32_t slot = 0; slot < TG_TIMER_SLOTS; slot++) {
            tg_list_init(&wheel->slots[level][slot]);
        }
    }
    tg_list_init(&wheel->expired);
}

void tg_timer_init(struct tg_timer *timer)
{
    tg_list_init(&timer->link);
    timer->due_ms = 0;
}

/* Puts an unlinked timer where its due tick belongs, seen from now_ms. */
static void place_timer(struct tg_timer_wheel *wheel, struct tg_timer *timer)
{
    if (timer->due_ms <= wheel->now_ms) {
        tg_list_push_back(&wheel->expired, &timer->link);
        return;
    }
    uint32_t level = tg_bits_highest(timer->due_ms ^ wheel->now_ms) / LEVEL_BITS;
    level = level < TOP_LEVEL ? level : TOP_LEVEL;
    uint64_t tick_ms = timer->due_ms;
    if (timer->due_ms - wheel->now_ms >= UINT64_C(1) << TURN_BITS) {
        level = TOP_LEVEL;
        tick_ms = wheel->now_ms + (UINT64_C(1) << TURN_BITS); /* comes last in the turn */
    }
    uint32_t slot = slot_of(tick_ms, level);
    tick_ms = tick_ms >> LEVEL_BITS * level << LEVEL_BITS * level;
    wheel->next_ms = wheel->next_ms < tick_ms ? wheel->next_ms : tick_ms;
    tg_list_push_back(&wheel->slots[level][slot], &timer->link);
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

void tg_timer_start(struct tg_timer_wheel *wheel, struct tg_timer *timer, uint64_t due_ms)
{
    tg_timer_stop(wheel, timer);
    timer->due_ms = due_ms;
    wheel->count++;
    place_timer(wheel, timer);
}

void tg_timer_stop(struct tg_timer_wheel *wheel, struct tg_timer *timer)
{
    if (!tg_timer_is_running(timer)) {
        return;
    }
    TG_REQUIRE(wheel->count > 0);
    /* The slot's bit stays: an empty slot costs one look when its time comes. */
    tg_list_remove(&timer->link);
    wheel->count--;
}

/* The first slot ahead of now that may hold timers; false if there is none. */
static bool find_next_slot(const struct tg_timer_wheel *wheel, struct next_slot *next)
{
    for (uint32_t level = 0; level < TOP_LEVEL; level++) {
        /* Two shifts, because one by 64 is undefined. */
        uint64_t ahead = wheel->occupied[level] >> slot_of(wheel->now_ms, level) >> 1;
        if (ahead != 0) {
            uint32_t shift = LEVEL_BITS * level;
            uint64_t index = (wheel->now_ms >> shift) + 1 + tg_bits_lowest(ahead);
            *next = (struct next_slot){index << shift, level, (uint32_t)index & SLOT_MASK};
            return true;
        }
    }
    uint64_t occupied = wheel->occupied[TOP_LEVEL];
    if (occupied == 0) {
        return false;
    }
    /* Turned so that the slot after now's own is bit 0 and now's own, a whole turn away, bit 63. */
    uint32_t shift = LEVEL_BITS * TOP_LEVEL;
    uint32_t turn = (slot_of(wheel->now_ms, TOP_LEVEL) + 1) & SLOT_MASK;
    uint64_t ahead = turn == 0 ? occupied : occupied >> turn | occupied << (TG_TIMER_SLOTS - turn);
    uint64_t index = (wheel->now_ms >> shift) + 1 + tg_bits_lowest(ahead);
    *next = (struct next_slot){index << shift, TOP_LEVEL, (uint32_t)index & SLOT_MASK};
    return true;
}

/* Goes on to the next slot that is reached by now_ms and places its timers anew: those of level 0
 * have expired. False, at now_ms, if there is none. A jump visits a slot at most once for each time
 * that it was filled; only timers beyond a turn are visited again, once in 4.6 hours of the jump.
 */
static bool step(struct tg_timer_wheel *wheel, uint64_t now_ms)
{
    struct next_slot next = {.tick_ms = UINT64_MAX};
    if (now_ms >= wheel->next_ms) {
        (void)find_next_slot(wheel, &next);
        wheel->next_ms = next.tick_ms;
    }
    if (now_ms < next.tick_ms) {
        wheel->now_ms = wheel->now_ms < now_ms ? now_ms : wheel->now_ms;
        return false;
    }
    wheel->now_ms = next.tick_ms;
    wheel->occupied[next.level] &= ~(UINT64_C(1) << next.slot);
    struct tg_list timers;
    tg_list_take_all(&timers, &wheel->slots[next.level][next.slot]);
    for (struct tg_list *link; (link = tg_list_pop_front(&timers)) != NULL;) {
        place_timer(wheel, TG_CONTAINER_OF(link, struct tg_timer, link));
    }
    return true;
}

struct tg_timer *tg_timer_wheel_expire(struct tg_timer_wheel *wheel, uint64_t now_ms)
{
    for (;;) {
        struct tg_list *link = tg_list_pop_front(&wheel->expired);
        if (link != NULL) {
            wheel->count--;
            return TG_CONTAINER_OF(link, struct tg_timer, link);
        }
        if (!step(wheel, now_ms)) {
            return NULL;
        }
    }
}
