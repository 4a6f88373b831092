/* SPDX-License-Identifier: MIT
 * Peers that never read, and what they cost: themselves with the policy CLOSE, and with any other
 * their own queue, but nothing to those that do read. */
#include <string.h>

#include "slow_reader.h"

static void expect_closed_as_slow(struct server_fixture *fixture, throng_conn conn,
                                  const struct peer *peer)
{
    for (uint32_t number = 0; number < SLOW_READER_QUEUE; number++) {
        assert_int_equal(slow_reader_write(fixture, conn, number, SLOW_READER_BLOCK), 0);
    }
    assert_int_equal(slow_reader_write(fixture, conn, 0, SLOW_READER_BLOCK), THRONG_ECLOSING);
    assert_int_equal(slow_reader_write(fixture, conn, 0, 4), THRONG_ECLOSING);
    assert_int_equal(throng_close(fixture->server, conn), THRONG_ECLOSING);
    assert_int_equal(throng_abort(fixture->server, conn), 0); /* changes nothing any more */
    fixture_expect_reset(fixture, peer);
}

static void a_slow_reader_is_closed_where_the_policy_says_so(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[2];
    slow_reader_options(fixture);
    fixture->options.when_send_full = THRONG_WHEN_SEND_FULL_CLOSE;
    fixture_start(fixture);
    throng_conn all = slow_reader_open(fixture, &peers[0]);
    throng_conn spared = slow_reader_open(fixture, &peers[1]);
    assert_int_equal(throng_set_send_policy(fixture->server, spared, THRONG_WHEN_SEND_FULL_REFUSE),
                     0);
    expect_closed_as_slow(fixture, all, &peers[0]);
    assert_int_equal(slow_reader_fill(fixture, spared, 0, SLOW_READER_BLOCK), SLOW_READER_QUEUE);
    slow_reader_expect(fixture, &peers[1], 0, SLOW_READER_QUEUE - 1);
    peer_close(&peers[0]);
    peer_close(&peers[1]);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_SLOW_READER], 1);
    assert_int_equal(throng_server_closed_count(fixture->server, THRONG_CLOSE_SLOW_READER), 1);
}

static void the_policy_of_one_connection_can_be_changed(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    slow_reader_options(fixture);
    fixture_start(fixture);
    throng_conn conn = slow_reader_open(fixture, &peer);
    assert_int_equal(throng_set_send_policy(fixture->server, conn, (enum throng_when_send_full)3),
                     THRONG_EINVAL);
    assert_int_equal(throng_set_send_policy(NULL, conn, THRONG_WHEN_SEND_FULL_CLOSE),
                     THRONG_EINVAL);
    assert_int_equal(throng_set_send_policy(fixture->server, conn, THRONG_WHEN_SEND_FULL_CLOSE), 0);
    expect_closed_as_slow(fixture, conn, &peer);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(throng_set_send_policy(fixture->server, conn, THRONG_WHEN_SEND_FULL_CLOSE),
                     THRONG_ESTALE);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_SLOW_READER], 1);
}

/* Writes to one that does not read, until there is no room. The watchdog may have ended it: memory
 * is short. */
static void write_to_deaf(struct server_fixture *fixture, throng_conn conn, size_t size)
{
    int result;
    do {
        result = slow_reader_write(fixture, conn, 0, size);
    } while (result == 0);
    assert_true(result == THRONG_EAGAIN || result == THRONG_ESTALE);
}

/* Two hundred take whatever they get, all the time; the one that reads has every message, at
 * once. */
static void those_that_never_read_take_nothing_from_one_that_does(void **state)
{
    enum {
        DEAF = 200,
        ROUNDS = 60
    };
    struct server_fixture *fixture = *state;
    static struct peer peers[DEAF];
    static throng_conn conns[DEAF];
    struct peer good;
    slow_reader_options(fixture);
    fixture->options.send_small_bytes = 1024u * 1024; /* sixteen full queues */
    fixture->options.send_large_bytes = 33 * 512;
    fixture->options.send_reserve_percent = 40;
    fixture_start(fixture);
    for (uint32_t i = 0; i < DEAF; i++) {
        conns[i] = slow_reader_open(fixture, &peers[i]);
    }
    throng_conn conn = slow_reader_open(fixture, &good);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < DEAF; i++) {
            write_to_deaf(fixture, conns[i], SLOW_READER_BLOCK - 400 * (i % 2));
        }
        struct throng_counters now = fixture_counters(fixture);
        assert_true(round > 0 || now.send_units_free < now.send_units_total / 2);
        assert_int_equal(slow_reader_write(fixture, conn, round, 2000), 0); /* no large block */
        slow_reader_expect(fixture, &good, round, round);
        size_t queued = 0;
        FIXTURE_UNTIL(fixture,
                      throng_queued_bytes(fixture->server, conn, &queued) == 0 && queued == 0);
    }
    assert_true(fixture_counters(fixture).writes_refused >= DEAF);
    for (uint32_t i = 0; i < DEAF; i++) {
        peer_close(&peers[i]);
    }
    peer_close(&good);
    fixture_expect_settled(fixture);
}

/* Before anything was flushed all of them look as if they kept up; whichever way they write, the
 * reserve has room for another. */
static void before_the_first_flush_the_reserve_holds_too(void **state)
{
    enum {
        GREEDY = 8
    };
    static const uint8_t payload[1000];
    struct server_fixture *fixture = *state;
    struct peer peers[GREEDY], good;
    throng_conn conns[GREEDY];
    fixture->options.message_bytes_max = sizeof(payload);
    fixture->options.send_small_bytes = 1024u * 1024;
    fixture->options.send_large_bytes = 33 * 512;
    fixture->options.send_queue_bytes_max = 512u * 1024;
    fixture->options.send_reserve_percent = 50;
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    for (uint32_t i = 0; i < GREEDY; i++) {
        conns[i] = fixture_open(fixture, &peers[i]);
        assert_int_equal(throng_set_send_policy(fixture->server, conns[i],
                                                i % 2 == 0 ? THRONG_WHEN_SEND_FULL_REFUSE
                                                           : THRONG_WHEN_SEND_FULL_DROP_OLDEST),
                         0);
    }
    throng_conn conn = fixture_open(fixture, &good);
    for (uint32_t i = 0; i < 500 * GREEDY; i++) {
        (void)throng_write_data(fixture->server, conns[i % GREEDY], payload, sizeof(payload));
    }
    assert_int_equal(throng_write_data(fixture->server, conn, payload, sizeof(payload)), 0);
    for (uint32_t i = 0; i < GREEDY; i++) {
        peer_close(&peers[i]);
    }
    fixture_expect_frame(fixture, &good, payload, sizeof(payload));
    peer_close(&good);
    fixture_expect_settled(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_reader_is_closed_where_the_policy_says_so),
        cmocka_unit_test(the_policy_of_one_connection_can_be_changed),
        cmocka_unit_test(those_that_never_read_take_nothing_from_one_that_does),
        cmocka_unit_test(before_the_first_flush_the_reserve_holds_too),
    };
    return fixture_run_tests("server_slow_reader", tests, sizeof(tests) / sizeof(tests[0]));
}
