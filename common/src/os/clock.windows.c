/* SPDX-License-Identifier: MIT
 * The clock of Windows: the performance counter, which is monotonic and the same on all processors.
 * Called by whoever drives a loop, once a turn; any thread. */
#include "os/clock.h"

#include <windows.h>

#include "base/assert.h"

#define NS_PER_S 1000000000u

/* 1970 in the system's count, which begins with 1601: units of 100 ns. */
#define UNIX_EPOCH_TICKS 116444736000000000u
#define TICKS_PER_MS 10000u

uint64_t tg_clock_ns(void)
{
    LARGE_INTEGER ticks;
    LARGE_INTEGER per_second; /* fixed at boot, and read from a page that the kernel shares */
    BOOL counted = QueryPerformanceCounter(&ticks) && QueryPerformanceFrequency(&per_second);
    TG_ENSURE(counted && ticks.QuadPart >= 0 && per_second.QuadPart > 0);
    uint64_t rate = (uint64_t)per_second.QuadPart;
    /* Whole seconds first: ticks * 10^9 is more than 64 bits after half an hour at 10 MHz. The rest
     * is less than the rate, so its product fits up to 18 GHz. */
    TG_ENSURE(rate <= UINT64_MAX / NS_PER_S);
    uint64_t seconds = (uint64_t)ticks.QuadPart / rate;
    uint64_t rest = (uint64_t)ticks.QuadPart % rate;
    return seconds * NS_PER_S + rest * NS_PER_S / rate;
}

uint64_t tg_clock_unix_ms(void)
{
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    uint64_t ticks = (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
    return ticks < UNIX_EPOCH_TICKS ? 0 : (ticks - UNIX_EPOCH_TICKS) / TICKS_PER_MS;
}
