/* SPDX-License-Identifier: MIT
 * The non-blocking client and a peer that is hostile or gone, in each of the client's states. */
#include <string.h>

#include "client_pair.h"
#include "process.h"

/* --- ends ---------------------------------------------------------------------------------- */

static void what_came_before_the_end_is_read_after_it(void **state)
{
    struct client_pair *pair = *state;
    client_pair_connect(pair);
    client_pair_send(pair, "\0\0\0\2hi\0\0\0\3bye", 13);
    peer_close(&pair->peer);
    client_pair_expect_failed(pair, THRONG_EEOF);
    client_pair_expect_read(pair, "hi", 2);
    client_pair_expect_read(pair, "bye", 3);
    client_pair_expect_failed(pair, THRONG_EEOF);
}

static void an_end_inside_a_frame_breaks_the_protocol(void **state)
{
    struct client_pair *pair = *state;
    const void *message;
    size_t size;
    for (size_t cut = 1; cut <= 8; cut++) {
        client_pair_connect(pair);
        client_pair_send(pair, "\0\0\0\2hi", 6);
        client_pair_send(pair, "\0\0\0\5hello", cut);
        peer_close(&pair->peer);
        client_pair_expect_failed(pair, THRONG_EPROTOCOL);
        client_pair_expect_read(pair, "hi", 2);
        assert_int_equal(throng_client_read(pair->client, &message, &size), 0);
        client_pair_disconnect(pair);
    }
}

static void a_length_over_the_limit_breaks_the_protocol(void **state)
{
    static const uint8_t lengths[][4] = {{0x00, 0x01, 0x00, 0x01}, /* 65,537 */
                                         {0x7f, 0xff, 0xff, 0xff},
                                         {0x80, 0x00, 0x00, 0x00},
                                         {0xff, 0xff, 0xff, 0xff}};
    struct client_pair *pair = *state;
    const void *message;
    size_t size;
    for (size_t i = 0; i < 4; i++) {
        client_pair_connect(pair);
        client_pair_send(pair, "\0\0\0\2hi", 6);
        client_pair_send(pair, lengths[i], 4);
        client_pair_expect_failed(pair, THRONG_EPROTOCOL);
        client_pair_expect_read(pair, "hi", 2);
        assert_int_equal(throng_client_read(pair->client, &message, &size), 0);
        client_pair_disconnect(pair);
    }
}

static void the_limit_of_what_comes_in_is_exact(void **state)
{
    struct client_pair *pair = *state;
    pair->options.message_bytes_max = 3;
    client_pair_connect(pair);
    client_pair_send(pair, "\0\0\0\2hi\0\0\0\3bye\0\0\0\4oops", 21);
    client_pair_expect_failed(pair, THRONG_EPROTOCOL);
    client_pair_expect_read(pair, "hi", 2);
    client_pair_expect_read(pair, "bye", 3);
}

/* --- resets -------------------------------------------------------------------------------- */

static void a_reset_fails_the_client_after_what_came_before_it(void **state)
{
    struct client_pair *pair = *state;
    for (size_t cut = 0; cut <= 8; cut++) {
        client_pair_connect(pair);
        client_pair_send(pair, "\0\0\0\3bye", 7);
        if (cut > 0) {
            client_pair_send(pair, "\0\0\0\5hello", cut);
        }
        peer_reset(&pair->peer);
        client_pair_expect_failed(pair, THRONG_ECONNRESET);
        client_pair_expect_read(pair, "bye", 3);
        client_pair_disconnect(pair);
    }
}

/* Writes until the reset shows. The system tells of it once: to the write, so that reading later
 * sees a plain end. */
static void write_until_reset(struct client_pair *pair)
{
    int result = 0;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (result == 0 && test_now_ms() < deadline_ms) {
        result = throng_client_write(pair->client, "x", 1);
    }
    assert_int_equal(result, THRONG_ECONNRESET);
}

static void a_reset_that_a_write_found_keeps_what_came_before_it(void **state)
{
    struct client_pair *pair = *state;
    client_pair_connect(pair);
    client_pair_send(pair, "\0\0\0\3bye\0\0\0\5hel", 14);
    peer_reset(&pair->peer);
    write_until_reset(pair);
    assert_int_equal(throng_client_write(pair->client, "x", 1), THRONG_ECONNRESET);
    assert_int_equal(throng_client_shutdown(pair->client), THRONG_ECONNRESET);
    assert_int_equal(throng_client_wait_ms(pair->client), 0);
    assert_false(throng_client_wants_write(pair->client));
    client_pair_expect_failed(pair, THRONG_ECONNRESET);
    client_pair_expect_read(pair, "bye", 3);
}

/* Also when the client is closed before throng_client_update could say it. */
static void a_reset_that_a_write_found_is_not_told_to_the_next_connection(void **state)
{
    struct client_pair *pair = *state;
    for (int round = 0; round < 4; round++) {
        client_pair_connect(pair);
        assert_int_equal(throng_client_error(pair->client), 0);
        assert_int_equal(throng_client_wait_ms(pair->client), -1);
        assert_int_equal(throng_client_write(pair->client, "still there?", 12), 0);
        client_pair_expect(pair, "\0\0\0\14still there?", 16);
        client_pair_send(pair, "\0\0\0\3yes", 7);
        client_pair_expect_read(pair, "yes", 3);
        assert_int_equal(throng_client_update(pair->client), THRONG_CLIENT_CONNECTED);

        peer_reset(&pair->peer);
        write_until_reset(pair);
        if (round % 2 == 0) {
            client_pair_expect_failed(pair, THRONG_ECONNRESET);
        }
        client_pair_disconnect(pair);
        assert_int_equal(throng_client_error(pair->client), 0);
        assert_int_equal(throng_client_update(pair->client), THRONG_CLIENT_IDLE);
    }
    /* And the end of a connection that nobody reset is told as what it is. */
    client_pair_connect(pair);
    assert_int_equal(throng_client_shutdown(pair->client), 0);
    client_pair_expect_end(pair);
    peer_close(&pair->peer);
    client_pair_expect_failed(pair, THRONG_EEOF);
}

/* The inbox is full of what nobody can read: there is no room to wait for. */
static void a_length_over_the_limit_is_told_though_a_write_found_a_reset(void **state)
{
    static const uint8_t zeros[1000];
    struct client_pair *pair = *state;
    pair->options.message_bytes_max = 1000;
    pair->options.inbox_bytes = 1004;
    for (size_t whole = 0; whole <= 7; whole += 7) {
        client_pair_connect(pair);
        client_pair_send(pair, "\0\0\0\3bye", whole);
        client_pair_send(pair, "\177\377\377\377", 4);
        client_pair_send(pair, zeros, 1000 - whole);
        peer_reset(&pair->peer);
        write_until_reset(pair);
        client_pair_expect_failed(pair, THRONG_EPROTOCOL);
        if (whole > 0) {
            client_pair_expect_read(pair, "bye", 3);
        }
        client_pair_disconnect(pair);
    }
}

static void a_reset_with_a_full_outbox_fails_the_client(void **state)
{
    struct client_pair *pair = *state;
    client_pair_connect(pair);
    client_pair_fill_outbox(pair);
    client_pair_send(pair, "\0\0\0\3bye", 7);
    peer_reset(&pair->peer);
    client_pair_expect_failed(pair, THRONG_ECONNRESET);
    assert_int_equal(throng_client_outbox_bytes(pair->client), 0);
    client_pair_expect_read(pair, "bye", 3);
}

static void a_reset_behind_a_full_inbox_waits_until_all_is_read(void **state)
{
    struct client_pair *pair = *state;
    uint8_t frames[30][104];
    pair->options.message_bytes_max = 1000;
    pair->options.inbox_bytes = 1040;
    client_pair_connect(pair);
    memset(frames, 'n', sizeof(frames));
    for (int i = 0; i < 30; i++) {
        peer_frame_header(frames[i], 100);
    }
    /* All at once: what the peer's system has not sent yet is lost with the reset. */
    client_pair_send(pair, frames, sizeof(frames));
    CLIENT_UNTIL(pair, !throng_client_wants_read(pair->client));
    peer_reset(&pair->peer);
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (throng_client_write(pair->client, "x", 1) == 0) {
        assert_true(test_now_ms() < deadline_ms);
    }
    assert_int_equal(throng_client_update(pair->client), THRONG_CLIENT_CONNECTED);
    assert_int_equal(throng_client_wait_ms(pair->client), -1); /* nothing to do before a read */
    for (int i = 0; i < 30; i++) {
        client_pair_expect_read(pair, frames[i] + 4, 100);
    }
    client_pair_expect_failed(pair, THRONG_ECONNRESET);
}

static void a_reset_after_our_end_fails_the_client(void **state)
{
    struct client_pair *pair = *state;
    client_pair_connect(pair);
    assert_int_equal(throng_client_shutdown(pair->client), 0);
    peer_reset(&pair->peer);
    client_pair_expect_failed(pair, THRONG_ECONNRESET);
}

/* --- our own end --------------------------------------------------------------------------- */

static void bring_to(struct client_pair *pair, int step)
{
    client_pair_create(pair);
    if (step >= 1) {
        assert_int_equal(throng_client_connect(pair->client, pair->host.endpoint), 0);
    }
    if (step >= 2) {
        CLIENT_UNTIL(pair, throng_client_state(pair->client) == THRONG_CLIENT_CONNECTED);
        assert_true(host_accept(&pair->host, &pair->peer, test_deadline_ms()));
    }
    if (step >= 3) {
        client_pair_send(pair, "\0\0\0\3bye\0\0", 9);
        CLIENT_UNTIL(pair, throng_client_inbox_bytes(pair->client) == 9);
        client_pair_fill_outbox(pair);
    }
    if (step >= 4) {
        assert_int_equal(throng_client_shutdown(pair->client), 0);
    }
    if (step >= 5) {
        peer_reset(&pair->peer);
        client_pair_expect_failed(pair, THRONG_ECONNRESET);
    }
}

static void a_client_may_be_destroyed_or_closed_in_every_state(void **state)
{
    static const int states[] = {THRONG_CLIENT_IDLE,      THRONG_CLIENT_CONNECTING,
                                 THRONG_CLIENT_CONNECTED, THRONG_CLIENT_CONNECTED,
                                 THRONG_CLIENT_CONNECTED, THRONG_CLIENT_FAILED};
    struct client_pair *pair = *state;
    const void *message;
    size_t size;
    for (int step = 0; step < 6; step++) {
        bring_to(pair, step);
        assert_int_equal(throng_client_state(pair->client), states[step]);
        throng_client_destroy(pair->client);
        pair->client = NULL;
        peer_close(&pair->peer);

        bring_to(pair, step);
        throng_client_close(pair->client);
        assert_int_equal(throng_client_state(pair->client), THRONG_CLIENT_IDLE);
        assert_int_equal(throng_client_inbox_bytes(pair->client), 0);
        assert_int_equal(throng_client_outbox_bytes(pair->client), 0);
        assert_int_equal(throng_client_read(pair->client, &message, &size), 0);
        throng_client_destroy(pair->client);
        pair->client = NULL;
        peer_close(&pair->peer);
        host_close(&pair->host);
        assert_true(host_open(&pair->host, THRONG_ADDRESS_IPV4));
    }
    throng_client_destroy(NULL);
    throng_client_close(NULL);
}

static void a_thousand_connections_of_one_client_leave_nothing_behind(void **state)
{
    struct client_pair *pair = *state;
    client_pair_connect(pair);
    client_pair_disconnect(pair);
    uint32_t descriptors = process_descriptors();
    for (int i = 0; i < 1000; i++) {
        client_pair_connect(pair);
        assert_int_equal(throng_client_write(pair->client, "hi", 2), 0);
        client_pair_send(pair, "\0\0\0\3bye", 7);
        client_pair_expect_read(pair, "bye", 3);
        if (i % 2 == 0) {
            peer_reset(&pair->peer);
            client_pair_expect_failed(pair, THRONG_ECONNRESET);
        }
        client_pair_disconnect(pair);
    }
    assert_int_equal(process_descriptors(), descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, client_pair_setup, client_pair_teardown)
        TEST(what_came_before_the_end_is_read_after_it),
        TEST(an_end_inside_a_frame_breaks_the_protocol),
        TEST(a_length_over_the_limit_breaks_the_protocol),
        TEST(the_limit_of_what_comes_in_is_exact),
        TEST(a_reset_fails_the_client_after_what_came_before_it),
        TEST(a_reset_that_a_write_found_keeps_what_came_before_it),
        TEST(a_reset_that_a_write_found_is_not_told_to_the_next_connection),
        TEST(a_length_over_the_limit_is_told_though_a_write_found_a_reset),
        TEST(a_reset_with_a_full_outbox_fails_the_client),
        TEST(a_reset_behind_a_full_inbox_waits_until_all_is_read),
        TEST(a_reset_after_our_end_fails_the_client),
        TEST(a_client_may_be_destroyed_or_closed_in_every_state),
        TEST(a_thousand_connections_of_one_client_leave_nothing_behind),
    };
    return cmocka_run_group_tests_name("the non-blocking client in trouble", tests, NULL, NULL);
}
