/* SPDX-License-Identifier: MIT
 * The counted receive buffers. */
#include "buffer/recv_pool.h"

#include <string.h>

#include "check.h"
#include "death.h"

static uint8_t memory[3 * 100];
static uint32_t tables[6];

static void open_pool(struct tg_recv_pool *pool)
{
    memset(tables, 0, sizeof tables);
    assert_int_equal(tg_recv_pool_table_bytes(3), sizeof tables);
    tg_recv_pool_init(pool, memory, 100, 3, tables);
}

static void each_buffer_comes_out_once(void **state)
{
    (void)state;
    struct tg_recv_pool pool;
    open_pool(&pool);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(tg_recv_pool_take(&pool), i);
        assert_ptr_equal(tg_recv_pool_data(&pool, i), memory + i * 100);
    }
    assert_int_equal(tg_recv_pool_take(&pool), TG_INDEX_NONE);
}

static void a_buffer_is_free_when_the_last_reference_is_gone(void **state)
{
    (void)state;
    struct tg_recv_pool pool;
    open_pool(&pool);
    uint32_t buffer = tg_recv_pool_take(&pool);
    tg_recv_pool_retain(&pool, buffer);
    tg_recv_pool_retain(&pool, buffer);
    tg_recv_pool_retain(&pool, buffer);
    tg_recv_pool_release(&pool, buffer, 1);
    assert_int_equal(tg_index_stack_count(&pool.free), 2);
    tg_recv_pool_release(&pool, buffer, 2);
    assert_int_equal(tg_index_stack_count(&pool.free), 2);
    tg_recv_pool_release(&pool, buffer, 1);
    assert_int_equal(tg_index_stack_count(&pool.free), 3);
}

static void the_latest_freed_buffer_comes_out_first(void **state)
{
    (void)state;
    struct tg_recv_pool pool;
    open_pool(&pool);
    tg_recv_pool_take(&pool);
    tg_recv_pool_take(&pool);
    tg_recv_pool_release(&pool, 0, 1);
    tg_recv_pool_release(&pool, 1, 1);
    assert_int_equal(tg_recv_pool_take(&pool), 1);
    assert_int_equal(tg_recv_pool_take(&pool), 0);
    assert_int_equal(tg_recv_pool_take(&pool), 2);
}

static void release_more_than_there_are(void *context)
{
    struct tg_recv_pool *pool = context;
    tg_recv_pool_release(pool, tg_recv_pool_take(pool), 2);
}

static void retain_a_free_buffer(void *context)
{
    tg_recv_pool_retain(context, 0);
}

static void references_that_do_not_exist_cannot_be_used(void **state)
{
    (void)state;
    char text[200];
    struct tg_recv_pool pool;
    open_pool(&pool);
    assert_true(test_aborts(release_more_than_there_are, &pool, text, sizeof text));
    open_pool(&pool); /* the try may have taken a buffer */
    assert_true(test_aborts(retain_a_free_buffer, &pool, text, sizeof text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_buffer_comes_out_once),
        cmocka_unit_test(a_buffer_is_free_when_the_last_reference_is_gone),
        cmocka_unit_test(the_latest_freed_buffer_comes_out_first),
        cmocka_unit_test(references_that_do_not_exist_cannot_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
