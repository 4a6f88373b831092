/* SPDX-License-Identifier: MIT
 * References in chains: blocks that wait in many queues at once, small and large, among a chain's
 * own. */
#include <string.h>

#include "base/prng.h"
#include "chain_world.h"

#define REFERENCES 64u

static struct tg_block_pool pool;
static uint64_t tables[(SMALL_MAX + LARGE_MAX) * 20 / 8 + REFERENCES * 2 + 1];
static uint32_t references_used;

static void open_pool(uint32_t small, uint32_t large)
{
    open_world(small, large);
    memset(tables, 0, sizeof tables);
    assert_true(tg_block_pool_table_bytes(small, large, REFERENCES) <= sizeof tables);
    tg_block_pool_init(&pool, tables, world.small, small, large > 0 ? world.large : NULL, large,
                       REFERENCES);
    references_used = 0;
}

static bool add_own(struct tg_chain *chain, size_t offset, size_t size)
{
    return tg_chain_append(chain, &pool, CONN, NO_LIMIT, NULL, 0, stream + offset, size);
}

/* A reference to each block of `source`, behind `chain`. */
static void refer(struct tg_chain *chain, const struct tg_chain *source)
{
    for (uint32_t i = source->head; i != TG_BLOCK_NONE; i = pool.blocks[i].next) {
        const uint32_t index = pool.reference_first + references_used++;
        assert_true(references_used <= REFERENCES);
        pool.blocks[index] = (struct tg_block){.next = TG_BLOCK_NONE,
                                               .begin = pool.blocks[i].begin,
                                               .end = pool.blocks[i].end,
                                               .target = i,
                                               .message = source->head};
        struct tg_chain one = {.head = index,
                               .tail = index,
                               .bytes = (uint32_t)(pool.blocks[i].end - pool.blocks[i].begin),
                               .units = tg_block_units(&pool, index)};
        tg_chain_join(chain, &one, &pool);
    }
}

static void expect(const struct tg_chain *chain, size_t offset, size_t size)
{
    static uint8_t bytes[STREAM_BYTES];
    struct tg_slice slices[TG_GATHER_MAX];
    size_t sum = 0;
    assert_int_equal(chain->bytes, size);
    tg_chain_peek(chain, &pool, bytes, size);
    assert_memory_equal(bytes, stream + offset, size);
    uint32_t count = tg_chain_gather(chain, &pool, slices, TG_GATHER_MAX, &sum);
    assert_int_equal(sum, size);
    for (uint32_t i = 0; i < count; i++) {
        assert_memory_equal(slices[i].data, stream + offset, slices[i].size);
        offset += slices[i].size;
    }
}

static void a_reference_means_its_block(void **state)
{
    (void)state;
    struct tg_chain source;
    struct tg_chain queue;
    open_pool(8, 2);
    tg_chain_init(&source);
    tg_chain_init(&queue);
    assert_true(add_own(&source, 0, 20000)); /* a large block and small ones */
    refer(&queue, &source);
    assert_int_equal(queue.units, source.units);
    for (uint32_t i = queue.head; i != TG_BLOCK_NONE; i = pool.blocks[i].next) {
        const uint32_t target = tg_block_target(&pool, i);
        assert_true(tg_block_is_reference(&pool, i) && !tg_block_is_reference(&pool, target));
        assert_ptr_equal(tg_block_data(&pool, i), tg_block_data(&pool, target));
        assert_int_equal(tg_block_units(&pool, i), tg_block_units(&pool, target));
        assert_int_equal(pool.blocks[i].message, source.head);
    }
    expect(&queue, 0, 20000);
    expect(&source, 0, 20000);
    assert_int_equal(tg_block_pool_total_units(&pool), 8 + 2 * TG_LARGE_BLOCK_UNITS);
}

static void each_queue_is_as_far_as_it_is(void **state)
{
    (void)state;
    struct tg_chain source;
    struct tg_chain done;
    open_pool(8, 0);
    tg_chain_init(&source);
    tg_chain_init(&done);
    assert_true(add_own(&source, 0, 1300));
    struct tg_chain queues[5];
    for (uint32_t i = 0; i < 5; i++) {
        tg_chain_init(&queues[i]);
        refer(&queues[i], &source);
    }
    for (uint32_t i = 0; i < 5; i++) {
        tg_chain_advance(&queues[i], &pool, i * 300, &done);
    }
    for (uint32_t i = 0; i < 5; i++) {
        expect(&queues[i], i * 300, 1300 - i * 300);
    }
    expect(&source, 0, 1300);
    uint32_t count = 0;
    for (uint32_t i = done.head; i != TG_BLOCK_NONE; i = pool.blocks[i].next, count++) {
        assert_true(tg_block_is_reference(&pool, i));
    }
    assert_int_equal(count, 0 + 0 + 1 + 1 + 2);
}

/* Own blocks and references mixed: `at` is how far the queue was filled, `from` how far it was
 * sent. */
static void they_mix_with_own_blocks(void **state)
{
    (void)state;
    struct tg_prng prng = {12};
    for (uint32_t round = 0; round < 300; round++) {
        struct tg_chain queue;
        struct tg_chain done;
        size_t at = 0;
        size_t from = 0;
        open_pool(SMALL_MAX, LARGE_MAX);
        tg_chain_init(&queue);
        tg_chain_init(&done);
        for (uint32_t step = 0; step < 12; step++) {
            struct tg_chain part;
            const size_t size = 1 + tg_prng_below(&prng, step % 4 == 0 ? 9000 : 1500);
            tg_chain_init(&part);
            assert_true(add_own(&part, at, size));
            if (tg_prng_below(&prng, 2) == 0) {
                refer(&queue, &part);
            } else {
                tg_chain_join(&queue, &part, &pool);
            }
            at += size;
            const size_t sent = tg_prng_below(&prng, queue.bytes + 1);
            tg_chain_advance(&queue, &pool, sent, &done);
            from += sent;
            expect(&queue, from, at - from);
        }
        tg_chain_advance(&queue, &pool, queue.bytes, &done);
        assert_true(tg_chain_is_empty(&queue));
        assert_int_equal(queue.units, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reference_means_its_block),
        cmocka_unit_test(each_queue_is_as_far_as_it_is),
        cmocka_unit_test(they_mix_with_own_blocks),
    };
    return cmocka_run_group_tests(tests, fill_stream, NULL);
}
