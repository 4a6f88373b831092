/* SPDX-License-Identifier: MIT
 * Events as the logic thread handles them: one at a time or in batches, released late, backwards or
 * not at all for a while, and a logic thread that stalls. */
#include <string.h>

#include "pattern.h"
#include "server_fixture.h"

static void expect_numbers_in_order(const struct server_fixture *fixture, uint32_t first)
{
    for (size_t i = 0; i < fixture->kept_count; i++) {
        uint32_t number;
        assert_int_equal(fixture->kept[i].size, sizeof(number));
        memcpy(&number, fixture->kept[i].data, sizeof(number));
        assert_int_equal(number, first + i);
    }
}

static void send_numbers(const struct peer *peer, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(peer_send_frame(peer, &i, sizeof(i), test_deadline_ms()));
    }
}

static void data_stays_valid_until_a_late_release(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    fixture->keep = true;
    send_numbers(&peer, 50);
    FIXTURE_UNTIL(fixture, fixture->kept_count == 50);
    /* Another peer's traffic passes meanwhile, and must not touch what is held. */
    struct peer other;
    fixture->keep = false;
    (void)fixture_open(fixture, &other);
    uint64_t messages = fixture->journal.messages;
    for (uint32_t i = 0; i < 200; i++) {
        static const uint8_t noise[1000] = {0xaa};
        fixture_send_frame(fixture, &other, noise, sizeof(noise));
    }
    FIXTURE_UNTIL(fixture, fixture->journal.messages == messages + 200);
    expect_numbers_in_order(fixture, 0);
    fixture_release_kept(fixture);
    peer_close(&peer);
    peer_close(&other);
    fixture_expect_settled(fixture);
}

static void events_may_be_released_backwards(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    for (uint32_t round = 0; round < 20; round++) {
        struct peer peer;
        fixture->keep = true;
        fixture_connect(fixture, &peer);
        send_numbers(&peer, 50);
        FIXTURE_UNTIL(fixture, fixture->kept_count == 51);
        peer_reset(&peer);
        FIXTURE_UNTIL(fixture, fixture->kept_count == 52);
        assert_int_equal(fixture_counters(fixture).events_unreleased, 52);
        fixture->keep = false;
        fixture_release_kept_backwards(fixture); /* CLOSED first, OPEN last */
        fixture_expect_settled(fixture);
    }
}

static void released_in_random_order_nothing_is_lost(void **state)
{
    struct server_fixture *fixture = *state;
    uint64_t random = test_seed();
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    fixture->keep = true;
    for (uint32_t round = 0; round < test_scaled(50); round++) {
        send_numbers(&peer, 100);
        FIXTURE_UNTIL(fixture, fixture->kept_count == 100);
        expect_numbers_in_order(fixture, 0);
        while (fixture->kept_count > 0) {
            size_t chosen = (size_t)(test_random(&random) % fixture->kept_count);
            throng_release_event(fixture->server, &fixture->kept[chosen]);
            fixture->kept[chosen] = fixture->kept[--fixture->kept_count];
        }
    }
    fixture->keep = false;
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void reading_pauses_while_events_max_are_held_and_goes_on_after(void **state)
{
    struct server_fixture *fixture = *state;
    uint32_t total = 1000;
    fixture->handle = fixture_ignore;
    fixture->options.events_max = 64;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    fixture->keep = true;
    send_numbers(&peer, total);
    uint32_t seen = 0;
    while (seen < total) {
        uint32_t expected = total - seen < 64 ? total - seen : 64;
        FIXTURE_UNTIL(fixture, fixture->kept_count == expected);
        fixture_turn_for(fixture, 2);
        assert_int_equal(fixture->kept_count, expected); /* and not one more */
        assert_int_equal(fixture_counters(fixture).events_unreleased, expected);
        expect_numbers_in_order(fixture, seen);
        seen += expected;
        fixture_release_kept(fixture);
    }
    fixture->keep = false;
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.messages, total);
    assert_true(fixture_counters(fixture).receive_pauses > 0);
}

static void a_connection_that_ends_while_events_max_are_held_is_still_reported(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->handle = fixture_ignore;
    fixture->options.events_max = 64;
    fixture_start(fixture);
    struct peer peers[10];
    for (uint32_t i = 0; i < 10; i++) {
        (void)fixture_open(fixture, &peers[i]);
    }
    fixture->keep = true;
    send_numbers(&peers[0], 64);
    FIXTURE_UNTIL(fixture, fixture->kept_count == 64);
    for (uint32_t i = 0; i < 10; i++) {
        peer_reset(&peers[i]);
    }
    fixture_turn_for(fixture, 20);
    fixture->keep = false;
    fixture_release_kept(fixture);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_RESET], 10);
}

static void a_stalled_logic_thread_loses_nothing(void **state)
{
    enum {
        PEERS = 200,
        EACH = 60
    };
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    fixture->options.events_max = 256; /* far fewer than are sent: the I/O threads must hold back */
    fixture_start(fixture);
    for (uint32_t i = 0; i < PEERS; i++) {
        (void)fixture_open(fixture, &peers[i]);
    }
    /* Nobody calls throng_get_event from here on. */
    for (uint32_t i = 0; i < PEERS; i++) {
        send_numbers(&peers[i], EACH);
    }
    for (uint32_t i = 0; i < PEERS; i++) {
        for (uint32_t k = 0; k < EACH; k++) {
            fixture_expect_frame(fixture, &peers[i], &k, sizeof(k));
        }
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.messages, PEERS * EACH);
    assert_int_equal(fixture->write_errors, 0);
}

static void a_batch_takes_no_more_than_its_capacity(void **state)
{
    static const size_t capacities[] = {1, 2, 7, 64};
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    for (size_t i = 0; i < 4; i++) {
        fixture->batch = capacities[i];
        uint64_t messages = fixture->journal.messages;
        send_numbers(&peer, 100);
        while (fixture->journal.messages < messages + 100) {
            uint64_t before = fixture->journal.messages;
            FIXTURE_UNTIL(fixture, fixture->journal.messages > before);
            assert_true((size_t)fixture->answer <= capacities[i]);
        }
        for (uint32_t k = 0; k < 100; k++) {
            fixture_expect_frame(fixture, &peer, &k, sizeof(k));
        }
    }
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void ten_messages_of_one_turn_are_one_send(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    fixture_turn_for(fixture, 2);
    uint64_t sends = fixture_counters(fixture).system_sends;
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(throng_write_data(fixture->server, conn, &i, sizeof(i)), 0);
    }
    for (uint32_t i = 0; i < 10; i++) {
        fixture_expect_frame(fixture, &peer, &i, sizeof(i));
    }
    assert_int_equal(fixture_counters(fixture).system_sends, sends + 1);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void messages_of_one_receive_are_one_send_also_across_two_batches(void **state)
{
    enum {
        EACH = 200 /* of two peers: more than a batch has, less than a turn of each */
    };
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peers[2];
    for (size_t i = 0; i < 2; i++) {
        (void)fixture_open(fixture, &peers[i]);
    }
    fixture_turn_for(fixture, 2);
    const struct throng_counters before = fixture_counters(fixture);
    for (size_t i = 0; i < 2; i++) {
        send_numbers(&peers[i], EACH);
    }
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t k = 0; k < EACH; k++) {
            fixture_expect_frame(fixture, &peers[i], &k, sizeof(k));
        }
        peer_close(&peers[i]);
    }
    const struct throng_counters after = fixture_counters(fixture);
    if (fixture->options.io_threads == 0) { /* else its thread may send between the batches */
        assert_true(after.system_sends - before.system_sends <=
                    after.system_receives - before.system_receives);
    }
    fixture_expect_settled(fixture);
}

static void a_flush_after_every_message_keeps_the_order(void **state)
{
    enum {
        PEERS = 40
    };
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    throng_conn conns[PEERS];
    fixture_start(fixture);
    for (uint32_t i = 0; i < PEERS; i++) {
        conns[i] = fixture_open(fixture, &peers[i]);
    }
    uint32_t count = 400; /* each a block of its own: below send_queue_bytes_max */
    for (uint32_t k = 0; k < count; k++) {
        for (uint32_t i = 0; i < PEERS; i++) {
            uint32_t text[2] = {i, k};
            assert_int_equal(throng_write_data(fixture->server, conns[i], text, sizeof(text)), 0);
            throng_flush(fixture->server);
        }
    }
    for (uint32_t i = 0; i < PEERS; i++) {
        for (uint32_t k = 0; k < count; k++) {
            uint32_t text[2] = {i, k};
            fixture_expect_frame(fixture, &peers[i], text, sizeof(text));
        }
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
}

static void counters_add_up(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[30];
    fixture_start(fixture);
    for (uint32_t i = 0; i < 30; i++) {
        fixture_connect(fixture, &peers[i]);
        fixture_expect_echo(fixture, &peers[i], "0123456789", 10);
    }
    for (uint32_t i = 0; i < 10; i++) {
        peer_close(&peers[i]);
    }
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).closed == 10);
    struct throng_counters counters = fixture_counters(fixture);
    assert_int_equal(counters.accepted, 30);
    assert_int_equal(counters.connections, 20);
    assert_int_equal(counters.connections_peak, 30);
    assert_int_equal(counters.refused, 0);
    assert_int_equal(counters.messages_received, 30);
    assert_int_equal(counters.bytes_received, 30 * 14);
    assert_int_equal(counters.messages_written, 30);
    assert_int_equal(counters.bytes_sent, 30 * 14);
    assert_int_equal(counters.writes_refused, 0);
    assert_int_equal(counters.bytes_dropped, 0);
    assert_true(counters.system_receives >= 30);
    assert_true(counters.system_sends >= 30);
    assert_true(counters.system_waits > 0);
    for (uint32_t i = 10; i < 30; i++) {
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture_counters(fixture).closed, 30);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_stays_valid_until_a_late_release),
        cmocka_unit_test(events_may_be_released_backwards),
        cmocka_unit_test(released_in_random_order_nothing_is_lost),
        cmocka_unit_test(reading_pauses_while_events_max_are_held_and_goes_on_after),
        cmocka_unit_test(a_connection_that_ends_while_events_max_are_held_is_still_reported),
        cmocka_unit_test(a_stalled_logic_thread_loses_nothing),
        cmocka_unit_test(a_batch_takes_no_more_than_its_capacity),
        cmocka_unit_test(ten_messages_of_one_turn_are_one_send),
        cmocka_unit_test(messages_of_one_receive_are_one_send_also_across_two_batches),
        cmocka_unit_test(a_flush_after_every_message_keeps_the_order),
        cmocka_unit_test(counters_add_up),
    };
    return fixture_run_tests("server_events", tests, sizeof(tests) / sizeof(tests[0]));
}
