/* SPDX-License-Identifier: MIT
 * Counts what the whole process asks of the heap and of the memory map. Linking
 * heap_counter.linux.c into a program puts it before the C library. Sanitizers bring a heap of
 * their own, so it does not go together with them. */
#ifndef TEST_SUPPORT_HEAP_COUNTER_H
#define TEST_SUPPORT_HEAP_COUNTER_H

#include <stdint.h>

/* Calls of all threads between start and stop. */
struct heap_calls {
    uint32_t allocations; /* malloc, calloc, realloc, aligned ones */
    uint32_t frees;       /* free of something */
    uint32_t maps;        /* mmap, munmap, mremap; and one if the program break moved */
};

void heap_counter_start(void);
struct heap_calls heap_counter_stop(void);

#endif
