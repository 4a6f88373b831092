/* SPDX-License-Identifier: MIT
 * The guard page, made with mmap and mprotect. */
#include "guard.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

void test_guard_open(struct test_guard *guard, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guard->page_bytes = page;
    guard->room = (bytes + page - 1) / page * page;
    void *memory =
        mmap(NULL, guard->room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    guard->memory = memory;
    assert_int_equal(mprotect(guard->memory + guard->room, page, PROT_NONE), 0);
}

uint8_t *test_guard_tail(const struct test_guard *guard, size_t size)
{
    assert_true(size <= guard->room);
    return guard->memory + guard->room - size;
}

const uint8_t *test_guard_copy(const struct test_guard *guard, const void *data, size_t size)
{
    uint8_t *target = test_guard_tail(guard, size);
    if (size > 0) {
        memcpy(target, data, size);
    }
    return target;
}

void test_guard_close(struct test_guard *guard)
{
    munmap(guard->memory, guard->room + guard->page_bytes);
}
