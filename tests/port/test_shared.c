/* SPDX-License-Identifier: MIT
 * Two ports that share one listening socket, as the workers of a server do. */
#include "fixture.h"

#include <string.h>

static struct fixture fixture;
static struct fixture second;
static struct tg_stream stream;
static struct tg_acceptor acceptor;

/* Opens two ports and brings a duplicate of the first one's listening socket into the second. */
static void open_both(void)
{
    memset(&acceptor, 0, sizeof acceptor);
    CHECK(tg_acceptor_open(&acceptor, fixture_backend) == 0);
    struct fixture_options options = fixture_defaults;
    options.acceptor = &acceptor;
    fixture_open(&fixture, &options);
    fixture_open(&second, &options);
    tg_socket copy = tg_socket_duplicate(fixture.listener.handle);
    CHECK(copy >= 0);
    tg_port_close_listener(second.port, &second.listener);
    (void)fixture_take(&second, TG_COMPLETION_LISTENER_CLOSE, &second.listener);
    memset(&second.listener, 0, sizeof second.listener);
    CHECK(tg_port_listen(second.port, &second.listener, copy) == 0);
    second.address = fixture.address;
}

static void close_second(void)
{
    fixture_close(&second);
    tg_acceptor_close(&acceptor, fixture_backend);
}

static void two_ports_share_a_listener_and_close_apart(void **state)
{
    static struct tg_stream others;
    (void)state;
    open_both();
    /* fixture_pair gives credit to one port only, so each must take its own. */
    for (int i = 0; i < 3; i++) {
        tg_socket peer = fixture_pair(&fixture, &stream);
        tg_socket other_peer = fixture_pair(&second, &others);
        CHECK(!fixture_has(&second, 0, &second.listener));
        CHECK(!fixture_has(&fixture, 0, &fixture.listener));
        tg_socket_close(peer);
        tg_socket_close(other_peer);
        fixture_close_stream(&fixture, &stream);
        fixture_close_stream(&second, &others);
    }
    fixture_close(&fixture);
    tg_socket peer = fixture_pair(&second, &others);
    tg_socket_close(peer);
    fixture_close_stream(&second, &others);
    close_second();
}

/* The socket lives on in the other port; the kernel's entry of the closed one must not. */
static void a_closed_listener_hears_nothing_of_the_shared_socket(void **state)
{
    static struct tg_stream others;
    (void)state;
    open_both();
    tg_port_accept(fixture.port, &fixture.listener, 5);
    tg_port_close_listener(fixture.port, &fixture.listener);
    (void)fixture_take(&fixture, TG_COMPLETION_LISTENER_CLOSE, &fixture.listener);
    fixture.listening = false;
    memset(&fixture.listener, 0xAA, sizeof fixture.listener);
    tg_socket late = peer_connect(&fixture.address);
    fixture_expect_sleep(&fixture);
    tg_socket peer = fixture_pair(&second, &others); /* takes the first one that waits: late's */
    fixture_close_stream(&second, &others);
    tg_socket_close(late);
    tg_socket_close(peer);
    fixture_close(&fixture);
    close_second();
}

/* A port that has used up its credit does not stand in the way of the other, which sleeps. */
static void a_connection_wakes_the_port_that_has_credit(void **state)
{
    (void)state;
    open_both();
    tg_port_accept(fixture.port, &fixture.listener, 1);
    tg_port_accept(second.port, &second.listener, 1);
    tg_socket peers[2] = {peer_connect(&fixture.address), peer_connect(&fixture.address)};
    struct fixture *ports[2] = {&fixture, &second};
    for (int i = 0; i < 2; i++) {
        struct tg_completion accepted =
            fixture_take(ports[i], TG_COMPLETION_ACCEPT, &ports[i]->listener);
        CHECK(accepted.result == 0);
        tg_port_refuse(ports[i]->port, accepted.accepted);
        fixture_pump(ports[i], 0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(peer_receive_any(peers[i]) == THRONG_ECONNRESET);
        tg_socket_close(peers[i]);
    }
    fixture_close(&fixture);
    close_second();
}

/* Both have credit; whoever takes them, every connection is taken by exactly one. */
static void every_connection_goes_to_one_of_two_ports(void **state)
{
    enum {
        CONNECTIONS = 60
    };
    tg_socket peers[CONNECTIONS];
    struct fixture *ports[2] = {&fixture, &second};
    int taken[2] = {0, 0};
    (void)state;
    open_both();
    tg_port_accept(fixture.port, &fixture.listener, CONNECTIONS / 2);
    tg_port_accept(second.port, &second.listener, CONNECTIONS / 2);
    for (int i = 0; i < CONNECTIONS; i++) {
        peers[i] = peer_connect(&fixture.address);
    }
    uint64_t deadline = now_ms() + DEADLINE_MS;
    while (taken[0] + taken[1] < CONNECTIONS) {
        CHECK(now_ms() < deadline);
        for (int i = 0; i < 2; i++) {
            fixture_pump(ports[i], 1);
            while (fixture_has(ports[i], TG_COMPLETION_ACCEPT, &ports[i]->listener)) {
                struct tg_completion accepted =
                    fixture_take(ports[i], TG_COMPLETION_ACCEPT, &ports[i]->listener);
                CHECK(accepted.result == 0);
                tg_port_refuse(ports[i]->port, accepted.accepted);
                taken[i]++;
            }
        }
    }
    CHECK(taken[0] == CONNECTIONS / 2 && taken[1] == CONNECTIONS / 2);
    fixture_pump(&fixture, 0);
    fixture_pump(&second, 0);
    for (int i = 0; i < CONNECTIONS; i++) {
        CHECK(peer_receive_any(peers[i]) == THRONG_ECONNRESET);
        tg_socket_close(peers[i]);
    }
    fixture_close(&fixture);
    close_second();
}

int run_shared_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_ports_share_a_listener_and_close_apart),
        cmocka_unit_test(a_closed_listener_hears_nothing_of_the_shared_socket),
        cmocka_unit_test(a_connection_wakes_the_port_that_has_credit),
        cmocka_unit_test(every_connection_goes_to_one_of_two_ports),
    };
    return cmocka_run_group_tests_name("port: shared listener", tests, NULL, NULL);
}
