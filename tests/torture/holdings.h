/* SPDX-License-Identifier: MIT
 * What a process holds: the same before and after, or something was left behind. */
#ifndef TEST_TORTURE_HOLDINGS_H
#define TEST_TORTURE_HOLDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct holdings {
    uint32_t descriptors; /* of the calling thread's table */
    uint32_t threads;
    uint32_t heap_blocks;
    size_t heap_bytes;
    size_t mmap_bytes; /* through mmap, counted where it is called */
    size_t map_bytes;  /* all mappings but heap and stack, as the system sees them */
};

struct holdings holdings_take(void);

/* Waits a moment for threads that are on their way out. */
struct holdings holdings_take_after(const struct holdings *before);

/* The first difference as a sentence; false if there is none. */
bool holdings_differ(const struct holdings *before, const struct holdings *after, char *text,
                     size_t size);

/* Waits until every thread but the caller sleeps, so that what a start has set going has been done.
 * False after the test deadline. */
bool holdings_await_sleep(void);

#endif
