/* SPDX-License-Identifier: MIT
 * The tables of rooms and memberships: every state of a record, limits, numbers that come again and
 * ids that do not, and all of it at random beside a plain table. */
#include "room/room_table.h"

#include <string.h>

#include "base/prng.h"
#include "check.h"

#define ROOMS 5u
#define MEMBERS 24u
#define CONNS 8u
#define WORKERS 3u

static struct tg_room_table table;
static struct tg_room_sizes sizes;
static uint64_t rooms_memory[64];
static uint64_t members_memory[256];
static struct tg_conn_rooms conns_memory[CONNS];

static void open_table(uint32_t rooms, uint32_t members, uint32_t per_connection)
{
    sizes = (struct tg_room_sizes){.rooms = rooms,
                                   .members = members,
                                   .per_connection = per_connection,
                                   .connections = CONNS,
                                   .workers = WORKERS};
    assert_true(tg_room_table_rooms_bytes(&sizes) <= sizeof rooms_memory);
    assert_true(tg_room_table_members_bytes(&sizes) <= sizeof members_memory);
    assert_true(tg_room_table_conns_bytes(&sizes) <= sizeof conns_memory);
    memset(rooms_memory, 0, sizeof rooms_memory);
    memset(members_memory, 0, sizeof members_memory);
    memset(conns_memory, 0, sizeof conns_memory);
    tg_room_table_init(&table, &sizes, rooms_memory, members_memory, conns_memory);
}

/* A connection's id tells its slot. */
static struct tg_member *add(struct tg_room *room, uint32_t slot)
{
    return tg_room_add(&table, room, UINT64_C(9) << 20 | slot, slot, slot % WORKERS);
}

static struct tg_room *make_room(void)
{
    struct tg_room *room = tg_room_create(&table);
    assert_non_null(room);
    return room;
}

/* Tells the worker what is next in the queue; answers what it is: the flag. */
static uint32_t tell(uint32_t index)
{
    const struct tg_member *due = tg_room_due(&table);
    assert_non_null(due);
    assert_int_equal(tg_member_index(&table, due), index);
    const uint32_t what = due->flags & (TG_MEMBER_JOIN_DUE | TG_MEMBER_LEAVE_DUE);
    tg_room_told(&table);
    return what;
}

static uint32_t free_records(void)
{
    return tg_index_stack_count(&table.free_members);
}

static void a_record_goes_out_and_home(void **state)
{
    (void)state;
    open_table(1, 2, 2);
    struct tg_room *room = make_room();
    struct tg_member *member = add(room, 1);
    const uint32_t index = tg_member_index(&table, member);
    assert_int_equal(tell(index), TG_MEMBER_JOIN_DUE);
    assert_null(tg_room_due(&table));
    tg_room_remove(&table, member, 1, false);
    assert_int_equal(room->members, 0);
    assert_null(tg_room_find_member(&table, room, 1));
    assert_int_equal(free_records(), 1); /* its worker has it */
    assert_int_equal(tell(index), TG_MEMBER_LEAVE_DUE);
    assert_int_equal(free_records(), 1);
    tg_room_home(&table, index);
    assert_int_equal(free_records(), 2);
}

static void a_record_of_which_nobody_was_told_is_free_when_its_turn_comes(void **state)
{
    (void)state;
    open_table(1, 2, 2);
    struct tg_room *room = make_room();
    struct tg_member *member = add(room, 1);
    const uint32_t index = tg_member_index(&table, member);
    tg_room_remove(&table, member, 1, false);
    /* Its turn comes once: whoever sends the queue sees that it is over. */
    assert_int_equal(member->flags, TG_MEMBER_LEFT | TG_MEMBER_JOIN_DUE);
    tg_room_home(&table, index);
    assert_int_equal(free_records(), 1);
    assert_int_equal(tell(index), TG_MEMBER_JOIN_DUE);
    assert_int_equal(free_records(), 2);
    assert_null(tg_room_due(&table));
}

static void a_record_whose_connection_ended_comes_home_before_it_leaves(void **state)
{
    (void)state;
    open_table(1, 3, 2);
    struct tg_room *room = make_room();
    for (uint32_t slot = 0; slot < 2; slot++) {
        struct tg_member *member = add(room, slot);
        const uint32_t index = tg_member_index(&table, member);
        (void)tell(index);
        tg_room_home(&table, index);
        assert_int_equal(free_records(), 2);
        tg_room_remove(&table, member, slot, slot == 0); /* by its end, or by the game */
        assert_null(tg_room_due(&table));
        assert_int_equal(free_records(), 3);
    }
}

static void a_record_may_come_home_while_its_leave_waits(void **state)
{
    (void)state;
    open_table(1, 2, 2);
    struct tg_room *room = make_room();
    struct tg_member *member = add(room, 1);
    const uint32_t index = tg_member_index(&table, member);
    (void)tell(index);
    tg_room_remove(&table, member, 1, false);
    tg_room_home(&table, index);
    assert_int_equal(free_records(), 1); /* it is in the queue */
    assert_int_equal(tell(index), TG_MEMBER_LEAVE_DUE);
    assert_int_equal(free_records(), 2);
}

static void what_ends_tells_nobody(void **state)
{
    (void)state;
    open_table(1, 2, 2);
    struct tg_room *room = make_room();
    struct tg_member *member = add(room, 1);
    const uint32_t index = tg_member_index(&table, member);
    (void)tell(index);
    tg_room_remove(&table, member, 1, true);
    assert_null(tg_room_due(&table));
    assert_int_equal(free_records(), 1);
    tg_room_home(&table, index);
    assert_int_equal(free_records(), 2);
}

static void the_queue_keeps_its_order(void **state)
{
    (void)state;
    open_table(2, 6, 2);
    struct tg_room *room = make_room();
    uint32_t index[4];
    struct tg_member *members[4];
    for (uint32_t slot = 0; slot < 4; slot++) {
        members[slot] = add(room, slot);
        index[slot] = tg_member_index(&table, members[slot]);
    }
    assert_int_equal(tell(index[0]), TG_MEMBER_JOIN_DUE);
    assert_int_equal(tell(index[1]), TG_MEMBER_JOIN_DUE);
    tg_room_remove(&table, members[1], 1, false);
    tg_room_remove(&table, members[0], 0, false);
    assert_int_equal(tell(index[2]), TG_MEMBER_JOIN_DUE);
    assert_int_equal(tell(index[3]), TG_MEMBER_JOIN_DUE);
    assert_int_equal(tell(index[1]), TG_MEMBER_LEAVE_DUE);
    assert_int_equal(tell(index[0]), TG_MEMBER_LEAVE_DUE);
    assert_null(tg_room_due(&table));
}

static void limits_hold(void **state)
{
    (void)state;
    open_table(2, 3, 2);
    struct tg_room *rooms[2] = {make_room(), make_room()};
    assert_null(tg_room_create(&table));
    assert_non_null(add(rooms[0], 0));
    assert_non_null(add(rooms[1], 0)); /* as many rooms as it may be in */
    assert_non_null(add(rooms[0], 1)); /* as many records as there are */
    assert_null(add(rooms[1], 1));
    assert_int_equal(table.member_count, 3);
    tg_room_remove(&table, tg_room_find_member(&table, rooms[0], 1), 1, true);
    assert_int_equal(table.member_count, 2);
    assert_null(add(rooms[0], 2)); /* its record is out */
    open_table(3, 9, 2);
    struct tg_room *three[3] = {make_room(), make_room(), make_room()};
    assert_non_null(add(three[0], 5));
    assert_non_null(add(three[1], 5));
    assert_null(add(three[2], 5));
    assert_int_equal(three[2]->members, 0);
    assert_int_equal(free_records(), 7);
}

static void a_number_comes_again_when_all_are_home_and_an_id_never(void **state)
{
    (void)state;
    open_table(1, 2, 2);
    uint64_t last = 0;
    for (uint32_t round = 0; round < 50; round++) {
        struct tg_room *room = make_room();
        const uint64_t id = room->id;
        assert_true(id > last && tg_room_number(id) == 0);
        last = id;
        struct tg_member *member = add(room, 3);
        const uint32_t index = tg_member_index(&table, member);
        (void)tell(index);
        tg_room_destroy(&table, room);
        assert_null(tg_room_find(&table, id));
        assert_int_equal(table.room_count, 0);
        assert_null(tg_room_create(&table)); /* a worker has a record of that number */
        (void)tell(index);
        assert_null(tg_room_create(&table));
        tg_room_home(&table, index);
    }
    assert_null(tg_room_find(&table, 0));
    assert_null(tg_room_find(&table, (UINT64_C(1) << TG_ROOM_BITS) | 1)); /* no such number */
}

/* ---- at random ---- */

/* What is true of each record, beside the table: its membership, and where its worker's half is. */
enum half {
    HALF_NONE,
    HALF_HERE, /* nobody was told */
    HALF_OUT,
    HALF_HOME
};

static struct {
    struct tg_room *rooms[ROOMS];
    bool in[ROOMS][CONNS];
    uint64_t last_id;
    uint8_t half[MEMBERS];
} model;

static void check_room(const struct tg_room *room, uint32_t at)
{
    uint32_t count = 0;
    uint32_t at_worker[WORKERS] = {0};
    uint32_t before = 0;
    for (uint32_t link = room->first; link != 0;) {
        const struct tg_member *member = tg_member_at(&table, link);
        const uint32_t slot = (uint32_t)(member->conn & TG_ROOM_MASK);
        assert_true(model.in[at][slot]);
        assert_int_equal(member->room_before, before);
        assert_int_equal(member->room, tg_room_number(room->id));
        assert_int_equal(member->flags & TG_MEMBER_LEFT, 0);
        at_worker[member->worker]++;
        count++;
        before = link;
        link = member->room_next;
    }
    assert_int_equal(count, room->members);
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_int_equal(tg_room_members_at(&table, room, i), at_worker[i]);
    }
    for (uint32_t slot = 0; slot < CONNS; slot++) {
        assert_int_equal(tg_room_find_member(&table, room, slot) != NULL, model.in[at][slot]);
        count -= model.in[at][slot];
    }
    assert_int_equal(count, 0);
}

static void check_all(void)
{
    uint32_t members = 0;
    uint32_t rooms = 0;
    for (uint32_t at = 0; at < ROOMS; at++) {
        if (model.rooms[at] != NULL) {
            check_room(model.rooms[at], at);
            rooms++;
        }
    }
    for (uint32_t slot = 0; slot < CONNS; slot++) {
        uint32_t count = 0;
        uint32_t link = table.conns[slot].first;
        for (; link != 0; link = tg_member_at(&table, link)->conn_next) {
            count++;
        }
        assert_int_equal(count, table.conns[slot].count);
        members += count;
        for (uint32_t at = 0; at < ROOMS; at++) {
            count -= model.in[at][slot];
        }
        assert_int_equal(count, 0);
    }
    assert_int_equal(table.member_count, members);
    assert_int_equal(table.room_count, rooms);
    assert_true(free_records() + members <= MEMBERS);
}

static void leave_at_random(struct tg_prng *prng, uint32_t at, uint32_t slot)
{
    struct tg_member *member = tg_room_find_member(&table, model.rooms[at], slot);
    if (member != NULL) {
        const bool is_home = model.half[tg_member_index(&table, member)] == HALF_HOME;
        tg_room_remove(&table, member, slot, is_home && tg_prng_below(prng, 2) == 0);
        model.in[at][slot] = false;
    }
}

static void change_room_at_random(struct tg_prng *prng, uint32_t at)
{
    if (model.rooms[at] == NULL) {
        model.rooms[at] = tg_room_create(&table);
        assert_true(model.rooms[at] == NULL || model.rooms[at]->id > model.last_id);
        model.last_id = model.rooms[at] != NULL ? model.rooms[at]->id : model.last_id;
    } else if (tg_prng_below(prng, 4) == 0) {
        tg_room_destroy(&table, model.rooms[at]);
        model.rooms[at] = NULL;
        memset(model.in[at], 0, sizeof model.in[at]);
    }
}

static void join_at_random(uint32_t at, uint32_t slot)
{
    if (model.in[at][slot]) {
        return;
    }
    const bool has_room = free_records() > 0 && table.conns[slot].count < sizes.per_connection;
    const struct tg_member *member = add(model.rooms[at], slot);
    assert_int_equal(member != NULL, has_room);
    if (member != NULL) {
        model.in[at][slot] = true;
        model.half[tg_member_index(&table, member)] = HALF_HERE;
    }
}

/* As api_room.c sends the queue, and a worker answers. */
static void tell_at_random(void)
{
    const struct tg_member *due = tg_room_due(&table);
    if (due == NULL) {
        return;
    }
    const uint32_t index = tg_member_index(&table, due);
    if ((due->flags & TG_MEMBER_JOIN_DUE) != 0) {
        assert_int_equal(model.half[index], HALF_HERE);
        if ((due->flags & TG_MEMBER_LEFT) != 0) {
            tg_room_home(&table, index);
            model.half[index] = HALF_NONE;
        } else {
            model.half[index] = HALF_OUT;
        }
    } else {
        assert_true((due->flags & TG_MEMBER_LEAVE_DUE) != 0);
        assert_true(model.half[index] == HALF_OUT || model.half[index] == HALF_HOME);
    }
    tg_room_told(&table);
}

static void home_at_random(struct tg_prng *prng)
{
    const uint32_t index = tg_prng_below(prng, MEMBERS);
    if (model.half[index] == HALF_OUT) {
        model.half[index] = HALF_HOME;
        tg_room_home(&table, index);
    }
}

static void it_agrees_with_a_plain_table(void **state)
{
    (void)state;
    struct tg_prng prng = {4};
    memset(&model, 0, sizeof model);
    open_table(ROOMS - 1, MEMBERS, 4);
    for (uint32_t step = 0; step < 40000; step++) {
        const uint32_t at = tg_prng_below(&prng, ROOMS);
        const uint32_t slot = tg_prng_below(&prng, CONNS);
        const uint32_t pick = tg_prng_below(&prng, 16);
        if (pick == 0) {
            change_room_at_random(&prng, at);
        } else if (pick < 7 && model.rooms[at] != NULL) {
            join_at_random(at, slot);
        } else if (pick < 10 && model.rooms[at] != NULL) {
            leave_at_random(&prng, at, slot);
        } else if (pick < 13) {
            tell_at_random();
        } else {
            home_at_random(&prng);
        }
        check_all();
    }
    for (uint32_t at = 0; at < ROOMS; at++) {
        if (model.rooms[at] != NULL) {
            tg_room_destroy(&table, model.rooms[at]);
        }
    }
    while (tg_room_due(&table) != NULL) {
        tell_at_random();
    }
    for (uint32_t index = 0; index < MEMBERS; index++) {
        if (model.half[index] == HALF_OUT) {
            tg_room_home(&table, index);
        }
    }
    assert_int_equal(free_records(), MEMBERS);
    assert_int_equal(tg_index_stack_count(&table.free_rooms), ROOMS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_goes_out_and_home),
        cmocka_unit_test(a_record_of_which_nobody_was_told_is_free_when_its_turn_comes),
        cmocka_unit_test(a_record_whose_connection_ended_comes_home_before_it_leaves),
        cmocka_unit_test(a_record_may_come_home_while_its_leave_waits),
        cmocka_unit_test(what_ends_tells_nobody),
        cmocka_unit_test(the_queue_keeps_its_order),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_number_comes_again_when_all_are_home_and_an_id_never),
        cmocka_unit_test(it_agrees_with_a_plain_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
