/* SPDX-License-Identifier: MIT
 * Memory straight from the system, for the pools that a server or swarm reserves at its start. Any
 * thread. */
#include "os/memory.h"

#include <windows.h>

#include "base/assert.h"

void *tg_memory_reserve(size_t bytes)
{
    TG_REQUIRE(bytes >= 1);
    /* MEM_COMMIT with it: Windows counts these bytes against memory and page file now, so the
     * promise is a real one, and a server that could not be served is refused at its start. A page
     * still costs physical memory only once touched. Wine maps memory as Linux does, without a
     * count. */
    return VirtualAlloc(NULL, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void tg_memory_release(void *memory, size_t bytes)
{
    (void)bytes; /* MEM_RELEASE takes back the whole of what VirtualAlloc gave */
    if (memory == NULL) {
        return;
    }
    BOOL released = VirtualFree(memory, 0, MEM_RELEASE);
    TG_ENSURE(released);
}
