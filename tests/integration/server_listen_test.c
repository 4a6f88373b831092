/* SPDX-License-Identifier: MIT
 * Where a server listens, what it tells of the two ends of a connection, and what it says when it
 * cannot listen. */
#include <string.h>

#include "host.h"
#include "localhost.h"
#include "server_fixture.h"

static void skip_without_ipv6(void)
{
    struct host host;
    if (!host_open(&host, THRONG_ADDRESS_IPV6)) {
        print_message("skipped: this machine has no ::1\n");
        skip();
    }
    host_close(&host);
}

static void expect_same_address(const struct throng_address *left,
                                const struct throng_address *right)
{
    char left_text[THRONG_ADDRESS_TEXT_SIZE];
    char right_text[THRONG_ADDRESS_TEXT_SIZE];
    assert_string_equal(throng_address_text(left, left_text),
                        throng_address_text(right, right_text));
}

/* Connects to `target`; what the server says of both ends must be what the peer's system says. */
static void expect_both_ends_known(struct server_fixture *fixture,
                                   const struct throng_address *target)
{
    struct peer peer;
    struct throng_address of_peer;
    struct throng_address of_server;
    struct throng_address told;
    uint32_t opened = fixture->journal.opened;
    uint32_t closed = fixture->journal.closed;
    assert_true(peer_connect(&peer, target, NULL));
    FIXTURE_UNTIL(fixture, fixture->journal.opened > opened);
    throng_conn conn = fixture->last_open.conn;
    peer_local_address(&peer, &of_peer);
    peer_remote_address(&peer, &of_server);
    assert_int_equal(throng_peer_address(fixture->server, conn, &told), 0);
    expect_same_address(&told, &of_peer);
    assert_int_equal(told.family, target->family);
    assert_int_equal(throng_local_address(fixture->server, conn, &told), 0);
    expect_same_address(&told, &of_server);
    fixture_expect_echo(fixture, &peer, "here", 4);
    peer_close(&peer);
    FIXTURE_UNTIL(fixture, fixture->journal.closed > closed);
}

static void both_ends_of_an_ipv4_connection_are_known(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    assert_int_equal(fixture->address.family, THRONG_ADDRESS_IPV4);
    assert_int_not_equal(fixture->address.port, 0);
    expect_both_ends_known(fixture, &fixture->address);
    fixture_expect_settled(fixture);
}

static void both_ends_of_an_ipv6_connection_are_known(void **state)
{
    struct server_fixture *fixture = *state;
    skip_without_ipv6();
    fixture->options.listen[0] = "tcp://[::1]:0";
    fixture_start(fixture);
    assert_int_equal(fixture->address.family, THRONG_ADDRESS_IPV6);
    expect_both_ends_known(fixture, &fixture->address);
    fixture_expect_settled(fixture);
}

static void any_address_serves_both_families_and_shows_ipv4_as_ipv4(void **state)
{
    struct server_fixture *fixture = *state;
    skip_without_ipv6();
    fixture->options.listen[0] = "tcp://*:0";
    fixture_start(fixture);
    struct throng_address four = peer_loopback(THRONG_ADDRESS_IPV4, fixture->address.port);
    struct throng_address six = peer_loopback(THRONG_ADDRESS_IPV6, fixture->address.port);
    expect_both_ends_known(fixture, &four);
    expect_both_ends_known(fixture, &six);
    fixture_expect_settled(fixture);
}

/* Starts a server on the same port of 127.0.0.1; answers what throng_server_start answers. */
static int start_beside(const struct server_fixture *fixture, struct throng_server **other)
{
    struct throng_server_options options = fixture->options;
    char endpoint[64];
    (void)snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", fixture->address.port);
    options.listen[0] = endpoint;
    return throng_server_start(other, &options, NULL);
}

static void an_ipv6_listener_leaves_ipv4_to_another_server(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_server *other = NULL;
    skip_without_ipv6();
    fixture->options.listen[0] = "tcp://[::1]:0";
    fixture_start(fixture);
    /* Any program of this machine may have that port of 127.0.0.1, but not each time. */
    for (int i = 0; i < 10 && start_beside(fixture, &other) == THRONG_EADDRINUSE; i++) {
        fixture_stop(fixture);
        fixture_start(fixture);
    }
    assert_non_null(other);
    struct throng_address four = peer_loopback(THRONG_ADDRESS_IPV4, fixture->address.port);
    struct peer peer;
    assert_true(peer_connect(&peer, &four, NULL));
    expect_both_ends_known(fixture, &fixture->address);
    assert_int_equal(fixture->journal.opened, 1); /* the other one's peer is not among ours */
    throng_server_stop(other);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void a_host_name_is_resolved(void **state)
{
    struct server_fixture *fixture = *state;
    skip_without_localhost(THRONG_ADDRESS_NONE);
    fixture->options.listen[0] = "tcp://localhost:0";
    fixture_start(fixture);
    expect_both_ends_known(fixture, &fixture->address);
    fixture_expect_settled(fixture);
}

static void several_listeners_serve_at_once_and_the_event_says_which(void **state)
{
    struct server_fixture *fixture = *state;
    skip_without_ipv6();
    fixture->options.listen[0] = "tcp://127.0.0.1:0";
    fixture->options.listen[1] = "tcp://[::1]:0";
    fixture->options.listen[2] = "tcp://127.0.0.1:0";
    fixture->options.listen[3] = "tcp://127.0.0.2:0";
    fixture_start(fixture);
    struct throng_address address;
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < 4; i++) {
            assert_int_equal(throng_server_listen_address(fixture->server, i, &address), 0);
            expect_both_ends_known(fixture, &address);
            assert_int_equal(fixture->last_open.listener, i);
        }
    }
    assert_int_equal(throng_server_listen_address(fixture->server, 4, &address), THRONG_EINVAL);
    fixture_expect_settled(fixture);
}

/* The text of the refusal must contain `part`. */
static void expect_refusal(struct server_fixture *fixture, int code, const char *part)
{
    struct throng_error error = {0};
    assert_int_equal(fixture_start_refused(fixture, &error), code);
    assert_int_equal(error.code, code);
    if (strstr(error.text, part) == NULL) {
        fail_msg("\"%s\" does not name \"%s\"", error.text, part);
    }
}

static void an_address_in_use_is_named(void **state)
{
    struct server_fixture *fixture = *state;
    struct host taken;
    assert_true(host_open(&taken, THRONG_ADDRESS_IPV4));
    fixture->options.listen[1] = taken.endpoint;
    expect_refusal(fixture, THRONG_EADDRINUSE, taken.endpoint);
    host_close(&taken);
    fixture_start(fixture); /* and the refusal left nothing behind that would hinder it now */
}

static void a_text_that_is_no_address_is_named(void **state)
{
    static const char *const texts[] = {"tcp://127.0.0.1",        "tcp://127.0.0.1:",
                                        "tcp://127.0.0.1:65536",  "tcp://127.0.0.1:-1",
                                        "tcp://127.0.0.1:7000x",  "tcp://127.0.0.1: 7000",
                                        "tcp://127.0.0.1:999999", "udp://127.0.0.1:7000",
                                        "127.0.0.1:7000",         "tcp://:7000",
                                        "tcp://[::1:7000",        "tcp://::1:7000",
                                        "tcp://[127.0.0.1]:7000", "tcp://[::1]7000",
                                        "tcp:/127.0.0.1:7000",    "nonsense"};
    struct server_fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fixture->options.listen[0] = texts[i];
        expect_refusal(fixture, THRONG_EINVAL, texts[i]);
    }
    fixture->options.listen[0] = "";
    expect_refusal(fixture, THRONG_EINVAL, "tcp://");
}

static void an_address_of_another_machine_is_named(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.listen[0] = "tcp://192.0.2.1:0"; /* reserved for documents: nobody has it */
    expect_refusal(fixture, THRONG_EADDRNOTAVAIL, "192.0.2.1");
}

static void a_port_is_free_again_right_after_stop(void **state)
{
    struct server_fixture *fixture = *state;
    char endpoint[THRONG_ADDRESS_TEXT_SIZE];
    fixture_start(fixture);
    (void)throng_address_text(&fixture->address, endpoint);
    fixture->options.listen[0] = endpoint;
    for (uint32_t i = 0; i < 5; i++) {
        /* Ends of connections in TIME_WAIT on the server's port must not hinder the next start. */
        struct peer peer;
        throng_conn conn = fixture_open(fixture, &peer);
        assert_int_equal(throng_close(fixture->server, conn), 0);
        fixture_expect_end(fixture, &peer);
        peer_close(&peer);
        fixture_expect_settled(fixture);
        fixture_stop(fixture);
        fixture_start(fixture);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_of_an_ipv4_connection_are_known),
        cmocka_unit_test(both_ends_of_an_ipv6_connection_are_known),
        cmocka_unit_test(any_address_serves_both_families_and_shows_ipv4_as_ipv4),
        cmocka_unit_test(an_ipv6_listener_leaves_ipv4_to_another_server),
        cmocka_unit_test(a_host_name_is_resolved),
        cmocka_unit_test(several_listeners_serve_at_once_and_the_event_says_which),
        cmocka_unit_test(an_address_in_use_is_named),
        cmocka_unit_test(a_text_that_is_no_address_is_named),
        cmocka_unit_test(an_address_of_another_machine_is_named),
        cmocka_unit_test(a_port_is_free_again_right_after_stop),
    };
    return fixture_run_tests("server_listen", tests, sizeof(tests) / sizeof(tests[0]));
}
