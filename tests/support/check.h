/* SPDX-License-Identifier: MIT
 * cmocka with the headers that it wants before it, and what every test of throng shares: sizes
 * scaled down under sanitizers, and printed seeds. */
#ifndef TEST_SUPPORT_CHECK_H
#define TEST_SUPPORT_CHECK_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* `full` brought down to THRONG_TEST_SCALE percent, at least 1. */
static inline uint32_t test_scaled(uint32_t full)
{
    const char *text = getenv("THRONG_TEST_SCALE");
    unsigned long percent = text == NULL ? 100 : strtoul(text, NULL, 10);
    if (percent < 1 || percent > 100) {
        percent = 100;
    }
    uint32_t scaled = (uint32_t)((uint64_t)full * percent / 100);
    return scaled > 0 ? scaled : 1;
}

/* The seed of a random test: THRONG_TEST_SEED, or another one in every second. It is printed, so
 * that a failure can be repeated. */
static inline uint64_t test_seed(void)
{
    const char *text = getenv("THRONG_TEST_SEED");
    uint64_t seed = text == NULL ? (uint64_t)time(NULL) : strtoull(text, NULL, 0);
    printf("THRONG_TEST_SEED=%" PRIu64 "\n", seed);
    return seed;
}

#endif
