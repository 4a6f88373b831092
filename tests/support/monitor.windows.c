/* SPDX-License-Identifier: MIT
 * The monitor on Windows. */
#include "monitor.h"

#include <stdlib.h>
#include <windows.h>

#include "stopwatch.h"

struct parts {
    SRWLOCK lock;
    CONDITION_VARIABLE changed;
};

bool test_monitor_open(struct test_monitor *monitor)
{
    struct parts *parts = malloc(sizeof(*parts));
    monitor->system = parts;
    if (parts == NULL) {
        return false;
    }
    InitializeSRWLock(&parts->lock);
    InitializeConditionVariable(&parts->changed);
    return true;
}

/* Neither part holds anything of the system's. */
void test_monitor_close(struct test_monitor *monitor)
{
    free(monitor->system);
    monitor->system = NULL;
}

void test_monitor_enter(struct test_monitor *monitor)
{
    struct parts *parts = monitor->system;
    AcquireSRWLockExclusive(&parts->lock);
}

void test_monitor_leave(struct test_monitor *monitor)
{
    struct parts *parts = monitor->system;
    ReleaseSRWLockExclusive(&parts->lock);
}

void test_monitor_tell(struct test_monitor *monitor)
{
    struct parts *parts = monitor->system;
    WakeAllConditionVariable(&parts->changed);
}

bool test_monitor_await(struct test_monitor *monitor, int64_t deadline_ns)
{
    struct parts *parts = monitor->system;
    int64_t left_ms = (deadline_ns - test_now_ns() + 999999) / 1000000;
    return left_ms > 0 &&
           SleepConditionVariableSRW(&parts->changed, &parts->lock, (DWORD)left_ms, 0);
}
