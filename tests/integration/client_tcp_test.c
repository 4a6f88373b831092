/* SPDX-License-Identifier: MIT
 * The blocking client talks: frames both ways, bytes without frames, half a connection. The files
 * beside this one have it connect, carry every size, and get into trouble. */
#include <string.h>

#include "tcp_pair.h"

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
