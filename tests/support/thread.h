/* SPDX-License-Identifier: MIT
 * Threads of tests. The library has its own (os/thread.h), which outer tests do not know. */
#ifndef TEST_SUPPORT_THREAD_H
#define TEST_SUPPORT_THREAD_H

#include <stdbool.h>
#include <stdint.h>

/* Stays where it is until it was joined. */
struct test_thread {
    uintptr_t handle;
    void (*run)(void *argument);
    void *argument;
};

/* Runs run(argument) on a thread of its own. False if there is none to be had. */
bool test_thread_start(struct test_thread *thread, void (*run)(void *argument), void *argument);

/* Waits for its end; each thread that was started is joined once. False if the system refuses. */
bool test_thread_join(struct test_thread *thread);

/* Lets somebody else run: for threads that wait for each other by looking again and again. */
void test_thread_yield(void);

/* A number that the calling thread has alone among those that live. */
uintptr_t test_thread_self(void);

#endif
