/* SPDX-License-Identifier: MIT
 * States that had no way back, found by a hostile reading. The waits are long on purpose: a test
 * that asks every millisecond sees no stall, because each new call of throng_get_events flushes. */
#include <string.h>

#include "server_fixture.h"

#define LONG_MS 20000
#define LATE_MS 15000

/* One long wait that must not be one: something is there, or about to come. */
static void turn_promptly(struct server_fixture *fixture)
{
    int64_t begin_ms = test_now_ms();
    int count = fixture_turn(fixture, LONG_MS);
    assert_true(count > 0);
    assert_true(test_now_ms() - begin_ms < LATE_MS);
}

static void send_words(const struct peer *peer, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(peer_send_frame(peer, "w", 1, test_deadline_ms()));
    }
}

#define STUCK_PEERS 12u /* more than there are buffers in two I/O threads */

/* Keeps peers sending `frame_count` frames of `size` bytes at a time, and reading nothing, until
 * none of them is listened to, or an echo was refused, or their time is over. */
static void send_until_stuck(struct server_fixture *fixture, const struct peer *peers,
                             uint32_t peer_count, size_t size, size_t frame_count)
{
    static uint8_t frames[128 * 1024];
    size_t offsets[STUCK_PEERS] = {0};
    size_t total = (4 + size) * frame_count;
    assert_true(total <= sizeof(frames));
    for (size_t i = 0; i < frame_count; i++) {
        peer_frame_header(frames + (4 + size) * i, (uint32_t)size);
    }
    int64_t begin_ms = test_now_ms();
    int64_t quiet_ms = begin_ms;
    while (test_now_ms() - quiet_ms < 300 && test_now_ms() - begin_ms < 2000 &&
           fixture->write_errors == 0) {
        for (uint32_t i = 0; i < peer_count; i++) {
            ptrdiff_t sent = peer_send(&peers[i], frames + offsets[i], total - offsets[i]);
            if (sent > 0) {
                offsets[i] = (offsets[i] + (size_t)sent) % total;
                quiet_ms = test_now_ms();
            }
        }
        (void)fixture_turn(fixture, 1);
    }
}

static void connect_narrow(struct server_fixture *fixture, struct peer *peer)
{
    const struct peer_options narrow = {.receive_buffer_bytes = 4096};
    uint32_t opened = fixture->journal.opened;
    assert_true(peer_connect(peer, &fixture->address, &narrow));
    FIXTURE_UNTIL(fixture, fixture->journal.opened > opened);
}

static void what_waited_for_event_room_comes_without_a_new_occasion(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.events_max = 64;
    fixture->handle = fixture_ignore;
    fixture->batch = 1;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    send_words(&peer, 100);
    while (fixture->journal.messages < 100) {
        turn_promptly(fixture);
    }
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void closed_comes_though_unwanted_messages_fill_the_events(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.events_max = 64;
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    throng_flush(fixture->server);
    send_words(&peer, 64);
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (fixture_counters(fixture).messages_received < 64) {
        assert_true(test_now_ms() < deadline_ms);
        throng_flush(fixture->server); /* inline mode has no other thread to receive */
    }
    assert_int_equal(throng_close(fixture->server, conn), 0);
    journal_note_closing(&fixture->journal, conn);
    peer_close(&peer);
    turn_promptly(fixture);
    assert_int_equal(fixture->journal.closed, 1);
    fixture_expect_settled(fixture);
}

static void those_that_do_not_read_leave_receive_buffers_to_the_rest(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[STUCK_PEERS];
    fixture->options.receive_buffers = 4;
    fixture->options.socket_send_bytes = 16 * 1024;
    fixture_start(fixture);
    struct peer good;
    (void)fixture_open(fixture, &good);
    for (uint32_t i = 0; i < STUCK_PEERS; i++) {
        connect_narrow(fixture, &peers[i]);
    }
    send_until_stuck(fixture, peers, STUCK_PEERS, 500, 200);
    fixture_expect_echo(fixture, &good, "still there?", 12);
    peer_close(&good);
    for (uint32_t i = 0; i < STUCK_PEERS; i++) {
        peer_reset(&peers[i]);
    }
    fixture_expect_settled(fixture);
}

static void an_echo_is_never_refused_whatever_the_size(void **state)
{
    static const size_t sizes[] = {100, 3000, 8000};
    struct server_fixture *fixture = *state;
    fixture->options.socket_send_bytes = 16 * 1024;
    fixture->options.socket_receive_bytes = 16 * 1024;
    fixture->options.send_queue_bytes_max = 256 * 1024;
    fixture_start(fixture);
    for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct peer peer;
        connect_narrow(fixture, &peer);
        send_until_stuck(fixture, &peer, 1, sizes[i], 1);
        peer_reset(&peer);
        assert_int_equal(fixture->write_errors, 0);
    }
    fixture_expect_settled(fixture);
}

static void a_drain_has_all_its_time_after_a_long_thought_of_the_logic(void **state)
{
    enum {
        SIZE = 60000,
        COUNT = 4,
        DRAIN_MS = 600
    };
    static uint8_t payload[SIZE];
    struct server_fixture *fixture = *state;
    fixture->options.socket_send_bytes = 16 * 1024;
    fixture_start(fixture);
    struct peer peer;
    connect_narrow(fixture, &peer);
    throng_conn conn = fixture->last_open.conn;
    int64_t thought_ms = test_now_ms() + DRAIN_MS + 100;
    while (test_now_ms() < thought_ms) { /* the logic thread is busy with the game */
    }
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(throng_write_data(fixture->server, conn, payload, SIZE), 0);
    }
    /* The peer reads nothing, so it is given all the time that there is. */
    int64_t begin_ms = test_now_ms();
    throng_server_drain(fixture->server, DRAIN_MS);
    FIXTURE_UNTIL(fixture, fixture->answer == THRONG_ESTOPPED);
    assert_true(test_now_ms() - begin_ms >= DRAIN_MS - 1);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_DRAINED], 1);
    fixture_expect_reset(fixture, &peer);
    peer_close(&peer);
}

static void the_least_assembly_memory_holds_a_longest_message(void **state)
{
    enum {
        SIZE = 70000
    };
    static uint8_t payload[SIZE];
    struct server_fixture *fixture = *state;
    fixture->options.message_bytes_max = SIZE;
    fixture->options.assembly_bytes = 1; /* refused; the text names the least */
    struct throng_error error = {0};
    assert_int_equal(fixture_start_refused(fixture, &error), THRONG_EINVAL);
    size_t least = 0;
    const char *text = strstr(error.text, "must be ");
    assert_non_null(text);
    assert_int_equal(sscanf(text, "must be %zu", &least), 1);
    fixture->options.assembly_bytes = least;
    fixture->options.receive_buffer_bytes = 4096;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    fixture_expect_echo(fixture, &peer, payload, SIZE);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

/* Blocks of 512 bytes for a message with its header, and no more anywhere. */
static void use_least_send_memory(struct server_fixture *fixture, size_t longest)
{
    const size_t blocks = (longest + 4 + 511) / 512 * 512;
    fixture->options.message_bytes_max = (uint32_t)longest;
    fixture->options.send_queue_bytes_max = (uint32_t)blocks;
    fixture->options.send_small_bytes = blocks;
    fixture->options.send_large_bytes = 16896;
    fixture->options.send_reserve_percent = 90;
}

/* All that was sent is known to the logic thread as well. */
static void await_an_empty_queue(struct server_fixture *fixture)
{
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).send_units_free ==
                               fixture_counters(fixture).send_units_total);
}

static int write_in_two_pieces(struct server_fixture *fixture, throng_conn conn,
                               const uint8_t *payload, size_t size)
{
    struct throng_writer writer;
    int result = throng_write_begin(fixture->server, conn, &writer);
    if (result == 0) {
        (void)throng_writer_append(&writer, payload, size / 2);
        (void)throng_writer_append(&writer, payload + size / 2, size - size / 2);
        result = throng_write_end(&writer);
    }
    return result;
}

/* What the header of throng_write_data promises, with the least that the options allow. */
static void an_empty_queue_takes_a_longest_message(void **state)
{
    static const size_t sizes[] = {1, 508, 509, 2044, 2045, 16892, 20000, 65536};
    static uint8_t payload[65536];
    struct server_fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct peer peer;
        use_least_send_memory(fixture, sizes[i]);
        fixture_start(fixture);
        throng_conn conn = fixture_open(fixture, &peer);
        for (int round = 0; round < 3; round++) {
            memset(payload, round + 1, sizes[i]);
            fixture_expect_echo(fixture, &peer, payload, sizes[i]);
            await_an_empty_queue(fixture);
            assert_int_equal(write_in_two_pieces(fixture, conn, payload, sizes[i]), 0);
            throng_flush(fixture->server);
            fixture_expect_frame(fixture, &peer, payload, sizes[i]);
            await_an_empty_queue(fixture);
        }
        assert_int_equal(fixture->write_errors, 0);
        peer_close(&peer);
        fixture_expect_settled(fixture);
        fixture_stop(fixture);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waited_for_event_room_comes_without_a_new_occasion),
        cmocka_unit_test(closed_comes_though_unwanted_messages_fill_the_events),
        cmocka_unit_test(those_that_do_not_read_leave_receive_buffers_to_the_rest),
        cmocka_unit_test(an_echo_is_never_refused_whatever_the_size),
        cmocka_unit_test(an_empty_queue_takes_a_longest_message),
        cmocka_unit_test(a_drain_has_all_its_time_after_a_long_thought_of_the_logic),
        cmocka_unit_test(the_least_assembly_memory_holds_a_longest_message),
    };
    return fixture_run_tests("server_review", tests, sizeof(tests) / sizeof(tests[0]));
}
