/* SPDX-License-Identifier: MIT
 * Set-up of a ring, before its two threads start. What happens afterwards is inline in ring.h. */
#include "base/ring.h"

/* Neither thread's line may hold anything that the other one writes. */
_Static_assert(sizeof(struct tg_ring) == 5 * TG_CACHE_LINE_BYTES, "one line for each group");

#define RING_CAPACITY_MAX (UINT32_C(1) << 31)

uint32_t tg_ring_capacity_for(uint32_t n)
{
    TG_REQUIRE(n >= 1 && n <= RING_CAPACITY_MAX);
    uint32_t capacity = 1;
    while (capacity < n) {
        capacity <<= 1;
    }
    return capacity;
}

void tg_ring_init(struct tg_ring *ring, void *storage, uint32_t capacity, uint32_t entry_bytes)
{
    TG_REQUIRE(storage != NULL);
    TG_REQUIRE(capacity >= 1 && (capacity & (capacity - 1)) == 0);
    TG_REQUIRE(entry_bytes >= 1);
    ring->entries = storage;
    ring->entry_bytes = entry_bytes;
    ring->mask = capacity - 1;
    ring->tail = 0;
    ring->head_seen = 0;
    ring->head = 0;
    ring->tail_seen = 0;
    /* The threads are started after this, which orders it before all that they do. */
    atomic_init(&ring->tail_shared, 0);
    atomic_init(&ring->head_shared, 0);
}
