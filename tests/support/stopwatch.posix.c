/* SPDX-License-Identifier: MIT
 * The clock of tests on POSIX. */
#include "stopwatch.h"

#include <time.h>

int64_t test_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void test_pause_us(uint32_t pause_us)
{
    const struct timespec pause = {.tv_sec = pause_us / 1000000,
                                   .tv_nsec = (long)(pause_us % 1000000) * 1000};
    (void)nanosleep(&pause, NULL);
}
