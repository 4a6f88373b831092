/* SPDX-License-Identifier: MIT
 * The blocking client and a peer that is hostile or gone: ends and resets in every state, lengths
 * that lie. */
#include <string.h>

#include "process.h"
#include "tcp_pair.h"

#define MIB (1024u * 1024u)

/* More than the system buffers on the way, whatever it is set to by default. */
#define HUGE_BYTES (64u * MIB)

/* --- ends and lengths that lie ------------------------------------------------------------- */

static void an_end_inside_a_frame_breaks_the_protocol(void **state)
{
    struct tcp_pair *pair = *state;
    for (size_t cut = 1; cut <= 8; cut++) {
        tcp_pair_connect(pair);
        tcp_pair_send(pair, "\0\0\0\2hi", 6);
        tcp_pair_send(pair, "\0\0\0\5hello", cut);
        peer_finish(&pair->peer);
        tcp_pair_expect_read(pair, "hi", 2);
        tcp_pair_expect_error(pair, THRONG_EPROTOCOL);
        tcp_pair_expect_error(pair, THRONG_EPROTOCOL);
        tcp_pair_disconnect(pair);
    }
}

static void a_length_over_the_limit_breaks_the_protocol(void **state)
{
    static const uint8_t lengths[][4] = {{0x00, 0x01, 0x00, 0x01}, /* 65,537 */
                                         {0x7f, 0xff, 0xff, 0xff},
                                         {0x80, 0x00, 0x00, 0x00},
                                         {0xff, 0xff, 0xff, 0xff}};
    struct tcp_pair *pair = *state;
    for (size_t i = 0; i < 4; i++) {
        tcp_pair_connect(pair);
        tcp_pair_send(pair, "\0\0\0\2hi", 6);
        tcp_pair_send(pair, lengths[i], 4);
        tcp_pair_expect_read(pair, "hi", 2);
        tcp_pair_expect_error(pair, THRONG_EPROTOCOL);
        tcp_pair_send(pair, "\0\0\0\3bye", 7);
        tcp_pair_expect_error(pair, THRONG_EPROTOCOL);
        tcp_pair_disconnect(pair);
    }
}

static void the_limit_of_what_comes_in_is_exact(void **state)
{
    struct tcp_pair *pair = *state;
    pair->options.message_bytes_max = 3;
    tcp_pair_connect(pair);
    tcp_pair_send(pair, "\0\0\0\2hi\0\0\0\3bye\0\0\0\4oops", 21);
    tcp_pair_expect_read(pair, "hi", 2);
    tcp_pair_expect_read(pair, "bye", 3);
    tcp_pair_expect_error(pair, THRONG_EPROTOCOL);
}

static void a_length_that_is_only_claimed_costs_no_memory(void **state)
{
    struct tcp_pair *pair = *state;
    uint8_t message[8];
    uint8_t header[4];
    /* What the system loads for a first connection is not counted. */
    tcp_pair_connect(pair);
    tcp_pair_disconnect(pair);
    size_t before = process_memory_bytes();
    pair->options.message_bytes_max = 64 * MIB;
    tcp_pair_connect(pair);
    peer_frame_header(header, 64 * MIB);
    tcp_pair_send(pair, header, 4);
    tcp_pair_send(pair, "hello", 5);
    assert_int_equal(throng_tcp_read(pair->tcp, message, 8, test_deadline_ms()), THRONG_ETOOBIG);
    assert_true(process_memory_bytes() < before + 4 * MIB);
}

/* --- resets -------------------------------------------------------------------------------- */

/* Writes until the reset is noticed: the first write after it may still be taken by the system. */
static int write_until_error(struct tcp_pair *pair)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    int result = 0;
    while (result == 0 && test_now_ms() < deadline_ms) {
        result = throng_tcp_write(pair->tcp, "x", 1, test_deadline_ms());
    }
    return result;
}

static void a_reset_between_messages_is_an_error_of_every_later_call(void **state)
{
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    peer_reset(&pair->peer);
    tcp_pair_expect_error(pair, THRONG_ECONNRESET);
    tcp_pair_expect_error(pair, THRONG_ECONNRESET);
    assert_int_equal(write_until_error(pair), THRONG_ECONNRESET);
    assert_int_equal(throng_tcp_write(pair->tcp, "x", 1, 0), THRONG_ECONNRESET);
    assert_int_equal(throng_tcp_shutdown(pair->tcp), THRONG_ECONNRESET);
}

static void a_reset_inside_a_frame_is_a_reset(void **state)
{
    struct tcp_pair *pair = *state;
    for (size_t cut = 1; cut <= 8; cut++) {
        uint8_t message[8];
        tcp_pair_connect(pair);
        tcp_pair_send(pair, "\0\0\0\5hello", cut);
        assert_int_equal(throng_tcp_read(pair->tcp, message, 8, 1), THRONG_EAGAIN);
        peer_reset(&pair->peer);
        tcp_pair_expect_error(pair, THRONG_ECONNRESET);
        tcp_pair_disconnect(pair);
    }
}

static void what_came_before_a_reset_is_read_before_the_error(void **state)
{
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    tcp_pair_send(pair, "\0\0\0\2hi\0\0\0\3bye", 13);
    peer_reset(&pair->peer);
    assert_int_equal(write_until_error(pair), THRONG_ECONNRESET);
    tcp_pair_expect_read(pair, "hi", 2);
    tcp_pair_expect_read(pair, "bye", 3);
    tcp_pair_expect_error(pair, THRONG_ECONNRESET);
}

static void a_reset_after_our_end_is_an_error(void **state)
{
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_shutdown(pair->tcp), 0);
    peer_reset(&pair->peer);
    tcp_pair_expect_error(pair, THRONG_ECONNRESET);
}

static bool reset_on_input(struct script *script)
{
    if (!script_await_input(script, test_deadline_ms())) {
        return false;
    }
    peer_reset(&script->peer);
    return true;
}

static void a_reset_wakes_a_read_that_waits(void **state)
{
    struct tcp_pair *pair = *state;
    uint8_t message[8];
    tcp_pair_connect(pair);
    tcp_pair_play(pair, reset_on_input, 0);
    pair->peer.descriptor = -1; /* the part closes it */
    assert_int_equal(throng_tcp_send_raw(pair->tcp, "x", 1, 0), 0);
    assert_int_equal(throng_tcp_read(pair->tcp, message, 8, -1), THRONG_ECONNRESET);
    tcp_pair_expect_played(pair);
}

static void a_reset_wakes_a_write_that_waits(void **state)
{
    static uint8_t message[HUGE_BYTES];
    struct tcp_pair *pair = *state;
    pair->options.message_bytes_max = HUGE_BYTES;
    tcp_pair_connect(pair);
    tcp_pair_play(pair, reset_on_input, 0);
    pair->peer.descriptor = -1;
    assert_int_equal(throng_tcp_write(pair->tcp, message, HUGE_BYTES, -1), THRONG_ECONNRESET);
    tcp_pair_expect_played(pair);
}

/* --- our own end --------------------------------------------------------------------------- */

static void close_ends_the_stream_and_abort_resets_it(void **state)
{
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    throng_tcp_close(pair->tcp);
    pair->tcp = NULL;
    tcp_pair_expect_end(pair);
    tcp_pair_disconnect(pair);
    tcp_pair_connect(pair);
    throng_tcp_abort(pair->tcp);
    pair->tcp = NULL;
    tcp_pair_expect_reset(pair);
    throng_tcp_close(NULL);
    throng_tcp_abort(NULL);
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct tcp_pair *pair = *state;
    struct throng_address address;
    uint8_t byte;
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_write(NULL, "x", 1, 0), THRONG_EINVAL);
    assert_int_equal(throng_tcp_write(pair->tcp, NULL, 1, 0), THRONG_EINVAL);
    assert_int_equal(throng_tcp_send_raw(NULL, "x", 1, 0), THRONG_EINVAL);
    assert_int_equal(throng_tcp_send_raw(pair->tcp, NULL, 1, 0), THRONG_EINVAL);
    assert_int_equal(throng_tcp_read(NULL, &byte, 1, 0), THRONG_EINVAL);
    assert_int_equal(throng_tcp_read(pair->tcp, NULL, 1, 0), THRONG_EINVAL);
    assert_int_equal(throng_tcp_receive_raw(NULL, &byte, 1, 0), THRONG_EINVAL);
    assert_int_equal(throng_tcp_receive_raw(pair->tcp, NULL, 1, 0), THRONG_EINVAL);
    assert_int_equal(throng_tcp_receive_raw(pair->tcp, &byte, 0, 0), THRONG_EINVAL);
    assert_int_equal(throng_tcp_shutdown(NULL), THRONG_EINVAL);
    assert_int_equal(throng_tcp_local_address(NULL, &address), THRONG_EINVAL);
    assert_int_equal(throng_tcp_local_address(pair->tcp, NULL), THRONG_EINVAL);
    assert_int_equal(throng_tcp_peer_address(NULL, &address), THRONG_EINVAL);
    assert_int_equal(throng_tcp_peer_address(pair->tcp, NULL), THRONG_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tcp_pair_setup, tcp_pair_teardown)
        TEST(an_end_inside_a_frame_breaks_the_protocol),
        TEST(a_length_over_the_limit_breaks_the_protocol),
        TEST(the_limit_of_what_comes_in_is_exact),
        TEST(a_length_that_is_only_claimed_costs_no_memory),
        TEST(a_reset_between_messages_is_an_error_of_every_later_call),
        TEST(a_reset_inside_a_frame_is_a_reset),
        TEST(what_came_before_a_reset_is_read_before_the_error),
        TEST(a_reset_after_our_end_is_an_error),
        TEST(a_reset_wakes_a_read_that_waits),
        TEST(a_reset_wakes_a_write_that_waits),
        TEST(close_ends_the_stream_and_abort_resets_it),
        TEST(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests_name("the blocking client in trouble", tests, NULL, NULL);
}
