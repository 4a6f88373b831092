/* SPDX-License-Identifier: MIT
 * The buddy allocator for messages that arrive in pieces. */
#include "buffer/message_pool.h"

#include <string.h>

#include "base/prng.h"
#include "check.h"
#include "death.h"

#define UNITS_MAX 4096u
#define HELD_MAX 1024u

static uint8_t memory[UNITS_MAX * TG_MESSAGE_UNIT_BYTES];
static struct tg_message_unit tables[UNITS_MAX];
static struct tg_message_pool pool;

static void open_pool(uint32_t units)
{
    memset(tables, 0, sizeof tables);
    /* What lies behind the pool's own part looks free: a pool that reads it joins it. */
    for (uint32_t i = units; i < UNITS_MAX; i++) {
        tables[i] = (struct tg_message_unit){TG_MESSAGE_NONE, TG_MESSAGE_NONE, 0, 1};
    }
    assert_int_equal(tg_message_pool_table_bytes((size_t)units * 256),
                     units * sizeof(struct tg_message_unit));
    tg_message_pool_init(&pool, memory, (size_t)units * 256, tables);
}

/* Everything is in one piece again: the blocks of which a region of that size is made come out, and
 * nothing is left. */
static void check_whole(uint32_t units)
{
    assert_int_equal(tg_message_pool_used_bytes(&pool), 0);
    uint32_t blocks[32];
    uint32_t count = 0;
    for (uint32_t bit = 1u << 19; bit > 0; bit >>= 1) {
        if ((units & bit) != 0) {
            blocks[count] = tg_message_pool_take(&pool, (size_t)bit * 256);
            assert_int_not_equal(blocks[count], TG_MESSAGE_NONE);
            count++;
        }
    }
    assert_int_equal(tg_message_pool_used_bytes(&pool), units * 256);
    assert_int_equal(tg_message_pool_take(&pool, 1), TG_MESSAGE_NONE);
    while (count > 0) {
        tg_message_pool_give(&pool, blocks[--count]);
    }
}

static void a_block_has_the_next_power_of_two(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        size_t capacity;
    } rows[] = {{1, 256},          {255, 256},     {256, 256},      {257, 512},
                {512, 512},        {513, 1024},    {1024, 1024},    {1025, 2048},
                {65535, 65536},    {65536, 65536}, {65537, 131072}, {1048575, 1048576},
                {1048576, 1048576}};
    open_pool(UNITS_MAX);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t block = tg_message_pool_take(&pool, rows[i].size);
        assert_int_equal(tg_message_pool_capacity(&pool, block), rows[i].capacity);
        assert_int_equal(tg_message_pool_used_bytes(&pool), rows[i].capacity);
        assert_ptr_equal(tg_message_pool_data(&pool, block), memory + (size_t)block * 256);
        tg_message_pool_give(&pool, block);
    }
    check_whole(UNITS_MAX);
}

static void a_block_longer_than_the_region_or_the_largest_order_is_refused(void **state)
{
    (void)state;
    open_pool(8);
    assert_int_equal(tg_message_pool_take(&pool, 8 * 256 + 1), TG_MESSAGE_NONE);
    assert_int_equal(tg_message_pool_take(&pool, (size_t)128 << 20), TG_MESSAGE_NONE);
    assert_int_equal(tg_message_pool_take(&pool, ((size_t)128 << 20) + 1), TG_MESSAGE_NONE);
    assert_int_equal(tg_message_pool_take(&pool, SIZE_MAX), TG_MESSAGE_NONE);
    check_whole(8);
}

static void a_block_is_split_and_its_halves_join_again(void **state)
{
    (void)state;
    open_pool(8);
    uint32_t small = tg_message_pool_take(&pool, 256); /* 1 + 1 + 2 + 4 */
    uint32_t half = tg_message_pool_take(&pool, 1024);
    uint32_t quarter = tg_message_pool_take(&pool, 512);
    assert_int_equal(tg_message_pool_used_bytes(&pool), 7 * 256);
    assert_int_equal(tg_message_pool_take(&pool, 257), TG_MESSAGE_NONE);
    uint32_t last = tg_message_pool_take(&pool, 256);
    assert_int_equal(small ^ last, 1);
    assert_int_equal(tg_message_pool_take(&pool, 1), TG_MESSAGE_NONE);
    tg_message_pool_give(&pool, half);
    tg_message_pool_give(&pool, small);
    assert_int_equal(tg_message_pool_take(&pool, 2048), TG_MESSAGE_NONE);
    tg_message_pool_give(&pool, quarter);
    tg_message_pool_give(&pool, last);
    check_whole(8);
}

static void a_free_block_is_not_split_while_a_smaller_one_serves(void **state)
{
    (void)state;
    open_pool(6); /* 4 + 2 */
    uint32_t two = tg_message_pool_take(&pool, 512);
    assert_int_equal(two, 4);
    uint32_t four = tg_message_pool_take(&pool, 1024);
    assert_int_equal(four, 0);
    tg_message_pool_give(&pool, two);
    assert_int_equal(tg_message_pool_take(&pool, 1), 4);
}

static void memory_that_is_not_used_is_not_touched(void **state)
{
    (void)state;
    static const uint8_t zero[64 * 256];
    memset(memory, 0, sizeof zero);
    open_pool(64);
    for (uint32_t i = 0; i < 64; i++) {
        tg_message_pool_take(&pool, 1);
    }
    for (uint32_t i = 0; i < 64; i++) {
        tg_message_pool_give(&pool, i);
    }
    assert_memory_equal(memory, zero, sizeof zero);
}

static void a_region_of_any_size_is_used_to_the_last_unit(void **state)
{
    (void)state;
    for (uint32_t units = 1; units <= 300; units++) {
        open_pool(units);
        check_whole(units);
        for (uint32_t i = 0; i < units; i++) {
            assert_int_not_equal(tg_message_pool_take(&pool, 200), TG_MESSAGE_NONE);
        }
        assert_int_equal(tg_message_pool_take(&pool, 1), TG_MESSAGE_NONE);
        for (uint32_t i = 0; i < units; i++) {
            tg_message_pool_give(&pool,
                                 i % 2 == 0 ? i / 2 : units - 1 - i / 2); /* from both ends */
        }
        check_whole(units);
    }
}

/* More than the largest order holds: two such blocks never join. Never touched, so never resident.
 */
static void a_region_larger_than_the_largest_block_is_a_row_of_them(void **state)
{
    (void)state;
    const uint32_t units = (2u << 19) + 3;
    struct tg_message_unit *units_table =
        calloc(1, tg_message_pool_table_bytes((size_t)units * 256));
    uint8_t *nowhere = memory; /* only the numbers are looked at */
    assert_non_null(units_table);
    tg_message_pool_init(&pool, nowhere, (size_t)units * 256, units_table);
    for (int round = 0; round < 2; round++) {
        uint32_t first = tg_message_pool_take(&pool, (size_t)128 << 20);
        uint32_t second = tg_message_pool_take(&pool, ((size_t)128 << 20) - 255);
        assert_int_equal(first + second, 1u << 19);
        assert_int_equal(tg_message_pool_take(&pool, 513), TG_MESSAGE_NONE);
        uint32_t two = tg_message_pool_take(&pool, 512);
        uint32_t one = tg_message_pool_take(&pool, 1);
        assert_int_equal(two, 2u << 19);
        assert_int_equal(one, (2u << 19) + 2);
        assert_int_equal(tg_message_pool_take(&pool, 1), TG_MESSAGE_NONE);
        tg_message_pool_give(&pool, first);
        tg_message_pool_give(&pool, one);
        tg_message_pool_give(&pool, second);
        tg_message_pool_give(&pool, two);
    }
    assert_int_equal(tg_message_pool_used_bytes(&pool), 0);
    free(units_table);
}

static void give_twice(void *context)
{
    (void)context;
    uint32_t block = tg_message_pool_take(&pool, 1);
    tg_message_pool_give(&pool, block);
    tg_message_pool_give(&pool, block);
}

static void give_one_that_was_joined_twice(void *context)
{
    (void)context;
    uint32_t low = tg_message_pool_take(&pool, 1);
    uint32_t high = tg_message_pool_take(&pool, 1);
    tg_message_pool_give(&pool, low);
    tg_message_pool_give(&pool, high);
    tg_message_pool_give(&pool, high);
}

static void give_the_inside_of_a_block(void *context)
{
    (void)context;
    tg_message_pool_give(&pool, tg_message_pool_take(&pool, 512) + 1);
}

static void only_a_block_that_is_out_can_be_given(void **state)
{
    (void)state;
    char text[200];
    open_pool(8);
    assert_true(test_aborts(give_twice, NULL, text, sizeof text));
    assert_true(test_aborts(give_one_that_was_joined_twice, NULL, text, sizeof text));
    assert_true(test_aborts(give_the_inside_of_a_block, NULL, text, sizeof text));
}

/* The reference: who holds each unit. */
struct model {
    uint32_t units;
    uint32_t owner[UNITS_MAX]; /* block + 1, or 0 = free */
    uint32_t held[HELD_MAX];
    uint32_t held_count;
    uint32_t held_units;
};

static struct model model;

static uint32_t units_for(size_t size)
{
    uint32_t units = 1;
    while ((size_t)units * 256 < size) {
        units *= 2;
    }
    return units;
}

/* Whether an aligned run of that many units lies free. A buddy allocator that joins whatever can be
 * joined always finds it. */
static bool model_has_run(uint32_t run)
{
    for (uint32_t first = 0; first + run <= model.units; first += run) {
        uint32_t free_units = 0;
        while (free_units < run && model.owner[first + free_units] == 0) {
            free_units++;
        }
        if (free_units == run) {
            return true;
        }
    }
    return false;
}

static void take_and_compare(size_t size)
{
    uint32_t run = units_for(size);
    uint32_t block = tg_message_pool_take(&pool, size);
    if (block == TG_MESSAGE_NONE) {
        assert_false(model_has_run(run));
        return;
    }
    assert_int_equal(tg_message_pool_capacity(&pool, block), (size_t)run * 256);
    assert_int_equal(block % run, 0);
    assert_true(block + run <= model.units);
    for (uint32_t i = 0; i < run; i++) {
        assert_int_equal(model.owner[block + i], 0); /* no overlap */
        model.owner[block + i] = block + 1;
    }
    memset(tg_message_pool_data(&pool, block), (int)(block % 251), (size_t)run * 256);
    model.held[model.held_count++] = block;
    model.held_units += run;
}

static void give_and_compare(uint32_t index)
{
    uint32_t block = model.held[index];
    uint32_t run = (uint32_t)(tg_message_pool_capacity(&pool, block) / 256);
    const uint8_t *data = tg_message_pool_data(&pool, block);
    for (uint32_t i = 0; i < run; i++) {
        assert_int_equal(model.owner[block + i], block + 1);
        assert_int_equal(data[(size_t)i * 256], block % 251);
        assert_int_equal(data[(size_t)i * 256 + 255], block % 251);
        model.owner[block + i] = 0;
    }
    tg_message_pool_give(&pool, block);
    model.held[index] = model.held[--model.held_count];
    model.held_units -= run;
}

static void random_use_agrees_with_a_map_of_the_units(void **state)
{
    (void)state;
    static const uint32_t regions[] = {1, 3, 7, 64, 100, 511, 1000, 4095, 4096};
    struct tg_prng prng = {test_seed()};
    for (size_t i = 0; i < sizeof regions / sizeof regions[0]; i++) {
        open_pool(regions[i]);
        memset(&model, 0, sizeof model);
        model.units = regions[i];
        for (uint32_t round = test_scaled(20000); round > 0; round--) {
            /* Long swings between nearly empty and nearly full. */
            bool filling = round / 500 % 2 == 0;
            bool take = tg_prng_below(&prng, 4) < (filling ? 3u : 1u);
            if (take && model.held_count < HELD_MAX) {
                uint32_t bound = 256u << tg_prng_below(&prng, 10);
                take_and_compare(1 + tg_prng_below(&prng, bound));
            } else if (model.held_count > 0) {
                give_and_compare(tg_prng_below(&prng, model.held_count));
            }
            assert_int_equal(tg_message_pool_used_bytes(&pool), (size_t)model.held_units * 256);
        }
        while (model.held_count > 0) {
            give_and_compare(tg_prng_below(&prng, model.held_count));
        }
        check_whole(regions[i]);
    }
}

static void blocks_that_are_set_aside_are_given_out_by_their_own_call_alone(void **state)
{
    (void)state;
    open_pool(16);
    tg_message_pool_keep(&pool, 1000, 2); /* 4 units each */
    assert_int_equal(tg_message_pool_used_bytes(&pool), 0);
    assert_int_equal(pool.kept_here, 2);
    uint32_t rest[8];
    for (uint32_t i = 0; i < 8; i++) {
        rest[i] = tg_message_pool_take(&pool, 256);
        assert_int_not_equal(rest[i], TG_MESSAGE_NONE);
    }
    assert_int_equal(tg_message_pool_take(&pool, 1), TG_MESSAGE_NONE);
    uint32_t first = tg_message_pool_take_kept(&pool);
    uint32_t second = tg_message_pool_take_kept(&pool);
    assert_int_not_equal(first, second);
    assert_int_equal(tg_message_pool_capacity(&pool, first), 1024);
    assert_int_equal(tg_message_pool_used_bytes(&pool), 16 * 256);
    assert_int_equal(tg_message_pool_take_kept(&pool), TG_MESSAGE_NONE);

    /* They come back to where they were, whatever else comes back before and after. */
    for (uint32_t i = 0; i < 4; i++) {
        tg_message_pool_give(&pool, rest[i]);
    }
    assert_int_equal(tg_message_pool_take_kept(&pool), TG_MESSAGE_NONE);
    tg_message_pool_give(&pool, first);
    assert_int_equal(pool.kept_here, 1);
    assert_int_equal(tg_message_pool_take(&pool, 2048), TG_MESSAGE_NONE);
    for (uint32_t i = 4; i < 8; i++) {
        tg_message_pool_give(&pool, rest[i]);
    }
    uint32_t half = tg_message_pool_take(&pool, 2048); /* joined, but with no kept one */
    assert_int_not_equal(half, TG_MESSAGE_NONE);
    assert_int_equal(tg_message_pool_take(&pool, 1), TG_MESSAGE_NONE);
    tg_message_pool_give(&pool, second);
    assert_int_equal(tg_message_pool_take(&pool, 1), TG_MESSAGE_NONE);
    tg_message_pool_give(&pool, half);
    assert_int_equal(pool.kept_here, 2);
    assert_int_equal(tg_message_pool_used_bytes(&pool), 0);
}

static void a_pool_without_blocks_set_aside_gives_none_out(void **state)
{
    (void)state;
    open_pool(4);
    assert_int_equal(tg_message_pool_take_kept(&pool), TG_MESSAGE_NONE);
    check_whole(4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_has_the_next_power_of_two),
        cmocka_unit_test(a_block_longer_than_the_region_or_the_largest_order_is_refused),
        cmocka_unit_test(a_block_is_split_and_its_halves_join_again),
        cmocka_unit_test(a_free_block_is_not_split_while_a_smaller_one_serves),
        cmocka_unit_test(memory_that_is_not_used_is_not_touched),
        cmocka_unit_test(a_region_of_any_size_is_used_to_the_last_unit),
        cmocka_unit_test(a_region_larger_than_the_largest_block_is_a_row_of_them),
        cmocka_unit_test(only_a_block_that_is_out_can_be_given),
        cmocka_unit_test(random_use_agrees_with_a_map_of_the_units),
        cmocka_unit_test(blocks_that_are_set_aside_are_given_out_by_their_own_call_alone),
        cmocka_unit_test(a_pool_without_blocks_set_aside_gives_none_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
