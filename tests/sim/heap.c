/* SPDX-License-Identifier: MIT
 * The heap's functions, counted and passed on. */
#include "heap.h"

#include <stddef.h>

/* The linker makes these names from the option --wrap: what was called goes to __wrap_, and the
 * function itself is __real_.
 * NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *memory);

static bool is_counting;
static uint64_t calls;

void heap_count(bool on)
{
    is_counting = on;
    calls = 0;
}

uint64_t heap_calls(void)
{
    return calls;
}

void *__wrap_malloc(size_t size)
{
    calls += is_counting;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    calls += is_counting;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    calls += is_counting;
    return __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    calls += is_counting;
    return __real_aligned_alloc(alignment, size);
}

void __wrap_free(void *memory)
{
    calls += is_counting;
    __real_free(memory);
}
/* NOLINTEND(bugprone-reserved-identifier) */
