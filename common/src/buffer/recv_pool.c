/* SPDX-License-Identifier: MIT
 * The receive buffers of one port: set-up and taking. Counting is inline in recv_pool.h. Port
 * owner's thread. */
#include "buffer/recv_pool.h"

size_t tg_recv_pool_table_bytes(uint32_t count)
{
    return (size_t)count * sizeof(uint32_t) + tg_index_stack_storage_bytes(count);
}

void tg_recv_pool_init(struct tg_recv_pool *pool, void *memory, uint32_t buffer_bytes,
                       uint32_t count, void *tables)
{
    TG_REQUIRE(memory != NULL && tables != NULL);
    TG_REQUIRE(buffer_bytes >= 1 && count >= 1);
    pool->memory = memory;
    pool->references = tables;
    pool->buffer_bytes = buffer_bytes;
    pool->count = count;
    tg_index_stack_init(&pool->free, pool->references + count, count);
}

uint32_t tg_recv_pool_take(struct tg_recv_pool *pool)
{
    uint32_t buffer = tg_index_stack_pop(&pool->free);
    if (buffer == TG_INDEX_NONE) {
        return TG_INDEX_NONE;
    }
    TG_REQUIRE(pool->references[buffer] == 0);
    pool->references[buffer] = 1;
    return buffer;
}
