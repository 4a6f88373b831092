/* SPDX-License-Identifier: MIT
 * What the chat's handlers do as time passes: silence, empty rooms, floods, bans that end. The
 * clock is the test's. */
#include "words.h"

static void whoever_never_says_hello_is_told_so_and_closed(void **state)
{
    (void)state;
    struct world *world = open_lobby(1);
    world_connect(world, 2);
    world_pass(world, 19999);
    chat_swept(&world->chat);
    expect_nothing(world, 2);
    world_pass(world, 1);
    chat_swept(&world->chat);
    expect_goodbye(world, 2, CHAT_CODE_SILENT);
    chat_swept(&world->chat);
    expect_nothing(world, 2);
    expect_nothing(world, 1);
    world_close(world);
}

static void an_empty_room_is_remembered_for_a_while(void **state)
{
    (void)state;
    struct world *world = open_lobby(1);
    say(world, 1, "for later");
    SEND(world, 1, CHAT_LEAVE, TEXT("room", "lobby"));
    world_pass(world, 59999);
    chat_swept(&world->chat);
    SEND(world, 1, CHAT_JOIN, TEXT("room", "lobby"));
    expect(world, 1, CHAT_LINE);
    expect(world, 1, CHAT_SAY);
    expect(world, 1, CHAT_LEAVE);
    expect(world, 1, CHAT_JOIN);
    assert_int_equal(number_of("seq"), 1);
    SEND(world, 1, CHAT_LEAVE, TEXT("room", "lobby"));
    expect(world, 1, CHAT_LEAVE);
    world_pass(world, 60000);
    chat_swept(&world->chat);
    SEND(world, 1, CHAT_JOIN, TEXT("room", "lobby"));
    expect(world, 1, CHAT_JOIN);
    assert_int_equal(number_of("seq"), 0);
    world_close(world);
}

static void a_flood_is_refused_then_muted_and_a_new_connection_is_muted_still(void **state)
{
    (void)state;
    struct world *world = open_lobby(2);
    for (int i = 0; i < 8; i++) {
        say(world, 1, "flood");
    }
    for (int i = 0; i < 4; i++) {
        expect(world, 1, CHAT_LINE);
        expect(world, 1, CHAT_SAY);
    }
    expect(world, 1, CHAT_WARNING);
    expect(world, 1, CHAT_LINE);
    expect(world, 1, CHAT_SAY);
    expect_refused(world, 1, CHAT_CODE_FLOOD);
    expect_refused(world, 1, CHAT_CODE_FLOOD);
    expect_refused(world, 1, CHAT_CODE_FLOOD);
    expect(world, 1, CHAT_MUTED);
    assert_int_equal(number_of("wait_ms"), 30000);
    expect_text("by", "");
    assert_int_equal(world->conns[2].count, 5);
    world_disconnect(world, 1);
    world_pass(world, 29999);
    say_hello(world, 1);
    SEND(world, 1, CHAT_JOIN, TEXT("room", "lobby"));
    expect(world, 1, CHAT_JOIN);
    say(world, 1, "still here");
    expect_refused(world, 1, CHAT_CODE_IS_MUTED);
    assert_int_equal(number_of("wait_ms"), 1);
    world_pass(world, 1);
    say(world, 1, "sorry");
    expect(world, 1, CHAT_LINE);
    world_close(world);
}

static void other_requests_flood_as_well_and_end_the_connection(void **state)
{
    (void)state;
    struct world *world = open_lobby(2);
    for (int i = 0; i < 38; i++) { /* HELLO and JOIN were two more */
        SEND(world, 1, CHAT_PING, {0});
        world_forget(world, 1);
    }
    SEND(world, 1, CHAT_PING, {0});
    expect_refused(world, 1, CHAT_CODE_FLOOD);
    SEND(world, 1, CHAT_PING, {0});
    SEND(world, 1, CHAT_PING, {0});
    expect_refused(world, 1, CHAT_CODE_FLOOD);
    expect_refused(world, 1, CHAT_CODE_FLOOD);
    expect_goodbye(world, 1, CHAT_CODE_FLOOD);
    expect(world, 2, CHAT_LEFT);
    assert_true(world_holds(world));
    world_close(world);
}

static void a_ban_ends_when_its_time_is_over(void **state)
{
    (void)state;
    struct world *world = open_lobby(2);
    become_operator(world, 1);
    SEND(world, 1, CHAT_BAN, TEXT("address", "10.0.0.2"), NUMBER("seconds", 10),
         TEXT("text", "enough"));
    expect(world, 1, CHAT_BAN);
    expect_goodbye(world, 2, CHAT_CODE_BANNED);
    expect(world, 1, CHAT_LEFT);
    expect_text("text", "enough");
    world_disconnect(world, 2);
    world_pass(world, 9999);
    world_connect(world, 2);
    expect_goodbye(world, 2, CHAT_CODE_BANNED);
    expect_nothing(world, 2);
    world_disconnect(world, 2);
    world_pass(world, 1);
    say_hello(world, 2);
    world_close(world);
}

static void who_was_connected_before_the_ban_of_the_address_cannot_say_hello(void **state)
{
    (void)state;
    struct world *world = open_lobby(1);
    world_connect(world, 2);
    become_operator(world, 1);
    SEND(world, 1, CHAT_BAN, TEXT("address", "10.0.0.2"), NUMBER("seconds", 0));
    expect(world, 1, CHAT_BAN);
    SEND(world, 2, CHAT_HELLO, TEXT("name", "bob"), NUMBER("version", 1));
    expect_refused(world, 2, CHAT_CODE_BANNED);
    world_close(world);
}

static void the_table_of_bans_refuses_when_it_is_full(void **state)
{
    (void)state;
    static const char *const banned[] = {"xa", "xb", "xc"};
    struct world *world = open_lobby(1);
    become_operator(world, 1);
    for (size_t i = 0; i < 3; i++) {
        SEND(world, 1, CHAT_BAN, TEXT("name", banned[i]), NUMBER("seconds", 0));
        expect(world, 1, CHAT_BAN);
    }
    SEND(world, 1, CHAT_BAN, TEXT("name", "xd"), NUMBER("seconds", 0));
    expect_refused(world, 1, CHAT_CODE_TOO_MANY_BANS);
    assert_int_equal(number_of("limit"), 3);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whoever_never_says_hello_is_told_so_and_closed),
        TEST(an_empty_room_is_remembered_for_a_while),
        TEST(a_flood_is_refused_then_muted_and_a_new_connection_is_muted_still),
        TEST(other_requests_flood_as_well_and_end_the_connection),
        TEST(a_ban_ends_when_its_time_is_over),
        TEST(who_was_connected_before_the_ban_of_the_address_cannot_say_hello),
        TEST(the_table_of_bans_refuses_when_it_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
