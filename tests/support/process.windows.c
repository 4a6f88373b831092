/* SPDX-License-Identifier: MIT
 * What the process holds, by the system's counters. */
#include "process.h"

#include <windows.h>

#include <psapi.h>
#include <tlhelp32.h>

#include "check.h"
#include "stopwatch.h"

/* Wine (8.0) does not count them: there each number that a handle may have is tried, four apart. A
 * table is filled from below, so far behind the highest handle there is none. */
static uint32_t try_handles(void)
{
    enum {
        GAP = 1024
    };
    uint32_t count = 0;
    uintptr_t last = 0;
    for (uintptr_t i = 1; i < last + GAP; i++) {
        DWORD flags;
        if (GetHandleInformation((HANDLE)(i * 4), &flags)) {
            count++;
            last = i;
        }
    }
    return count;
}

/* All handles: sockets, events, threads. */
uint32_t process_descriptors(void)
{
    DWORD count = 0;
    assert_true(GetProcessHandleCount(GetCurrentProcess(), &count));
    return count > 0 ? count : try_handles();
}

uint32_t process_threads(void)
{
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    THREADENTRY32 entry = {.dwSize = sizeof(entry)};
    uint32_t count = 0;
    assert_true(snapshot != INVALID_HANDLE_VALUE);
    for (BOOL found = Thread32First(snapshot, &entry); found;
         found = Thread32Next(snapshot, &entry)) {
        count += entry.th32OwnerProcessID == GetCurrentProcessId() ? 1 : 0;
    }
    (void)CloseHandle(snapshot);
    return count;
}

uint32_t process_threads_at_rest(void)
{
    return process_threads();
}

bool process_await_threads(uint32_t count)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (process_threads() != count) {
        if (test_now_ms() > deadline_ms) {
            return false;
        }
        test_pause_us(1000);
    }
    return true;
}

/* The working set: pages that were touched, those of program files included. (Private bytes would
 * count what is reserved and never touched, and Wine does not know them.) */
size_t process_memory_bytes(void)
{
    PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof(counters)};
    assert_true(GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof(counters)));
    return counters.WorkingSetSize;
}

/* What the free and the taken parts of the address space are, piece by piece. */
size_t process_mapped_bytes(void)
{
    MEMORY_BASIC_INFORMATION piece;
    size_t bytes = 0;
    const char *at = NULL;
    while (VirtualQuery(at, &piece, sizeof(piece)) == sizeof(piece)) {
        bytes += piece.State == MEM_FREE ? 0 : piece.RegionSize;
        at = (const char *)piece.BaseAddress + piece.RegionSize;
    }
    return bytes;
}
