/* SPDX-License-Identifier: MIT
 * The blocking client carries messages of every size, cut wherever the stream is cut, up to one
 * that the system cannot hold at once. */
#include <string.h>

#include "pattern.h"
#include "tcp_pair.h"

#define LONGEST (1024u * 1024u)

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

/* --- more than the system holds ------------------------------------------------------------- */

#define HUGE (16u * 1024u * 1024u)

/* What the peer took in, header and all, and sends back. */
static uint8_t *huge_frame;

static bool keep_and_return(struct script *script)
{
    return peer_receive_all(&script->peer, huge_frame, script->size, test_deadline_ms()) &&
           peer_send_all(&script->peer, huge_frame, script->size, test_deadline_ms());
}

/* As much as the system takes, either way, while nobody reads is less than the message. */
static void expect_more_than_the_system_holds(struct tcp_pair *pair, const uint8_t *message)
{
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_write(pair->tcp, message, HUGE, 50), THRONG_ETIMEDOUT);
    assert_false(peer_send_all(&pair->peer, message, HUGE, 50));
    tcp_pair_disconnect(pair);
}

static void a_message_larger_than_the_systems_buffers_arrives_whole(void **state)
{
    struct tcp_pair *pair = *state;
    uint8_t *out = malloc(HUGE);
    uint8_t *in = malloc(HUGE);
    huge_frame = malloc(4 + HUGE);
    assert_true(out != NULL && in != NULL && huge_frame != NULL);
    test_fill_pattern(out, HUGE, HUGE);
    pair->options.message_bytes_max = HUGE;
    expect_more_than_the_system_holds(pair, out);

    tcp_pair_connect(pair);
    tcp_pair_play(pair, keep_and_return, 4 + HUGE);
    assert_int_equal(throng_tcp_write(pair->tcp, out, HUGE, test_deadline_ms()), 0);
    assert_int_equal(throng_tcp_read(pair->tcp, in, HUGE, test_deadline_ms()), HUGE);
    tcp_pair_expect_played(pair);
    assert_memory_equal(huge_frame, "\1\0\0\0", 4);
    assert_memory_equal(huge_frame + 4, out, HUGE);
    assert_memory_equal(in, out, HUGE);
    free(out);
    free(in);
    free(huge_frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tcp_pair_setup, tcp_pair_teardown)
        TEST(every_size_from_nothing_to_a_mebibyte_comes_back_byte_identical),
        TEST(a_frame_may_be_cut_anywhere_and_is_kept_over_a_time_out),
        TEST(a_peer_that_sends_a_byte_at_a_time_is_understood),
        TEST(messages_of_mixed_sizes_stay_whole_and_in_order),
        TEST(a_message_larger_than_the_systems_buffers_arrives_whole),
    };
    return cmocka_run_group_tests_name("the blocking client and sizes", tests, NULL, NULL);
}
