/* SPDX-License-Identifier: MIT
 * Port contract, clauses 1 and 6: CLOSE completes last, after all that was in flight, and then the
 * record is the caller's again. */
#include "fixture.h"

#include <string.h>

static struct fixture fixture;
static struct tg_stream stream;

/* The next completion of the stream, in the order in which they come. */
static struct tg_completion take_next(void)
{
    return fixture_take(&fixture, 0, &stream);
}

static void an_idle_stream_closes_and_the_peer_sees_the_end(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    tg_port_close(fixture.port, &stream, TG_CLOSE_NORMAL);
    struct tg_completion closed = take_next();
    CHECK(closed.kind == TG_COMPLETION_CLOSE && closed.result == 0);
    CHECK(peer_receive_any(peer) == THRONG_EEOF);
    tg_socket_close(peer);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &stream)); /* the receive that was armed ends silently */
    fixture_close(&fixture);
}

static void close_with_pending_send(uint32_t batch, bool receives)
{
    struct fixture_options options = fixture_defaults;
    options.send_bytes = 16384;
    options.batch = batch;
    fixture_open(&fixture, &options);
    tg_socket peer = fixture_pair(&fixture, &stream);
    if (receives) {
        tg_port_receive(fixture.port, &stream);
    }
    (void)fixture_fill(&fixture, &stream, 0);
    tg_port_close(fixture.port, &stream, TG_CLOSE_ABORT);
    struct tg_completion first = take_next();
    CHECK(first.kind == TG_COMPLETION_SEND);
    CHECK(first.result == THRONG_ECANCELED || first.result >= 0);
    struct tg_completion second = take_next();
    CHECK(second.kind == TG_COMPLETION_CLOSE && second.result == 0);
    tg_socket_close(peer);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &stream));
    fixture_close(&fixture);
}

static void a_pending_send_is_canceled_before_the_close(void **state)
{
    (void)state;
    close_with_pending_send(64, true);
    close_with_pending_send(1, true);
    close_with_pending_send(64, false); /* the send is all that is in flight */
    close_with_pending_send(1, false);
}

/* A listener whose backlog is full lets a connect hang without an answer. */
static void a_pending_connect_is_canceled_before_the_close(void **state)
{
    enum {
        TRIES = 8
    };
    tg_socket fillers[TRIES];
    tg_socket full;
    struct throng_address address;
    struct tg_listen_options options = {
        .address = {.family = THRONG_ADDRESS_IPV4, .bytes = {127, 0, 0, 1}}, .backlog = 1};
    (void)state;
    fixture_open(&fixture, NULL);
    CHECK(tg_socket_listen(&full, &options, &address) == 0);
    for (int i = 0; i < TRIES; i++) {
        CHECK(tg_socket_open(&fillers[i], THRONG_ADDRESS_IPV4) == 0);
        (void)tg_socket_connect(fillers[i], &address);
    }
    memset(&stream, 0, sizeof stream);
    CHECK(tg_port_connect(fixture.port, &stream, &address, NULL) == TG_PORT_PENDING);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &stream));
    tg_port_close(fixture.port, &stream, TG_CLOSE_NORMAL);
    struct tg_completion first = take_next();
    CHECK(first.kind == TG_COMPLETION_CONNECT && first.result == THRONG_ECANCELED);
    CHECK(take_next().kind == TG_COMPLETION_CLOSE);
    for (int i = 0; i < TRIES; i++) {
        tg_socket_close(fillers[i]);
    }
    tg_socket_close(full);
    fixture_close(&fixture);
}

static void a_connect_closed_at_once_completes_both(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    memset(&stream, 0, sizeof stream);
    CHECK(tg_port_connect(fixture.port, &stream, &fixture.address, NULL) == TG_PORT_PENDING);
    tg_port_close(fixture.port, &stream, TG_CLOSE_ABORT);
    struct tg_completion first = take_next();
    CHECK(first.kind == TG_COMPLETION_CONNECT);
    CHECK(first.result == 0 || first.result == THRONG_ECANCELED);
    CHECK(take_next().kind == TG_COMPLETION_CLOSE);
    fixture_close(&fixture);
}

static void data_that_arrives_around_the_close_comes_before_it_or_never(void **state)
{
    static uint8_t flood[200000];
    (void)state;
    struct fixture_options options = fixture_defaults;
    options.turn_bytes = 1000;
    fixture_open(&fixture, &options);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    peer_send(peer, flood, sizeof flood);
    struct tg_completion first = fixture_take(&fixture, TG_COMPLETION_RECEIVE, &stream);
    /* Now the stream has more to read, and the port knows. */
    tg_port_close(fixture.port, &stream, TG_CLOSE_NORMAL);
    struct tg_completion next = take_next();
    while (next.kind == TG_COMPLETION_RECEIVE) {
        CHECK(next.result > 0);
        fixture_release(&fixture, &next);
        next = take_next();
    }
    CHECK(next.kind == TG_COMPLETION_CLOSE);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &stream));
    fixture_release(&fixture, &first); /* kept beyond the stream's life */
    tg_socket_close(peer);
    fixture_close(&fixture);
}

/* In one batch there is news of several streams; the first one's news lets us close the others. */
/* What its receive has already found may still be in a queue of the system's, behind the CLOSE that
 * has filled the batch. */
static void a_record_is_left_alone_after_its_close(void **state)
{
    (void)state;
    struct fixture_options options = fixture_defaults;
    options.batch = 1;
    fixture_open(&fixture, &options);
    for (int round = 0; round < 10; round++) {
        tg_socket peer = fixture_pair(&fixture, &stream);
        peer_send(peer, "x", 1);
        fixture_settle(&fixture);
        tg_port_receive(fixture.port, &stream);
        fixture_close_stream(&fixture, &stream);
        memset(&stream, 0xAA, sizeof stream);
        fixture_settle(&fixture);
        for (size_t i = 0; i < sizeof stream; i++) {
            CHECK(((const uint8_t *)&stream)[i] == 0xAA);
        }
        tg_socket_close(peer);
    }
    fixture_close(&fixture);
}

static void closing_others_of_the_same_batch_is_safe(void **state)
{
    enum {
        STREAMS = 8
    };
    static struct tg_stream streams[STREAMS];
    tg_socket peers[STREAMS];
    (void)state;
    for (uint32_t batch = 1; batch <= STREAMS; batch++) {
        struct fixture_options options = fixture_defaults;
        options.batch = batch;
        fixture_open(&fixture, &options);
        for (int i = 0; i < STREAMS; i++) {
            peers[i] = fixture_pair(&fixture, &streams[i]);
            tg_port_receive(fixture.port, &streams[i]);
            peer_send(peers[i], "news", 4);
        }
        while (fixture_pump(&fixture, 1000) == 0) {
        }
        for (int i = 0; i < STREAMS; i++) {
            tg_port_close(fixture.port, &streams[i], TG_CLOSE_NORMAL);
        }
        for (int i = STREAMS - 1; i >= 0; i--) {
            bool closed = false;
            while (!closed) {
                struct tg_completion next = fixture_take(&fixture, 0, &streams[i]);
                closed = next.kind == TG_COMPLETION_CLOSE;
                if (next.kind == TG_COMPLETION_RECEIVE && next.result > 0) {
                    fixture_release(&fixture, &next);
                }
            }
            CHECK(!fixture_has(&fixture, 0, &streams[i]));
            memset(&streams[i], 0xA5, sizeof streams[i]);
            tg_socket_close(peers[i]);
        }
        fixture_settle(&fixture);
        fixture_close(&fixture);
    }
}

static void an_abort_resets_the_peer(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_close(fixture.port, &stream, TG_CLOSE_ABORT);
    CHECK(take_next().kind == TG_COMPLETION_CLOSE);
    CHECK(peer_receive_any(peer) == THRONG_ECONNRESET);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

static void what_was_sent_before_a_normal_close_arrives(void **state)
{
    static uint8_t sent[60000];
    static uint8_t got[sizeof sent];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    pattern_fill(sent, 0, sizeof sent);
    fixture_send(&fixture, &stream, sent, sizeof sent);
    tg_port_close(fixture.port, &stream, TG_CLOSE_NORMAL);
    CHECK(take_next().kind == TG_COMPLETION_CLOSE);
    peer_receive(peer, got, sizeof got);
    CHECK(pattern_matches(got, 0, sizeof got));
    CHECK(peer_receive_any(peer) == THRONG_EEOF);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

static void a_record_is_used_anew_after_its_close(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL);
    for (int i = 0; i < 100; i++) {
        uint8_t got[2];
        uint8_t word[2] = {(uint8_t)i, 'w'};
        tg_socket peer = fixture_pair(&fixture, &stream);
        tg_port_receive(fixture.port, &stream);
        peer_send(peer, word, 2);
        fixture_read(&fixture, &stream, got, 2);
        CHECK(memcmp(got, word, 2) == 0);
        peer_send(peer, "unread", 6);
        tg_port_close(fixture.port, &stream, i % 2 == 0 ? TG_CLOSE_NORMAL : TG_CLOSE_ABORT);
        struct tg_completion next = take_next();
        if (next.kind == TG_COMPLETION_RECEIVE) {
            fixture_release(&fixture, &next);
            next = take_next();
        }
        CHECK(next.kind == TG_COMPLETION_CLOSE);
        tg_socket_close(peer);
    }
    fixture_close(&fixture);
}

int run_close_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_stream_closes_and_the_peer_sees_the_end),
        cmocka_unit_test(a_pending_send_is_canceled_before_the_close),
        cmocka_unit_test(a_pending_connect_is_canceled_before_the_close),
        cmocka_unit_test(a_connect_closed_at_once_completes_both),
        cmocka_unit_test(data_that_arrives_around_the_close_comes_before_it_or_never),
        cmocka_unit_test(a_record_is_left_alone_after_its_close),
        cmocka_unit_test(closing_others_of_the_same_batch_is_safe),
        cmocka_unit_test(an_abort_resets_the_peer),
        cmocka_unit_test(what_was_sent_before_a_normal_close_arrives),
        cmocka_unit_test(a_record_is_used_anew_after_its_close),
    };
    return cmocka_run_group_tests_name("port: close", tests, NULL, NULL);
}
