/* SPDX-License-Identifier: MIT
 * Rooms: who hears what, in which order, and what becomes of members and names. (Slow members:
 * server_room_slow_test.c.) */
#include <stdio.h>
#include <string.h>

#include <throng/room.h>

#include "server_fixture.h"

#define CROWD 40

struct crowd {
    struct peer peers[CROWD];
    throng_conn conns[CROWD];
};

static struct crowd crowd;

static void open_crowd(struct server_fixture *fixture)
{
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    for (int i = 0; i < CROWD; i++) {
        crowd.conns[i] = fixture_open(fixture, &crowd.peers[i]);
    }
}

static void close_crowd(struct server_fixture *fixture)
{
    for (int i = 0; i < CROWD; i++) {
        peer_close(&crowd.peers[i]);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture_counters(fixture).room_members, 0);
}

static throng_room create(struct server_fixture *fixture)
{
    throng_room room = {0};
    assert_int_equal(throng_room_create(fixture->server, &room), 0);
    assert_true(room.id != 0);
    return room;
}

static void join(struct server_fixture *fixture, throng_room room, int first, int last)
{
    for (int i = first; i <= last; i++) {
        assert_int_equal(throng_room_join(fixture->server, room, crowd.conns[i]), 0);
    }
}

static void say(struct server_fixture *fixture, throng_room room, const char *words,
                throng_conn except)
{
    assert_int_equal(throng_room_broadcast(fixture->server, room, words, strlen(words), except), 0);
}

static void tell(struct server_fixture *fixture, int i, const char *words)
{
    assert_int_equal(throng_write_data(fixture->server, crowd.conns[i], words, strlen(words)), 0);
}

static void hears(struct server_fixture *fixture, int i, const char *words)
{
    fixture_expect_frame(fixture, &crowd.peers[i], words, strlen(words));
}

static uint32_t member_count(struct server_fixture *fixture, throng_room room)
{
    struct throng_room_info info;
    assert_int_equal(throng_room_get_info(fixture->server, room, &info), 0);
    return info.members;
}

static void every_member_hears_it_and_nobody_else(void **state)
{
    struct server_fixture *fixture = *state;
    open_crowd(fixture);
    throng_room room = create(fixture);
    join(fixture, room, 0, 19);
    say(fixture, room, "hello", THRONG_NOBODY);
    say(fixture, room, "without 7", crowd.conns[7]);
    for (int i = 0; i < CROWD; i++) {
        tell(fixture, i, "end");
        if (i < 20) {
            hears(fixture, i, "hello");
        }
        if (i < 20 && i != 7) {
            hears(fixture, i, "without 7");
        }
        hears(fixture, i, "end");
    }
    struct throng_room_info info;
    assert_int_equal(throng_room_get_info(fixture->server, room, &info), 0);
    assert_int_equal(info.members, 20);
    assert_int_equal(info.broadcasts, 2);
    assert_int_equal(info.dropped, 0);
    assert_int_equal(fixture_counters(fixture).broadcast_deliveries, 39);
    close_crowd(fixture);
}

static void what_is_written_and_broadcast_keeps_its_order(void **state)
{
    struct server_fixture *fixture = *state;
    char words[32];
    open_crowd(fixture);
    throng_room room = create(fixture);
    throng_room other = create(fixture);
    join(fixture, room, 0, CROWD - 1);
    join(fixture, other, 0, CROWD - 1);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < CROWD; i++) {
            if ((i + round) % 3 != 0) {
                (void)snprintf(words, sizeof(words), "before %d", round);
                tell(fixture, i, words);
            }
        }
        (void)snprintf(words, sizeof(words), "all %d", round);
        say(fixture, round % 2 == 0 ? room : other, words, THRONG_NOBODY);
        for (int i = 0; i < CROWD; i++) {
            if ((i + round) % 5 != 0) {
                (void)snprintf(words, sizeof(words), "after %d", round);
                tell(fixture, i, words);
            }
        }
        if (round % 7 == 0) {
            throng_flush(fixture->server);
        }
    }
    for (int i = 0; i < CROWD; i++) {
        for (int round = 0; round < 50; round++) {
            if ((i + round) % 3 != 0) {
                (void)snprintf(words, sizeof(words), "before %d", round);
                hears(fixture, i, words);
            }
            (void)snprintf(words, sizeof(words), "all %d", round);
            hears(fixture, i, words);
            if ((i + round) % 5 != 0) {
                (void)snprintf(words, sizeof(words), "after %d", round);
                hears(fixture, i, words);
            }
        }
    }
    close_crowd(fixture);
}

static void who_leaves_hears_what_was_said_before_and_no_more(void **state)
{
    struct server_fixture *fixture = *state;
    open_crowd(fixture);
    throng_room room = create(fixture);
    join(fixture, room, 0, 3);
    say(fixture, room, "one", THRONG_NOBODY);
    assert_int_equal(throng_room_leave(fixture->server, room, crowd.conns[1]), 0);
    assert_int_equal(throng_room_leave(fixture->server, room, crowd.conns[1]), 0); /* again */
    assert_int_equal(throng_room_has(fixture->server, room, crowd.conns[1]), 0);
    assert_int_equal(throng_room_has(fixture->server, room, crowd.conns[2]), 1);
    say(fixture, room, "two", THRONG_NOBODY);
    assert_int_equal(throng_room_join(fixture->server, room, crowd.conns[1]), 0);
    assert_int_equal(throng_room_join(fixture->server, room, crowd.conns[1]), 0); /* again */
    assert_int_equal(throng_room_leave(fixture->server, room, crowd.conns[1]), 0);
    assert_int_equal(throng_room_join(fixture->server, room, crowd.conns[1]), 0);
    assert_int_equal(member_count(fixture, room), 4);
    say(fixture, room, "three", THRONG_NOBODY);
    hears(fixture, 0, "one");
    hears(fixture, 0, "two");
    hears(fixture, 0, "three");
    hears(fixture, 1, "one");
    hears(fixture, 1, "three");
    close_crowd(fixture);
}

static void a_connection_leaves_its_rooms_by_ending(void **state)
{
    struct server_fixture *fixture = *state;
    open_crowd(fixture);
    throng_room rooms[3];
    for (int i = 0; i < 3; i++) {
        rooms[i] = create(fixture);
        join(fixture, rooms[i], 0, 9);
    }
    for (int i = 0; i < 5; i++) {
        peer_close(&crowd.peers[i]);
    }
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 5);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(member_count(fixture, rooms[i]), 5);
        say(fixture, rooms[i], "who is left?", THRONG_NOBODY);
        assert_int_equal(throng_room_has(fixture->server, rooms[i], crowd.conns[0]), THRONG_ESTALE);
        assert_int_equal(throng_room_join(fixture->server, rooms[i], crowd.conns[0]),
                         THRONG_ESTALE);
    }
    for (int i = 5; i < 10; i++) {
        hears(fixture, i, "who is left?");
        hears(fixture, i, "who is left?");
        hears(fixture, i, "who is left?");
    }
    close_crowd(fixture);
}

static void a_destroyed_room_is_stale_and_its_last_words_arrive(void **state)
{
    struct server_fixture *fixture = *state;
    open_crowd(fixture);
    throng_room room = create(fixture);
    join(fixture, room, 0, 9);
    say(fixture, room, "last words", THRONG_NOBODY);
    assert_int_equal(throng_room_destroy(fixture->server, room), 0);
    assert_int_equal(throng_room_destroy(fixture->server, room), THRONG_ESTALE);
    assert_int_equal(throng_room_join(fixture->server, room, crowd.conns[0]), THRONG_ESTALE);
    assert_int_equal(throng_room_broadcast(fixture->server, room, "?", 1, THRONG_NOBODY),
                     THRONG_ESTALE);
    throng_room next = create(fixture);
    assert_true(next.id != room.id);
    join(fixture, next, 5, 14);
    say(fixture, next, "new words", THRONG_NOBODY);
    for (int i = 0; i < 15; i++) {
        if (i < 10) {
            hears(fixture, i, "last words");
        }
        if (i >= 5) {
            hears(fixture, i, "new words");
        }
    }
    close_crowd(fixture);
}

static void members_and_rooms_can_be_listed(void **state)
{
    struct server_fixture *fixture = *state;
    open_crowd(fixture);
    throng_room rooms[5];
    for (int i = 0; i < 5; i++) {
        rooms[i] = create(fixture);
        join(fixture, rooms[i], i, i + 9);
    }
    bool seen[CROWD] = {false};
    throng_conn member = THRONG_NOBODY;
    uint32_t count = 0;
    while (throng_room_next_member(fixture->server, rooms[2], &member) == 1) {
        for (int i = 0; i < CROWD; i++) {
            if (crowd.conns[i].id == member.id) {
                assert_false(seen[i]);
                assert_in_range(i, 2, 11);
                seen[i] = true;
            }
        }
        count++;
    }
    assert_int_equal(count, 10);
    throng_room room = {0};
    for (count = 0; throng_room_next_of(fixture->server, crowd.conns[4], &room) == 1; count++) {
        assert_int_equal(throng_room_has(fixture->server, room, crowd.conns[4]), 1);
    }
    assert_int_equal(count, 5);
    member = crowd.conns[30];
    assert_int_equal(throng_room_next_member(fixture->server, rooms[2], &member), THRONG_ESTALE);
    room = rooms[4];
    assert_int_equal(throng_room_next_of(fixture->server, crowd.conns[0], &room), THRONG_ESTALE);
    close_crowd(fixture);
}

static void limits_hold_and_what_is_given_back_serves_again(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.rooms_max = 3;
    fixture->options.room_members_max = 8;
    fixture->options.rooms_per_connection = 2;
    open_crowd(fixture);
    throng_room rooms[3];
    throng_room one_more = {77};
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++) {
            FIXTURE_UNTIL(fixture, throng_room_create(fixture->server, &rooms[i]) == 0);
        }
        assert_int_equal(throng_room_create(fixture->server, &one_more), THRONG_EAGAIN);
        assert_int_equal(one_more.id, 77);
        join(fixture, rooms[0], 0, 0);
        join(fixture, rooms[1], 0, 0);
        assert_int_equal(throng_room_join(fixture->server, rooms[2], crowd.conns[0]),
                         THRONG_EAGAIN);
        join(fixture, rooms[2], 1, 6);
        assert_int_equal(throng_room_join(fixture->server, rooms[2], crowd.conns[7]),
                         THRONG_EAGAIN);
        say(fixture, rooms[2], "six", THRONG_NOBODY);
        for (int i = 1; i < 7; i++) {
            hears(fixture, i, "six");
        }
        for (int i = 0; i < 3; i++) {
            assert_int_equal(throng_room_destroy(fixture->server, rooms[i]), 0);
        }
    }
    close_crowd(fixture);
}

static void misuse_is_refused_and_changes_nothing(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.message_bytes_max = 100;
    open_crowd(fixture);
    throng_room room = create(fixture);
    char longest[101] = {0};
    join(fixture, room, 0, 1);
    assert_int_equal(throng_room_create(NULL, &room), THRONG_EINVAL);
    assert_int_equal(throng_room_create(fixture->server, NULL), THRONG_EINVAL);
    assert_int_equal(throng_room_broadcast(fixture->server, room, longest, 101, THRONG_NOBODY),
                     THRONG_ETOOBIG);
    assert_int_equal(throng_room_broadcast(fixture->server, room, NULL, 1, THRONG_NOBODY),
                     THRONG_EINVAL);
    const throng_room never = {room.id + (UINT64_C(1) << 20)};
    assert_int_equal(throng_room_broadcast(fixture->server, never, "a", 1, THRONG_NOBODY),
                     THRONG_ESTALE);
    assert_int_equal(
        throng_room_broadcast(fixture->server, (throng_room){0}, "a", 1, THRONG_NOBODY),
        THRONG_ESTALE);
    assert_int_equal(throng_close(fixture->server, crowd.conns[2]), 0);
    assert_int_equal(throng_room_join(fixture->server, room, crowd.conns[2]), THRONG_ECLOSING);
    assert_int_equal(throng_room_broadcast(fixture->server, room, NULL, 0, THRONG_NOBODY), 0);
    assert_int_equal(throng_room_broadcast(fixture->server, room, longest, 100, THRONG_NOBODY), 0);
    fixture_expect_frame(fixture, &crowd.peers[1], NULL, 0);
    fixture_expect_frame(fixture, &crowd.peers[1], longest, 100);
    int tag;
    void *user = &tag;
    assert_int_equal(throng_room_get_user(fixture->server, room, &user), 0);
    assert_null(user);
    assert_int_equal(throng_room_set_user(fixture->server, room, &tag), 0);
    assert_int_equal(throng_room_get_user(fixture->server, room, &user), 0);
    assert_ptr_equal(user, &tag);
    close_crowd(fixture);
}

static void long_messages_arrive_whole(void **state)
{
    struct server_fixture *fixture = *state;
    static uint8_t longest[65536];
    open_crowd(fixture);
    throng_room room = create(fixture);
    join(fixture, room, 0, CROWD - 1);
    for (size_t i = 0; i < sizeof(longest); i++) {
        longest[i] = (uint8_t)(i * 31 + i / 256);
    }
    static const size_t sizes[] = {0,    1,    507,  508,   509,   1020,
                                   2044, 2045, 4000, 16380, 16892, 65536};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_int_equal(
            throng_room_broadcast(fixture->server, room, longest, sizes[i], THRONG_NOBODY), 0);
        if (i % 3 == 0) {
            (void)fixture_turn(fixture, 0);
        }
    }
    for (int i = 0; i < CROWD; i++) {
        for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
            fixture_expect_frame(fixture, &crowd.peers[i], longest, sizes[k]);
        }
    }
    close_crowd(fixture);
}

/* What one member has taken serves the next one. (io_uring's sends are under way until the next
 * turn: there it takes as many references as members.) */
static void few_references_serve_many_members(void **state)
{
    struct server_fixture *fixture = *state;
    static uint8_t message[4000];
    if (strcmp(fixture->mode.backend, "epoll") != 0) {
        return;
    }
    fixture->options.room_references_max = 64;
    fixture->options.message_bytes_max = sizeof(message);
    open_crowd(fixture);
    throng_room room = create(fixture);
    join(fixture, room, 0, CROWD - 1);
    for (int round = 0; round < 10; round++) {
        memset(message, 'a' + round, sizeof(message));
        assert_int_equal(
            throng_room_broadcast(fixture->server, room, message, sizeof(message), THRONG_NOBODY),
            0);
        throng_flush(fixture->server);
        for (int i = 0; i < CROWD; i++) {
            fixture_expect_frame(fixture, &crowd.peers[i], message, sizeof(message));
        }
    }
    assert_int_equal(fixture_counters(fixture).broadcast_drops, 0);
    close_crowd(fixture);
}

static void a_closing_member_hears_what_came_before_its_close(void **state)
{
    struct server_fixture *fixture = *state;
    open_crowd(fixture);
    throng_room room = create(fixture);
    join(fixture, room, 0, 9);
    say(fixture, room, "good bye", THRONG_NOBODY);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(throng_close(fixture->server, crowd.conns[i]), 0);
    }
    say(fixture, room, "too late", THRONG_NOBODY);
    for (int i = 0; i < 10; i++) {
        hears(fixture, i, "good bye");
        fixture_expect_end(fixture, &crowd.peers[i]);
    }
    close_crowd(fixture);
}

static void a_drain_delivers_what_was_said(void **state)
{
    struct server_fixture *fixture = *state;
    open_crowd(fixture);
    throng_room room = create(fixture);
    join(fixture, room, 0, CROWD - 1);
    say(fixture, room, "the server stops", THRONG_NOBODY);
    throng_server_drain(fixture->server, (uint32_t)test_deadline_ms());
    for (int i = 0; i < CROWD; i++) {
        hears(fixture, i, "the server stops");
        fixture_expect_end(fixture, &crowd.peers[i]);
        peer_close(&crowd.peers[i]);
    }
    FIXTURE_UNTIL(fixture, fixture->answer == THRONG_ESTOPPED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_hears_it_and_nobody_else),
        cmocka_unit_test(what_is_written_and_broadcast_keeps_its_order),
        cmocka_unit_test(who_leaves_hears_what_was_said_before_and_no_more),
        cmocka_unit_test(a_connection_leaves_its_rooms_by_ending),
        cmocka_unit_test(a_destroyed_room_is_stale_and_its_last_words_arrive),
        cmocka_unit_test(members_and_rooms_can_be_listed),
        cmocka_unit_test(limits_hold_and_what_is_given_back_serves_again),
        cmocka_unit_test(misuse_is_refused_and_changes_nothing),
        cmocka_unit_test(long_messages_arrive_whole),
        cmocka_unit_test(few_references_serve_many_members),
        cmocka_unit_test(a_closing_member_hears_what_came_before_its_close),
        cmocka_unit_test(a_drain_delivers_what_was_said),
    };
    return fixture_run_tests("server_room", tests, sizeof(tests) / sizeof(tests[0]));
}
