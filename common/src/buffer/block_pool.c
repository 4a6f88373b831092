/* SPDX-License-Identifier: MIT
 * The pool of send blocks. Taken and given on the owner's thread; blocks come home to it through
 * the return stacks at the end of this file. */
#include "buffer/block_pool.h"

#include "base/assert.h"
#include "base/yield.h"

_Static_assert(sizeof(struct tg_block) == 16, "four descriptors a cache line");
_Static_assert(TG_LARGE_BLOCK_BYTES <= UINT16_MAX, "begin and end are 16 bits wide");

static size_t descriptor_bytes(uint32_t small_count, uint32_t large_count, uint32_t reference_count)
{
    return ((size_t)small_count + large_count + reference_count) * sizeof(struct tg_block);
}

size_t tg_block_pool_table_bytes(uint32_t small_count, uint32_t large_count,
                                 uint32_t reference_count)
{
    return descriptor_bytes(small_count, large_count, reference_count) +
           tg_index_stack_storage_bytes(small_count) + tg_index_stack_storage_bytes(large_count);
}

void tg_block_pool_init(struct tg_block_pool *pool, void *tables, void *small_data,
                        uint32_t small_count, void *large_data, uint32_t large_count,
                        uint32_t reference_count)
{
    TG_REQUIRE(tables != NULL && small_data != NULL && small_count >= 1);
    TG_REQUIRE(large_data != NULL || large_count == 0);
    TG_REQUIRE((uint64_t)small_count + large_count + reference_count < TG_BLOCK_NONE);
    /* Units are counted in 32 bits. */
    TG_REQUIRE(small_count + (uint64_t)large_count * TG_LARGE_BLOCK_UNITS <= UINT32_MAX);

    uint8_t *stacks = (uint8_t *)tables +
                      descriptor_bytes(small_count, large_count, reference_count);
    pool->blocks = tables;
    pool->small_data = small_data;
    pool->large_data = large_data;
    pool->small_count = small_count;
    pool->large_count = large_count;
    pool->reference_first = small_count + large_count;
    tg_index_stack_init(&pool->small_free, stacks, small_count);
    tg_index_stack_init(&pool->large_free, stacks + tg_index_stack_storage_bytes(small_count),
                        large_count);
}

static uint32_t make_empty(struct tg_block_pool *pool, uint32_t block, uint64_t conn)
{
    pool->blocks[block] = (struct tg_block){.next = TG_BLOCK_NONE, .conn = conn};
    return block;
}

uint32_t tg_block_pool_take_small(struct tg_block_pool *pool, uint64_t conn)
{
    uint32_t index = tg_index_stack_pop(&pool->small_free);
    if (index == TG_INDEX_NONE) {
        return TG_BLOCK_NONE;
    }
    return make_empty(pool, index, conn);
}

uint32_t tg_block_pool_take_large(struct tg_block_pool *pool, uint64_t conn)
{
    uint32_t index = tg_index_stack_pop(&pool->large_free);
    if (index == TG_INDEX_NONE) {
        return TG_BLOCK_NONE;
    }
    return make_empty(pool, pool->small_count + index, conn);
}

void tg_block_pool_give(struct tg_block_pool *pool, uint32_t block)
{
    if (block < pool->small_count) {
        tg_index_stack_push(&pool->small_free, block);
    } else {
        tg_index_stack_push(&pool->large_free, block - pool->small_count);
    }
}

uint32_t tg_block_pool_free_units(const struct tg_block_pool *pool)
{
    return tg_index_stack_count(&pool->small_free) +
           tg_index_stack_count(&pool->large_free) * TG_LARGE_BLOCK_UNITS;
}

uint32_t tg_block_pool_total_units(const struct tg_block_pool *pool)
{
    return pool->small_count + pool->large_count * TG_LARGE_BLOCK_UNITS;
}

void tg_block_return_init(struct tg_block_return *stack)
{
    atomic_init(&stack->head, TG_BLOCK_NONE);
}

void tg_block_return_push(struct tg_block_return *stack, struct tg_block_pool *pool, uint32_t first,
                          uint32_t last)
{
    TG_REQUIRE(first != TG_BLOCK_NONE && last != TG_BLOCK_NONE);
    uint32_t head = atomic_load_explicit(&stack->head, memory_order_relaxed);
    do {
        pool->blocks[last].next = head;
        tg_yield();
        /* release: pairs with the acquire in tg_block_return_take; makes the links and whatever
         * else was written to the blocks visible. The exchange fails only after the taker emptied
         * the stack, so with one pusher it is repeated once for each take in between. */
    } while (!atomic_compare_exchange_weak_explicit(&stack->head, &head, first,
                                                    memory_order_release, memory_order_relaxed));
}

uint32_t tg_block_return_take(struct tg_block_return *stack)
{
    /* Most looks find nothing: a plain load leaves the line shared with the pusher. */
    if (atomic_load_explicit(&stack->head, memory_order_relaxed) == TG_BLOCK_NONE) {
        return TG_BLOCK_NONE;
    }
    tg_yield();
    /* acquire: pairs with the release in tg_block_return_push. */
    return atomic_exchange_explicit(&stack->head, TG_BLOCK_NONE, memory_order_acquire);
}
