/* SPDX-License-Identifier: MIT
 * The client's outbox. Its memory ends at a guard page. */
#include "outbox.h"

#include <string.h>

#include "base/prng.h"
#include "check.h"
#include "guard.h"

#define CAPACITY 24u

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

/* An empty outbox whose next byte goes to place `begin` of its memory. */
static void open_outbox(struct tg_outbox *outbox, size_t begin)
{
    tg_outbox_init(outbox, test_guard_tail(&guard, CAPACITY), CAPACITY);
    outbox->begin = begin;
}

/* Takes out everything that waits, in pieces of at most `piece_max`. Answers how much it was. */
static size_t drain(struct tg_outbox *outbox, uint8_t *bytes, size_t piece_max)
{
    size_t total = 0;
    size_t size;
    const uint8_t *front;
    while (front = tg_outbox_front(outbox, &size), size > 0) {
        size = size < piece_max ? size : piece_max;
        memcpy(bytes + total, front, size);
        tg_outbox_pop(outbox, size);
        total += size;
    }
    return total;
}

static void frames_come_out_as_they_went_in_wherever_the_memory_ends(void **state)
{
    (void)state;
    for (size_t begin = 0; begin < CAPACITY; begin++) {
        for (size_t piece_max = 1; piece_max <= CAPACITY; piece_max++) {
            struct tg_outbox outbox;
            uint8_t bytes[CAPACITY];
            open_outbox(&outbox, begin);
            tg_outbox_push(&outbox, "hello", 5, THRONG_BYTE_ORDER_BIG);
            tg_outbox_push(&outbox, NULL, 0, THRONG_BYTE_ORDER_BIG);
            tg_outbox_push(&outbox, "throngs", 7, THRONG_BYTE_ORDER_LITTLE);
            assert_int_equal(outbox.size, 24);
            assert_int_equal(drain(&outbox, bytes, piece_max), 24);
            assert_memory_equal(bytes, "\0\0\0\5hello\0\0\0\0\7\0\0\0throngs", 24);
        }
    }
}

static void a_frame_fits_up_to_the_last_byte(void **state)
{
    struct tg_outbox outbox;
    (void)state;
    open_outbox(&outbox, 7);
    assert_true(tg_outbox_fits(&outbox, 19));
    assert_true(tg_outbox_fits(&outbox, 20));
    assert_false(tg_outbox_fits(&outbox, 21));
    assert_false(tg_outbox_fits(&outbox, SIZE_MAX));
    tg_outbox_push(&outbox, "0123456789", 10, THRONG_BYTE_ORDER_BIG);
    assert_true(tg_outbox_fits(&outbox, 6));
    assert_false(tg_outbox_fits(&outbox, 7));
    tg_outbox_push(&outbox, "012", 3, THRONG_BYTE_ORDER_BIG);
    assert_false(tg_outbox_fits(&outbox, 0)); /* three bytes are left, a header has four */
    tg_outbox_pop(&outbox, 1);
    assert_true(tg_outbox_fits(&outbox, 0));
    assert_false(tg_outbox_fits(&outbox, 1));
}

static void an_empty_outbox_begins_at_the_front_again(void **state)
{
    struct tg_outbox outbox;
    uint8_t bytes[CAPACITY];
    size_t size;
    (void)state;
    open_outbox(&outbox, 20);
    tg_outbox_push(&outbox, "hello", 5, THRONG_BYTE_ORDER_BIG);
    (void)tg_outbox_front(&outbox, &size);
    assert_int_equal(size, 4);
    (void)drain(&outbox, bytes, CAPACITY);
    tg_outbox_push(&outbox, "hello", 5, THRONG_BYTE_ORDER_BIG);
    assert_ptr_equal(tg_outbox_front(&outbox, &size), outbox.bytes);
    assert_int_equal(size, 9);
    tg_outbox_clear(&outbox);
    (void)tg_outbox_front(&outbox, &size);
    assert_int_equal(size, 0);
    assert_true(tg_outbox_fits(&outbox, 20));
}

/* The bytes of the endless stream 0, 1, 2 ... in frames of drawn sizes. */
static void drawn_frames_pass_in_order(void **state)
{
    struct tg_outbox outbox;
    struct tg_prng prng = {test_seed()};
    uint8_t expected[4096];
    uint8_t bytes[4096];
    (void)state;
    for (uint32_t round = 0; round < test_scaled(10000); round++) {
        size_t in = 0;
        size_t out = 0;
        open_outbox(&outbox, 0);
        while (in < 4000) {
            uint32_t size = tg_prng_below(&prng, CAPACITY - 3);
            if (tg_outbox_fits(&outbox, size)) {
                memset(expected + in, 0, 3);
                expected[in + 3] = (uint8_t)size;
                for (uint32_t i = 0; i < size; i++) {
                    expected[in + 4 + i] = (uint8_t)(in + i);
                }
                tg_outbox_push(&outbox, expected + in + 4, size, THRONG_BYTE_ORDER_BIG);
                in += 4 + size;
            }
            size_t piece;
            const uint8_t *front = tg_outbox_front(&outbox, &piece);
            piece = piece == 0 ? 0 : tg_prng_below(&prng, (uint32_t)piece + 1);
            memcpy(bytes + out, front, piece);
            tg_outbox_pop(&outbox, piece);
            out += piece;
        }
        out += drain(&outbox, bytes + out, CAPACITY);
        assert_int_equal(out, in);
        assert_memory_equal(bytes, expected, in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_out_as_they_went_in_wherever_the_memory_ends),
        cmocka_unit_test(a_frame_fits_up_to_the_last_byte),
        cmocka_unit_test(an_empty_outbox_begins_at_the_front_again),
        cmocka_unit_test(drawn_frames_pass_in_order),
    };
    return cmocka_run_group_tests_name("outbox", tests, open_guard, close_guard);
}
