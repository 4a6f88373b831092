/* SPDX-License-Identifier: MIT
 * See clock.h. */
#include "clock.h"

#include <windows.h>

#define SECOND_NS UINT64_C(1000000000)

uint64_t program_clock_ns(void)
{
    LARGE_INTEGER count;
    LARGE_INTEGER frequency;
    (void)QueryPerformanceCounter(&count);
    (void)QueryPerformanceFrequency(&frequency);
    uint64_t whole = (uint64_t)count.QuadPart / (uint64_t)frequency.QuadPart;
    uint64_t rest = (uint64_t)count.QuadPart % (uint64_t)frequency.QuadPart;
    return whole * SECOND_NS + rest * SECOND_NS / (uint64_t)frequency.QuadPart;
}
