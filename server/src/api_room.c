/* SPDX-License-Identifier: MIT
 * Rooms and their members: the calls of throng/room.h but the broadcast, which is in
 * api_broadcast.c. What the workers have to be told of members waits in the room table and goes
 * into their command rings before the next broadcast, or with the next flush. Logic thread. */
#include <throng/room.h>

#include "state.h"
#include "worker/members.h"

void tg_server_init_rooms(struct throng_server *server)
{
    void **at = server->memory.at;
    struct tg_fanout_shared *fanout = &server->shared.fanout;
    const struct tg_room_sizes sizes = tg_memory_room_sizes(&server->config);
    tg_room_table_init(&server->rooms, &sizes, at[TG_REGION_ROOMS], at[TG_REGION_ROOM_MEMBERS],
                       at[TG_REGION_ROOM_CONNS]);
    fanout->links = at[TG_REGION_ROOM_LINKS];
    fanout->slots = at[TG_REGION_ROOM_SLOTS];
    fanout->limits = at[TG_REGION_SEND_LIMITS];
    fanout->workers_left = at[TG_REGION_BROADCASTS];
    fanout->units_max = tg_fanout_units_max(server->config.send_units_max);
    fanout->policy = server->config.options.when_send_full;
}

static void note_counts(struct throng_server *server)
{
    atomic_store_explicit(&server->counters.rooms, server->rooms.room_count, memory_order_relaxed);
    atomic_store_explicit(&server->counters.room_members, server->rooms.member_count,
                          memory_order_relaxed);
}

int tg_server_find_room(const struct throng_server *server, throng_room id, struct tg_room **room)
{
    if (server == NULL) {
        return THRONG_EINVAL;
    }
    *room = tg_room_find(&server->rooms, id.id);
    return *room == NULL ? THRONG_ESTALE : 0;
}

/* ---- members and their workers ---- */

void tg_server_leave_rooms(struct throng_server *server, uint32_t slot)
{
    struct tg_room_table *table = &server->rooms;
    if (table->member_count == 0 || table->conns[slot].first == 0) {
        return;
    }
    while (table->conns[slot].first != 0) {
        tg_room_remove(table, tg_member_at(table, table->conns[slot].first), slot, true);
    }
    note_counts(server);
}

/* Whether its worker need not hear of it: it left before the worker was told that it joined, or the
 * worker has let it go with its connection. */
static bool is_over(const struct tg_member *member)
{
    return (member->flags & TG_MEMBER_LEFT) != 0 &&
           (member->flags & (TG_MEMBER_JOIN_DUE | TG_MEMBER_HOME)) != 0;
}

bool tg_server_flush_members(struct throng_server *server)
{
    struct tg_room_table *table = &server->rooms;
    const struct tg_member *member;
    while ((member = tg_room_due(table)) != NULL) {
        const uint32_t index = tg_member_index(table, member);
        if (!is_over(member)) {
            struct tg_command *command = tg_ring_claim(&server->workers[member->worker].commands);
            if (command == NULL) {
                return false;
            }
            *command = (struct tg_command){
                .conn = member->conn,
                .member = index,
                .flags = (member->flags & TG_MEMBER_JOIN_DUE) != 0 ? TG_COMMAND_JOIN
                                                                   : TG_COMMAND_LEAVE,
                .room = member->room,
            };
            tg_ring_push(&server->workers[member->worker].commands);
        } else if ((member->flags & TG_MEMBER_HOME) == 0) {
            tg_room_home(table, index); /* where it has never been */
        }
        tg_room_told(table);
    }
    return true;
}

void tg_server_collect_members(struct throng_server *server)
{
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        uint32_t link = tg_members_take_home(&server->workers[i].fanout);
        for (uint32_t left = server->rooms.sizes.members; link != 0; left--) {
            TG_REQUIRE(left > 0); /* each comes home once */
            const uint32_t index = link - 1;
            link = server->shared.fanout.links[index].home_next;
            tg_room_home(&server->rooms, index);
        }
    }
}

/* ---- rooms ---- */

static uint64_t dropped_so_far(const struct throng_server *server, const struct tg_room *room)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        sum +=
            atomic_load_explicit(&server->workers[i].fanout.parts[tg_room_number(room->id)].dropped,
                                 memory_order_relaxed);
    }
    return sum;
}

int throng_room_create(struct throng_server *server, throng_room *created)
{
    if (server == NULL || created == NULL) {
        return THRONG_EINVAL;
    }
    struct tg_room *room = tg_room_create(&server->rooms);
    if (room == NULL) {
        tg_server_collect_members(server); /* the last of a room may have come home since */
        room = tg_room_create(&server->rooms);
    }
    if (room == NULL) {
        return THRONG_EAGAIN;
    }
    room->dropped_before = dropped_so_far(server, room);
    note_counts(server);
    created->id = room->id;
    return 0;
}

int throng_room_destroy(struct throng_server *server, throng_room id)
{
    struct tg_room *room;
    int result = tg_server_find_room(server, id, &room);
    if (result == 0) {
        tg_room_destroy(&server->rooms, room);
        note_counts(server);
    }
    return result;
}

int throng_room_set_user(struct throng_server *server, throng_room id, void *user)
{
    struct tg_room *room;
    int result = tg_server_find_room(server, id, &room);
    if (result == 0) {
        room->user = user;
    }
    return result;
}

int throng_room_get_user(struct throng_server *server, throng_room id, void **user)
{
    struct tg_room *room;
    int result = user == NULL ? THRONG_EINVAL : tg_server_find_room(server, id, &room);
    if (result == 0) {
        *user = room->user;
    }
    return result;
}

int throng_room_get_info(struct throng_server *server, throng_room id,
                         struct throng_room_info *info)
{
    struct tg_room *room;
    int result = info == NULL ? THRONG_EINVAL : tg_server_find_room(server, id, &room);
    if (result == 0) {
        info->members = room->members;
        info->broadcasts = room->broadcasts;
        info->dropped = dropped_so_far(server, room) - room->dropped_before;
    }
    return result;
}

/* ---- membership ---- */

int throng_room_join(struct throng_server *server, throng_room id, throng_conn conn)
{
    struct tg_room *room;
    struct tg_seat *seat;
    int result = tg_server_find_room(server, id, &room);
    if (result == 0) {
        result = tg_server_check_seat(server, conn, &seat);
    }
    if (result < 0) {
        return result;
    }
    if ((seat->flags & (TG_SEAT_CLOSING | TG_SEAT_ABORTING)) != 0) {
        return THRONG_ECLOSING;
    }
    const uint32_t slot = tg_conn_slot(conn.id);
    if (tg_room_find_member(&server->rooms, room, slot) != NULL) {
        return 0;
    }
    if (tg_room_add(&server->rooms, room, conn.id, slot, seat->worker) == NULL) {
        tg_server_collect_members(server);
        if (tg_room_add(&server->rooms, room, conn.id, slot, seat->worker) == NULL) {
            return THRONG_EAGAIN;
        }
    }
    if ((seat->flags & TG_SEAT_HELD) != 0) {
        tg_server_mark_dirty(server,
                             seat); /* what is held goes before what is broadcast from now on */
    }
    note_counts(server);
    return 0;
}

/* The seat until CLOSED is released: its rooms can be asked for while CLOSED is at hand. */
static int find_both(struct throng_server *server, throng_room id, throng_conn conn,
                     struct tg_room **room)
{
    int result = tg_server_find_room(server, id, room);
    return result < 0 || tg_seat_find(server, conn) != NULL ? result : THRONG_ESTALE;
}

int throng_room_leave(struct throng_server *server, throng_room id, throng_conn conn)
{
    struct tg_room *room;
    int result = find_both(server, id, conn, &room);
    if (result < 0) {
        return result;
    }
    const uint32_t slot = tg_conn_slot(conn.id);
    struct tg_member *member = tg_room_find_member(&server->rooms, room, slot);
    if (member != NULL) {
        tg_room_remove(&server->rooms, member, slot, false);
        note_counts(server);
    }
    return 0;
}

int throng_room_has(struct throng_server *server, throng_room id, throng_conn conn)
{
    struct tg_room *room;
    int result = find_both(server, id, conn, &room);
    if (result < 0) {
        return result;
    }
    return tg_room_find_member(&server->rooms, room, tg_conn_slot(conn.id)) != NULL ? 1 : 0;
}

int throng_room_next_member(struct throng_server *server, throng_room id, throng_conn *conn)
{
    struct tg_room *room;
    int result = conn == NULL ? THRONG_EINVAL : tg_server_find_room(server, id, &room);
    if (result < 0) {
        return result;
    }
    uint32_t link = room->first;
    if (conn->id != 0) {
        if (tg_seat_find(server, *conn) == NULL) {
            return THRONG_ESTALE;
        }
        const struct tg_member *member =
            tg_room_find_member(&server->rooms, room, tg_conn_slot(conn->id));
        if (member == NULL) {
            return THRONG_ESTALE;
        }
        link = member->room_next;
    }
    const struct tg_member *next = tg_member_at(&server->rooms, link);
    conn->id = next != NULL ? next->conn : 0;
    return next != NULL ? 1 : 0;
}

int throng_room_next_of(struct throng_server *server, throng_conn conn, throng_room *id)
{
    if (server == NULL || id == NULL) {
        return THRONG_EINVAL;
    }
    if (tg_seat_find(server, conn) == NULL) {
        return THRONG_ESTALE;
    }
    const uint32_t slot = tg_conn_slot(conn.id);
    uint32_t link = server->rooms.conns[slot].first;
    if (id->id != 0) {
        const struct tg_room *room = tg_room_find(&server->rooms, id->id);
        const struct tg_member *member =
            room == NULL ? NULL : tg_room_find_member(&server->rooms, room, slot);
        if (member == NULL) {
            return THRONG_ESTALE;
        }
        link = member->conn_next;
    }
    const struct tg_member *next = tg_member_at(&server->rooms, link);
    id->id = next != NULL ? server->rooms.rooms[next->room].id : 0;
    return next != NULL ? 1 : 0;
}
