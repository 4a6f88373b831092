/* SPDX-License-Identifier: MIT
 * Counts the calls of the heap's functions, whose names the linker wraps. One thread. */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include <stdbool.h>
#include <stdint.h>

/* Counts from zero, or no more. */
void heap_count(bool on);

/* Calls since. */
uint64_t heap_calls(void);

#endif
