/* SPDX-License-Identifier: MIT
 * A wall clock that jumps, to be preloaded into a server: a year ahead, back, a year behind, back,
 * a jump every half second. The monotonic clock stays as it is. At the end it says how often it was
 * asked. Preloaded by scenario_clock.py; the machine's own clock is left alone. */
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
#define YEAR_S (365 * 24 * 3600)

static _Atomic unsigned long asked;

static int real_clock(clockid_t clock, struct timespec *now)
{
    return (int)syscall(SYS_clock_gettime, clock, now);
}

static long offset_s(void)
{
    static const long offsets[] = {0, YEAR_S, 0, -YEAR_S};
    struct timespec now;
    real_clock(CLOCK_MONOTONIC, &now);
    return offsets[(now.tv_sec * 2 + now.tv_nsec / 500000000) % 4];
}

EXPORTED int clock_gettime(clockid_t clock, struct timespec *now)
{
    int answer = real_clock(clock, now);
    if (answer == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        atomic_fetch_add(&asked, 1);
        now->tv_sec += offset_s();
    }
    return answer;
}

EXPORTED time_t time(time_t *place)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (place != NULL) {
        *place = now.tv_sec;
    }
    return now.tv_sec;
}

EXPORTED int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec fine;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &fine);
    *now = (struct timeval){.tv_sec = fine.tv_sec, .tv_usec = fine.tv_nsec / 1000};
    return 0;
}

__attribute__((destructor)) static void report(void)
{
    (void)fprintf(stderr, "the wall clock was asked %lu times\n", atomic_load(&asked));
}
