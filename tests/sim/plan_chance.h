/* SPDX-License-Identifier: MIT
 * Chance, as the files plan*.c draw it, and what they share. */
#ifndef SIM_PLAN_CHANCE_H
#define SIM_PLAN_CHANCE_H

#include "base/prng.h"
#include "plan.h"

static inline uint32_t below(struct tg_prng *prng, uint32_t bound)
{
    return tg_prng_below(prng, bound);
}

/* One in `n`. */
static inline bool one_in(struct tg_prng *prng, uint32_t n)
{
    return below(prng, n) == 0;
}

static inline uint32_t between(struct tg_prng *prng, uint32_t least, uint32_t most)
{
    return least + below(prng, most - least + 1);
}

/* From least to most, each doubling as likely as the next. */
static inline uint32_t spread(struct tg_prng *prng, uint32_t least, uint32_t most)
{
    uint32_t doublings = 0;
    while ((uint64_t)least << (doublings + 1) <= most) {
        doublings++;
    }
    uint32_t low = least << below(prng, doublings + 1);
    uint32_t value = between(prng, low, low == 0 ? 0 : 2 * low - 1);
    return value > most ? most : value;
}

extern const uint32_t plan_kind_weights[PLAN_KIND_COUNT];

/* plan_limits.c: no deadline, no limit; and then, perhaps, some. */
void plan_switch_off(struct throng_server_options *server);
void plan_choose_limits(struct plan *plan, uint64_t seed);
/* Readers that have something waiting all the time; or not. */
void plan_choose_feeding(struct plan *plan, uint64_t seed);
/* Timers, a tick, and threads that post; or none. */
void plan_choose_time(struct plan *plan, uint64_t seed);
/* plan_rooms.c */
void plan_choose_rooms(struct plan *plan, uint64_t seed);

#endif
