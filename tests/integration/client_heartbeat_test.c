/* SPDX-License-Identifier: MIT
 * The non-blocking client with heartbeats, against a plain peer. Where a time is not what is
 * tested, the interval is a minute, so that a slow machine cannot make anything due. */
#include <string.h>

#include "client_pair.h"

#define MINUTE_MS 60000u

static void connect_with_heartbeats(struct client_pair *pair, uint32_t heartbeat_ms)
{
    pair->options.heartbeat_ms = heartbeat_ms;
    client_pair_connect(pair);
}

/* The peer takes little on the way, and the system does not make it more. */
static void connect_to_narrow_peer(struct client_pair *pair, uint32_t heartbeat_ms)
{
    host_close(&pair->host);
    assert_true(host_open_narrow(&pair->host, 8192));
    connect_with_heartbeats(pair, heartbeat_ms);
}

/* Fills the outbox and what lies behind it, until nothing has moved for a while, though the peer
 * says something now and then: on that occasion the system may take more. Answers how many bytes
 * wait in the outbox. */
static size_t block(struct client_pair *pair)
{
    size_t before = 0;
    int64_t since_ms = test_now_ms();
    while (test_now_ms() - since_ms < 100) {
        client_pair_fill_outbox(pair);
        size_t now = throng_client_outbox_bytes(pair->client);
        since_ms = now == before ? since_ms : test_now_ms();
        before = now;
        client_pair_send(pair, "\0\0\0\1a", 5);
        client_pair_expect_read(pair, "a", 1);
        client_pair_turn(pair);
    }
    return before;
}

/* --- answers ------------------------------------------------------------------------------- */

static void empty_messages_are_answered_and_not_read(void **state)
{
    struct client_pair *pair = *state;
    connect_with_heartbeats(pair, MINUTE_MS);
    for (int i = 0; i < 3; i++) {
        client_pair_send(pair, "\0\0\0\0", 4);
        client_pair_expect(pair, "\0\0\0\0", 4);
    }
    client_pair_send(pair, "\0\0\0\0\0\0\0\2hi\0\0\0\0\0\0\0\0\0\0\0\3bye", 25);
    client_pair_expect_read(pair, "hi", 2);
    client_pair_expect_read(pair, "bye", 3);
    CLIENT_UNTIL(pair, throng_client_wait_ms(pair->client) > 0); /* it owes no more */
    assert_int_equal(throng_client_inbox_bytes(pair->client), 0);
    assert_int_equal(throng_client_write(pair->client, "x", 1), 0);
    client_pair_expect(pair, "\0\0\0\0\0\0\0\1x", 9); /* one answer to the three */
}

static void an_answer_in_pieces_is_one(void **state)
{
    struct client_pair *pair = *state;
    connect_with_heartbeats(pair, MINUTE_MS);
    for (int i = 0; i < 4; i++) {
        client_pair_send(pair, "\0", 1);
        CLIENT_UNTIL(pair, throng_client_inbox_bytes(pair->client) == (size_t)(i + 1) % 4);
    }
    client_pair_expect(pair, "\0\0\0\0", 4);
    assert_int_equal(throng_client_write(pair->client, "x", 1), 0);
    client_pair_expect(pair, "\0\0\0\1x", 5);
}

/* Takes what the client sent, and throws it away. Answers how much, 0 at the end of the stream. */
static size_t swallow(struct client_pair *pair)
{
    static uint8_t bytes[65536];
    ptrdiff_t got = 0;
    CLIENT_UNTIL(pair, (got = peer_receive(&pair->peer, bytes, sizeof(bytes))) != PEER_WOULD_BLOCK);
    assert_true(got >= 0);
    return (size_t)got;
}

static void an_answer_waits_until_no_message_does(void **state)
{
    struct client_pair *pair = *state;
    connect_to_narrow_peer(pair, MINUTE_MS);
    size_t full = block(pair);
    client_pair_send(pair, "\0\0\0\0\0\0\0\2hi", 10);
    client_pair_expect_read(pair, "hi", 2);
    assert_int_equal(throng_client_outbox_bytes(pair->client), full);
    size_t total = 0;
    while (throng_client_outbox_bytes(pair->client) > 0) {
        total += swallow(pair);
        client_pair_turn(pair);
    }
    CLIENT_UNTIL(pair, throng_client_wait_ms(pair->client) > 0); /* it is sent */
    assert_int_equal(throng_client_write(pair->client, "end", 3), 0);
    assert_int_equal(throng_client_shutdown(pair->client), 0);
    size_t got;
    while ((got = swallow(pair)) > 0) {
        total += got;
    }
    /* Frames of 1,000 bytes; one answer; three bytes. */
    assert_int_equal(total % 1004, 4 + 7);
}

/* --- our own ------------------------------------------------------------------------------- */

static void a_heartbeat_goes_out_after_an_interval_without_a_send(void **state)
{
    struct client_pair *pair = *state;
    int64_t begin_ms = test_now_ms();
    connect_with_heartbeats(pair, 60);
    assert_in_range(throng_client_wait_ms(pair->client), 0, 60);
    client_pair_expect(pair, "\0\0\0\0", 4);
    assert_in_range(test_now_ms() - begin_ms, 59, test_deadline_ms());
}

static void a_write_puts_the_next_heartbeat_off(void **state)
{
    struct client_pair *pair = *state;
    uint8_t header[4] = {0};
    connect_with_heartbeats(pair, 300);
    CLIENT_UNTIL(pair, throng_client_wait_ms(pair->client) < 250);
    int64_t begin_ms = test_now_ms();
    assert_int_equal(throng_client_write(pair->client, "x", 1), 0);
    while (header[3] == 0) { /* one may have come before, where the machine stood still */
        CLIENT_UNTIL(pair, peer_receive_all(&pair->peer, header, 4, 0));
    }
    client_pair_expect(pair, "x", 1);
    client_pair_expect(pair, "\0\0\0\0", 4);
    assert_in_range(test_now_ms() - begin_ms, 299, test_deadline_ms());
}

/* If it were, the answer to it would come at once, and not an interval after the question. */
static void an_answer_to_ours_is_not_answered(void **state)
{
    struct client_pair *pair = *state;
    int64_t begin_ms = test_now_ms();
    connect_with_heartbeats(pair, 150);
    client_pair_expect(pair, "\0\0\0\0", 4);
    client_pair_send(pair, "\0\0\0\0", 4);
    client_pair_expect(pair, "\0\0\0\0", 4);
    assert_in_range(test_now_ms() - begin_ms, 299, test_deadline_ms());
}

static void nothing_is_sent_after_our_end(void **state)
{
    struct client_pair *pair = *state;
    connect_with_heartbeats(pair, 20);
    assert_int_equal(throng_client_shutdown(pair->client), 0);
    client_pair_send(pair, "\0\0\0\0", 4);
    client_pair_expect_failed(pair, THRONG_ETIMEDOUT); /* and the peer's silence counts on */
    assert_int_equal(peer_await_end(&pair->peer, test_deadline_ms()), PEER_END);
}

/* --- silence ------------------------------------------------------------------------------- */

static void a_silent_peer_is_given_up_after_three_intervals(void **state)
{
    struct client_pair *pair = *state;
    uint8_t bytes[64];
    connect_with_heartbeats(pair, 50);
    int64_t begin_ms = test_now_ms();
    client_pair_send(pair, "\0\0\0\3bye\0\0", 9);
    client_pair_expect_failed(pair, THRONG_ETIMEDOUT);
    assert_in_range(test_now_ms() - begin_ms, 149, test_deadline_ms());
    client_pair_expect_read(pair, "bye", 3);
    assert_int_equal(throng_client_error(pair->client), THRONG_ETIMEDOUT);
    /* It had asked: at most once an interval, and at least once. */
    ptrdiff_t got = peer_receive(&pair->peer, bytes, sizeof(bytes));
    assert_in_range(got, 4, 12);
    assert_int_equal(got % 4, 0);
    assert_int_equal(bytes[0] | bytes[got - 1], 0);
}

/* A byte now and then is a sign of life, wherever in a frame it is. A machine that stands still for
 * longer than the client's patience makes an attempt worthless. */
static void a_byte_at_a_time_keeps_the_peer_alive(void **state)
{
    struct client_pair *pair = *state;
    bool stayed = false;
    for (int attempt = 0; attempt < 5 && !stayed; attempt++) {
        connect_with_heartbeats(pair, 100);
        int64_t begin_ms = test_now_ms();
        int64_t sent_ms = begin_ms;
        client_pair_send(pair, "\0\0\377\377", 4);
        while (throng_client_state(pair->client) == THRONG_CLIENT_CONNECTED &&
               test_now_ms() - begin_ms < 700) {
            if (test_now_ms() - sent_ms >= 50) {
                sent_ms = test_now_ms();
                assert_int_equal(peer_send(&pair->peer, "x", 1), 1);
            }
            client_pair_turn(pair);
        }
        stayed = throng_client_state(pair->client) == THRONG_CLIENT_CONNECTED;
        client_pair_disconnect(pair);
    }
    assert_true(stayed);
}

static void our_own_absence_is_not_held_against_the_peer(void **state)
{
    struct client_pair *pair = *state;
    connect_with_heartbeats(pair, 20);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(peer_send(&pair->peer, "\0\0\0\2hi", 6), 6);
        test_pause_us(100000);
        assert_int_equal(throng_client_wait_ms(pair->client), 0);
        assert_int_equal(throng_client_update(pair->client), THRONG_CLIENT_CONNECTED);
        client_pair_expect_read(pair, "hi", 2);
    }
}

static void a_full_inbox_is_not_held_against_the_peer(void **state)
{
    struct client_pair *pair = *state;
    uint8_t frames[2][1004];
    pair->options.message_bytes_max = 1000;
    pair->options.inbox_bytes = 1004;
    memset(frames, 'f', sizeof(frames));
    peer_frame_header(frames[0], 1000);
    peer_frame_header(frames[1], 1000);
    connect_with_heartbeats(pair, 30);
    client_pair_send(pair, frames, sizeof(frames));
    CLIENT_UNTIL(pair, !throng_client_wants_read(pair->client));
    int64_t begin_ms = test_now_ms();
    CLIENT_UNTIL(pair, test_now_ms() - begin_ms > 150);
    assert_int_equal(throng_client_state(pair->client), THRONG_CLIENT_CONNECTED);
    client_pair_expect_read(pair, frames[0] + 4, 1000);
    assert_int_equal(throng_client_update(pair->client), THRONG_CLIENT_CONNECTED);
    client_pair_expect_read(pair, frames[1] + 4, 1000);
    client_pair_expect_failed(pair, THRONG_ETIMEDOUT);
}

static void a_peer_that_ended_and_reads_nothing_is_given_up(void **state)
{
    struct client_pair *pair = *state;
    connect_to_narrow_peer(pair, 400);
    (void)block(pair);
    peer_finish(&pair->peer);
    CLIENT_UNTIL(pair, !throng_client_wants_read(pair->client));
    client_pair_expect_failed(pair, THRONG_ETIMEDOUT);
}

/* --- floods -------------------------------------------------------------------------------- */

static void a_flood_piles_nothing_up_and_does_not_keep_the_user_waiting(void **state)
{
    static const uint8_t zeros[400000];
    struct client_pair *pair = *state;
    pair->options.message_bytes_max = 1000;
    pair->options.inbox_bytes = 1004;
    connect_with_heartbeats(pair, MINUTE_MS);
    /* What the system's buffers hold, before the client looks once. */
    size_t sent = 0;
    ptrdiff_t taken;
    while (sent < sizeof(zeros) &&
           (taken = peer_send(&pair->peer, zeros, sizeof(zeros) - sent)) > 0) {
        sent += (size_t)taken;
    }
    assert_true(sent > 100000);
    CLIENT_UNTIL(pair, throng_client_wait_ms(pair->client) == 0);
    assert_int_equal(throng_client_update(pair->client), THRONG_CLIENT_CONNECTED);
    assert_int_equal(throng_client_wait_ms(pair->client),
                     0); /* there is more than one update sees */
    assert_int_equal(throng_client_inbox_bytes(pair->client), 0);
    client_pair_send(pair, zeros, (4 - sent % 4) % 4);
    client_pair_send(pair, "\0\0\0\2hi", 6);
    client_pair_expect_read(pair, "hi", 2);
    assert_in_range(throng_client_outbox_bytes(pair->client), 0, 4);
    /* One answer an update at most, of which each saw 250 and more. */
    assert_int_equal(throng_client_shutdown(pair->client), 0);
    uint64_t answered = 0;
    uint8_t bytes[4096];
    while ((taken = peer_receive(&pair->peer, bytes, sizeof(bytes))) != PEER_END) {
        assert_true(taken > 0 || taken == PEER_WOULD_BLOCK);
        answered += taken > 0 ? (uint64_t)taken : 0;
        client_pair_turn(pair);
    }
    assert_int_equal(answered % 4, 0);
    assert_in_range(answered, 4, sent / 200);
}

/* More than one update looks at, a message, and a reset that a write finds first. */
static void a_reset_behind_a_flood_loses_no_message(void **state)
{
    static const uint8_t zeros[100000];
    struct client_pair *pair = *state;
    pair->options.message_bytes_max = 1000;
    pair->options.inbox_bytes = 1004;
    connect_with_heartbeats(pair, MINUTE_MS);
    assert_true(peer_send_all(&pair->peer, zeros, sizeof(zeros), test_deadline_ms()));
    assert_true(peer_send_all(&pair->peer, "\0\0\0\3bye", 7, test_deadline_ms()));
    peer_reset(&pair->peer);
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (throng_client_write(pair->client, "x", 1) == 0) {
        assert_true(test_now_ms() < deadline_ms);
    }
    client_pair_expect_read(pair, "bye", 3);
    client_pair_expect_failed(pair, THRONG_ECONNRESET);
}

static void a_flood_from_a_peer_that_reads_nothing_leaves_the_outbox_alone(void **state)
{
    static const uint8_t zeros[200000];
    struct client_pair *pair = *state;
    connect_to_narrow_peer(pair, MINUTE_MS);
    size_t full = block(pair);
    client_pair_send(pair, zeros, sizeof(zeros));
    client_pair_send(pair, "\0\0\0\2hi", 6);
    client_pair_expect_read(pair, "hi", 2);
    assert_int_equal(throng_client_outbox_bytes(pair->client), full);
}

/* --- options ------------------------------------------------------------------------------- */

static void an_empty_message_cannot_be_written(void **state)
{
    struct client_pair *pair = *state;
    connect_with_heartbeats(pair, MINUTE_MS);
    assert_int_equal(throng_client_write(pair->client, NULL, 0), THRONG_EINVAL);
    assert_int_equal(throng_client_write(pair->client, "x", 0), THRONG_EINVAL);
    assert_int_equal(throng_client_write(pair->client, "x", 1), 0);
    client_pair_expect(pair, "\0\0\0\1x", 5);
}

static void the_interval_has_a_range_and_is_off_by_default(void **state)
{
    struct client_pair *pair = *state;
    struct throng_error error;
    assert_int_equal(pair->options.heartbeat_ms, 0);
    pair->options.heartbeat_ms = 86400001;
    assert_int_equal(throng_client_create(&pair->client, &pair->options, &error), THRONG_EINVAL);
    assert_string_equal(error.text, "heartbeat_ms is 86400001; it must be 0..86400000");
    pair->options.heartbeat_ms = 86400000;
    client_pair_connect(pair);
    assert_in_range(throng_client_wait_ms(pair->client), 86300000, 86400000);
    throng_client_destroy(pair->client);
    pair->client = NULL;
    peer_close(&pair->peer);
    /* A program that was compiled before there were heartbeats. */
    pair->options.struct_size = offsetof(struct throng_client_options, heartbeat_ms);
    pair->options.heartbeat_ms = 1;
    client_pair_connect(pair);
    assert_int_equal(throng_client_wait_ms(pair->client), -1);
    client_pair_send(pair, "\0\0\0\0", 4);
    client_pair_expect_read(pair, "", 0);
}

static void the_next_connection_begins_anew(void **state)
{
    struct client_pair *pair = *state;
    connect_with_heartbeats(pair, 500);
    client_pair_expect(pair, "\0\0\0\0", 4); /* unanswered */
    client_pair_disconnect(pair);
    client_pair_connect(pair);
    client_pair_send(pair, "\0\0\0\0\0\0\0\2hi", 10); /* so this is not the answer to it */
    client_pair_expect_read(pair, "hi", 2);
    assert_int_equal(throng_client_write(pair->client, "x", 1), 0);
    client_pair_expect(pair, "\0\0\0\0\0\0\0\1x", 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, client_pair_setup, client_pair_teardown)
        TEST(empty_messages_are_answered_and_not_read),
        TEST(an_answer_in_pieces_is_one),
        TEST(an_answer_waits_until_no_message_does),
        TEST(a_heartbeat_goes_out_after_an_interval_without_a_send),
        TEST(a_write_puts_the_next_heartbeat_off),
        TEST(an_answer_to_ours_is_not_answered),
        TEST(nothing_is_sent_after_our_end),
        TEST(a_silent_peer_is_given_up_after_three_intervals),
        TEST(a_byte_at_a_time_keeps_the_peer_alive),
        TEST(our_own_absence_is_not_held_against_the_peer),
        TEST(a_full_inbox_is_not_held_against_the_peer),
        TEST(a_peer_that_ended_and_reads_nothing_is_given_up),
        TEST(a_flood_piles_nothing_up_and_does_not_keep_the_user_waiting),
        TEST(a_reset_behind_a_flood_loses_no_message),
        TEST(a_flood_from_a_peer_that_reads_nothing_leaves_the_outbox_alone),
        TEST(an_empty_message_cannot_be_written),
        TEST(the_interval_has_a_range_and_is_off_by_default),
        TEST(the_next_connection_begins_anew),
    };
    return cmocka_run_group_tests_name("the non-blocking client's heartbeats", tests, NULL, NULL);
}
