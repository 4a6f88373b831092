/* SPDX-License-Identifier: MIT
 * Memory of the simulated system: the heap's, counted by the world, and refused when chance has
 * it. */
#include "os/memory.h"

#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

void *tg_memory_reserve(size_t bytes)
{
    TG_REQUIRE(bytes >= 1);
    if (tg_sim_strikes(TG_SIM_FAULT_memory_error)) {
        return NULL;
    }
    size_t whole = (bytes + 4095) / 4096 * 4096;
    void *memory = aligned_alloc(4096, whole);
    if (memory != NULL) {
        memset(memory, 0, whole);
        tg_world.memory_bytes += bytes;
    }
    return memory;
}

void tg_memory_release(void *memory, size_t bytes)
{
    if (memory == NULL) {
        return;
    }
    TG_SIM_RULE(tg_world.memory_bytes >= bytes, "more memory was released than reserved");
    tg_world.memory_bytes -= bytes;
    free(memory);
}
