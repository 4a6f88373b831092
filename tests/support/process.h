/* SPDX-License-Identifier: MIT
 * What the test's own process holds, as the system sees it. */
#ifndef TEST_SUPPORT_PROCESS_H
#define TEST_SUPPORT_PROCESS_H

#include <stddef.h>
#include <stdint.h>

/* Open descriptors of the calling thread's table, without the one that counting needs. */
uint32_t process_descriptors(void);

/* Threads, the caller included. */
uint32_t process_threads(void);

/* Bytes of resident memory of its own: heap, stacks, pools; not the pages of program files, which come
 * whenever code runs for the first time. */
size_t process_memory_bytes(void);

#endif
