/* SPDX-License-Identifier: MIT
 * The assembler: streams cut in every way give the same messages. Its limits are tested in
 * test_assembler_limits.c. */
#include "cut_stream.h"

#include "base/prng.h"

static void whole_messages_are_handed_up_without_a_copy(void **state)
{
    (void)state;
    struct tg_message message;
    start(POOL_BYTES, 65536, THRONG_BYTE_ORDER_BIG);
    add_message(5);
    add_message(0);
    add_message(60000);
    struct tg_input input = {stream.bytes, stream.size};
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(tg_assembler_next(&assembler, &pool, &rules, &input, &message),
                         TG_ASSEMBLY_MESSAGE);
        assert_ptr_equal(message.data, stream.bytes + stream.messages[i].at);
        assert_int_equal(message.size, stream.messages[i].size);
        assert_int_equal(message.block, TG_MESSAGE_NONE);
    }
    assert_int_equal(tg_assembler_next(&assembler, &pool, &rules, &input, &message),
                     TG_ASSEMBLY_NEEDS_INPUT);
    assert_int_equal(input.size, 0);
    assert_int_equal(pool.used_units, 0);
}

static void a_payload_whole_in_its_piece_is_not_copied_if_only_the_header_was_cut(void **state)
{
    (void)state;
    for (size_t cut = 1; cut <= 4; cut++) {
        struct tg_message message;
        start(256, 65536, THRONG_BYTE_ORDER_BIG);
        add_message(1000); /* more than the pool has */
        struct tg_input input = {stream.bytes, cut};
        assert_int_equal(tg_assembler_next(&assembler, &pool, &rules, &input, &message),
                         TG_ASSEMBLY_NEEDS_INPUT);
        assert_true(tg_assembler_is_partial(&assembler));
        input = (struct tg_input){stream.bytes + cut, stream.size - cut};
        assert_int_equal(tg_assembler_next(&assembler, &pool, &rules, &input, &message),
                         TG_ASSEMBLY_MESSAGE);
        assert_ptr_equal(message.data, stream.bytes + 4);
        assert_int_equal(message.block, TG_MESSAGE_NONE);
        assert_int_equal(input.size, 0);
    }
}

static void every_split_position_gives_the_same_messages(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {5, 0, 1, 255, 256, 257, 0, 600, 4095, 4096, 4097, 3};
    for (int order = THRONG_BYTE_ORDER_BIG; order <= THRONG_BYTE_ORDER_LITTLE; order++) {
        start(POOL_BYTES, 65536, (enum throng_byte_order)order);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            add_message(sizes[i]);
        }
        for (size_t cut = 0; cut <= stream.size; cut++) {
            read_stream(&cut, 1);
        }
    }
}

static void every_way_to_cut_a_stream_in_four_gives_the_same_messages(void **state)
{
    (void)state;
    start(POOL_BYTES, 65536, THRONG_BYTE_ORDER_BIG);
    add_message(2);
    add_message(0);
    add_message(9);
    add_message(1);
    assert_int_equal(stream.size, 28);
    size_t cuts[3];
    for (cuts[0] = 0; cuts[0] <= stream.size; cuts[0]++) {
        for (cuts[1] = cuts[0]; cuts[1] <= stream.size; cuts[1]++) {
            for (cuts[2] = cuts[1]; cuts[2] <= stream.size; cuts[2]++) {
                read_stream(cuts, 3);
            }
        }
    }
}

static void every_way_at_all_to_cut_a_short_stream_gives_the_same_messages(void **state)
{
    (void)state;
    start(POOL_BYTES, 65536, THRONG_BYTE_ORDER_BIG);
    add_message(3);
    add_message(0);
    add_message(2);
    assert_int_equal(stream.size, 17);
    for (uint32_t set = 0; set < 1u << 16; set++) { /* bit i: a cut before byte i + 1 */
        size_t cuts[16];
        size_t count = 0;
        for (size_t i = 0; i < 16; i++) {
            if ((set >> i & 1) != 0) {
                cuts[count++] = i + 1;
            }
        }
        read_stream(cuts, count);
    }
}

static void a_stream_byte_by_byte_gives_the_same_messages(void **state)
{
    (void)state;
    start(POOL_BYTES, 65536, THRONG_BYTE_ORDER_BIG);
    add_message(0);
    add_message(4097);
    add_message(65536);
    add_message(0);
    add_message(1);
    for (size_t i = 0; i < stream.size; i++) {
        assert_int_equal(read_piece(stream.bytes + i, 1), TG_ASSEMBLY_NEEDS_INPUT);
        assert_int_equal(tg_assembler_is_partial(&assembler),
                         i != 3 && i != 4104 && i != 69644 && i != 69648 && i != 69653);
    }
    assert_int_equal(stream.seen, 5);
    assert_int_equal(pool.used_units, 0);
}

static void no_input_needs_input(void **state)
{
    (void)state;
    struct tg_message message;
    struct tg_input nothing = {NULL, 0};
    start(POOL_BYTES, 100, THRONG_BYTE_ORDER_BIG);
    assert_int_equal(tg_assembler_next(&assembler, &pool, &rules, &nothing, &message),
                     TG_ASSEMBLY_NEEDS_INPUT);
    assert_false(tg_assembler_is_partial(&assembler));
    assert_int_equal(read_piece((const uint8_t *)"\0\0\0\3a", 5), TG_ASSEMBLY_NEEDS_INPUT);
    assert_int_equal(tg_assembler_next(&assembler, &pool, &rules, &nothing, &message),
                     TG_ASSEMBLY_NEEDS_INPUT);
    assert_true(tg_assembler_is_partial(&assembler));
}

static void a_thousand_empty_messages_hold_no_memory(void **state)
{
    (void)state;
    static const uint8_t zeros[4 * 250];
    uint32_t count = 0;
    start(256, 100, THRONG_BYTE_ORDER_BIG);
    for (int round = 0; round < 4; round++) {
        struct tg_message message;
        struct tg_input input = {test_guard_copy(&guard, zeros, sizeof zeros), sizeof zeros};
        while (tg_assembler_next(&assembler, &pool, &rules, &input, &message) ==
               TG_ASSEMBLY_MESSAGE) {
            assert_non_null(message.data);
            assert_int_equal(message.size, 0);
            assert_int_equal(message.block, TG_MESSAGE_NONE);
            count++;
        }
    }
    assert_int_equal(count, 1000);
}

static void random_messages_and_cuts_agree_with_what_was_sent(void **state)
{
    (void)state;
    struct tg_prng prng = {test_seed()};
    for (uint32_t round = test_scaled(200); round > 0; round--) {
        start(POOL_BYTES, 131072, (enum throng_byte_order)(round % 2));
        while (stream.count < 60 && stream.size < STREAM_MAX - 140000) {
            add_message(tg_prng_below(&prng, 1u << tg_prng_below(&prng, 18)));
        }
        uint32_t longest_piece = 1u << (1 + tg_prng_below(&prng, 16));
        for (size_t at = 0; at < stream.size;) {
            size_t size = 1 + tg_prng_below(&prng, longest_piece);
            size = size < stream.size - at ? size : stream.size - at;
            assert_int_equal(read_piece(stream.bytes + at, size), TG_ASSEMBLY_NEEDS_INPUT);
            at += size;
            assert_true(tg_message_pool_used_bytes(&pool) <= 131072);
        }
        assert_int_equal(stream.seen, stream.count);
        assert_int_equal(pool.used_units, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_messages_are_handed_up_without_a_copy),
        cmocka_unit_test(a_payload_whole_in_its_piece_is_not_copied_if_only_the_header_was_cut),
        cmocka_unit_test(every_split_position_gives_the_same_messages),
        cmocka_unit_test(every_way_to_cut_a_stream_in_four_gives_the_same_messages),
        cmocka_unit_test(every_way_at_all_to_cut_a_short_stream_gives_the_same_messages),
        cmocka_unit_test(a_stream_byte_by_byte_gives_the_same_messages),
        cmocka_unit_test(no_input_needs_input),
        cmocka_unit_test(a_thousand_empty_messages_hold_no_memory),
        cmocka_unit_test(random_messages_and_cuts_agree_with_what_was_sent),
    };
    return cmocka_run_group_tests(tests, open_stream, close_stream);
}
