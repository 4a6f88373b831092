/* SPDX-License-Identifier: MIT
 * The client's inbox. Its memory ends at a guard page. */
#include "inbox.h"

#include <string.h>

#include "base/prng.h"
#include "check.h"
#include "guard.h"
#include "pattern.h"

#define PAYLOAD_MAX 100u

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

static const struct tg_frame_rules rules = {.message_bytes_max = PAYLOAD_MAX,
                                            .byte_order = THRONG_BYTE_ORDER_BIG};

static void open_inbox(struct tg_inbox *inbox, size_t capacity)
{
    tg_inbox_init(inbox, test_guard_tail(&guard, capacity), capacity, &rules);
}

static size_t dropped; /* heartbeats so far */

/* Puts in as much as there is room for. Answers how much. */
static size_t put(struct tg_inbox *inbox, const void *data, size_t size)
{
    size_t room_bytes;
    uint8_t *room = tg_inbox_room(inbox, &room_bytes);
    size_t taken = size < room_bytes ? size : room_bytes;
    memcpy(room, data, taken);
    dropped += tg_inbox_fill(inbox, taken);
    return taken;
}

static void expect_message(struct tg_inbox *inbox, const char *text)
{
    struct tg_frame frame;
    assert_int_equal(tg_inbox_peek(inbox, &frame), TG_FRAME_WHOLE);
    assert_int_equal(frame.size, strlen(text));
    assert_memory_equal(frame.payload, text, frame.size);
    tg_inbox_take(inbox, &frame);
}

static void expect_nothing(const struct tg_inbox *inbox)
{
    struct tg_frame frame;
    assert_int_equal(tg_inbox_peek(inbox, &frame), TG_FRAME_PARTIAL);
}

static void every_split_position_gives_the_same_messages(void **state)
{
    static const char stream[] = "\0\0\0\5hello\0\0\0\0\0\0\0\3bye";
    (void)state;
    for (size_t first = 0; first <= 20; first++) {
        for (size_t second = first; second <= 20; second++) {
            struct tg_inbox inbox;
            open_inbox(&inbox, 104);
            assert_int_equal(put(&inbox, stream, first), first);
            assert_int_equal(put(&inbox, stream + first, second - first), second - first);
            assert_int_equal(put(&inbox, stream + second, 20 - second), 20 - second);
            assert_int_equal(tg_inbox_bytes(&inbox), 20);
            assert_false(tg_inbox_is_partial(&inbox));
            expect_message(&inbox, "hello");
            expect_message(&inbox, "");
            expect_message(&inbox, "bye");
            expect_nothing(&inbox);
            assert_int_equal(tg_inbox_bytes(&inbox), 0);
        }
    }
}

static void heartbeats_are_counted_and_take_no_room_at_every_split_position(void **state)
{
    static const char stream[] =
        "\0\0\0\0\0\0\0\0\0\0\0\5hello\0\0\0\0\0\0\0\3bye\0\0\0\0\0\0\0\2h";
    (void)state;
    for (size_t first = 0; first <= 37; first++) {
        for (size_t second = first; second <= 37; second++) {
            struct tg_inbox inbox;
            open_inbox(&inbox, 104);
            inbox.drops_empty = true;
            dropped = 0;
            assert_int_equal(put(&inbox, stream, first), first);
            assert_int_equal(put(&inbox, stream + first, second - first), second - first);
            assert_int_equal(put(&inbox, stream + second, 37 - second), 37 - second);
            assert_int_equal(dropped, 4);
            assert_int_equal(tg_inbox_bytes(&inbox), 9 + 7 + 5);
            assert_true(tg_inbox_is_partial(&inbox));
            expect_message(&inbox, "hello");
            expect_message(&inbox, "bye");
            expect_nothing(&inbox);
            assert_int_equal(put(&inbox, "i", 1), 1);
            expect_message(&inbox, "hi");
            assert_int_equal(tg_inbox_bytes(&inbox), 0);
        }
    }
}

static void a_length_over_the_limit_behind_heartbeats_breaks_the_inbox(void **state)
{
    struct tg_inbox inbox;
    (void)state;
    open_inbox(&inbox, 104);
    inbox.drops_empty = true;
    (void)put(&inbox, "\0\0\0\0\0\0\0\2hi\0\0\0\0\377\377\377\377\0\0\0\0", 22);
    assert_true(inbox.is_broken);
    expect_message(&inbox, "hi");
}

static void a_cut_stream_is_partial_wherever_it_is_cut_inside_a_frame(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 9; cut++) {
        struct tg_inbox inbox;
        open_inbox(&inbox, 104);
        (void)put(&inbox, "\0\0\0\2hi", 6);
        (void)put(&inbox, "\0\0\0\5hello", cut);
        assert_int_equal(tg_inbox_is_partial(&inbox), cut > 0 && cut < 9);
        expect_message(&inbox, "hi");
    }
}

static void the_limit_is_exact_and_hostile_lengths_break_the_inbox(void **state)
{
    static const char headers[][5] = {"\0\0\0\144", "\0\0\0\145", "\177\377\377\377", "\200\0\0\0",
                                      "\377\377\377\377"};
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct tg_inbox inbox;
        struct tg_frame frame;
        open_inbox(&inbox, 200);
        (void)put(&inbox, "\0\0\0\2hi", 6);
        (void)put(&inbox, headers[i], 4);
        assert_int_equal(inbox.is_broken, i > 0);
        assert_true(tg_inbox_is_partial(&inbox));
        expect_message(&inbox, "hi");
        assert_int_equal(tg_inbox_peek(&inbox, &frame),
                         i > 0 ? TG_FRAME_TOO_LARGE : TG_FRAME_PARTIAL);
    }
}

static void an_inbox_of_one_frame_has_room_as_soon_as_no_message_waits(void **state)
{
    static const uint8_t zeros[104];
    struct tg_inbox inbox;
    (void)state;
    open_inbox(&inbox, 104);
    (void)put(&inbox, "\0\0\0\2hi\0\0\0\144", 10);
    assert_int_equal(put(&inbox, zeros, 104), 94);
    assert_false(tg_inbox_has_room(&inbox));
    assert_int_equal(put(&inbox, zeros, 1), 0);
    expect_message(&inbox, "hi");
    assert_true(tg_inbox_has_room(&inbox));
    assert_int_equal(put(&inbox, zeros, 104), 6);
    struct tg_frame frame;
    assert_int_equal(tg_inbox_peek(&inbox, &frame), TG_FRAME_WHOLE);
    assert_int_equal(frame.size, 100);
}

static void a_full_inbox_has_room_again_when_half_of_it_was_read(void **state)
{
    struct tg_inbox inbox;
    (void)state;
    open_inbox(&inbox, 240);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(put(&inbox, "\0\0\0\4data", 8), 8);
    }
    for (int i = 0; i < 14; i++) {
        expect_message(&inbox, "data");
        assert_false(tg_inbox_has_room(&inbox));
    }
    expect_message(&inbox, "data");
    assert_true(tg_inbox_has_room(&inbox));
    assert_int_equal(tg_inbox_bytes(&inbox), 120);
    size_t room_bytes;
    (void)tg_inbox_room(&inbox, &room_bytes);
    assert_int_equal(room_bytes, 120);
}

static void an_empty_inbox_offers_all_of_its_memory(void **state)
{
    struct tg_inbox inbox;
    size_t room_bytes;
    (void)state;
    open_inbox(&inbox, 240);
    (void)put(&inbox, "\0\0\0\4data", 8);
    expect_message(&inbox, "data");
    assert_ptr_equal(tg_inbox_room(&inbox, &room_bytes), inbox.bytes);
    assert_int_equal(room_bytes, 240);
}

static void raw_bytes_are_taken_from_anywhere(void **state)
{
    struct tg_inbox inbox;
    char bytes[8];
    (void)state;
    open_inbox(&inbox, 104);
    (void)put(&inbox, "GET /\0\0\0\2hi", 11);
    assert_true(inbox.is_broken);
    assert_int_equal(tg_inbox_take_raw(&inbox, bytes, 5), 5);
    assert_memory_equal(bytes, "GET /", 5);
    assert_false(inbox.is_broken);
    expect_message(&inbox, "hi");
    assert_int_equal(tg_inbox_take_raw(&inbox, bytes, 8), 0);
    (void)put(&inbox, "\0\0\0\2hi", 6);
    assert_int_equal(tg_inbox_take_raw(&inbox, bytes, 8), 6);
    expect_nothing(&inbox);
    assert_false(tg_inbox_is_partial(&inbox));
}

static void clear_forgets_everything(void **state)
{
    struct tg_inbox inbox;
    (void)state;
    open_inbox(&inbox, 104);
    (void)put(&inbox, "\0\0\0\2hi\377\377\377\377", 10);
    tg_inbox_clear(&inbox);
    assert_int_equal(tg_inbox_bytes(&inbox), 0);
    assert_false(tg_inbox_is_partial(&inbox));
    assert_false(inbox.is_broken);
    expect_nothing(&inbox);
}

/* Message `i` of the endless stream that the test below sends and expects. */
static uint32_t make_frame(uint8_t *bytes, uint64_t seed, uint32_t i)
{
    struct tg_prng prng = {seed + i};
    uint32_t size = tg_prng_below(&prng, 4) == 0 ? 0 : tg_prng_below(&prng, PAYLOAD_MAX + 1);
    tg_frame_length_write(bytes, size, THRONG_BYTE_ORDER_BIG);
    test_fill_pattern(bytes + THRONG_FRAME_HEADER_BYTES, size, seed + i);
    return THRONG_FRAME_HEADER_BYTES + size;
}

struct traffic {
    uint64_t seed;
    struct tg_prng prng;
    uint32_t sent_frames; /* before the one that is being sent */
    uint32_t sent_bytes;  /* of that one */
    uint32_t taken_frames;
};

static void put_some(struct traffic *traffic, struct tg_inbox *inbox)
{
    uint8_t frame[104];
    uint32_t budget = 1 + tg_prng_below(&traffic->prng, 300);
    while (budget > 0) {
        uint32_t size = make_frame(frame, traffic->seed, traffic->sent_frames);
        uint32_t piece = size - traffic->sent_bytes;
        piece = piece < budget ? piece : budget;
        uint32_t taken = (uint32_t)put(inbox, frame + traffic->sent_bytes, piece);
        budget = taken < piece ? 0 : budget - piece;
        traffic->sent_bytes += taken;
        if (traffic->sent_bytes == size) {
            traffic->sent_bytes = 0;
            traffic->sent_frames++;
        }
    }
}

/* Those that nobody is to see. */
static void pass_heartbeats(struct traffic *traffic, const struct tg_inbox *inbox)
{
    uint8_t frame[104];
    while (inbox->drops_empty && traffic->taken_frames < traffic->sent_frames &&
           make_frame(frame, traffic->seed, traffic->taken_frames) == THRONG_FRAME_HEADER_BYTES) {
        traffic->taken_frames++;
    }
}

static void take_some(struct traffic *traffic, struct tg_inbox *inbox)
{
    uint8_t expected[104];
    struct tg_frame frame;
    uint32_t budget = tg_prng_below(&traffic->prng, 12);
    while (budget-- > 0 && tg_inbox_peek(inbox, &frame) == TG_FRAME_WHOLE) {
        pass_heartbeats(traffic, inbox);
        uint32_t size = make_frame(expected, traffic->seed, traffic->taken_frames++);
        assert_int_equal(frame.size, size - THRONG_FRAME_HEADER_BYTES);
        tg_inbox_take(inbox, &frame);
        assert_memory_equal(frame.payload, expected + THRONG_FRAME_HEADER_BYTES, frame.size);
    }
}

static void drawn_messages_pass_in_order_at_every_capacity(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    for (size_t capacity = 104; capacity <= 340; capacity++) {
        struct tg_inbox inbox;
        struct traffic traffic = {.seed = seed, .prng = {seed + capacity}};
        open_inbox(&inbox, capacity);
        inbox.drops_empty = capacity % 2 == 1;
        for (uint32_t turn = 0; turn < test_scaled(1000); turn++) {
            put_some(&traffic, &inbox);
            take_some(&traffic, &inbox);
            pass_heartbeats(&traffic, &inbox);
            struct tg_frame frame;
            bool waits = tg_inbox_peek(&inbox, &frame) == TG_FRAME_WHOLE;
            assert_true(waits || tg_inbox_has_room(&inbox));
            assert_int_equal(traffic.sent_frames > traffic.taken_frames, waits);
        }
        assert_true(traffic.taken_frames > test_scaled(1000) / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_position_gives_the_same_messages),
        cmocka_unit_test(heartbeats_are_counted_and_take_no_room_at_every_split_position),
        cmocka_unit_test(a_length_over_the_limit_behind_heartbeats_breaks_the_inbox),
        cmocka_unit_test(a_cut_stream_is_partial_wherever_it_is_cut_inside_a_frame),
        cmocka_unit_test(the_limit_is_exact_and_hostile_lengths_break_the_inbox),
        cmocka_unit_test(an_inbox_of_one_frame_has_room_as_soon_as_no_message_waits),
        cmocka_unit_test(a_full_inbox_has_room_again_when_half_of_it_was_read),
        cmocka_unit_test(an_empty_inbox_offers_all_of_its_memory),
        cmocka_unit_test(raw_bytes_are_taken_from_anywhere),
        cmocka_unit_test(clear_forgets_everything),
        cmocka_unit_test(drawn_messages_pass_in_order_at_every_capacity),
    };
    return cmocka_run_group_tests_name("inbox", tests, open_guard, close_guard);
}
