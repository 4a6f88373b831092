/* SPDX-License-Identifier: MIT
 * What throng-chat makes of what the server says: no line is shown twice, none is missed in
 * silence. */
#include <string.h>

#include "check.h"

#include "../../tools/chat/model.h"

static struct model model;
static char heard[8192]; /* every new line, "TEXT\n" */
static struct event event;

static void hear(void *context, const struct room *room, const struct line *line)
{
    size_t used = strlen(heard);
    (void)context;
    (void)room;
    (void)snprintf(heard + used, sizeof(heard) - used, "%s%s%s\n", line->name,
                   line->name[0] != '\0' ? ": " : "", line->text);
}

static int begin(void **state)
{
    (void)state;
    heard[0] = '\0';
    model_begin(&model, "ana", hear, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    model_end(&model);
    return 0;
}

static void happen(enum event_kind kind, const char *room, const char *name, const char *text)
{
    event.kind = kind;
    (void)snprintf(event.room, sizeof(event.room), "%s", room);
    (void)snprintf(event.name, sizeof(event.name), "%s", name);
    (void)snprintf(event.text, sizeof(event.text), "%s", text);
    model_take(&model, &event, 5000);
    memset(&event, 0, sizeof(event));
}

static void line(enum event_kind kind, uint64_t seq, int64_t at_ms, const char *text)
{
    event.seq = seq;
    event.at_ms = at_ms;
    happen(kind, "lobby", "ben", text);
}

static void enter(uint64_t seq)
{
    event.seq = seq;
    event.number = 2;
    happen(EVENT_ENTERED, "lobby", "", "");
}

static void history_comes_once_and_what_follows_after_it(void **state)
{
    (void)state;
    enter(9);
    line(EVENT_PAST, 8, 800, "eight");
    line(EVENT_PAST, 9, 900, "nine");
    line(EVENT_LINE, 10, 1000, "ten");
    assert_string_equal(heard, "you are in #lobby, 2 here\nben: eight\nben: nine\nben: ten\n");
    assert_int_equal(model.missed, 0);
}

static void after_a_reconnect_only_what_is_new_is_shown(void **state)
{
    (void)state;
    enter(0);
    line(EVENT_LINE, 1, 100, "one");
    line(EVENT_LINE, 2, 200, "two");
    model_disconnected(&model);
    assert_false(model_find(&model, "lobby")->inside);
    assert_true(model_find(&model, "lobby")->wanted);
    heard[0] = '\0';
    enter(3);
    line(EVENT_PAST, 1, 100, "one");
    line(EVENT_PAST, 2, 200, "two");
    line(EVENT_PAST, 3, 300, "three");
    line(EVENT_LINE, 4, 400, "four");
    assert_string_equal(heard, "you are in #lobby, 2 here\nben: three\nben: four\n");
    assert_int_equal(model.missed + model.doubled, 0);
}

static void a_line_that_comes_again_is_not_shown_and_counted(void **state)
{
    (void)state;
    enter(0);
    line(EVENT_LINE, 1, 100, "one");
    line(EVENT_LINE, 1, 100, "one");
    assert_null(strstr(strstr(heard, "one") + 1, "one"));
    assert_int_equal(model.doubled, 1);
}

static void lines_that_never_came_are_named(void **state)
{
    (void)state;
    enter(0);
    line(EVENT_LINE, 1, 100, "one");
    line(EVENT_LINE, 4, 400, "four");
    assert_non_null(strstr(heard, "2 lines did not come\nben: four\n"));
    assert_int_equal(model.missed, 2);
    /* Longer away than the history reaches. */
    model_disconnected(&model);
    enter(10);
    line(EVENT_PAST, 10, 1000, "ten");
    assert_non_null(strstr(heard, "5 lines did not come\nben: ten\n"));
}

static void a_room_made_anew_with_fewer_lines_is_noticed(void **state)
{
    (void)state;
    enter(0);
    line(EVENT_LINE, 1, 100, "one");
    line(EVENT_LINE, 2, 200, "two");
    model_disconnected(&model);
    heard[0] = '\0';
    enter(1);
    line(EVENT_PAST, 1, 900, "other");
    line(EVENT_LINE, 2, 950, "another");
    assert_non_null(strstr(heard, "made anew"));
    assert_non_null(strstr(heard, "ben: other\nben: another\n"));
    assert_int_equal(model.doubled, 0);
}

static void a_room_made_anew_with_more_lines_is_noticed_by_its_times(void **state)
{
    (void)state;
    enter(0);
    line(EVENT_LINE, 1, 100, "same");
    model_disconnected(&model);
    heard[0] = '\0';
    enter(2);
    line(EVENT_PAST, 1, 900, "same");
    line(EVENT_PAST, 2, 950, "other");
    assert_non_null(strstr(heard, "made anew"));
    assert_non_null(strstr(heard, "ben: same\nben: other\n"));
}

static void a_room_of_another_spelling_is_the_same(void **state)
{
    (void)state;
    assert_non_null(model_want(&model, "Lobby"));
    (void)snprintf(event.old, sizeof(event.old), "Lobby");
    enter(0);
    assert_int_equal(model.room_count, 2);
    assert_string_equal(model.rooms[1].name, "lobby");
}

static void members_come_and_go(void **state)
{
    (void)state;
    enter(0);
    happen(EVENT_MEMBERS, "lobby", "", "");
    happen(EVENT_MEMBER, "lobby", "zoe", "");
    happen(EVENT_MEMBER, "lobby", "ana", "");
    happen(EVENT_MEMBER, "lobby", "ana", "");
    happen(EVENT_MEMBERS_END, "lobby", "", "");
    const struct room *room = model_find(&model, "lobby");
    assert_int_equal(room->member_count, 2);
    assert_string_equal(room->members[0], "ana");
    happen(EVENT_JOINED, "lobby", "ben", "");
    (void)snprintf(event.old, sizeof(event.old), "zoe");
    happen(EVENT_RENAMED, "lobby", "ada", "");
    assert_string_equal(room->members[0], "ada");
    assert_int_equal(room->member_count, 3);
    event.why = CHAT_WHY_QUIT;
    happen(EVENT_LEFT, "lobby", "ben", "");
    assert_int_equal(room->member_count, 2);
    (void)snprintf(event.old, sizeof(event.old), "ana");
    happen(EVENT_RENAMED, "lobby", "anna", "");
    assert_string_equal(model.name, "anna"); /* that was us */
}

static void a_room_that_put_us_out_is_not_entered_again(void **state)
{
    (void)state;
    enter(0);
    happen(EVENT_KICKED, "lobby", "", "rude");
    assert_false(model_find(&model, "lobby")->wanted);
    assert_non_null(strstr(heard, "you were put out of #lobby: rude\n"));
}

static void unread_lines_are_counted_until_somebody_looks(void **state)
{
    (void)state;
    enter(0);
    const struct room *room = model_find(&model, "lobby");
    line(EVENT_LINE, 1, 100, "banana");
    assert_int_equal(room->unread, 1);
    assert_false(room->mentioned); /* "ana" inside a word */
    line(EVENT_LINE, 2, 200, "ana: hi");
    assert_true(room->mentioned);
    assert_true(model_look(&model, 1));
    line(EVENT_LINE, 3, 300, "more");
    assert_int_equal(room->unread, 0);
    assert_false(model_look(&model, 2));
}

static void the_oldest_lines_go(void **state)
{
    (void)state;
    enter(0);
    for (uint64_t seq = 1; seq <= ROOM_LINES_MAX + 10; seq++) {
        line(EVENT_LINE, seq, 100, "x");
    }
    const struct room *room = model_find(&model, "lobby");
    assert_int_equal(room->line_count, ROOM_LINES_MAX);
    assert_int_equal(room_line(room, 0)->seq, 11);
    assert_null(room_find_line(room, 10));
}

static void a_room_that_is_left_is_forgotten_and_others_stay(void **state)
{
    (void)state;
    enter(0);
    (void)model_want(&model, "games");
    (void)model_look(&model, 2);
    model_forget(&model, model_find(&model, "lobby"));
    assert_int_equal(model.room_count, 2);
    assert_string_equal(model.rooms[model.current].name, "games");
    model_forget(&model, &model.rooms[0]); /* the server's own stays */
    assert_int_equal(model.room_count, 2);
}

static void there_are_no_more_rooms_than_the_protocol_allows(void **state)
{
    (void)state;
    for (int i = 0; i < CHAT_JOINED_MAX; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "r%d", i);
        assert_non_null(model_want(&model, name));
    }
    assert_null(model_want(&model, "more"));
    assert_non_null(model_want(&model, "r3"));
}

static void tab_means_commands_rooms_and_names(void **state)
{
    char text[64];
    (void)state;
    enter(0);
    happen(EVENT_JOINED, "lobby", "Ben", "");
    (void)model_look(&model, 1);
    assert_true(model_candidate(&model, "/jo", true, 0, text, sizeof(text)));
    assert_string_equal(text, "/join ");
    assert_true(model_candidate(&model, "#l", false, 0, text, sizeof(text)));
    assert_string_equal(text, "#lobby ");
    assert_true(model_candidate(&model, "be", true, 0, text, sizeof(text)));
    assert_string_equal(text, "Ben: ");
    assert_true(model_candidate(&model, "be", false, 0, text, sizeof(text)));
    assert_string_equal(text, "Ben ");
    assert_false(model_candidate(&model, "be", false, 1, text, sizeof(text)));
    assert_false(model_candidate(&model, "/jo", false, 0, text, sizeof(text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define MODEL_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        MODEL_TEST(history_comes_once_and_what_follows_after_it),
        MODEL_TEST(after_a_reconnect_only_what_is_new_is_shown),
        MODEL_TEST(a_line_that_comes_again_is_not_shown_and_counted),
        MODEL_TEST(lines_that_never_came_are_named),
        MODEL_TEST(a_room_made_anew_with_fewer_lines_is_noticed),
        MODEL_TEST(a_room_made_anew_with_more_lines_is_noticed_by_its_times),
        MODEL_TEST(a_room_of_another_spelling_is_the_same),
        MODEL_TEST(members_come_and_go),
        MODEL_TEST(a_room_that_put_us_out_is_not_entered_again),
        MODEL_TEST(unread_lines_are_counted_until_somebody_looks),
        MODEL_TEST(the_oldest_lines_go),
        MODEL_TEST(a_room_that_is_left_is_forgotten_and_others_stay),
        MODEL_TEST(there_are_no_more_rooms_than_the_protocol_allows),
        MODEL_TEST(tab_means_commands_rooms_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
