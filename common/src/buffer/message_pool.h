/* SPDX-License-Identifier: MIT
 * Memory for messages that arrive in pieces: a buddy allocator over one reserved region. Blocks are
 * powers of two from 256 bytes up to the largest message; a block found free is split, two free
 * buddies join again. One owner thread (a worker). Bookkeeping lies beside the region, so memory
 * that was never used is never touched. */
#ifndef TG_BUFFER_MESSAGE_POOL_H
#define TG_BUFFER_MESSAGE_POOL_H

#include <stddef.h>
#include <stdint.h>

#define TG_MESSAGE_UNIT_BYTES 256u
#define TG_MESSAGE_ORDERS 20u /* 256 B << 19 = 128 MiB */
#define TG_MESSAGE_NONE UINT32_MAX

struct tg_message_unit {
    uint32_t next; /* neighbours in the free list of its order; only while it heads a free block */
    uint32_t prev;
    uint8_t order;
    uint8_t state; /* inside a block, or head of one: free, used, set aside */
};

struct tg_message_pool {
    uint8_t *memory;
    struct tg_message_unit *units;
    uint32_t unit_count;
    uint32_t used_units;
    uint32_t free_head[TG_MESSAGE_ORDERS];

    /* Blocks set aside, see tg_message_pool_keep. */
    uint32_t kept_head;
    uint32_t kept_count; /* as many as were set aside */
    uint32_t kept_here;  /* of them, those that are not given out */
};

/* Bytes of bookkeeping for a region of `bytes`. */
size_t tg_message_pool_table_bytes(size_t bytes);

/* All of `memory` free. Both memories are the caller's, zeroed, and kept. `bytes` is a multiple of
 * 256 and at least 256; any such size will do, it need not be a power of two. */
void tg_message_pool_init(struct tg_message_pool *pool, void *memory, size_t bytes, void *tables);

/* The size of the block that a message of `size` bytes takes: the next power of two, at least 256.
 */
static inline size_t tg_message_block_bytes(size_t size)
{
    size_t bytes = TG_MESSAGE_UNIT_BYTES;
    while (bytes < size) {
        bytes *= 2;
    }
    return bytes;
}

/* A block of at least `size` bytes (size >= 1), or TG_MESSAGE_NONE. */
uint32_t tg_message_pool_take(struct tg_message_pool *pool, size_t size);

/* Sets `count` blocks of at least `size` bytes aside, once and before anything else is taken; the
 * region must have them. Only tg_message_pool_take_kept gives them out, and they come back to where
 * they were: nothing that splits or holds other blocks can use them up. */
void tg_message_pool_keep(struct tg_message_pool *pool, size_t size, uint32_t count);

/* One of those set aside, or TG_MESSAGE_NONE. */
uint32_t tg_message_pool_take_kept(struct tg_message_pool *pool);

/* Gives a block back. */
void tg_message_pool_give(struct tg_message_pool *pool, uint32_t block);

static inline uint8_t *tg_message_pool_data(const struct tg_message_pool *pool, uint32_t block)
{
    return pool->memory + (size_t)block * TG_MESSAGE_UNIT_BYTES;
}

static inline size_t tg_message_pool_capacity(const struct tg_message_pool *pool, uint32_t block)
{
    return (size_t)TG_MESSAGE_UNIT_BYTES << pool->units[block].order;
}

static inline size_t tg_message_pool_used_bytes(const struct tg_message_pool *pool)
{
    return (size_t)pool->used_units * TG_MESSAGE_UNIT_BYTES;
}

#endif
