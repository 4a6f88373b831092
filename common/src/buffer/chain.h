/* SPDX-License-Identifier: MIT
 * A chain of send blocks: a byte queue that is filled at its end on the logic thread, joined to
 * other chains, and sent from its front on the worker. A chain is plain data and moves by copy;
 * whoever holds the chain owns its blocks. */
#ifndef TG_BUFFER_CHAIN_H
#define TG_BUFFER_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "buffer/block_pool.h"

struct tg_chain {
    uint32_t head; /* TG_BLOCK_NONE when empty */
    uint32_t tail;
    uint32_t bytes; /* to be sent */
    uint32_t units; /* of 512 bytes that the blocks take up */
};

/* One element of a gathered send. */
struct tg_slice {
    const uint8_t *data;
    size_t size;
};

/* Most elements of one gathered send. */
#define TG_GATHER_MAX 64

static inline bool tg_chain_is_empty(const struct tg_chain *chain)
{
    return chain->head == TG_BLOCK_NONE;
}

void tg_chain_init(struct tg_chain *chain);

/* Appends `prefix` and `data` as one run of bytes: into the room left in the last block, then into
 * large blocks while more than TG_CHAIN_LARGE_MIN bytes remain and one is free, then into small
 * ones. All or nothing: false, with the chain and the pool as before, if the pool or `units_max`
 * (for the whole chain) does not suffice. prefix_size + size >= 1. Pool owner's thread. */
#define TG_CHAIN_LARGE_MIN 2048u
bool tg_chain_append(struct tg_chain *chain, struct tg_block_pool *pool, uint64_t conn,
                     uint32_t units_max, const void *prefix, size_t prefix_size, const void *data,
                     size_t size);

/* What an append may take. */
struct tg_chain_bounds {
    uint32_t units_max;  /* of the whole chain afterwards */
    uint32_t small_kept; /* blocks of each class that stay free */
    uint32_t large_kept;
};

/* tg_chain_append that leaves some blocks to others. */
bool tg_chain_append_within(struct tg_chain *chain, struct tg_block_pool *pool, uint64_t conn,
                            const struct tg_chain_bounds *bounds, const void *prefix,
                            size_t prefix_size, const void *data, size_t size);

/* Whether tg_chain_append_within would take `bytes` (>= 1) more. */
bool tg_chain_has_room(const struct tg_chain *chain, const struct tg_block_pool *pool,
                       const struct tg_chain_bounds *bounds, size_t bytes);

/* Whether it would if the chain were dropped before. */
bool tg_chain_has_room_instead(const struct tg_chain *chain, const struct tg_block_pool *pool,
                               const struct tg_chain_bounds *bounds, size_t bytes);

/* The fewest units that `bytes` more take, besides the room in the last block. */
uint32_t tg_chain_units_for(const struct tg_chain *chain, const struct tg_block_pool *pool,
                            size_t bytes);

/* The hot case of an append: a small frame that fits into the room left in the last block, a small
 * one. False, with nothing changed, if it is otherwise: tg_chain_append takes every case. */
static inline bool tg_chain_append_in_room(struct tg_chain *chain, struct tg_block_pool *pool,
                                           const uint8_t header[4], const void *data, size_t size)
{
    if (chain->tail >= pool->small_count) {
        return false; /* large, or none */
    }
    struct tg_block *block = &pool->blocks[chain->tail];
    const size_t end = block->end;
    if (size > TG_BLOCK_BYTES || end + 4 + size > TG_BLOCK_BYTES) {
        return false;
    }
    uint8_t *target = pool->small_data + (size_t)chain->tail * TG_BLOCK_BYTES + end;
    block->end = (uint16_t)(end + 4 + size);
    chain->bytes += (uint32_t)(4 + size);
    memcpy(target, header, 4);
    if (size > 0) {
        memcpy(target + 4, data, size);
    }
    return true;
}

/* Moves all of `source` behind `target`; `source` is empty afterwards. */
void tg_chain_join(struct tg_chain *target, struct tg_chain *source, struct tg_block_pool *pool);

/* Describes the front of the chain in at most `capacity` slices; blocks whose bytes adjoin in
 * memory share one. Answers the slice count; *bytes is their sum. capacity >= 1. */
uint32_t tg_chain_gather(const struct tg_chain *chain, const struct tg_block_pool *pool,
                         struct tg_slice *slices, uint32_t capacity, size_t *bytes);

/* Copies the first `size` bytes (<= chain->bytes), which may lie across blocks, and drops
 * nothing. */
void tg_chain_peek(const struct tg_chain *chain, const struct tg_block_pool *pool, void *target,
                   size_t size);

/* Drops `bytes` (<= chain->bytes) from the front. Blocks that became empty are moved, one by one,
 * to the front of `done`, which its holder returns to the pool's owner. So the free stack gets them
 * in the reverse of their order and gives them out in it: neighbours stay neighbours, and a
 * gathered send keeps to one slice. */
void tg_chain_advance(struct tg_chain *chain, struct tg_block_pool *pool, size_t bytes,
                      struct tg_chain *done);

/* The same for a chain that was never sent: the blocks go straight to the pool. Pool owner's
 * thread. */
void tg_chain_drop(struct tg_chain *chain, struct tg_block_pool *pool, size_t bytes);

#endif
