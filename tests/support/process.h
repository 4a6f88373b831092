/* SPDX-License-Identifier: MIT
 * What the test's own process holds, as the system sees it. */
#ifndef TEST_SUPPORT_PROCESS_H
#define TEST_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open descriptors of the calling thread's table, without the one that counting needs; on Windows
 * the handles of the process. */
uint32_t process_descriptors(void);

/* Threads, the caller included. One that was joined is in the system's list a moment longer: await
 * waits until there are `count`; false after the test deadline. */
uint32_t process_threads(void);
bool process_await_threads(uint32_t count);

/* Threads while the test has started none: the caller, and what a sanitizer starts beside the first
 * thread. To be called before there are others. */
uint32_t process_threads_at_rest(void);

/* Bytes of resident memory of its own: heap, stacks, pools; not the pages of program files, which
 * come whenever code runs for the first time. */
size_t process_memory_bytes(void);

/* Bytes of its address space that are taken, whether there is memory behind them or not. */
size_t process_mapped_bytes(void);

#endif
