/* SPDX-License-Identifier: MIT
 * What comes to the logic thread from no worker: ticks, timers, and what other threads post. The
 * loop (api_event.c) asks it for events first of all, and how long it may sleep. Logic thread, but
 * for the posts.
 *
 *      begin_batch   looks what is due, asks the clock if there is something to be due
 *      take          TICK, then TIMERs by due time, then POSTEDs
 *      wait_limit    until the next tick or timer; a post wakes
 *
 * The record lies outside of struct throng_server, so that throng_now_ns can ask the clock late,
 * and once, for a server that it may not change. */
#ifndef TG_TIME_LOGIC_TIME_H
#define TG_TIME_LOGIC_TIME_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/post_queue.h"
#include "time/tick.h"
#include "time/timer_pool.h"

struct throng_event;
struct throng_server;

struct tg_logic_time {
    /* Logic thread writes. */
    uint64_t now_ns;  /* of the batch; 0: nobody has asked */
    bool tick_is_due; /* in this batch */
    uint32_t
        timers_left; /* events of each kind that this batch may still hand out; 0: none is there */
    uint32_t posts_left;
    struct tg_tick tick;
    struct tg_timer_pool timers;
    _Atomic uint64_t timers_running; /* read by anybody */
    _Atomic uint64_t ticks_missed;

    /* Any thread. */
    alignas(TG_CACHE_LINE_BYTES) _Atomic uint64_t posts_refused;
    struct tg_post_queue posts;
};

/* Bytes of the region: the record, and the timers behind it. */
static inline size_t tg_logic_time_bytes(uint32_t timers_max)
{
    return sizeof(struct tg_logic_time) + (size_t)timers_max * sizeof(struct tg_pool_timer);
}

/* Sets server->time up in its zeroed regions. */
void tg_logic_time_init(struct throng_server *server);

void tg_logic_time_begin_batch(struct tg_logic_time *time);

/* Whether the batch has events of these kinds. */
static inline bool tg_logic_time_has_events(const struct tg_logic_time *time)
{
    return time->tick_is_due || (time->timers_left | time->posts_left) != 0;
}

/* Hands out at most `capacity` of them. */
size_t tg_logic_time_take(struct throng_server *server, struct throng_event *events,
                          size_t capacity);

/* `limit_ns` (negative: no limit), or the time until the next tick or timer if that is shorter. For
 * a batch of which nothing is left. */
int64_t tg_logic_time_wait_limit(const struct tg_logic_time *time, int64_t limit_ns);

#endif
