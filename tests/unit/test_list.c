/* SPDX-License-Identifier: MIT
 * The intrusive list. */
#include "base/list.h"

#include "check.h"

struct item {
    int number;
    struct tg_list link;
};

static void fill(struct tg_list *list, struct item *items, int count)
{
    tg_list_init(list);
    for (int i = 0; i < count; i++) {
        items[i].number = i;
        tg_list_push_back(list, &items[i].link);
    }
}

static int pop_number(struct tg_list *list)
{
    struct tg_list *link = tg_list_pop_front(list);
    return link == NULL ? -1 : TG_CONTAINER_OF(link, struct item, link)->number;
}

static void nodes_come_out_in_the_order_they_went_in(void **state)
{
    (void)state;
    struct item items[3];
    struct tg_list list;
    fill(&list, items, 3);
    assert_false(tg_list_is_empty(&list));
    assert_int_equal(pop_number(&list), 0);
    assert_int_equal(pop_number(&list), 1);
    assert_int_equal(pop_number(&list), 2);
    assert_true(tg_list_is_empty(&list));
    assert_int_equal(pop_number(&list), -1);
}

static void a_node_is_taken_out_of_the_front_the_middle_and_the_end(void **state)
{
    (void)state;
    for (int gone = 0; gone < 3; gone++) {
        struct item items[3];
        struct tg_list list;
        fill(&list, items, 3);
        assert_true(tg_list_is_linked(&items[gone].link));
        tg_list_remove(&items[gone].link);
        assert_false(tg_list_is_linked(&items[gone].link));
        tg_list_remove(&items[gone].link); /* harmless */
        assert_int_equal(pop_number(&list), gone == 0 ? 1 : 0);
        assert_int_equal(pop_number(&list), gone == 2 ? 1 : 2);
        assert_int_equal(pop_number(&list), -1);
    }
}

static void a_popped_node_can_be_pushed_again(void **state)
{
    (void)state;
    struct item items[2];
    struct tg_list list;
    fill(&list, items, 2);
    tg_list_push_back(&list, tg_list_pop_front(&list));
    assert_int_equal(pop_number(&list), 1);
    assert_int_equal(pop_number(&list), 0);
    assert_int_equal(pop_number(&list), -1);
}

static void a_whole_list_moves_in_order_and_leaves_nothing(void **state)
{
    (void)state;
    struct item items[3];
    struct tg_list source;
    struct tg_list target;
    for (int count = 0; count <= 3; count++) {
        fill(&source, items, count);
        tg_list_take_all(&target, &source);
        assert_true(tg_list_is_empty(&source));
        for (int i = 0; i < count; i++) {
            assert_int_equal(pop_number(&target), i);
        }
        assert_true(tg_list_is_empty(&target));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_come_out_in_the_order_they_went_in),
        cmocka_unit_test(a_node_is_taken_out_of_the_front_the_middle_and_the_end),
        cmocka_unit_test(a_popped_node_can_be_pushed_again),
        cmocka_unit_test(a_whole_list_moves_in_order_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
