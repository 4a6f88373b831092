/* SPDX-License-Identifier: MIT
 * The non-blocking client and a peer that is absent, hostile or gone, in each of the client's
 * states; and what the client refuses. */
#include <dirent.h>
#include <string.h>
#include <sys/resource.h>

#include "client_pair.h"

#define assert_contains(text, part) assert_non_null(strstr((text), (part)))

/* --- connecting that fails ----------------------------------------------------------------- */

static void endpoints_that_are_no_numeric_address_are_refused(void **state)
{
    static const char *const endpoints[] = {"",
                                            "127.0.0.1:7000",
                                            "udp://127.0.0.1:7000",
                                            "tcp://127.0.0.1",
                                            "tcp://*:1",
                                            "tcp://127.0.0.1:0",
                                            "tcp://127.0.0.1:65536",
                                            "tcp://localhost:7000",
                                            "tcp://::1:7000",
                                            "tcp://[]:7000"};
    struct client_pair *pair = *state;
    client_pair_create(pair);
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        assert_int_equal(throng_client_connect(pair->client, endpoints[i]), THRONG_EINVAL);
        assert_int_equal(throng_client_state(pair->client), THRONG_CLIENT_IDLE);
    }
    assert_int_equal(throng_client_connect(pair->client, NULL), THRONG_EINVAL);
    client_pair_connect(pair);
}

static void addresses_without_family_or_port_are_refused(void **state)
{
    struct client_pair *pair = *state;
    struct throng_address address = pair->host.address;
    client_pair_create(pair);
    address.port = 0;
    assert_int_equal(throng_client_connect_address(pair->client, &address), THRONG_EINVAL);
    address = pair->host.address;
    address.family = THRONG_ADDRESS_NONE;
    assert_int_equal(throng_client_connect_address(pair->client, &address), THRONG_EINVAL);
    address.family = 5;
    assert_int_equal(throng_client_connect_address(pair->client, &address), THRONG_EINVAL);
    assert_int_equal(throng_client_connect_address(pair->client, NULL), THRONG_EINVAL);
    assert_int_equal(throng_client_state(pair->client), THRONG_CLIENT_IDLE);
}

static void a_client_connects_from_idle_only(void **state)
{
    struct client_pair *pair = *state;
    client_pair_create(pair);
    assert_int_equal(throng_client_connect(pair->client, pair->host.endpoint), 0);
    assert_int_equal(throng_client_connect(pair->client, pair->host.endpoint), THRONG_EINVAL);
    assert_true(host_accept(&pair->host, &pair->peer, test_deadline_ms()));
    client_pair_disconnect(pair);
    client_pair_connect(pair);
    assert_int_equal(throng_client_connect(pair->client, pair->host.endpoint), THRONG_EINVAL);
    peer_close(&pair->peer);
    client_pair_expect_failed(pair, THRONG_EEOF);
    assert_int_equal(throng_client_connect(pair->client, pair->host.endpoint), THRONG_EINVAL);
    client_pair_disconnect(pair);
    assert_int_equal(throng_client_error(pair->client), 0);
    client_pair_connect(pair);
}

static void a_refused_connection_fails(void **state)
{
    struct client_pair *pair = *state;
    struct host refusing;
    client_pair_create(pair);
    assert_true(host_open_refusing(&refusing));
    assert_int_equal(throng_client_connect(pair->client, refusing.endpoint), 0);
    client_pair_expect_failed(pair, THRONG_ECONNREFUSED);
    host_close(&refusing);
}

static void a_deaf_host_is_given_up_at_the_limit(void **state)
{
    struct client_pair *pair = *state;
    struct host deaf;
    pair->options.connect_timeout_ms = 80;
    client_pair_create(pair);
    assert_true(host_open_deaf(&deaf));
    int64_t begin_ms = test_now_ms();
    assert_int_equal(throng_client_connect(pair->client, deaf.endpoint), 0);
    assert_in_range(throng_client_wait_ms(pair->client), 0, 80);
    client_pair_expect_failed(pair, THRONG_ETIMEDOUT);
    assert_in_range(test_now_ms() - begin_ms, 79, 80 + test_deadline_ms() / 2);
    host_close(&deaf);
}

/* TCP lets a socket connect to its own port, where nobody listens. */
static void a_client_does_not_talk_to_itself(void **state)
{
    struct client_pair *pair = *state;
    struct host gone;
    assert_true(host_open_refusing(&gone));
    pair->options.source = gone.address;
    client_pair_create(pair);
    host_close(&gone);
    assert_int_equal(throng_client_connect(pair->client, gone.endpoint), 0);
    client_pair_expect_failed(pair, THRONG_ECONNREFUSED);
}

static void a_full_descriptor_table_is_a_failure(void **state)
{
    struct client_pair *pair = *state;
    struct rlimit before;
    client_pair_create(pair);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = before;
    none.rlim_cur = 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int result = throng_client_connect(pair->client, pair->host.endpoint);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(result, 0);
    client_pair_expect_failed(pair, THRONG_EMFILE);
    client_pair_disconnect(pair);
    client_pair_connect(pair);
}

/* --- where to ------------------------------------------------------------------------------ */

static void an_ipv6_address_works(void **state)
{
    struct client_pair *pair = *state;
    host_close(&pair->host);
    if (!host_open(&pair->host, THRONG_ADDRESS_IPV6)) {
        print_message("skipped: this machine has no IPv6\n");
        skip();
    }
    client_pair_connect(pair);
    assert_int_equal(throng_client_write(pair->client, "six", 3), 0);
    client_pair_expect(pair, "\0\0\0\3six", 7);
}

static void the_source_address_is_used(void **state)
{
    struct client_pair *pair = *state;
    struct throng_address seen;
    pair->options.source =
        (struct throng_address){.family = THRONG_ADDRESS_IPV4, .bytes = {127, 0, 0, 5}};
    client_pair_connect(pair);
    peer_remote_address(&pair->peer, &seen);
    assert_memory_equal(seen.bytes, "\177\0\0\5", 4);
    client_pair_disconnect(pair);
    assert_int_equal(throng_client_connect(pair->client, "tcp://[::1]:7000"), THRONG_EINVAL);
}

static void a_name_is_looked_up_and_connected_to_by_its_address(void **state)
{
    struct client_pair *pair = *state;
    struct throng_address found[8];
    char endpoint[64];
    (void)snprintf(endpoint, sizeof(endpoint), "tcp://localhost:%u", pair->host.address.port);
    int count = throng_client_resolve(endpoint, found, 8);
    assert_in_range(count, 1, 8);
    assert_int_equal(throng_client_resolve(endpoint, found, 1), 1);
    assert_int_equal(throng_client_resolve(pair->host.endpoint, found, 8), 1);
    assert_memory_equal(&found[0], &pair->host.address, sizeof(found[0]));
    client_pair_create(pair);
    assert_int_equal(throng_client_connect_address(pair->client, &found[0]), 0);
    CLIENT_UNTIL(pair, throng_client_state(pair->client) == THRONG_CLIENT_CONNECTED);

    assert_int_equal(throng_client_resolve("localhost", found, 8), THRONG_EINVAL);
    assert_int_equal(throng_client_resolve("tcp://*:7000", found, 8), THRONG_EINVAL);
    assert_int_equal(throng_client_resolve(NULL, found, 8), THRONG_EINVAL);
    assert_int_equal(throng_client_resolve(endpoint, NULL, 8), THRONG_EINVAL);
    assert_int_equal(throng_client_resolve(endpoint, found, 0), THRONG_EINVAL);
    /* A label of 64 letters is longer than DNS allows, so no server is asked. */
    assert_int_equal(throng_client_resolve("tcp://xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.invalid:7000",
                                           found, 8),
                     THRONG_ERESOLVE);
}

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

/* The system tells of a reset once: to the write, so that reading later sees a plain end. */
static void a_reset_that_a_write_found_keeps_what_came_before_it(void **state)
{
    struct client_pair *pair = *state;
    client_pair_connect(pair);
    client_pair_send(pair, "\0\0\0\3bye\0\0\0\5hel", 14);
    peer_reset(&pair->peer);
    int result = 0;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (result == 0 && test_now_ms() < deadline_ms) {
        result = throng_client_write(pair->client, "x", 1);
    }
    assert_int_equal(result, THRONG_ECONNRESET);
    assert_int_equal(throng_client_write(pair->client, "x", 1), THRONG_ECONNRESET);
    assert_int_equal(throng_client_shutdown(pair->client), THRONG_ECONNRESET);
    assert_int_equal(throng_client_wait_ms(pair->client), 0);
    assert_false(throng_client_wants_write(pair->client));
    client_pair_expect_failed(pair, THRONG_ECONNRESET);
    client_pair_expect_read(pair, "bye", 3);
}

/* Fills the outbox: the peer reads nothing. */
static void fill_outbox(struct client_pair *pair)
{
    static const uint8_t message[1000];
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (throng_client_write(pair->client, message, sizeof(message)) == 0) {
        assert_true(test_now_ms() < deadline_ms);
    }
    assert_true(throng_client_outbox_bytes(pair->client) > 0);
}

static void a_reset_with_a_full_outbox_fails_the_client(void **state)
{
    struct client_pair *pair = *state;
    client_pair_connect(pair);
    fill_outbox(pair);
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
        fill_outbox(pair);
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

static size_t count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

static void a_thousand_connections_of_one_client_leave_nothing_behind(void **state)
{
    struct client_pair *pair = *state;
    client_pair_connect(pair);
    client_pair_disconnect(pair);
    size_t descriptors = count_descriptors();
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
    assert_int_equal(count_descriptors(), descriptors);
}

/* --- what is refused ----------------------------------------------------------------------- */

static void create_failing(const struct throng_client_options *options, const char *first,
                           const char *second)
{
    struct throng_error error = {.text = ""};
    struct throng_client *client = NULL;
    assert_int_equal(throng_client_create(&client, options, &error), THRONG_EINVAL);
    assert_int_equal(throng_client_create(&client, options, NULL), THRONG_EINVAL);
    assert_null(client);
    assert_int_equal(error.code, THRONG_EINVAL);
    assert_contains(error.text, first);
    assert_contains(error.text, second);
}

static void options_out_of_range_are_refused_by_name(void **state)
{
    struct client_pair *pair = *state;
    struct throng_client_options options = pair->options;
    options.message_bytes_max = 67108865;
    create_failing(&options, "message_bytes_max is 67108865", "67108864");
    options.message_bytes_max = 1000;
    options.inbox_bytes = 1003;
    create_failing(&options, "inbox_bytes is 1003", "1004");
    options.inbox_bytes = 1004;
    options.outbox_bytes = 1003;
    create_failing(&options, "outbox_bytes is 1003", "1004");
    options.outbox_bytes = 1004;
    options.byte_order = (enum throng_byte_order)2;
    create_failing(&options, "byte_order is 2", "0 or 1");
    options.byte_order = THRONG_BYTE_ORDER_BIG;
    options.source.family = 5;
    create_failing(&options, "source.family is 5", "0, 4 or 6");
    options.source.family = THRONG_ADDRESS_NONE;
    options.struct_size++;
    create_failing(&options, "struct_size is", "init");
    options.struct_size = 0;
    create_failing(&options, "struct_size is 0", "init");
    options.struct_size = sizeof(options);
    struct throng_client *client = NULL;
    assert_int_equal(throng_client_create(&client, &options, NULL), 0);
    throng_client_destroy(client);
    assert_int_equal(throng_client_create(NULL, &options, NULL), THRONG_EINVAL);
}

static void zero_options_are_the_defaults(void **state)
{
    struct client_pair *pair = *state;
    pair->options = (struct throng_client_options){.struct_size = sizeof(pair->options)};
    client_pair_connect(pair);
    fill_outbox(pair);
    assert_in_range(throng_client_outbox_bytes(pair->client), 128 * 1024 - 1003, 128 * 1024);
    client_pair_disconnect(pair);
    throng_client_destroy(pair->client);
    assert_int_equal(throng_client_create(&pair->client, NULL, NULL), 0);
    client_pair_connect(pair);
}

static void a_null_client_is_refused_everywhere(void **state)
{
    (void)state;
    struct throng_address address = {.family = THRONG_ADDRESS_IPV4, .port = 1};
    const void *message;
    size_t size;
    assert_int_equal(throng_client_connect(NULL, "tcp://127.0.0.1:7000"), THRONG_EINVAL);
    assert_int_equal(throng_client_connect_address(NULL, &address), THRONG_EINVAL);
    assert_int_equal(throng_client_update(NULL), THRONG_CLIENT_IDLE);
    assert_int_equal(throng_client_state(NULL), THRONG_CLIENT_IDLE);
    assert_int_equal(throng_client_error(NULL), THRONG_EINVAL);
    assert_int_equal(throng_client_descriptor(NULL), -1);
    assert_false(throng_client_wants_read(NULL));
    assert_false(throng_client_wants_write(NULL));
    assert_int_equal(throng_client_wait_ms(NULL), -1);
    assert_int_equal(throng_client_write(NULL, "x", 1), THRONG_EINVAL);
    assert_int_equal(throng_client_read(NULL, &message, &size), THRONG_EINVAL);
    assert_int_equal(throng_client_inbox_bytes(NULL), 0);
    assert_int_equal(throng_client_outbox_bytes(NULL), 0);
    assert_int_equal(throng_client_shutdown(NULL), THRONG_EINVAL);
}

static void null_data_is_refused(void **state)
{
    struct client_pair *pair = *state;
    const void *message;
    size_t size;
    client_pair_connect(pair);
    assert_int_equal(throng_client_write(pair->client, NULL, 1), THRONG_EINVAL);
    assert_int_equal(throng_client_read(pair->client, NULL, &size), THRONG_EINVAL);
    assert_int_equal(throng_client_read(pair->client, &message, NULL), THRONG_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, client_pair_setup, client_pair_teardown)
        TEST(endpoints_that_are_no_numeric_address_are_refused),
        TEST(addresses_without_family_or_port_are_refused),
        TEST(a_client_connects_from_idle_only),
        TEST(a_refused_connection_fails),
        TEST(a_deaf_host_is_given_up_at_the_limit),
        TEST(a_client_does_not_talk_to_itself),
        TEST(a_full_descriptor_table_is_a_failure),
        TEST(an_ipv6_address_works),
        TEST(the_source_address_is_used),
        TEST(a_name_is_looked_up_and_connected_to_by_its_address),
        TEST(what_came_before_the_end_is_read_after_it),
        TEST(an_end_inside_a_frame_breaks_the_protocol),
        TEST(a_length_over_the_limit_breaks_the_protocol),
        TEST(the_limit_of_what_comes_in_is_exact),
        TEST(a_reset_fails_the_client_after_what_came_before_it),
        TEST(a_reset_that_a_write_found_keeps_what_came_before_it),
        TEST(a_reset_with_a_full_outbox_fails_the_client),
        TEST(a_reset_behind_a_full_inbox_waits_until_all_is_read),
        TEST(a_reset_after_our_end_fails_the_client),
        TEST(a_client_may_be_destroyed_or_closed_in_every_state),
        TEST(a_thousand_connections_of_one_client_leave_nothing_behind),
        TEST(options_out_of_range_are_refused_by_name),
        TEST(zero_options_are_the_defaults),
        TEST(a_null_client_is_refused_everywhere),
        TEST(null_data_is_refused),
    };
    return cmocka_run_group_tests_name("the non-blocking client in trouble", tests, NULL, NULL);
}
