/* SPDX-License-Identifier: MIT
 * The assembler at its limits: lengths that are too large, memory held and memory missing. */
#include "cut_stream.h"

/* The claimed length is answered, at once and whenever it is asked again; nothing is reserved. */
static void check_too_large(uint32_t length, enum throng_byte_order order, size_t cut)
{
    struct tg_message message = {.size = 0};
    uint8_t data[6] = {0};
    start(256, 1000, order);
    tg_frame_length_write(data, length, order);
    struct tg_input input = {test_guard_copy(&guard, data, cut), cut};
    if (cut < 4) {
        assert_int_equal(tg_assembler_next(&assembler, &pool, &rules, &input, &message),
                         TG_ASSEMBLY_NEEDS_INPUT);
        input = (struct tg_input){test_guard_copy(&guard, data + cut, 6 - cut), 6 - cut};
    }
    for (int again = 0; again < 3; again++) {
        message.size = 0;
        assert_int_equal(tg_assembler_next(&assembler, &pool, &rules, &input, &message),
                         TG_ASSEMBLY_TOO_LARGE);
        assert_int_equal(message.size, length);
    }
    assert_int_equal(pool.used_units, 0);
}

static void a_length_over_the_limit_is_too_large_wherever_the_header_is_cut(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {1001,       0x7fffffff, 0x80000000,
                                       0xfffffffb, 0xfffffffc, 0xffffffff};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (size_t cut = 0; cut <= 6; cut++) {
            check_too_large(lengths[i], THRONG_BYTE_ORDER_BIG, cut);
            check_too_large(lengths[i], THRONG_BYTE_ORDER_LITTLE, cut);
        }
    }
}

static void the_limit_itself_is_not_too_large(void **state)
{
    (void)state;
    for (uint32_t size = 999; size <= 1000; size++) {
        start(POOL_BYTES, 1000, THRONG_BYTE_ORDER_BIG);
        add_message(size);
        for (size_t cut = 0; cut <= 10; cut++) {
            read_stream(&cut, 1);
        }
    }
}

static void messages_before_the_violation_still_come(void **state)
{
    (void)state;
    start(POOL_BYTES, 1000, THRONG_BYTE_ORDER_BIG);
    add_message(10);
    add_message(20);
    add_message(1001);
    assert_int_equal(read_piece(stream.bytes, stream.size), TG_ASSEMBLY_TOO_LARGE);
    assert_int_equal(stream.seen, 2);
}

static void a_claimed_length_reserves_nothing_that_did_not_come(void **state)
{
    (void)state;
    static const uint32_t pieces[] = {1, 3, 100, 256, 257, 1000, 1460, 65536};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        start(POOL_BYTES, STREAM_MAX - 4, THRONG_BYTE_ORDER_BIG);
        add_message(STREAM_MAX - 4);
        assert_int_equal(read_piece(stream.bytes, 4), TG_ASSEMBLY_NEEDS_INPUT);
        assert_int_equal(pool.used_units, 0);
        size_t stop = pieces[i] < 100 ? 3000 : stream.size;
        for (size_t at = 4; at < stop;) {
            size_t size = stop - at < pieces[i] ? stop - at : pieces[i];
            assert_int_equal(read_piece(stream.bytes + at, size), TG_ASSEMBLY_NEEDS_INPUT);
            at += size;
            assert_true(tg_message_pool_used_bytes(&pool) <= 2 * (at - 4) + 256);
        }
        assert_int_equal(stream.seen, stop == stream.size);
        tg_assembler_reset(&assembler, &pool);
        assert_int_equal(pool.used_units, 0);
    }
}

static void a_short_message_gets_its_whole_block_at_once(void **state)
{
    (void)state;
    start(POOL_BYTES, 65536, THRONG_BYTE_ORDER_BIG);
    add_message(4096);
    add_message(4097);
    read_piece(stream.bytes, 5);
    assert_int_equal(tg_message_pool_used_bytes(&pool), 4096);
    read_piece(stream.bytes + 5, 4095 + 5);
    assert_int_equal(stream.seen, 1);
    assert_int_equal(tg_message_pool_used_bytes(&pool), 256);
}

static void a_block_belongs_to_whoever_got_the_message(void **state)
{
    (void)state;
    struct tg_message first;
    start(POOL_BYTES, 65536, THRONG_BYTE_ORDER_BIG);
    add_message(300);
    add_message(400);
    assert_int_equal(read_piece(stream.bytes, 100), TG_ASSEMBLY_NEEDS_INPUT);
    struct tg_input input = {stream.bytes + 100, 400}; /* ends inside the second one */
    assert_int_equal(tg_assembler_next(&assembler, &pool, &rules, &input, &first),
                     TG_ASSEMBLY_MESSAGE);
    assert_int_not_equal(first.block, TG_MESSAGE_NONE);
    assert_int_equal(read_input(&input), TG_ASSEMBLY_NEEDS_INPUT);
    assert_int_equal(tg_message_pool_used_bytes(&pool), 1024);
    check_message(&first);
    assert_int_equal(read_piece(stream.bytes + 500, stream.size - 500), TG_ASSEMBLY_NEEDS_INPUT);
    assert_int_equal(stream.seen, 2);
    assert_memory_equal(first.data, stream.bytes + 4, 300); /* untouched by the second */
    tg_message_pool_give(&pool, first.block);
    assert_int_equal(pool.used_units, 0);
}

static void a_reset_gives_everything_back(void **state)
{
    (void)state;
    start(POOL_BYTES, 65536, THRONG_BYTE_ORDER_BIG);
    add_message(5000);
    for (size_t cut = 0; cut < stream.size; cut += 7) {
        assert_int_equal(read_piece(stream.bytes, cut), TG_ASSEMBLY_NEEDS_INPUT);
        assert_int_equal(tg_assembler_is_partial(&assembler), cut > 0);
        tg_assembler_reset(&assembler, &pool);
        assert_false(tg_assembler_is_partial(&assembler));
        assert_int_equal(pool.used_units, 0);
    }
    size_t none = 0;
    read_stream(&none, 1); /* as new */
}

/* The pool is used up when the first payload byte, or any later one, asks for it. */
static void assembly_resumes_when_there_is_memory_again(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 6004; cut += 41) {
        start(16384, 65536, THRONG_BYTE_ORDER_BIG);
        add_message(6000);
        add_message(7);
        assert_int_equal(read_piece(stream.bytes, cut), TG_ASSEMBLY_NEEDS_INPUT);
        uint32_t others[16384 / 256 + 1];
        uint32_t count = 0;
        while ((others[count] = tg_message_pool_take(&pool, 256)) != TG_MESSAGE_NONE) {
            count++;
        }
        size_t used = tg_message_pool_used_bytes(&pool);
        /* Not the whole message, or it would be handed up from the input while only the header was
         * cut. */
        size_t until = cut + 1000 < 6003 ? cut + 1000 : 6003;
        struct tg_input input = {stream.bytes + cut, until - cut};
        enum tg_assembly answer = read_input(&input);
        while (answer == TG_ASSEMBLY_NO_MEMORY && count > 0) {
            assert_true(input.size > 0);
            assert_true(tg_assembler_is_partial(&assembler));
            assert_int_equal(tg_message_pool_used_bytes(&pool), used);
            assert_int_equal(read_input(&input), TG_ASSEMBLY_NO_MEMORY); /* and again */
            tg_message_pool_give(&pool, others[--count]);
            used -= 256;
            answer = read_input(&input);
        }
        assert_int_equal(answer, TG_ASSEMBLY_NEEDS_INPUT);
        assert_int_equal(input.size, 0);
        while (count > 0) {
            tg_message_pool_give(&pool, others[--count]);
        }
        assert_int_equal(read_piece(stream.bytes + until, stream.size - until),
                         TG_ASSEMBLY_NEEDS_INPUT);
        assert_int_equal(stream.seen, 2);
        assert_int_equal(pool.used_units, 0);
    }
}

/* What lacks memory goes on in a block that was set aside, and asks for no more. */
static void a_kept_block_holds_the_message_to_its_end(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 6004; cut += 41) {
        start(16384, 6000, THRONG_BYTE_ORDER_BIG);
        tg_message_pool_keep(&pool, 6000, 1);
        add_message(6000);
        assert_int_equal(read_piece(stream.bytes, cut), TG_ASSEMBLY_NEEDS_INPUT);
        while (tg_message_pool_take(&pool, 256) != TG_MESSAGE_NONE) {
        }
        size_t at = cut;
        for (; at < stream.size && read_piece(stream.bytes + at, 1) == TG_ASSEMBLY_NEEDS_INPUT;
             at++) {
        }
        if (at < stream.size) { /* the byte was not taken */
            assert_true(tg_assembler_take_kept(&assembler, &pool));
            assert_false(tg_assembler_take_kept(&assembler, &pool));
            assert_int_equal(tg_message_pool_capacity(&pool, assembler.block), 8192);
            for (; at < stream.size; at++) {
                assert_int_equal(read_piece(stream.bytes + at, 1), TG_ASSEMBLY_NEEDS_INPUT);
            }
        }
        assert_int_equal(stream.seen, 1);
        assert_int_equal(pool.kept_here, 1); /* it came back with the message */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_over_the_limit_is_too_large_wherever_the_header_is_cut),
        cmocka_unit_test(the_limit_itself_is_not_too_large),
        cmocka_unit_test(messages_before_the_violation_still_come),
        cmocka_unit_test(a_claimed_length_reserves_nothing_that_did_not_come),
        cmocka_unit_test(a_short_message_gets_its_whole_block_at_once),
        cmocka_unit_test(a_block_belongs_to_whoever_got_the_message),
        cmocka_unit_test(a_reset_gives_everything_back),
        cmocka_unit_test(assembly_resumes_when_there_is_memory_again),
        cmocka_unit_test(a_kept_block_holds_the_message_to_its_end),
    };
    return cmocka_run_group_tests(tests, open_stream, close_stream);
}
