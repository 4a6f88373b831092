/* SPDX-License-Identifier: MIT
 * The queue from many threads to one. */
#include "base/post_queue.h"

#include <string.h>

#include "check.h"
#include "stopwatch.h"
#include "thread.h"

#define CELLS_MAX 256u
#define PRODUCERS_MAX 8u

static struct tg_post_cell cells[CELLS_MAX];
static struct tg_post_queue queue;

static void open_queue(uint32_t capacity)
{
    memset(cells, 0, sizeof cells);
    tg_post_queue_init(&queue, cells, capacity);
}

static bool push(uint64_t number)
{
    const struct tg_post post = {&cells[number % CELLS_MAX], number};
    return tg_post_queue_push(&queue, &post);
}

/* The oldest one's number; UINT64_MAX if there is none. */
static uint64_t pop(void)
{
    struct tg_post post = {0};
    if (!tg_post_queue_pop(&queue, &post)) {
        return UINT64_MAX;
    }
    assert_ptr_equal(post.user, &cells[post.number % CELLS_MAX]);
    return post.number;
}

static void an_empty_queue_has_nothing(void **state)
{
    (void)state;
    open_queue(4);
    assert_false(tg_post_queue_has_posts(&queue));
    assert_true(tg_post_queue_is_empty(&queue));
    assert_int_equal(pop(), UINT64_MAX);
    assert_int_equal(tg_post_queue_bytes(4), 96);
}

static void what_goes_in_comes_out_in_order(void **state)
{
    (void)state;
    open_queue(4);
    assert_true(push(7));
    assert_true(push(8));
    assert_true(tg_post_queue_has_posts(&queue));
    assert_false(tg_post_queue_is_empty(&queue));
    assert_int_equal(pop(), 7);
    assert_int_equal(pop(), 8);
    assert_int_equal(pop(), UINT64_MAX);
    assert_false(tg_post_queue_has_posts(&queue));
    assert_true(tg_post_queue_is_empty(&queue));
}

static void a_full_queue_refuses_and_keeps_what_it_has(void **state)
{
    (void)state;
    static const uint32_t capacities[] = {1, 2, 8, CELLS_MAX};
    for (size_t c = 0; c < sizeof capacities / sizeof capacities[0]; c++) {
        uint64_t in = 0;
        uint64_t out = 0;
        open_queue(capacities[c]);
        for (int lap = 0; lap < 5; lap++) {
            while (push(in)) {
                in++;
            }
            assert_int_equal(in - out, capacities[c]);
            assert_false(push(in));
            assert_int_equal(pop(), out++); /* room for one more, and not for two */
            assert_true(push(in++));
            assert_false(push(in));
            while (out < in) {
                assert_int_equal(pop(), out++);
            }
        }
        assert_int_equal(pop(), UINT64_MAX);
    }
}

/* As if a producer had been interrupted between the two steps of a push. */
static void one_that_is_not_filled_holds_the_later_ones_up_and_loses_none(void **state)
{
    (void)state;
    open_queue(4);
    atomic_store(&queue.tail, 1); /* the first place is claimed */
    assert_true(push(2));
    assert_false(tg_post_queue_has_posts(&queue));
    assert_false(tg_post_queue_is_empty(&queue));
    assert_int_equal(pop(), UINT64_MAX);
    cells[0].post = (struct tg_post){&cells[1], 1};
    atomic_store(&cells[0].turn, 1);
    assert_true(tg_post_queue_has_posts(&queue));
    assert_int_equal(pop(), 1);
    assert_int_equal(pop(), 2);
}

/* ---- threads ---- */

struct producer {
    struct test_thread thread;
    uint64_t number; /* of the producer, in the high bits of what it posts */
    uint32_t count;
    uint32_t refused;
    uint64_t bodies[64]; /* written before the post that points there */
    int64_t deadline_ms;
};

static void produce(void *argument)
{
    struct producer *producer = argument;
    uint32_t sent = 0;
    while (sent < producer->count && test_now_ms() < producer->deadline_ms) {
        /* The consumer looks at most a queue's length later, and there are more bodies than
         * places. */
        uint64_t *body = &producer->bodies[sent % 64];
        const struct tg_post post = {body, producer->number << 32 | sent};
        *body = post.number;
        if (tg_post_queue_push(&queue, &post)) {
            sent++;
        } else {
            producer->refused++;
            test_thread_yield();
        }
    }
}

static void run_producers(uint32_t producers, uint32_t capacity, uint32_t count)
{
    static struct producer all[PRODUCERS_MAX];
    uint32_t next[PRODUCERS_MAX] = {0};
    uint64_t left = (uint64_t)producers * count;
    int64_t deadline_ms = test_now_ms() + 50000;
    open_queue(capacity);
    memset(all, 0, sizeof all);
    for (uint32_t i = 0; i < producers; i++) {
        all[i].number = i;
        all[i].count = count;
        all[i].deadline_ms = deadline_ms;
        assert_true(test_thread_start(&all[i].thread, produce, &all[i]));
    }
    while (left > 0 && test_now_ms() < deadline_ms) {
        struct tg_post post = {0};
        if (!tg_post_queue_pop(&queue, &post)) {
            test_thread_yield();
            continue;
        }
        uint64_t from = post.number >> 32;
        assert_true(from < producers);
        assert_int_equal((uint32_t)post.number, next[from]++);
        assert_int_equal(*(uint64_t *)post.user, post.number); /* what it did before is visible */
        left--;
    }
    for (uint32_t i = 0; i < producers; i++) {
        assert_true(test_thread_join(&all[i].thread));
    }
    assert_int_equal(left, 0);
    assert_true(tg_post_queue_is_empty(&queue));
    assert_int_equal(pop(), UINT64_MAX);
}

static void each_threads_posts_come_once_and_in_order(void **state)
{
    (void)state;
    run_producers(1, 32, test_scaled(400000));
    run_producers(3, 32, test_scaled(200000));
    run_producers(PRODUCERS_MAX, 16, test_scaled(50000));
    run_producers(4, 1, test_scaled(10000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_queue_has_nothing),
        cmocka_unit_test(what_goes_in_comes_out_in_order),
        cmocka_unit_test(a_full_queue_refuses_and_keeps_what_it_has),
        cmocka_unit_test(one_that_is_not_filled_holds_the_later_ones_up_and_loses_none),
        cmocka_unit_test(each_threads_posts_come_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
