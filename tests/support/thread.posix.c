/* SPDX-License-Identifier: MIT
 * Threads of tests on POSIX. */
#include "thread.h"

#include <pthread.h>
#include <sched.h>

_Static_assert(sizeof(pthread_t) <= sizeof(uintptr_t), "a pthread_t fits into test_thread.handle");

static void *run_thread(void *argument)
{
    const struct test_thread *thread = argument;
    thread->run(thread->argument);
    return NULL;
}

bool test_thread_start(struct test_thread *thread, void (*run)(void *argument), void *argument)
{
    pthread_t handle;
    thread->run = run;
    thread->argument = argument;
    if (pthread_create(&handle, NULL, run_thread, thread) != 0) {
        return false;
    }
    thread->handle = (uintptr_t)handle;
    return true;
}

bool test_thread_join(struct test_thread *thread)
{
    return pthread_join((pthread_t)thread->handle, NULL) == 0;
}

void test_thread_yield(void)
{
    (void)sched_yield();
}

uintptr_t test_thread_self(void)
{
    return (uintptr_t)pthread_self();
}
