/* SPDX-License-Identifier: MIT
 * Hierarchical timer wheel with millisecond ticks: start, stop and expire are O(1), whatever the
 * number of timers. Four levels of 64 slots reach 2^24 ms (4.6 hours); later ones wait in the last
 * level and are looked at again. Pure: time is an argument. One owner thread. */
#ifndef TG_TIMER_TIMER_WHEEL_H
#define TG_TIMER_TIMER_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define TG_TIMER_LEVELS 4
#define TG_TIMER_SLOTS 64

/* Embedded in what it times. */
struct tg_timer {
    struct tg_list link; /* linked while it runs or waits to be taken */
    uint64_t due_ms;
};

struct tg_timer_wheel {
    uint64_t now_ms;                    /* all ticks up to here are done */
    uint64_t next_ms;                   /* no slot has to be looked at before this tick */
    uint32_t count;                     /* running timers */
    uint64_t occupied[TG_TIMER_LEVELS]; /* bit per slot that may hold timers */
    struct tg_list slots[TG_TIMER_LEVELS][TG_TIMER_SLOTS];
    struct tg_list expired; /* due, not yet taken */
};

void tg_timer_wheel_init(struct tg_timer_wheel *wheel, uint64_t now_ms);

void tg_timer_init(struct tg_timer *timer);

static inline bool tg_timer_is_running(const struct tg_timer *timer)
{
    return tg_list_is_linked(&timer->link);
}

/* (Re)starts a timer. One that is due already comes out at the next expire. */
void tg_timer_start(struct tg_timer_wheel *wheel, struct tg_timer *timer, uint64_t due_ms);

/* Harmless if it does not run. */
void tg_timer_stop(struct tg_timer_wheel *wheel, struct tg_timer *timer);

/* Moves the time forward (a step back is ignored) and answers one timer that is due, no longer
 * running, or NULL. Call until NULL. Timers come in the order of their due tick. */
struct tg_timer *tg_timer_wheel_expire(struct tg_timer_wheel *wheel, uint64_t now_ms);

/* Whether expire may have something to answer, or has to move timers: cheap, for every turn of a
 * loop. */
static inline bool tg_timer_wheel_is_due(const struct tg_timer_wheel *wheel, uint64_t now_ms)
{
    return now_ms >= wheel->next_ms || !tg_list_is_empty(&wheel->expired);
}

/* Milliseconds from now_ms until expire must be called next: never later than the first due timer;
 * may be sooner. 0 = now; -1 = no timer runs. */
static inline int64_t tg_timer_wheel_wait_ms(const struct tg_timer_wheel *wheel, uint64_t now_ms)
{
    if (wheel->count == 0) {
        return -1;
    }
    return !tg_list_is_empty(&wheel->expired) || wheel->next_ms <= now_ms
               ? 0
               : (int64_t)(wheel->next_ms - now_ms);
}

#endif
