/* SPDX-License-Identifier: MIT
 * The scan before MessagePack-C: every limit at -1/0/+1, every split, hostile rows. Every input
 * ends at a guard page. */
#include "message/scan.h"

#include <string.h>

#include "check.h"
#include "guard.h"

static struct test_guard guard;
static struct throng_message_fault fault;

/* Bytes of a literal, which may have NULs inside. */
#define SCAN(text, limits) scan(text, sizeof(text) - 1, limits)

static int scan(const void *data, size_t size, const struct throng_message_limits *limits)
{
    return throng_message_scan(test_guard_copy(&guard, data, size), size, limits, &fault);
}

static void expect_fault(int code, enum throng_message_fault_kind kind, size_t offset,
                         uint64_t value, uint64_t limit)
{
    assert_int_equal(fault.code, code);
    assert_int_equal(fault.kind, kind);
    assert_int_equal(fault.offset, offset);
    assert_int_equal(fault.value, value);
    assert_int_equal(fault.limit, limit);
}

/* One value of each form, with the bytes it has in all; the rest is zeros. */
static const struct form {
    uint8_t bytes[6];
    size_t size;
} forms[] = {
    {{0x00}, 1},
    {{0x7f}, 1},
    {{0xe0}, 1},
    {{0xff}, 1},
    {{0xc0}, 1},
    {{0xc2}, 1},
    {{0xc3}, 1},
    {{0x80}, 1},
    {{0x90}, 1},
    {{0xa0}, 1},
    {{0xa3}, 4},
    {{0xbf}, 32},
    {{0xc4, 0}, 2},
    {{0xc4, 5}, 7},
    {{0xc5, 1, 0}, 259},
    {{0xc6, 0, 0, 0, 2}, 7},
    {{0xca}, 5},
    {{0xcb}, 9},
    {{0xcc}, 2},
    {{0xcd}, 3},
    {{0xce}, 5},
    {{0xcf}, 9},
    {{0xd0}, 2},
    {{0xd1}, 3},
    {{0xd2}, 5},
    {{0xd3}, 9},
    {{0xd9, 40}, 42},
    {{0xda, 1, 1}, 260},
    {{0xdb, 0, 0, 0, 3}, 8},
    {{0xd4}, 3},
    {{0xd5}, 4},
    {{0xd6}, 6},
    {{0xd7}, 10},
    {{0xd8}, 18},
    {{0xc7, 4}, 7},
    {{0xc8, 0, 4}, 8},
    {{0xc9, 0, 0, 0, 4}, 10},
    {{0x92}, 3},
    {{0xdc, 0, 2}, 5},
    {{0xdd, 0, 0, 0, 2}, 7},
};

static const struct throng_message_limits liberal = {.any_keys = true, .ext_allowed = true};

static void every_form_passes_whole_and_at_no_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        uint8_t bytes[300] = {0};
        memcpy(bytes, forms[i].bytes, sizeof forms[i].bytes);
        assert_int_equal(scan(bytes, forms[i].size, &liberal), 0);
        for (size_t size = 0; size < forms[i].size; size++) {
            assert_int_equal(scan(bytes, size, &liberal), THRONG_EPROTOCOL);
            assert_true(fault.kind == THRONG_FAULT_TRUNCATED || fault.kind == THRONG_FAULT_COUNT);
        }
        assert_int_equal(scan(bytes, forms[i].size + 1, &liberal), THRONG_EPROTOCOL);
        expect_fault(THRONG_EPROTOCOL, THRONG_FAULT_TRAILING, forms[i].size, 1, 0);
    }
}

static void maps_pass_whole_and_at_no_split(void **state)
{
    static const char *const maps[] = {"\x82\xa1x\x01\xa1y\xc0", "\x81\xa2xy\x92\x01\x81\xa1z\xc3"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const size_t whole = strlen(maps[i]);
        assert_int_equal(scan(maps[i], whole, NULL), 0);
        for (size_t size = 0; size < whole; size++) {
            assert_int_equal(scan(maps[i], size, NULL), THRONG_EPROTOCOL);
        }
    }
    assert_int_equal(SCAN("\xde\0\1\xa1x\1", NULL), 0);
    assert_int_equal(SCAN("\xdf\0\0\0\1\xa1x\1", NULL), 0);
}

/* Those whose length is a byte are passed at a glance, so they are cut here inside containers. */
static void a_bin_inside_is_whole_and_within_its_limit(void **state)
{
    static const char *const texts[] = {"\x92\xc4\3abc\xd9\3abc",
                                        "\x82\xa1x\xc4\3abc\xa1y\xd9\3abc"};
    struct throng_message_limits limits = {.string_bytes_max = 40};
    uint8_t bytes[48] = {0x81, 0xa1, 'x', 0xc4, 40};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const size_t whole = strlen(texts[i]);
        assert_int_equal(scan(texts[i], whole, NULL), 0);
        for (size_t size = 0; size < whole; size++) {
            assert_int_equal(scan(texts[i], size, NULL), THRONG_EPROTOCOL);
        }
    }
    assert_int_equal(scan(bytes, 45, &limits), 0);
    bytes[4] = 41;
    assert_int_equal(scan(bytes, 46, &limits), THRONG_ETOOBIG);
    expect_fault(THRONG_ETOOBIG, THRONG_FAULT_STRING_BYTES, 3, 41, 40);
}

static void every_first_byte_alone_is_a_value_or_an_error(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        const uint8_t byte = (uint8_t)first;
        const bool whole = first <= 0x80 || first == 0x90 || first == 0xa0 || first == 0xc0 ||
                           first == 0xc2 || first == 0xc3 || first >= 0xe0;
        assert_int_equal(scan(&byte, 1, &liberal), whole ? 0 : THRONG_EPROTOCOL);
    }
    assert_int_equal(SCAN("\xc1", &liberal), THRONG_EPROTOCOL);
    expect_fault(THRONG_EPROTOCOL, THRONG_FAULT_RESERVED, 0, 0xc1, 0);
}

static void five_hostile_bytes_reserve_nothing(void **state)
{
    (void)state;
    assert_int_equal(SCAN("\xdd\x10\0\0\0", &liberal), THRONG_EPROTOCOL);
    expect_fault(THRONG_EPROTOCOL, THRONG_FAULT_COUNT, 0, 0x10000000, 0);
    assert_int_equal(SCAN("\xdf\x08\0\0\0", &liberal), THRONG_EPROTOCOL);
    expect_fault(THRONG_EPROTOCOL, THRONG_FAULT_COUNT, 0, 0x08000000, 0);
    assert_int_equal(SCAN("\xdd\xff\xff\xff\xff", &liberal), THRONG_EPROTOCOL);
    assert_int_equal(SCAN("\xdf\xff\xff\xff\xff", &liberal), THRONG_EPROTOCOL);
    assert_int_equal(SCAN("\xdb\xff\xff\xff\xff", &liberal), THRONG_ETOOBIG);
    assert_int_equal(SCAN("\xc6\xff\xff\xff\xff", &liberal), THRONG_ETOOBIG);
    assert_int_equal(SCAN("\xc9\xff\xff\xff\xff", &liberal), THRONG_ETOOBIG);
}

/* Each level promises what all of the rest could hold, but only once. */
static void nested_promises_are_counted_together(void **state)
{
    static const uint8_t array_of_90[] = {0xdc, 0, 90};
    uint8_t bytes[93];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i += 3) {
        memcpy(bytes + i, array_of_90, sizeof array_of_90);
    }
    assert_int_equal(scan(bytes, sizeof bytes, &liberal), THRONG_EPROTOCOL);
    expect_fault(THRONG_EPROTOCOL, THRONG_FAULT_COUNT, 3, 90, 87);
}

static void a_count_that_just_fits_passes(void **state)
{
    (void)state;
    assert_int_equal(SCAN("\x93\1\2\3", NULL), 0);
    assert_int_equal(SCAN("\x93\1\2", NULL), THRONG_EPROTOCOL);
    expect_fault(THRONG_EPROTOCOL, THRONG_FAULT_COUNT, 0, 3, 2);
    assert_int_equal(SCAN("\x92\x91\1\2", NULL), 0);
    assert_int_equal(SCAN("\x92\x92\1\2", NULL), THRONG_EPROTOCOL);
    expect_fault(THRONG_EPROTOCOL, THRONG_FAULT_COUNT, 1, 2, 2);
}

static void depth_is_refused_beyond_its_limit(void **state)
{
    static uint8_t bytes[100001];
    struct throng_message_limits limits = {.bytes_max = sizeof bytes, .nodes_max = 1000000};
    (void)state;
    memset(bytes, 0x91, sizeof bytes);
    for (uint32_t depth = 1; depth <= 30; depth++) {
        limits.depth_max = depth;
        bytes[depth] = 0xc0;
        assert_int_equal(scan(bytes, depth + 1, &limits), 0);
        bytes[depth] = 0x90; /* an empty one is a level too */
        assert_int_equal(scan(bytes, depth + 1, &limits), THRONG_ETOOBIG);
        expect_fault(THRONG_ETOOBIG, THRONG_FAULT_DEPTH, depth, depth + 1, depth);
        bytes[depth] = 0x91;
    }
    assert_int_equal(throng_message_scan(bytes, sizeof bytes, &limits, &fault), THRONG_ETOOBIG);
    expect_fault(THRONG_ETOOBIG, THRONG_FAULT_DEPTH, 30, 31, 30);
    limits.depth_max = 31;
    assert_int_equal(scan(bytes, 1, &limits), THRONG_EINVAL);
}

static void nodes_are_refused_beyond_their_limit(void **state)
{
    struct throng_message_limits limits = {.nodes_max = 7};
    (void)state;
    /* A map of two, an array of two: 1 + 4 + 2. */
    assert_int_equal(SCAN("\x82\xa1x\1\xa1y\x92\1\2", &limits), 0);
    limits.nodes_max = 6;
    assert_int_equal(SCAN("\x82\xa1x\1\xa1y\x92\1\2", &limits), THRONG_ETOOBIG);
    expect_fault(THRONG_ETOOBIG, THRONG_FAULT_NODES, 6, 7, 6);
    limits.nodes_max = 8;
    assert_int_equal(SCAN("\x82\xa1x\1\xa1y\x92\1\2", &limits), 0);
}

static void strings_and_keys_are_refused_beyond_their_limits(void **state)
{
    struct throng_message_limits limits = {.string_bytes_max = 4, .key_bytes_max = 3};
    (void)state;
    assert_int_equal(SCAN("\xa3xyz", &limits), 0);
    assert_int_equal(SCAN("\xa4wxyz", &limits), 0);
    assert_int_equal(SCAN("\xa5vwxyz", &limits), THRONG_ETOOBIG);
    expect_fault(THRONG_ETOOBIG, THRONG_FAULT_STRING_BYTES, 0, 5, 4);
    assert_int_equal(SCAN("\xc4\4wxyz", &limits), 0);
    assert_int_equal(SCAN("\xc4\5vwxyz", &limits), THRONG_ETOOBIG);
    assert_int_equal(SCAN("\x81\xa2yz\1", &limits), 0);
    assert_int_equal(SCAN("\x81\xa3xyz\1", &limits), 0);
    assert_int_equal(SCAN("\x81\xa4wxyz\1", &limits), THRONG_ETOOBIG);
    expect_fault(THRONG_ETOOBIG, THRONG_FAULT_KEY_BYTES, 1, 4, 3);
    assert_int_equal(SCAN("\x81\xd9\4wxyz\1", &limits), THRONG_ETOOBIG);
}

static void bytes_are_refused_beyond_their_limit(void **state)
{
    const struct throng_message_limits limits = {.bytes_max = 4};
    (void)state;
    assert_int_equal(SCAN("\xa2yz", &limits), 0);
    assert_int_equal(SCAN("\xa3xyz", &limits), 0);
    assert_int_equal(SCAN("\xa4wxyz", &limits), THRONG_ETOOBIG);
    expect_fault(THRONG_ETOOBIG, THRONG_FAULT_BYTES, 4, 5, 4);
}

static void keys_are_strings_unless_others_are_allowed(void **state)
{
    const struct throng_message_limits any = {.any_keys = true};
    (void)state;
    assert_int_equal(SCAN("\x81\1\2", NULL), THRONG_EPROTOCOL);
    expect_fault(THRONG_EPROTOCOL, THRONG_FAULT_KEY, 1, 1, 0);
    assert_int_equal(SCAN("\x81\1\2", &any), 0);
    assert_int_equal(SCAN("\x82\xa1x\1\x90\2", NULL), THRONG_EPROTOCOL);
    assert_int_equal(SCAN("\x82\xa1x\1\x91\1\2", &any), 0);
    assert_int_equal(SCAN("\x81\xa1x\x81\1\2", NULL), THRONG_EPROTOCOL);
    expect_fault(THRONG_EPROTOCOL, THRONG_FAULT_KEY, 4, 1, 0);
}

static void extensions_are_refused_unless_allowed(void **state)
{
    const struct throng_message_limits with = {.ext_allowed = true};
    (void)state;
    assert_int_equal(SCAN("\xd6\xff\0\0\0\0", NULL), THRONG_EPROTOCOL);
    expect_fault(THRONG_EPROTOCOL, THRONG_FAULT_EXT, 0, 0xd6, 0);
    assert_int_equal(SCAN("\xd6\xff\0\0\0\0", &with), 0);
    assert_int_equal(SCAN("\x91\xc7\0\1", NULL), THRONG_EPROTOCOL);
    expect_fault(THRONG_EPROTOCOL, THRONG_FAULT_EXT, 1, 0xc7, 0);
}

static void the_fault_names_value_and_limit(void **state)
{
    struct throng_error error;
    const struct throng_message_limits limits = {.string_bytes_max = 4};
    (void)state;
    (void)SCAN("\x91\xa5vwxyz", &limits);
    throng_message_fault_text(&fault, &error);
    assert_int_equal(error.code, THRONG_ETOOBIG);
    assert_string_equal(error.text, "at byte 1: a string or bin is too long: 5 bytes; at most 4");
    (void)SCAN("\xdd\x10\0\0\0", NULL);
    throng_message_fault_text(&fault, &error);
    assert_string_equal(error.text,
                        "at byte 0: an array or map announces more values than there are "
                        "bytes left: 268435456; 0 bytes left");
}

static void limits_out_of_range_are_refused(void **state)
{
    struct throng_message_limits limits = {.bytes_max = 64u * 1024 * 1024};
    (void)state;
    assert_int_equal(SCAN("\1", &limits), 0);
    limits.bytes_max++;
    assert_int_equal(SCAN("\1", &limits), THRONG_EINVAL);
    limits = (struct throng_message_limits){.nodes_max = 16u * 1024 * 1024 + 1};
    assert_int_equal(SCAN("\1", &limits), THRONG_EINVAL);
    assert_int_equal(throng_message_scan(NULL, 1, NULL, NULL), THRONG_EINVAL);
    assert_int_equal(throng_message_scan(NULL, 0, NULL, NULL), THRONG_EPROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_passes_whole_and_at_no_split),
        cmocka_unit_test(maps_pass_whole_and_at_no_split),
        cmocka_unit_test(a_bin_inside_is_whole_and_within_its_limit),
        cmocka_unit_test(every_first_byte_alone_is_a_value_or_an_error),
        cmocka_unit_test(five_hostile_bytes_reserve_nothing),
        cmocka_unit_test(nested_promises_are_counted_together),
        cmocka_unit_test(a_count_that_just_fits_passes),
        cmocka_unit_test(depth_is_refused_beyond_its_limit),
        cmocka_unit_test(nodes_are_refused_beyond_their_limit),
        cmocka_unit_test(strings_and_keys_are_refused_beyond_their_limits),
        cmocka_unit_test(bytes_are_refused_beyond_their_limit),
        cmocka_unit_test(keys_are_strings_unless_others_are_allowed),
        cmocka_unit_test(extensions_are_refused_unless_allowed),
        cmocka_unit_test(the_fault_names_value_and_limit),
        cmocka_unit_test(limits_out_of_range_are_refused),
    };
    test_guard_open(&guard, 4096);
    int failed = cmocka_run_group_tests_name("message_scan", tests, NULL, NULL);
    test_guard_close(&guard);
    return failed;
}
