/* SPDX-License-Identifier: MIT
 * Port contract, clause 5: accepting takes as many as there is credit for, and outlives dead
 * connections. What happens without descriptors is in process.posix.c. */
#include "fixture.h"

#include <string.h>

static struct fixture fixture;

enum {
    MANY = 200
};
static tg_socket peers[MANY];
static struct tg_stream streams[MANY];

static void connect_peers(int count)
{
    for (int i = 0; i < count; i++) {
        peers[i] = peer_connect(&fixture.address);
    }
}

static void adopt_next(struct fixture *from, struct tg_stream *stream)
{
    struct tg_completion accepted = fixture_take(from, TG_COMPLETION_ACCEPT, &from->listener);
    CHECK(accepted.result == 0);
    memset(stream, 0, sizeof *stream);
    CHECK(tg_port_adopt(from->port, stream, accepted.accepted) == 0);
}

static void close_all(int count)
{
    for (int i = 0; i < count; i++) {
        tg_socket_close(peers[i]);
        fixture_close_stream(&fixture, &streams[i]);
    }
    fixture_close(&fixture);
}

static void as_many_come_as_there_is_credit_for(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    fixture_settle(&fixture); /* has its own connection accepted before the others come */
    connect_peers(5);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener)); /* credit 0 */
    tg_port_accept(fixture.port, &fixture.listener, 3);
    for (int i = 0; i < 3; i++) {
        adopt_next(&fixture, &streams[i]);
    }
    CHECK(fixture.log_count == 0);
    fixture_expect_sleep(&fixture); /* over those that still knock */
    tg_port_accept(fixture.port, &fixture.listener, 2);
    for (int i = 3; i < 5; i++) {
        adopt_next(&fixture, &streams[i]);
    }
    close_all(5);
}

static void credit_zero_pauses(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    tg_port_accept(fixture.port, &fixture.listener, 100);
    connect_peers(1);
    adopt_next(&fixture, &streams[0]);
    tg_port_accept(fixture.port, &fixture.listener, 0);
    tg_port_accept(fixture.port, &fixture.listener, 0);
    peers[1] = peer_connect(&fixture.address);
    fixture_expect_sleep(&fixture);
    tg_port_accept(fixture.port, &fixture.listener, 7);
    adopt_next(&fixture, &streams[1]);
    close_all(2);
}

static void a_flood_of_connections_is_taken_exactly_once_each(void **state)
{
    (void)state;
    struct fixture_options options = fixture_defaults;
    options.batch = 7;
    fixture_open(&fixture, &options);
    connect_peers(MANY);
    tg_port_accept(fixture.port, &fixture.listener, MANY + 50);
    for (int i = 0; i < MANY; i++) {
        adopt_next(&fixture, &streams[i]);
        tg_port_receive(fixture.port, &streams[i]);
    }
    for (int i = 0; i < 10; i++) {
        fixture_pump(&fixture, 0);
    }
    CHECK(!fixture_has(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener));
    /* Each peer has a stream of its own: what it says is heard once. */
    for (int i = 0; i < MANY; i++) {
        uint8_t name[4] = {'n', (uint8_t)i, (uint8_t)(i >> 8), '.'};
        peer_send(peers[i], name, 4);
    }
    static bool heard[MANY];
    memset(heard, 0, sizeof heard);
    for (int i = 0; i < MANY; i++) {
        uint8_t name[4];
        fixture_read(&fixture, &streams[i], name, 4);
        int peer = name[1] | name[2] << 8;
        CHECK(name[0] == 'n' && peer < MANY && !heard[peer]);
        heard[peer] = true;
    }
    close_all(MANY);
}

/* While connections flood in, the connected are still heard. */
static void accepting_does_not_starve_the_connected(void **state)
{
    static struct tg_stream talker;
    (void)state;
    struct fixture_options options = fixture_defaults;
    options.batch = 1;
    fixture_open(&fixture, &options);
    tg_socket peer = fixture_pair(&fixture, &talker);
    tg_port_receive(fixture.port, &talker);
    connect_peers(MANY);
    peer_send(peer, "x", 1);
    tg_port_accept(fixture.port, &fixture.listener, MANY);
    for (int i = 0; !fixture_has(&fixture, TG_COMPLETION_RECEIVE, &talker); i++) {
        CHECK(i < 20);
        fixture_pump(&fixture, 100);
    }
    uint8_t byte;
    fixture_read(&fixture, &talker, &byte, 1);
    for (int i = 0; i < MANY; i++) {
        adopt_next(&fixture, &streams[i]);
    }
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &talker);
    close_all(MANY);
}

static void a_refused_peer_sees_a_reset(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    connect_peers(1);
    tg_port_accept(fixture.port, &fixture.listener, 1);
    struct tg_completion accepted = fixture_take(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener);
    CHECK(accepted.result == 0);
    tg_port_refuse(fixture.port, accepted.accepted);
    fixture_pump(&fixture, 0);
    CHECK(peer_receive_any(peers[0]) == THRONG_ECONNRESET);
    tg_socket_close(peers[0]);
    fixture_close(&fixture);
}

/* Connections that are reset before they are accepted: some systems never show them, others hand
 * over a corpse. The listener lives in any case. */
static void a_thousand_dead_connections_do_not_hurt_the_listener(void **state)
{
    (void)state;
    int rounds = (int)test_scaled(1000);
    fixture_open(&fixture, NULL);
    tg_port_accept(fixture.port, &fixture.listener, UINT32_MAX);
    for (int i = 0; i < rounds; i++) {
        tg_socket_abort(peer_connect(&fixture.address));
        if (i % 10 != 9) {
            continue;
        }
        fixture_pump(&fixture, 0);
        while (fixture_has(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener)) {
            adopt_next(&fixture, &streams[0]);
            tg_port_receive(fixture.port, &streams[0]);
            CHECK(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &streams[0]).result <= 0);
            fixture_close_stream(&fixture, &streams[0]);
        }
    }
    for (int i = 0; i < rounds && fixture_pump(&fixture, 0) > 0; i++) {
        while (fixture_has(&fixture, TG_COMPLETION_ACCEPT, &fixture.listener)) {
            adopt_next(&fixture, &streams[0]);
            fixture_close_stream(&fixture, &streams[0]);
        }
    }
    connect_peers(1);
    adopt_next(&fixture, &streams[0]);
    CHECK(fixture_counter(&fixture.port->counters.accept_pauses) == 0);
    close_all(1);
}

/* A connection comes while there is credit, which is gone before the port has seen it. Whether the
 * system has accepted it by then is the backend's affair. */
static void connect_into_a_pause(void)
{
    tg_port_accept(fixture.port, &fixture.listener, 1);
    fixture_pump(&fixture, 0);
    connect_peers(1);
    tg_port_accept(fixture.port, &fixture.listener, 0);
    for (int i = 0; i < 5; i++) {
        CHECK(fixture_pump(&fixture, 5) == 0);
    }
}

static void a_connection_taken_ahead_waits_for_credit(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    connect_into_a_pause();
    tg_port_accept(fixture.port, &fixture.listener, 1);
    adopt_next(&fixture, &streams[0]);
    close_all(1);
}

static void a_connection_taken_ahead_is_reset_with_its_listener(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    connect_into_a_pause();
    tg_port_close_listener(fixture.port, &fixture.listener);
    (void)fixture_take(&fixture, TG_COMPLETION_LISTENER_CLOSE, &fixture.listener);
    fixture.listening = false;
    fixture_pump(&fixture, 0);
    CHECK(peer_receive_any(peers[0]) == THRONG_ECONNRESET);
    tg_socket_close(peers[0]);
    fixture_close(&fixture);
}

/* Nobody listens at the fixture's address any more. */
static void expect_refused(void)
{
    tg_socket late;
    CHECK(tg_socket_open(&late, THRONG_ADDRESS_IPV4) == 0);
    int error = tg_socket_connect(late, &fixture.address);
    if (error == THRONG_EAGAIN) {
        CHECK(tg_socket_wait(late, true, DEADLINE_MS) == 1);
        error = tg_socket_take_error(late);
    }
    CHECK(error == THRONG_ECONNREFUSED);
    tg_socket_close(late);
}

static void after_a_listeners_close_nobody_gets_in(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    connect_peers(1); /* waits in the backlog: reset with it */
    tg_port_accept(fixture.port, &fixture.listener, 0);
    tg_port_close_listener(fixture.port, &fixture.listener);
    CHECK(fixture_take(&fixture, TG_COMPLETION_LISTENER_CLOSE, &fixture.listener).result == 0);
    fixture.listening = false;
    CHECK(peer_receive_any(peers[0]) == THRONG_ECONNRESET);
    tg_socket_close(peers[0]);
    expect_refused();
    fixture_close(&fixture);
}

/* Accepts were asked for and wait in the system. */
static void a_listener_with_credit_closes_and_lets_nobody_in(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    tg_port_accept(fixture.port, &fixture.listener, 5);
    fixture_pump(&fixture, 0);
    tg_port_close_listener(fixture.port, &fixture.listener);
    (void)fixture_take(&fixture, TG_COMPLETION_LISTENER_CLOSE, &fixture.listener);
    fixture.listening = false;
    memset(&fixture.listener, 0xAA, sizeof fixture.listener); /* nothing touches it any more */
    expect_refused();
    for (int i = 0; i < 4; i++) {
        CHECK(fixture_pump(&fixture, 5) == 0);
    }
    for (size_t i = 0; i < sizeof fixture.listener; i++) {
        CHECK(((const uint8_t *)&fixture.listener)[i] == 0xAA);
    }
    fixture_close(&fixture);
}

static void a_listener_record_can_be_used_anew_after_its_close(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    for (int i = 0; i < 10; i++) {
        tg_socket sock;
        tg_port_accept(fixture.port, &fixture.listener, 5);
        tg_port_close_listener(fixture.port, &fixture.listener);
        (void)fixture_take(&fixture, TG_COMPLETION_LISTENER_CLOSE, &fixture.listener);
        memset(&fixture.listener, 0, sizeof fixture.listener);
        struct tg_listen_options options = {.address = fixture.address, .backlog = 5};
        CHECK(tg_socket_listen(&sock, &options, &fixture.address) == 0);
        CHECK(tg_port_listen(fixture.port, &fixture.listener, sock) == 0);
    }
    peers[0] = fixture_pair(&fixture, &streams[0]);
    close_all(1);
}

int run_accept_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_come_as_there_is_credit_for),
        cmocka_unit_test(credit_zero_pauses),
        cmocka_unit_test(a_flood_of_connections_is_taken_exactly_once_each),
        cmocka_unit_test(accepting_does_not_starve_the_connected),
        cmocka_unit_test(a_refused_peer_sees_a_reset),
        cmocka_unit_test(a_thousand_dead_connections_do_not_hurt_the_listener),
        cmocka_unit_test(a_connection_taken_ahead_waits_for_credit),
        cmocka_unit_test(a_connection_taken_ahead_is_reset_with_its_listener),
        cmocka_unit_test(after_a_listeners_close_nobody_gets_in),
        cmocka_unit_test(a_listener_with_credit_closes_and_lets_nobody_in),
        cmocka_unit_test(a_listener_record_can_be_used_anew_after_its_close),
    };
    return cmocka_run_group_tests_name("port: accept", tests, NULL, NULL);
}
