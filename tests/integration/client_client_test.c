/* SPDX-License-Identifier: MIT
 * The non-blocking client talks: frames both ways, in every size and every cut. The files beside
 * this one have it connect, fill its boxes, refuse options, and get into trouble. */
#include <string.h>

#include "client_pair.h"
#include "pattern.h"

#define LONGEST (1024u * 1024u)

/* --- frames -------------------------------------------------------------------------------- */

static void a_message_goes_out_as_one_frame_at_once(void **state)
{
    struct client_pair *pair = *state;
    uint8_t got[9];
    client_pair_connect(pair);
    assert_int_equal(throng_client_write(pair->client, "hello", 5), 0);
    assert_int_equal(throng_client_outbox_bytes(pair->client), 0);
    assert_true(peer_receive_all(&pair->peer, got, 9, test_deadline_ms())); /* without an update */
    assert_memory_equal(got, "\0\0\0\5hello", 9);
}

static void frames_come_in_as_messages(void **state)
{
    struct client_pair *pair = *state;
    const void *message;
    size_t size;
    client_pair_connect(pair);
    client_pair_send(pair, "\0\0\0\5hello\0\0\0\0\0\0\0\3bye", 20);
    CLIENT_UNTIL(pair, throng_client_inbox_bytes(pair->client) == 20);
    client_pair_expect_read(pair, "hello", 5);
    assert_int_equal(throng_client_inbox_bytes(pair->client), 11);
    client_pair_expect_read(pair, "", 0);
    client_pair_expect_read(pair, "bye", 3);
    assert_int_equal(throng_client_inbox_bytes(pair->client), 0);
    assert_int_equal(throng_client_read(pair->client, &message, &size), 0);
    assert_int_equal(throng_client_state(pair->client), THRONG_CLIENT_CONNECTED);
}

static void an_empty_message_is_a_message(void **state)
{
    struct client_pair *pair = *state;
    client_pair_connect(pair);
    assert_int_equal(throng_client_write(pair->client, NULL, 0), 0);
    assert_int_equal(throng_client_write(pair->client, "", 0), 0);
    client_pair_expect(pair, "\0\0\0\0\0\0\0\0", 8);
}

static void the_length_may_be_little_endian(void **state)
{
    struct client_pair *pair = *state;
    pair->options.byte_order = THRONG_BYTE_ORDER_LITTLE;
    client_pair_connect(pair);
    assert_int_equal(throng_client_write(pair->client, "hello", 5), 0);
    client_pair_expect(pair, "\5\0\0\0hello", 9);
    client_pair_send(pair, "\2\0\0\0hi", 6);
    client_pair_expect_read(pair, "hi", 2);
}

static void a_frame_may_be_cut_anywhere(void **state)
{
    static const char stream[] = "\0\0\0\5hello\0\0\0\3bye";
    struct client_pair *pair = *state;
    const void *message;
    size_t size;
    client_pair_connect(pair);
    for (size_t cut = 1; cut <= 8; cut++) {
        client_pair_send(pair, stream, cut);
        CLIENT_UNTIL(pair, throng_client_inbox_bytes(pair->client) == cut);
        assert_int_equal(throng_client_read(pair->client, &message, &size), 0);
        client_pair_send(pair, stream + cut, 16 - cut);
        client_pair_expect_read(pair, "hello", 5);
        client_pair_expect_read(pair, "bye", 3);
    }
}

static void a_peer_that_sends_a_byte_at_a_time_is_understood(void **state)
{
    struct client_pair *pair = *state;
    client_pair_connect(pair);
    for (uint32_t i = 0; i < test_scaled(2000); i++) {
        const uint8_t frame[7] = {0, 0, 0, 3, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        for (size_t at = 0; at < sizeof(frame); at++) {
            client_pair_send(pair, frame + at, 1);
            (void)throng_client_update(pair->client);
        }
        client_pair_expect_read(pair, frame + 4, 3);
    }
}

/* --- sizes --------------------------------------------------------------------------------- */

/* One message there, the same back: the peer returns what it gets while the client takes turns. */
static void echo_message(struct client_pair *pair, uint8_t *bytes, uint8_t *stream, size_t size)
{
    test_fill_pattern(bytes, size, size);
    assert_int_equal(throng_client_write(pair->client, bytes, size), 0);
    size_t have = 0;
    while (have < size + 4) {
        ptrdiff_t got = 0;
        CLIENT_UNTIL(pair, (got = peer_receive(&pair->peer, stream, size + 4 - have)) > 0);
        client_pair_send(pair, stream, (size_t)got);
        have += (size_t)got;
    }
    client_pair_expect_read(pair, bytes, size);
}

static void every_size_from_nothing_to_a_mebibyte_comes_back_byte_identical(void **state)
{
    static const uint32_t sizes[] = {
        0, 1, 2, 3, 4, 5, 4096, 65535, 65536, 131067, 131068, 131069, 524287, LONGEST - 1, LONGEST};
    struct client_pair *pair = *state;
    pair->options.message_bytes_max = LONGEST;
    client_pair_connect(pair);
    uint8_t *bytes = malloc(LONGEST);
    uint8_t *stream = malloc(LONGEST + 4);
    assert_non_null(bytes);
    assert_non_null(stream);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        echo_message(pair, bytes, stream, sizes[i]);
    }
    free(bytes);
    free(stream);
}

/* Boxes of exactly one longest frame and a little more, messages of drawn sizes: every arrangement
 * of whole and cut frames in them occurs. */
static void echo_drawn_messages(struct client_pair *pair, uint32_t longest, uint64_t seed)
{
    static uint8_t expected[4096];
    static uint8_t stream[65536];
    const uint32_t count = test_scaled(20000);
    uint32_t written = 0;
    uint32_t read = 0;
    uint64_t write_seed = seed;
    uint64_t read_seed = seed;
    int64_t deadline_ms = test_now_ms() + 4 * test_deadline_ms();
    while (read < count && test_now_ms() < deadline_ms) {
        uint64_t next_seed = write_seed;
        uint32_t size = (uint32_t)(test_random(&next_seed) % (longest + 1));
        test_fill_pattern(expected, size, written);
        if (written < count && throng_client_write(pair->client, expected, size) == 0) {
            write_seed = next_seed;
            written++;
        }
        ptrdiff_t got = peer_receive(&pair->peer, stream, 1 + test_random(&seed) % longest);
        if (got > 0) {
            client_pair_send(pair, stream, (size_t)got);
        }
        (void)throng_client_update(pair->client);
        const void *message;
        size_t message_size;
        while (throng_client_read(pair->client, &message, &message_size) == 1) {
            size = (uint32_t)(test_random(&read_seed) % (longest + 1));
            test_fill_pattern(expected, size, read);
            assert_int_equal(message_size, size);
            assert_memory_equal(message, expected, size);
            read++;
        }
    }
    assert_int_equal(read, count);
}

static void messages_of_mixed_sizes_stay_whole_in_boxes_of_one_longest_frame(void **state)
{
    struct client_pair *pair = *state;
    const uint64_t seed = test_seed();
    pair->options.message_bytes_max = 1000;
    pair->options.inbox_bytes = 1004;
    pair->options.outbox_bytes = 1004;
    client_pair_connect(pair);
    echo_drawn_messages(pair, 1000, seed);
}

static void messages_of_mixed_sizes_stay_whole_in_boxes_of_a_few_frames(void **state)
{
    struct client_pair *pair = *state;
    const uint64_t seed = test_seed();
    pair->options.message_bytes_max = 1000;
    pair->options.inbox_bytes = 3333;
    pair->options.outbox_bytes = 2222;
    client_pair_connect(pair);
    echo_drawn_messages(pair, 1000, seed);
}

static void a_message_over_the_limit_is_refused_before_a_byte_is_sent(void **state)
{
    static const uint8_t zeros[11];
    struct client_pair *pair = *state;
    pair->options.message_bytes_max = 10;
    client_pair_connect(pair);
    assert_int_equal(throng_client_write(pair->client, zeros, 11), THRONG_ETOOBIG);
    assert_int_equal(throng_client_write(pair->client, zeros, SIZE_MAX), THRONG_ETOOBIG);
    assert_int_equal(throng_client_write(pair->client, zeros, 10), 0);
    assert_int_equal(throng_client_write(pair->client, zeros, 9), 0);
    client_pair_expect(pair, "\0\0\0\12\0\0\0\0\0\0\0\0\0\0\0\0\0\11\0\0\0\0\0\0\0\0\0", 27);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, client_pair_setup, client_pair_teardown)
        TEST(a_message_goes_out_as_one_frame_at_once),
        TEST(frames_come_in_as_messages),
        TEST(an_empty_message_is_a_message),
        TEST(the_length_may_be_little_endian),
        TEST(a_frame_may_be_cut_anywhere),
        TEST(a_peer_that_sends_a_byte_at_a_time_is_understood),
        TEST(every_size_from_nothing_to_a_mebibyte_comes_back_byte_identical),
        TEST(messages_of_mixed_sizes_stay_whole_in_boxes_of_one_longest_frame),
        TEST(messages_of_mixed_sizes_stay_whole_in_boxes_of_a_few_frames),
        TEST(a_message_over_the_limit_is_refused_before_a_byte_is_sent),
    };
    return cmocka_run_group_tests_name("the non-blocking client talks", tests, NULL, NULL);
}
