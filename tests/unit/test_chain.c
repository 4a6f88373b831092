/* SPDX-License-Identifier: MIT
 * The chain as a queue: gathering, advancing, joining, and all of it at random. How it is filled is
 * tested in test_chain_append.c. */
#include "chain_world.h"

#include <string.h>

#include "base/prng.h"
#include "death.h"

static void a_new_chain_is_empty(void **state)
{
    (void)state;
    struct tg_slice slice;
    size_t bytes = 1;
    open_world(1, 0);
    assert_true(tg_chain_is_empty(&world.chain));
    assert_int_equal(tg_chain_gather(&world.chain, &world.pool, &slice, 1, &bytes), 0);
    assert_int_equal(bytes, 0);
}

static void neighbours_become_one_slice(void **state)
{
    (void)state;
    struct tg_slice slices[4];
    size_t bytes;
    open_world(8, 0);
    assert_true(append(NO_LIMIT, 0, 0, 1500)); /* blocks 0, 1, 2 */
    assert_int_equal(tg_chain_gather(&world.chain, &world.pool, slices, 4, &bytes), 1);
    assert_ptr_equal(slices[0].data, world.small);
    assert_int_equal(slices[0].size, 1500);
    assert_int_equal(bytes, 1500);
}

static void blocks_that_do_not_adjoin_are_slices_of_their_own(void **state)
{
    (void)state;
    struct tg_slice slices[4];
    size_t bytes;
    open_world(4, 0);
    for (uint32_t i = 0; i < 4; i++) {
        tg_block_pool_take_small(&world.pool, CONN);
    }
    static const uint32_t order[] = {1, 3, 2, 0}; /* comes out as 0, 2, 3, 1 */
    for (uint32_t i = 0; i < 4; i++) {
        tg_block_pool_give(&world.pool, order[i]);
    }
    assert_true(append(NO_LIMIT, 0, 0, 2000));
    assert_int_equal(tg_chain_gather(&world.chain, &world.pool, slices, 4, &bytes), 3);
    assert_ptr_equal(slices[0].data, world.small);
    assert_int_equal(slices[0].size, 512);
    assert_ptr_equal(slices[1].data, world.small + 1024);
    assert_int_equal(slices[1].size, 1024);
    assert_ptr_equal(slices[2].data, world.small + 512);
    assert_int_equal(slices[2].size, 464);
    assert_int_equal(bytes, 2000);
}

static void a_gather_stops_at_its_capacity(void **state)
{
    (void)state;
    static struct tg_slice slices[TG_GATHER_MAX + 1];
    size_t bytes;
    open_world(SMALL_MAX, 0);
    for (uint32_t i = 0; i < SMALL_MAX; i++) {
        tg_block_pool_take_small(&world.pool, CONN);
    }
    for (uint32_t i = 0; i < SMALL_MAX; i++) {
        tg_block_pool_give(&world.pool, i); /* come out from the last: no two adjoin */
    }
    assert_true(append(NO_LIMIT, 0, 0, 65 * 512));
    for (uint32_t i = 0; i <= TG_GATHER_MAX; i++) {
        slices[i] = (struct tg_slice){stream, 1};
    }
    assert_int_equal(tg_chain_gather(&world.chain, &world.pool, slices, TG_GATHER_MAX, &bytes), 64);
    assert_int_equal(bytes, 64 * 512);
    assert_memory_equal(slices[63].data, stream + 63 * 512, 512);
    assert_ptr_equal(slices[64].data, stream); /* not written */
    assert_int_equal(tg_chain_gather(&world.chain, &world.pool, slices, 1, &bytes), 1);
    assert_int_equal(bytes, 512);
}

/* The last slice that a gather may make still grows by the neighbours that follow it. */
static void a_full_gather_still_joins_neighbours(void **state)
{
    (void)state;
    struct tg_slice slice;
    size_t bytes;
    open_world(4, 0);
    assert_true(append(NO_LIMIT, 0, 0, 2048));
    assert_int_equal(tg_chain_gather(&world.chain, &world.pool, &slice, 1, &bytes), 1);
    assert_int_equal(slice.size, 2048);
    assert_int_equal(bytes, 2048);
}

static void a_chain_advances_by_every_number_of_bytes(void **state)
{
    (void)state;
    static const size_t sizes[] = {300, 500, 700, 3000};
    const size_t total = 4500;
    for (size_t split = 0; split <= total; split++) {
        struct tg_chain done;
        size_t at = 0;
        open_world(8, 1);
        for (size_t i = 0; i < 4; at += sizes[i++]) {
            assert_true(append(NO_LIMIT, 4, at, sizes[i] - 4));
        }
        assert_int_equal(world.chain.units, 3 + 33); /* 1,500 in three, 36 more there, 2,964 */
        tg_chain_init(&done);
        tg_chain_advance(&world.chain, &world.pool, split, &done);
        check_bytes(&world.chain, stream + split, total - split);
        size_t small_done = split / 512 < 3 ? split / 512 : 3;
        assert_int_equal(done.units, split == total ? 36 : small_done);
        assert_int_equal(done.bytes, 0);
        tg_chain_advance(&world.chain, &world.pool, total - split, &done);
        assert_true(tg_chain_is_empty(&world.chain));
        assert_int_equal(world.chain.tail, TG_BLOCK_NONE);
        assert_int_equal(world.chain.units, 0);
        static const uint32_t order[] = {8, 2, 1, 0};
        uint32_t block = done.head;
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(block, order[i]);
            block = world.pool.blocks[block].next;
        }
        assert_int_equal(block, TG_BLOCK_NONE);
        assert_int_equal(done.tail, 0);
        give_all(&done);
        assert_int_equal(tg_block_pool_free_units(&world.pool), 8 + 33);
    }
}

static void a_partly_sent_block_is_filled_on(void **state)
{
    (void)state;
    struct tg_chain done;
    open_world(2, 0);
    tg_chain_init(&done);
    assert_true(append(NO_LIMIT, 0, 0, 500));
    tg_chain_advance(&world.chain, &world.pool, 499, &done);
    assert_true(append(NO_LIMIT, 0, 500, 12));
    assert_int_equal(world.chain.units, 1);
    check_bytes(&world.chain, stream + 499, 13);
    assert_true(tg_chain_is_empty(&done));
}

static void a_chain_is_joined_behind_another(void **state)
{
    (void)state;
    open_world(8, 0);
    struct tg_chain first;
    struct tg_chain empty;
    assert_true(append(NO_LIMIT, 0, 0, 700));
    first = world.chain;
    tg_chain_init(&world.chain);
    assert_true(append(NO_LIMIT, 0, 700, 600));

    tg_chain_join(&first, &world.chain, &world.pool);
    assert_true(tg_chain_is_empty(&world.chain));
    assert_int_equal(world.chain.bytes, 0);
    check_bytes(&first, stream, 1300);

    tg_chain_init(&empty);
    tg_chain_join(&first, &empty, &world.pool); /* nothing comes */
    check_bytes(&first, stream, 1300);
    tg_chain_join(&empty, &first, &world.pool); /* into an empty one */
    check_bytes(&empty, stream, 1300);
    assert_true(tg_chain_is_empty(&first));
    tg_chain_join(&first, &world.chain, &world.pool); /* nothing into nothing */
    assert_true(tg_chain_is_empty(&first));
}

static void advance_too_far(void *context)
{
    struct tg_chain done;
    tg_chain_init(&done);
    tg_chain_advance(context, &world.pool, 101, &done);
}

static void more_than_there_is_cannot_be_sent(void **state)
{
    (void)state;
    char text[200];
    open_world(1, 0);
    assert_true(append(NO_LIMIT, 0, 0, 100));
    assert_true(test_aborts(advance_too_far, &world.chain, text, sizeof text));
}

/* A chain as the server uses it: messages of all sizes appended to a batch, the batch joined to the
 * queue, the queue gathered and advanced by what the kernel took; against a pair of positions. */
static void random_traffic_keeps_every_byte_in_order(void **state)
{
    (void)state;
    struct tg_prng prng = {test_seed()};
    struct tg_chain queue;
    size_t sent = 0;   /* stream[sent..queued) is in the queue, */
    size_t queued = 0; /* stream[queued..filled) in the batch */
    size_t filled = 0;
    open_world(SMALL_MAX, LARGE_MAX);
    tg_chain_init(&queue);
    for (uint32_t round = test_scaled(20000); round > 0; round--) {
        size_t size = 4 + tg_prng_below(&prng, tg_prng_below(&prng, 8) == 0 ? 40000 : 900);
        uint32_t units_max = tg_prng_below(&prng, 4) == 0 ? tg_prng_below(&prng, 80) : NO_LIMIT;
        bool room = filled + size <= sizeof stream;
        if (room && append(units_max, 4, filled, size - 4)) {
            filled += size;
        }
        check_bytes(&world.chain, stream + queued, filled - queued);
        if (tg_prng_below(&prng, 3) == 0) {
            tg_chain_join(&queue, &world.chain, &world.pool);
            queued = filled;
        }
        struct tg_chain done;
        size_t taken = tg_prng_below(&prng, queue.bytes + 1);
        tg_chain_init(&done);
        tg_chain_advance(&queue, &world.pool, taken, &done);
        sent += taken;
        check_bytes(&queue, stream + sent, queued - sent);
        give_all(&done);
        if (filled > sizeof stream - 50000 && queued == filled && sent == queued) {
            sent = queued = filled = 0;
        }
    }
    give_all(&queue);
    give_all(&world.chain);
    assert_int_equal(tg_block_pool_free_units(&world.pool), SMALL_MAX + LARGE_MAX * 33);
}

/* Three frames behind `begin` bytes of a block, so that each header is cut in every place by its
 * end. */
static void whole_frames_are_dropped_from_the_front(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 600, 3000};
    for (size_t begin = 500; begin <= 516; begin++) {
        for (size_t dropped = 0; dropped <= 3; dropped++) {
            size_t at = begin;
            open_world(16, 0);
            assert_true(append(NO_LIMIT, 0, 0, begin));
            for (size_t i = 0; i < 3; i++) {
                assert_true(append(NO_LIMIT, 4, at, sizes[i]));
                at += 4 + sizes[i];
            }
            tg_chain_drop(&world.chain, &world.pool, begin);
            size_t from = begin;
            for (size_t i = 0; i < dropped; i++) {
                uint8_t header[4];
                tg_chain_peek(&world.chain, &world.pool, header, sizeof(header));
                assert_memory_equal(header, stream + from, sizeof(header));
                tg_chain_drop(&world.chain, &world.pool, 4 + sizes[i]);
                from += 4 + sizes[i];
            }
            check_bytes(&world.chain, stream + from, at - from);
            assert_int_equal(tg_block_pool_free_units(&world.pool) + world.chain.units, 16);
        }
    }
}

static void a_peek_changes_nothing(void **state)
{
    (void)state;
    uint8_t front[1500];
    open_world(8, 0);
    assert_true(append(NO_LIMIT, 0, 0, 1500));
    tg_chain_peek(&world.chain, &world.pool, front, sizeof(front));
    assert_memory_equal(front, stream, sizeof(front));
    check_bytes(&world.chain, stream, sizeof(front));
    tg_chain_peek(&world.chain, &world.pool, front, 0);
    check_bytes(&world.chain, stream, sizeof(front));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_chain_is_empty),
        cmocka_unit_test(whole_frames_are_dropped_from_the_front),
        cmocka_unit_test(a_peek_changes_nothing),
        cmocka_unit_test(neighbours_become_one_slice),
        cmocka_unit_test(blocks_that_do_not_adjoin_are_slices_of_their_own),
        cmocka_unit_test(a_gather_stops_at_its_capacity),
        cmocka_unit_test(a_full_gather_still_joins_neighbours),
        cmocka_unit_test(a_chain_advances_by_every_number_of_bytes),
        cmocka_unit_test(a_partly_sent_block_is_filled_on),
        cmocka_unit_test(a_chain_is_joined_behind_another),
        cmocka_unit_test(more_than_there_is_cannot_be_sent),
        cmocka_unit_test(random_traffic_keeps_every_byte_in_order),
    };
    return cmocka_run_group_tests(tests, fill_stream, NULL);
}
