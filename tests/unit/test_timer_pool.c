/* SPDX-License-Identifier: MIT
 * The pool of timers: names, stops, periods, and order against a plain table. */
#include "time/timer_pool.h"

#include <string.h>

#include "base/prng.h"
#include "check.h"

#define TIMERS 64u
#define START UINT64_C(1000000)

static struct tg_pool_timer records[TIMERS];
static struct tg_timer_pool pool;
static int marks[4];

static void open_pool(uint32_t capacity)
{
    memset(records, 0, sizeof records);
    tg_timer_pool_init(&pool, records, capacity, START);
}

/* The id of one that is due; 0: none is. */
static uint64_t take(uint64_t now_ms)
{
    struct tg_timer_due due = {0};
    return tg_timer_pool_take(&pool, now_ms, &due) ? due.id : 0;
}

static void a_timer_comes_once_with_its_pointer(void **state)
{
    (void)state;
    open_pool(2);
    struct tg_timer_due due = {0};
    uint64_t id = tg_timer_pool_start(&pool, START + 5, 0, &marks[1]);
    assert_int_not_equal(id, 0);
    assert_int_equal(tg_timer_pool_running(&pool), 1);
    assert_false(tg_timer_pool_take(&pool, START + 4, &due));
    assert_true(tg_timer_pool_is_due(&pool, START + 5));
    assert_true(tg_timer_pool_take(&pool, START + 5, &due));
    assert_int_equal(due.id, id);
    assert_ptr_equal(due.user, &marks[1]);
    assert_int_equal(tg_timer_pool_running(&pool), 0);
    assert_false(tg_timer_pool_take(&pool, START + 1000, &due));
    assert_false(tg_timer_pool_is_due(&pool, START + 1000));
    assert_false(tg_timer_pool_stop(&pool, id));
}

static void a_stopped_one_never_comes_also_if_it_was_due(void **state)
{
    (void)state;
    open_pool(3);
    uint64_t a = tg_timer_pool_start(&pool, START + 1, 0, NULL);
    uint64_t b = tg_timer_pool_start(&pool, START + 1, 0, NULL);
    uint64_t c = tg_timer_pool_start(&pool, START + 9, 3, NULL);
    assert_int_equal(take(START + 2), a); /* b is due as well now */
    assert_true(tg_timer_pool_stop(&pool, b));
    assert_false(tg_timer_pool_stop(&pool, b));
    assert_true(tg_timer_pool_stop(&pool, c));
    assert_int_equal(take(START + 100), 0);
    assert_int_equal(tg_timer_pool_running(&pool), 0);
}

static void a_full_pool_refuses_and_takes_again(void **state)
{
    (void)state;
    open_pool(2);
    uint64_t a = tg_timer_pool_start(&pool, START + 1, 0, NULL);
    uint64_t b = tg_timer_pool_start(&pool, START + 2, 0, NULL);
    assert_int_equal(tg_timer_pool_start(&pool, START + 3, 0, NULL), 0);
    assert_true(tg_timer_pool_stop(&pool, a));
    assert_int_not_equal(tg_timer_pool_start(&pool, START + 3, 0, NULL), 0);
    assert_int_equal(tg_timer_pool_start(&pool, START + 3, 0, NULL), 0);
    assert_int_equal(take(START + 2), b);
    assert_int_not_equal(tg_timer_pool_start(&pool, START + 3, 0, NULL), 0);
}

static void names_are_nobodys_before_and_after_their_timer(void **state)
{
    (void)state;
    open_pool(2);
    uint64_t seen[200];
    assert_false(tg_timer_pool_stop(&pool, 0));
    assert_false(tg_timer_pool_stop(&pool, UINT64_MAX));
    for (uint32_t i = 0; i < 200; i++) {
        seen[i] = tg_timer_pool_start(&pool, START + 1, 0, NULL);
        assert_int_not_equal(seen[i], 0);
        assert_false(tg_timer_pool_stop(&pool, seen[i] + (UINT64_C(1) << TG_TIMER_INDEX_BITS)));
        assert_true(tg_timer_pool_stop(&pool, seen[i]));
        for (uint32_t k = 0; k <= i; k++) {
            assert_false(tg_timer_pool_stop(&pool, seen[k]));
            assert_true(k == i || seen[k] != seen[i]);
        }
        /* The name that its record will have next belongs to nobody yet. */
        assert_false(tg_timer_pool_stop(&pool, seen[i] + (UINT64_C(1) << TG_TIMER_INDEX_BITS)));
    }
}

static void a_periodic_one_keeps_its_name_and_its_rhythm(void **state)
{
    (void)state;
    open_pool(1);
    uint64_t id = tg_timer_pool_start(&pool, START + 7, 10, NULL);
    assert_int_equal(take(START + 6), 0);
    assert_int_equal(take(START + 7), id);
    assert_int_equal(take(START + 16), 0);
    assert_int_equal(take(START + 17), id);
    assert_int_equal(take(START + 26), 0);
    assert_int_equal(take(START + 36), id); /* late, but by no whole period: */
    assert_int_equal(take(START + 36), 0);
    assert_int_equal(take(START + 37), id); /* the next one comes in time */
    assert_int_equal(take(START + 67), id); /* 57 and 67 are left out */
    assert_int_equal(take(START + 76), 0);
    assert_int_equal(take(START + 77), id);
    assert_int_equal(tg_timer_pool_running(&pool), 1);
    assert_true(tg_timer_pool_stop(&pool, id));
    assert_int_equal(take(START + 1000), 0);
}

struct plain {
    uint64_t id; /* 0: does not run */
    uint64_t due_ms;
    uint64_t order; /* those of one millisecond come in the order of their start */
    uint32_t period_ms;
};

/* The one that must come next by now_ms. */
static struct plain *next_plain(struct plain *all, uint64_t now_ms)
{
    struct plain *next = NULL;
    for (uint32_t i = 0; i < TIMERS; i++) {
        if (all[i].id != 0 && all[i].due_ms <= now_ms &&
            (next == NULL || all[i].due_ms < next->due_ms ||
             (all[i].due_ms == next->due_ms && all[i].order < next->order))) {
            next = &all[i];
        }
    }
    return next;
}

static struct plain *free_plain(struct plain *all)
{
    for (uint32_t i = 0; i < TIMERS; i++) {
        if (all[i].id == 0) {
            return &all[i];
        }
    }
    return NULL;
}

static void take_all(struct plain *all, uint64_t now_ms, uint64_t *order)
{
    uint64_t id;
    while ((id = take(now_ms)) != 0) {
        struct plain *expected = next_plain(all, now_ms);
        assert_non_null(expected);
        assert_int_equal(id, expected->id);
        if (expected->period_ms == 0) {
            expected->id = 0;
            continue;
        }
        while (expected->due_ms <= now_ms) {
            expected->due_ms += expected->period_ms;
        }
        expected->order = (*order)++;
    }
    assert_null(next_plain(all, now_ms));
}

static void it_agrees_with_a_plain_table(void **state)
{
    (void)state;
    static struct plain all[TIMERS];
    struct tg_prng prng = {test_seed()};
    uint64_t now_ms = START;
    uint64_t order = 0;
    memset(all, 0, sizeof all);
    open_pool(TIMERS);
    for (uint32_t step = 0; step < 100000; step++) {
        uint64_t pick = tg_prng_next(&prng) % 8;
        struct plain *plain = free_plain(all);
        if (pick < 4 && plain != NULL) {
            uint64_t delay = tg_prng_next(&prng) % (UINT64_C(1) << tg_prng_next(&prng) % 16);
            uint32_t period_ms = pick == 0 ? 1 + (uint32_t)(tg_prng_next(&prng) % 100) : 0;
            *plain = (struct plain){
                .due_ms = now_ms + 1 + delay, .order = order, .period_ms = period_ms};
            order++;
            plain->id = tg_timer_pool_start(&pool, plain->due_ms, plain->period_ms, NULL);
            assert_int_not_equal(plain->id, 0);
        } else if (pick < 6) {
            struct plain *victim = &all[tg_prng_next(&prng) % TIMERS];
            assert_int_equal(tg_timer_pool_stop(&pool, victim->id), victim->id != 0);
            victim->id = 0;
        } else {
            now_ms += tg_prng_next(&prng) % 50;
            take_all(all, now_ms, &order);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_comes_once_with_its_pointer),
        cmocka_unit_test(a_stopped_one_never_comes_also_if_it_was_due),
        cmocka_unit_test(a_full_pool_refuses_and_takes_again),
        cmocka_unit_test(names_are_nobodys_before_and_after_their_timer),
        cmocka_unit_test(a_periodic_one_keeps_its_name_and_its_rhythm),
        cmocka_unit_test(it_agrees_with_a_plain_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
