/* SPDX-License-Identifier: MIT
 * What bots say, and their names: each belongs to one speaker, room and sequence, and can be read
 * back. */
#include <string.h>

#include "check.h"

#include "../../tools/stress/sentence.h"

static void a_sentence_is_readable_and_fits_a_chat(void **state)
{
    (void)state;
    char text[SENTENCE_SIZE];
    size_t longest = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        size_t len = sentence_write(text, 1, i % 50, i % 7, i);
        assert_int_equal(len, strlen(text));
        assert_true(text[0] >= 'A' && text[0] <= 'Z');
        assert_non_null(strchr(".!?", text[len - 1]));
        for (size_t at = 0; at < len; at++) {
            assert_true(text[at] >= ' ' && text[at] <= '~');
        }
        assert_null(strstr(text, "  "));
        longest = len > longest ? len : longest;
    }
    assert_true(longest > 40 && longest < 200);
}

static void a_sentence_depends_on_who_says_it_where_and_when(void **state)
{
    (void)state;
    char one[SENTENCE_SIZE];
    char again[SENTENCE_SIZE];
    char other[SENTENCE_SIZE];
    (void)sentence_write(one, 7, 1, 2, 3);
    (void)sentence_write(again, 7, 1, 2, 3);
    assert_string_equal(one, again);
    static const struct {
        uint64_t seed;
        uint32_t connection;
        uint32_t room;
        uint64_t sequence;
    } others[] = {{8, 1, 2, 3}, {7, 2, 2, 3}, {7, 1, 3, 3}, {7, 1, 2, 4}};
    for (size_t i = 0; i < 4; i++) {
        (void)sentence_write(other, others[i].seed, others[i].connection, others[i].room,
                             others[i].sequence);
        assert_string_not_equal(one, other);
    }
}

static void names_are_read_back(void **state)
{
    (void)state;
    for (int people = 0; people < 2; people++) {
        for (uint32_t number = 0; number < 70000; number += number < 300 ? 1 : 997) {
            char name[SENTENCE_NAME_SIZE];
            uint32_t found = UINT32_MAX;
            size_t len = sentence_user(name, number, people != 0);
            assert_int_equal(len, strlen(name));
            assert_true(len <= 24);
            assert_true(sentence_read_user(name, len, people != 0, &found));
            assert_int_equal(found, number);
            len = sentence_room(name, number, people != 0);
            assert_true(sentence_read_room(name, len, people != 0, &found));
            assert_int_equal(found, number);
        }
    }
}

static void other_names_are_nobodys(void **state)
{
    (void)state;
    static const char *const names[] = {"",       "bot-",    "bot-x", "bot-01",  "bot-1 ",
                                        "bot--1", "botty-1", "Bot-1", "visitor", "bot-1234567890"};
    static const char *const people[] = {"",       "Ada",   "ada-", "ada-1", "ada-0",
                                         "ada-02", "ada-x", "adam", "bot-1", "ad"};
    uint32_t found;
    for (size_t i = 0; i < 10; i++) {
        assert_false(sentence_read_user(names[i], strlen(names[i]), false, &found));
        assert_false(sentence_read_user(people[i], strlen(people[i]), true, &found));
    }
    assert_true(sentence_read_room("lobby", 5, true, &found));
    assert_int_equal(found, 0);
    assert_false(sentence_read_room("lobb", 4, true, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_is_readable_and_fits_a_chat),
        cmocka_unit_test(a_sentence_depends_on_who_says_it_where_and_when),
        cmocka_unit_test(names_are_read_back),
        cmocka_unit_test(other_names_are_nobodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
