/* SPDX-License-Identifier: MIT
 * The LIFO of free indices. */
#include "base/index_stack.h"

#include <string.h>

#include "check.h"
#include "death.h"

static void fresh_indices_come_out_lowest_first(void **state)
{
    (void)state;
    uint32_t storage[3];
    struct tg_index_stack stack;
    tg_index_stack_init(&stack, storage, 3);
    assert_int_equal(tg_index_stack_count(&stack), 3);
    assert_int_equal(tg_index_stack_pop(&stack), 0);
    assert_int_equal(tg_index_stack_pop(&stack), 1);
    assert_int_equal(tg_index_stack_pop(&stack), 2);
    assert_int_equal(tg_index_stack_count(&stack), 0);
    assert_int_equal(tg_index_stack_pop(&stack), TG_INDEX_NONE);
    assert_int_equal(tg_index_stack_pop(&stack), TG_INDEX_NONE);
}

static void the_latest_returned_index_comes_out_first(void **state)
{
    (void)state;
    uint32_t storage[4];
    struct tg_index_stack stack;
    tg_index_stack_init(&stack, storage, 4);
    for (int i = 0; i < 3; i++) {
        tg_index_stack_pop(&stack);
    }
    tg_index_stack_push(&stack, 1);
    tg_index_stack_push(&stack, 0);
    assert_int_equal(tg_index_stack_count(&stack), 3);
    assert_int_equal(tg_index_stack_pop(&stack), 0);
    assert_int_equal(tg_index_stack_pop(&stack), 1);
    assert_int_equal(tg_index_stack_pop(&stack), 3);
    assert_int_equal(tg_index_stack_pop(&stack), TG_INDEX_NONE);
}

static void indices_never_handed_out_touch_no_storage(void **state)
{
    (void)state;
    uint32_t storage[4] = {77, 77, 77, 77};
    struct tg_index_stack stack;
    tg_index_stack_init(&stack, storage, 4);
    tg_index_stack_push(&stack, tg_index_stack_pop(&stack));
    assert_int_equal(storage[0], 0);
    assert_int_equal(storage[1], 77);
    assert_int_equal(storage[3], 77);
}

static void an_empty_array_has_no_free_index(void **state)
{
    (void)state;
    struct tg_index_stack stack;
    tg_index_stack_init(&stack, NULL, 0);
    assert_int_equal(tg_index_stack_count(&stack), 0);
    assert_int_equal(tg_index_stack_pop(&stack), TG_INDEX_NONE);
}

static void push_twice(void *context)
{
    struct tg_index_stack *stack = context;
    uint32_t index = tg_index_stack_pop(stack);
    tg_index_stack_push(stack, index);
    tg_index_stack_push(stack, index);
}

static void push_one_never_handed_out(void *context)
{
    tg_index_stack_pop(context);
    tg_index_stack_push(context, 1);
}

static void an_index_that_is_not_out_cannot_come_back(void **state)
{
    (void)state;
    uint32_t storage[2];
    char text[200];
    struct tg_index_stack stack;
    tg_index_stack_init(&stack, storage, 2);
    assert_true(test_aborts(push_twice, &stack, text, sizeof text));
    assert_non_null(strstr(text, "throng: requirement failed: "));
    assert_non_null(strstr(text, "index_stack.c:"));
    assert_true(test_aborts(push_one_never_handed_out, &stack, text, sizeof text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh_indices_come_out_lowest_first),
        cmocka_unit_test(the_latest_returned_index_comes_out_first),
        cmocka_unit_test(indices_never_handed_out_touch_no_storage),
        cmocka_unit_test(an_empty_array_has_no_free_index),
        cmocka_unit_test(an_index_that_is_not_out_cannot_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
