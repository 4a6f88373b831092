/* SPDX-License-Identifier: MIT
 * The frame codec. Every input ends at a guard page. */
#include "codec/frame.h"

#include <string.h>

#include "check.h"
#include "guard.h"

static struct test_guard guard;

static int open_guard(void **state)
{
    (void)state;
    test_guard_open(&guard, 4096);
    return 0;
}

static int close_guard(void **state)
{
    (void)state;
    test_guard_close(&guard);
    return 0;
}

static const struct tg_frame_rules rules = {.message_bytes_max = 1000,
                                            .byte_order = THRONG_BYTE_ORDER_BIG};

static void the_length_is_written_in_either_byte_order(void **state)
{
    (void)state;
    uint8_t *header = test_guard_tail(&guard, 4);
    tg_frame_length_write(header, 0x01020304, THRONG_BYTE_ORDER_BIG);
    assert_memory_equal(header, "\x01\x02\x03\x04", 4);
    assert_int_equal(tg_frame_length_read(header, THRONG_BYTE_ORDER_BIG), 0x01020304);
    assert_int_equal(tg_frame_length_read(header, THRONG_BYTE_ORDER_LITTLE), 0x04030201);
    tg_frame_length_write(header, 0xfffefdfc, THRONG_BYTE_ORDER_LITTLE);
    assert_memory_equal(header, "\xfc\xfd\xfe\xff", 4);
    assert_int_equal(tg_frame_length_read(header, THRONG_BYTE_ORDER_LITTLE), 0xfffefdfc);
    assert_int_equal(tg_frame_length_read(header, THRONG_BYTE_ORDER_BIG), 0xfcfdfeff);
}

static void the_examples_of_the_specification_are_read(void **state)
{
    (void)state;
    struct tg_frame frame = {0};
    const uint8_t *hello = test_guard_copy(&guard, "\0\0\0\5hello", 9);
    assert_int_equal(tg_frame_read(hello, 9, &rules, &frame), TG_FRAME_WHOLE);
    assert_int_equal(frame.size, 5);
    assert_ptr_equal(frame.payload, hello + 4);

    struct tg_frame_rules little = rules;
    little.byte_order = THRONG_BYTE_ORDER_LITTLE;
    hello = test_guard_copy(&guard, "\5\0\0\0hello", 9);
    assert_int_equal(tg_frame_read(hello, 9, &little, &frame), TG_FRAME_WHOLE);
    assert_int_equal(frame.size, 5);
    assert_ptr_equal(frame.payload, hello + 4);
    assert_int_equal(tg_frame_read(hello, 9, &rules, &frame), TG_FRAME_TOO_LARGE);
    assert_int_equal(frame.size, 0x05000000);
}

static void an_empty_message_is_a_whole_frame(void **state)
{
    (void)state;
    struct tg_frame frame = {0};
    const uint8_t *empty = test_guard_copy(&guard, "\0\0\0\0", 4);
    assert_int_equal(tg_frame_read(empty, 4, &rules, &frame), TG_FRAME_WHOLE);
    assert_int_equal(frame.size, 0);
    assert_ptr_equal(frame.payload, empty + 4);
}

static void every_shorter_piece_is_partial(void **state)
{
    (void)state;
    struct tg_frame frame = {0};
    for (size_t size = 0; size < 9; size++) {
        const uint8_t *piece = test_guard_copy(&guard, "\0\0\0\5hello", size);
        frame.size = 77;
        assert_int_equal(tg_frame_read(piece, size, &rules, &frame), TG_FRAME_PARTIAL);
        assert_int_equal(frame.size, size < 4 ? 77 : 5);
    }
}

static void bytes_behind_the_frame_belong_to_the_next_one(void **state)
{
    (void)state;
    struct tg_frame frame = {0};
    const uint8_t *two = test_guard_copy(&guard, "\0\0\0\1a\0\0\0\2bc", 11);
    assert_int_equal(tg_frame_read(two, 11, &rules, &frame), TG_FRAME_WHOLE);
    assert_int_equal(frame.size, 1);
    assert_ptr_equal(frame.payload, two + 4);
}

static void the_limit_is_the_longest_message(void **state)
{
    (void)state;
    static const struct {
        uint32_t length;
        enum tg_frame_status header_alone;
    } rows[] = {{999, TG_FRAME_PARTIAL}, {1000, TG_FRAME_PARTIAL}, {1001, TG_FRAME_TOO_LARGE}};
    for (size_t i = 0; i < 3; i++) {
        struct tg_frame frame = {0};
        size_t whole = 4 + (size_t)rows[i].length;
        uint8_t *data = test_guard_tail(&guard, whole);
        tg_frame_length_write(data, rows[i].length, THRONG_BYTE_ORDER_BIG);
        enum tg_frame_status with_payload = rows[i].length <= 1000 ? TG_FRAME_WHOLE
                                                                   : TG_FRAME_TOO_LARGE;
        assert_int_equal(tg_frame_read(data, whole, &rules, &frame), with_payload);
        assert_int_equal(frame.size, rows[i].length);
        const uint8_t *header = test_guard_copy(&guard, data, 4);
        assert_int_equal(tg_frame_read(header, 4, &rules, &frame), rows[i].header_alone);
        assert_int_equal(frame.size, rows[i].length);
    }
}

static void the_smallest_and_the_hardest_limit_hold(void **state)
{
    (void)state;
    struct tg_frame frame = {0};
    struct tg_frame_rules one = {.message_bytes_max = 1};
    const uint8_t *data = test_guard_copy(&guard, "\0\0\0\1x", 5);
    assert_int_equal(tg_frame_read(data, 5, &one, &frame), TG_FRAME_WHOLE);
    data = test_guard_copy(&guard, "\0\0\0\2xy", 6);
    assert_int_equal(tg_frame_read(data, 6, &one, &frame), TG_FRAME_TOO_LARGE);

    struct tg_frame_rules hardest = {.message_bytes_max = THRONG_MESSAGE_BYTES_LIMIT};
    data = test_guard_copy(&guard, "\4\0\0\0", 4); /* 64 MiB */
    assert_int_equal(tg_frame_read(data, 4, &hardest, &frame), TG_FRAME_PARTIAL);
    assert_int_equal(frame.size, 67108864);
    data = test_guard_copy(&guard, "\4\0\0\1", 4);
    assert_int_equal(tg_frame_read(data, 4, &hardest, &frame), TG_FRAME_TOO_LARGE);
    assert_int_equal(frame.size, 67108865);
}

/* Lengths that other decoders took for negative numbers, or that wrap when a header is added. */
static void hostile_lengths_are_too_large_in_either_byte_order(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {1001,       0x7fffffff, 0x80000000, 0x80000001,
                                       0xfffffffb, 0xfffffffc, 0xffffffff};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (int order = THRONG_BYTE_ORDER_BIG; order <= THRONG_BYTE_ORDER_LITTLE; order++) {
            struct tg_frame frame = {0};
            struct tg_frame_rules ordered = rules;
            ordered.byte_order = (enum throng_byte_order)order;
            for (size_t size = 4; size <= 8; size++) {
                uint8_t *data = test_guard_tail(&guard, size);
                memset(data, 0, size);
                tg_frame_length_write(data, lengths[i], ordered.byte_order);
                assert_int_equal(tg_frame_read(data, size, &ordered, &frame), TG_FRAME_TOO_LARGE);
                assert_int_equal(frame.size, lengths[i]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_length_is_written_in_either_byte_order),
        cmocka_unit_test(the_examples_of_the_specification_are_read),
        cmocka_unit_test(an_empty_message_is_a_whole_frame),
        cmocka_unit_test(every_shorter_piece_is_partial),
        cmocka_unit_test(bytes_behind_the_frame_belong_to_the_next_one),
        cmocka_unit_test(the_limit_is_the_longest_message),
        cmocka_unit_test(the_smallest_and_the_hardest_limit_hold),
        cmocka_unit_test(hostile_lengths_are_too_large_in_either_byte_order),
    };
    return cmocka_run_group_tests(tests, open_guard, close_guard);
}
