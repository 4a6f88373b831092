/* SPDX-License-Identifier: MIT
 * Threads of tests on Windows. */
#include "thread.h"

#include <windows.h>

static DWORD WINAPI run_thread(void *argument)
{
    const struct test_thread *thread = argument;
    thread->run(thread->argument);
    return 0;
}

/* Not _beginthreadex, whose header has the name of one of ours: the C library is a DLL, which hears
 * of each thread's end and frees what it kept for it. */
bool test_thread_start(struct test_thread *thread, void (*run)(void *argument), void *argument)
{
    thread->run = run;
    thread->argument = argument;
    thread->handle = (uintptr_t)CreateThread(NULL, 0, run_thread, thread, 0, NULL);
    return thread->handle != 0;
}

bool test_thread_join(struct test_thread *thread)
{
    HANDLE handle = (HANDLE)thread->handle;
    bool is_over = WaitForSingleObject(handle, INFINITE) == WAIT_OBJECT_0;
    (void)CloseHandle(handle);
    return is_over;
}

void test_thread_yield(void)
{
    (void)SwitchToThread();
}

uintptr_t test_thread_self(void)
{
    return GetCurrentThreadId();
}
