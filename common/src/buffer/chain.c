/* SPDX-License-Identifier: MIT
 * The byte queue of blocks: filled on the pool owner's thread, sent on a worker's. A chain is
 * touched by one thread at a time; it changes hands whole, through a ring or a return stack. */
#include "buffer/chain.h"

#include <string.h>

#include "base/assert.h"

/* So many units that their bytes still fit chain->bytes. */
#define UNITS_LIMIT (UINT32_MAX / TG_BLOCK_BYTES)

/* The bytes to append, in two pieces, used up from the front. */
struct source {
    const uint8_t *prefix;
    size_t prefix_size;
    const uint8_t *data;
    size_t size;
};

/* Blocks of each class: those that an append needs, besides the room in the last one, or may
 * take. */
struct plan {
    uint32_t large;
    uint32_t small;
};

void tg_chain_init(struct tg_chain *chain)
{
    *chain = (struct tg_chain){.head = TG_BLOCK_NONE, .tail = TG_BLOCK_NONE};
}

/* memcpy with n = 0 forbids NULL, which is what an empty message may come with. */
static void copy_bytes(uint8_t *target, const uint8_t *from, size_t n)
{
    if (n > 0) {
        memcpy(target, from, n);
    }
}

static void copy_source(uint8_t *target, const struct source *source)
{
    if (source->prefix_size == sizeof(uint32_t)) {
        memcpy(target, source->prefix, sizeof(uint32_t)); /* a frame header: one move, no call */
    } else {
        copy_bytes(target, source->prefix, source->prefix_size);
    }
    copy_bytes(target + source->prefix_size, source->data, source->size);
}

/* Appends a source for which the block has room enough. */
static void put_whole(struct tg_block_pool *pool, uint32_t index, const struct source *source)
{
    struct tg_block *block = &pool->blocks[index];
    copy_source(tg_block_own_data(pool, index) + block->end, source);
    block->end = (uint16_t)(block->end + source->prefix_size + source->size);
}

/* Appends as much of the source as fits one block; answers how much that was. */
static size_t fill_block(struct tg_block_pool *pool, uint32_t index, struct source *source)
{
    struct tg_block *block = &pool->blocks[index];
    uint8_t *target = tg_block_own_data(pool, index) + block->end;
    size_t room = tg_block_capacity(pool, index) - block->end;

    size_t from_prefix = source->prefix_size < room ? source->prefix_size : room;
    copy_bytes(target, source->prefix, from_prefix);
    source->prefix_size -= from_prefix;
    if (source->prefix_size > 0) {
        source->prefix += from_prefix;
        block->end = (uint16_t)(block->end + from_prefix);
        return from_prefix;
    }
    room -= from_prefix;
    size_t from_data = source->size < room ? source->size : room;
    copy_bytes(target + from_prefix, source->data, from_data);
    source->size -= from_data;
    if (source->size > 0) {
        source->data += from_data;
    }
    block->end = (uint16_t)(block->end + from_prefix + from_data);
    return from_prefix + from_data;
}

static void link_block(struct tg_chain *chain, struct tg_block_pool *pool, uint32_t block)
{
    if (chain->tail == TG_BLOCK_NONE) {
        chain->head = block;
    } else {
        pool->blocks[chain->tail].next = block;
    }
    chain->tail = block;
    chain->units += tg_block_units(pool, block);
}

/* Large blocks until at most TG_CHAIN_LARGE_MIN bytes remain. */
static size_t large_blocks_for(size_t size)
{
    if (size <= TG_CHAIN_LARGE_MIN) {
        return 0;
    }
    return (size - TG_CHAIN_LARGE_MIN + TG_LARGE_BLOCK_BYTES - 1) / TG_LARGE_BLOCK_BYTES;
}

static uint32_t beyond(uint32_t count, uint32_t kept)
{
    return count > kept ? count - kept : 0;
}

/* Completes a plan that has its number of large blocks: small ones hold what those do not. False if
 * the pool or the limit does not suffice. */
static bool plan_small(struct plan *plan, const struct plan *free, size_t size, uint32_t units_max)
{
    size_t in_large = (size_t)plan->large * TG_LARGE_BLOCK_BYTES;
    size_t rest = size > in_large ? size - in_large : 0;
    size_t small = (rest + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES;
    size_t units = (size_t)plan->large * TG_LARGE_BLOCK_UNITS + small;
    if (small > free->small || units > units_max) {
        return false;
    }
    plan->small = (uint32_t)small;
    return true;
}

/* Chooses the blocks for `size` more bytes before any is taken, so that a refusal has nothing to
 * undo. The pool has one owner: what is free now is still free when it is taken. `units_max` is
 * what the bounds leave beside the chain as it is. */
static bool plan_blocks(struct plan *plan, const struct plan *free, size_t size, uint32_t units_max)
{
    size_t large = large_blocks_for(size);
    plan->large = large < free->large ? (uint32_t)large : free->large;
    if (plan_small(plan, free, size, units_max)) {
        return true;
    }
    /* The last large block may be mostly empty and cost more units than small ones would. All
     * others are full: doing without them as well saves no unit. */
    if (plan->large == 0) {
        return false;
    }
    plan->large--;
    return plan_small(plan, free, size, units_max);
}

/* What the bounds let an append take. */
static struct plan free_within(const struct tg_block_pool *pool,
                               const struct tg_chain_bounds *bounds)
{
    return (struct plan){
        .large = beyond(tg_index_stack_count(&pool->large_free), bounds->large_kept),
        .small = beyond(tg_index_stack_count(&pool->small_free), bounds->small_kept)};
}

/* Units that the chain may still grow by. */
static uint32_t units_left(const struct tg_chain *chain, const struct tg_chain_bounds *bounds)
{
    uint32_t units_max = bounds->units_max < UNITS_LIMIT ? bounds->units_max : UNITS_LIMIT;
    return beyond(units_max, chain->units);
}

/* Bytes left in the last block. */
static size_t room_at_end(const struct tg_chain *chain, const struct tg_block_pool *pool)
{
    return chain->tail == TG_BLOCK_NONE
               ? 0
               : (size_t)tg_block_capacity(pool, chain->tail) - pool->blocks[chain->tail].end;
}

/* The append that needs new blocks; `room` bytes are left in the last one. */
static bool append_blocks(struct tg_chain *chain, struct tg_block_pool *pool, uint64_t conn,
                          const struct tg_chain_bounds *bounds, struct source source, size_t room)
{
    struct plan plan;
    size_t total = source.prefix_size + source.size;
    const struct plan free = free_within(pool, bounds);
    if (!plan_blocks(&plan, &free, total - room, units_left(chain, bounds))) {
        return false;
    }
    size_t written = 0;
    if (room > 0) {
        written += fill_block(pool, chain->tail, &source);
    }
    for (; plan.large > 0; plan.large--) {
        link_block(chain, pool, tg_block_pool_take_large(pool, conn));
        written += fill_block(pool, chain->tail, &source);
    }
    for (; plan.small > 0; plan.small--) {
        link_block(chain, pool, tg_block_pool_take_small(pool, conn));
        written += fill_block(pool, chain->tail, &source);
    }
    TG_ENSURE(written == total);
    chain->bytes += (uint32_t)total;
    return true;
}

/* The append that one more small block is enough for; `room` bytes are left in the last one. */
static bool append_small_block(struct tg_chain *chain, struct tg_block_pool *pool, uint64_t conn,
                               const struct tg_chain_bounds *bounds, struct source *source,
                               size_t room)
{
    if (tg_index_stack_count(&pool->small_free) <= bounds->small_kept) {
        return false;
    }
    const size_t bytes = source->prefix_size + source->size;
    const uint32_t last = chain->tail;
    const uint32_t block = tg_block_pool_take_small(pool, conn);
    chain->bytes += (uint32_t)bytes;
    link_block(chain, pool, block);
    if (room > 0 && block == last + 1) {
        /* Hot: its neighbour, both small ones, so all of it goes where the last one ends. */
        copy_source(tg_block_own_data(pool, block) - room, source);
        pool->blocks[last].end = TG_BLOCK_BYTES;
        pool->blocks[block].end = (uint16_t)(bytes - room);
        return true;
    }
    if (room > 0) {
        (void)fill_block(pool, last, source);
    }
    put_whole(pool, block, source);
    return true;
}

bool tg_chain_append_within(struct tg_chain *chain, struct tg_block_pool *pool, uint64_t conn,
                            const struct tg_chain_bounds *bounds, const void *prefix,
                            size_t prefix_size, const void *data, size_t size)
{
    TG_REQUIRE(prefix_size + size >= 1);
    struct source source = {prefix, prefix_size, data, size};
    size_t room = room_at_end(chain, pool);
    /* Hot: one more small message of a batch. It needs no block, so no limit can refuse it. */
    if (prefix_size + size <= room) {
        put_whole(pool, chain->tail, &source);
        chain->bytes += (uint32_t)(prefix_size + size);
        return true;
    }
    if (units_left(chain, bounds) == 0) {
        return false;
    }
    if (prefix_size + size - room <= TG_BLOCK_BYTES) {
        return append_small_block(chain, pool, conn, bounds, &source, room);
    }
    return append_blocks(chain, pool, conn, bounds, source, room);
}

bool tg_chain_append(struct tg_chain *chain, struct tg_block_pool *pool, uint64_t conn,
                     uint32_t units_max, const void *prefix, size_t prefix_size, const void *data,
                     size_t size)
{
    const struct tg_chain_bounds bounds = {.units_max = units_max};
    return tg_chain_append_within(chain, pool, conn, &bounds, prefix, prefix_size, data, size);
}

bool tg_chain_has_room(const struct tg_chain *chain, const struct tg_block_pool *pool,
                       const struct tg_chain_bounds *bounds, size_t bytes)
{
    struct plan plan;
    size_t room = room_at_end(chain, pool);
    const struct plan free = free_within(pool, bounds);
    return bytes <= room || plan_blocks(&plan, &free, bytes - room, units_left(chain, bounds));
}

bool tg_chain_has_room_instead(const struct tg_chain *chain, const struct tg_block_pool *pool,
                               const struct tg_chain_bounds *bounds, size_t bytes)
{
    struct plan plan;
    struct plan free = free_within(pool, bounds);
    for (uint32_t index = chain->head; index != TG_BLOCK_NONE; index = pool->blocks[index].next) {
        *(tg_block_units(pool, index) > 1 ? &free.large : &free.small) += 1;
    }
    return plan_blocks(&plan, &free, bytes, bounds->units_max);
}

uint32_t tg_chain_units_for(const struct tg_chain *chain, const struct tg_block_pool *pool,
                            size_t bytes)
{
    size_t room = room_at_end(chain, pool);
    return bytes <= room ? 0 : (uint32_t)((bytes - room + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES);
}

void tg_chain_join(struct tg_chain *target, struct tg_chain *source, struct tg_block_pool *pool)
{
    if (tg_chain_is_empty(source)) {
        return;
    }
    if (tg_chain_is_empty(target)) {
        *target = *source;
    } else {
        TG_REQUIRE(target->bytes <= UINT32_MAX - source->bytes);
        pool->blocks[target->tail].next = source->head;
        target->tail = source->tail;
        target->bytes += source->bytes;
        target->units += source->units;
    }
    tg_chain_init(source);
}

uint32_t tg_chain_gather(const struct tg_chain *chain, const struct tg_block_pool *pool,
                         struct tg_slice *slices, uint32_t capacity, size_t *bytes)
{
    TG_REQUIRE(capacity >= 1);
    uint32_t count = 0;
    size_t sum = 0;
    const uint8_t *adjoins = NULL; /* one past the last slice */
    for (uint32_t index = chain->head; index != TG_BLOCK_NONE;) {
        const struct tg_block *block = &pool->blocks[index];
        const uint8_t *begin = tg_block_data(pool, index) + block->begin;
        size_t size = (size_t)block->end - block->begin;
        if (begin == adjoins) {
            slices[count - 1].size += size;
        } else if (count < capacity) {
            slices[count++] = (struct tg_slice){begin, size};
        } else {
            break;
        }
        adjoins = begin + size;
        sum += size;
        index = block->next;
    }
    *bytes = sum;
    return count;
}

void tg_chain_peek(const struct tg_chain *chain, const struct tg_block_pool *pool, void *target,
                   size_t size)
{
    TG_REQUIRE(size <= chain->bytes);
    uint8_t *to = target;
    for (uint32_t index = chain->head; size > 0; index = pool->blocks[index].next) {
        const struct tg_block *block = &pool->blocks[index];
        size_t here = (size_t)block->end - block->begin;
        size_t count = here < size ? here : size;
        memcpy(to, tg_block_data(pool, index) + block->begin, count);
        to += count;
        size -= count;
    }
}

/* Moves the first block of the chain, all of it sent, to the front of `done`. */
static void retire_front(struct tg_chain *chain, struct tg_block_pool *pool, struct tg_chain *done)
{
    uint32_t index = chain->head;
    struct tg_block *block = &pool->blocks[index];
    chain->head = block->next;
    chain->units -= tg_block_units(pool, index);
    if (chain->head == TG_BLOCK_NONE) {
        chain->tail = TG_BLOCK_NONE;
    }
    block->begin = block->end;
    block->next = done->head;
    done->head = index;
    if (done->tail == TG_BLOCK_NONE) {
        done->tail = index;
    }
    done->units += tg_block_units(pool, index);
}

void tg_chain_advance(struct tg_chain *chain, struct tg_block_pool *pool, size_t bytes,
                      struct tg_chain *done)
{
    TG_REQUIRE(bytes <= chain->bytes);
    chain->bytes -= (uint32_t)bytes;
    while (bytes > 0) {
        struct tg_block *block = &pool->blocks[chain->head];
        size_t size = (size_t)block->end - block->begin;
        if (bytes < size) {
            block->begin = (uint16_t)(block->begin + bytes);
            return;
        }
        bytes -= size;
        retire_front(chain, pool, done);
    }
}

void tg_chain_drop(struct tg_chain *chain, struct tg_block_pool *pool, size_t bytes)
{
    struct tg_chain done;
    tg_chain_init(&done);
    tg_chain_advance(chain, pool, bytes, &done);
    for (uint32_t index = done.head; index != TG_BLOCK_NONE;) {
        uint32_t next = pool->blocks[index].next;
        tg_block_pool_give(pool, index);
        index = next;
    }
}
