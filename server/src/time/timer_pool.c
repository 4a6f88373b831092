/* SPDX-License-Identifier: MIT
 * The pool of timers. Logic thread. */
#include "time/timer_pool.h"

#include "base/assert.h"

_Static_assert(sizeof(struct tg_pool_timer) == 48, "the budget names it");

void tg_timer_pool_init(struct tg_timer_pool *pool, void *zeroed, uint32_t capacity,
                        uint64_t now_ms)
{
    TG_REQUIRE(zeroed != NULL);
    TG_REQUIRE(capacity >= 1 && capacity <= UINT32_C(1) << TG_TIMER_INDEX_BITS);
    tg_timer_wheel_init(&pool->wheel, now_ms);
    tg_list_init(&pool->free);
    pool->timers = zeroed;
    pool->capacity = capacity;
    pool->used = 0;
}

/* A record that does not run, in no list; NULL if there is none. */
static struct tg_pool_timer *take_record(struct tg_timer_pool *pool)
{
    if (pool->used < pool->capacity) {
        struct tg_pool_timer *fresh = &pool->timers[pool->used++];
        tg_timer_init(&fresh->timer);
        return fresh;
    }
    struct tg_list *link = tg_list_pop_front(&pool->free);
    return link == NULL ? NULL : TG_CONTAINER_OF(link, struct tg_pool_timer, timer.link);
}

static void give_record(struct tg_timer_pool *pool, struct tg_pool_timer *record)
{
    record->runs = false;
    record->user = NULL;
    tg_list_push_back(&pool->free, &record->timer.link);
}

uint64_t tg_timer_pool_start(struct tg_timer_pool *pool, uint64_t due_ms, uint32_t period_ms,
                             void *user)
{
    struct tg_pool_timer *record = take_record(pool);
    if (record == NULL) {
        return 0;
    }
    TG_REQUIRE(!record->runs);
    uint64_t generation = (record->id >> TG_TIMER_INDEX_BITS) + 1;
    record->id = generation << TG_TIMER_INDEX_BITS | (uint64_t)(record - pool->timers);
    record->user = user;
    record->period_ms = period_ms;
    record->runs = true;
    tg_timer_start(&pool->wheel, &record->timer, due_ms);
    return record->id;
}

bool tg_timer_pool_stop(struct tg_timer_pool *pool, uint64_t id)
{
    uint64_t index = id & ((UINT64_C(1) << TG_TIMER_INDEX_BITS) - 1);
    if (index >= pool->used) {
        return false;
    }
    struct tg_pool_timer *record = &pool->timers[index];
    if (record->id != id || !record->runs) {
        return false;
    }
    tg_timer_stop(&pool->wheel, &record->timer);
    give_record(pool, record);
    return true;
}

/* The first due time of the rhythm that lies behind now. */
static uint64_t next_due_ms(const struct tg_pool_timer *record, uint64_t now_ms)
{
    uint64_t next_ms = record->timer.due_ms + record->period_ms;
    if (next_ms <= now_ms) {
        next_ms += ((now_ms - next_ms) / record->period_ms + 1) * record->period_ms;
    }
    return next_ms;
}

bool tg_timer_pool_take(struct tg_timer_pool *pool, uint64_t now_ms, struct tg_timer_due *due)
{
    struct tg_timer *timer = tg_timer_wheel_expire(&pool->wheel, now_ms);
    if (timer == NULL) {
        return false;
    }
    struct tg_pool_timer *record = TG_CONTAINER_OF(timer, struct tg_pool_timer, timer);
    TG_REQUIRE(record->runs && timer->due_ms <= now_ms);
    *due = (struct tg_timer_due){record->id, record->user};
    if (record->period_ms > 0) {
        tg_timer_start(&pool->wheel, timer, next_due_ms(record, now_ms));
    } else {
        give_record(pool, record);
    }
    return true;
}
