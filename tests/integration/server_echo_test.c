/* SPDX-License-Identifier: MIT
 * What goes in comes out: messages of every size, many, in pieces, from many peers, and either side
 * speaking first. */
#include <string.h>

#include "pattern.h"
#include "server_fixture.h"

#define LONGEST (1024u * 1024u)

static void a_message_comes_back_as_it_was(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    fixture_expect_echo(fixture, &peer, "hello", 5);
    fixture_expect_echo(fixture, &peer, "", 0);
    fixture_expect_echo(fixture, &peer, "a\0b", 3);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.opened, 1);
    assert_int_equal(fixture->journal.messages, 3);
    assert_int_equal(fixture_counters(fixture).messages_received, 3);
    assert_int_equal(fixture_counters(fixture).messages_written, 3);
    assert_int_equal(fixture_counters(fixture).bytes_received, 20);
    assert_int_equal(fixture_counters(fixture).bytes_sent, 20);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_PEER], 1);
}

static void speak_first(struct server_fixture *fixture, const struct throng_event *event)
{
    if (event->type == THRONG_EVENT_OPEN) {
        assert_int_equal(throng_write_data(fixture->server, event->conn, "welcome", 7), 0);
    }
}

static void the_server_speaks_first_to_a_peer_that_says_nothing(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->handle = speak_first;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    fixture_expect_frame(fixture, &peer, "welcome", 7);
    assert_int_equal(fixture->journal.opened, 1);
    assert_int_equal(fixture->journal.messages, 0);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void open_comes_at_the_connect_without_a_byte(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    assert_int_equal(fixture_counters(fixture).connections, 1);
    assert_int_equal(fixture_counters(fixture).bytes_received, 0);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void a_peer_may_speak_before_it_is_accepted(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    assert_true(peer_send_frame(&peer, "early", 5, test_deadline_ms()));
    fixture_expect_frame(fixture, &peer, "early", 5);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void every_size_from_nothing_to_a_mebibyte_is_byte_identical(void **state)
{
    static const uint32_t sizes[] = {0,    1,    2,    3,     4,     507,   508,   509,
                                     510,  511,  512,  513,   1023,  1024,  1025,  2048,
                                     2049, 4095, 4096, 16383, 16384, 65536, 65537, LONGEST};
    struct server_fixture *fixture = *state;
    fixture->options.message_bytes_max = LONGEST;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    uint8_t *payload = malloc(LONGEST);
    assert_non_null(payload);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        test_fill_pattern(payload, sizes[i], i);
        fixture_expect_echo(fixture, &peer, payload, sizes[i]);
    }
    free(payload);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->write_errors, 0);
    assert_int_equal(fixture->journal.bytes,
                     fixture_counters(fixture).bytes_sent - 4 * (sizeof(sizes) / sizeof(sizes[0])));
}

/* `count` frames of `size` bytes, each filled with its own pattern. */
static uint8_t *make_frames(uint32_t count, uint32_t size)
{
    uint8_t *frames = malloc((size_t)count * (size + 4));
    assert_non_null(frames);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *frame = frames + (size_t)i * (size + 4);
        peer_frame_header(frame, size);
        test_fill_pattern(frame + 4, size, i);
    }
    return frames;
}

static void a_hundred_thousand_small_messages_at_once_come_back_in_order(void **state)
{
    struct server_fixture *fixture = *state;
    uint32_t count = test_scaled(100000);
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    size_t bytes = (size_t)count * 12;
    uint8_t *out = make_frames(count, 8);
    uint8_t *in = malloc(bytes);
    assert_non_null(in);
    fixture_exchange(fixture, &peer, out, bytes, in, bytes);
    assert_memory_equal(in, out, bytes);
    free(in);
    free(out);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.messages, count);
    assert_int_equal(fixture->write_errors, 0);
}

static void one_byte_at_a_time_makes_the_same_messages(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    uint8_t *out = make_frames(5, 30);
    uint8_t in[5 * 34];
    for (size_t i = 0; i < sizeof(in); i++) {
        uint64_t received = fixture_counters(fixture).bytes_received;
        fixture_send(fixture, &peer, out + i, 1);
        /* The byte arrives alone: the next one waits until the server has taken it. */
        FIXTURE_UNTIL(fixture, fixture_counters(fixture).bytes_received > received);
    }
    fixture_exchange(fixture, &peer, NULL, 0, in, sizeof(in));
    assert_memory_equal(in, out, sizeof(in));
    free(out);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.messages, 5);
}

static void big_messages_and_small_ones_keep_their_order(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    uint64_t seed = test_seed();
    size_t capacity = 4u * 1024 * 1024;
    uint8_t *out = malloc(capacity);
    uint8_t *in = malloc(capacity);
    assert_non_null(out);
    assert_non_null(in);
    size_t bytes = 0;
    for (uint32_t i = 0; i < test_scaled(400); i++) {
        uint32_t size = (uint32_t)(test_random(&seed) % (i % 10 == 0 ? 65537 : 700));
        peer_frame_header(out + bytes, size);
        test_fill_pattern(out + bytes + 4, size, i);
        bytes += 4 + size;
    }
    fixture_exchange(fixture, &peer, out, bytes, in, bytes);
    assert_memory_equal(in, out, bytes);
    free(in);
    free(out);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->write_errors, 0);
}

static void many_peers_at_once_each_get_their_own_back(void **state)
{
    struct server_fixture *fixture = *state;
    enum {
        PEERS = 200
    };
    struct peer peers[PEERS];
    fixture_start(fixture);
    for (uint32_t i = 0; i < PEERS; i++) {
        fixture_connect(fixture, &peers[i]);
    }
    for (uint32_t round = 0; round < test_scaled(20); round++) {
        for (uint32_t i = 0; i < PEERS; i++) {
            uint32_t text[2] = {i, round};
            assert_true(peer_send_frame(&peers[i], text, sizeof(text), test_deadline_ms()));
        }
        for (uint32_t i = 0; i < PEERS; i++) {
            uint32_t text[2] = {i, round};
            fixture_expect_frame(fixture, &peers[i], text, sizeof(text));
        }
    }
    assert_int_equal(fixture_counters(fixture).connections, PEERS);
    for (uint32_t i = 0; i < PEERS; i++) {
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture_counters(fixture).connections_peak, PEERS);
    assert_int_equal(fixture->journal.opened, PEERS);
}

static void the_length_is_little_endian_where_asked_for(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.byte_order = THRONG_BYTE_ORDER_LITTLE;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    static const uint8_t frame[] = {3, 0, 0, 0, 'a', 'b', 'c'};
    uint8_t in[sizeof(frame)];
    fixture_exchange(fixture, &peer, frame, sizeof(frame), in, sizeof(in));
    assert_memory_equal(in, frame, sizeof(frame));
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void a_message_over_the_limit_is_not_written(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.message_bytes_max = 100;
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    static const uint8_t data[101];
    assert_int_equal(throng_write_data(fixture->server, conn, data, 101), THRONG_ETOOBIG);
    assert_int_equal(throng_write_data(fixture->server, conn, data, SIZE_MAX), THRONG_ETOOBIG);
    assert_int_equal(throng_write_data(fixture->server, conn, data, 100), 0);
    fixture_expect_frame(fixture, &peer, data, 100);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture_counters(fixture).messages_written, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_back_as_it_was),
        cmocka_unit_test(the_server_speaks_first_to_a_peer_that_says_nothing),
        cmocka_unit_test(open_comes_at_the_connect_without_a_byte),
        cmocka_unit_test(a_peer_may_speak_before_it_is_accepted),
        cmocka_unit_test(every_size_from_nothing_to_a_mebibyte_is_byte_identical),
        cmocka_unit_test(a_hundred_thousand_small_messages_at_once_come_back_in_order),
        cmocka_unit_test(one_byte_at_a_time_makes_the_same_messages),
        cmocka_unit_test(big_messages_and_small_ones_keep_their_order),
        cmocka_unit_test(many_peers_at_once_each_get_their_own_back),
        cmocka_unit_test(the_length_is_little_endian_where_asked_for),
        cmocka_unit_test(a_message_over_the_limit_is_not_written),
    };
    return fixture_run_tests("server_echo", tests, sizeof(tests) / sizeof(tests[0]));
}
