/* SPDX-License-Identifier: MIT
 * malloc and its family, mmap and munmap, counted, refused, or passed on: to the C library by its
 * own names for them, or under a sanitizer to whatever the linker calls __real_. */
#include "allocations.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Names that are the linker's or the C library's are reserved, for them and so for this.
 * NOLINTBEGIN(bugprone-reserved-identifier,bugprone-macro-parentheses) */
#ifdef ALLOCATIONS_WRAPPED
#define INTERPOSED
#define OURS(name) __wrap_##name
#define THEIRS(name) __real_##name
#define DECLARE(type, name, ...)                                                                   \
    extern type __real_##name(__VA_ARGS__);                                                        \
    type __wrap_##name(__VA_ARGS__);
DECLARE(void *, mmap, void *addr, size_t len, int prot, int flags, int fd, off_t offset)
DECLARE(int, munmap, void *addr, size_t len)
DECLARE(void *, memalign, size_t alignment, size_t size)
DECLARE(void *, aligned_alloc, size_t alignment, size_t size)
DECLARE(int, posix_memalign, void **memory, size_t alignment, size_t size)
DECLARE(int, pthread_create, pthread_t *thread, const pthread_attr_t *attributes,
        void *(*main)(void *), void *argument)
#define SYSTEM_MMAP __real_mmap
#define SYSTEM_MUNMAP __real_munmap
#else
/* Shared libraries must find these, too. */
#define INTERPOSED __attribute__((visibility("default")))
#define OURS(name) name
#define THEIRS(name) __libc_##name
#define DECLARE(type, name, ...) extern type __libc_##name(__VA_ARGS__);
DECLARE(void *, memalign, size_t alignment, size_t size)
#define SYSTEM_MMAP(...) call_mmap(__VA_ARGS__)
#define SYSTEM_MUNMAP(...) (int)syscall(SYS_munmap, __VA_ARGS__)
#endif
DECLARE(void *, malloc, size_t size)
DECLARE(void *, calloc, size_t count, size_t size)
DECLARE(void *, realloc, void *memory, size_t size)
DECLARE(void, free, void *memory)

static _Atomic bool watching;
static _Atomic uint32_t refused_nth;
static _Atomic uint32_t requests;
static const char *_Atomic refused_name;
static _Atomic uint32_t blocks;
static _Atomic size_t heap_bytes;
static _Atomic size_t mapped_bytes;

void allocations_refuse(uint32_t nth)
{
    atomic_store(&refused_nth, nth);
    atomic_store(&requests, 0);
    atomic_store(&refused_name, NULL);
}

void allocations_watch(bool on)
{
    atomic_store(&watching, on);
}

uint32_t allocations_count(void)
{
    return atomic_load(&requests);
}

const char *allocations_refused(void)
{
    return atomic_load(&refused_name);
}

uint32_t allocations_blocks(void)
{
    return atomic_load(&blocks);
}

size_t allocations_bytes(void)
{
    return atomic_load(&heap_bytes);
}

size_t allocations_mapped_bytes(void)
{
    return atomic_load(&mapped_bytes);
}

/* Counts a request; true if it is the one to be refused. */
static bool refuses(const char *name)
{
    if (!atomic_load(&watching) ||
        atomic_fetch_add(&requests, 1) + 1 != atomic_load(&refused_nth)) {
        return false;
    }
    atomic_store(&refused_name, name);
    errno = ENOMEM;
    return true;
}

static void *note_block(void *memory)
{
    if (memory != NULL) {
        atomic_fetch_add(&blocks, 1);
        atomic_fetch_add(&heap_bytes, malloc_usable_size(memory));
    }
    return memory;
}

static void forget_block(void *memory)
{
    if (memory != NULL) {
        atomic_fetch_sub(&blocks, 1);
        atomic_fetch_sub(&heap_bytes, malloc_usable_size(memory));
    }
}

/* The headers' own names of the parameters are reserved ones. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
INTERPOSED void *OURS(malloc)(size_t size)
{
    return refuses("malloc") ? NULL : note_block(THEIRS(malloc)(size));
}

INTERPOSED void *OURS(calloc)(size_t count, size_t size)
{
    return refuses("calloc") ? NULL : note_block(THEIRS(calloc)(count, size));
}

INTERPOSED void *OURS(realloc)(void *memory, size_t size)
{
    if (refuses("realloc")) {
        return NULL;
    }
    size_t before = memory == NULL ? 0 : malloc_usable_size(memory);
    void *moved = THEIRS(realloc)(memory, size);
    if (moved != NULL) {
        atomic_fetch_add(&blocks, memory == NULL ? 1 : 0);
        atomic_fetch_add(&heap_bytes, malloc_usable_size(moved) - before);
    }
    return moved;
}

INTERPOSED void *OURS(memalign)(size_t alignment, size_t size)
{
    return refuses("memalign") ? NULL : note_block(THEIRS(memalign)(alignment, size));
}

INTERPOSED void *OURS(aligned_alloc)(size_t alignment, size_t size)
{
    return refuses("aligned_alloc") ? NULL : note_block(THEIRS(memalign)(alignment, size));
}

INTERPOSED int OURS(posix_memalign)(void **memory, size_t alignment, size_t size)
{
    if (refuses("posix_memalign")) {
        return ENOMEM;
    }
    void *made = note_block(THEIRS(memalign)(alignment, size));
    if (made == NULL) {
        return ENOMEM;
    }
    *memory = made;
    return 0;
}

INTERPOSED void OURS(free)(void *memory)
{
    forget_block(memory);
    THEIRS(free)(memory);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

#ifndef ALLOCATIONS_WRAPPED
static void *call_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    union {
        long number;
        void *memory;
    } answer = {.number = syscall(SYS_mmap, addr, len, prot, flags, fd, offset)};
    return answer.memory;
}
#endif

INTERPOSED void *OURS(mmap)(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    if (refuses("mmap")) {
        return MAP_FAILED;
    }
    void *memory = SYSTEM_MMAP(addr, len, prot, flags, fd, offset);
    if (memory != MAP_FAILED) {
        atomic_fetch_add(&mapped_bytes, len);
    }
    return memory;
}

INTERPOSED int OURS(munmap)(void *addr, size_t len)
{
    int result = SYSTEM_MUNMAP(addr, len);
    if (result == 0) {
        atomic_fetch_sub(&mapped_bytes, len);
    }
    return result;
}

#ifdef ALLOCATIONS_WRAPPED
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*main)(void *), void *argument)
{
    return refuses("pthread_create") ? EAGAIN
                                     : __real_pthread_create(thread, attributes, main, argument);
}
#endif
/* NOLINTEND(bugprone-reserved-identifier,bugprone-macro-parentheses) */
