/* SPDX-License-Identifier: MIT
 * More messages in pieces than memory for them: honest peers are only slowed, and one that stops in
 * the middle of a message holds nobody up for long. */
#include <string.h>

#include "pattern.h"
#include "server_fixture.h"

/* Bulk: messages that take a block of 64 KiB each, and memory for four of them. */
#define BULK 60000u
#define BULK_FRAME (4u + BULK)
#define BULK_MEMORY (257u * 1024)

/* Stallers: messages of which each takes its block of 4 KiB whole, and memory for five: three
 * blocks for whoever comes first, and two that are set aside. */
#define SIZE 4000u
#define FRAME (4u + SIZE)
#define HALF 2000u
#define MEMORY (5u * 4096)

static uint8_t *make_frame(uint32_t size)
{
    uint8_t *frame = malloc(4 + (size_t)size);
    assert_non_null(frame);
    peer_frame_header(frame, size);
    test_fill_pattern(frame + 4, size, 11);
    return frame;
}

/* A peer that sends the frame `rounds` times, all at once, and compares what comes back. */
struct bulk {
    struct peer peer;
    size_t sent;
    size_t received;
};

static bool bulk_step(struct bulk *bulk, const uint8_t *frame, size_t total)
{
    uint8_t in[16384];
    bool moved = false;
    if (bulk->sent < total) {
        size_t at = bulk->sent % BULK_FRAME;
        ptrdiff_t count = peer_send(&bulk->peer, frame + at, BULK_FRAME - at);
        assert_true(count > 0 || count == PEER_WOULD_BLOCK);
        bulk->sent += count > 0 ? (size_t)count : 0;
        moved = count > 0;
    }
    size_t at = bulk->received % BULK_FRAME;
    size_t most = BULK_FRAME - at < sizeof(in) ? BULK_FRAME - at : sizeof(in);
    ptrdiff_t count = peer_receive(&bulk->peer, in, most);
    if (count > 0) {
        assert_memory_equal(in, frame + at, (size_t)count);
        bulk->received += (size_t)count;
    } else if (count != PEER_WOULD_BLOCK) {
        fail_msg("a peer is lost: %d after %zu of %zu bytes", (int)count, bulk->received, total);
    }
    return moved || count > 0;
}

static void exchange_bulk(struct server_fixture *fixture, struct bulk *bulks, uint32_t count,
                          uint32_t rounds)
{
    uint8_t *frame = make_frame(BULK);
    size_t total = (size_t)rounds * BULK_FRAME;
    uint32_t done = 0;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (done < count) {
        done = 0;
        for (uint32_t i = 0; i < count; i++) {
            if (bulk_step(&bulks[i], frame, total)) {
                deadline_ms = test_now_ms() + test_deadline_ms();
            }
            done += bulks[i].received == total;
        }
        fixture_turn_towards(fixture, deadline_ms, "bulk comes back", __FILE__, __LINE__);
    }
    free(frame);
}

static void expect_bulk(struct server_fixture *fixture, uint32_t peers, uint32_t rounds)
{
    static struct bulk bulks[100];
    struct journal before = fixture->journal;
    memset(bulks, 0, sizeof(bulks));
    for (uint32_t i = 0; i < peers; i++) {
        fixture_connect(fixture, &bulks[i].peer);
    }
    exchange_bulk(fixture, bulks, peers, rounds);
    assert_int_equal(fixture->journal.closed, before.closed);
    assert_int_equal(fixture->journal.messages, before.messages + peers * rounds);
    assert_int_equal(fixture->write_errors, 0);
    for (uint32_t i = 0; i < peers; i++) {
        peer_close(&bulks[i].peer);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_PEER],
                     before.closed_for[THRONG_CLOSE_PEER] + peers);
}

static void bulk_that_needs_more_memory_than_there_is_all_arrives(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.assembly_bytes = BULK_MEMORY;
    fixture_start(fixture);
    expect_bulk(fixture, 100, test_scaled(4));
}

static void it_arrives_also_with_the_fewest_receive_buffers(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.assembly_bytes = 128u * 1024; /* the least, as the buffers */
    fixture->options.receive_buffers = 4;
    fixture->options.receive_buffer_bytes = 4096;
    fixture_start(fixture);
    expect_bulk(fixture, 60, test_scaled(3));
}

/* Peers that send the first half of a message and no more. Each is received, as far as there is
 * memory, before the next one comes. */
static void connect_stallers(struct server_fixture *fixture, struct peer *peers, uint32_t count)
{
    uint8_t *frame = make_frame(SIZE);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t before = fixture_counters(fixture).bytes_received;
        (void)fixture_open(fixture, &peers[i]);
        assert_int_equal(peer_send(&peers[i], frame, HALF), HALF);
        FIXTURE_UNTIL(fixture, fixture_counters(fixture).bytes_received > before);
    }
    free(frame);
}

/* Each I/O thread has memory of its own, and who shares a thread with whom is not known: some tests
 * need all connections on one. */
static void skip_if_divided(const struct server_fixture *fixture)
{
    if (fixture->mode.io_threads > 1) {
        print_message("skipped: the connections are on two I/O threads\n");
        skip();
    }
}

static void start_small(struct server_fixture *fixture)
{
    fixture->options.message_bytes_max = SIZE;
    fixture->options.assembly_bytes = MEMORY;
    fixture_start(fixture);
}

static void short_messages_pass_while_long_ones_wait(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer stallers[7];
    struct peer bystander;
    start_small(fixture);
    (void)fixture_open(fixture, &bystander);
    connect_stallers(fixture, stallers, 7);
    for (uint32_t i = 0; i < 20; i++) {
        fixture_expect_echo(fixture, &bystander, "in passing", 10);
    }
    assert_int_equal(fixture->journal.messages, 20);
    for (uint32_t i = 0; i < 7; i++) {
        peer_close(&stallers[i]);
    }
    peer_close(&bystander);
    fixture_expect_settled(fixture);
}

/* Three of the stallers hold what is not set aside, two the blocks that are, two wait; the honest
 * one comes last. With two I/O threads, each with memory of its own, nobody needs to be closed. */
static void peers_that_stop_inside_messages_hold_nobody_up_for_long(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer stallers[7];
    struct peer honest;
    uint8_t *frame = make_frame(SIZE);
    start_small(fixture);
    fixture->log_lines = 0;
    int64_t start_ms = test_now_ms();
    connect_stallers(fixture, stallers, 7);
    (void)fixture_open(fixture, &honest);
    fixture_send(fixture, &honest, frame, HALF);
    fixture_turn_for(fixture, 20); /* so that the message comes in pieces */
    fixture_send(fixture, &honest, frame + HALF, FRAME - HALF);
    fixture_expect_frame(fixture, &honest, frame + 4, SIZE);

    uint32_t closed = fixture->journal.closed;
    uint32_t seconds = (uint32_t)(test_now_ms() - start_ms) / 1000;
    assert_int_equal(closed, fixture->journal.closed_for[THRONG_CLOSE_NO_MEMORY]);
    assert_in_range(closed, fixture->mode.io_threads == 2 ? 0 : 3, seconds + 1);
    assert_in_range(fixture->log_lines, closed > 0 ? 1 : 0, seconds + 1);
    if (closed > 0) {
        assert_non_null(strstr(fixture->log_last, "assembly_bytes"));
    }
    for (uint32_t i = 0; i < 7; i++) {
        peer_close(&stallers[i]);
    }
    peer_close(&honest);
    free(frame);
    fixture_expect_settled(fixture);
}

/* Which one goes: not who waits, but who has had memory for longest and does nothing with it. */
static void the_one_that_stands_still_is_closed_and_not_the_one_that_waits(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[6];
    throng_conn conns[6];
    skip_if_divided(fixture);
    uint8_t *frame = make_frame(SIZE);
    start_small(fixture);
    for (uint32_t i = 0; i < 6; i++) {
        connect_stallers(fixture, &peers[i], 1);
        conns[i] = fixture->last_open.conn;
    }
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 1);
    assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_NO_MEMORY);
    assert_int_equal(fixture->last_closed.conn.id, conns[3].id);
    fixture_expect_reset(fixture, &peers[3]);
    /* The sixth has the block now, and nobody waits. */
    fixture_turn_for(fixture, 1200);
    assert_int_equal(fixture->journal.closed, 1);
    static const uint32_t rest[] = {4, 5, 0, 1, 2};
    for (uint32_t i = 0; i < 5; i++) {
        fixture_send(fixture, &peers[rest[i]], frame + HALF, FRAME - HALF);
        fixture_expect_frame(fixture, &peers[rest[i]], frame + 4, SIZE);
    }
    for (uint32_t i = 0; i < 6; i++) {
        peer_close(&peers[i]);
    }
    free(frame);
    fixture_expect_settled(fixture);
}

static void a_game_that_takes_its_time_costs_nobody_the_connection(void **state)
{
    enum {
        PEERS = 20
    };
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    uint8_t *frame = make_frame(SIZE);
    start_small(fixture);
    connect_stallers(fixture, peers, 3);
    fixture->keep = true; /* what comes stays with the game, and all memory with it */
    for (uint32_t i = 3; i < PEERS; i++) {
        fixture_connect(fixture, &peers[i]);
        fixture_send(fixture, &peers[i], frame, HALF);
        fixture_turn_for(fixture, 2);
        (void)peer_send(&peers[i], frame + HALF, FRAME - HALF);
    }
    fixture_turn_for(fixture, 1600);
    assert_true(fixture->journal.messages >= 2);
    assert_true(fixture->journal.messages < PEERS);
    assert_int_equal(fixture->journal.closed, 0);
    fixture->keep = false;
    fixture_release_kept(fixture);
    for (uint32_t i = 0; i < PEERS; i++) {
        if (i < 3) {
            fixture_send(fixture, &peers[i], frame + HALF, FRAME - HALF);
        }
        fixture_expect_frame(fixture, &peers[i], frame + 4, SIZE);
        peer_close(&peers[i]);
    }
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_NO_MEMORY], 0);
    free(frame);
    fixture_expect_settled(fixture);
}

/* It has most of the receive buffers, so nobody can be read from, whoever holds the other
 * memory. */
static void a_game_that_rests_with_many_messages_blames_no_peer(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer stallers[6];
    struct peer talker;
    skip_if_divided(fixture);
    fixture->options.receive_buffers = 32;
    start_small(fixture);
    (void)fixture_open(fixture, &talker);
    fixture->keep = true;
    for (uint32_t i = 0; i < 16; i++) {
        fixture_send_frame(fixture, &talker, "kept", 4);
    }
    FIXTURE_UNTIL(fixture, fixture->journal.messages == 16);
    connect_stallers(fixture, stallers, 6);
    fixture_turn_for(fixture, 1600);
    assert_int_equal(fixture->journal.closed, 0);
    fixture->keep = false;
    fixture_release_kept(fixture);
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 1);
    assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_NO_MEMORY);
    for (uint32_t i = 0; i < 6; i++) {
        peer_close(&stallers[i]);
    }
    peer_close(&talker);
    fixture_expect_settled(fixture);
}

static void memory_comes_back_from_whoever_ends_while_it_waits(void **state)
{
    enum {
        PEERS = 20
    };
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    fixture->options.max_connections = PEERS;
    start_small(fixture);
    for (uint32_t round = 0; round < 3; round++) {
        connect_stallers(fixture, peers, PEERS);
        for (uint32_t i = 0; i < PEERS; i++) {
            if ((i + round) % 2 == 0) {
                peer_close(&peers[i]);
            } else {
                peer_reset(&peers[i]);
            }
        }
        fixture_expect_settled(fixture);
    }
    connect_stallers(fixture, peers, 5); /* all memory is there again */
    assert_int_equal(fixture->journal.closed, 3 * PEERS);
    uint8_t *frame = make_frame(SIZE);
    for (uint32_t i = 5; i-- > 0;) {
        fixture_send(fixture, &peers[i], frame + HALF, FRAME - HALF);
        fixture_expect_frame(fixture, &peers[i], frame + 4, SIZE);
        peer_close(&peers[i]);
    }
    free(frame);
    fixture_expect_settled(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bulk_that_needs_more_memory_than_there_is_all_arrives),
        cmocka_unit_test(it_arrives_also_with_the_fewest_receive_buffers),
        cmocka_unit_test(short_messages_pass_while_long_ones_wait),
        cmocka_unit_test(peers_that_stop_inside_messages_hold_nobody_up_for_long),
        cmocka_unit_test(the_one_that_stands_still_is_closed_and_not_the_one_that_waits),
        cmocka_unit_test(a_game_that_takes_its_time_costs_nobody_the_connection),
        cmocka_unit_test(a_game_that_rests_with_many_messages_blames_no_peer),
        cmocka_unit_test(memory_comes_back_from_whoever_ends_while_it_waits),
    };
    return fixture_run_tests("server_assembly", tests, sizeof(tests) / sizeof(tests[0]));
}
