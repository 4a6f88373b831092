/* SPDX-License-Identifier: MIT
 * The process's heap and memory map, counted, and refused where the test says so. Linking
 * allocations.linux.c puts it before the C library, whose own requests then come by here, too.
 * Where a sanitizer has that place (ALLOCATIONS_WRAPPED), the linker's --wrap brings it the
 * requests of the program's own objects, and pthread_create's. Any thread. */
#ifndef TEST_TORTURE_ALLOCATIONS_H
#define TEST_TORTURE_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of those requests that are made while watching, the nth (from 1) fails; 0: none does. */
void allocations_refuse(uint32_t nth);
void allocations_watch(bool on);

/* Requests made while watching since allocations_refuse, and the function that was refused; NULL:
 * none was. */
uint32_t allocations_count(void);
const char *allocations_refused(void);

/* What is held now: blocks and bytes of the heap, and bytes that were mapped through mmap. */
uint32_t allocations_blocks(void);
size_t allocations_bytes(void);
size_t allocations_mapped_bytes(void);

#endif
