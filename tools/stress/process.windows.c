/* SPDX-License-Identifier: MIT
 * See process.h. */
#include "process.h"

#include <windows.h>

#include <psapi.h>

/* A FILETIME counts 100 ns. */
static double seconds_of(const FILETIME *time)
{
    uint64_t count = (uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime;
    return (double)count / 1e7;
}

void process_usage(struct process_usage *usage)
{
    FILETIME start;
    FILETIME end;
    FILETIME in_kernel = {0};
    FILETIME in_user = {0};
    PROCESS_MEMORY_COUNTERS memory = {.cb = sizeof(memory)};
    /* Both fail for a wrong handle only. */
    (void)GetProcessTimes(GetCurrentProcess(), &start, &end, &in_kernel, &in_user);
    (void)K32GetProcessMemoryInfo(GetCurrentProcess(), &memory, sizeof(memory));
    usage->user_seconds = seconds_of(&in_user);
    usage->system_seconds = seconds_of(&in_kernel);
    usage->peak_rss_bytes = memory.PeakWorkingSetSize;
}

bool process_has_terminal(void)
{
    DWORD mode; /* a pipe, a file and NUL have none */
    return GetConsoleMode(GetStdHandle(STD_ERROR_HANDLE), &mode) != 0;
}
