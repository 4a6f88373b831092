/* SPDX-License-Identifier: MIT
 * A system that has no more memory, or no more threads, from a point on that the test chooses.
 *
 * A program that links scarcity.linux.c links with --wrap=mmap, --wrap=munmap and
 * --wrap=pthread_create: every call that its own objects make comes by here. So it must link
 * throng's objects, not a shared library. The C library's heap and the sanitizers have ways of
 * their own and notice nothing. */
#ifndef TEST_SUPPORT_SCARCITY_H
#define TEST_SUPPORT_SCARCITY_H

#include <stddef.h>
#include <stdint.h>

#define SCARCITY_NONE UINT32_MAX /* as many as are asked for */

/* From now on the process gets so many mappings and so many threads, and then no more. */
void scarcity_begin(uint32_t maps, uint32_t threads);

/* There is enough of everything again. Answers how many requests were refused. */
uint32_t scarcity_end(void);

/* Bytes that were mapped, in all the time of the process, and not unmapped since. */
size_t scarcity_mapped_bytes(void);

#endif
