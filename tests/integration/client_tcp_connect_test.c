/* SPDX-License-Identifier: MIT
 * The blocking client connects: names, addresses, sources, options, time limits, and what the
 * error's text says when it cannot. */
#include <string.h>

#include "localhost.h"
#include "process.h"
#include "tcp_pair.h"

/* Connects where it must fail; answers the code. The outputs say what they must. */
static int connect_failing(const char *endpoint, const struct throng_tcp_options *options,
                           int timeout_ms, struct throng_error *error)
{
    struct throng_tcp *untouched = (struct throng_tcp *)error;
    struct throng_tcp *tcp = untouched;
    error->code = 0;
    error->text[0] = '\0';
    int result = throng_tcp_connect(&tcp, endpoint, options, timeout_ms, error);
    assert_ptr_equal(tcp, untouched);
    assert_true(result < 0);
    assert_int_equal(error->code, result);
    assert_true(strlen(error->text) > 10);
    assert_int_equal(throng_tcp_connect(&tcp, endpoint, options, timeout_ms, NULL), result);
    return result;
}

#define assert_contains(text, part) assert_non_null(strstr((text), (part)))

/* --- where to ------------------------------------------------------------------------------ */

static void the_addresses_are_those_that_the_peer_sees(void **state)
{
    struct tcp_pair *pair = *state;
    struct throng_address ours;
    struct throng_address theirs;
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_local_address(pair->tcp, &ours), 0);
    peer_remote_address(&pair->peer, &theirs);
    assert_memory_equal(&ours, &theirs, sizeof(ours));
    assert_int_equal(throng_tcp_peer_address(pair->tcp, &ours), 0);
    assert_memory_equal(&ours, &pair->host.address, sizeof(ours));
    /* They are known for as long as the client lives. */
    peer_reset(&pair->peer);
    tcp_pair_expect_error(pair, THRONG_ECONNRESET);
    assert_int_equal(throng_tcp_peer_address(pair->tcp, &ours), 0);
    assert_memory_equal(&ours, &pair->host.address, sizeof(ours));
}

static void an_ipv6_address_works(void **state)
{
    struct tcp_pair *pair = *state;
    host_close(&pair->host);
    if (!host_open(&pair->host, THRONG_ADDRESS_IPV6)) {
        print_message("skipped: this machine has no IPv6\n");
        skip();
    }
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_write(pair->tcp, "six", 3, 0), 0);
    tcp_pair_expect(pair, "\0\0\0\3six", 7);
    struct throng_address ours;
    assert_int_equal(throng_tcp_local_address(pair->tcp, &ours), 0);
    assert_int_equal(ours.family, THRONG_ADDRESS_IPV6);
}

/* The host listens on 127.0.0.1 only: a name that stands for ::1 as well is tried on both. */
static void a_host_name_is_looked_up(void **state)
{
    struct tcp_pair *pair = *state;
    skip_without_localhost(THRONG_ADDRESS_IPV4);
    (void)snprintf(pair->host.endpoint, sizeof(pair->host.endpoint), "tcp://localhost:%u",
                   pair->host.address.port);
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_write(pair->tcp, "hi", 2, 0), 0);
    tcp_pair_expect(pair, "\0\0\0\2hi", 6);
}

static void the_source_address_is_used(void **state)
{
    struct tcp_pair *pair = *state;
    struct throng_address seen;
    pair->options.source =
        (struct throng_address){.family = THRONG_ADDRESS_IPV4, .bytes = {127, 0, 0, 5}};
    tcp_pair_connect(pair);
    peer_remote_address(&pair->peer, &seen);
    assert_memory_equal(seen.bytes, "\177\0\0\5", 4);
    assert_true(seen.port != 0);
}

/* --- where it cannot ----------------------------------------------------------------------- */

static void bad_endpoints_are_refused_with_their_text(void **state)
{
    static const char *const endpoints[] = {"",
                                            "7000",
                                            "127.0.0.1:7000",
                                            "udp://127.0.0.1:7000",
                                            "tcp://",
                                            "tcp://:7000",
                                            "tcp://127.0.0.1",
                                            "tcp://127.0.0.1:",
                                            "tcp://*:7000",
                                            "tcp://127.0.0.1:0",
                                            "tcp://127.0.0.1:65536",
                                            "tcp://127.0.0.1:-1",
                                            "tcp://127.0.0.1:7000x",
                                            "tcp://::1:7000",
                                            "tcp://[::1]",
                                            "tcp://[::1]7000",
                                            "tcp://[]:7000",
                                            "tcp://[127.0.0.1]:7000",
                                            "tcp://a b:7000",
                                            "tcp://%s%n:7000"};
    (void)state;
    struct throng_error error;
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        char quoted[64];
        (void)snprintf(quoted, sizeof(quoted), "\"%s\"", endpoints[i]);
        assert_int_equal(connect_failing(endpoints[i], NULL, 1000, &error), THRONG_EINVAL);
        assert_contains(error.text, quoted);
    }
    assert_int_equal(connect_failing(NULL, NULL, 1000, &error), THRONG_EINVAL);
    assert_int_equal(throng_tcp_connect(NULL, "tcp://127.0.0.1:7000", NULL, 1000, &error),
                     THRONG_EINVAL);
}

static void an_endpoint_of_any_length_is_refused_and_cut(void **state)
{
    char endpoint[4000];
    struct throng_error error;
    (void)state;
    memset(endpoint, 'a', sizeof(endpoint));
    endpoint[sizeof(endpoint) - 1] = '\0';
    assert_int_equal(connect_failing(endpoint, NULL, 1000, &error), THRONG_EINVAL);
    memcpy(endpoint, "tcp://", 6);
    memcpy(endpoint + sizeof(endpoint) - 6, ":7000", 6);
    assert_int_equal(connect_failing(endpoint, NULL, 1000, &error), THRONG_EINVAL);
    assert_contains(error.text, "tcp://aaa");
}

static void a_refused_connection_names_host_and_address(void **state)
{
    struct host host;
    struct throng_error error;
    (void)state;
    assert_true(host_open_refusing(&host));
    assert_int_equal(connect_failing(host.endpoint, NULL, 1000, &error), THRONG_ECONNREFUSED);
    assert_contains(error.text, host.endpoint);
    assert_contains(error.text, "1000 ms");
    assert_contains(error.text, "connection refused");
    host_close(&host);
}

static void a_refused_connection_to_a_name_names_the_addresses_that_it_stands_for(void **state)
{
    struct host host;
    struct throng_error error;
    char endpoint[64];
    (void)state;
    skip_without_localhost(THRONG_ADDRESS_IPV4);
    assert_true(host_open_refusing(&host));
    (void)snprintf(endpoint, sizeof(endpoint), "tcp://localhost:%u", host.address.port);
    assert_int_equal(connect_failing(endpoint, NULL, -1, &error), THRONG_ECONNREFUSED);
    assert_contains(error.text, endpoint);
    assert_contains(error.text, host.endpoint);
    host_close(&host);
}

/* A label of 64 letters is longer than DNS allows, so no server is asked. */
static void a_name_that_cannot_be_looked_up_is_named(void **state)
{
    static const char name[] =
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.invalid";
    char endpoint[128];
    struct throng_error error;
    (void)state;
    (void)snprintf(endpoint, sizeof(endpoint), "tcp://%s:7000", name);
    assert_int_equal(connect_failing(endpoint, NULL, 1000, &error), THRONG_ERESOLVE);
    assert_contains(error.text, endpoint);
    assert_contains(error.text, "cannot be resolved");
}

static void a_deaf_host_is_given_up_at_the_limit(void **state)
{
    struct host host;
    struct throng_tcp *tcp = NULL;
    struct throng_error error;
    (void)state;
    assert_true(host_open_deaf(&host));
    int64_t begin_ms = test_now_ms();
    int result = throng_tcp_connect(&tcp, host.endpoint, NULL, 80, &error);
    int64_t took_ms = test_now_ms() - begin_ms;
    host_close(&host);
    assert_int_equal(result, THRONG_ETIMEDOUT);
    assert_in_range(took_ms, 79, 80 + test_deadline_ms() / 2);
    assert_contains(error.text, host.endpoint);
    assert_contains(error.text, "80 ms");
    assert_contains(error.text, "timed out");
}

/* TCP lets a socket connect to its own port, where nobody listens. */
static void a_client_does_not_talk_to_itself(void **state)
{
    struct host host;
    struct throng_tcp_options options;
    struct throng_error error;
    (void)state;
    assert_true(host_open_refusing(&host));
    throng_tcp_options_init(&options);
    options.source = host.address;
    host_close(&host);
    assert_int_equal(connect_failing(host.endpoint, &options, 1000, &error), THRONG_ECONNREFUSED);
}

static void a_source_that_is_not_ours_is_refused(void **state)
{
    struct tcp_pair *pair = *state;
    struct throng_error error;
    /* 192.0.2.1: for documentation (RFC 5737), so nobody's. */
    pair->options.source =
        (struct throng_address){.family = THRONG_ADDRESS_IPV4, .bytes = {192, 0, 2, 1}};
    assert_int_equal(connect_failing(pair->host.endpoint, &pair->options, 1000, &error),
                     THRONG_EADDRNOTAVAIL);
    pair->options.source =
        (struct throng_address){.family = THRONG_ADDRESS_IPV6, .bytes = {[15] = 1}};
    assert_int_equal(connect_failing(pair->host.endpoint, &pair->options, 1000, &error),
                     THRONG_EAFNOSUPPORT);
}

/* --- options ------------------------------------------------------------------------------- */

static void options_out_of_range_are_refused_by_name(void **state)
{
    struct tcp_pair *pair = *state;
    struct throng_error error;
    struct throng_tcp_options options = pair->options;
    options.message_bytes_max = 67108865;
    assert_int_equal(connect_failing(pair->host.endpoint, &options, 1000, &error), THRONG_EINVAL);
    assert_contains(error.text, "message_bytes_max is 67108865");
    assert_contains(error.text, "67108864");
    options = pair->options;
    options.byte_order = (enum throng_byte_order)2;
    assert_int_equal(connect_failing(pair->host.endpoint, &options, 1000, &error), THRONG_EINVAL);
    assert_contains(error.text, "byte_order is 2");
    options = pair->options;
    options.source.family = 5;
    assert_int_equal(connect_failing(pair->host.endpoint, &options, 1000, &error), THRONG_EINVAL);
    assert_contains(error.text, "source.family is 5");
    options = pair->options;
    options.struct_size = 0;
    assert_int_equal(connect_failing(pair->host.endpoint, &options, 1000, &error), THRONG_EINVAL);
    assert_contains(error.text, "struct_size is 0");
    options.struct_size = sizeof(options) + 1;
    assert_int_equal(connect_failing(pair->host.endpoint, &options, 1000, &error), THRONG_EINVAL);
}

static void a_program_built_against_older_options_gets_the_defaults_of_the_newer(void **state)
{
    struct tcp_pair *pair = *state;
    pair->options.struct_size = offsetof(struct throng_tcp_options, byte_order);
    pair->options.message_bytes_max = 0; /* the default as well */
    pair->options.byte_order = THRONG_BYTE_ORDER_LITTLE;
    pair->options.source.family = 99;
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_write(pair->tcp, "hi", 2, 0), 0);
    tcp_pair_expect(pair, "\0\0\0\2hi", 6);
    tcp_pair_send(pair, "\0\1\0\1", 4);
    tcp_pair_expect_error(pair, THRONG_EPROTOCOL);
}

/* --- nothing is left behind ---------------------------------------------------------------- */

/* What the C library keeps; a leak of a connection's memory would be more. */
#define GROWTH_MAX (8u * 1024u * 1024u)

static void connect_once(struct tcp_pair *pair, size_t round)
{
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_write(pair->tcp, "hi", 2, 0), 0);
    tcp_pair_send(pair, "\0\0\0\3bye", 7);
    tcp_pair_expect_read(pair, "bye", 3);
    if (round % 2 == 0) {
        throng_tcp_abort(pair->tcp);
        pair->tcp = NULL;
    }
    tcp_pair_disconnect(pair);
}

static void a_thousand_connections_leave_nothing_behind(void **state)
{
    struct tcp_pair *pair = *state;
    connect_once(pair, 0);
    uint32_t descriptors = process_descriptors();
    size_t mapped = process_mapped_bytes();
    for (size_t i = 0; i < 1000; i++) {
        connect_once(pair, i);
    }
    assert_int_equal(process_descriptors(), descriptors);
    assert_true(process_mapped_bytes() < mapped + GROWTH_MAX);
}

static void failures_leave_nothing_behind(void **state)
{
    struct tcp_pair *pair = *state;
    struct host refusing;
    struct host deaf;
    struct throng_error error;
    struct throng_tcp_options foreign = pair->options;
    foreign.source =
        (struct throng_address){.family = THRONG_ADDRESS_IPV4, .bytes = {192, 0, 2, 1}};
    assert_true(host_open_refusing(&refusing));
    assert_true(host_open_deaf(&deaf));
    assert_int_equal(connect_failing(refusing.endpoint, NULL, 1000, &error), THRONG_ECONNREFUSED);
    uint32_t descriptors = process_descriptors();
    size_t mapped = process_mapped_bytes();
    for (int i = 0; i < 200; i++) {
        (void)connect_failing(refusing.endpoint, NULL, 1000, &error);
        (void)connect_failing("tcp://nowhere", NULL, 1000, &error);
        (void)connect_failing(pair->host.endpoint, &foreign, 1000, &error);
    }
    assert_int_equal(connect_failing(deaf.endpoint, NULL, 1, &error), THRONG_ETIMEDOUT);
    assert_int_equal(process_descriptors(), descriptors);
    assert_true(process_mapped_bytes() < mapped + GROWTH_MAX);
    host_close(&refusing);
    host_close(&deaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tcp_pair_setup, tcp_pair_teardown)
        TEST(the_addresses_are_those_that_the_peer_sees),
        TEST(an_ipv6_address_works),
        TEST(a_host_name_is_looked_up),
        TEST(the_source_address_is_used),
        TEST(bad_endpoints_are_refused_with_their_text),
        TEST(an_endpoint_of_any_length_is_refused_and_cut),
        TEST(a_refused_connection_names_host_and_address),
        TEST(a_refused_connection_to_a_name_names_the_addresses_that_it_stands_for),
        TEST(a_name_that_cannot_be_looked_up_is_named),
        TEST(a_deaf_host_is_given_up_at_the_limit),
        TEST(a_client_does_not_talk_to_itself),
        TEST(a_source_that_is_not_ours_is_refused),
        TEST(options_out_of_range_are_refused_by_name),
        TEST(a_program_built_against_older_options_gets_the_defaults_of_the_newer),
        TEST(a_thousand_connections_leave_nothing_behind),
        TEST(failures_leave_nothing_behind),
    };
    return cmocka_run_group_tests_name("the blocking client connects", tests, NULL, NULL);
}
