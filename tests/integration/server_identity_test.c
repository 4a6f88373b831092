/* SPDX-License-Identifier: MIT
 * A connection's id names that connection and never another one, however old it is and whoever has
 * the slot now; and the user pointer goes with it. */
#include <string.h>

#include "pattern.h"
#include "server_fixture.h"

/* Every call that takes an id must answer `expected`, and touch no output. */
static void expect_every_call_answers(struct throng_server *server, throng_conn conn, int expected)
{
    int mark = 0;
    void *user = &mark;
    struct throng_address address = {.port = 4711};
    size_t queued = 4711;
    assert_int_equal(throng_write_data(server, conn, "not for you", 11), expected);
    assert_int_equal(throng_set_user(server, conn, NULL), expected);
    assert_int_equal(throng_get_user(server, conn, &user), expected);
    assert_int_equal(throng_peer_address(server, conn, &address), expected);
    assert_int_equal(throng_local_address(server, conn, &address), expected);
    assert_int_equal(throng_queued_bytes(server, conn, &queued), expected);
    assert_int_equal(throng_close(server, conn), expected);
    assert_int_equal(throng_abort(server, conn), expected);
    assert_ptr_equal(user, &mark);
    assert_int_equal(address.port, 4711);
    assert_int_equal(queued, 4711);
}

static void a_stale_id_is_refused_after_the_slot_is_reused(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.max_connections = 1;
    fixture_start(fixture);
    throng_conn old[8];
    for (uint32_t i = 0; i < 8; i++) {
        struct peer peer;
        old[i] = fixture_open(fixture, &peer);
        for (uint32_t k = 0; k < i; k++) {
            assert_true(old[k].id != old[i].id);
            expect_every_call_answers(fixture->server, old[k], THRONG_ESTALE);
        }
        /* The new owner of the slot lives, and got not a byte of what was written to the old
         * ids. */
        fixture_expect_echo(fixture, &peer, "mine", 4);
        peer_finish(&peer);
        fixture_expect_end(fixture, &peer);
        peer_close(&peer);
        fixture_expect_settled(fixture);
        expect_every_call_answers(fixture->server, old[i], THRONG_ESTALE);
    }
    assert_true(fixture_counters(fixture).writes_stale > 0);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_PEER], 8);
}

static void ids_that_never_existed_are_refused(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    expect_every_call_answers(fixture->server, (throng_conn){0}, THRONG_ESTALE);
    expect_every_call_answers(fixture->server, (throng_conn){UINT64_MAX}, THRONG_ESTALE);
    for (uint32_t bit = 0; bit < 64; bit++) {
        expect_every_call_answers(fixture->server, (throng_conn){conn.id ^ UINT64_C(1) << bit},
                                  THRONG_ESTALE);
    }
    fixture_expect_echo(fixture, &peer, "alive", 5);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static throng_conn await_open(struct throng_server *server)
{
    struct throng_event event = {0};
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (throng_get_event(server, &event, 10) == 0) {
        assert_true(test_now_ms() < deadline_ms);
    }
    assert_int_equal(event.type, THRONG_EVENT_OPEN);
    throng_release_event(server, &event);
    return event.conn;
}

static void an_id_of_another_server_is_refused(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.max_connections = 1;
    fixture_start(fixture);
    struct peer peer;
    throng_conn first = fixture_open(fixture, &peer);

    struct throng_server *other = NULL;
    struct throng_address address;
    struct peer other_peer;
    assert_int_equal(throng_server_start(&other, &fixture->options, NULL), 0);
    assert_int_equal(throng_server_listen_address(other, 0, &address), 0);
    assert_true(peer_connect(&other_peer, &address, NULL));
    throng_conn second = await_open(other);
    assert_true(first.id != second.id);
    expect_every_call_answers(other, first, THRONG_ESTALE);
    expect_every_call_answers(fixture->server, second, THRONG_ESTALE);
    assert_int_equal(throng_write_data(other, second, "alive", 5), 0);
    throng_flush(other);
    throng_server_stop(other);
    peer_close(&other_peer);

    fixture_expect_echo(fixture, &peer, "untouched", 9);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void an_id_is_dead_once_closed_was_released(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    int mark = 0;
    assert_int_equal(throng_set_user(fixture->server, conn, &mark), 0);
    fixture->keep = true;
    peer_close(&peer);
    FIXTURE_UNTIL(fixture, fixture->kept_count == 1);
    assert_int_equal(fixture->kept[0].type, THRONG_EVENT_CLOSED);
    assert_ptr_equal(fixture->kept[0].user, &mark);
    fixture->keep = false;
    fixture_release_kept(fixture);
    expect_every_call_answers(fixture->server, conn, THRONG_ESTALE);
    fixture_expect_settled(fixture);
}

static void no_id_comes_twice_in_thousands_of_lives_of_one_slot(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.max_connections = 1;
    fixture->options.when_full = THRONG_WHEN_FULL_BACKLOG;
    fixture_start(fixture);
    uint32_t lives = test_scaled(3000);
    for (uint32_t i = 0; i < lives; i++) {
        struct peer peer;
        (void)fixture_open(fixture, &peer); /* the journal complains about an id seen before */
        if (i % 2 == 0) {
            peer_close(&peer);
        } else {
            peer_reset(&peer);
        }
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.opened, lives);
}

/* What a connection's pointer points to: events that carried it. */
struct tally {
    uint32_t messages;
    uint32_t closed;
};

static struct tally tallies[20];

static void tally_by_user(struct server_fixture *fixture, const struct throng_event *event)
{
    if (event->type == THRONG_EVENT_OPEN) {
        struct tally *mine = &tallies[journal_find(&fixture->journal, event->conn)->order];
        assert_null(event->user);
        assert_int_equal(throng_set_user(fixture->server, event->conn, mine), 0);
        return;
    }
    struct tally *mine = event->user;
    void *user = NULL;
    assert_non_null(mine);
    if (event->type == THRONG_EVENT_MESSAGE) {
        assert_int_equal(throng_get_user(fixture->server, event->conn, &user), 0);
        assert_ptr_equal(user, mine);
        mine->messages++;
    } else {
        mine->closed++;
    }
}

static void each_event_carries_its_own_connections_user_pointer(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[20];
    memset(tallies, 0, sizeof(tallies));
    fixture->handle = tally_by_user;
    fixture_start(fixture);
    for (uint32_t i = 0; i < 20; i++) {
        (void)fixture_open(fixture, &peers[i]);
    }
    for (uint32_t i = 0; i < 20; i++) {
        for (uint32_t k = 0; k <= i; k++) {
            assert_true(peer_send_frame(&peers[i], "x", 1, test_deadline_ms()));
        }
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(tallies[i].messages, i + 1);
        assert_int_equal(tallies[i].closed, 1);
    }
}

static void the_user_pointer_can_be_changed_and_taken_away(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    int one = 1;
    int two = 2;
    void *user = NULL;
    assert_int_equal(throng_set_user(fixture->server, conn, &one), 0);
    assert_int_equal(throng_set_user(fixture->server, conn, &two), 0);
    assert_int_equal(throng_get_user(fixture->server, conn, &user), 0);
    assert_ptr_equal(user, &two);
    assert_int_equal(throng_set_user(fixture->server, conn, NULL), 0);
    assert_int_equal(throng_get_user(fixture->server, conn, &user), 0);
    assert_null(user);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void a_new_connection_does_not_inherit_the_user_pointer_of_its_slot(void **state)
{
    struct server_fixture *fixture = *state;
    int mark = 0;
    fixture->options.max_connections = 1;
    fixture_start(fixture);
    for (uint32_t i = 0; i < 5; i++) {
        struct peer peer;
        throng_conn conn = fixture_open(fixture, &peer);
        void *user = &user;
        assert_null(fixture->last_open.user);
        assert_int_equal(throng_get_user(fixture->server, conn, &user), 0);
        assert_null(user);
        assert_int_equal(throng_set_user(fixture->server, conn, &mark), 0);
        peer_close(&peer);
        fixture_expect_settled(fixture);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stale_id_is_refused_after_the_slot_is_reused),
        cmocka_unit_test(ids_that_never_existed_are_refused),
        cmocka_unit_test(an_id_of_another_server_is_refused),
        cmocka_unit_test(an_id_is_dead_once_closed_was_released),
        cmocka_unit_test(no_id_comes_twice_in_thousands_of_lives_of_one_slot),
        cmocka_unit_test(each_event_carries_its_own_connections_user_pointer),
        cmocka_unit_test(the_user_pointer_can_be_changed_and_taken_away),
        cmocka_unit_test(a_new_connection_does_not_inherit_the_user_pointer_of_its_slot),
    };
    return fixture_run_tests("server_identity", tests, sizeof(tests) / sizeof(tests[0]));
}
