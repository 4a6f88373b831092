/* SPDX-License-Identifier: MIT
 * The table of connections per address: what counts as one address, the limit, full buckets, and what
 * two workers do at once. The table is compiled for this test with a tg_yield of the test's own, in
 * which the other worker acts at every point that there is. */
#include "conn/address_table.h"

#include <stdalign.h>
#include <string.h>

#include "base/prng.h"
#include "base/siphash.h"
#include "base/yield.h"
#include "check.h"
#include "thread.h"

#define CONNECTIONS 128u /* the smallest table: 64 buckets of 8 words */
#define WORDS 512u
#define COUNT_MASK 0xffffffu

static struct tg_address_table table;
static alignas(64) uint64_t memory[WORDS];
static _Atomic uint64_t *const words = (void *)memory;

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

/* ---- helpers ---- */

static void set_up(uint32_t limit)
{
    assert_int_equal(tg_address_table_bytes(CONNECTIONS, limit), sizeof(memory));
    memset(memory, 0, sizeof(memory));
    assert_int_equal(tg_address_table_init(&table, memory, CONNECTIONS, limit), 0);
}

static int tear_down(void **state)
{
    (void)state;
    other_worker = NULL;
    many_threads = false;
    return 0;
}

static struct throng_address ipv4(uint32_t number)
{
    struct throng_address address = {.family = THRONG_ADDRESS_IPV4, .port = 1};
    memcpy(address.bytes, &number, sizeof(number));
    return address;
}

static struct throng_address ipv6(const char *bytes, uint32_t scope)
{
    struct throng_address address = {.family = THRONG_ADDRESS_IPV6, .scope_id = scope};
    memcpy(address.bytes, bytes, 16);
    return address;
}

static enum tg_address_answer enter(struct throng_address address, uint32_t *place)
{
    return tg_address_table_enter(&table, &address, place);
}

static uint32_t entered(struct throng_address address)
{
    uint32_t place = 0;
    assert_int_equal(enter(address, &place), TG_ADDRESS_COUNTED);
    assert_int_not_equal(place, TG_ADDRESS_UNCOUNTED);
    return place;
}

static void expect_refused(struct throng_address address)
{
    uint32_t place = 77;
    assert_int_equal(enter(address, &place), TG_ADDRESS_REFUSED);
    assert_int_equal(place, TG_ADDRESS_UNCOUNTED);
}

static uint64_t count_all(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        sum += atomic_load(&words[i]) & COUNT_MASK;
    }
    return sum;
}

/* ---- one worker ---- */

static void the_keyed_hash_is_the_published_one(void **state)
{
    (void)state;
    const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    assert_int_equal(tg_siphash(key, UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)),
                     UINT64_C(0x3f2acc7f57c29bdb)); /* of the paper's list, 16 bytes */
    const uint64_t other[2] = {UINT64_MAX, UINT64_C(0x0100000000000080)};
    assert_int_equal(tg_siphash(other, UINT64_C(0xf8f9fafbfcfdfeff), UINT64_C(0x7766554433221100)),
                     UINT64_C(0x229f6aad69b480ad)); /* openssl mac SIPHASH */
}

static void an_address_has_its_share_and_no_more(void **state)
{
    (void)state;
    set_up(3);
    uint32_t first = entered(ipv4(1));
    assert_int_equal(entered(ipv4(1)), first);
    (void)entered(ipv4(1));
    expect_refused(ipv4(1));
    expect_refused(ipv4(1));
    (void)entered(ipv4(2)); /* others are unaffected */
    tg_address_table_leave(&table, first);
    (void)entered(ipv4(1));
    expect_refused(ipv4(1));
    assert_int_equal(count_all(), 4);
}

static void without_a_limit_there_is_no_table(void **state)
{
    (void)state;
    uint32_t place = 77;
    assert_int_equal(tg_address_table_bytes(65000, 0), 0);
    assert_int_equal(tg_address_table_init(&table, NULL, 65000, 0), 0);
    assert_int_equal(enter(ipv4(1), &place), TG_ADDRESS_NO_ROOM);
    assert_int_equal(place, TG_ADDRESS_UNCOUNTED);
    tg_address_table_leave(&table, place);
    assert_int_equal(tg_address_table_bytes(65000, 1), 2080000);
}

static void one_ipv4_address_is_the_same_in_both_families(void **state)
{
    (void)state;
    set_up(1);
    (void)entered(ipv6("\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04", 0));
    struct throng_address plain = {.family = THRONG_ADDRESS_IPV4, .bytes = {1, 2, 3, 4}};
    expect_refused(plain);
    plain.port = 4711; /* whatever the port */
    expect_refused(plain);
    plain.bytes[3] = 5;
    (void)entered(plain);
    /* Not its neighbour in bits. */
    (void)entered(ipv6("\x01\x02\x03\x04\0\0\0\0\0\0\0\0\0\0\0\0", 0));
    (void)entered(ipv6("\0\0\0\0\0\0\0\0\0\0\xff\xfe\x01\x02\x03\x04", 0));
}

static void a_network_of_ipv6_is_one_address(void **state)
{
    (void)state;
    set_up(1);
    (void)entered(ipv6("\x20\x01\x0d\xb8\0\0\0\x07\x01\x02\x03\x04\x05\x06\x07\x08", 0));
    expect_refused(ipv6("\x20\x01\x0d\xb8\0\0\0\x07\xff\xff\xff\xff\xff\xff\xff\xff", 0));
    expect_refused(
        ipv6("\x20\x01\x0d\xb8\0\0\0\x07\0\0\0\0\0\0\0\x01", 9)); /* a scope of no meaning */
    (void)entered(ipv6("\x20\x01\x0d\xb8\0\0\0\x06\x01\x02\x03\x04\x05\x06\x07\x08", 0));
}

static void link_local_addresses_differ_by_their_interface(void **state)
{
    (void)state;
    set_up(1);
    (void)entered(ipv6("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 2));
    expect_refused(ipv6("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x02", 2));
    (void)entered(ipv6("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 3));
    (void)entered(ipv6("\xfe\xbf\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 1));
    expect_refused(ipv6("\xfe\xbf\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 1));
    (void)entered(ipv6("\xfe\xbf\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 2));
}

static void the_key_is_another_one_each_time(void **state)
{
    (void)state;
    set_up(1);
    const struct tg_address_table before = table;
    set_up(1);
    assert_memory_not_equal(before.key, table.key, sizeof(table.key));
    assert_true(table.key[0] != 0 && table.key[1] != 0 && table.key[0] != table.key[1]);
}

static void the_largest_limit_is_held(void **state)
{
    (void)state;
    set_up(TG_ADDRESS_LIMIT_MAX);
    uint32_t place = entered(ipv4(1));
    atomic_fetch_add(&words[place - 1], TG_ADDRESS_LIMIT_MAX - 1);
    expect_refused(ipv4(1));
    tg_address_table_leave(&table, place);
    assert_int_equal(entered(ipv4(1)), place);
    expect_refused(ipv4(1));
    assert_int_equal(count_all(), TG_ADDRESS_LIMIT_MAX);
}

/* ---- full and half full buckets ---- */

static void who_finds_no_room_is_let_in_uncounted(void **state)
{
    (void)state;
    uint32_t place = 77;
    set_up(1);
    uint32_t known = entered(ipv4(1));
    for (uint32_t i = 0; i < WORDS; i++) {
        if ((atomic_load(&words[i]) & COUNT_MASK) == 0) {
            atomic_store(&words[i], (uint64_t)(i + 1) << 24 | 1); /* others */
        }
    }
    assert_int_equal(enter(ipv4(2), &place), TG_ADDRESS_NO_ROOM);
    assert_int_equal(place, TG_ADDRESS_UNCOUNTED);
    tg_address_table_leave(&table, place);
    assert_int_equal(count_all(), WORDS);
    expect_refused(ipv4(1)); /* whoever has a word is counted as ever */
    tg_address_table_leave(&table, known);
    assert_int_equal(entered(ipv4(1)), known); /* the only free word */
}

static void every_word_that_is_left_serves_again(void **state)
{
    (void)state;
    set_up(1);
    for (uint32_t i = 0; i < 100000; i++) {
        tg_address_table_leave(&table, entered(ipv4(i)));
    }
    assert_int_equal(count_all(), 0);
}

/* As many addresses as connections, in a table that came into being fifty times: with 2 of 8 words in
 * use on average, one choice alone would fill some bucket with 8 in most of them. */
static void the_emptier_bucket_is_taken(void **state)
{
    (void)state;
    uint32_t most = 0;
    for (uint32_t round = 0; round < 50; round++) {
        set_up(1);
        for (uint32_t i = 0; i < CONNECTIONS; i++) {
            (void)entered(ipv4(i));
        }
        for (uint32_t bucket = 0; bucket < WORDS / 8; bucket++) {
            uint32_t used = 0;
            for (uint32_t i = 0; i < 8; i++) {
                used += (atomic_load(&words[bucket * 8 + i]) & COUNT_MASK) != 0 ? 1 : 0;
            }
            most = used > most ? used : most;
        }
    }
    assert_in_range(most, 2, 6);
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

/* Runs `act` at each point of an enter with this limit, after so many of the address are in. Answers how
 * often both got in by words of their own. */
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

/* Keeps up to HELD connections and replaces one of them in each round. What it notes is at most what the
 * table holds: noted after entering, gone before leaving. */
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
        cmocka_unit_test(the_keyed_hash_is_the_published_one),
        cmocka_unit_test_teardown(an_address_has_its_share_and_no_more, tear_down),
        cmocka_unit_test_teardown(without_a_limit_there_is_no_table, tear_down),
        cmocka_unit_test_teardown(one_ipv4_address_is_the_same_in_both_families, tear_down),
        cmocka_unit_test_teardown(a_network_of_ipv6_is_one_address, tear_down),
        cmocka_unit_test_teardown(link_local_addresses_differ_by_their_interface, tear_down),
        cmocka_unit_test_teardown(the_key_is_another_one_each_time, tear_down),
        cmocka_unit_test_teardown(the_largest_limit_is_held, tear_down),
        cmocka_unit_test_teardown(who_finds_no_room_is_let_in_uncounted, tear_down),
        cmocka_unit_test_teardown(every_word_that_is_left_serves_again, tear_down),
        cmocka_unit_test_teardown(the_emptier_bucket_is_taken, tear_down),
        cmocka_unit_test_teardown(the_last_place_goes_to_one_of_two, tear_down),
        cmocka_unit_test_teardown(two_that_come_at_once_share_one_word, tear_down),
        cmocka_unit_test_teardown(a_word_that_frees_meanwhile_disturbs_nobody, tear_down),
        cmocka_unit_test_teardown(twins_are_added_up, tear_down),
        cmocka_unit_test_teardown(twins_do_not_get_over_the_limit, tear_down),
        cmocka_unit_test_teardown(who_is_refused_keeps_nobody_out, tear_down),
        cmocka_unit_test_teardown(four_threads_never_get_over_the_limit, tear_down),
    };
    return cmocka_run_group_tests_name("address table", tests, NULL, NULL);
}
