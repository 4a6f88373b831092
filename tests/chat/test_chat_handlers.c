/* SPDX-License-Identifier: MIT
 * What requests do, where it takes a short memory or a look inside; what a client can see is in
 * check_chat.py. */
#include "words.h"

/* ---- short memory ---- */

static void a_line_that_nobody_could_get_takes_no_number(void **state)
{
    (void)state;
    struct world *world = open_lobby(2);
    world->no_broadcasts = true;
    say(world, 1, "lost");
    expect_refused(world, 1, CHAT_CODE_BUSY);
    world->no_broadcasts = false;
    say(world, 1, "found");
    expect(world, 2, CHAT_LINE);
    assert_int_equal(number_of("seq"), 1);
    expect_text("text", "found");
    expect(world, 1, CHAT_LINE);
    expect(world, 1, CHAT_SAY);
    assert_int_equal(number_of("seq"), 1);
    world_close(world);
}

static void whoever_cannot_be_answered_is_disconnected(void **state)
{
    (void)state;
    struct world *world = open_lobby(2);
    world->no_writes = true;
    say(world, 1, "hi");
    assert_true(world->conns[1].was_aborted);
    assert_false(world->conns[2].was_aborted);
    expect(world, 2, CHAT_LINE); /* it was said all the same */
    world->no_writes = false;
    world_disconnect(world, 1);
    expect(world, 2, CHAT_LEFT);
    expect_text("name", "ana");
    assert_int_equal(number_of("why"), CHAT_WHY_QUIT);
    assert_true(world_holds(world));
    world_close(world);
}

static void a_lost_notice_about_members_is_made_good_by_stale(void **state)
{
    (void)state;
    struct world *world = open_lobby(3);
    world->no_broadcasts = true;
    world_disconnect(world, 1);
    chat_swept(&world->chat);
    expect_nothing(world, 2);
    world->no_broadcasts = false;
    chat_swept(&world->chat);
    expect(world, 2, CHAT_STALE);
    expect_text("room", "lobby");
    expect(world, 3, CHAT_STALE);
    chat_swept(&world->chat);
    expect_nothing(world, 2);
    world_close(world);
}

static void a_private_message_that_cannot_be_written_is_refused(void **state)
{
    (void)state;
    struct world *world = open_lobby(2);
    world->conns[2].is_closing = true;
    SEND(world, 1, CHAT_TELL, TEXT("name", "bob"), TEXT("text", "hi"));
    expect_refused(world, 1, CHAT_CODE_BUSY);
    world_close(world);
}

static void a_join_that_the_library_refuses_leaves_nothing_behind(void **state)
{
    (void)state;
    struct world *world = open_lobby(1);
    world->no_joins = true;
    SEND(world, 1, CHAT_JOIN, TEXT("room", "den"));
    expect_refused(world, 1, CHAT_CODE_BUSY);
    assert_int_equal(world->conns[1].user->seat_count, 1);
    world_connect(world, 2);
    SEND(world, 2, CHAT_HELLO, TEXT("name", "bob"), NUMBER("version", 1));
    expect_refused(world, 2, CHAT_CODE_BUSY);
    assert_false(world->conns[2].user->has_name);
    world->no_joins = false;
    assert_true(world_holds(world));
    SEND(world, 2, CHAT_HELLO, TEXT("name", "bob"), NUMBER("version", 1));
    expect(world, 2, CHAT_HELLO);
    world_close(world);
}

static void as_many_rooms_and_members_as_there_may_be(void **state)
{
    (void)state;
    static const char *const rooms[] = {"ra", "rb", "rc", "rd", "re", "rf"};
    struct world *world = open_lobby(6);
    say_hello(world, 7);
    SEND(world, 7, CHAT_JOIN, TEXT("room", "lobby"));
    expect_refused(world, 7, CHAT_CODE_ROOM_FULL);
    assert_int_equal(number_of("limit"), 6);
    for (size_t i = 0; i < 6; i++) {
        SEND(world, 7, CHAT_JOIN, TEXT("room", rooms[i]));
        expect(world, 7, CHAT_JOIN);
    }
    SEND(world, 7, CHAT_JOIN, TEXT("room", "one.more"));
    expect_refused(world, 7, CHAT_CODE_TOO_MANY_ROOMS);
    assert_int_equal(number_of("limit"), 7);
    SEND(world, 7, CHAT_LEAVE, TEXT("room", "rc"));
    expect(world, 7, CHAT_LEAVE);
    SEND(world, 7, CHAT_JOIN, TEXT("room", "one.more"));
    expect(world, 7, CHAT_JOIN);
    assert_true(world_holds(world));
    world_close(world);
}

/* ---- ends ---- */

static void an_operator_may_kick_himself(void **state)
{
    (void)state;
    struct world *world = open_lobby(2);
    become_operator(world, 1);
    SEND(world, 1, CHAT_KICK, TEXT("name", "ana"));
    expect(world, 1, CHAT_KICK);
    expect_goodbye(world, 1, CHAT_CODE_KICKED);
    expect(world, 2, CHAT_LEFT);
    say_hello(world, 3); /* the chat goes on */
    world_close(world);
}

static void a_name_is_free_as_soon_as_its_user_was_told_to_go(void **state)
{
    (void)state;
    struct world *world = open_lobby(2);
    become_operator(world, 1);
    SEND(world, 1, CHAT_KICK, TEXT("name", "bob"));
    assert_non_null(world->conns[2].user); /* its connection is not closed yet */
    world_connect(world, 3);
    SEND(world, 3, CHAT_HELLO, TEXT("name", "bob"), NUMBER("version", 1));
    expect(world, 3, CHAT_HELLO);
    world_disconnect(world, 2);
    SEND(world, 1, CHAT_WHOIS, TEXT("name", "bob"));
    assert_true(world_holds(world));
    world_close(world);
}

static void a_closed_room_is_another_one_when_it_is_made_again(void **state)
{
    (void)state;
    struct world *world = open_lobby(3);
    become_operator(world, 1);
    say(world, 2, "hi");
    for (uint32_t conn = 1; conn <= 3; conn++) {
        expect(world, conn, CHAT_LINE);
    }
    expect(world, 2, CHAT_SAY);
    SEND(world, 1, CHAT_CLOSE_ROOM, TEXT("room", "lobby"), TEXT("text", "late"));
    for (uint32_t conn = 1; conn <= 3; conn++) {
        expect(world, conn, CHAT_LEFT);
        assert_int_equal(number_of("why"), CHAT_WHY_CLOSED);
        expect_text("name", "");
    }
    assert_true(world_holds(world));
    say(world, 2, "anybody?");
    expect_refused(world, 2, CHAT_CODE_NO_ROOM);
    SEND(world, 2, CHAT_JOIN, TEXT("room", "lobby"), NUMBER("after", 1));
    expect(world, 2, CHAT_JOIN);
    assert_int_equal(number_of("seq"), 0);
    say(world, 2, "again");
    expect(world, 2, CHAT_LINE);
    assert_int_equal(number_of("seq"), 1);
    expect_nothing(world, 3);
    world_close(world);
}

static void nonsense_is_answered_sixteen_times(void **state)
{
    (void)state;
    struct world *world = open_lobby(1);
    for (int i = 0; i < 15; i++) {
        world_send(world, 1, "\xc1", 1);
        expect(world, 1, THRONG_MESSAGE_TYPE_ERROR);
    }
    assert_false(world->conns[1].is_closing);
    world_send(world, 1, "\xc1", 1);
    expect(world, 1, THRONG_MESSAGE_TYPE_ERROR);
    expect_goodbye(world, 1, CHAT_CODE_HOPELESS);
    assert_true(world_holds(world));
    world_close(world);
}

static void the_end_of_the_server_is_told_to_everybody_with_a_name(void **state)
{
    (void)state;
    struct world *world = open_lobby(2);
    world_connect(world, 3);
    chat_stopping(&world->chat);
    for (uint32_t conn = 1; conn <= 2; conn++) {
        expect(world, conn, CHAT_GOODBYE);
        assert_int_equal(number_of("code"), CHAT_CODE_STOPPING);
    }
    expect_nothing(world, 3);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_that_nobody_could_get_takes_no_number),
        TEST(whoever_cannot_be_answered_is_disconnected),
        TEST(a_lost_notice_about_members_is_made_good_by_stale),
        TEST(a_private_message_that_cannot_be_written_is_refused),
        TEST(a_join_that_the_library_refuses_leaves_nothing_behind),
        TEST(as_many_rooms_and_members_as_there_may_be),
        TEST(an_operator_may_kick_himself),
        TEST(a_name_is_free_as_soon_as_its_user_was_told_to_go),
        TEST(a_closed_room_is_another_one_when_it_is_made_again),
        TEST(nonsense_is_answered_sixteen_times),
        TEST(the_end_of_the_server_is_told_to_everybody_with_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
