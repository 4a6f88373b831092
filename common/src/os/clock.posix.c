/* SPDX-License-Identifier: MIT
 * The clock of POSIX systems. Called by whoever drives a loop, once a turn; any thread. */
#include "os/clock.h"

#include <time.h>

#include "base/assert.h"

uint64_t tg_clock_ns(void)
{
    struct timespec now;
    int answer = clock_gettime(CLOCK_MONOTONIC, &now);
    TG_ENSURE(answer == 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t tg_clock_unix_ms(void)
{
    struct timespec now;
    int answer = clock_gettime(CLOCK_REALTIME, &now);
    TG_ENSURE(answer == 0);
    return now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}
