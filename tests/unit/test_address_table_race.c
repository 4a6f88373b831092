/* SPDX-License-Identifier: MIT
 * The table of connections per address, as several workers use it at once. It is compiled for this
 * test with a tg_yield of the test's own, in which the other worker acts at every point that there
 * is. */
#include "address_world.h"

#include <string.h>

#include "base/prng.h"
#include "base/yield.h"
#include "thread.h"

/* ---- the other worker ---- */

static void (*other_worker)(void);
static uint32_t yields;   /* since the hook was set */
static uint32_t acts_at;  /* the yield at which the other worker acts */
static bool many_threads; /* they overtake each other by themselves */

void tg_yield(void)
{
    if (many_threads) {
        return;
    }
    if (other_worker != NULL && yields++ == acts_at) {
        void (*act)(void) = other_worker;
        other_worker = NULL;
        act();
    }
}

static int tear_down(void **state)
{
    (void)state;
    other_worker = NULL;
    many_threads = false;
    return 0;
}

/* ---- two workers ---- */

static uint32_t stranger_place; /* of who has a word in one of the buckets */
static uint32_t other_place;    /* what the other worker got */
static enum tg_address_answer other_answer;

static void the_same_comes(void)
{
    other_answer = enter(ipv4(1), &other_place);
}

/* A word that lies behind the free ones becomes free: the last free one is taken first. */
static void a_stranger_leaves_and_the_same_comes(void)
{
    tg_address_table_leave(&table, stranger_place);
    the_same_comes();
}

static void a_stranger_leaves(void)
{
    tg_address_table_leave(&table, stranger_place);
    other_answer = TG_ADDRESS_REFUSED;
}

/* The last word of the bucket in which a new address would be counted is a stranger's. */
static void place_stranger(void)
{
    uint32_t place = entered(ipv4(1));
    uint64_t value = atomic_load(&words[place - 1]);
    assert_int_equal(place % 8, 0); /* the last of its bucket */
    tg_address_table_leave(&table, place);
    atomic_store(&words[place - 1], (value ^ UINT64_C(1) << 40));
    assert_int_equal(atomic_load(&words[place - 1]) & COUNT_MASK, 1);
    stranger_place = place;
}

/* Runs `act` at each point of an enter with this limit, after so many of the address are in.
 * Answers how often both got in by words of their own. */
static uint32_t meet_at_every_point(void (*act)(void), uint32_t limit, uint32_t before)
{
    uint32_t twins = 0;
    for (uint32_t point = 0;; point++) {
        uint32_t place = 0;
        set_up(limit);
        place_stranger();
        for (uint32_t i = 0; i < before; i++) {
            (void)entered(ipv4(1));
        }
        other_place = 0;
        acts_at = point;
        yields = 0;
        other_worker = act;
        enum tg_address_answer answer = enter(ipv4(1), &place);
        if (other_worker != NULL) { /* there is no such point any more */
            other_worker = NULL;
            assert_true(point > 30);
            return twins;
        }
        uint32_t in = before + (answer == TG_ADDRESS_COUNTED ? 1u : 0u) +
                      (other_answer == TG_ADDRESS_COUNTED ? 1u : 0u);
        bool stranger_left = act != the_same_comes;
        assert_true(in >= 1 && in <= limit);
        assert_int_equal(count_all(), in + (stranger_left ? 0 : 1));
        if (answer == TG_ADDRESS_COUNTED && other_answer == TG_ADDRESS_COUNTED) {
            twins += place != other_place ? 1 : 0;
        } else if (act == a_stranger_leaves) {
            assert_int_equal(answer, TG_ADDRESS_COUNTED);
        }
        while (in < limit) { /* the rest of the share is there, in whatever words */
            (void)entered(ipv4(1));
            in++;
        }
        expect_refused(ipv4(1));
        tg_address_table_leave(&table, place);
        tg_address_table_leave(&table, other_place);
    }
}

static void the_last_place_goes_to_one_of_two(void **state)
{
    (void)state;
    assert_int_equal(meet_at_every_point(the_same_comes, 1, 0), 0);
    assert_int_equal(meet_at_every_point(the_same_comes, 3, 2), 0);
}

static void two_that_come_at_once_share_one_word(void **state)
{
    (void)state;
    assert_int_equal(meet_at_every_point(the_same_comes, 2, 0), 0);
    assert_int_equal(meet_at_every_point(the_same_comes, 5, 2), 0);
}

static void a_word_that_frees_meanwhile_disturbs_nobody(void **state)
{
    (void)state;
    assert_int_equal(meet_at_every_point(a_stranger_leaves, 1, 0), 0);
    assert_int_equal(meet_at_every_point(a_stranger_leaves, 2, 1), 0);
}

static void twins_are_added_up(void **state)
{
    (void)state;
    assert_true(meet_at_every_point(a_stranger_leaves_and_the_same_comes, 2, 0) > 0);
    assert_true(meet_at_every_point(a_stranger_leaves_and_the_same_comes, 4, 0) > 0);
}

/* With a place for one: one gets it, or none. What must not be is both. */
static void twins_do_not_get_over_the_limit(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 60; point++) {
        uint32_t place = 0;
        set_up(1);
        place_stranger();
        other_place = 0;
        acts_at = point;
        yields = 0;
        other_worker = a_stranger_leaves_and_the_same_comes;
        enum tg_address_answer answer = enter(ipv4(1), &place);
        bool acted = other_worker == NULL;
        other_worker = NULL;
        assert_false(acted && answer == TG_ADDRESS_COUNTED && other_answer == TG_ADDRESS_COUNTED);
        tg_address_table_leave(&table, place);
        tg_address_table_leave(&table, other_place);
        assert_int_equal(count_all(), acted ? 0 : 1); /* the stranger */
    }
}

static void one_leaves_and_another_comes(void)
{
    tg_address_table_leave(&table, stranger_place);
    the_same_comes();
}

/* Not even for the moment in which it is looked at. */
static void who_is_refused_keeps_nobody_out(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 60; point++) {
        uint32_t place = 0;
        set_up(2);
        (void)entered(ipv4(1));
        stranger_place = entered(ipv4(1));
        other_place = 0;
        acts_at = point;
        yields = 0;
        other_worker = one_leaves_and_another_comes;
        enum tg_address_answer answer = enter(ipv4(1), &place);
        bool acted = other_worker == NULL;
        other_worker = NULL;
        assert_int_equal(answer, TG_ADDRESS_REFUSED);
        if (acted) {
            assert_int_equal(other_answer, TG_ADDRESS_COUNTED);
        }
        assert_int_equal(count_all(), 2);
    }
}

/* ---- many threads ---- */

#define THREADS 4u
#define ADDRESSES 96u
#define HELD 64u

static struct contest {
    uint32_t rounds;
    _Atomic uint32_t in[ADDRESSES];
    _Atomic uint32_t over;
    _Atomic uint32_t refused;
} contest;

struct player {
    struct test_thread thread;
    uint64_t seed;
};

static void go(uint32_t place, uint32_t number)
{
    if (place != TG_ADDRESS_UNCOUNTED) {
        atomic_fetch_sub(&contest.in[number], 1);
        tg_address_table_leave(&table, place);
    }
}

/* Keeps up to HELD connections and replaces one of them in each round. What it notes is at most
 * what the table holds: noted after entering, gone before leaving. */
static void come_and_go(void *argument)
{
    struct player *player = argument;
    struct tg_prng prng = {.state = player->seed};
    uint32_t places[HELD] = {0};
    uint32_t numbers[HELD] = {0};
    for (uint32_t i = 0; i < contest.rounds; i++) {
        uint32_t held = (uint32_t)(tg_prng_next(&prng) % HELD);
        go(places[held], numbers[held]);
        numbers[held] = (uint32_t)(tg_prng_next(&prng) % ADDRESSES);
        enum tg_address_answer answer = enter(ipv4(numbers[held]), &places[held]);
        if (answer == TG_ADDRESS_COUNTED) {
            uint32_t before = atomic_fetch_add(&contest.in[numbers[held]], 1);
            atomic_fetch_add(&contest.over, before >= table.limit ? 1 : 0);
        } else {
            atomic_fetch_add(&contest.refused, 1);
        }
    }
    for (uint32_t i = 0; i < HELD; i++) {
        go(places[i], numbers[i]);
    }
}

static void four_threads_never_get_over_the_limit(void **state)
{
    (void)state;
    static struct player players[THREADS];
    uint64_t seed = test_seed();
    set_up(3);
    many_threads = true;
    memset(&contest, 0, sizeof(contest));
    contest.rounds = test_scaled(400000);
    for (uint32_t i = 0; i < THREADS; i++) {
        players[i].seed = seed + i;
        assert_true(test_thread_start(&players[i].thread, come_and_go, &players[i]));
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_true(test_thread_join(&players[i].thread));
    }
    assert_int_equal(atomic_load(&contest.over), 0);
    assert_true(atomic_load(&contest.refused) > 0);
    assert_int_equal(count_all(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_last_place_goes_to_one_of_two, tear_down),
        cmocka_unit_test_teardown(two_that_come_at_once_share_one_word, tear_down),
        cmocka_unit_test_teardown(a_word_that_frees_meanwhile_disturbs_nobody, tear_down),
        cmocka_unit_test_teardown(twins_are_added_up, tear_down),
        cmocka_unit_test_teardown(twins_do_not_get_over_the_limit, tear_down),
        cmocka_unit_test_teardown(who_is_refused_keeps_nobody_out, tear_down),
        cmocka_unit_test_teardown(four_threads_never_get_over_the_limit, tear_down),
    };
    return cmocka_run_group_tests_name("address table: several workers", tests, NULL, NULL);
}
