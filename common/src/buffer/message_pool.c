/* SPDX-License-Identifier: MIT
 * The buddy allocator for messages that arrive in pieces. One owner thread.
 *
 * A block of order o begins at a unit whose number is a multiple of 2^o; its buddy's number differs
 * in bit o alone. A region that is no power of two starts as a row of ever smaller blocks, whose
 * missing buddies are simply never found free. */
#include "buffer/message_pool.h"

#include <stdbool.h>

#include "base/assert.h"
#include "base/bits.h"

enum unit_state {
    UNIT_INSIDE = 0, /* of a block, or never used: also what zeroed memory says */
    UNIT_FREE = 1,   /* heads a free block */
    UNIT_USED = 2,   /* heads a block that was taken */
    UNIT_KEPT = 3,   /* heads a block that is set aside */
    UNIT_LENT = 4,   /* heads one of those that was taken */
};

#define LARGEST_BLOCK_BYTES ((size_t)TG_MESSAGE_UNIT_BYTES << (TG_MESSAGE_ORDERS - 1))

size_t tg_message_pool_table_bytes(size_t bytes)
{
    return bytes / TG_MESSAGE_UNIT_BYTES * sizeof(struct tg_message_unit);
}

static void push_free(struct tg_message_pool *pool, uint32_t block, uint32_t order)
{
    uint32_t next = pool->free_head[order];
    pool->units[block] = (struct tg_message_unit){
        .next = next, .prev = TG_MESSAGE_NONE, .order = (uint8_t)order, .state = UNIT_FREE};
    if (next != TG_MESSAGE_NONE) {
        pool->units[next].prev = block;
    }
    pool->free_head[order] = block;
}

/* Takes a free block out of the list of its order. Its first unit is inside a block from now on,
 * unless the caller says otherwise. */
static void remove_free(struct tg_message_pool *pool, uint32_t block)
{
    struct tg_message_unit *unit = &pool->units[block];
    TG_REQUIRE(unit->state == UNIT_FREE);
    if (unit->prev == TG_MESSAGE_NONE) {
        pool->free_head[unit->order] = unit->next;
    } else {
        pool->units[unit->prev].next = unit->next;
    }
    if (unit->next != TG_MESSAGE_NONE) {
        pool->units[unit->next].prev = unit->prev;
    }
    unit->state = UNIT_INSIDE;
}

void tg_message_pool_init(struct tg_message_pool *pool, void *memory, size_t bytes, void *tables)
{
    TG_REQUIRE(memory != NULL && tables != NULL);
    TG_REQUIRE(bytes >= TG_MESSAGE_UNIT_BYTES && bytes % TG_MESSAGE_UNIT_BYTES == 0);
    TG_REQUIRE(bytes / TG_MESSAGE_UNIT_BYTES < TG_MESSAGE_NONE);
    pool->memory = memory;
    pool->units = tables;
    pool->unit_count = (uint32_t)(bytes / TG_MESSAGE_UNIT_BYTES);
    pool->used_units = 0;
    pool->kept_head = TG_MESSAGE_NONE;
    pool->kept_count = 0;
    pool->kept_here = 0;
    for (uint32_t order = 0; order < TG_MESSAGE_ORDERS; order++) {
        pool->free_head[order] = TG_MESSAGE_NONE;
    }
    /* The largest block that still fits, again and again: each begins at a multiple of its own
     * size, because all before it are at least as large. */
    for (uint32_t first = 0; first < pool->unit_count;) {
        uint32_t order = tg_bits_highest(pool->unit_count - first);
        if (order >= TG_MESSAGE_ORDERS) {
            order = TG_MESSAGE_ORDERS - 1;
        }
        push_free(pool, first, order);
        first += UINT32_C(1) << order;
    }
}

/* The smallest order whose blocks hold `size` bytes, at most LARGEST_BLOCK_BYTES. */
static uint32_t order_for(size_t size)
{
    if (size <= TG_MESSAGE_UNIT_BYTES) {
        return 0;
    }
    return tg_bits_highest((size - 1) / TG_MESSAGE_UNIT_BYTES) + 1;
}

uint32_t tg_message_pool_take(struct tg_message_pool *pool, size_t size)
{
    TG_REQUIRE(size >= 1);
    if (size > LARGEST_BLOCK_BYTES) {
        return TG_MESSAGE_NONE;
    }
    uint32_t wanted = order_for(size);
    uint32_t order = wanted;
    while (order < TG_MESSAGE_ORDERS && pool->free_head[order] == TG_MESSAGE_NONE) {
        order++;
    }
    if (order == TG_MESSAGE_ORDERS) {
        return TG_MESSAGE_NONE;
    }
    uint32_t block = pool->free_head[order];
    remove_free(pool, block);
    while (order > wanted) {
        order--;
        push_free(pool, block + (UINT32_C(1) << order), order);
    }
    pool->units[block].order = (uint8_t)wanted;
    pool->units[block].state = UNIT_USED;
    pool->used_units += UINT32_C(1) << wanted;
    return block;
}

/* The kept ones are a stack: links in the table, so their memory stays untouched. */
static void push_kept(struct tg_message_pool *pool, uint32_t block)
{
    pool->units[block].next = pool->kept_head;
    pool->units[block].state = UNIT_KEPT;
    pool->kept_head = block;
    pool->kept_here++;
}

void tg_message_pool_keep(struct tg_message_pool *pool, size_t size, uint32_t count)
{
    TG_REQUIRE(pool->used_units == 0 && pool->kept_count == 0);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t block = tg_message_pool_take(pool, size);
        TG_REQUIRE(block != TG_MESSAGE_NONE);
        push_kept(pool, block);
    }
    pool->used_units = 0; /* set aside is not used */
    pool->kept_count = count;
}

uint32_t tg_message_pool_take_kept(struct tg_message_pool *pool)
{
    uint32_t block = pool->kept_head;
    if (block == TG_MESSAGE_NONE) {
        return TG_MESSAGE_NONE;
    }
    TG_REQUIRE(pool->units[block].state == UNIT_KEPT);
    pool->kept_head = pool->units[block].next;
    pool->kept_here--;
    pool->units[block].state = UNIT_LENT;
    pool->used_units += UINT32_C(1) << pool->units[block].order;
    return block;
}

/* Whether the whole block of `order` that begins at `block` is free as one. */
static bool is_free(const struct tg_message_pool *pool, uint32_t block, uint32_t order)
{
    return block < pool->unit_count && pool->units[block].state == UNIT_FREE &&
           pool->units[block].order == order;
}

void tg_message_pool_give(struct tg_message_pool *pool, uint32_t block)
{
    TG_REQUIRE(block < pool->unit_count);
    uint8_t state = pool->units[block].state;
    TG_REQUIRE(state == UNIT_USED || state == UNIT_LENT);
    uint32_t order = pool->units[block].order;
    pool->used_units -= UINT32_C(1) << order;
    if (state == UNIT_LENT) {
        push_kept(pool, block);
        return;
    }
    pool->units[block].state = UNIT_INSIDE;
    for (; order < TG_MESSAGE_ORDERS - 1; order++) {
        uint32_t bit = UINT32_C(1) << order;
        if (!is_free(pool, block ^ bit, order)) {
            break;
        }
        remove_free(pool, block ^ bit);
        block &= ~bit;
    }
    push_free(pool, block, order);
}
