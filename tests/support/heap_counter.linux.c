/* SPDX-License-Identifier: MIT
 * The heap's functions, counted and passed on to the C library (glibc's own names for them) or to
 * the system. Any thread. */
#include "heap_counter.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Shared libraries must find these, too. */
#define INTERPOSED __attribute__((visibility("default")))

/* glibc's own names are reserved, for it and so for this.
 * NOLINTBEGIN(bugprone-reserved-identifier) */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);
/* NOLINTEND(bugprone-reserved-identifier) */

static _Atomic bool counting;
static _Atomic uint32_t allocations;
static _Atomic uint32_t frees;
static _Atomic uint32_t maps;
static void *break_at_start; /* the C library moves the break without a call that could be seen */

static void count(_Atomic uint32_t *counter)
{
    if (atomic_load(&counting)) {
        atomic_fetch_add(counter, 1);
    }
}

void heap_counter_start(void)
{
    atomic_store(&allocations, 0);
    atomic_store(&frees, 0);
    atomic_store(&maps, 0);
    break_at_start = sbrk(0);
    atomic_store(&counting, true);
}

struct heap_calls heap_counter_stop(void)
{
    atomic_store(&counting, false);
    if (sbrk(0) != break_at_start) {
        atomic_fetch_add(&maps, 1);
    }
    return (struct heap_calls){atomic_load(&allocations), atomic_load(&frees), atomic_load(&maps)};
}

INTERPOSED void *malloc(size_t size)
{
    count(&allocations);
    return __libc_malloc(size);
}

INTERPOSED void *calloc(size_t nmemb, size_t size)
{
    count(&allocations);
    return __libc_calloc(nmemb, size);
}

INTERPOSED void *realloc(void *ptr, size_t size)
{
    count(&allocations);
    return __libc_realloc(ptr, size);
}

INTERPOSED void *memalign(size_t alignment, size_t size)
{
    count(&allocations);
    return __libc_memalign(alignment, size);
}

INTERPOSED void *aligned_alloc(size_t alignment, size_t size)
{
    count(&allocations);
    return __libc_memalign(alignment, size);
}

INTERPOSED int posix_memalign(void **memptr, size_t alignment, size_t size)
{
    count(&allocations);
    *memptr = __libc_memalign(alignment, size);
    return *memptr == NULL ? ENOMEM : 0;
}

INTERPOSED void free(void *ptr)
{
    if (ptr != NULL) {
        count(&frees);
    }
    __libc_free(ptr);
}

INTERPOSED void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    count(&maps);
    long result = syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
    void *memory;
    memcpy(&memory, &result, sizeof(memory)); /* syscall answers addresses as a number */
    return memory;
}

INTERPOSED int munmap(void *addr, size_t len)
{
    count(&maps);
    return (int)syscall(SYS_munmap, addr, len);
}

INTERPOSED void *mremap(void *addr, size_t old_len, size_t new_len, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    void *new_address = (flags & MREMAP_FIXED) != 0 ? va_arg(arguments, void *) : NULL;
    va_end(arguments);
    count(&maps);
    long result = syscall(SYS_mremap, addr, old_len, new_len, flags, new_address);
    void *memory;
    memcpy(&memory, &result, sizeof(memory));
    return memory;
}
