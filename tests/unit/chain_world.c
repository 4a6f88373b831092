/* SPDX-License-Identifier: MIT
 * What the tests of the chain share. */
#include "chain_world.h"

#include <string.h>

#include "base/prng.h"

struct chain_world world;
uint8_t stream[STREAM_BYTES];

int fill_stream(void **state)
{
    (void)state;
    struct tg_prng prng = {1};
    for (size_t i = 0; i < sizeof stream; i++) {
        stream[i] = (uint8_t)tg_prng_next(&prng);
    }
    return 0;
}

void open_world(uint32_t small, uint32_t large)
{
    assert_true(small <= SMALL_MAX && large <= LARGE_MAX);
    memset(&world, 0, sizeof world);
    tg_block_pool_init(&world.pool, world.tables, world.small, small,
                       large > 0 ? world.large : NULL, large, 0);
    tg_chain_init(&world.chain);
}

static void check_invariants(const struct tg_chain *chain)
{
    uint32_t bytes = 0;
    uint32_t units = 0;
    uint32_t last = TG_BLOCK_NONE;
    for (uint32_t i = chain->head; i != TG_BLOCK_NONE; i = world.pool.blocks[i].next) {
        const struct tg_block *block = &world.pool.blocks[i];
        assert_true(block->begin < block->end);
        assert_true(block->end <= tg_block_capacity(&world.pool, i));
        assert_int_equal(block->conn, CONN);
        bytes += (uint32_t)(block->end - block->begin);
        units += tg_block_units(&world.pool, i);
        last = i;
    }
    assert_int_equal(chain->tail, last);
    assert_int_equal(chain->bytes, bytes);
    assert_int_equal(chain->units, units);
}

void check_bytes(const struct tg_chain *chain, const uint8_t *expected, size_t size)
{
    static struct tg_slice slices[SMALL_MAX + LARGE_MAX];
    size_t bytes;
    check_invariants(chain);
    uint32_t count = tg_chain_gather(chain, &world.pool, slices, SMALL_MAX + LARGE_MAX, &bytes);
    assert_int_equal(bytes, size);
    assert_int_equal(chain->bytes, size);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(slices[i].size >= 1 && slices[i].size <= size);
        assert_memory_equal(slices[i].data, expected, slices[i].size);
        expected += slices[i].size;
        size -= slices[i].size;
    }
    assert_int_equal(size, 0);
}

void give_all(struct tg_chain *chain)
{
    for (uint32_t i = chain->head; i != TG_BLOCK_NONE;) {
        uint32_t next = world.pool.blocks[i].next;
        tg_block_pool_give(&world.pool, i);
        i = next;
    }
    tg_chain_init(chain);
}

bool append(uint32_t units_max, size_t prefix_size, size_t offset, size_t size)
{
    return tg_chain_append(&world.chain, &world.pool, CONN, units_max,
                           prefix_size > 0 ? stream + offset : NULL, prefix_size,
                           size > 0 ? stream + offset + prefix_size : NULL, size);
}
