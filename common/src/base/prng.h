/* SPDX-License-Identifier: MIT
 * Small seeded pseudo-random generator (splitmix64). Not for secrets: os/random.h is. */
#ifndef TG_BASE_PRNG_H
#define TG_BASE_PRNG_H

#include <stdint.h>

struct tg_prng {
    uint64_t state;
};

static inline uint64_t tg_prng_next(struct tg_prng *prng)
{
    uint64_t z = (prng->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number in 0..bound-1; bound >= 1. */
static inline uint32_t tg_prng_below(struct tg_prng *prng, uint32_t bound)
{
    return (uint32_t)(((tg_prng_next(prng) >> 32) * bound) >> 32);
}

#endif
