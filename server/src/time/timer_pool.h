/* SPDX-License-Identifier: MIT
 * The timers of throng_timer_start: records from a fixed pool on a timer wheel, and the names by
 * which the game knows them. Pure: time is an argument. Logic thread.
 *
 * A name is the record's index in the low 20 bits and its generation above. Records are reused in
 * the order in which they came free, those that were never used first, so that the generations of
 * all of them grow alike: 2^64 names before one comes again. */
#ifndef TG_TIME_TIMER_POOL_H
#define TG_TIME_TIMER_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "timer/timer_wheel.h"

#define TG_TIMER_INDEX_BITS 20

struct tg_pool_timer {
    struct tg_timer timer; /* on the wheel; while it does not run, in the list of free ones */
    uint64_t id;           /* the latest name; 0: never used */
    void *user;
    uint32_t period_ms; /* 0: once */
    bool runs;
};

struct tg_timer_pool {
    struct tg_timer_wheel wheel;
    struct tg_list free; /* those that were used; the next one to use is in front */
    struct tg_pool_timer *timers;
    uint32_t capacity;
    uint32_t used; /* records that were ever used: the first ones */
};

/* What a timer says when it is due. */
struct tg_timer_due {
    uint64_t id;
    void *user;
};

/* Over zeroed memory for `capacity` records (1..2^20), which is not touched before they are
 * used. */
void tg_timer_pool_init(struct tg_timer_pool *pool, void *zeroed, uint32_t capacity,
                        uint64_t now_ms);

/* The name of a timer that is due at due_ms for the first time; 0: all of them run. */
uint64_t tg_timer_pool_start(struct tg_timer_pool *pool, uint64_t due_ms, uint32_t period_ms,
                             void *user);

/* False: no timer of this name runs. */
bool tg_timer_pool_stop(struct tg_timer_pool *pool, uint64_t id);

/* Takes one that is due at now_ms, in the order of their due times; false if none is. A periodic
 * one goes on with its first period that is not over at now_ms. */
bool tg_timer_pool_take(struct tg_timer_pool *pool, uint64_t now_ms, struct tg_timer_due *due);

static inline uint32_t tg_timer_pool_running(const struct tg_timer_pool *pool)
{
    return pool->wheel.count;
}

/* Whether take may have one, or has to move some: cheap. */
static inline bool tg_timer_pool_is_due(const struct tg_timer_pool *pool, uint64_t now_ms)
{
    return pool->wheel.count > 0 && tg_timer_wheel_is_due(&pool->wheel, now_ms);
}

#endif
