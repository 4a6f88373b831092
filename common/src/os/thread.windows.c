/* SPDX-License-Identifier: MIT
 * Threads of Windows, and what it says about handles and processors. */
#include "os/thread.h"

#include <process.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/assert.h"

/* --- start and join ------------------------------------------------------------------------ */

struct thread_start {
    void (*main)(void *);
    void *argument;
};

static unsigned __stdcall run_thread(void *memory)
{
    struct thread_start start = *(struct thread_start *)memory;
    free(memory);
    start.main(start.argument);
    return 0;
}

typedef HRESULT WINAPI describe_function(HANDLE thread, PCWSTR description);

/* The function came with Windows 10, 1607. On an older system a thread has no name. */
static describe_function *find_describe(void)
{
    HMODULE module = GetModuleHandleW(L"kernel32.dll");
    FARPROC found = module == NULL ? NULL : GetProcAddress(module, "SetThreadDescription");
    describe_function *describe = NULL;
    _Static_assert(sizeof found == sizeof describe, "one kind of function pointer");
    memcpy(&describe, &found, sizeof describe); /* a cast would be between unlike functions */
    return describe;
}

static void name_thread(HANDLE thread, const char *name)
{
    WCHAR wide[16];
    size_t i = 0;
    describe_function *describe = find_describe();
    for (; name[i] != '\0'; i++) {
        wide[i] = (unsigned char)name[i];
    }
    wide[i] = L'\0';
    if (describe != NULL) {
        (void)describe(thread, wide);
    }
}

int tg_thread_start(struct tg_thread *thread, const char *name, void (*main)(void *),
                    void *argument)
{
    TG_REQUIRE(strlen(name) <= 15);
    struct thread_start *start = malloc(sizeof *start);
    if (start == NULL) {
        return THRONG_ENOMEM;
    }
    start->main = main;
    start->argument = argument;
    /* Not CreateThread: the C library wants to prepare its own part of the thread. There are no
     * signals to keep away from it: a console control handler has a thread of its own. */
    uintptr_t handle = _beginthreadex(NULL, 0, run_thread, start, 0, NULL);
    if (handle == 0) {
        free(start);
        return THRONG_ENOMEM;
    }
    /* Its thread may have ended by now; the handle is ours until the join. */
    name_thread((HANDLE)handle, name);
    thread->handle = handle;
    return 0;
}

void tg_thread_join(struct tg_thread *thread)
{
    DWORD waited = WaitForSingleObject((HANDLE)thread->handle, INFINITE);
    TG_ENSURE(waited == WAIT_OBJECT_0);
    BOOL closed = CloseHandle((HANDLE)thread->handle);
    TG_ENSURE(closed);
    thread->handle = 0;
}

uintptr_t tg_thread_self(void)
{
    return GetCurrentThreadId();
}

/* --- handles ------------------------------------------------------------------------------- */

/* A handle table belongs to the process, and holds 16 million: nobody needs a second one. */
int tg_thread_own_descriptors(const tg_socket *keep, uint32_t count)
{
    (void)keep;
    (void)count;
    return THRONG_ENOTSUP;
}

/* Memory is the limit. (Wine has one that is not to be asked for: its server's RLIMIT_NOFILE.) */
uint32_t tg_descriptor_limit(void)
{
    return UINT32_MAX;
}

uint32_t tg_descriptor_limit_raise(uint32_t wanted)
{
    (void)wanted;
    return UINT32_MAX;
}

uint32_t tg_descriptor_count(void)
{
    DWORD count = 0;
    return GetProcessHandleCount(GetCurrentProcess(), &count) ? count : 0;
}

/* --- processors ---------------------------------------------------------------------------- */

static uint32_t count_bits(DWORD_PTR mask)
{
    uint32_t count = 0;
    for (; mask != 0; mask &= mask - 1) {
        count++;
    }
    return count;
}

uint32_t tg_processor_count(void)
{
    DWORD_PTR ours = 0;
    DWORD_PTR all = 0;
    if (GetProcessAffinityMask(GetCurrentProcess(), &ours, &all) && ours != 0) {
        return count_bits(ours);
    }
    /* A mask names the 64 processors of one group. It is empty for a process that has threads in
     * several; such a process may use them all. */
    DWORD active = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    return active < 1 ? 1 : active;
}
