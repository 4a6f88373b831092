/* SPDX-License-Identifier: MIT
 * The clock of tests on Windows. */
#include "stopwatch.h"

#include <windows.h>

int64_t test_now_ns(void)
{
    LARGE_INTEGER ticks;
    LARGE_INTEGER per_second;
    /* Neither fails since Windows XP. Apart, because ticks * 10^9 overflows within hours. */
    (void)QueryPerformanceCounter(&ticks);
    (void)QueryPerformanceFrequency(&per_second);
    int64_t seconds = ticks.QuadPart / per_second.QuadPart;
    int64_t rest = ticks.QuadPart % per_second.QuadPart;
    return seconds * 1000000000 + rest * 1000000000 / per_second.QuadPart;
}

/* In whole milliseconds: that is all the system has. */
void test_pause_us(uint32_t pause_us)
{
    Sleep((pause_us + 999) / 1000);
}
