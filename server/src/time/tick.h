/* SPDX-License-Identifier: MIT
 * The rhythm of throng_tick. Tick n is due n / rate seconds after the start, to the nanosecond,
 * worked out from n each time: nothing adds up, so the rhythm does not drift however long it lasts.
 * Pure: time is an argument. Logic thread. */
#ifndef TG_TIME_TICK_H
#define TG_TIME_TICK_H

#include <stdbool.h>
#include <stdint.h>

#define TG_TICK_RATE_MAX 1000u
#define TG_TICK_NS_PER_S UINT64_C(1000000000)

struct tg_tick {
    uint64_t start_ns;
    uint64_t taken;   /* the number of the last tick that came */
    uint32_t rate_hz; /* 0: none */
};

/* When tick n is due. Whole seconds first: n * 10^9 is more than 64 bits after 213 days. */
static inline uint64_t tg_tick_due_ns(const struct tg_tick *tick, uint64_t n)
{
    uint64_t rest = n % tick->rate_hz * TG_TICK_NS_PER_S;
    return tick->start_ns + n / tick->rate_hz * TG_TICK_NS_PER_S +
           (rest + tick->rate_hz - 1) / tick->rate_hz; /* rounded up: never early */
}

/* The number of the last tick that was due by now; 0: none was. */
static inline uint64_t tg_tick_reached(const struct tg_tick *tick, uint64_t now_ns)
{
    if (now_ns < tick->start_ns) {
        return 0; /* it was asked for in the batch that runs */
    }
    uint64_t passed_ns = now_ns - tick->start_ns;
    return passed_ns / TG_TICK_NS_PER_S * tick->rate_hz +
           passed_ns % TG_TICK_NS_PER_S * tick->rate_hz / TG_TICK_NS_PER_S;
}

/* Whether one is due that did not come. */
static inline bool tg_tick_is_due(const struct tg_tick *tick, uint64_t now_ns)
{
    return tick->rate_hz != 0 && tg_tick_reached(tick, now_ns) > tick->taken;
}

/* Takes the latest of those that are due (there must be one); answers how many are left out before
 * it. */
static inline uint64_t tg_tick_take(struct tg_tick *tick, uint64_t now_ns)
{
    uint64_t missed = tg_tick_reached(tick, now_ns) - tick->taken - 1;
    tick->taken += missed + 1;
    return missed;
}

#endif
