/* SPDX-License-Identifier: MIT
 * The verifier: each kind of wrong is told from the others. */
#include <string.h>

#include "check.h"

#include "../../tools/stress/verify.h"

#define CONNECTION 2

static struct verifier verifier;
static struct verify_stream stream;

/* `size` bytes each, `sent` of them on their way. */
static void prepare(uint32_t size, uint64_t sent)
{
    memset(&verifier, 0, sizeof(verifier));
    verifier.kind = (struct payload_kind){.seed = 1, .size_min = size, .size_max = size};
    verifier.connections = 4;
    stream = (struct verify_stream){.sent = sent, .next = 0};
}

/* Hands in message `sequence` of `connection`, with byte `damaged` changed unless that is -1. */
static bool echo_damaged(uint32_t connection, uint64_t sequence, int damaged)
{
    uint8_t bytes[256];
    size_t size = payload_fill(&verifier.kind, connection, sequence, bytes);
    if (damaged >= 0) {
        bytes[damaged] ^= 0x40;
    }
    return verify_echo(&verifier, &stream, CONNECTION, bytes, size);
}

static bool echo(uint64_t sequence)
{
    return echo_damaged(CONNECTION, sequence, -1);
}

static void expect(uint64_t lost, uint64_t duplicated, uint64_t reordered, uint64_t corrupted,
                   uint64_t foreign, uint64_t next)
{
    assert_int_equal(verifier.lost, lost);
    assert_int_equal(verifier.duplicated, duplicated);
    assert_int_equal(verifier.reordered, reordered);
    assert_int_equal(verifier.corrupted, corrupted);
    assert_int_equal(verifier.foreign, foreign);
    assert_int_equal(stream.next, next);
}

static void echoes_in_order_are_right(void **state)
{
    (void)state;
    prepare(64, 3);
    assert_true(echo(0));
    assert_true(echo(1));
    assert_true(echo(2));
    expect(0, 0, 0, 0, 0, 3);
}

static void a_message_passed_over_is_lost(void **state)
{
    (void)state;
    prepare(64, 4);
    assert_true(echo(0));
    assert_false(echo(2));
    assert_true(echo(3));
    expect(1, 0, 0, 0, 0, 4);
}

static void two_that_change_places_are_one_reordered(void **state)
{
    (void)state;
    prepare(64, 3);
    assert_false(echo(1));
    assert_false(echo(0));
    assert_true(echo(2));
    expect(0, 0, 1, 0, 0, 3);
}

static void a_second_copy_is_duplicated_at_once_and_later(void **state)
{
    (void)state;
    prepare(64, 3);
    assert_true(echo(0));
    assert_false(echo(0));
    assert_true(echo(1));
    assert_true(echo(2));
    assert_false(echo(1));
    expect(0, 2, 0, 0, 0, 3);
}

static void a_late_message_that_comes_twice_is_reordered_and_duplicated(void **state)
{
    (void)state;
    prepare(64, 2);
    assert_false(echo(1));
    assert_false(echo(0));
    assert_false(echo(0));
    expect(0, 1, 1, 0, 0, 2);
}

static void a_changed_byte_is_corrupted_and_counts_as_an_answer(void **state)
{
    (void)state;
    prepare(64, 3);
    assert_false(echo_damaged(CONNECTION, 0, 63)); /* in the body */
    assert_false(echo_damaged(CONNECTION, 1, 3));  /* in the connection */
    assert_false(echo_damaged(CONNECTION, 2, 11)); /* in the sequence */
    expect(0, 0, 0, 3, 0, 3);
}

static void a_damaged_message_ahead_leaves_those_before_it_lost(void **state)
{
    (void)state;
    prepare(64, 3);
    assert_false(echo_damaged(CONNECTION, 2, 63));
    expect(2, 0, 0, 1, 0, 3);
}

static void a_message_of_another_connection_is_foreign_and_answers_nothing(void **state)
{
    (void)state;
    prepare(64, 2);
    assert_false(echo_damaged(3, 0, -1));
    expect(0, 0, 0, 0, 1, 0);
    assert_true(echo(0));
}

static void a_damaged_message_of_another_connection_is_corrupted(void **state)
{
    (void)state;
    prepare(64, 2);
    assert_false(echo_damaged(3, 0, 20));
    expect(0, 0, 0, 1, 0, 1);
}

static void a_message_of_a_connection_that_does_not_exist_is_corrupted(void **state)
{
    (void)state;
    prepare(64, 2);
    assert_false(echo_damaged(4, 0, -1));
    expect(0, 0, 0, 1, 0, 1);
}

static void a_message_never_sent_is_corrupted(void **state)
{
    (void)state;
    prepare(64, 2);
    assert_false(echo(2));
    expect(0, 0, 0, 1, 0, 1);
}

static void something_when_nothing_is_on_its_way_settles_nothing(void **state)
{
    (void)state;
    prepare(64, 0);
    assert_false(echo(0));
    expect(0, 0, 0, 1, 0, 0);
    prepare(8, 0);
    assert_false(echo(0));
    expect(0, 0, 0, 1, 0, 0);
}

static void a_cut_message_is_corrupted(void **state)
{
    uint8_t bytes[64];
    (void)state;
    prepare(64, 2);
    (void)payload_fill(&verifier.kind, CONNECTION, 0, bytes);
    assert_false(verify_echo(&verifier, &stream, CONNECTION, bytes, 63));
    assert_false(verify_echo(&verifier, &stream, CONNECTION, bytes, 0));
    expect(0, 0, 0, 2, 0, 2);
}

static void short_messages_are_told_apart_by_their_neighbours(void **state)
{
    (void)state;
    prepare(8, 8);
    assert_true(echo(0));
    assert_false(echo(0)); /* again */
    assert_false(echo(3)); /* 1 and 2 passed over */
    assert_false(echo(2)); /* late */
    assert_false(echo_damaged(CONNECTION, 4, 7));
    assert_true(echo(5));
    expect(1, 1, 1, 1, 0, 6);
}

static void a_short_message_of_another_connection_can_only_be_corrupted(void **state)
{
    (void)state;
    prepare(8, 2);
    assert_false(echo_damaged(3, 0, -1));
    expect(0, 0, 0, 1, 0, 1);
}

static void empty_messages_can_only_be_counted(void **state)
{
    (void)state;
    prepare(0, 2);
    assert_true(echo(0));
    assert_true(echo(1));
    assert_false(echo(1));
    expect(0, 1, 0, 0, 0, 2);
}

static void more_missing_than_can_be_remembered_stay_lost(void **state)
{
    (void)state;
    prepare(64, VERIFY_MISSING_MAX + 2);
    assert_false(echo(VERIFY_MISSING_MAX + 1));
    expect(VERIFY_MISSING_MAX + 1, 0, 0, 0, 0, VERIFY_MISSING_MAX + 2);
    assert_false(echo(0));
    expect(VERIFY_MISSING_MAX, 0, 1, 0, 0, VERIFY_MISSING_MAX + 2);
    assert_false(echo(VERIFY_MISSING_MAX)); /* the one that found no room */
    expect(VERIFY_MISSING_MAX, 1, 1, 0, 0, VERIFY_MISSING_MAX + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes_in_order_are_right),
        cmocka_unit_test(a_message_passed_over_is_lost),
        cmocka_unit_test(two_that_change_places_are_one_reordered),
        cmocka_unit_test(a_second_copy_is_duplicated_at_once_and_later),
        cmocka_unit_test(a_late_message_that_comes_twice_is_reordered_and_duplicated),
        cmocka_unit_test(a_changed_byte_is_corrupted_and_counts_as_an_answer),
        cmocka_unit_test(a_damaged_message_ahead_leaves_those_before_it_lost),
        cmocka_unit_test(a_message_of_another_connection_is_foreign_and_answers_nothing),
        cmocka_unit_test(a_damaged_message_of_another_connection_is_corrupted),
        cmocka_unit_test(a_message_of_a_connection_that_does_not_exist_is_corrupted),
        cmocka_unit_test(a_message_never_sent_is_corrupted),
        cmocka_unit_test(something_when_nothing_is_on_its_way_settles_nothing),
        cmocka_unit_test(a_cut_message_is_corrupted),
        cmocka_unit_test(short_messages_are_told_apart_by_their_neighbours),
        cmocka_unit_test(a_short_message_of_another_connection_can_only_be_corrupted),
        cmocka_unit_test(empty_messages_can_only_be_counted),
        cmocka_unit_test(more_missing_than_can_be_remembered_stay_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
