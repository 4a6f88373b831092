/* SPDX-License-Identifier: MIT
 * Memory straight from the system, for the pools that a server or swarm reserves at its start. Any
 * thread. */
#include "os/memory.h"

#include <sys/mman.h>

#include "base/assert.h"

void *tg_memory_reserve(size_t bytes)
{
    TG_REQUIRE(bytes >= 1);
    /* Without MAP_NORESERVE: under strict overcommit the promise is then a real one, and a server
     * that could not be served is refused at its start. */
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    return memory;
}

void tg_memory_release(void *memory, size_t bytes)
{
    if (memory == NULL) {
        return;
    }
    int answer = munmap(memory, bytes);
    TG_ENSURE(answer == 0);
}
