/* SPDX-License-Identifier: MIT
 * The blocking client talks: frames both ways, in every size and every cut, bytes without frames,
 * half a connection. client_tcp_connect_test.c and client_tcp_trouble_test.c have the rest. */
#include <string.h>

#include "pattern.h"
#include "tcp_pair.h"

#define LONGEST (1024u * 1024u)

static void a_message_goes_out_as_one_frame(void **state)
{
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_write(pair->tcp, "hello", 5, 0), 0);
    tcp_pair_expect(pair, "\0\0\0\5hello", 9);
}

static void a_frame_comes_in_as_one_message(void **state)
{
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    tcp_pair_send(pair, "\0\0\0\5hello", 9);
    tcp_pair_expect_read(pair, "hello", 5);
}

static void an_empty_message_is_a_message(void **state)
{
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_write(pair->tcp, NULL, 0, 0), 0);
    assert_int_equal(throng_tcp_write(pair->tcp, "", 0, 0), 0);
    tcp_pair_expect(pair, "\0\0\0\0\0\0\0\0", 8);
    tcp_pair_send(pair, "\0\0\0\0\0\0\0\1x", 9);
    assert_int_equal(throng_tcp_read(pair->tcp, NULL, 0, test_deadline_ms()), 0);
    tcp_pair_expect_read(pair, "x", 1);
}

static void the_length_may_be_little_endian(void **state)
{
    struct tcp_pair *pair = *state;
    pair->options.byte_order = THRONG_BYTE_ORDER_LITTLE;
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_write(pair->tcp, "hello", 5, 0), 0);
    tcp_pair_expect(pair, "\5\0\0\0hello", 9);
    tcp_pair_send(pair, "\2\0\0\0hi", 6);
    tcp_pair_expect_read(pair, "hi", 2);
}

/* --- sizes and cuts ------------------------------------------------------------------------ */

/* Answers what comes in, byte for byte, until the end. */
static bool echo(struct script *script)
{
    static uint8_t bytes[65536];
    for (;;) {
        ptrdiff_t got = peer_receive(&script->peer, bytes, sizeof(bytes));
        if (got == PEER_END) {
            return true;
        }
        if (got == PEER_WOULD_BLOCK) {
            if (!script_await_input(script, test_deadline_ms())) {
                return false;
            }
        } else if (got < 0 ||
                   !peer_send_all(&script->peer, bytes, (size_t)got, test_deadline_ms())) {
            return false;
        }
    }
}

static void every_size_from_nothing_to_a_mebibyte_comes_back_byte_identical(void **state)
{
    /* Around the header's own buffer (4,092 behind the header), the default limit, the longest. */
    static const uint32_t sizes[] = {0,     1,     2,      3,      4,           5,      4091,
                                     4092,  4093,  4096,   65531,  65532,       65533,  65535,
                                     65536, 65537, 131072, 524287, LONGEST - 1, LONGEST};
    struct tcp_pair *pair = *state;
    pair->options.message_bytes_max = LONGEST;
    tcp_pair_connect(pair);
    uint8_t *out = malloc(LONGEST);
    uint8_t *in = malloc(LONGEST);
    tcp_pair_play(pair, echo, 0);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        test_fill_pattern(out, sizes[i], i);
        assert_int_equal(throng_tcp_write(pair->tcp, out, sizes[i], test_deadline_ms()), 0);
        assert_int_equal(throng_tcp_read(pair->tcp, in, sizes[i], test_deadline_ms()), sizes[i]);
        assert_memory_equal(in, out, sizes[i]);
    }
    assert_int_equal(throng_tcp_shutdown(pair->tcp), 0);
    tcp_pair_expect_played(pair);
    free(out);
    free(in);
}

static void a_frame_may_be_cut_anywhere_and_is_kept_over_a_time_out(void **state)
{
    static const char stream[] = "\0\0\0\5hello\0\0\0\0\0\0\0\3bye";
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    for (size_t cut = 0; cut <= 9; cut++) {
        uint8_t message[16];
        tcp_pair_send(pair, stream, cut);
        if (cut < 9) {
            assert_int_equal(throng_tcp_read(pair->tcp, message, sizeof(message), 1),
                             THRONG_EAGAIN);
        }
        tcp_pair_send(pair, stream + cut, 20 - cut);
        tcp_pair_expect_read(pair, "hello", 5);
        tcp_pair_expect_read(pair, "", 0);
        tcp_pair_expect_read(pair, "bye", 3);
    }
}

/* `size` messages of three bytes in one stream, a byte at a time. */
static bool drip(struct script *script)
{
    for (size_t i = 0; i < script->size; i++) {
        const uint8_t frame[7] = {0, 0, 0, 3, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        for (size_t at = 0; at < sizeof(frame); at++) {
            if (!peer_send_all(&script->peer, frame + at, 1, test_deadline_ms())) {
                return false;
            }
        }
    }
    return true;
}

static void a_peer_that_sends_a_byte_at_a_time_is_understood(void **state)
{
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    const size_t count = test_scaled(10000);
    tcp_pair_play(pair, drip, count);
    for (size_t i = 0; i < count; i++) {
        const uint8_t message[3] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        tcp_pair_expect_read(pair, message, sizeof(message));
    }
    tcp_pair_expect_played(pair);
}

/* Sizes that draw lots among small, middling and longest, so that every arrangement of whole and
 * cut frames in the client's buffer occurs. */
static uint32_t draw_size(uint64_t *seed, uint32_t longest)
{
    uint64_t lot = test_random(seed);
    uint32_t most = lot % 4 == 0 ? longest : lot % 4 == 1 ? longest / 3 : 40;
    return (uint32_t)(test_random(seed) % (most + 1));
}

static uint64_t sender_seed; /* written before the thread starts */

static bool send_drawn_messages(struct script *script)
{
    static uint8_t bytes[65536];
    uint64_t seed = sender_seed;
    for (size_t i = 0; i < script->size; i++) {
        uint32_t size = draw_size(&seed, sizeof(bytes));
        test_fill_pattern(bytes, size, i);
        if (!peer_send_frame(&script->peer, bytes, size, test_deadline_ms())) {
            return false;
        }
    }
    return true;
}

static void messages_of_mixed_sizes_stay_whole_and_in_order(void **state)
{
    struct tcp_pair *pair = *state;
    static uint8_t got[65536];
    static uint8_t expected[65536];
    const uint64_t first_seed = test_seed();
    tcp_pair_connect(pair);
    sender_seed = first_seed;
    const size_t count = test_scaled(5000);
    tcp_pair_play(pair, send_drawn_messages, count);
    uint64_t seed = first_seed;
    for (size_t i = 0; i < count; i++) {
        uint32_t size = draw_size(&seed, sizeof(expected));
        test_fill_pattern(expected, size, i);
        assert_int_equal(throng_tcp_read(pair->tcp, got, sizeof(got), test_deadline_ms()), size);
        assert_memory_equal(got, expected, size);
    }
    tcp_pair_expect_played(pair);
}

/* --- limits -------------------------------------------------------------------------------- */

static void a_message_longer_than_the_room_is_kept_for_a_second_call(void **state)
{
    struct tcp_pair *pair = *state;
    uint8_t message[5] = "-----";
    tcp_pair_connect(pair);
    tcp_pair_send(pair, "\0\0\0\5hello\0\0\0\3bye", 16);
    assert_int_equal(throng_tcp_read(pair->tcp, message, 4, test_deadline_ms()), THRONG_ETOOBIG);
    assert_int_equal(throng_tcp_read(pair->tcp, NULL, 0, 0), THRONG_ETOOBIG);
    assert_memory_equal(message, "-----", 5);
    assert_int_equal(throng_tcp_read(pair->tcp, message, 5, 0), 5);
    assert_memory_equal(message, "hello", 5);
    tcp_pair_expect_read(pair, "bye", 3);
}

static void too_little_room_is_told_before_the_payload_has_come(void **state)
{
    struct tcp_pair *pair = *state;
    uint8_t message[4];
    tcp_pair_connect(pair);
    tcp_pair_send(pair, "\0\0\0\5h", 5);
    assert_int_equal(throng_tcp_read(pair->tcp, message, 4, test_deadline_ms()), THRONG_ETOOBIG);
    tcp_pair_send(pair, "ello", 4);
    tcp_pair_expect_read(pair, "hello", 5);
}

static void a_message_over_the_limit_is_refused_before_a_byte_is_sent(void **state)
{
    static const uint8_t zeros[11];
    struct tcp_pair *pair = *state;
    pair->options.message_bytes_max = 10;
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_write(pair->tcp, zeros, 11, 0), THRONG_ETOOBIG);
    assert_int_equal(throng_tcp_write(pair->tcp, zeros, SIZE_MAX, 0), THRONG_ETOOBIG);
    assert_int_equal(throng_tcp_write(pair->tcp, zeros, 10, 0), 0);
    assert_int_equal(throng_tcp_write(pair->tcp, zeros, 9, 0), 0);
    tcp_pair_expect(pair, "\0\0\0\12\0\0\0\0\0\0\0\0\0\0\0\0\0\11\0\0\0\0\0\0\0\0\0", 27);
}

/* --- bytes without frames ------------------------------------------------------------------ */

static void raw_bytes_go_out_as_they_are(void **state)
{
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_send_raw(pair->tcp, "GET /\r\n", 7, 0), 0);
    assert_int_equal(throng_tcp_send_raw(pair->tcp, NULL, 0, 0), 0);
    tcp_pair_expect(pair, "GET /\r\n", 7);
}

static void raw_bytes_come_in_as_they_are(void **state)
{
    struct tcp_pair *pair = *state;
    char bytes[16];
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_receive_raw(pair->tcp, bytes, sizeof(bytes), 0), THRONG_EAGAIN);
    tcp_pair_send(pair, "200 OK", 6);
    assert_int_equal(throng_tcp_receive_raw(pair->tcp, bytes, 3, test_deadline_ms()), 3);
    assert_memory_equal(bytes, "200", 3);
    assert_int_equal(throng_tcp_receive_raw(pair->tcp, bytes, sizeof(bytes), 0), 3);
    assert_memory_equal(bytes, " OK", 3);
}

static void raw_bytes_begin_with_those_behind_the_last_message(void **state)
{
    struct tcp_pair *pair = *state;
    char bytes[16];
    tcp_pair_connect(pair);
    tcp_pair_send(pair, "\0\0\0\2hiupgrade", 13);
    tcp_pair_expect_read(pair, "hi", 2);
    assert_int_equal(throng_tcp_receive_raw(pair->tcp, bytes, 3, 0), 3);
    assert_memory_equal(bytes, "upg", 3);
    assert_int_equal(throng_tcp_receive_raw(pair->tcp, bytes, sizeof(bytes), 0), 4);
    assert_memory_equal(bytes, "rade", 4);
    tcp_pair_send(pair, "\0\0\0\3bye", 7);
    tcp_pair_expect_read(pair, "bye", 3);
}

/* A refused length is not the end of a stream whose user knows better. */
static void frames_may_follow_raw_bytes_that_looked_like_a_huge_length(void **state)
{
    struct tcp_pair *pair = *state;
    char bytes[6];
    tcp_pair_connect(pair);
    tcp_pair_send(pair, "HELLO\n\0\0\0\2hi", 12);
    tcp_pair_expect_error(pair, THRONG_EPROTOCOL);
    assert_int_equal(throng_tcp_receive_raw(pair->tcp, bytes, sizeof(bytes), 0), 6);
    assert_memory_equal(bytes, "HELLO\n", 6);
    tcp_pair_expect_read(pair, "hi", 2);
}

/* --- one direction ------------------------------------------------------------------------- */

static void after_our_end_the_peer_may_still_talk(void **state)
{
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_write(pair->tcp, "last", 4, 0), 0);
    assert_int_equal(throng_tcp_shutdown(pair->tcp), 0);
    assert_int_equal(throng_tcp_shutdown(pair->tcp), 0);
    assert_int_equal(throng_tcp_write(pair->tcp, "more", 4, 0), THRONG_ECLOSING);
    assert_int_equal(throng_tcp_send_raw(pair->tcp, "more", 4, 0), THRONG_ECLOSING);
    tcp_pair_expect(pair, "\0\0\0\4last", 8);
    tcp_pair_expect_end(pair);
    tcp_pair_send(pair, "\0\0\0\3bye", 7);
    peer_finish(&pair->peer);
    tcp_pair_expect_read(pair, "bye", 3);
    tcp_pair_expect_error(pair, THRONG_EEOF);
}

static void after_the_peers_end_we_may_still_talk(void **state)
{
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    peer_finish(&pair->peer);
    tcp_pair_expect_error(pair, THRONG_EEOF);
    assert_int_equal(throng_tcp_write(pair->tcp, "hello", 5, 0), 0);
    tcp_pair_expect(pair, "\0\0\0\5hello", 9);
    assert_int_equal(throng_tcp_shutdown(pair->tcp), 0);
    tcp_pair_expect_end(pair);
    tcp_pair_expect_error(pair, THRONG_EEOF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tcp_pair_setup, tcp_pair_teardown)
        TEST(a_message_goes_out_as_one_frame),
        TEST(a_frame_comes_in_as_one_message),
        TEST(an_empty_message_is_a_message),
        TEST(the_length_may_be_little_endian),
        TEST(every_size_from_nothing_to_a_mebibyte_comes_back_byte_identical),
        TEST(a_frame_may_be_cut_anywhere_and_is_kept_over_a_time_out),
        TEST(a_peer_that_sends_a_byte_at_a_time_is_understood),
        TEST(messages_of_mixed_sizes_stay_whole_and_in_order),
        TEST(a_message_longer_than_the_room_is_kept_for_a_second_call),
        TEST(too_little_room_is_told_before_the_payload_has_come),
        TEST(a_message_over_the_limit_is_refused_before_a_byte_is_sent),
        TEST(raw_bytes_go_out_as_they_are),
        TEST(raw_bytes_come_in_as_they_are),
        TEST(raw_bytes_begin_with_those_behind_the_last_message),
        TEST(frames_may_follow_raw_bytes_that_looked_like_a_huge_length),
        TEST(after_our_end_the_peer_may_still_talk),
        TEST(after_the_peers_end_we_may_still_talk),
    };
    return cmocka_run_group_tests_name("the blocking client talks", tests, NULL, NULL);
}
