/* SPDX-License-Identifier: MIT
 * The intake: who goes on when the memory for messages in pieces is used up. */
#include "intake_world.h"
#include "pattern.h"

/* A pool of two blocks for a longest message: one is set aside. */
#define LONG 4000u
#define TWO_BLOCKS (2u * 4096)

static void expect_messages(uint32_t first, uint32_t last, uint32_t messages)
{
    for (uint32_t i = first; i <= last; i++) {
        if (world.conns[i].messages != messages) {
            fail_msg("connection %" PRIu32 " has %" PRIu32 " messages, not %" PRIu32, i,
                     world.conns[i].messages, messages);
        }
    }
}

static void send_each(uint32_t first, uint32_t last, uint64_t bytes)
{
    for (uint32_t i = first; i <= last; i++) {
        world_send(i, bytes);
    }
}

static enum tg_reader_place place_of(uint32_t conn)
{
    return (enum tg_reader_place)world.conns[conn].reader.place;
}

/* Connection 0 has the memory that is not set aside, 1 the block that is, and the rest has none.
 * Each peer has sent the first 1,000 bytes. */
static void open_with_holders(uint32_t buffers, uint32_t conns)
{
    world_open(TWO_BLOCKS, LONG, buffers, conns, LONG);
    for (uint32_t i = 0; i < conns; i++) {
        world_send(i, 1000);
        (void)world_turn();
    }
    assert_int_equal(place_of(0), TG_READER_READING);
    assert_int_equal(place_of(1), TG_READER_HOLDING);
    assert_int_equal(world_count(TG_READER_LACKING), conns - 2);
}

static void half_of_the_pool_is_set_aside(void **state)
{
    (void)state;
    static const struct {
        size_t pool;
        uint32_t longest;
        uint32_t kept;
    } rows[] = {
        {2 * 65536, 65536, 1}, {1024 * 1024, 65536, 8}, {1024 * 1024, 65537, 4},
        {5 * 256, 1, 2},       {1024 * 1024, 100, 256}, /* at most */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_open(rows[i].pool, rows[i].longest, 4, 1, 1);
        assert_int_equal(world.messages.kept_count, rows[i].kept);
        assert_int_equal(tg_message_pool_used_bytes(&world.messages), 0);
        world_close();
    }
}

static void more_pieces_than_memory_all_become_messages(void **state)
{
    (void)state;
    world_open(65536, 16384, 8, 40, 16000);
    send_each(0, 39, 16004);
    world_run(2000);
    expect_messages(0, 39, 1);
    world_close();
}

static void pieces_that_hold_all_memory_do_not_wait_for_each_other(void **state)
{
    (void)state;
    world_open(65536, 16384, 32, 12, 16000);
    send_each(0, 11, 5000); /* a block of 8 KiB each: four of them, and two that are set aside */
    world_run(10);
    assert_true(world_count(TG_READER_LACKING) >= 2);
    assert_int_equal(world_count(TG_READER_HOLDING), 2);
    send_each(0, 11, 11004);
    world_run(200);
    expect_messages(0, 11, 1);
    world_close();
}

static void who_lacks_memory_is_served_in_order(void **state)
{
    (void)state;
    open_with_holders(32, 10);
    world.next = 5; /* where the port begins does not matter */
    send_each(1, 9, 3004);
    world_run(60);
    expect_messages(1, 9, 1);
    for (uint32_t i = 2; i <= 9; i++) {
        assert_true(world.conns[i - 1].turn < world.conns[i].turn);
    }
    assert_int_equal(world.conns[0].messages, 0);
    world_close();
}

static void a_reader_has_a_piece_only_while_something_of_its_stream_is_here(void **state)
{
    (void)state;
    world_open(65536, 16384, 8, 3, 1000);
    world_send(0, 1004);
    world_send(1, 500);
    world_run(2);
    expect_messages(0, 0, 1);
    assert_int_equal(world.conns[0].reader.piece, TG_INDEX_NONE);
    assert_int_equal(world.conns[2].reader.piece, TG_INDEX_NONE);
    assert_true(tg_reader_is_partial(&world.intake, &world.conns[1].reader));
    assert_false(tg_reader_is_partial(&world.intake, &world.conns[0].reader));
    world_send(1, 504);
    world_run(2);
    expect_messages(1, 1, 1);
    assert_int_equal(world.conns[1].reader.piece, TG_INDEX_NONE);
    assert_int_equal(world.intake.piece_fresh, 1); /* one has served both */
    world_close();
}

static void a_piece_ends_with_its_reader_and_the_next_one_begins_anew(void **state)
{
    (void)state;
    world_open(65536, 16384, 8, 2, 1000);
    world_send(0, 3); /* of a header */
    world_run(2);
    assert_int_equal(world.conns[0].reader.piece, 0);
    world_leave(0);
    assert_int_equal(world.conns[0].reader.piece, TG_INDEX_NONE);
    world_join(0, 20);
    world_send(1, 7);
    world_run(2);
    assert_int_equal(world.conns[1].reader.piece, 0); /* with nothing of the former one's header */
    world_send(1, 997);
    world_send(0, 24);
    world_run(2);
    expect_messages(0, 1, 1);
    world_close();
}

static void who_comes_later_does_not_take_the_turn_of_who_waits(void **state)
{
    (void)state;
    open_with_holders(32, 4);
    world_leave(3);
    world_join(3, LONG);
    world_send(3, 1000);
    world_leave(1); /* its block is free, but the turn of the next one is still to come */
    world_wait();
    assert_int_equal(place_of(3), TG_READER_LACKING);
    (void)world_turn();
    assert_int_equal(place_of(2), TG_READER_HOLDING);
    assert_int_equal(place_of(3), TG_READER_LACKING);
    world_close();
}

static void input_that_waits_leaves_a_buffer_to_those_who_can_finish(void **state)
{
    (void)state;
    for (uint32_t buffers = 4; buffers <= 8; buffers++) {
        world_open(TWO_BLOCKS, LONG, buffers, 200, LONG);
        send_each(0, 199, 3 * (LONG + 4));
        world_run(6000);
        expect_messages(0, 199, 3);
        assert_true(world.stops > 0);
        world_close();
    }
}

static void who_was_stopped_is_read_again(void **state)
{
    (void)state;
    open_with_holders(4, 4); /* two that lack memory are half of the buffers */
    (void)world_turn();
    assert_int_equal(place_of(0), TG_READER_STOPPED);
    assert_false(world.conns[0].is_read);
    assert_true(world.conns[1].is_read);
    send_each(0, 3, 3004);
    world_run(60);
    expect_messages(0, 3, 1);
    assert_int_equal(world_count(TG_READER_READING), 4);
    world_close();
}

static void short_messages_pass_while_long_ones_lack_memory(void **state)
{
    (void)state;
    open_with_holders(32, 8);
    world_leave(7);
    world_join(7, 96);
    for (uint32_t i = 0; i < 50; i++) {
        world_send(7, 100);
        (void)world_turn();
    }
    expect_messages(7, 7, 50);
    world_close();
}

static void who_has_finished_a_message_lets_others_go_first(void **state)
{
    (void)state;
    for (uint32_t conns = 4; conns <= 14; conns += 10) { /* a few and many */
        open_with_holders(32, conns);
        world_send(1, 3004 + 1000); /* and the first piece of another one */
        world_run(6);
        expect_messages(1, 1, 1);
        assert_int_equal(place_of(2), TG_READER_HOLDING);
        assert_int_equal(place_of(3), TG_READER_LACKING);
        assert_int_equal(place_of(1), TG_READER_LACKING);
        send_each(2, conns - 1, 3004);
        world_run(20 * conns);
        expect_messages(2, conns - 1, 1);
        assert_int_equal(place_of(1), TG_READER_HOLDING);
        world_close();
    }
}

static void whose_turn_is_over_goes_behind_those_who_are_stopped(void **state)
{
    (void)state;
    open_with_holders(32, 4);
    world_send(1, 3004);
    while (world.conns[1].messages == 0) {
        (void)world_turn();
        assert_true(world.turns < 100);
    }
    assert_int_equal(place_of(1), TG_READER_STOPPED);
    assert_false(world.conns[1].is_read);
    (void)world_turn(); /* there are none, and two that lack memory are few */
    assert_int_equal(place_of(1), TG_READER_READING);
    assert_true(world.conns[1].is_read);
    world_close();
}

static uint32_t named_after(uint32_t ticks)
{
    for (uint32_t i = 1; i < ticks; i++) {
        assert_null(tg_intake_tick(&world.intake));
        (void)world_turn();
    }
    const struct tg_reader *reader = tg_intake_tick(&world.intake);
    assert_non_null(reader);
    return world_index(reader);
}

static void who_stands_still_while_others_lack_memory_is_named_after_a_second(void **state)
{
    (void)state;
    open_with_holders(32, 6);
    for (uint32_t i = 1; i <= 4; i++) { /* one after the other gets the block and stands still */
        assert_int_equal(named_after(4), i);
        world_leave(i);
        (void)world_turn();
        assert_int_equal(place_of(i + 1), TG_READER_HOLDING);
    }
    /* Nobody waits any more, so the last one may stand as long as it likes. */
    for (uint32_t i = 0; i < 100; i++) {
        assert_null(tg_intake_tick(&world.intake));
        (void)world_turn();
    }
    world_close();
}

static void the_one_that_has_its_block_for_longest_is_named(void **state)
{
    (void)state;
    world_open(1024 * 1024, 65536, 32, 100, 60000);
    send_each(0, 99, 40000);
    world_run(500);
    assert_int_equal(world_count(TG_READER_HOLDING), 8);
    for (uint32_t i = 0; i < 3; i++) {
        assert_null(tg_intake_tick(&world.intake));
    }
    uint32_t latest = 0; /* eight hold one, so that it is set below */
    for (uint32_t i = 0; i < 100; i++) {
        if (place_of(i) == TG_READER_HOLDING) {
            world_send(i, 20004); /* all but one go on */
            latest = i;
        }
    }
    world.conns[latest].available = 0;
    world_run(40);
    /* The others' places went to new ones, which have theirs for less than a second. */
    for (uint32_t i = 0; i < 3; i++) {
        assert_null(tg_intake_tick(&world.intake));
    }
    assert_int_equal(world_index(tg_intake_tick(&world.intake)), latest);
    world_close();
}

static void nobody_is_named_while_turns_come(void **state)
{
    (void)state;
    open_with_holders(32, 16);
    for (uint32_t i = 1; i <= 14; i++) {
        for (uint32_t tick = 0; tick < 3; tick++) {
            assert_null(tg_intake_tick(&world.intake));
            (void)world_turn();
        }
        world_send(i, 3004);
        world_run(6);
        expect_messages(i, i, 1);
    }
    world_close();
}

/* Its messages lie across the ends of receives, so it never comes to an end between two. */
static void who_always_has_more_to_send_is_named_after_five_seconds(void **state)
{
    (void)state;
    open_with_holders(4, 4); /* so few buffers that nobody can be let go first */
    for (uint32_t tick = 1; tick < 20; tick++) {
        world_send(1, LONG + 4);
        world_run(8);
        expect_messages(1, 1, tick);
        assert_null(tg_intake_tick(&world.intake));
    }
    world_send(1, LONG + 4);
    world_run(8);
    assert_int_equal(named_after(1), 1);
    world_close();
}

static void what_the_owner_holds_is_nobodys_fault(void **state)
{
    (void)state;
    open_with_holders(32, 4);
    world.keep = true;
    world_send(1, 3004);
    world_run(4);
    expect_messages(1, 1, 1);
    for (uint32_t tick = 0; tick < 100; tick++) {
        assert_null(tg_intake_tick(&world.intake));
        (void)world_turn();
    }
    assert_int_equal(world_count(TG_READER_LACKING), 2);
    world.keep = false;
    (void)world_turn();
    assert_int_equal(place_of(2), TG_READER_HOLDING);
    world_close();
}

/* Of four kept blocks the owner has three. The peer of the fourth is slow, but it is not to
 * blame. */
static void who_holds_less_than_the_owner_is_not_named(void **state)
{
    (void)state;
    world_open(8u * 4096, LONG, 32, 12, LONG);
    world.keep = true;
    for (uint32_t i = 0; i < 12; i++) {
        world_send(i, 1000);
        (void)world_turn();
    }
    assert_int_equal(world_count(TG_READER_HOLDING), 4); /* 4 to 7 */
    send_each(4, 6, 3004);
    world_run(4);
    expect_messages(4, 6, 1);
    for (uint32_t tick = 0; tick < 100; tick++) {
        assert_null(tg_intake_tick(&world.intake));
        (void)world_turn();
    }
    world.keep = false;
    (void)world_turn();
    assert_int_equal(world_count(TG_READER_HOLDING), 4); /* 7 to 10 */
    assert_int_equal(named_after(4), 7);
    world_close();
}

static void whoever_leaves_gives_back_what_it_has(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 50; seed++) {
        uint64_t random = seed;
        world_open(TWO_BLOCKS, LONG, 4, 30, LONG);
        send_each(0, 29, 2 * (LONG + 4));
        world_run(5 + seed);
        for (uint32_t i = 0; i < 29; i++) {
            uint32_t conn = (uint32_t)(test_random(&random) % 30);
            world_leave(conn);
            world.conns[conn].available = 0;
            (void)world_turn();
        }
        world_run(300);
        for (uint32_t i = 0; i < 30; i++) {
            assert_true(world.conns[i].has_left || world.conns[i].messages == 2);
        }
        world_close();
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_the_pool_is_set_aside),
        cmocka_unit_test(more_pieces_than_memory_all_become_messages),
        cmocka_unit_test(pieces_that_hold_all_memory_do_not_wait_for_each_other),
        cmocka_unit_test(who_lacks_memory_is_served_in_order),
        cmocka_unit_test(a_reader_has_a_piece_only_while_something_of_its_stream_is_here),
        cmocka_unit_test(a_piece_ends_with_its_reader_and_the_next_one_begins_anew),
        cmocka_unit_test(who_comes_later_does_not_take_the_turn_of_who_waits),
        cmocka_unit_test(input_that_waits_leaves_a_buffer_to_those_who_can_finish),
        cmocka_unit_test(who_was_stopped_is_read_again),
        cmocka_unit_test(short_messages_pass_while_long_ones_lack_memory),
        cmocka_unit_test(who_has_finished_a_message_lets_others_go_first),
        cmocka_unit_test(whose_turn_is_over_goes_behind_those_who_are_stopped),
        cmocka_unit_test(who_stands_still_while_others_lack_memory_is_named_after_a_second),
        cmocka_unit_test(the_one_that_has_its_block_for_longest_is_named),
        cmocka_unit_test(nobody_is_named_while_turns_come),
        cmocka_unit_test(who_always_has_more_to_send_is_named_after_five_seconds),
        cmocka_unit_test(what_the_owner_holds_is_nobodys_fault),
        cmocka_unit_test(who_holds_less_than_the_owner_is_not_named),
        cmocka_unit_test(whoever_leaves_gives_back_what_it_has),
    };
    return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
