/* SPDX-License-Identifier: MIT
 * Peers that do not read, or take their time: what waits for them is bounded, all-or-nothing, and
 * intact when they read again; and nobody else pays for it. */
#include <string.h>

#include "pattern.h"
#include "server_fixture.h"

#define MESSAGE 4000u
#define QUEUE (64u * 1024)

/* A peer whose window is as small as the system makes them, already OPEN. */
static throng_conn open_narrow(struct server_fixture *fixture, struct peer *peer)
{
    const struct peer_options narrow = {.receive_buffer_bytes = 4096};
    uint32_t opened = fixture->journal.opened;
    assert_true(peer_connect(peer, &fixture->address, &narrow));
    FIXTURE_UNTIL(fixture, fixture->journal.opened > opened);
    return fixture->last_open.conn;
}

static int write_numbered(struct server_fixture *fixture, throng_conn conn, uint32_t number)
{
    uint8_t message[MESSAGE];
    test_fill_pattern(message, sizeof(message), number);
    return throng_write_data(fixture->server, conn, message, sizeof(message));
}

/* Writes until the queue is full; answers the count of messages taken, numbered from `first`. */
static uint32_t write_until_full(struct server_fixture *fixture, throng_conn conn, uint32_t first)
{
    uint32_t number = first;
    int result;
    uint32_t refusals = 0;
    do {
        result = write_numbered(fixture, conn, number);
        if (result == 0) {
            number++;
            refusals = 0;
        } else {
            assert_int_equal(result, THRONG_EAGAIN);
            refusals++;
        }
        assert_true(number - first < 10000);
        (void)fixture_turn(fixture, result == 0 ? 0 : 1);
    } while (refusals < 20); /* full, and stays so while the system's buffers are full too */
    return number - first;
}

/* Fills the queue and has one message more refused, which must not change the queue. On a busy
 * machine an I/O thread may have been late: what it sends makes room, and it is all tried again. */
static uint32_t fill_until_refused(struct server_fixture *fixture, throng_conn conn)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    uint32_t taken = 0;
    size_t before = 0;
    size_t after = 0;
    int result;
    do {
        assert_true(test_now_ms() < deadline_ms);
        taken += write_until_full(fixture, conn, taken);
        assert_int_equal(throng_queued_bytes(fixture->server, conn, &before), 0);
        result = write_numbered(fixture, conn, taken);
        assert_int_equal(throng_queued_bytes(fixture->server, conn, &after), 0);
        taken += result == 0 ? 1 : 0;
    } while (result == 0 || after != before);
    assert_int_equal(result, THRONG_EAGAIN);
    assert_in_range(after, 1, QUEUE);
    return taken;
}

static void expect_numbered(struct server_fixture *fixture, const struct peer *peer, uint32_t first,
                            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t message[MESSAGE];
        test_fill_pattern(message, sizeof(message), first + i);
        fixture_expect_frame(fixture, peer, message, sizeof(message));
    }
}

static void use_small_queues(struct server_fixture *fixture)
{
    fixture->options.message_bytes_max = MESSAGE;
    fixture->options.send_queue_bytes_max = QUEUE;
    fixture->options.socket_send_bytes = 16 * 1024;
    fixture->options.socket_receive_bytes = 16 * 1024;
}

static void a_full_queue_refuses_whole_messages_and_the_stream_stays_intact(void **state)
{
    struct server_fixture *fixture = *state;
    use_small_queues(fixture);
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = open_narrow(fixture, &peer);
    uint32_t taken = fill_until_refused(fixture, conn);
    size_t queued = 0;
    struct throng_counters counters = fixture_counters(fixture);
    assert_true(counters.send_units_total - counters.send_units_free <= QUEUE / 512);
    assert_true(counters.writes_refused >= 20);
    assert_int_equal(counters.messages_written, taken);

    expect_numbered(fixture, &peer, 0, taken);
    FIXTURE_UNTIL(fixture, throng_queued_bytes(fixture->server, conn, &queued) == 0 && queued == 0);
    uint32_t again = write_until_full(fixture, conn, taken);
    expect_numbered(fixture, &peer, taken, again);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void many_that_do_not_read_cannot_take_more_than_the_pool(void **state)
{
    enum {
        PEERS = 20
    };
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    throng_conn conns[PEERS];
    uint32_t taken[PEERS];
    use_small_queues(fixture);
    fixture->options.write_timeout_ms =
        THRONG_OFF; /* they read in the end, however slow this machine is */
    fixture->options.send_small_bytes = 256 * 1024; /* four full queues */
    fixture->options.send_large_bytes = 33 * 512;
    fixture_start(fixture);
    for (uint32_t i = 0; i < PEERS; i++) {
        conns[i] = open_narrow(fixture, &peers[i]);
    }
    for (uint32_t i = 0; i < PEERS; i++) {
        taken[i] = write_until_full(fixture, conns[i], i * 1000);
    }
    struct throng_counters counters = fixture_counters(fixture);
    assert_int_equal(counters.send_units_total, 512 + 33);
    for (uint32_t i = 0; i < PEERS; i++) {
        expect_numbered(fixture, &peers[i], i * 1000, taken[i]);
    }
    /* All has been read: there is room for everybody again. */
    for (uint32_t i = 0; i < PEERS; i++) {
        FIXTURE_UNTIL(fixture, write_numbered(fixture, conns[i], i) == 0);
        expect_numbered(fixture, &peers[i], i, 1);
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
}

static void resets_of_those_that_do_not_read_free_the_pool_for_the_rest(void **state)
{
    enum {
        PEERS = 10
    };
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    use_small_queues(fixture);
    fixture->options.send_small_bytes = 256 * 1024;
    fixture_start(fixture);
    struct peer good;
    throng_conn good_conn = fixture_open(fixture, &good);
    for (uint32_t i = 0; i < PEERS; i++) {
        (void)write_until_full(fixture, open_narrow(fixture, &peers[i]), 0);
    }
    for (uint32_t i = 0; i < PEERS; i++) {
        peer_reset(&peers[i]);
    }
    FIXTURE_UNTIL(fixture, write_numbered(fixture, good_conn, 1) == 0);
    expect_numbered(fixture, &good, 1, 1);
    peer_close(&good);
    fixture_expect_settled(fixture);
}

/* An endless stream of frames, by position. */
static uint8_t *make_stream(size_t bytes)
{
    uint8_t *stream = malloc(bytes);
    assert_non_null(stream);
    for (size_t at = 0; at < bytes; at += 1004) {
        peer_frame_header(stream + at, 1000);
        test_fill_pattern(stream + at + 4, 1000, at);
    }
    return stream;
}

/* Sends as long as the other side takes anything; answers the bytes sent. */
static size_t flood(struct server_fixture *fixture, const struct peer *peer, const uint8_t *stream,
                    size_t size)
{
    size_t sent = 0;
    uint32_t idle = 0;
    while (idle < 50 && sent < size) {
        ptrdiff_t count = peer_send(peer, stream + sent, size - sent);
        assert_true(count > 0 || count == PEER_WOULD_BLOCK);
        sent += count > 0 ? (size_t)count : 0;
        idle = count > 0 ? 0 : idle + 1;
        (void)fixture_turn(fixture, count > 0 ? 0 : 1);
    }
    return sent;
}

static void a_peer_that_does_not_read_is_not_read_from(void **state)
{
    struct server_fixture *fixture = *state;
    size_t stream_bytes = 1004u * 16000;
    uint8_t *stream = make_stream(stream_bytes);
    use_small_queues(fixture);
    fixture_start(fixture);
    struct peer deaf;
    throng_conn conn = open_narrow(fixture, &deaf);
    struct peer bystander;
    (void)fixture_open(fixture, &bystander);

    size_t sent = flood(fixture, &deaf, stream, stream_bytes);
    assert_true(sent < stream_bytes);
    size_t queued = 0;
    assert_int_equal(throng_queued_bytes(fixture->server, conn, &queued), 0);
    assert_true(queued <= QUEUE);
    assert_int_equal(fixture->write_errors, 0);
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).receive_pauses > 0);
    fixture_expect_echo(fixture, &bystander, "not paused", 10);

    /* It reads again: the rest of its last frame goes out, and all of it comes back. */
    size_t whole = (sent + 1003) / 1004 * 1004;
    uint8_t *back = malloc(whole);
    assert_non_null(back);
    fixture_exchange(fixture, &deaf, stream + sent, whole - sent, back, whole);
    assert_memory_equal(back, stream, whole);
    assert_int_equal(fixture->write_errors, 0);
    free(back);
    free(stream);
    peer_close(&deaf);
    peer_close(&bystander);
    fixture_expect_settled(fixture);
}

static void a_peer_whose_messages_are_never_released_is_not_read_from(void **state)
{
    struct server_fixture *fixture = *state;
    size_t stream_bytes = 1004u * 16000;
    uint8_t *stream = make_stream(stream_bytes);
    use_small_queues(fixture);
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    struct peer greedy;
    (void)open_narrow(fixture, &greedy);
    fixture->keep = true;
    size_t sent = flood(fixture, &greedy, stream, stream_bytes);
    assert_true(sent < stream_bytes);
    /* What is held of one connection stays near half its send queue: the last receive may go
     * over. */
    assert_true(fixture->journal.bytes <= QUEUE / 2 + 64 * 1024 + MESSAGE);
    uint64_t held = fixture->journal.messages;
    fixture->keep = false;
    fixture_release_kept(fixture);
    size_t whole = (sent + 1003) / 1004 * 1004;
    fixture_send(fixture, &greedy, stream + sent, whole - sent);
    FIXTURE_UNTIL(fixture, fixture->journal.messages == whole / 1004);
    assert_true(held < whole / 1004);
    free(stream);
    peer_close(&greedy);
    fixture_expect_settled(fixture);
}

/* What became of a peer that sent all of one long message. */
static bool was_answered(struct server_fixture *fixture, const struct peer *peer,
                         const uint8_t *payload, size_t size)
{
    uint8_t *in = malloc(size + 4);
    assert_non_null(in);
    size_t have = 0;
    bool ended = false;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (have < size + 4 && !ended) {
        ptrdiff_t got = peer_receive(peer, in + have, size + 4 - have);
        have += got > 0 ? (size_t)got : 0;
        ended = got <= 0 && got != PEER_WOULD_BLOCK;
        fixture_turn_towards(fixture, deadline_ms, "an answer or an end", __FILE__, __LINE__);
    }
    if (!ended) {
        assert_memory_equal(in + 4, payload, size);
    }
    free(in);
    return !ended;
}

static void more_pieces_than_memory_for_them_cost_nobody_the_connection(void **state)
{
    enum {
        PEERS = 30,
        SIZE = 60000,
        HALF = 30000
    };
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    uint8_t *payload = malloc(SIZE);
    assert_non_null(payload);
    test_fill_pattern(payload, SIZE, 11);
    fixture->options.assembly_bytes = 257u * 1024; /* about four such messages */
    fixture_start(fixture);
    for (uint32_t i = 0; i < PEERS; i++) {
        uint8_t header[4];
        peer_frame_header(header, SIZE);
        fixture_connect(fixture, &peers[i]);
        fixture_send(fixture, &peers[i], header, sizeof(header));
        fixture_send(fixture, &peers[i], payload, HALF);
    }
    fixture_turn_for(fixture, 50);
    assert_true(fixture_counters(fixture).assembly_bytes_used <=
                257u * 1024 * (fixture->mode.io_threads == 2 ? 2 : 1));
    for (uint32_t i = 0; i < PEERS; i++) {
        (void)peer_send_all(&peers[i], payload + HALF, SIZE - HALF, 0);
    }
    uint32_t answered = 0;
    for (uint32_t i = 0; i < PEERS; i++) {
        answered += was_answered(fixture, &peers[i], payload, SIZE) ? 1 : 0;
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(answered, PEERS);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_NO_MEMORY], 0);
    free(payload);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_queue_refuses_whole_messages_and_the_stream_stays_intact),
        cmocka_unit_test(many_that_do_not_read_cannot_take_more_than_the_pool),
        cmocka_unit_test(resets_of_those_that_do_not_read_free_the_pool_for_the_rest),
        cmocka_unit_test(a_peer_that_does_not_read_is_not_read_from),
        cmocka_unit_test(a_peer_whose_messages_are_never_released_is_not_read_from),
        cmocka_unit_test(more_pieces_than_memory_for_them_cost_nobody_the_connection),
    };
    return fixture_run_tests("server_pressure", tests, sizeof(tests) / sizeof(tests[0]));
}
