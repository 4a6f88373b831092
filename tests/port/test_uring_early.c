/* SPDX-License-Identifier: MIT
 * Input that the kernel took before it was wanted: what only the io_uring backend has to hold, in
 * order, and to give back. */
#include "fixture.h"

#include <string.h>

#include "port/uring.h"

static struct fixture fixture;

static struct tg_uring_port *uring(void)
{
    return tg_uring_port_of(fixture.port);
}

static void without_a_record_to_hold_it_input_waits_in_the_queue(void **state)
{
    static struct tg_stream paused;
    static struct tg_stream other;
    char word[5];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &paused);
    tg_socket other_peer = fixture_pair(&fixture, &other);
    tg_port_receive(fixture.port, &paused);
    tg_port_receive(fixture.port, &other);
    fixture_settle(&fixture);
    uint32_t free = uring()->held_free;
    uring()->held_free = TG_INDEX_NONE;
    peer_send(peer, "first", 5);
    CHECK(tg_uring_enter(&uring()->ring, 1, 1000000000) == 0); /* taken, and then not wanted */
    tg_port_pause(fixture.port, &paused);
    peer_send(other_peer, "later", 5);
    for (int i = 0; i < 5; i++) {
        fixture_pump(&fixture, 1);
    }
    CHECK(!fixture_has(&fixture, TG_COMPLETION_RECEIVE, &paused));
    uring()->held_free = free;
    fixture_read(&fixture, &other, word, 5);
    CHECK(memcmp(word, "later", 5) == 0);
    CHECK(!fixture_has(&fixture, TG_COMPLETION_RECEIVE, &paused));
    tg_port_receive(fixture.port, &paused);
    fixture_read(&fixture, &paused, word, 5);
    CHECK(memcmp(word, "first", 5) == 0);
    tg_socket_close(peer);
    tg_socket_close(other_peer);
    fixture_close_stream(&fixture, &paused);
    fixture_close_stream(&fixture, &other);
    fixture_close(&fixture);
}

/* Takes input that nobody has completed yet. */
static tg_socket take_early(struct tg_stream *stream)
{
    tg_socket peer = fixture_pair(&fixture, stream);
    tg_port_receive(fixture.port, stream);
    fixture_settle(&fixture);
    peer_send(peer, "early", 5);
    CHECK(tg_uring_enter(&uring()->ring, 1, 1000000000) == 0);
    return peer;
}

static void a_stop_lets_what_was_taken_come_and_takes_no_more(void **state)
{
    static struct tg_stream stream;
    char word[5];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = take_early(&stream);
    tg_port_stop(fixture.port, &stream);
    fixture_read(&fixture, &stream, word, 5);
    CHECK(memcmp(word, "early", 5) == 0);
    fixture_settle(&fixture); /* now the cancel has arrived */
    peer_send(peer, "wait!", 5);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &stream));
    tg_port_receive(fixture.port, &stream);
    fixture_read(&fixture, &stream, word, 5);
    CHECK(memcmp(word, "wait!", 5) == 0);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* fixture_close checks that every buffer is at home. */
static void a_close_gives_the_buffers_of_untaken_input_back(void **state)
{
    static struct tg_stream streams[3];
    (void)state;
    fixture_open(&fixture, NULL);
    for (int i = 0; i < 3; i++) {
        tg_socket peer = take_early(&streams[i]);
        if (i == 1) {
            tg_port_pause(fixture.port, &streams[i]);
            fixture_settle(&fixture); /* now it is held, no longer in the queue */
        }
        tg_port_close(fixture.port, &streams[i], i == 2 ? TG_CLOSE_ABORT : TG_CLOSE_NORMAL);
        (void)fixture_take(&fixture, TG_COMPLETION_CLOSE, &streams[i]);
        CHECK(!fixture_has(&fixture, 0, &streams[i]));
        tg_socket_close(peer);
    }
    fixture_close(&fixture);
}

static void an_end_that_was_taken_early_comes_behind_the_bytes(void **state)
{
    static struct tg_stream stream;
    char word[5];
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = take_early(&stream);
    tg_port_pause(fixture.port, &stream);
    tg_socket_close(peer);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &stream));
    tg_port_receive(fixture.port, &stream);
    fixture_read(&fixture, &stream, word, 5);
    CHECK(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &stream).result == 0);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* A kernel that used a buffer up at each end of a stream, or that we believed to do so, would leave
 * none after two. */
static void a_thousand_ends_use_no_buffer_up(void **state)
{
    static struct tg_stream stream;
    struct fixture_options options = fixture_defaults;
    uint8_t byte;
    (void)state;
    options.buffers = 2;
    fixture_open(&fixture, &options);
    for (uint32_t i = 0; i < test_scaled(1000); i++) {
        tg_socket peer = fixture_pair(&fixture, &stream);
        tg_port_receive(fixture.port, &stream);
        peer_send(peer, "x", 1);
        fixture_read(&fixture, &stream, &byte, 1);
        if (i % 2 == 0) {
            tg_socket_close(peer);
        } else {
            tg_socket_abort(peer);
        }
        CHECK(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &stream).result <= 0);
        fixture_close_stream(&fixture, &stream);
    }
    CHECK(fixture_counter(&fixture.port->counters.buffers_missed) == 0);
    fixture_close(&fixture);
}

int run_uring_early_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_record_to_hold_it_input_waits_in_the_queue),
        cmocka_unit_test(a_stop_lets_what_was_taken_come_and_takes_no_more),
        cmocka_unit_test(a_close_gives_the_buffers_of_untaken_input_back),
        cmocka_unit_test(an_end_that_was_taken_early_comes_behind_the_bytes),
        cmocka_unit_test(a_thousand_ends_use_no_buffer_up),
    };
    bool is_uring = strncmp(fixture_backend->name, "io_uring", 8) == 0;
    return is_uring
               ? cmocka_run_group_tests_name("port: early input of io_uring", tests, NULL, NULL)
               : 0;
}
