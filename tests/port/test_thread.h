/* SPDX-License-Identifier: MIT
 * What the test of threads (test_thread.c) wants of the file for this system. */
#ifndef TEST_THREAD_H
#define TEST_THREAD_H

/* Tests of what this system alone has; before any thread was started. The number of those that
 * failed. */
int run_system_thread_tests(void);

#endif
