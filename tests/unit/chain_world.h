/* SPDX-License-Identifier: MIT
 * A pool, a chain and a stream of bytes, for the tests of the chain. */
#ifndef TEST_UNIT_CHAIN_WORLD_H
#define TEST_UNIT_CHAIN_WORLD_H

#include "buffer/chain.h"
#include "check.h"

#define SMALL_MAX 200u
#define LARGE_MAX 4u
#define CONN 42u
#define NO_LIMIT UINT32_MAX
#define STREAM_BYTES (256u * 1024)

/* Everything that an append could change, so that a refused one can be shown to change nothing. */
struct chain_world {
    struct tg_block_pool pool;
    struct tg_chain chain;
    uint64_t tables[(SMALL_MAX + LARGE_MAX) * 20 / 8 + 1];
    uint8_t small[SMALL_MAX * TG_BLOCK_BYTES];
    uint8_t large[LARGE_MAX * TG_LARGE_BLOCK_BYTES];
};

extern struct chain_world world;
extern uint8_t stream[STREAM_BYTES]; /* bytes that tell their place */

/* Group set-up of cmocka. */
int fill_stream(void **state);

/* A full pool and an empty chain. */
void open_world(uint32_t small, uint32_t large);

/* Appends stream[offset..offset + prefix_size + size) to the world's chain, in two pieces; a piece
 * of no bytes is NULL. */
bool append(uint32_t units_max, size_t prefix_size, size_t offset, size_t size);

/* The chain holds just these bytes, and its sums are right. */
void check_bytes(const struct tg_chain *chain, const uint8_t *expected, size_t size);

/* Gives all blocks of the chain back to the pool. */
void give_all(struct tg_chain *chain);

#endif
