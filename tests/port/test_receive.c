/* SPDX-License-Identifier: MIT
 * Port contract, clause 3: receiving is a stream, with an order, an end and a pause. */
#include "fixture.h"

#include <string.h>

static struct fixture fixture;
static struct tg_stream stream;

static void a_megabyte_arrives_whole_and_in_order(void **state)
{
    static uint8_t block[32768];
    static uint8_t got[sizeof block];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    for (size_t at = 0; at < 1048576; at += sizeof block) {
        pattern_fill(block, at, sizeof block);
        peer_send(peer, block, sizeof block);
        fixture_read(&fixture, &stream, got, sizeof got);
        CHECK(pattern_matches(got, at, sizeof got));
    }
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void nothing_is_received_before_it_is_asked_for(void **state)
{
    uint8_t got[5];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    peer_send(peer, "early", 5);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &stream));
    tg_port_receive(fixture.port, &stream);
    fixture_read(&fixture, &stream, got, 5);
    CHECK(memcmp(got, "early", 5) == 0);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void a_pause_keeps_the_bytes_and_a_resume_brings_them(void **state)
{
    uint8_t got[8];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    peer_send(peer, "1", 1);
    fixture_read(&fixture, &stream, got, 1);
    peer_send(peer, "2", 1); /* perhaps seen by the port already */
    tg_port_pause(fixture.port, &stream);
    peer_send(peer, "345", 3);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, TG_COMPLETION_RECEIVE, &stream));
    peer_send(peer, "678", 3);
    tg_port_receive(fixture.port, &stream);
    fixture_read(&fixture, &stream, got + 1, 7);
    CHECK(memcmp(got, "12345678", 8) == 0);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void asking_twice_is_harmless(void **state)
{
    uint8_t got[3];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    tg_port_receive(fixture.port, &stream);
    peer_send(peer, "abc", 3);
    fixture_read(&fixture, &stream, got, 3);
    tg_port_receive(fixture.port, &stream);
    tg_port_pause(fixture.port, &stream);
    tg_port_pause(fixture.port, &stream);
    tg_port_receive(fixture.port, &stream);
    peer_send(peer, "def", 3);
    fixture_read(&fixture, &stream, got, 3);
    CHECK(memcmp(got, "def", 3) == 0);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &stream));
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void expect_end(struct fixture *of, struct tg_stream *ended)
{
    CHECK(fixture_take(of, TG_COMPLETION_RECEIVE, ended).result == 0);
    /* It was the last one, also if somebody asks again. */
    tg_port_receive(of->port, ended);
    fixture_settle(of);
    CHECK(!fixture_has(of, 0, ended));
}

static void the_end_comes_after_the_last_byte(void **state)
{
    static uint8_t sent[50000];
    static uint8_t got[sizeof sent];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    pattern_fill(sent, 0, sizeof sent);
    peer_send(peer, sent, sizeof sent);
    tg_socket_close(peer); /* data and end are both there before the first receive */
    tg_port_receive(fixture.port, &stream);
    fixture_read(&fixture, &stream, got, sizeof got);
    CHECK(pattern_matches(got, 0, sizeof got));
    expect_end(&fixture, &stream);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void the_end_comes_alone_when_the_stream_was_drained(void **state)
{
    uint8_t got[2];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    peer_send(peer, "hi", 2);
    fixture_read(&fixture, &stream, got, 2);
    fixture_settle(&fixture);
    tg_socket_close(peer);
    expect_end(&fixture, &stream);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void the_end_during_a_pause_is_not_lost(void **state)
{
    uint8_t got[3];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    fixture_settle(&fixture);
    tg_port_pause(fixture.port, &stream);
    peer_send(peer, "end", 3);
    tg_socket_close(peer);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &stream));
    tg_port_receive(fixture.port, &stream);
    fixture_read(&fixture, &stream, got, 3);
    expect_end(&fixture, &stream);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void the_end_is_said_once_even_if_a_reset_follows(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    CHECK(tg_socket_shutdown_send(peer) == 0);
    expect_end(&fixture, &stream);
    tg_socket_abort(peer);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &stream));
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void a_reset_by_the_peer_ends_receiving_with_an_error(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    fixture_settle(&fixture);
    tg_socket_abort(peer);
    CHECK(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &stream).result == THRONG_ECONNRESET);
    tg_port_receive(fixture.port, &stream);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &stream));
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void after_the_peers_end_sending_goes_on(void **state)
{
    static uint8_t sent[100000];
    static uint8_t got[sizeof sent];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    CHECK(tg_socket_shutdown_send(peer) == 0);
    CHECK(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &stream).result == 0);
    pattern_fill(sent, 0, sizeof sent);
    fixture_send(&fixture, &stream, sent, sizeof sent);
    peer_receive(peer, got, sizeof got);
    CHECK(pattern_matches(got, 0, sizeof got));
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void after_our_end_receiving_goes_on(void **state)
{
    uint8_t got[4];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    fixture_send(&fixture, &stream, "last", 4);
    tg_port_shutdown(fixture.port, &stream);
    peer_receive(peer, got, 4);
    CHECK(peer_receive_any(peer) == THRONG_EEOF);
    peer_send(peer, "more", 4);
    fixture_read(&fixture, &stream, got, 4);
    CHECK(memcmp(got, "more", 4) == 0);
    tg_socket_close(peer);
    CHECK(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &stream).result == 0);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

int run_receive_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_megabyte_arrives_whole_and_in_order),
        cmocka_unit_test(nothing_is_received_before_it_is_asked_for),
        cmocka_unit_test(a_pause_keeps_the_bytes_and_a_resume_brings_them),
        cmocka_unit_test(asking_twice_is_harmless),
        cmocka_unit_test(the_end_comes_after_the_last_byte),
        cmocka_unit_test(the_end_comes_alone_when_the_stream_was_drained),
        cmocka_unit_test(the_end_during_a_pause_is_not_lost),
        cmocka_unit_test(the_end_is_said_once_even_if_a_reset_follows),
        cmocka_unit_test(a_reset_by_the_peer_ends_receiving_with_an_error),
        cmocka_unit_test(after_the_peers_end_sending_goes_on),
        cmocka_unit_test(after_our_end_receiving_goes_on),
    };
    return cmocka_run_group_tests_name("port: receive", tests, NULL, NULL);
}
