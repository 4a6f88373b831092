/* SPDX-License-Identifier: MIT
 * The tables of rooms and memberships. Logic thread. */
#include "room/room_table.h"

#include <string.h>

#include "base/assert.h"
#include "event/event.h"

static size_t worker_counts(const struct tg_room_sizes *sizes)
{
    return (size_t)sizes->rooms * sizes->workers;
}

size_t tg_room_table_rooms_bytes(const struct tg_room_sizes *sizes)
{
    return sizes->rooms * sizeof(struct tg_room) + tg_index_stack_storage_bytes(sizes->rooms) +
           worker_counts(sizes) * sizeof(uint32_t);
}

size_t tg_room_table_members_bytes(const struct tg_room_sizes *sizes)
{
    return sizes->members * sizeof(struct tg_member) + tg_index_stack_storage_bytes(sizes->members);
}

size_t tg_room_table_conns_bytes(const struct tg_room_sizes *sizes)
{
    return sizes->connections * sizeof(struct tg_conn_rooms);
}

void tg_room_table_init(struct tg_room_table *table, const struct tg_room_sizes *sizes, void *rooms,
                        void *members, void *conns)
{
    TG_REQUIRE(sizes->rooms >= 1 && sizes->rooms <= TG_ROOM_MASK && sizes->members >= 1);
    *table =
        (struct tg_room_table){.sizes = *sizes, .rooms = rooms, .members = members, .conns = conns};
    uint8_t *after_rooms = (uint8_t *)rooms + sizes->rooms * sizeof(struct tg_room);
    tg_index_stack_init(&table->free_rooms, after_rooms, sizes->rooms);
    table->at_worker =
        (uint32_t *)(void *)(after_rooms + tg_index_stack_storage_bytes(sizes->rooms));
    tg_index_stack_init(&table->free_members,
                        (uint8_t *)members + sizes->members * sizeof(struct tg_member),
                        sizes->members);
}

/* ---- rooms ---- */

struct tg_room *tg_room_find(const struct tg_room_table *table, uint64_t id)
{
    uint32_t number = tg_room_number(id);
    if (number >= table->sizes.rooms || id == 0 || table->rooms[number].id != id) {
        return NULL;
    }
    return &table->rooms[number];
}

struct tg_room *tg_room_create(struct tg_room_table *table)
{
    uint32_t number = tg_index_stack_pop(&table->free_rooms);
    if (number == TG_INDEX_NONE) {
        return NULL;
    }
    struct tg_room *room = &table->rooms[number];
    TG_REQUIRE(room->id == 0 && room->records == 0);
    *room = (struct tg_room){.id = ++table->created << TG_ROOM_BITS | number};
    table->room_count++;
    return room;
}

/* The number is free when the room has ended and no worker has a record of it any more: what
 * workers count for a number is counted for one room at a time. */
static void free_if_over(struct tg_room_table *table, struct tg_room *room)
{
    if (room->id == 0 && room->records == 0) {
        tg_index_stack_push(&table->free_rooms, (uint32_t)(room - table->rooms));
    }
}

void tg_room_destroy(struct tg_room_table *table, struct tg_room *room)
{
    while (room->first != 0) {
        struct tg_member *member = tg_member_at(table, room->first);
        tg_room_remove(table, member, tg_conn_slot(member->conn), false);
    }
    room->id = 0;
    table->room_count--;
    free_if_over(table, room);
}

/* ---- what workers are to be told ---- */

static void push_due(struct tg_room_table *table, struct tg_member *member, uint16_t what)
{
    uint32_t link = tg_member_index(table, member) + 1;
    member->flags |= what;
    member->due_next = 0;
    if (table->due_first == 0) {
        table->due_first = link;
    } else {
        table->members[table->due_last - 1].due_next = link;
    }
    table->due_last = link;
}

/* The index is free when nobody has it any more: no list here, no worker, no queue. */
static void free_if_done(struct tg_room_table *table, struct tg_member *member)
{
    if (member->flags == (TG_MEMBER_LEFT | TG_MEMBER_HOME)) {
        struct tg_room *room = &table->rooms[member->room];
        tg_index_stack_push(&table->free_members, tg_member_index(table, member));
        room->records--;
        free_if_over(table, room);
    }
}

void tg_room_told(struct tg_room_table *table)
{
    struct tg_member *member = tg_room_due(table);
    TG_REQUIRE(member != NULL);
    table->due_first = member->due_next;
    member->flags &= (uint16_t) ~(TG_MEMBER_JOIN_DUE | TG_MEMBER_LEAVE_DUE);
    free_if_done(table, member);
}

/* ---- memberships ---- */

struct tg_member *tg_room_find_member(const struct tg_room_table *table, const struct tg_room *room,
                                      uint32_t slot)
{
    /* At most rooms_per_connection steps. */
    const uint32_t number = (uint32_t)(room - table->rooms);
    const struct tg_conn_rooms *own = &table->conns[slot];
    struct tg_member *member = tg_member_at(table, own->first);
    for (uint32_t left = own->count; member != NULL && member->room != number; left--) {
        TG_REQUIRE(left > 0);
        member = tg_member_at(table, member->conn_next);
    }
    return member;
}

static void link_to_room(struct tg_room_table *table, struct tg_room *room,
                         struct tg_member *member)
{
    uint32_t link = tg_member_index(table, member) + 1;
    struct tg_member *next = tg_member_at(table, room->first);
    member->room_next = room->first;
    member->room_before = 0;
    if (next != NULL) {
        next->room_before = link;
    }
    room->first = link;
    room->members++;
    table->at_worker[(size_t)member->room * table->sizes.workers + member->worker]++;
}

struct tg_member *tg_room_add(struct tg_room_table *table, struct tg_room *room, uint64_t conn,
                              uint32_t slot, uint32_t worker)
{
    struct tg_conn_rooms *own = &table->conns[slot];
    if (own->count >= table->sizes.per_connection) {
        return NULL;
    }
    uint32_t index = tg_index_stack_pop(&table->free_members);
    if (index == TG_INDEX_NONE) {
        return NULL;
    }
    struct tg_member *member = &table->members[index];
    *member = (struct tg_member){.conn = conn,
                                 .room = (uint32_t)(room - table->rooms),
                                 .conn_next = own->first,
                                 .worker = (uint16_t)worker};
    own->first = index + 1;
    own->count++;
    room->records++;
    table->member_count++;
    link_to_room(table, room, member);
    push_due(table, member, TG_MEMBER_JOIN_DUE);
    return member;
}

static void unlink_from_room(struct tg_room_table *table, struct tg_member *member)
{
    struct tg_room *room = &table->rooms[member->room];
    struct tg_member *next = tg_member_at(table, member->room_next);
    struct tg_member *before = tg_member_at(table, member->room_before);
    *(before != NULL ? &before->room_next : &room->first) = member->room_next;
    if (next != NULL) {
        next->room_before = member->room_before;
    }
    room->members--;
    table->at_worker[(size_t)member->room * table->sizes.workers + member->worker]--;
}

static void unlink_from_conn(struct tg_room_table *table, const struct tg_member *member,
                             uint32_t slot)
{
    struct tg_conn_rooms *own = &table->conns[slot];
    uint32_t *link = &own->first;
    while (tg_member_at(table, *link) != member) {
        TG_REQUIRE(*link != 0);
        link = &tg_member_at(table, *link)->conn_next;
    }
    *link = member->conn_next;
    own->count--;
}

void tg_room_remove(struct tg_room_table *table, struct tg_member *member, uint32_t slot,
                    bool ended)
{
    TG_REQUIRE((member->flags & TG_MEMBER_LEFT) == 0);
    unlink_from_room(table, member);
    unlink_from_conn(table, member, slot);
    table->member_count--;
    member->flags |= TG_MEMBER_LEFT;
    /* While its JOIN waits in the queue it is told both there: whoever sends the queue sees LEFT,
     * and that nobody needs to hear of it. */
    if (!ended && (member->flags & (TG_MEMBER_HOME | TG_MEMBER_JOIN_DUE)) == 0) {
        push_due(table, member, TG_MEMBER_LEAVE_DUE);
    }
    free_if_done(table, member);
}

void tg_room_home(struct tg_room_table *table, uint32_t index)
{
    TG_REQUIRE(index < table->sizes.members);
    struct tg_member *member = &table->members[index];
    TG_REQUIRE((member->flags & TG_MEMBER_HOME) == 0);
    member->flags |= TG_MEMBER_HOME;
    free_if_done(table, member);
}
