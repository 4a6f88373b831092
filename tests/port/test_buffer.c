/* SPDX-License-Identifier: MIT
 * Port contract, clause 3: receive buffers are counted, idle streams hold none, and who finds none
 * waits in a queue. */
#include "fixture.h"

#include <string.h>

#include "base/prng.h"

static struct fixture fixture;

/* Four streams and two buffers that each hold one receive of 1,024 bytes. */
enum {
    STREAMS = 4,
    RECEIVE_BYTES = 1024
};
static const struct fixture_options two_buffers = {
    .buffer_bytes = RECEIVE_BYTES,
    .buffers = 2,
    .turn_bytes = 65536,
    .batch = 64,
};
static struct tg_stream streams[STREAMS];
static tg_socket peers[STREAMS];

static void open_streams(const struct fixture_options *options)
{
    fixture_open(&fixture, options);
    for (int i = 0; i < STREAMS; i++) {
        peers[i] = fixture_pair(&fixture, &streams[i]);
        tg_port_receive(fixture.port, &streams[i]);
    }
}

static void close_streams(void)
{
    for (int i = 0; i < STREAMS; i++) {
        tg_socket_close(peers[i]);
        fixture_close_stream(&fixture, &streams[i]);
    }
    fixture_close(&fixture);
}

/* Stream i sends `bytes` bytes of value 'a' + i. */
static void say(int i, size_t bytes)
{
    static uint8_t block[65536];
    memset(block, 'a' + i, bytes);
    peer_send(peers[i], block, bytes);
}

/* A whole buffer for stream i, not released. */
static struct tg_completion take_buffer(int i)
{
    struct tg_completion got = fixture_take(&fixture, TG_COMPLETION_RECEIVE, &streams[i]);
    CHECK(got.result == RECEIVE_BYTES);
    CHECK(got.data[0] == 'a' + i && got.data[RECEIVE_BYTES - 1] == 'a' + i);
    return got;
}

static bool any_received(void)
{
    for (int i = 0; i < STREAMS; i++) {
        if (fixture_has(&fixture, TG_COMPLETION_RECEIVE, &streams[i])) {
            return true;
        }
    }
    return false;
}

/* Some waits without a pause in between: all that is there has come. (fixture_settle would need a
 * buffer itself.) */
static void pump_some(void)
{
    for (int i = 0; i < 10; i++) {
        fixture_pump(&fixture, 1);
    }
}

static void streams_without_a_buffer_go_on_first_come_first_served(void **state)
{
    struct tg_completion held[2];
    (void)state;
    open_streams(&two_buffers);
    for (int i = 0; i < STREAMS; i++) {
        say(i, RECEIVE_BYTES);
        pump_some(); /* so that they come in this order */
    }
    held[0] = take_buffer(0);
    held[1] = take_buffer(1);
    CHECK(!any_received());
    CHECK(fixture_counter(&fixture.port->counters.buffers_missed) >= 2);
    say(0, RECEIVE_BYTES); /* comes behind those that wait already */
    pump_some();
    CHECK(!any_received());
    for (int i = 2; i < 5; i++) {
        fixture_release(&fixture, &held[i % 2]);
        held[i % 2] = take_buffer(i % STREAMS);
        CHECK(!any_received());
    }
    fixture_release(&fixture, &held[0]);
    fixture_release(&fixture, &held[1]);
    close_streams();
}

static void waiting_for_a_buffer_does_not_spin(void **state)
{
    (void)state;
    open_streams(&two_buffers);
    for (int i = 0; i < STREAMS; i++) {
        say(i, RECEIVE_BYTES);
    }
    pump_some();
    uint64_t receives = fixture_counter(&fixture.port->counters.receives);
    fixture_expect_sleep(&fixture);
    CHECK(fixture_counter(&fixture.port->counters.receives) == receives);
    close_streams();
}

/* The wait that follows a release must not sleep over it. */
static void a_buffer_that_came_home_is_seen_without_an_event(void **state)
{
    (void)state;
    open_streams(&two_buffers);
    say(0, 3 * RECEIVE_BYTES);
    struct tg_completion first = take_buffer(0);
    struct tg_completion second = take_buffer(0);
    pump_some();
    CHECK(!any_received());
    fixture_release(&fixture, &first);
    uint64_t begin = now_ms();
    for (int i = 0; i < 4 && !any_received(); i++) {
        fixture_pump(&fixture, 10000);
    }
    CHECK(now_ms() - begin < 5000);
    first = take_buffer(0);
    fixture_release(&fixture, &first);
    fixture_release(&fixture, &second);
    close_streams();
}

/* Turns that are smaller than what a stream has to say, after a wait for buffers: the rest comes
 * without a new event. */
static void a_stream_that_waited_gets_all_of_it_in_turns(void **state)
{
    enum {
        TURN = 256,
        SAID = 4 * RECEIVE_BYTES /* twice what the buffers hold */
    };
    (void)state;
    struct fixture_options options = two_buffers;
    options.turn_bytes = TURN;
    open_streams(&options);
    say(0, SAID);
    struct tg_completion held[SAID / TURN];
    uint32_t count = 0;
    size_t got = 0;
    do { /* as much as there are buffers for, all of it kept */
        CHECK(count < SAID / TURN);
        held[count] = fixture_take(&fixture, TG_COMPLETION_RECEIVE, &streams[0]);
        CHECK(held[count].result <= TURN);
        got += (size_t)held[count++].result;
        pump_some();
    } while (any_received());
    CHECK(got < SAID);
    while (count > 0) {
        fixture_release(&fixture, &held[--count]);
    }
    while (got < SAID) {
        struct tg_completion next = fixture_take(&fixture, TG_COMPLETION_RECEIVE, &streams[0]);
        CHECK(next.result <= TURN);
        got += (size_t)next.result;
        fixture_release(&fixture, &next);
    }
    CHECK(got == SAID);
    close_streams();
}

static void a_pause_leaves_the_queue_for_buffers(void **state)
{
    (void)state;
    open_streams(&two_buffers);
    for (int i = 0; i < STREAMS; i++) {
        say(i, RECEIVE_BYTES);
        pump_some();
    }
    struct tg_completion first = take_buffer(0);
    struct tg_completion second = take_buffer(1);
    tg_port_pause(fixture.port, &streams[2]);
    fixture_release(&fixture, &first);
    struct tg_completion third = take_buffer(3);
    fixture_release(&fixture, &second);
    pump_some();
    CHECK(!any_received());
    tg_port_receive(fixture.port, &streams[2]);
    struct tg_completion last = take_buffer(2);
    fixture_release(&fixture, &third);
    fixture_release(&fixture, &last);
    close_streams();
}

static void a_stream_closed_while_it_waits_for_a_buffer_is_forgotten(void **state)
{
    (void)state;
    open_streams(&two_buffers);
    for (int i = 0; i < STREAMS; i++) {
        say(i, RECEIVE_BYTES);
        pump_some();
    }
    struct tg_completion first = take_buffer(0);
    struct tg_completion second = take_buffer(1);
    tg_port_close(fixture.port, &streams[2], TG_CLOSE_NORMAL);
    CHECK(fixture_take(&fixture, TG_COMPLETION_CLOSE, &streams[2]).result == 0);
    memset(&streams[2], 0, sizeof streams[2]);
    fixture_release(&fixture, &first);
    struct tg_completion third = take_buffer(3);
    fixture_release(&fixture, &second);
    fixture_release(&fixture, &third);
    pump_some();
    CHECK(!any_received());
    tg_socket_close(peers[2]);
    peers[2] = fixture_pair(&fixture, &streams[2]);
    close_streams();
}

/* A stream that waits for a buffer still hears that it can send, and keeps its place. */
static void waiting_for_a_buffer_does_not_hold_up_sending(void **state)
{
    static uint8_t sink[65536];
    (void)state;
    struct fixture_options options = two_buffers;
    options.send_bytes = 16384;
    open_streams(&options);
    for (int i = 0; i < STREAMS; i++) {
        say(i, RECEIVE_BYTES);
        pump_some();
    }
    struct tg_completion first = take_buffer(0);
    struct tg_completion second = take_buffer(1);
    size_t filled = fixture_fill(&fixture, &streams[2], 0);
    for (size_t at = 0; at < filled;) {
        size_t size = filled - at < sizeof sink ? filled - at : sizeof sink;
        peer_receive(peers[2], sink, size);
        CHECK(pattern_matches(sink, at, size));
        at += size;
    }
    CHECK(fixture_take(&fixture, TG_COMPLETION_SEND, &streams[2]).result >= 0);
    CHECK(!any_received());
    fixture_release(&fixture, &first);
    first = take_buffer(2);
    CHECK(!any_received());
    fixture_release(&fixture, &second);
    second = take_buffer(3);
    fixture_release(&fixture, &first);
    fixture_release(&fixture, &second);
    close_streams();
}

/* Takes three buffers' worth of bytes and keeps it all until the last byte came: none of the
 * buffers is anybody else's. */
static void hold_three_buffers(tg_socket peer, struct tg_stream *stream)
{
    static struct tg_completion held[64];
    static uint8_t block[3 * 16384];
    uint32_t count = 0;
    size_t got = 0;
    peer_send(peer, block, sizeof block);
    while (got < sizeof block) {
        CHECK(count < 64);
        held[count] = fixture_take(&fixture, TG_COMPLETION_RECEIVE, stream);
        got += (size_t)held[count++].result;
    }
    while (count > 0) {
        fixture_release(&fixture, &held[--count]);
    }
}

static void idle_streams_pin_no_buffer(void **state)
{
    enum {
        IDLE = 100
    };
    static struct tg_stream idle[IDLE];
    static tg_socket idle_peers[IDLE];
    uint8_t word[3];
    (void)state;
    struct fixture_options options = fixture_defaults;
    options.buffers = 4;
    fixture_open(&fixture, &options);
    for (int i = 0; i < IDLE; i++) {
        idle_peers[i] = fixture_pair(&fixture, &idle[i]);
        tg_port_receive(fixture.port, &idle[i]);
    }
    for (int i = 0; i < IDLE; i++) {
        peer_send(idle_peers[i], "abc", 3);
        fixture_read(&fixture, &idle[i], word, 3);
    }
    CHECK(fixture_counter(&fixture.port->counters.buffers_missed) == 0);
    hold_three_buffers(idle_peers[0], &idle[0]);
    for (int i = 0; i < IDLE; i++) {
        tg_socket_close(idle_peers[i]);
        fixture_close_stream(&fixture, &idle[i]);
    }
    fixture_close(&fixture);
}

/* Many small receives whose data is kept share few buffers, and none overwrites another. */
static void small_receives_share_buffers_and_stay_apart(void **state)
{
    enum {
        KEPT = 200
    };
    static struct tg_completion kept[KEPT];
    (void)state;
    if (!fixture_shares_buffers()) {
        return; /* each receive has a piece of its own there, as clause 3 allows */
    }
    struct fixture_options options = fixture_defaults;
    options.buffers = 4;
    fixture_open(&fixture, &options);
    static struct tg_stream talker;
    tg_socket peer = fixture_pair(&fixture, &talker);
    tg_port_receive(fixture.port, &talker);
    for (int i = 0; i < KEPT; i++) {
        uint8_t word[16];
        memset(word, i, sizeof word);
        peer_send(peer, word, sizeof word);
        kept[i] = fixture_take(&fixture, TG_COMPLETION_RECEIVE, &talker);
        CHECK(kept[i].result == 16);
    }
    for (int i = 0; i < KEPT; i++) {
        CHECK(kept[i].data[0] == (uint8_t)i && kept[i].data[15] == (uint8_t)i);
        fixture_release(&fixture, &kept[i]);
    }
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &talker);
    fixture_close(&fixture);
}

/* Random sizes, random times of release, one small pool: all bytes come, in order. */
static void random_releases_lose_no_byte(void **state)
{
    enum {
        HELD_MAX = 64
    };
    static struct tg_completion held[HELD_MAX];
    static uint8_t block[3000];
    (void)state;
    struct tg_prng prng = {.state = test_seed()};
    struct fixture_options options = {
        .buffer_bytes = 4096, .buffers = 3, .turn_bytes = 2500, .batch = 3};
    fixture_open(&fixture, &options);
    static struct tg_stream talker;
    tg_socket peer = fixture_pair(&fixture, &talker);
    tg_port_receive(fixture.port, &talker);
    size_t sent = 0;
    size_t got = 0;
    uint32_t held_count = 0;
    size_t total = test_scaled(2000) * 1000;
    uint64_t deadline = now_ms() + DEADLINE_MS;
    while (got < total) {
        CHECK(now_ms() < deadline);
        size_t size = 1 + tg_prng_below(&prng, sizeof block);
        size = size < total - sent ? size : total - sent;
        if (size > 0 && sent - got < 60000) {
            pattern_fill(block, sent, size);
            peer_send(peer, block, size);
            sent += size;
        }
        fixture_pump(&fixture, 0);
        while (fixture_has(&fixture, TG_COMPLETION_RECEIVE, &talker) && held_count < HELD_MAX) {
            held[held_count] = fixture_take(&fixture, TG_COMPLETION_RECEIVE, &talker);
            CHECK(held[held_count].result > 0 && held[held_count].result <= 2500);
            held_count++;
        }
        for (uint32_t most = tg_prng_below(&prng, 8); most > 0 && held_count > 0; most--) {
            size_t length = (size_t)held[0].result;
            CHECK(pattern_matches(held[0].data, got, length));
            got += length;
            fixture_release(&fixture, &held[0]);
            memmove(held, held + 1, --held_count * sizeof held[0]);
        }
    }
    CHECK(got == total && held_count == 0);
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &talker);
    fixture_close(&fixture);
}

int run_buffer_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_without_a_buffer_go_on_first_come_first_served),
        cmocka_unit_test(waiting_for_a_buffer_does_not_spin),
        cmocka_unit_test(a_buffer_that_came_home_is_seen_without_an_event),
        cmocka_unit_test(a_stream_that_waited_gets_all_of_it_in_turns),
        cmocka_unit_test(a_pause_leaves_the_queue_for_buffers),
        cmocka_unit_test(a_stream_closed_while_it_waits_for_a_buffer_is_forgotten),
        cmocka_unit_test(waiting_for_a_buffer_does_not_hold_up_sending),
        cmocka_unit_test(idle_streams_pin_no_buffer),
        cmocka_unit_test(small_receives_share_buffers_and_stay_apart),
        cmocka_unit_test(random_releases_lose_no_byte),
    };
    return cmocka_run_group_tests_name("port: receive buffers", tests, NULL, NULL);
}
