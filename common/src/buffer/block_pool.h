/* SPDX-License-Identifier: MIT
 * The pool of send blocks: messages wait for the kernel in 512-byte blocks, and in a larger class
 * of 33 such units for the inside of long messages.
 *
 * The descriptors lie in a table of their own, so the data of neighbouring blocks is contiguous and
 * a run of them becomes one element of a gathered send. Blocks are named by index: 0..small_count-1
 * are the small ones, the large ones follow. What a connection may hold is counted in units of 512
 * bytes in both classes.
 *
 * Behind the large ones come references: descriptors without data of their own, each of which
 * stands for the bytes of a block, so that one block can wait in the queues of many connections.
 * Who uses them (the server's fan-out) shares them out and takes them back himself; the pool only
 * knows what they mean.
 *
 * One thread owns the pool (the logic thread). Blocks travel to a worker inside a command and come
 * home through that worker's return stack:
 *
 *   logic: allocate -> fill -> command ring ->  worker: send ... sent -> return stack -> logic:
 * free
 */
#ifndef TG_BUFFER_BLOCK_POOL_H
#define TG_BUFFER_BLOCK_POOL_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/index_stack.h"

#define TG_BLOCK_BYTES 512u
#define TG_LARGE_BLOCK_UNITS                                                                       \
    33u /* 16 KiB and a frame header fit, with room for small frames around */
#define TG_LARGE_BLOCK_BYTES (TG_LARGE_BLOCK_UNITS * TG_BLOCK_BYTES)
#define TG_BLOCK_NONE UINT32_MAX

/* 16 bytes. Owned by whoever owns the block. */
struct tg_block {
    uint32_t next;  /* the following block of its chain, or TG_BLOCK_NONE */
    uint16_t begin; /* first byte that is still to be sent */
    uint16_t end;   /* one past the last byte filled */
    union {
        uint64_t conn; /* id of the connection that it was allocated for */
        struct {
            uint32_t target;  /* reference: the block whose bytes it stands for */
            uint32_t message; /* reference: the first block of those that it came with */
        };
    };
};

struct tg_block_pool {
    /* Set once; read by both threads. */
    struct tg_block *blocks; /* small_count + large_count descriptors */
    uint8_t *small_data;
    uint8_t *large_data;
    uint32_t small_count;
    uint32_t large_count;
    uint32_t reference_first; /* small_count + large_count */

    /* Owner thread; on a line of its own, so that taking a block does not disturb the worker. */
    alignas(64) struct tg_index_stack small_free; /* of indices 0..small_count-1 */
    struct tg_index_stack large_free;             /* of large blocks, counted from 0 */
};

/* Memory that a pool of that many blocks lives in, each part reserved by the caller:
 * descriptors and free stacks (tables), small data, large data. */
size_t tg_block_pool_table_bytes(uint32_t small_count, uint32_t large_count,
                                 uint32_t reference_count);
static inline size_t tg_block_pool_small_bytes(uint32_t small_count)
{
    return (size_t)small_count * TG_BLOCK_BYTES;
}
static inline size_t tg_block_pool_large_bytes(uint32_t large_count)
{
    return (size_t)large_count * TG_LARGE_BLOCK_BYTES;
}

/* All memory is the caller's, zeroed, and kept as long as the pool. small_count >= 1; large_count
 * may be 0 with large_data NULL, and so may reference_count. */
void tg_block_pool_init(struct tg_block_pool *pool, void *tables, void *small_data,
                        uint32_t small_count, void *large_data, uint32_t large_count,
                        uint32_t reference_count);

/* An empty block (begin = end = 0, next = NONE) for connection `conn`, or TG_BLOCK_NONE. */
uint32_t tg_block_pool_take_small(struct tg_block_pool *pool, uint64_t conn);
uint32_t tg_block_pool_take_large(struct tg_block_pool *pool, uint64_t conn);

/* Gives one block back. */
void tg_block_pool_give(struct tg_block_pool *pool, uint32_t block);

/* Free units (of 512 bytes) in both classes together. */
uint32_t tg_block_pool_free_units(const struct tg_block_pool *pool);
uint32_t tg_block_pool_total_units(const struct tg_block_pool *pool);

static inline bool tg_block_is_reference(const struct tg_block_pool *pool, uint32_t block)
{
    return block >= pool->reference_first;
}

/* The block that has the bytes. */
static inline uint32_t tg_block_target(const struct tg_block_pool *pool, uint32_t block)
{
    return tg_block_is_reference(pool, block) ? pool->blocks[block].target : block;
}

/* The bytes of a block that is no reference. */
static inline uint8_t *tg_block_own_data(const struct tg_block_pool *pool, uint32_t block)
{
    return block < pool->small_count
               ? pool->small_data + (size_t)block * TG_BLOCK_BYTES
               : pool->large_data + (size_t)(block - pool->small_count) * TG_LARGE_BLOCK_BYTES;
}

static inline uint8_t *tg_block_data(const struct tg_block_pool *pool, uint32_t block)
{
    return tg_block_own_data(pool, tg_block_target(pool, block));
}

static inline uint32_t tg_block_capacity(const struct tg_block_pool *pool, uint32_t block)
{
    return block < pool->small_count ? TG_BLOCK_BYTES : TG_LARGE_BLOCK_BYTES;
}

/* A reference counts like the block that it keeps from going home. */
static inline uint32_t tg_block_units(const struct tg_block_pool *pool, uint32_t block)
{
    return tg_block_target(pool, block) < pool->small_count ? 1u : TG_LARGE_BLOCK_UNITS;
}

/* The way home: one thread pushes chains of blocks, another takes all at once. Because the taker
 * never takes a part, the stack has no ABA problem; because it is linked through the blocks it
 * cannot be full. It needs no ring as large as the pool. */
struct tg_block_return {
    alignas(64) _Atomic uint32_t head; /* first block, or TG_BLOCK_NONE */
};

void tg_block_return_init(struct tg_block_return *stack);

/* Pusher: hands over the chain first..last, already linked through `next`. */
void tg_block_return_push(struct tg_block_return *stack, struct tg_block_pool *pool, uint32_t first,
                          uint32_t last);

/* Taker: whether there are none. What came is looked at by tg_block_return_take. */
static inline bool tg_block_return_is_empty(const struct tg_block_return *stack)
{
    return atomic_load_explicit(&stack->head, memory_order_relaxed) == TG_BLOCK_NONE;
}

/* Taker: all blocks that came home, linked through `next`; TG_BLOCK_NONE if none. */
uint32_t tg_block_return_take(struct tg_block_return *stack);

#endif
