/* SPDX-License-Identifier: MIT
 * Appending to a chain: which blocks a message takes, and that a refused one changes nothing. */
#include "chain_world.h"

#include <string.h>

static struct chain_world before;

static void a_message_takes_as_many_small_blocks_as_it_needs(void **state)
{
    (void)state;
    static const struct {
        size_t prefix;
        size_t size;
        uint32_t units;
    } rows[] = {
        {4, 0, 1},    {0, 1, 1},    {4, 507, 1},  {4, 508, 1},   {4, 509, 2},   {0, 511, 1},
        {0, 512, 1},  {0, 513, 2},  {4, 1019, 2}, {4, 1020, 2},  {4, 1021, 3},  {0, 1535, 3},
        {0, 1536, 3}, {0, 1537, 4}, {0, 2048, 4}, {600, 0, 2},   {511, 1, 1},   {511, 2, 2},
        {512, 1, 2},  {513, 1, 2},  {4, 2044, 4}, {1000, 24, 2}, {1000, 25, 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_world(8, 1);
        assert_true(append(NO_LIMIT, rows[i].prefix, 0, rows[i].size));
        assert_int_equal(world.chain.units, rows[i].units);
        check_bytes(&world.chain, stream, rows[i].prefix + rows[i].size);
    }
}

static void every_size_up_to_the_large_class_keeps_its_bytes(void **state)
{
    (void)state;
    open_world(5, 0);
    for (size_t total = 1; total <= 2560; total++) {
        size_t prefix = total % 5;
        assert_true(append(NO_LIMIT, prefix, total, total - prefix));
        assert_int_equal(world.chain.units, (total + 511) / 512);
        check_bytes(&world.chain, stream + total, total);
        give_all(&world.chain);
    }
    assert_int_equal(tg_block_pool_free_units(&world.pool), 5);
}

static void the_room_in_the_last_block_is_used_first(void **state)
{
    (void)state;
    open_world(4, 1);
    assert_true(append(NO_LIMIT, 4, 0, 96));
    assert_true(append(1, 4, 100, 408)); /* fills the block: the limit is not touched */
    assert_int_equal(world.chain.units, 1);
    assert_true(append(2, 4, 512, 1));
    assert_int_equal(world.chain.units, 2);
    assert_true(append(3, 4, 517, 600)); /* 507 bytes fit the second block */
    assert_int_equal(world.chain.units, 3);
    check_bytes(&world.chain, stream, 1121);
}

static void long_messages_take_large_blocks(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint32_t large;
        uint32_t small;
    } rows[] = {
        {2048, 0, 4},           {2049, 1, 0},
        {16384 + 4, 1, 0},      {16896, 1, 0},
        {16897, 1, 1},          {16896 + 512, 1, 1},
        {16896 + 513, 1, 2},    {16896 + 2048, 1, 4},
        {16896 + 2049, 2, 0},   {2 * 16896 + 1, 2, 1},
        {3 * 16896, 3, 0},      {65536 + 4, 4, 0},
        {4 * 16896, 4, 0},      {4 * 16896 + 600, 4, 2},
        {5 * 16896 + 1, 4, 34},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_world(64, LARGE_MAX);
        assert_true(append(NO_LIMIT, 4, 0, rows[i].size - 4));
        assert_int_equal(tg_index_stack_count(&world.pool.large_free), LARGE_MAX - rows[i].large);
        assert_int_equal(tg_index_stack_count(&world.pool.small_free), 64 - rows[i].small);
        assert_int_equal(world.chain.units, rows[i].large * 33 + rows[i].small);
        check_bytes(&world.chain, stream, rows[i].size);
    }
}

static void small_frames_share_the_room_left_in_a_large_block(void **state)
{
    (void)state;
    open_world(4, 1);
    assert_true(append(NO_LIMIT, 4, 0, 16384));
    assert_true(append(NO_LIMIT, 4, 16388, 504)); /* 508 bytes: just what is left */
    assert_int_equal(world.chain.units, 33);
    assert_true(append(NO_LIMIT, 4, 16896, 10));
    assert_int_equal(world.chain.units, 34);
    check_bytes(&world.chain, stream, 16910);
}

static void small_blocks_serve_when_no_large_one_is_free(void **state)
{
    (void)state;
    open_world(70, 1);
    assert_true(append(NO_LIMIT, 4, 0, 33 * 1024));
    assert_int_equal(world.chain.units, 33 + 34);
    check_bytes(&world.chain, stream, 33 * 1024 + 4);
}

/* 2,049 bytes in a large block would count as 33 units; five small ones keep within a limit. */
static void a_limit_that_small_blocks_keep_is_no_reason_to_refuse(void **state)
{
    (void)state;
    open_world(40, 2);
    assert_true(append(5, 4, 0, 2045));
    assert_int_equal(world.chain.units, 5);
    check_bytes(&world.chain, stream, 2049);

    open_world(40, 2);
    assert_true(append(38, 4, 0, 16896 + 2045));
    assert_int_equal(world.chain.units, 38);
    assert_int_equal(tg_index_stack_count(&world.pool.large_free), 1);
    check_bytes(&world.chain, stream, 16896 + 2049);
}

/* Whether an append that is refused, for want of blocks or for the limit, leaves the world as it
 * was; and whether one that is accepted keeps its bytes. */
static bool try_append(size_t first, size_t size, uint32_t units_max)
{
    memcpy(&before, &world, sizeof world);
    if (append(units_max, 4, first, size - 4)) {
        assert_true(world.chain.units <= units_max || world.chain.units == before.chain.units);
        check_bytes(&world.chain, stream, first + size);
        return true;
    }
    assert_memory_equal(&world, &before, sizeof world);
    return false;
}

static void a_refused_append_changes_nothing_wherever_the_pool_runs_out(void **state)
{
    (void)state;
    static const size_t sizes[] = {100,  508,   600,   1024,  2048, 2049,
                                   4000, 16896, 18944, 18945, 40000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        bool accepted = false;
        for (uint32_t small = 1; small <= 80; small++) {
            open_world(small, i % 3 == 0 ? 0 : 1);
            assert_true(append(NO_LIMIT, 0, 0, 100));
            bool now = try_append(100, sizes[i], NO_LIMIT);
            assert_true(now || !accepted); /* more blocks are never worse */
            accepted = now;
        }
        assert_true(accepted);
    }
}

static void a_refused_append_changes_nothing_wherever_the_limit_lies(void **state)
{
    (void)state;
    static const size_t sizes[] = {412, 413, 600, 2048, 2460, 2461, 17308, 17309, 40000};
    static const uint32_t units_needed[] = {1, 2, 2, 5, 5, 6, 34, 35, 79};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (uint32_t units_max = 0; units_max <= 110; units_max++) {
            open_world(120, 2);
            assert_true(append(NO_LIMIT, 0, 0, 100));
            assert_int_equal(try_append(100, sizes[i], units_max),
                             units_max >= units_needed[i] || sizes[i] == 412);
        }
    }
}

static void an_empty_chain_obeys_the_limit_too(void **state)
{
    (void)state;
    open_world(4, 0);
    assert_false(append(0, 4, 0, 10));
    assert_false(append(1, 4, 0, 509));
    assert_true(tg_chain_is_empty(&world.chain));
    assert_int_equal(tg_block_pool_free_units(&world.pool), 4);
    assert_true(append(1, 4, 0, 508));
    check_bytes(&world.chain, stream, 512);
}

static void an_exhausted_pool_refuses_the_first_message(void **state)
{
    (void)state;
    open_world(1, 0);
    assert_int_equal(tg_block_pool_take_small(&world.pool, CONN), 0);
    memcpy(&before, &world, sizeof world);
    assert_false(append(NO_LIMIT, 4, 0, 10));
    assert_memory_equal(&world, &before, sizeof world);
}

static bool append_within(const struct tg_chain_bounds *bounds, size_t size)
{
    return tg_chain_append_within(&world.chain, &world.pool, CONN, bounds, stream, 4, stream + 4,
                                  size - 4);
}

static void an_append_leaves_what_it_must_keep(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint32_t small_kept;
        uint32_t large_kept;
        uint32_t small_free; /* afterwards; 10 and 2: refused */
        uint32_t large_free;
    } rows[] = {
        {512, 9, 2, 9, 2},     {512, 10, 2, 10, 2},   {512, 11, 2, 10, 2},  {513, 8, 2, 8, 2},
        {513, 9, 2, 10, 2},    {5120, 0, 2, 0, 2},    {5120, 1, 2, 10, 2},  {5120, 1, 1, 10, 1},
        {16896, 9, 1, 10, 1},  {17408, 9, 1, 9, 1},   {17409, 9, 1, 10, 2}, {16896, 0, 2, 10, 2},
        {33792, 10, 0, 10, 0}, {33793, 10, 0, 10, 2}, {33793, 9, 0, 9, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct tg_chain_bounds bounds = {NO_LIMIT, rows[i].small_kept, rows[i].large_kept};
        bool taken = rows[i].small_free < 10 || rows[i].large_free < 2;
        open_world(10, 2);
        assert_int_equal(tg_chain_has_room(&world.chain, &world.pool, &bounds, rows[i].size),
                         taken);
        assert_int_equal(append_within(&bounds, rows[i].size), taken);
        assert_int_equal(tg_index_stack_count(&world.pool.small_free), rows[i].small_free);
        assert_int_equal(tg_index_stack_count(&world.pool.large_free), rows[i].large_free);
        check_bytes(&world.chain, stream, taken ? rows[i].size : 0);
    }
}

static void the_question_and_the_append_agree(void **state)
{
    (void)state;
    for (uint32_t used = 1; used <= 1100; used += 73) {
        for (size_t size = 4; size < 40000; size += 251) {
            const struct tg_chain_bounds bounds = {(uint32_t)(size / 97 % 80), used % 7, used % 3};
            open_world(20, 2);
            assert_true(append(NO_LIMIT, 4, 0, used));
            bool has_room = tg_chain_has_room(&world.chain, &world.pool, &bounds, size);
            uint32_t least = world.chain.units +
                             tg_chain_units_for(&world.chain, &world.pool, size);
            assert_int_equal(append_within(&bounds, size), has_room);
            assert_true(!has_room || world.chain.units >= least);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_takes_as_many_small_blocks_as_it_needs),
        cmocka_unit_test(every_size_up_to_the_large_class_keeps_its_bytes),
        cmocka_unit_test(the_room_in_the_last_block_is_used_first),
        cmocka_unit_test(long_messages_take_large_blocks),
        cmocka_unit_test(small_frames_share_the_room_left_in_a_large_block),
        cmocka_unit_test(small_blocks_serve_when_no_large_one_is_free),
        cmocka_unit_test(a_limit_that_small_blocks_keep_is_no_reason_to_refuse),
        cmocka_unit_test(a_refused_append_changes_nothing_wherever_the_pool_runs_out),
        cmocka_unit_test(a_refused_append_changes_nothing_wherever_the_limit_lies),
        cmocka_unit_test(an_empty_chain_obeys_the_limit_too),
        cmocka_unit_test(an_exhausted_pool_refuses_the_first_message),
        cmocka_unit_test(an_append_leaves_what_it_must_keep),
        cmocka_unit_test(the_question_and_the_append_agree),
    };
    return cmocka_run_group_tests(tests, fill_stream, NULL);
}
