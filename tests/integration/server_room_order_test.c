/* SPDX-License-Identifier: MIT
 * Rooms: what is written and broadcast keeps its order where something is in the way: queues that
 * wait, policies that drop, ends of peers. */
#include <string.h>

#include "pattern.h"
#include "slow_reader.h"

struct order {
    throng_room room;
    throng_conn conn;
    struct peer peer;
    throng_conn fast_conn;
    struct peer fast;
};

static void open_order(struct server_fixture *fixture, struct order *order)
{
    slow_reader_options(fixture);
    fixture->options.when_send_full = THRONG_WHEN_SEND_FULL_DROP_OLDEST;
    fixture_start(fixture);
    order->conn = slow_reader_open(fixture, &order->peer);
    order->fast_conn = fixture_open(fixture, &order->fast);
    assert_int_equal(throng_room_create(fixture->server, &order->room), 0);
    assert_int_equal(throng_room_join(fixture->server, order->room, order->conn), 0);
    assert_int_equal(throng_room_join(fixture->server, order->room, order->fast_conn), 0);
}

static void close_order(struct server_fixture *fixture, struct order *order)
{
    peer_close(&order->peer);
    peer_close(&order->fast);
    fixture_expect_settled(fixture);
}

/* Its writes wait at the logic thread for those before to come home, its broadcasts do not. */
static void drop_oldest_keeps_the_order_of_writes_and_broadcasts(void **state)
{
    struct server_fixture *fixture = *state;
    struct order order;
    open_order(fixture, &order);
    for (uint32_t number = 0; number < 30; number++) {
        if (number % 3 == 2) {
            assert_int_equal(
                slow_reader_broadcast(fixture, order.room, number, 100, order.fast_conn), 0);
        } else {
            assert_int_equal(slow_reader_write(fixture, order.conn, number, 100), 0);
        }
        if (number % 2 == 1) {
            throng_flush(fixture->server);
        }
    }
    slow_reader_expect(fixture, &order.peer, 0, 29); /* nothing was too much for the system */
    close_order(fixture, &order);
}

/* Reads late: gets whole messages of both kinds, in order, and the newest. */
static void drop_oldest_drops_of_both_kinds_and_keeps_the_order(void **state)
{
    enum {
        STATES = 3000
    };
    struct server_fixture *fixture = *state;
    struct order order;
    uint64_t chance = 7;
    open_order(fixture, &order);
    for (uint32_t number = 0; number < STATES; number++) {
        size_t size = 4 + test_random(&chance) % 600;
        if (test_random(&chance) % 2 == 0) {
            assert_int_equal(
                slow_reader_broadcast(fixture, order.room, number, size, order.fast_conn), 0);
        } else {
            assert_int_equal(slow_reader_write(fixture, order.conn, number, size), 0);
        }
        if (test_random(&chance) % 8 == 0) {
            (void)fixture_turn(fixture, 0);
        }
    }
    uint32_t count = slow_reader_expect_some(fixture, &order.peer, STATES - 1);
    assert_true(count < STATES);
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).messages_dropped +
                                   fixture_counters(fixture).broadcast_drops + count ==
                               STATES);
    close_order(fixture, &order);
}

/* What was written before the member joined, and waits, comes before what it hears there. */
static void what_waited_before_the_join_comes_first(void **state)
{
    struct server_fixture *fixture = *state;
    struct order order;
    open_order(fixture, &order);
    assert_int_equal(throng_room_leave(fixture->server, order.room, order.conn), 0);
    for (uint32_t number = 0; number < 4; number++) {
        assert_int_equal(slow_reader_write(fixture, order.conn, number, 100), 0);
        throng_flush(fixture->server);
    }
    assert_int_equal(throng_room_join(fixture->server, order.room, order.conn), 0);
    assert_int_equal(slow_reader_broadcast(fixture, order.room, 4, 100, THRONG_NOBODY), 0);
    assert_int_equal(slow_reader_write(fixture, order.conn, 5, 100), 0);
    assert_int_equal(throng_room_leave(fixture->server, order.room, order.conn), 0);
    assert_int_equal(slow_reader_write(fixture, order.conn, 6, 100), 0);
    throng_flush(fixture->server);
    assert_int_equal(slow_reader_write(fixture, order.conn, 7, 100), 0);
    assert_int_equal(throng_room_join(fixture->server, order.room, order.conn), 0);
    assert_int_equal(slow_reader_broadcast(fixture, order.room, 8, 100, THRONG_NOBODY), 0);
    slow_reader_expect(fixture, &order.peer, 0, 8);
    close_order(fixture, &order);
}

/* A reply that follows more broadcasts than there are references, to a peer that has ended: it must
 * not be closed between them. */
static void a_reply_behind_many_broadcasts_reaches_a_peer_that_has_ended(void **state)
{
    enum {
        BROADCASTS = 150
    };
    struct server_fixture *fixture = *state;
    struct order order;
    fixture->options.room_references_max = 64;
    open_order(fixture, &order);
    fixture->keep = true;
    fixture_send_frame(fixture, &order.fast, "?", 1);
    peer_finish(&order.fast);
    FIXTURE_UNTIL(fixture, fixture->journal.messages == 1);
    fixture_turn_for(fixture, 20); /* so that its end has been seen, if it can be */
    for (uint32_t number = 0; number < BROADCASTS; number++) {
        assert_int_equal(slow_reader_broadcast(fixture, order.room, number, 8, THRONG_NOBODY), 0);
    }
    assert_int_equal(slow_reader_write(fixture, order.fast_conn, BROADCASTS, 8), 0);
    fixture->keep = false;
    fixture_release_kept(fixture);
    (void)slow_reader_expect_some(fixture, &order.fast, BROADCASTS);
    fixture_expect_end(fixture, &order.fast);
    close_order(fixture, &order);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(drop_oldest_keeps_the_order_of_writes_and_broadcasts),
        cmocka_unit_test(drop_oldest_drops_of_both_kinds_and_keeps_the_order),
        cmocka_unit_test(what_waited_before_the_join_comes_first),
        cmocka_unit_test(a_reply_behind_many_broadcasts_reaches_a_peer_that_has_ended),
    };
    return fixture_run_tests("server_room_order", tests, sizeof(tests) / sizeof(tests[0]));
}
