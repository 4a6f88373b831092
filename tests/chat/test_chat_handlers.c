/* SPDX-License-Identifier: MIT
 * What requests do, where it takes a short memory, a clock that is set or a look inside; what a client can see
 * is in check_chat.py. */
#include <string.h>

#include "check.h"
#include "world.h"

static struct throng_decoder *decoder;
static struct throng_message taken;

static int create_decoder(void **state)
{
    (void)state;
    return throng_decoder_create(&decoder, NULL, NULL);
}

static int destroy_decoder(void **state)
{
    (void)state;
    throng_decoder_destroy(decoder);
    return 0;
}

/* ---- a client's words ---- */

struct field {
    const char *key;
    const char *text; /* NULL: it is a number */
    uint64_t number;
};

/* Sends request 1 with up to three fields. */
static void send3(struct world *world, uint32_t conn, uint32_t type, const struct field fields[3])
{
    uint8_t bytes[4096];
    struct throng_pack pack;
    uint32_t count = 0;
    while (count < 3 && fields[count].key != NULL) {
        count++;
    }
    throng_pack_to_buffer(&pack, bytes, sizeof(bytes));
    throng_pack_envelope(&pack, type, 1);
    throng_pack_map(&pack, count);
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].text != NULL) {
            throng_pack_field_text(&pack, fields[i].key, fields[i].text);
        } else {
            throng_pack_field_u64(&pack, fields[i].key, fields[i].number);
        }
    }
    int64_t size = throng_pack_end(&pack);
    assert_true(size > 0);
    world_send(world, conn, bytes, (size_t)size);
}

#define SEND(world, conn, type, ...) send3(world, conn, type, (const struct field[3]){__VA_ARGS__})
#define TEXT(key, text)                                                                            \
    {                                                                                              \
        key, text, 0                                                                               \
    }
#define NUMBER(key, number)                                                                        \
    {                                                                                              \
        key, NULL, number                                                                          \
    }

/* ---- what it hears ---- */

/* The next message must be of this type. */
static void expect(struct world *world, uint32_t conn, uint32_t type)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    if (!world_take(world, conn, &data, &size)) {
        fail_msg("connection %u got nothing, and should have got %u", conn, type);
    }
    assert_int_equal(throng_decode(decoder, data, size, &taken), 0);
    if (taken.type != type) {
        fail_msg("connection %u got type %u, and should have got %u", conn, taken.type, type);
    }
}

static void expect_nothing(const struct world *world, uint32_t conn)
{
    assert_int_equal(world->conns[conn].count, 0);
}

static uint64_t number_of(const char *key)
{
    uint64_t number = 0;
    assert_int_equal(throng_body_u64(&taken, key, &number), 0);
    return number;
}

static void expect_text(const char *key, const char *expected)
{
    const char *text = NULL;
    size_t size = 0;
    assert_int_equal(throng_body_string(&taken, key, &text, &size), 0);
    if (size != strlen(expected) || memcmp(text, expected, size) != 0) {
        fail_msg("%s is \"%.*s\" instead of \"%s\"", key, (int)size, text, expected);
    }
}

static void expect_refused(struct world *world, uint32_t conn, enum chat_code code)
{
    expect(world, conn, CHAT_REFUSED);
    assert_int_equal(number_of("code"), code);
}

static void expect_goodbye(struct world *world, uint32_t conn, enum chat_code code)
{
    expect(world, conn, CHAT_GOODBYE);
    assert_int_equal(number_of("code"), code);
    assert_true(world->conns[conn].is_closing);
}

/* ---- usual steps ---- */

static const char *const names[] = {"", "ana", "bob", "cy", "dan", "eve", "fay", "gus", "hal"};

static void say_hello(struct world *world, uint32_t conn)
{
    world_connect(world, conn);
    SEND(world, conn, CHAT_HELLO, TEXT("name", names[conn]), NUMBER("version", 1));
    expect(world, conn, CHAT_HELLO);
}

/* The first `count` connections are in the room. */
static struct world *open_lobby(uint32_t count)
{
    struct world *world = world_open(NULL);
    for (uint32_t conn = 1; conn <= count; conn++) {
        say_hello(world, conn);
        SEND(world, conn, CHAT_JOIN, TEXT("room", "lobby"));
        expect(world, conn, CHAT_JOIN);
    }
    for (uint32_t conn = 1; conn <= count; conn++) {
        world_forget(world, conn);
    }
    return world;
}

static void say(struct world *world, uint32_t conn, const char *text)
{
    SEND(world, conn, CHAT_SAY, TEXT("room", "lobby"), TEXT("text", text));
}

static void become_operator(struct world *world, uint32_t conn)
{
    SEND(world, conn, CHAT_OPERATOR, TEXT("token", WORLD_TOKEN));
    expect(world, conn, CHAT_OPERATOR);
}

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

/* ---- time ---- */

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, create_decoder, destroy_decoder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_that_nobody_could_get_takes_no_number),
        TEST(whoever_cannot_be_answered_is_disconnected),
        TEST(a_lost_notice_about_members_is_made_good_by_stale),
        TEST(a_private_message_that_cannot_be_written_is_refused),
        TEST(a_join_that_the_library_refuses_leaves_nothing_behind),
        TEST(as_many_rooms_and_members_as_there_may_be),
        TEST(whoever_never_says_hello_is_told_so_and_closed),
        TEST(an_empty_room_is_remembered_for_a_while),
        TEST(a_flood_is_refused_then_muted_and_a_new_connection_is_muted_still),
        TEST(other_requests_flood_as_well_and_end_the_connection),
        TEST(a_ban_ends_when_its_time_is_over),
        TEST(who_was_connected_before_the_ban_of_the_address_cannot_say_hello),
        TEST(the_table_of_bans_refuses_when_it_is_full),
        TEST(an_operator_may_kick_himself),
        TEST(a_name_is_free_as_soon_as_its_user_was_told_to_go),
        TEST(a_closed_room_is_another_one_when_it_is_made_again),
        TEST(nonsense_is_answered_sixteen_times),
        TEST(the_end_of_the_server_is_told_to_everybody_with_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
