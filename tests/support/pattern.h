/* SPDX-License-Identifier: MIT
 * Bytes that differ from place to place and from seed to seed, so that a byte lost, doubled or
 * moved shows. */
#ifndef TEST_SUPPORT_PATTERN_H
#define TEST_SUPPORT_PATTERN_H

#include <stddef.h>
#include <stdint.h>

/* A small generator (splitmix64) for patterns and for tests that draw lots. */
static inline uint64_t test_random(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

static inline void test_fill_pattern(void *target, size_t size, uint64_t seed)
{
    uint8_t *bytes = target;
    for (size_t i = 0; i < size; i++) {
        if (i % 8 == 0) {
            seed = test_random(&seed);
        }
        bytes[i] = (uint8_t)(seed >> (i % 8 * 8));
    }
}

#endif
