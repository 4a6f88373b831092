/* SPDX-License-Identifier: MIT
 * mmap, munmap and pthread_create, counted, refused, or passed on. Any thread. */
#include "scarcity.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

/* The linker makes these names from the option --wrap: what was called goes to __wrap_, and the
 * function itself is __real_.
 * NOLINTBEGIN(bugprone-reserved-identifier) */
extern void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
extern int __real_munmap(void *addr, size_t len);
extern int __real_pthread_create(pthread_t *newthread, const pthread_attr_t *attr,
                                 void *(*start_routine)(void *), void *arg);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *addr, size_t len);
int __wrap_pthread_create(pthread_t *newthread, const pthread_attr_t *attr,
                          void *(*start_routine)(void *), void *arg);

static _Atomic uint32_t maps_left = SCARCITY_NONE;
static _Atomic uint32_t threads_left = SCARCITY_NONE;
static _Atomic uint32_t refused;
static _Atomic size_t mapped_bytes;

void scarcity_begin(uint32_t maps, uint32_t threads)
{
    atomic_store(&refused, 0);
    atomic_store(&maps_left, maps);
    atomic_store(&threads_left, threads);
}

uint32_t scarcity_end(void)
{
    atomic_store(&maps_left, SCARCITY_NONE);
    atomic_store(&threads_left, SCARCITY_NONE);
    return atomic_load(&refused);
}

size_t scarcity_mapped_bytes(void)
{
    return atomic_load(&mapped_bytes);
}

/* Takes one of what is left; false if there is none. */
static bool take_one(_Atomic uint32_t *left)
{
    uint32_t count = atomic_load(left);
    while (count != 0 && count != SCARCITY_NONE) {
        if (atomic_compare_exchange_weak(left, &count, count - 1)) {
            return true;
        }
    }
    if (count == 0) {
        atomic_fetch_add(&refused, 1);
    }
    return count != 0;
}

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    if (!take_one(&maps_left)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    void *memory = __real_mmap(addr, len, prot, flags, fd, offset);
    if (memory != MAP_FAILED) {
        atomic_fetch_add(&mapped_bytes, len);
    }
    return memory;
}

int __wrap_munmap(void *addr, size_t len)
{
    int result = __real_munmap(addr, len);
    if (result == 0) {
        atomic_fetch_sub(&mapped_bytes, len);
    }
    return result;
}

int __wrap_pthread_create(pthread_t *newthread, const pthread_attr_t *attr,
                          void *(*start_routine)(void *), void *arg)
{
    return take_one(&threads_left) ? __real_pthread_create(newthread, attr, start_routine, arg)
                                   : EAGAIN;
}
/* NOLINTEND(bugprone-reserved-identifier) */
