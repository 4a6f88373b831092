/* SPDX-License-Identifier: MIT
 * The table of connections per address, as one worker uses it: what counts as one address, the
 * limit, full and half full buckets. */
#include "address_world.h"

#include <string.h>

#include "base/siphash.h"

static struct throng_address ipv6(const char *bytes, uint32_t scope)
{
    struct throng_address address = {.family = THRONG_ADDRESS_IPV6, .scope_id = scope};
    memcpy(address.bytes, bytes, 16);
    return address;
}

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

/* As many addresses as connections, in a table that came into being fifty times: with 2 of 8 words
 * in use on average, one choice alone would fill some bucket with 8 in most of them. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keyed_hash_is_the_published_one),
        cmocka_unit_test(an_address_has_its_share_and_no_more),
        cmocka_unit_test(without_a_limit_there_is_no_table),
        cmocka_unit_test(one_ipv4_address_is_the_same_in_both_families),
        cmocka_unit_test(a_network_of_ipv6_is_one_address),
        cmocka_unit_test(link_local_addresses_differ_by_their_interface),
        cmocka_unit_test(the_key_is_another_one_each_time),
        cmocka_unit_test(the_largest_limit_is_held),
        cmocka_unit_test(who_finds_no_room_is_let_in_uncounted),
        cmocka_unit_test(every_word_that_is_left_serves_again),
        cmocka_unit_test(the_emptier_bucket_is_taken),
    };
    return cmocka_run_group_tests_name("address table", tests, NULL, NULL);
}
