/* SPDX-License-Identifier: MIT
 * The boxes of the non-blocking client, full and empty: each holds its side back and loses nothing,
 * also when a direction ends while one is full. */
#include <string.h>

#include "client_pair.h"

/* --- boxes that are full ------------------------------------------------------------------- */

/* What the peer sends: message `i` is the number itself, in 100 bytes. */
static void make_numbered(uint8_t frame[104], uint32_t i)
{
    memset(frame, 'n', 104);
    peer_frame_header(frame, 100);
    peer_frame_header(frame + 4, i);
}

/* Sends until neither the system nor the client takes more. Answers how many bytes went. */
static size_t send_until_stuck(struct client_pair *pair)
{
    uint8_t frame[104];
    size_t sent = 0;
    int refused = 0;
    while (refused < 20) {
        make_numbered(frame, (uint32_t)(sent / 104));
        ptrdiff_t result = peer_send(&pair->peer, frame + sent % 104, 104 - sent % 104);
        if (result > 0) {
            sent += (size_t)result;
            refused = 0;
        } else {
            assert_int_equal(result, PEER_WOULD_BLOCK);
            refused++;
            client_pair_turn(pair);
        }
    }
    return sent;
}

static void a_full_inbox_holds_the_peer_back_and_loses_nothing(void **state)
{
    struct client_pair *pair = *state;
    uint8_t frame[104];
    pair->options.inbox_bytes = 65540;
    client_pair_connect(pair);
    size_t sent = send_until_stuck(pair);
    assert_false(throng_client_wants_read(pair->client));
    assert_int_equal(throng_client_inbox_bytes(pair->client), 65540);
    assert_int_equal(throng_client_state(pair->client), THRONG_CLIENT_CONNECTED);
    /* The last frame is cut: its rest goes out when there is room. */
    make_numbered(frame, (uint32_t)(sent / 104));
    size_t rest = (104 - sent % 104) % 104;
    for (uint32_t i = 0; i < sent / 104; i++) {
        uint8_t expected[104];
        make_numbered(expected, i);
        client_pair_expect_read(pair, expected + 4, 100);
    }
    assert_true(throng_client_wants_read(pair->client));
    if (rest > 0) {
        client_pair_send(pair, frame + 104 - rest, rest);
        client_pair_expect_read(pair, frame + 4, 100);
    }
    assert_int_equal(throng_client_inbox_bytes(pair->client), 0);
}

static void room_in_the_inbox_comes_back_with_the_reads(void **state)
{
    struct client_pair *pair = *state;
    uint8_t frame[104];
    pair->options.message_bytes_max = 1000;
    pair->options.inbox_bytes = 1040;
    client_pair_connect(pair);
    for (uint32_t i = 0; i < 20; i++) {
        make_numbered(frame, i);
        client_pair_send(pair, frame, 104);
    }
    CLIENT_UNTIL(pair, !throng_client_wants_read(pair->client));
    assert_int_equal(throng_client_inbox_bytes(pair->client), 1040);
    for (uint32_t i = 0; i < 5; i++) {
        assert_false(throng_client_wants_read(pair->client));
        make_numbered(frame, i);
        client_pair_expect_read(pair, frame + 4, 100);
    }
    assert_true(throng_client_wants_read(pair->client));
    (void)throng_client_update(pair->client);
    assert_false(throng_client_wants_read(pair->client));
    assert_int_equal(throng_client_inbox_bytes(pair->client), 1040);
}

/* The system's buffers widen by themselves for seconds after they looked full, and would take what
 * waits in the outbox; of a given size they stay as they are, and smaller than the outbox. */
static void connect_to_narrow_peer(struct client_pair *pair)
{
    const int bytes = 16384;
    host_close(&pair->host);
    assert_true(host_open_narrow(&pair->host, bytes));
    client_pair_connect(pair);
    const struct peer ours = {.descriptor = throng_client_descriptor(pair->client)};
    assert_true(peer_limit_send_buffer(&ours, bytes));
}

/* Writes numbered messages until neither the system nor the outbox takes more. Answers how many. */
static uint32_t write_until_stuck(struct client_pair *pair)
{
    uint8_t frame[104];
    uint32_t count = 0;
    int refused = 0;
    while (refused < 20) {
        make_numbered(frame, count);
        int result = throng_client_write(pair->client, frame + 4, 100);
        if (result == 0) {
            count++;
            refused = 0;
        } else {
            assert_int_equal(result, THRONG_EAGAIN);
            assert_in_range(throng_client_outbox_bytes(pair->client), 131072 - 103, 131072);
            refused++;
            client_pair_turn(pair);
        }
        assert_true(count < 1000000);
    }
    return count;
}

static void expect_numbered(struct client_pair *pair, uint32_t count)
{
    uint8_t frame[104];
    for (uint32_t i = 0; i < count; i++) {
        make_numbered(frame, i);
        client_pair_expect(pair, frame, 104);
    }
}

static void a_full_outbox_refuses_whole_messages_and_loses_nothing(void **state)
{
    struct client_pair *pair = *state;
    connect_to_narrow_peer(pair);
    uint32_t count = write_until_stuck(pair);
    assert_true(throng_client_wants_write(pair->client));
    assert_int_equal(throng_client_state(pair->client), THRONG_CLIENT_CONNECTED);
    expect_numbered(pair, count);
    assert_int_equal(throng_client_outbox_bytes(pair->client), 0);
    assert_false(throng_client_wants_write(pair->client));
    assert_int_equal(throng_client_write(pair->client, "last", 4), 0);
    client_pair_expect(pair, "\0\0\0\4last", 8);
}

/* --- one direction ------------------------------------------------------------------------- */

static void our_end_follows_the_last_message_and_the_peer_may_still_talk(void **state)
{
    struct client_pair *pair = *state;
    connect_to_narrow_peer(pair);
    uint32_t count = write_until_stuck(pair);
    assert_int_equal(throng_client_shutdown(pair->client), 0);
    assert_int_equal(throng_client_shutdown(pair->client), 0);
    assert_int_equal(throng_client_write(pair->client, "more", 4), THRONG_ECLOSING);
    expect_numbered(pair, count);
    client_pair_expect_end(pair);
    assert_int_equal(throng_client_state(pair->client), THRONG_CLIENT_CONNECTED);
    client_pair_send(pair, "\0\0\0\3bye", 7);
    client_pair_expect_read(pair, "bye", 3);
    peer_finish(&pair->peer);
    client_pair_expect_failed(pair, THRONG_EEOF);
    /* The next connection knows nothing of it. */
    client_pair_disconnect(pair);
    client_pair_connect(pair);
    assert_int_equal(throng_client_write(pair->client, "again", 5), 0);
    assert_int_equal(throng_client_shutdown(pair->client), 0);
    client_pair_expect(pair, "\0\0\0\5again", 9);
    client_pair_expect_end(pair);
}

static void the_peers_end_waits_until_our_outbox_is_out(void **state)
{
    struct client_pair *pair = *state;
    connect_to_narrow_peer(pair);
    uint32_t count = write_until_stuck(pair);
    client_pair_send(pair, "\0\0\0\3bye", 7);
    peer_finish(&pair->peer);
    client_pair_expect_read(pair, "bye", 3);
    CLIENT_UNTIL(pair, !throng_client_wants_read(pair->client));
    assert_int_equal(throng_client_state(pair->client), THRONG_CLIENT_CONNECTED);
    assert_true(throng_client_wants_write(pair->client));
    expect_numbered(pair, count);
    client_pair_expect_failed(pair, THRONG_EEOF);
    client_pair_expect_end(pair);
    client_pair_disconnect(pair);
    client_pair_connect(pair);
    assert_true(throng_client_wants_read(pair->client));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, client_pair_setup, client_pair_teardown)
        TEST(a_full_inbox_holds_the_peer_back_and_loses_nothing),
        TEST(room_in_the_inbox_comes_back_with_the_reads),
        TEST(a_full_outbox_refuses_whole_messages_and_loses_nothing),
        TEST(our_end_follows_the_last_message_and_the_peer_may_still_talk),
        TEST(the_peers_end_waits_until_our_outbox_is_out),
    };
    return cmocka_run_group_tests_name("the boxes of the non-blocking client", tests, NULL, NULL);
}
