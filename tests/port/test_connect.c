/* SPDX-License-Identifier: MIT
 * Port contract, clause 2 for connects, and the addresses of a stream. */
#include "fixture.h"

#include <string.h>

static struct fixture fixture;
static struct tg_stream near_end;
static struct tg_stream far_end;

static const struct throng_address any_loopback = {.family = THRONG_ADDRESS_IPV4,
                                                   .bytes = {127, 0, 0, 1}};

/* Connects near_end to `address` and accepts far_end from the listener. */
static void connect_both(struct tg_listener *listener, const struct throng_address *address,
                         const struct throng_address *source)
{
    memset(&near_end, 0, sizeof near_end);
    memset(&far_end, 0, sizeof far_end);
    tg_port_accept(fixture.port, listener, 1);
    CHECK(tg_port_connect(fixture.port, &near_end, address, source) == TG_PORT_PENDING);
    CHECK(fixture_take(&fixture, TG_COMPLETION_CONNECT, &near_end).result == 0);
    struct tg_completion accepted = fixture_take(&fixture, TG_COMPLETION_ACCEPT, listener);
    CHECK(accepted.result == 0);
    CHECK(tg_port_adopt(fixture.port, &far_end, accepted.accepted) == 0);
}

static void talk_and_close(void)
{
    uint8_t got[4];
    tg_port_receive(fixture.port, &near_end);
    tg_port_receive(fixture.port, &far_end);
    fixture_send(&fixture, &near_end, "ping", 4);
    fixture_read(&fixture, &far_end, got, 4);
    CHECK(memcmp(got, "ping", 4) == 0);
    fixture_send(&fixture, &far_end, "pong", 4);
    fixture_read(&fixture, &near_end, got, 4);
    CHECK(memcmp(got, "pong", 4) == 0);
    fixture_close_stream(&fixture, &near_end);
    CHECK(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &far_end).result == 0);
    fixture_close_stream(&fixture, &far_end);
}

static void a_connect_is_pending_and_then_succeeds(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    connect_both(&fixture.listener, &fixture.address, NULL);
    talk_and_close();
    fixture_close(&fixture);
}

/* An address on which nobody listens: a listener had it a moment ago. */
static struct throng_address free_address(void)
{
    tg_socket sock;
    struct throng_address address;
    struct tg_listen_options options = {.address = any_loopback, .backlog = 1};
    CHECK(tg_socket_listen(&sock, &options, &address) == 0);
    tg_socket_close(sock);
    return address;
}

static void a_refused_connect_is_an_error_at_once_or_later(void **state)
{
    struct throng_address nobody = free_address();
    (void)state;
    fixture_open(&fixture, NULL);
    memset(&near_end, 0, sizeof near_end);
    int answer = tg_port_connect(fixture.port, &near_end, &nobody, NULL);
    if (answer == TG_PORT_PENDING) {
        answer = fixture_take(&fixture, TG_COMPLETION_CONNECT, &near_end).result;
        fixture_close_stream(&fixture, &near_end);
    }
    CHECK(answer == THRONG_ECONNREFUSED);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &near_end));
    fixture_close(&fixture);
}

static void the_source_address_is_the_one_asked_for(void **state)
{
    struct throng_address source = {.family = THRONG_ADDRESS_IPV4, .bytes = {127, 0, 0, 2}};
    struct throng_address near_local;
    struct throng_address far_peer;
    (void)state;
    fixture_open(&fixture, NULL);
    connect_both(&fixture.listener, &fixture.address, &source);
    CHECK(tg_port_addresses(fixture.port, &near_end, NULL, &near_local) == 0);
    CHECK(tg_port_addresses(fixture.port, &far_end, &far_peer, NULL) == 0);
    CHECK(memcmp(near_local.bytes, source.bytes, 16) == 0 && near_local.port != 0);
    CHECK(memcmp(&near_local, &far_peer, sizeof far_peer) == 0);
    talk_and_close();
    fixture_close(&fixture);
}

static void a_source_address_of_somebody_else_is_refused(void **state)
{
    struct throng_address source = {.family = THRONG_ADDRESS_IPV4, .bytes = {192, 0, 2, 1}};
    (void)state;
    fixture_open(&fixture, NULL);
    memset(&near_end, 0, sizeof near_end);
    CHECK(tg_port_connect(fixture.port, &near_end, &fixture.address, &source) ==
          THRONG_EADDRNOTAVAIL);
    fixture_pump(&fixture, 0);
    CHECK(fixture.log_count == 0);
    fixture_close(&fixture);
}

static void both_ends_agree_on_the_addresses(void **state)
{
    struct throng_address near_peer, near_local, far_peer, far_local;
    (void)state;
    fixture_open(&fixture, NULL);
    connect_both(&fixture.listener, &fixture.address, NULL);
    CHECK(tg_port_addresses(fixture.port, &near_end, &near_peer, &near_local) == 0);
    CHECK(tg_port_addresses(fixture.port, &far_end, &far_peer, &far_local) == 0);
    CHECK(memcmp(&near_peer, &fixture.address, sizeof near_peer) == 0);
    CHECK(memcmp(&near_peer, &far_local, sizeof near_peer) == 0);
    CHECK(memcmp(&near_local, &far_peer, sizeof near_local) == 0);
    talk_and_close();
    fixture_close(&fixture);
}

/* A second listener in the same port, on `address`. */
static bool listen_on(struct tg_listener *listener, struct throng_address *address)
{
    tg_socket sock;
    struct tg_listen_options options = {.address = *address, .backlog = 5};
    if (tg_socket_listen(&sock, &options, address) != 0) {
        return false;
    }
    memset(listener, 0, sizeof *listener);
    CHECK(tg_port_listen(fixture.port, listener, sock) == 0);
    return true;
}

static void ipv6_connects_and_tells_its_addresses(void **state)
{
    static struct tg_listener listener;
    struct throng_address address = {.family = THRONG_ADDRESS_IPV6, .bytes = {[15] = 1}};
    struct throng_address peer;
    (void)state;
    fixture_open(&fixture, NULL);
    if (!listen_on(&listener, &address)) {
        fixture_close(&fixture);
        print_message("no IPv6 on this machine's loopback\n");
        skip();
    }
    connect_both(&listener, &address, NULL);
    CHECK(tg_port_addresses(fixture.port, &near_end, &peer, NULL) == 0);
    CHECK(memcmp(&peer, &address, sizeof peer) == 0);
    talk_and_close();
    tg_port_close_listener(fixture.port, &listener);
    (void)fixture_take(&fixture, TG_COMPLETION_LISTENER_CLOSE, &listener);
    fixture_close(&fixture);
}

/* "::" listens for both families; an IPv4 peer is told as IPv4. */
static void an_ipv4_peer_of_an_ipv6_listener_has_an_ipv4_address(void **state)
{
    static struct tg_listener listener;
    struct throng_address address = {.family = THRONG_ADDRESS_IPV6};
    struct throng_address target = any_loopback;
    struct throng_address peer, local;
    (void)state;
    fixture_open(&fixture, NULL);
    if (!listen_on(&listener, &address)) {
        fixture_close(&fixture);
        print_message("no IPv6 on this machine\n");
        skip();
    }
    target.port = address.port;
    connect_both(&listener, &target, NULL);
    CHECK(tg_port_addresses(fixture.port, &far_end, &peer, &local) == 0);
    CHECK(peer.family == THRONG_ADDRESS_IPV4 && memcmp(peer.bytes, any_loopback.bytes, 16) == 0);
    CHECK(memcmp(&local, &target, sizeof local) == 0);
    talk_and_close();
    tg_port_close_listener(fixture.port, &listener);
    (void)fixture_take(&fixture, TG_COMPLETION_LISTENER_CLOSE, &listener);
    fixture_close(&fixture);
}

static void a_connection_that_was_reset_has_no_addresses(void **state)
{
    struct throng_address untouched = {.port = 77};
    struct throng_address peer = untouched;
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket socket = fixture_pair(&fixture, &far_end);
    tg_port_receive(fixture.port, &far_end);
    tg_socket_abort(socket);
    CHECK(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &far_end).result < 0);
    CHECK(tg_port_addresses(fixture.port, &far_end, &peer, NULL) < 0);
    CHECK(memcmp(&peer, &untouched, sizeof peer) == 0);
    fixture_close_stream(&fixture, &far_end);
    fixture_close(&fixture);
}

int run_connect_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connect_is_pending_and_then_succeeds),
        cmocka_unit_test(a_refused_connect_is_an_error_at_once_or_later),
        cmocka_unit_test(the_source_address_is_the_one_asked_for),
        cmocka_unit_test(a_source_address_of_somebody_else_is_refused),
        cmocka_unit_test(both_ends_agree_on_the_addresses),
        cmocka_unit_test(ipv6_connects_and_tells_its_addresses),
        cmocka_unit_test(an_ipv4_peer_of_an_ipv6_listener_has_an_ipv4_address),
        cmocka_unit_test(a_connection_that_was_reset_has_no_addresses),
    };
    return cmocka_run_group_tests_name("port: connect", tests, NULL, NULL);
}
