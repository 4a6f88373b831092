/* SPDX-License-Identifier: MIT
 * The addresses of both ends: what was written is read, whatever the slot's last connection had. */
#include "conn/ends.h"

#include <string.h>

#include "check.h"

static struct tg_ends_narrow narrow[2];
static struct tg_ends_wide wide[2];
static const struct tg_ends ends = {narrow, wide};

static const struct throng_address v4_peer = {THRONG_ADDRESS_IPV4, 0, 40001, 0, {192, 0, 2, 7}};
static const struct throng_address v4_local = {THRONG_ADDRESS_IPV4, 0, 7000, 0, {127, 0, 0, 1}};
static const struct throng_address v6_peer = {
    THRONG_ADDRESS_IPV6, 0, 40002, 3, {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}};
static const struct throng_address v6_local = {
    THRONG_ADDRESS_IPV6, 0, 7001, 0, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

static void expect(uint32_t slot, const struct throng_address *peer,
                   const struct throng_address *local)
{
    const struct throng_address found_peer = tg_ends_peer(&ends, slot);
    const struct throng_address found_local = tg_ends_local(&ends, slot);
    assert_memory_equal(&found_peer, peer, sizeof(*peer));
    assert_memory_equal(&found_local, local, sizeof(*local));
}

static int set_up(void **state)
{
    (void)state;
    memset(narrow, 0, sizeof(narrow));
    memset(wide, 0, sizeof(wide));
    return 0;
}

static void two_ipv4_ends_are_told_as_they_were_and_leave_the_wide_table_untouched(void **state)
{
    (void)state;
    static const struct tg_ends_wide untouched[2];
    tg_ends_set(&ends, 1, &v4_peer, &v4_local);
    expect(1, &v4_peer, &v4_local);
    assert_memory_equal(wide, untouched, sizeof(wide));
}

static void ipv6_ends_keep_their_interface(void **state)
{
    (void)state;
    tg_ends_set(&ends, 0, &v6_peer, &v6_local);
    expect(0, &v6_peer, &v6_local);
}

static void a_slot_forgets_the_ends_of_the_connection_before(void **state)
{
    (void)state;
    tg_ends_set(&ends, 0, &v6_peer, &v6_local);
    tg_ends_set(&ends, 1, &v6_local, &v6_peer);
    tg_ends_set(&ends, 0, &v4_peer, &v4_local);
    expect(0, &v4_peer, &v4_local);
    expect(1, &v6_local, &v6_peer);
    tg_ends_set(&ends, 0, &v6_peer, &v6_local);
    expect(0, &v6_peer, &v6_local);
}

static void ends_of_two_families_are_kept_as_they_are(void **state)
{
    (void)state;
    tg_ends_set(&ends, 1, &v4_peer, &v6_local);
    expect(1, &v4_peer, &v6_local);
    tg_ends_set(&ends, 1, &v6_peer, &v4_local);
    expect(1, &v6_peer, &v4_local);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(
            two_ipv4_ends_are_told_as_they_were_and_leave_the_wide_table_untouched, set_up),
        cmocka_unit_test_setup(ipv6_ends_keep_their_interface, set_up),
        cmocka_unit_test_setup(a_slot_forgets_the_ends_of_the_connection_before, set_up),
        cmocka_unit_test_setup(ends_of_two_families_are_kept_as_they_are, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
