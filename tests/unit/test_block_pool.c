/* SPDX-License-Identifier: MIT
 * The pool of send blocks and the way home. */
#include "buffer/block_pool.h"

#include <string.h>

#include "base/prng.h"
#include "base/ring.h"
#include "check.h"
#include "death.h"
#include "thread.h"

#define SMALL_COUNT 64u
#define LARGE_COUNT 4u
#define BLOCK_COUNT (SMALL_COUNT + LARGE_COUNT)

static struct {
    struct tg_block_pool pool;
    uint64_t tables[4096];
    uint8_t small[SMALL_COUNT * TG_BLOCK_BYTES];
    uint8_t large[LARGE_COUNT * TG_LARGE_BLOCK_BYTES];
} world;

static struct tg_block_pool *open_pool(uint32_t small, uint32_t large)
{
    memset(&world, 0, sizeof world);
    assert_true(tg_block_pool_table_bytes(small, large, 0) <= sizeof world.tables);
    tg_block_pool_init(&world.pool, world.tables, world.small, small,
                       large > 0 ? world.large : NULL, large, 0);
    return &world.pool;
}

static void the_memory_that_a_pool_needs_is_what_the_budget_says(void **state)
{
    (void)state;
    assert_int_equal(tg_block_pool_table_bytes(1, 0, 0), 16 + 4);
    assert_int_equal(tg_block_pool_table_bytes(65536, 1000, 100), (65536 + 1000) * 20 + 1600);
    assert_int_equal(tg_block_pool_small_bytes(3), 1536);
    assert_int_equal(tg_block_pool_large_bytes(3), 3 * 33 * 512);
}

static void each_block_comes_out_once_and_empty(void **state)
{
    (void)state;
    struct tg_block_pool *pool = open_pool(SMALL_COUNT, LARGE_COUNT);
    assert_int_equal(tg_block_pool_total_units(pool), 64 + 4 * 33);
    memset(pool->blocks, 0xee, BLOCK_COUNT * sizeof(struct tg_block)); /* what a last user left */
    for (uint32_t i = 0; i < SMALL_COUNT; i++) {
        uint32_t block = tg_block_pool_take_small(pool, 0x1122334455667788);
        assert_int_equal(block, i);
        assert_int_equal(pool->blocks[block].next, TG_BLOCK_NONE);
        assert_int_equal(pool->blocks[block].begin, 0);
        assert_int_equal(pool->blocks[block].end, 0);
        assert_int_equal(pool->blocks[block].conn, 0x1122334455667788);
        assert_int_equal(tg_block_capacity(pool, block), 512);
        assert_int_equal(tg_block_units(pool, block), 1);
        assert_ptr_equal(tg_block_data(pool, block), world.small + i * 512);
    }
    assert_int_equal(tg_block_pool_take_small(pool, 1), TG_BLOCK_NONE);
    assert_int_equal(tg_block_pool_free_units(pool), 4 * 33);
    for (uint32_t i = 0; i < LARGE_COUNT; i++) {
        uint32_t block = tg_block_pool_take_large(pool, 9);
        assert_int_equal(block, 64 + i);
        assert_int_equal(pool->blocks[block].conn, 9);
        assert_int_equal(tg_block_capacity(pool, block), 16896);
        assert_int_equal(tg_block_units(pool, block), 33);
        assert_ptr_equal(tg_block_data(pool, block), world.large + i * 16896);
    }
    assert_int_equal(tg_block_pool_take_large(pool, 1), TG_BLOCK_NONE);
    assert_int_equal(tg_block_pool_free_units(pool), 0);
}

static void given_blocks_come_out_again_latest_first(void **state)
{
    (void)state;
    struct tg_block_pool *pool = open_pool(2, 2);
    for (int i = 0; i < 2; i++) {
        tg_block_pool_take_small(pool, 1);
        tg_block_pool_take_large(pool, 1);
    }
    tg_block_pool_give(pool, 0);
    tg_block_pool_give(pool, 3);
    tg_block_pool_give(pool, 1);
    assert_int_equal(tg_block_pool_free_units(pool), 2 + 33);
    assert_int_equal(tg_block_pool_take_small(pool, 1), 1);
    assert_int_equal(tg_block_pool_take_small(pool, 1), 0);
    assert_int_equal(tg_block_pool_take_large(pool, 1), 3);
    assert_int_equal(tg_block_pool_take_large(pool, 1), TG_BLOCK_NONE);
}

static void a_pool_without_large_blocks_has_none_to_take(void **state)
{
    (void)state;
    struct tg_block_pool *pool = open_pool(1, 0);
    assert_int_equal(tg_block_pool_take_large(pool, 1), TG_BLOCK_NONE);
    assert_int_equal(tg_block_pool_total_units(pool), 1);
    assert_int_equal(tg_block_pool_take_small(pool, 1), 0);
}

static void give_a_block_that_is_not_in_the_pool(void *context)
{
    tg_block_pool_give(context, BLOCK_COUNT);
}

static void a_foreign_block_cannot_be_given(void **state)
{
    (void)state;
    char text[200];
    struct tg_block_pool *pool = open_pool(SMALL_COUNT, LARGE_COUNT);
    while (tg_block_pool_take_large(pool, 1) != TG_BLOCK_NONE) {
    }
    assert_true(test_aborts(give_a_block_that_is_not_in_the_pool, pool, text, sizeof text));
}

static void chains_come_home_latest_first_and_all_at_once(void **state)
{
    (void)state;
    struct tg_block_pool *pool = open_pool(5, 0);
    struct tg_block_return home;
    tg_block_return_init(&home);
    assert_int_equal(tg_block_return_take(&home), TG_BLOCK_NONE);
    pool->blocks[0].next = 1;
    pool->blocks[1].next = 2;
    tg_block_return_push(&home, pool, 0, 2);
    tg_block_return_push(&home, pool, 3, 3);
    static const uint32_t expected[] = {3, 0, 1, 2};
    uint32_t block = tg_block_return_take(&home);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(block, expected[i]);
        block = pool->blocks[block].next;
    }
    assert_int_equal(block, TG_BLOCK_NONE);
    assert_int_equal(tg_block_return_take(&home), TG_BLOCK_NONE);
    tg_block_return_push(&home, pool, 4, 4);
    assert_int_equal(tg_block_return_take(&home), 4);
    assert_int_equal(pool->blocks[4].next, TG_BLOCK_NONE);
}

/* One thread pushes as fast as it can while another takes as fast as it can: a block that is lost
 * or doubled between a take's look and its exchange shows here. */

#define RUSH_COUNT (1u << 20)

struct rush {
    struct tg_block_return home;
    struct tg_block_pool pool; /* nothing but descriptors */
    uint32_t count;
};

static struct tg_block rush_blocks[RUSH_COUNT];

static void push_all(void *context)
{
    struct rush *rush = context;
    for (uint32_t block = 0; block < rush->count; block++) {
        tg_block_return_push(&rush->home, &rush->pool, block, block);
    }
}

static void no_block_is_lost_between_a_rushing_pusher_and_a_rushing_taker(void **state)
{
    (void)state;
    static struct rush rush = {.pool = {.blocks = rush_blocks}};
    struct test_thread thread;
    rush.count = test_scaled(RUSH_COUNT);
    tg_block_return_init(&rush.home);
    time_t deadline = time(NULL) + 20;
    assert_true(test_thread_start(&thread, push_all, &rush));
    uint32_t came = 0;
    while (came < rush.count && time(NULL) < deadline) {
        for (uint32_t block; (block = tg_block_return_take(&rush.home)) != TG_BLOCK_NONE;) {
            for (uint32_t next; block != TG_BLOCK_NONE; block = next, came++) {
                next = rush_blocks[block].next;
                assert_int_equal(rush_blocks[block].conn, 0);
                rush_blocks[block].conn = 1;
            }
        }
    }
    assert_true(test_thread_join(&thread));
    assert_int_equal(came, rush.count);
}

/* Two threads: the owner stamps blocks and sends them through a ring; the other thread checks and
 * overwrites the stamp and sends them home in chains of random length. */

struct traffic {
    struct tg_ring ring;
    uint32_t entries[32];
    struct tg_block_return home;
    struct tg_block_pool *pool;
    uint32_t rounds;
    uint64_t seed;
    time_t deadline;
    uint32_t wrong; /* the other thread's findings */
};

static void send_home(void *context)
{
    struct traffic *traffic = context;
    struct tg_block_pool *pool = traffic->pool;
    struct tg_prng prng = {traffic->seed};
    uint32_t done = 0;
    while (done < traffic->rounds && time(NULL) < traffic->deadline) {
        uint32_t length = 1 + tg_prng_below(&prng, 8);
        uint32_t first = TG_BLOCK_NONE;
        uint32_t last = TG_BLOCK_NONE;
        for (uint32_t *entry; length > 0 && (entry = tg_ring_peek(&traffic->ring)) != NULL;) {
            uint32_t block = *entry;
            tg_ring_pop(&traffic->ring);
            uint8_t *data = tg_block_data(pool, block);
            traffic->wrong += data[0] != 'o' || data[511] != 'o';
            data[0] = 'w';
            data[511] = 'w';
            if (first == TG_BLOCK_NONE) {
                first = block;
            } else {
                pool->blocks[last].next = block;
            }
            last = block;
            length--;
            done++;
        }
        tg_ring_return(&traffic->ring);
        if (first == TG_BLOCK_NONE) {
            test_thread_yield();
        } else {
            tg_block_return_push(&traffic->home, pool, first, last);
        }
    }
}

/* Takes what came home; answers how many blocks that were. */
static uint32_t collect(struct traffic *traffic)
{
    uint32_t count = 0;
    for (uint32_t block = tg_block_return_take(&traffic->home); block != TG_BLOCK_NONE; count++) {
        uint32_t next = traffic->pool->blocks[block].next;
        const uint8_t *data = tg_block_data(traffic->pool, block);
        assert_int_equal(data[0], 'w');
        assert_int_equal(data[511], 'w');
        tg_block_pool_give(traffic->pool, block);
        block = next;
    }
    return count;
}

/* Sends one block if there is one and the ring has room. */
static bool send_block(struct traffic *traffic)
{
    uint32_t *entry = tg_ring_claim(&traffic->ring);
    if (entry == NULL) {
        return false;
    }
    uint32_t block = tg_block_pool_take_small(traffic->pool, 1);
    if (block == TG_BLOCK_NONE) {
        return false;
    }
    uint8_t *data = tg_block_data(traffic->pool, block);
    data[0] = 'o';
    data[511] = 'o';
    *entry = block;
    tg_ring_push(&traffic->ring);
    return true;
}

static void blocks_go_out_and_come_home_between_two_threads(void **state)
{
    (void)state;
    static struct traffic traffic;
    traffic = (struct traffic){.pool = open_pool(48, 0),
                               .rounds = test_scaled(1000000),
                               .seed = test_seed(),
                               .deadline = time(NULL) + 50};
    tg_ring_init(&traffic.ring, traffic.entries, 32, sizeof traffic.entries[0]);
    tg_block_return_init(&traffic.home);
    struct test_thread thread;
    assert_true(test_thread_start(&thread, send_home, &traffic));
    uint32_t sent = 0;
    uint32_t home = 0;
    while (home < traffic.rounds && time(NULL) < traffic.deadline) {
        while (sent < traffic.rounds && send_block(&traffic)) {
            sent++;
        }
        bool any = tg_ring_publish(&traffic.ring);
        uint32_t came = collect(&traffic);
        home += came;
        if (!any && came == 0) {
            test_thread_yield();
        }
    }
    assert_true(test_thread_join(&thread));
    assert_int_equal(sent, traffic.rounds);
    assert_int_equal(home, traffic.rounds);
    assert_int_equal(traffic.wrong, 0);
    assert_int_equal(tg_block_pool_free_units(traffic.pool), 48);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_memory_that_a_pool_needs_is_what_the_budget_says),
        cmocka_unit_test(each_block_comes_out_once_and_empty),
        cmocka_unit_test(given_blocks_come_out_again_latest_first),
        cmocka_unit_test(a_pool_without_large_blocks_has_none_to_take),
        cmocka_unit_test(a_foreign_block_cannot_be_given),
        cmocka_unit_test(chains_come_home_latest_first_and_all_at_once),
        cmocka_unit_test(no_block_is_lost_between_a_rushing_pusher_and_a_rushing_taker),
        cmocka_unit_test(blocks_go_out_and_come_home_between_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
