/* SPDX-License-Identifier: MIT
 * What is typed into throng-chat: commands, the line being typed, lines of a pipe; and its
 * back-off. */
#include <string.h>

#include "check.h"

#include "../../tools/chat/backoff.h"
#include "../../tools/chat/commands.h"
#include "../../tools/chat/editor.h"
#include "../../tools/chat/lines.h"

/* ---- back-off ---- */

static void waits_double_up_to_the_cap(void **state)
{
    static const uint32_t limits[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};
    struct backoff most = {0}, least = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        /* The largest remainder by limit + 1 is the limit; the smallest is 0. */
        assert_int_equal(backoff_wait_ms(&most, 0, limits[i]), limits[i]);
        assert_int_equal(backoff_wait_ms(&least, 0, 0), 0);
    }
    most.tries = UINT32_MAX;
    assert_int_equal(backoff_wait_ms(&most, 0, 30000), 30000);
}

static void only_a_connection_that_lasted_begins_anew(void **state)
{
    struct backoff backoff = {.tries = 5};
    (void)state;
    assert_int_equal(backoff_wait_ms(&backoff, BACKOFF_GOOD_MS - 1, 16000), 16000);
    assert_int_equal(backoff_wait_ms(&backoff, BACKOFF_GOOD_MS, 500), 500);
    assert_int_equal(backoff.tries, 1);
}

static void any_chance_is_a_wait_within_the_limit(void **state)
{
    (void)state;
    for (uint64_t chance = 0; chance < 100000; chance += 7) {
        struct backoff backoff = {.tries = 2};
        assert_true(backoff_wait_ms(&backoff, 0, chance * UINT64_C(0x9e3779b97f4a7c15)) <= 2000);
    }
}

/* ---- commands ---- */

static struct command command;

static enum command_kind read(const char *line)
{
    command_read(&command, line);
    return command.kind;
}

static void what_is_no_command_is_said(void **state)
{
    (void)state;
    assert_int_equal(read("hello / there"), COMMAND_SAY);
    assert_string_equal(command.rest, "hello / there");
    assert_int_equal(read(" /quit"), COMMAND_SAY); /* not at the start */
    assert_int_equal(read("//quit"), COMMAND_SAY);
    assert_string_equal(command.rest, "/quit");
    assert_int_equal(read(""), COMMAND_NOTHING);
    assert_int_equal(read("  \t"), COMMAND_NOTHING);
}

static void words_and_the_rest_are_taken_apart(void **state)
{
    (void)state;
    assert_int_equal(read("/join #lobby"), COMMAND_JOIN);
    assert_string_equal(command.word, "lobby");
    assert_int_equal(read("/join  lobby  "), COMMAND_JOIN);
    assert_int_equal(read("/msg ben  two  words "), COMMAND_MSG);
    assert_string_equal(command.word, "ben");
    assert_string_equal(command.rest, "two  words ");
    assert_int_equal(read("/leave"), COMMAND_LEAVE);
    assert_string_equal(command.word, "");
    assert_int_equal(read("/kick ben"), COMMAND_KICK);
    assert_string_equal(command.rest, "");
    assert_int_equal(read("/topic"), COMMAND_TOPIC);
    assert_int_equal(read("/quit"), COMMAND_QUIT);
}

static void seconds_are_a_word_of_digits(void **state)
{
    (void)state;
    assert_int_equal(read("/ban ben 60 for flooding"), COMMAND_BAN);
    assert_true(command.has_seconds);
    assert_int_equal(command.seconds, 60);
    assert_string_equal(command.rest, "for flooding");
    assert_int_equal(read("/ban ben 60s"), COMMAND_BAN);
    assert_false(command.has_seconds);
    assert_string_equal(command.rest, "60s");
    assert_int_equal(read("/mute ben 31536000"), COMMAND_MUTE);
    assert_int_equal(read("/mute ben 31536001"), COMMAND_BAD);
    assert_int_equal(read("/mute ben 99999999999999999999999"), COMMAND_BAD);
    assert_non_null(strstr(command.complaint, "0..31536000"));
}

static void what_is_wrong_is_said(void **state)
{
    char line[400] = "/join ";
    (void)state;
    assert_int_equal(read("/bogus x"), COMMAND_BAD);
    assert_non_null(strstr(command.complaint, "/bogus"));
    assert_int_equal(read("/"), COMMAND_BAD);
    assert_int_equal(read("/join"), COMMAND_BAD);
    assert_string_equal(command.complaint, "usage: /join ROOM");
    assert_int_equal(read("/join a b"), COMMAND_BAD);
    assert_int_equal(read("/msg ben"), COMMAND_BAD);
    assert_int_equal(read("/msg ben  "), COMMAND_BAD);
    assert_int_equal(read("/rooms x"), COMMAND_BAD);
    assert_int_equal(read("/JOIN x"), COMMAND_BAD);
    memset(line + 6, 'x', COMMAND_WORD_SIZE);
    assert_int_equal(read(line), COMMAND_BAD);
    line[6 + COMMAND_WORD_SIZE - 1] = '\0';
    assert_int_equal(read(line), COMMAND_JOIN);
}

static void every_command_has_help(void **state)
{
    const char *usage;
    size_t count = 0;
    (void)state;
    for (; command_help(count, &usage) != NULL; count++) {
        assert_memory_equal(usage + 1, command_word(count), strlen(command_word(count)));
    }
    assert_int_equal(count, 20);
    assert_null(command_word(count));
}

/* ---- the line being typed ---- */

static struct editor editor;

static int clear_editor(void **state)
{
    (void)state;
    editor_clear(&editor);
    return 0;
}

static void type(const uint32_t *codes)
{
    for (; *codes != 0; codes++) {
        editor_insert(&editor, *codes);
    }
}

static void type_text(const char *text)
{
    for (; *text != '\0'; text++) {
        editor_insert(&editor, (unsigned char)*text);
    }
}

static void characters_are_inserted_and_deleted_whole(void **state)
{
    (void)state;
    type((const uint32_t[]){'a', 0xe9, 0x65e5, 0x1f44b, 0});
    assert_string_equal(editor.text, "aé日👋");
    editor_delete(&editor, EDITOR_LEFT);
    assert_string_equal(editor.text, "aé日");
    editor_move(&editor, EDITOR_LEFT);
    editor_move(&editor, EDITOR_LEFT);
    editor_insert(&editor, 'b');
    assert_string_equal(editor.text, "abé日");
    editor_delete(&editor, EDITOR_RIGHT);
    assert_string_equal(editor.text, "ab日");
    editor_move(&editor, EDITOR_RIGHT);
    editor_move(&editor, EDITOR_RIGHT); /* at the end already */
    editor_delete(&editor, EDITOR_RIGHT);
    assert_int_equal(editor.cursor, 5);
    editor_delete(&editor, EDITOR_HOME);
    assert_string_equal(editor.text, "");
    editor_delete(&editor, EDITOR_LEFT);
    assert_int_equal(editor.size, 0);
}

static void a_letter_and_its_accent_go_together(void **state)
{
    (void)state;
    type((const uint32_t[]){'x', 'e', 0x301, 0});
    editor_move(&editor, EDITOR_LEFT);
    assert_int_equal(editor.cursor, 1);
    editor_move(&editor, EDITOR_RIGHT);
    assert_int_equal(editor.cursor, 4);
    editor_delete(&editor, EDITOR_LEFT);
    assert_string_equal(editor.text, "x");
}

static void words_are_moved_over_and_deleted(void **state)
{
    (void)state;
    type_text("one two  three");
    editor_delete(&editor, EDITOR_WORD_LEFT);
    assert_string_equal(editor.text, "one two  ");
    editor_move(&editor, EDITOR_WORD_LEFT);
    assert_int_equal(editor.cursor, 4);
    editor_move(&editor, EDITOR_WORD_RIGHT);
    assert_int_equal(editor.cursor, 7);
    editor_move(&editor, EDITOR_HOME);
    editor_delete(&editor, EDITOR_END);
    assert_string_equal(editor.text, "");
}

static void control_characters_and_what_is_too_long_are_not_inserted(void **state)
{
    (void)state;
    type((const uint32_t[]){1, 27, 0x7f, 0x9b, 0x202e, 0xd800, 0x110000, 0});
    assert_int_equal(editor.size, 0);
    for (int i = 0; i < EDITOR_BYTES_MAX + 10; i++) {
        editor_insert(&editor, 'x');
    }
    assert_int_equal(editor.size, EDITOR_BYTES_MAX);
}

static void the_history_goes_back_and_returns_to_what_was_typed(void **state)
{
    char line[EDITOR_BYTES_MAX + 1];
    (void)state;
    type_text("one");
    editor_take(&editor, line);
    assert_string_equal(line, "one");
    assert_int_equal(editor.size, 0);
    for (int i = 0; i < 2; i++) { /* the same again is kept once */
        type_text("two");
        editor_take(&editor, line);
    }
    type_text("new");
    editor_older(&editor);
    assert_string_equal(editor.text, "two");
    editor_older(&editor);
    editor_older(&editor); /* nothing is older */
    assert_string_equal(editor.text, "one");
    editor_newer(&editor);
    editor_newer(&editor);
    editor_newer(&editor);
    assert_string_equal(editor.text, "new");
}

static void the_history_forgets_the_oldest(void **state)
{
    char line[EDITOR_BYTES_MAX + 1], name[16];
    (void)state;
    for (int i = 0; i < EDITOR_HISTORY_MAX + 3; i++) {
        (void)snprintf(name, sizeof(name), "line %d", i);
        type_text(name);
        editor_take(&editor, line);
    }
    for (int i = 0; i < EDITOR_HISTORY_MAX + 3; i++) {
        editor_older(&editor);
    }
    assert_string_equal(editor.text, "line 3");
}

static bool candidate(void *context, const char *word, bool first, size_t index, char *text,
                      size_t size)
{
    static const char *const names[] = {"ben", "bert"};
    (void)context;
    if (index >= 2 || strncmp(names[index], word, strlen(word)) != 0) {
        return false;
    }
    (void)snprintf(text, size, first ? "%s: " : "%s ", names[index]);
    return true;
}

static void tab_goes_through_the_candidates_and_back(void **state)
{
    (void)state;
    type_text("hi b");
    editor_complete(&editor, candidate, NULL);
    assert_string_equal(editor.text, "hi ben ");
    editor_complete(&editor, candidate, NULL);
    assert_string_equal(editor.text, "hi bert ");
    editor_complete(&editor, candidate, NULL);
    assert_string_equal(editor.text, "hi b");
    editor_complete(&editor, candidate, NULL);
    editor_insert(&editor, '!'); /* takes it */
    assert_string_equal(editor.text, "hi ben !");
    editor_delete(&editor, EDITOR_HOME);
    type_text("zz");
    editor_complete(&editor, candidate, NULL);
    assert_string_equal(editor.text, "zz");
}

/* ---- lines of a pipe ---- */

static void put(struct lines *lines, const char *text, size_t size)
{
    assert_true(size <= lines_space(lines));
    memcpy(lines_end(lines), text, size);
    lines_added(lines, size);
}

static void lines_are_whole_wherever_they_are_cut(void **state)
{
    static const char text[] = "one\r\n\ntw\0o\nlast";
    static const char *const expected[] = {"one", "", "two", "last"};
    (void)state;
    for (size_t cut = 0; cut < sizeof(text); cut++) {
        struct lines lines = {0};
        char line[LINES_BYTES_MAX + 1];
        size_t count = 0;
        put(&lines, text, cut);
        while (lines_take(&lines, line)) {
            assert_string_equal(line, count < 4 ? expected[count] : "no fifth one");
            count++;
        }
        put(&lines, text + cut, sizeof(text) - 1 - cut);
        lines_finish(&lines);
        while (lines_take(&lines, line)) {
            assert_string_equal(line, count < 4 ? expected[count] : "no fifth one");
            count++;
        }
        assert_int_equal(count, 4);
        assert_true(lines_finished(&lines));
    }
}

static void a_line_without_end_is_cut(void **state)
{
    static struct lines lines;
    static char line[LINES_BYTES_MAX + 1], much[LINES_BYTES_MAX];
    (void)state;
    memset(much, 'x', sizeof(much));
    put(&lines, much, sizeof(much) - 1);
    assert_false(lines_take(&lines, line));
    put(&lines, much, 1);
    assert_true(lines_take(&lines, line));
    assert_int_equal(strlen(line), LINES_BYTES_MAX);
    assert_false(lines_finished(&lines));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_the_cap),
        cmocka_unit_test(only_a_connection_that_lasted_begins_anew),
        cmocka_unit_test(any_chance_is_a_wait_within_the_limit),
        cmocka_unit_test(what_is_no_command_is_said),
        cmocka_unit_test(words_and_the_rest_are_taken_apart),
        cmocka_unit_test(seconds_are_a_word_of_digits),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(every_command_has_help),
        cmocka_unit_test_teardown(characters_are_inserted_and_deleted_whole, clear_editor),
        cmocka_unit_test_teardown(a_letter_and_its_accent_go_together, clear_editor),
        cmocka_unit_test_teardown(words_are_moved_over_and_deleted, clear_editor),
        cmocka_unit_test_teardown(control_characters_and_what_is_too_long_are_not_inserted,
                                  clear_editor),
        cmocka_unit_test_teardown(the_history_goes_back_and_returns_to_what_was_typed,
                                  clear_editor),
        cmocka_unit_test_teardown(the_history_forgets_the_oldest, clear_editor),
        cmocka_unit_test_teardown(tab_goes_through_the_candidates_and_back, clear_editor),
        cmocka_unit_test(lines_are_whole_wherever_they_are_cut),
        cmocka_unit_test(a_line_without_end_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
