/* SPDX-License-Identifier: MIT
 * The non-blocking client connects, or cannot: its states on the way, where to, and what comes of
 * it where nobody answers. client_client_test.c has it talk. */
#include <string.h>

#include "client_pair.h"
#include "localhost.h"

/* --- states -------------------------------------------------------------------------------- */

static void a_client_goes_from_idle_over_connecting_to_connected(void **state)
{
    struct client_pair *pair = *state;
    client_pair_create(pair);
    struct throng_client *client = pair->client;
    assert_int_equal(throng_client_state(client), THRONG_CLIENT_IDLE);
    assert_int_equal(throng_client_update(client), THRONG_CLIENT_IDLE);
    assert_int_equal(throng_client_descriptor(client), -1);
    assert_int_equal(throng_client_wait_ms(client), -1);
    assert_false(throng_client_wants_read(client));
    assert_false(throng_client_wants_write(client));

    assert_int_equal(throng_client_connect(client, pair->host.endpoint), 0);
    assert_int_equal(throng_client_state(client), THRONG_CLIENT_CONNECTING);
    assert_true(throng_client_descriptor(client) >= 0);
    assert_in_range(throng_client_wait_ms(client), 1, 10000);
    assert_false(throng_client_wants_read(client));
    assert_true(throng_client_wants_write(client));
    assert_int_equal(throng_client_write(client, "x", 1), THRONG_EINVAL);

    CLIENT_UNTIL(pair, throng_client_state(client) == THRONG_CLIENT_CONNECTED);
    assert_true(throng_client_descriptor(client) >= 0);
    assert_int_equal(throng_client_wait_ms(client), -1);
    assert_true(throng_client_wants_read(client));
    assert_false(throng_client_wants_write(client));
    assert_int_equal(throng_client_error(client), 0);

    throng_client_close(client);
    assert_int_equal(throng_client_state(client), THRONG_CLIENT_IDLE);
    assert_int_equal(throng_client_descriptor(client), -1);
}

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

static void a_host_name_is_looked_up(void **state)
{
    struct client_pair *pair = *state;
    struct throng_address found[8];
    char endpoint[64];
    skip_without_localhost(THRONG_ADDRESS_IPV4);
    (void)snprintf(endpoint, sizeof(endpoint), "tcp://localhost:%u", pair->host.address.port);
    int count = throng_client_resolve(endpoint, found, 8);
    assert_in_range(count, 1, 8);
    bool is_found = false;
    for (int i = 0; i < count; i++) {
        is_found |= memcmp(&found[i], &pair->host.address, sizeof(found[i])) == 0;
    }
    assert_true(is_found);
    assert_int_equal(throng_client_resolve(endpoint, found, 1), 1);
}

static void a_numeric_host_is_looked_up_too_and_connected_to(void **state)
{
    struct client_pair *pair = *state;
    struct throng_address found[8];
    assert_int_equal(throng_client_resolve(pair->host.endpoint, found, 8), 1);
    assert_memory_equal(&found[0], &pair->host.address, sizeof(found[0]));
    client_pair_create(pair);
    assert_int_equal(throng_client_connect_address(pair->client, &found[0]), 0);
    CLIENT_UNTIL(pair, throng_client_state(pair->client) == THRONG_CLIENT_CONNECTED);
}

static void what_cannot_be_looked_up_is_refused(void **state)
{
    struct throng_address found[8];
    (void)state;
    assert_int_equal(throng_client_resolve("localhost", found, 8), THRONG_EINVAL);
    assert_int_equal(throng_client_resolve("tcp://*:7000", found, 8), THRONG_EINVAL);
    assert_int_equal(throng_client_resolve(NULL, found, 8), THRONG_EINVAL);
    assert_int_equal(throng_client_resolve("tcp://127.0.0.1:7000", NULL, 8), THRONG_EINVAL);
    assert_int_equal(throng_client_resolve("tcp://127.0.0.1:7000", found, 0), THRONG_EINVAL);
    /* A label of 64 letters is longer than DNS allows, so no server is asked. */
    assert_int_equal(throng_client_resolve("tcp://xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.invalid:7000",
                                           found, 8),
                     THRONG_ERESOLVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, client_pair_setup, client_pair_teardown)
        TEST(a_client_goes_from_idle_over_connecting_to_connected),
        TEST(endpoints_that_are_no_numeric_address_are_refused),
        TEST(addresses_without_family_or_port_are_refused),
        TEST(a_client_connects_from_idle_only),
        TEST(a_refused_connection_fails),
        TEST(a_deaf_host_is_given_up_at_the_limit),
        TEST(a_client_does_not_talk_to_itself),
        TEST(an_ipv6_address_works),
        TEST(the_source_address_is_used),
        TEST(a_host_name_is_looked_up),
        TEST(a_numeric_host_is_looked_up_too_and_connected_to),
        TEST(what_cannot_be_looked_up_is_refused),
    };
    return cmocka_run_group_tests_name("the non-blocking client connects", tests, NULL, NULL);
}
