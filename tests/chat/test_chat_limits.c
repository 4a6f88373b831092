/* SPDX-License-Identifier: MIT
 * What the chat lets pass and what not: buckets of tokens against floods, bans, addresses, and
 * attempts at the operator's token. */
#include <string.h>

#include "../../server/examples/chat/bans.h"
#include "../../server/examples/chat/flood.h"
#include "../../server/examples/chat/names.h"
#include "check.h"

static struct chat_name name_of(const char *text)
{
    struct chat_name name;
    assert_int_equal(chat_name_take(&name, text, strlen(text), 32), CHAT_CODE_NONE);
    return name;
}

/* ---- flood ---- */

static void a_flood_is_warned_of_refused_and_punished(void **state)
{
    (void)state;
    const struct chat_flood_rule rule = {.burst = 3, .per_s = 2, .strikes = 3};
    const enum chat_flood_answer expected[] = {
        CHAT_FLOOD_ALLOWED, CHAT_FLOOD_ALLOWED, CHAT_FLOOD_WARNED, CHAT_FLOOD_REFUSED,
        CHAT_FLOOD_REFUSED, CHAT_FLOOD_MUTE,    CHAT_FLOOD_REFUSED};
    struct chat_flood flood;
    uint64_t wait_ms = 0;
    chat_flood_init(&flood, &rule, 1000);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(chat_flood_take(&flood, &rule, 1000, &wait_ms), expected[i]);
        assert_int_equal(wait_ms, i < 2 ? 0 : 500);
    }
    assert_int_equal(chat_flood_take(&flood, &rule, 1499, &wait_ms), CHAT_FLOOD_REFUSED);
    assert_int_equal(wait_ms, 1);
    assert_int_equal(chat_flood_take(&flood, &rule, 1500, &wait_ms), CHAT_FLOOD_WARNED);
    /* A full bucket forgets what was. */
    assert_int_equal(chat_flood_take(&flood, &rule, 10000, &wait_ms), CHAT_FLOOD_ALLOWED);
    assert_int_equal(flood.strikes, 0);
    assert_int_equal(flood.milli_tokens, 2000);
}

static void a_pause_of_years_fills_the_bucket_once(void **state)
{
    (void)state;
    const struct chat_flood_rule rule = {.burst = 100000, .per_s = 10000, .strikes = 3};
    struct chat_flood flood;
    uint64_t wait_ms = 0;
    chat_flood_init(&flood, &rule, 0);
    assert_int_equal(chat_flood_take(&flood, &rule, UINT64_MAX, &wait_ms), CHAT_FLOOD_ALLOWED);
    assert_int_equal(flood.milli_tokens, 99999000);
    const struct chat_flood_rule none = {.burst = 1, .per_s = 0, .strikes = 1};
    for (int i = 0; i < 10; i++) {
        assert_int_equal(chat_flood_take(&flood, &none, 5, &wait_ms), CHAT_FLOOD_ALLOWED);
    }
}

/* ---- bans, addresses, attempts ---- */

static void a_ban_holds_until_its_end_and_the_table_until_it_is_full(void **state)
{
    (void)state;
    static struct chat_ban entries[3];
    struct chat_bans table = {.entries = entries, .max = 3};
    struct chat_bans *bans = &table;
    const struct chat_name names[] = {name_of("a"), name_of("b"), name_of("c"), name_of("d")};
    assert_non_null(chat_bans_add(bans, CHAT_BAN_NAME, &names[0], NULL, 100, 0));
    assert_non_null(chat_bans_add(bans, CHAT_BAN_NAME, &names[1], NULL, UINT64_MAX, 0));
    assert_non_null(chat_bans_add(bans, CHAT_BAN_NAME, &names[0], NULL, 200, 0)); /* renewed */
    assert_non_null(chat_bans_add(bans, CHAT_BAN_NAME, &names[2], NULL, 300, 0));
    assert_null(chat_bans_add(bans, CHAT_BAN_NAME, &names[3], NULL, 300, 0));
    assert_non_null(chat_bans_find(bans, CHAT_BAN_NAME, &names[0], NULL, 199));
    assert_null(chat_bans_find(bans, CHAT_BAN_MUTE, &names[0], NULL, 199));
    assert_null(chat_bans_find(bans, CHAT_BAN_NAME, &names[0], NULL, 200));
    assert_non_null(chat_bans_find(bans, CHAT_BAN_NAME, &names[1], NULL, UINT64_MAX - 1));
    assert_non_null(chat_bans_add(bans, CHAT_BAN_NAME, &names[3], NULL, 300, 200));
}

static void an_address_is_read_as_it_is_written(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"127.0.0.1", "127.0.0.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"2001:db8::1", "2001:db8:0:0::/64"},
        {"2001:DB8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"::1", "0:0:0:0::/64"},
        {"::", "0:0:0:0::/64"},
        {"fe80::", "fe80:0:0:0::/64"},
        {"2001:db8:1:2::/64", "2001:db8:1:2::/64"},
    };
    static const char *const refused[] = {
        "",       "1.2.3",      "1.2.3.4.5",         "1.2.3.256",
        "1.2.3.", ".1.2.3",     "1.2.3.4 ",          "a.b.c.d",
        "1:2:3",  "::1::2",     "1:2:3:4:5:6:7:8:9", ":1",
        "1:",     ":::",        "12345::",           "::g",
        "/64",    "1.2.3.4/64", "1:2:3:4:5:6:7:8::", "0001.2.3.4"};
    char text[CHAT_PLACE_TEXT_SIZE];
    struct chat_place place;
    struct chat_place again;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(chat_place_read(&place, rows[i][0], strlen(rows[i][0])));
        assert_string_equal(chat_place_text(&place, text), rows[i][1]);
        assert_true(chat_place_read(&again, text, strlen(text)));
        assert_true(chat_place_same(&place, &again));
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (chat_place_read(&place, refused[i], strlen(refused[i]))) {
            fail_msg("\"%s\" was taken for an address", refused[i]);
        }
    }
}

static void an_ipv4_address_is_the_same_in_both_families(void **state)
{
    (void)state;
    struct throng_address address = {.family = THRONG_ADDRESS_IPV4, .bytes = {192, 0, 2, 1}};
    const struct chat_place four = chat_place_of(&address);
    address =
        (struct throng_address){.family = THRONG_ADDRESS_IPV6,
                                .bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}};
    const struct chat_place six = chat_place_of(&address);
    assert_true(chat_place_same(&four, &six));
    address.bytes[15] = 2;
    const struct chat_place other = chat_place_of(&address);
    assert_false(chat_place_same(&four, &other));
}

static void an_address_that_guesses_tokens_is_stopped_for_a_minute(void **state)
{
    (void)state;
    static struct chat_attempts table[CHAT_ATTEMPT_PLACES];
    struct chat_place guesser;
    struct chat_place other;
    uint64_t wait_ms = 0;
    assert_true(chat_place_read(&guesser, "192.0.2.1", 9));
    assert_true(chat_place_read(&other, "192.0.2.2", 9));
    for (int i = 0; i < 5; i++) {
        assert_false(chat_attempts_spent(table, &guesser, 1000, &wait_ms));
        chat_attempts_add(table, &guesser, 1000);
    }
    assert_true(chat_attempts_spent(table, &guesser, 1000, &wait_ms));
    assert_int_equal(wait_ms, 60000);
    assert_false(chat_attempts_spent(table, &other, 1000, &wait_ms));
    /* Hundreds of addresses do not lock anybody out, and push out the oldest at most. */
    for (unsigned i = 0; i < 600; i++) {
        struct chat_place one = guesser;
        one.bytes[14] = (uint8_t)(i >> 8);
        one.bytes[13] = 7;
        one.bytes[15] = (uint8_t)i;
        chat_attempts_add(table, &one, 2000 + i);
    }
    assert_false(chat_attempts_spent(table, &other, 3000, &wait_ms));
    assert_false(chat_attempts_spent(table, &guesser, 61000, &wait_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_is_warned_of_refused_and_punished),
        cmocka_unit_test(a_pause_of_years_fills_the_bucket_once),
        cmocka_unit_test(a_ban_holds_until_its_end_and_the_table_until_it_is_full),
        cmocka_unit_test(an_address_is_read_as_it_is_written),
        cmocka_unit_test(an_ipv4_address_is_the_same_in_both_families),
        cmocka_unit_test(an_address_that_guesses_tokens_is_stopped_for_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
