/* SPDX-License-Identifier: MIT
 * The rooms' verifier: each kind of wrong is told from the others, and nothing right is taken for
 * wrong. Room 1 of 2, with 3 members, is the one that things happen in. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

#include "../../tools/stress/room_check.h"

#define ROOM 1
#define MEMBERS 3
#define WINDOW 4
#define BASE 100 /* the number of the first line */

static struct room_check check;
static void *memory;
static uint64_t time_ns;

static void prepare(bool with_others)
{
    free(memory);
    memory = calloc(1, room_check_bytes(2, MEMBERS, WINDOW));
    assert_non_null(memory);
    memset(&check, 0, sizeof(check));
    check.rooms = 2;
    check.room_size = MEMBERS;
    check.window = WINDOW;
    check.with_others = with_others;
    room_check_begin(&check, memory);
    for (uint32_t member = 0; member < MEMBERS; member++) {
        assert_true(room_check_join(&check, ROOM, member, BASE));
    }
}

static void say(uint32_t member)
{
    assert_true(room_check_may_say(&check, ROOM, member));
    uint64_t sequence = room_check_next_said(&check, ROOM, member);
    room_check_say(&check, ROOM, member, 1000 * (member + 1) + sequence);
}

static bool hear(uint32_t member, uint64_t number, uint32_t sender, uint64_t sequence)
{
    return room_check_hear(&check, ROOM, member, number, sender, sequence, &time_ns);
}

static void all_hear(uint64_t number, uint32_t sender, uint64_t sequence)
{
    for (uint32_t member = 0; member < MEMBERS; member++) {
        assert_true(hear(member, number, sender, sequence));
        assert_int_equal(time_ns, 1000 * (sender + 1) + sequence);
    }
}

static void expect(uint64_t lost, uint64_t duplicated, uint64_t reordered, uint64_t corrupted,
                   uint64_t foreign)
{
    assert_int_equal(check.wrong[ROOM_WRONG_LOST], lost);
    assert_int_equal(check.wrong[ROOM_WRONG_DUPLICATED], duplicated);
    assert_int_equal(check.wrong[ROOM_WRONG_REORDERED], reordered);
    assert_int_equal(check.wrong[ROOM_WRONG_CORRUPTED], corrupted);
    assert_int_equal(check.wrong[ROOM_WRONG_FOREIGN], foreign);
}

static void expect_first(enum room_wrong_kind kind, uint32_t member, uint64_t number)
{
    assert_int_equal(check.first.kind, kind);
    assert_int_equal(check.first.room, ROOM);
    assert_int_equal(check.first.member, member);
    assert_int_equal(check.first.number, number);
}

static void expect_settled(uint64_t expected, uint64_t settled)
{
    assert_int_equal(check.expected, expected);
    assert_int_equal(check.settled, settled);
}

static void lines_that_all_hear_in_one_order_are_right(void **state)
{
    (void)state;
    prepare(false);
    say(0);
    say(2);
    say(0);
    /* The server's order is its own, but each sender's lines stay in theirs. */
    all_hear(BASE, 2, 0);
    all_hear(BASE + 1, 0, 0);
    all_hear(BASE + 2, 0, 1);
    expect(0, 0, 0, 0, 0);
    assert_int_equal(check.first.kind, ROOM_WRONG_NONE);
    expect_settled(9, 9);
}

static void members_hear_at_different_times(void **state)
{
    (void)state;
    prepare(false);
    say(0);
    say(1);
    assert_true(hear(2, BASE, 0, 0));
    assert_true(hear(2, BASE + 1, 1, 0));
    assert_true(hear(0, BASE, 0, 0));
    assert_true(hear(1, BASE, 0, 0));
    assert_true(hear(1, BASE + 1, 1, 0));
    expect_settled(6, 5);
    assert_true(hear(0, BASE + 1, 1, 0));
    expect(0, 0, 0, 0, 0);
    expect_settled(6, 6);
}

static void the_window_opens_when_the_last_member_has_heard(void **state)
{
    (void)state;
    prepare(false);
    for (int i = 0; i < WINDOW; i++) {
        say(1);
    }
    assert_false(room_check_may_say(&check, ROOM, 0));
    assert_true(hear(0, BASE, 1, 0));
    assert_true(hear(1, BASE, 1, 0));
    assert_false(room_check_may_say(&check, ROOM, 0));
    assert_true(hear(2, BASE, 1, 0));
    assert_true(room_check_may_say(&check, ROOM, 0));
    assert_false(room_check_may_say(&check, 0, 0)); /* nobody is in that room */
}

static void a_line_passed_over_is_lost_for_that_member_alone(void **state)
{
    (void)state;
    prepare(false);
    say(0);
    say(0);
    assert_true(hear(0, BASE, 0, 0));
    assert_true(hear(0, BASE + 1, 0, 1));
    assert_true(hear(1, BASE + 1, 0, 1));
    assert_true(hear(2, BASE, 0, 0));
    assert_true(hear(2, BASE + 1, 0, 1));
    expect(1, 0, 0, 0, 0);
    expect_first(ROOM_WRONG_LOST, 1, BASE);
    assert_int_equal(check.first.next, BASE);
    expect_settled(6, 6);
    assert_true(room_check_may_say(&check, ROOM, 0));
}

static void a_line_that_nobody_hears_is_lost_for_each(void **state)
{
    (void)state;
    prepare(false);
    say(0);
    say(1);
    for (uint32_t member = 0; member < MEMBERS; member++) {
        assert_true(hear(member, BASE + 1, 1, 0));
    }
    expect(3, 0, 0, 0, 0);
    expect_settled(6, 6);
    /* The window is free again. */
    for (int i = 0; i < WINDOW; i++) {
        say(2);
    }
}

static void a_line_that_comes_late_is_reordered_not_lost(void **state)
{
    (void)state;
    prepare(false);
    say(0);
    say(1);
    assert_true(hear(2, BASE + 1, 1, 0));
    assert_false(hear(2, BASE, 0, 0));
    expect(0, 0, 1, 0, 0);
    /* The first thing that was seen was its absence. */
    expect_first(ROOM_WRONG_LOST, 2, BASE);
    expect_settled(6, 2);
}

static void a_line_heard_twice_is_duplicated(void **state)
{
    (void)state;
    prepare(false);
    say(0);
    assert_true(hear(1, BASE, 0, 0));
    assert_false(hear(1, BASE, 0, 0));
    expect(0, 1, 0, 0, 0);
    expect_first(ROOM_WRONG_DUPLICATED, 1, BASE);
    expect_settled(3, 1);
}

static void a_line_that_is_broadcast_twice_is_duplicated_for_each(void **state)
{
    (void)state;
    prepare(false);
    say(0);
    all_hear(BASE, 0, 0);
    for (uint32_t member = 0; member < MEMBERS; member++) {
        assert_false(hear(member, BASE + 1, 0, 0));
    }
    expect(0, 3, 0, 0, 0);
    expect_settled(3, 3);
    say(1);
    all_hear(BASE + 2, 1, 0);
}

static void members_that_hear_two_lines_in_different_orders_are_found_out(void **state)
{
    (void)state;
    prepare(false);
    say(0);
    say(1);
    assert_true(hear(0, BASE, 0, 0));
    assert_false(hear(1, BASE, 1, 0));
    expect(0, 0, 1, 0, 0);
    expect_first(ROOM_WRONG_REORDERED, 1, BASE);
}

static void a_sender_whose_lines_change_places_is_found_out(void **state)
{
    (void)state;
    prepare(false);
    say(0);
    say(0);
    assert_false(hear(1, BASE, 0, 1));
    expect(0, 0, 1, 0, 0);
    assert_true(hear(1, BASE + 1, 0, 0));
    expect(0, 0, 1, 0, 0);
}

static void a_senders_line_after_a_lost_one_of_theirs_is_right(void **state)
{
    (void)state;
    prepare(false);
    say(0);
    say(0);
    assert_true(hear(1, BASE + 1, 0, 1)); /* nobody knows yet which line the lost one was */
    assert_true(hear(2, BASE, 0, 0));
    assert_true(hear(2, BASE + 1, 0, 1));
    expect(1, 0, 0, 0, 0);
}

static void a_damaged_line_takes_its_place_and_nothing_more(void **state)
{
    (void)state;
    prepare(false);
    say(0);
    say(1);
    assert_false(hear(0, BASE, ROOM_UNKNOWN, 0));
    expect(0, 0, 0, 1, 0);
    expect_first(ROOM_WRONG_CORRUPTED, 0, BASE);
    assert_true(hear(0, BASE + 1, 1, 0));
    assert_true(hear(1, BASE, 0, 0));
    assert_true(hear(2, BASE, 0, 0));
    expect(0, 0, 0, 1, 0);
    expect_settled(6, 4);
}

static void a_line_that_nobody_said_is_corrupted(void **state)
{
    (void)state;
    prepare(false);
    assert_false(hear(0, BASE, 2, 0));
    expect(0, 0, 0, 1, 0);
    assert_false(hear(0, BASE + 1000000, 2, 0));
    assert_false(hear(0, UINT64_MAX, 2, 0));
    expect(0, 0, 0, 3, 0);
    expect_settled(0, 0);
}

static void a_strangers_line_is_foreign_unless_people_may_talk(void **state)
{
    (void)state;
    prepare(false);
    assert_false(hear(0, BASE, ROOM_NOT_OURS, 0));
    expect(0, 0, 0, 0, 1);
    prepare(true);
    say(0);
    for (uint32_t member = 0; member < MEMBERS; member++) {
        assert_false(hear(member, BASE, ROOM_NOT_OURS, 0));
        assert_true(hear(member, BASE + 1, 0, 0));
    }
    expect(0, 0, 0, 0, 0);
    assert_int_equal(check.others, 3);
    expect_settled(3, 3);
}

static void somebody_who_is_not_in_the_room_hears_nothing(void **state)
{
    (void)state;
    prepare(false);
    say(0);
    assert_false(room_check_hear(&check, 0, 1, BASE, 0, 0, &time_ns));
    expect(0, 0, 0, 0, 1);
    assert_int_equal(check.first.room, 0);
}

static void who_leaves_is_waited_for_no_more(void **state)
{
    (void)state;
    prepare(false);
    say(0);
    say(0);
    assert_true(hear(0, BASE, 0, 0));
    assert_true(hear(1, BASE, 0, 0));
    room_check_leave(&check, ROOM, 2); /* has both before it, one of them heard by others */
    room_check_leave(&check, ROOM, 2);
    assert_int_equal(check.abandoned, 2);
    assert_true(hear(0, BASE + 1, 0, 1));
    assert_true(hear(1, BASE + 1, 0, 1));
    assert_int_equal(check.expected, check.settled + check.abandoned);
    say(1);
    assert_int_equal(check.expected, 6 + 2);
    expect(0, 0, 0, 0, 0);
}

static void who_joins_is_told_the_same_number_as_the_others(void **state)
{
    (void)state;
    prepare(false);
    room_check_leave(&check, ROOM, 2);
    assert_false(room_check_join(&check, ROOM, 2, BASE + 1));
    expect(0, 0, 0, 1, 0);
    assert_true(room_check_join(&check, ROOM, 2, BASE));
    assert_false(room_check_join(&check, ROOM, 2, BASE));
    expect(0, 0, 0, 2, 0);
}

static void where_people_talk_one_may_join_between_their_lines(void **state)
{
    (void)state;
    prepare(true);
    room_check_leave(&check, ROOM, 2);
    assert_true(room_check_join(&check, ROOM, 2, BASE + 1));
    for (uint32_t member = 0; member < 2; member++) {
        assert_false(hear(member, BASE, ROOM_NOT_OURS, 0));
    }
    for (int i = 0; i < WINDOW; i++) {
        say(2); /* what only two of them had to hear is forgotten */
    }
    all_hear(BASE + 1, 2, 0);
    expect(0, 0, 0, 0, 0);
}

static void a_line_without_a_sequence_is_the_senders_eldest(void **state)
{
    (void)state;
    uint64_t sequence = 99;
    prepare(false);
    assert_false(room_check_sequence(&check, ROOM, BASE, 1, &sequence));
    say(1);
    say(1);
    assert_true(room_check_sequence(&check, ROOM, BASE, 1, &sequence));
    assert_int_equal(sequence, 0);
    assert_true(hear(0, BASE, 1, 0));
    assert_true(room_check_sequence(&check, ROOM, BASE, 1, &sequence));
    assert_int_equal(sequence, 0);
    assert_true(room_check_sequence(&check, ROOM, BASE + 1, 1, &sequence));
    assert_int_equal(sequence, 1);
}

static void many_rounds_through_the_ring_stay_right(void **state)
{
    (void)state;
    prepare(false);
    for (uint64_t line = 0; line < 1000; line++) {
        say((uint32_t)(line % MEMBERS));
        all_hear(BASE + line, (uint32_t)(line % MEMBERS), line / MEMBERS);
    }
    expect(0, 0, 0, 0, 0);
    expect_settled(3000, 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_all_hear_in_one_order_are_right),
        cmocka_unit_test(members_hear_at_different_times),
        cmocka_unit_test(the_window_opens_when_the_last_member_has_heard),
        cmocka_unit_test(a_line_passed_over_is_lost_for_that_member_alone),
        cmocka_unit_test(a_line_that_nobody_hears_is_lost_for_each),
        cmocka_unit_test(a_line_that_comes_late_is_reordered_not_lost),
        cmocka_unit_test(a_line_heard_twice_is_duplicated),
        cmocka_unit_test(a_line_that_is_broadcast_twice_is_duplicated_for_each),
        cmocka_unit_test(members_that_hear_two_lines_in_different_orders_are_found_out),
        cmocka_unit_test(a_sender_whose_lines_change_places_is_found_out),
        cmocka_unit_test(a_senders_line_after_a_lost_one_of_theirs_is_right),
        cmocka_unit_test(a_damaged_line_takes_its_place_and_nothing_more),
        cmocka_unit_test(a_line_that_nobody_said_is_corrupted),
        cmocka_unit_test(a_strangers_line_is_foreign_unless_people_may_talk),
        cmocka_unit_test(somebody_who_is_not_in_the_room_hears_nothing),
        cmocka_unit_test(who_leaves_is_waited_for_no_more),
        cmocka_unit_test(who_joins_is_told_the_same_number_as_the_others),
        cmocka_unit_test(where_people_talk_one_may_join_between_their_lines),
        cmocka_unit_test(a_line_without_a_sequence_is_the_senders_eldest),
        cmocka_unit_test(many_rounds_through_the_ring_stay_right),
    };
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    free(memory);
    return result;
}
