/* SPDX-License-Identifier: MIT
 * What the game does with rooms. */
#include "game_room.h"

#include <string.h>

#include "room_ledger.h"
#include "script.h"

struct game_room {
    throng_room id; /* 0: none */
    uint32_t members;
    uint64_t broadcasts;
    uint64_t offered;
};

static struct {
    const struct plan *plan;
    struct throng_server *server;
    struct game_room rooms[GAME_ROOMS_MAX];
    uint8_t in[GAME_CONNS_MAX]; /* a bit for each room */
    throng_room dead;
    uint32_t count;
    uint32_t members;
    bool has_left; /* somebody has: records may be out */
    uint64_t last_id;
    uint64_t said;
    uint64_t refused;
    uint64_t offered;
    uint64_t offered_bytes;
    uint64_t missed_before;
} self;

void game_room_begin(const struct plan *plan, struct throng_server *server)
{
    memset(&self, 0, sizeof self);
    self.plan = plan;
    self.server = server;
    self.missed_before = room_ledger_missed();
}

uint64_t game_room_offered_bytes(void)
{
    return self.offered_bytes;
}

static bool is_in(throng_conn conn, uint32_t room)
{
    return (self.in[conn.id & 0xfffffu] >> room & 1) != 0;
}

static uint32_t rooms_of(throng_conn conn)
{
    return (uint32_t)__builtin_popcount(self.in[conn.id & 0xfffffu]);
}

static void take_out(throng_conn conn, uint32_t room)
{
    self.in[conn.id & 0xfffffu] &= (uint8_t) ~(1u << room);
    self.rooms[room].members--;
    self.members--;
    self.has_left = true;
}

void game_room_gone(throng_conn conn)
{
    for (uint32_t i = 0; i < GAME_ROOMS_MAX; i++) {
        if (is_in(conn, i)) {
            take_out(conn, i);
        }
    }
}

/* ---- acts ---- */

static void create(uint32_t at)
{
    struct game_room *room = &self.rooms[at];
    throng_room id = {77};
    if (room->id.id != 0) {
        return;
    }
    int result = throng_room_create(self.server, &id);
    if (result == THRONG_EAGAIN) {
        TG_SIM_RULE(self.count == self.plan->server.rooms_max || self.dead.id != 0,
                    "a room is refused, and there are fewer than rooms_max");
        return;
    }
    TG_SIM_RULE(result == 0 && self.count < self.plan->server.rooms_max,
                "a room too many is created, or one cannot be");
    TG_SIM_RULE(id.id >> 20 > self.last_id, "a room's id came twice");
    self.last_id = id.id >> 20;
    *room = (struct game_room){.id = id};
    self.count++;
}

static void destroy(uint32_t at)
{
    struct game_room *room = &self.rooms[at];
    if (room->id.id == 0) {
        return;
    }
    TG_SIM_RULE(throng_room_destroy(self.server, room->id) == 0, "a room cannot be destroyed");
    for (uint32_t i = 0; i < self.plan->server.max_connections; i++) {
        if (is_in((throng_conn){i}, at)) {
            take_out((throng_conn){i}, at);
        }
    }
    TG_SIM_RULE(room->members == 0, "a room's members are not those that joined");
    self.dead = room->id;
    room->id.id = 0;
    self.count--;
}

static void join(const struct game_conn *conn, uint32_t at)
{
    struct game_room *room = &self.rooms[at];
    int result = throng_room_join(self.server, room->id, conn->id);
    if (room->id.id == 0 || conn->is_gone) {
        TG_SIM_RULE(result == THRONG_ESTALE, "a join to what is gone is not refused");
        game.stale += room->id.id != 0;
    } else if (conn->is_closing || conn->is_aborting) {
        TG_SIM_RULE(result == THRONG_ECLOSING, "a join after our close is not refused");
    } else if (result == 0) {
        self.members += !is_in(conn->id, at);
        room->members += !is_in(conn->id, at);
        self.in[conn->id.id & 0xfffffu] |= (uint8_t)(1u << at);
        TG_SIM_RULE(rooms_of(conn->id) <= self.plan->server.rooms_per_connection &&
                        self.members <= self.plan->server.room_members_max,
                    "more memberships than allowed");
    } else {
        TG_SIM_RULE(result == THRONG_EAGAIN && !is_in(conn->id, at), "a join fails");
        TG_SIM_RULE(rooms_of(conn->id) == self.plan->server.rooms_per_connection ||
                        self.members == self.plan->server.room_members_max || self.has_left,
                    "a join is refused, and there is room");
    }
}

static void leave(const struct game_conn *conn, uint32_t at)
{
    int result = throng_room_leave(self.server, self.rooms[at].id, conn->id);
    TG_SIM_RULE(result == (self.rooms[at].id.id == 0 ? THRONG_ESTALE : 0), "a leave fails");
    if (result == 0 && is_in(conn->id, at)) {
        take_out(conn->id, at);
    }
}

/* Everybody who is in, and is not closed by us, is to hear it. */
static void note_said(uint32_t at, uint32_t number, uint32_t size, throng_conn except)
{
    struct game_room *room = &self.rooms[at];
    for (uint32_t i = 0; room->members > 0 && i < self.plan->server.max_connections; i++) {
        const struct game_conn *conn = &game.conns[i];
        if (!is_in((throng_conn){i}, at) || conn->id.id == except.id) {
            continue;
        }
        room->offered++;
        self.offered++;
        self.offered_bytes += 4 + (uint64_t)size;
        if (!conn->is_gone && !conn->is_closing && !conn->is_aborting) {
            conn->life->flags |= LIFE_GAME_TOLD;
            room_ledger_offer(conn->life->number, number, conn->life->down_accepted);
        }
    }
    room->broadcasts++;
    self.said++;
    room_ledger_said();
}

static void broadcast(const struct game_conn *conn, uint32_t at)
{
    struct game_room *room = &self.rooms[at];
    const uint32_t number = room_ledger_next();
    const uint32_t size = script_size(SCRIPT_ROOM_LIFE, number, SCRIPT_DOWN);
    const throng_conn except = game_chance(64) ? conn->id : THRONG_NOBODY;
    if (!room_ledger_has_room(room->members)) {
        return;
    }
    int result = throng_room_broadcast(
        self.server, room->id, script_payload(SCRIPT_ROOM_LIFE, number, SCRIPT_DOWN), size, except);
    if (room->id.id == 0) {
        TG_SIM_RULE(result == THRONG_ESTALE, "a broadcast to no room is not refused");
    } else if (result == 0) {
        note_said(at, number, size, except);
    } else {
        TG_SIM_RULE(result == THRONG_EAGAIN && room->members > 0, "a broadcast fails");
        self.refused++;
    }
}

/* ---- looking ---- */

static void look_at_room(uint32_t at)
{
    const struct game_room *room = &self.rooms[at];
    struct throng_room_info info;
    throng_conn member = THRONG_NOBODY;
    uint32_t count = 0;
    if (room->id.id == 0) {
        TG_SIM_RULE(throng_room_get_info(self.server, self.dead, &info) == THRONG_ESTALE,
                    "a dead room is not stale");
        return;
    }
    TG_SIM_RULE(throng_room_get_info(self.server, room->id, &info) == 0 &&
                    info.members == room->members && info.broadcasts == room->broadcasts,
                "a room's numbers are wrong");
    while (throng_room_next_member(self.server, room->id, &member) == 1) {
        TG_SIM_RULE(game_conn_of(member)->id.id == member.id && is_in(member, at),
                    "a room lists somebody who is not in it");
        count++;
    }
    TG_SIM_RULE(count == room->members && member.id == 0, "a room does not list its members");
}

static void look_at_rooms_of(throng_conn conn)
{
    throng_room room = {0};
    uint32_t count = 0;
    while (throng_room_next_of(self.server, conn, &room) == 1) {
        count++;
    }
    TG_SIM_RULE(count == rooms_of(conn) && room.id == 0, "a connection's rooms are wrong");
    for (uint32_t i = 0; i < GAME_ROOMS_MAX; i++) {
        TG_SIM_RULE(self.rooms[i].id.id == 0 ||
                        throng_room_has(self.server, self.rooms[i].id, conn) == is_in(conn, i),
                    "who is in a room is wrong");
    }
}

void game_room_act(struct game_conn *conn)
{
    if (!game_chance(self.plan->room_parts) || conn->id.id == 0) {
        return;
    }
    const uint32_t at = tg_sim_below(GAME_ROOMS_MAX);
    const uint32_t pick = tg_sim_below(16);
    if (pick == 0) {
        look_at_room(at);
        look_at_rooms_of(conn->id);
    } else if (pick == 1 && game_chance(64)) {
        destroy(at);
    } else if (pick <= 3) {
        create(at);
    } else if (pick <= 8) {
        join(conn, at);
    } else if (pick <= 10) {
        leave(conn, at);
    } else {
        for (uint32_t count = game_chance(32) ? tg_sim_below(40) : 1; count > 0; count--) {
            broadcast(conn, at);
        }
    }
}

/* ---- counters ---- */

void game_room_check_counters(const struct throng_counters *now)
{
    TG_SIM_RULE(now->rooms == self.count && now->room_members == self.members,
                "rooms or room_members is wrong");
    TG_SIM_RULE(now->broadcasts == self.said && now->broadcasts_refused == self.refused,
                "broadcasts are counted wrongly");
    TG_SIM_RULE(now->broadcast_deliveries + now->broadcast_drops <= self.offered,
                "more was delivered and missed than was broadcast");
}

void game_room_check_quiet(const struct throng_counters *now)
{
    /* What an earlier server's members missed may be found out while this one serves. */
    TG_SIM_RULE(self.plan->rounds > 1 || room_ledger_missed() - self.missed_before <=
                                             now->broadcast_drops + now->messages_dropped,
                "more broadcasts are missing than members missed");
    TG_SIM_RULE(self.members == 0, "at rest somebody is in a room");
}
