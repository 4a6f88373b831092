/* SPDX-License-Identifier: MIT
 * The guard page, made with VirtualAlloc and VirtualProtect. */
#include "guard.h"

#include <string.h>
#include <windows.h>

#include "check.h"

void test_guard_open(struct test_guard *guard, size_t bytes)
{
    SYSTEM_INFO system;
    DWORD before;
    GetSystemInfo(&system);
    size_t page = system.dwPageSize;
    guard->page_bytes = page;
    guard->room = (bytes + page - 1) / page * page;
    guard->memory =
        VirtualAlloc(NULL, guard->room + page, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    assert_non_null(guard->memory);
    assert_true(VirtualProtect(guard->memory + guard->room, page, PAGE_NOACCESS, &before));
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
    (void)VirtualFree(guard->memory, 0, MEM_RELEASE);
}
