/* SPDX-License-Identifier: MIT
 * The receive buffers of one port: a few large ones that many connections share back to back.
 * Counted: a buffer is free when neither the port fills it nor anybody still reads from it. An idle
 * connection holds none. One owner thread (the port's). */
#ifndef TG_BUFFER_RECV_POOL_H
#define TG_BUFFER_RECV_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/index_stack.h"

struct tg_recv_pool {
    uint8_t *memory;
    uint32_t *references; /* per buffer; 0 = free */
    uint32_t buffer_bytes;
    uint32_t count;
    struct tg_index_stack free;
};

size_t tg_recv_pool_table_bytes(uint32_t count);

/* memory: count * buffer_bytes. Both memories are the caller's and kept; `tables` is zeroed. */
void tg_recv_pool_init(struct tg_recv_pool *pool, void *memory, uint32_t buffer_bytes,
                       uint32_t count, void *tables);

/* A free buffer with one reference, the latest freed first; TG_INDEX_NONE if there is none. */
uint32_t tg_recv_pool_take(struct tg_recv_pool *pool);

static inline void tg_recv_pool_retain_many(struct tg_recv_pool *pool, uint32_t buffer,
                                            uint32_t count)
{
    TG_REQUIRE(buffer < pool->count && pool->references[buffer] > 0);
    pool->references[buffer] += count;
}

static inline void tg_recv_pool_retain(struct tg_recv_pool *pool, uint32_t buffer)
{
    tg_recv_pool_retain_many(pool, buffer, 1);
}

/* Drops `count` references; the buffer is free at zero. */
static inline void tg_recv_pool_release(struct tg_recv_pool *pool, uint32_t buffer, uint32_t count)
{
    TG_REQUIRE(buffer < pool->count && pool->references[buffer] >= count);
    pool->references[buffer] -= count;
    if (pool->references[buffer] == 0) {
        tg_index_stack_push(&pool->free, buffer);
    }
}

static inline uint8_t *tg_recv_pool_data(const struct tg_recv_pool *pool, uint32_t buffer)
{
    return pool->memory + (size_t)buffer * pool->buffer_bytes;
}

#endif
