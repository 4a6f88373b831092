/* SPDX-License-Identifier: MIT
 * A chat without a network. See world.h. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static struct world_conn *conn_of(struct world *world, throng_conn conn)
{
    if (conn.id == 0 || conn.id > WORLD_CONNS || world->conns[conn.id].user == NULL) {
        return NULL;
    }
    return &world->conns[conn.id];
}

static struct world_room *room_of(struct world *world, throng_room room)
{
    for (size_t i = 0; i < WORLD_ROOMS; i++) {
        if (room.id != 0 && world->rooms[i].id == room.id) {
            return &world->rooms[i];
        }
    }
    return NULL;
}

static void deliver(struct world *world, struct world_conn *conn, const void *data, size_t size)
{
    if (world->on_message != NULL) {
        world->on_message(data, size);
        return;
    }
    if (conn->count == WORLD_INBOX) {
        world->lost++;
        return;
    }
    struct world_message *message = &conn->inbox[(conn->first + conn->count) % WORLD_INBOX];
    if (message->data == NULL) {
        message->data = malloc(WORLD_MESSAGE_BYTES);
    }
    if (message->data == NULL || size > WORLD_MESSAGE_BYTES) {
        abort();
    }
    memcpy(message->data, data, size);
    message->size = size;
    conn->count++;
}

/* ---- the outlet ---- */

static int write_data(void *end, throng_conn conn, const void *data, size_t size)
{
    struct world *world = end;
    struct world_conn *to = conn_of(world, conn);
    if (to == NULL || to->is_closing) {
        return to == NULL ? THRONG_ESTALE : THRONG_ECLOSING;
    }
    if (world->no_writes) {
        return THRONG_EAGAIN;
    }
    deliver(world, to, data, size);
    return 0;
}

static int close_conn(void *end, throng_conn conn)
{
    struct world_conn *to = conn_of(end, conn);
    if (to != NULL) {
        to->is_closing = true;
    }
    return to == NULL ? THRONG_ESTALE : 0;
}

static int abort_conn(void *end, throng_conn conn)
{
    struct world_conn *to = conn_of(end, conn);
    if (to != NULL) {
        to->is_closing = true;
        to->was_aborted = true;
    }
    return to == NULL ? THRONG_ESTALE : 0;
}

static int room_create(void *end, throng_room *room)
{
    struct world *world = end;
    for (size_t i = 0; i < WORLD_ROOMS; i++) {
        if (world->rooms[i].id == 0) {
            memset(&world->rooms[i], 0, sizeof(world->rooms[i]));
            world->rooms[i].id = ++world->last_room;
            room->id = world->last_room;
            return 0;
        }
    }
    return THRONG_EAGAIN;
}

static int room_destroy(void *end, throng_room room)
{
    struct world_room *found = room_of(end, room);
    if (found == NULL) {
        return THRONG_ESTALE;
    }
    found->id = 0;
    return 0;
}

static int room_join(void *end, throng_room room, throng_conn conn)
{
    struct world *world = end;
    struct world_room *found = room_of(world, room);
    const struct world_conn *member = conn_of(world, conn);
    if (found == NULL || member == NULL) {
        return THRONG_ESTALE;
    }
    if (world->no_joins) {
        return THRONG_EAGAIN;
    }
    found->has[conn.id] = true;
    return member->is_closing ? THRONG_ECLOSING : 0;
}

static int room_leave(void *end, throng_room room, throng_conn conn)
{
    struct world_room *found = room_of(end, room);
    if (found == NULL || conn_of(end, conn) == NULL) {
        return THRONG_ESTALE;
    }
    found->has[conn.id] = false;
    return 0;
}

static int room_broadcast(void *end, throng_room room, const void *data, size_t size,
                          throng_conn except)
{
    struct world *world = end;
    const struct world_room *found = room_of(world, room);
    if (found == NULL) {
        return THRONG_ESTALE;
    }
    if (world->no_broadcasts) {
        return THRONG_EAGAIN;
    }
    for (uint32_t i = 1; i <= WORLD_CONNS; i++) {
        if (found->has[i] && i != except.id && !world->conns[i].is_closing) {
            deliver(world, &world->conns[i], data, size);
        }
    }
    return 0;
}

/* ---- life ---- */

static struct chat_settings small_settings(void)
{
    struct chat_settings settings = {
        .sizes = {.users_max = WORLD_CONNS,
                  .rooms_max = WORLD_ROOMS - 1,
                  .seats_max = 40,
                  .history_lines = 5,
                  .history_bytes = 4096,
                  .bans_max = 3},
        .lines = {.burst = 5, .per_s = 1, .strikes = 3},
        .asks = {.burst = 40, .per_s = 8, .strikes = 3},
        .mute_s = 30,
        .room_users_max = 6,
        .room_keep_s = 60,
        .hello_timeout_s = 20,
        .message_bytes_max = WORLD_MESSAGE_BYTES,
        .token_size = sizeof(WORLD_TOKEN) - 1,
        .seed = {3, 4},
    };
    memcpy(settings.token, WORLD_TOKEN, sizeof(WORLD_TOKEN));
    return settings;
}

struct world *world_open(void (*change)(struct chat_settings *settings))
{
    struct world *world = calloc(1, sizeof(*world));
    if (world == NULL) {
        abort();
    }
    const struct chat_outlet outlet = {
        .end = world,
        .write = write_data,
        .close = close_conn,
        .abort = abort_conn,
        .room_create = room_create,
        .room_destroy = room_destroy,
        .room_join = room_join,
        .room_leave = room_leave,
        .room_broadcast = room_broadcast,
    };
    struct throng_error error;
    world->settings = small_settings();
    if (change != NULL) {
        change(&world->settings);
    }
    if (!chat_create(&world->chat, &world->settings, &outlet, &error)) {
        abort();
    }
    world_pass(world, 1000);
    return world;
}

void world_close(struct world *world)
{
    for (uint32_t i = 1; i <= WORLD_CONNS; i++) {
        world_disconnect(world, i);
        for (size_t at = 0; at < WORLD_INBOX; at++) {
            free(world->conns[i].inbox[at].data);
        }
    }
    chat_destroy(&world->chat);
    free(world);
}

void world_pass(struct world *world, uint64_t ms)
{
    world->now_ms += ms;
    chat_set_time(&world->chat, world->now_ms, 1800000000000 + world->now_ms);
}

/* ---- connections ---- */

void world_connect(struct world *world, uint32_t conn)
{
    struct world_conn *comer = &world->conns[conn];
    const struct throng_address address = {
        .family = THRONG_ADDRESS_IPV4, .port = 1, .bytes = {10, 0, 0, (uint8_t)conn}};
    static struct chat_user placeholder;
    if (comer->user != NULL) {
        return;
    }
    comer->is_closing = false;
    comer->was_aborted = false;
    comer->count = 0;
    comer->user = &placeholder; /* it is there while chat_opened runs */
    comer->user = chat_opened(&world->chat, (throng_conn){conn}, &address);
}

/* As in the library, the connection hears nothing any more when CLOSED comes. */
void world_disconnect(struct world *world, uint32_t conn)
{
    struct chat_user *user = world->conns[conn].user;
    if (user != NULL) {
        world->conns[conn].user = NULL;
        for (size_t i = 0; i < WORLD_ROOMS; i++) {
            world->rooms[i].has[conn] = false;
        }
        chat_closed(&world->chat, user);
    }
}

void world_send(struct world *world, uint32_t conn, const void *data, size_t size)
{
    if (world->conns[conn].user != NULL && !world->conns[conn].is_closing) {
        chat_received(&world->chat, world->conns[conn].user, data, size);
    }
}

bool world_take(struct world *world, uint32_t conn, const uint8_t **data, size_t *size)
{
    struct world_conn *taker = &world->conns[conn];
    if (taker->count == 0) {
        return false;
    }
    *data = taker->inbox[taker->first].data;
    *size = taker->inbox[taker->first].size;
    taker->first = (taker->first + 1) % WORLD_INBOX;
    taker->count--;
    return true;
}

void world_forget(struct world *world, uint32_t conn)
{
    world->conns[conn].count = 0;
}

bool world_holds(const struct world *world)
{
    const struct chat_state *state = &world->chat.state;
    for (size_t i = 0; i < WORLD_ROOMS; i++) {
        const struct world_room *heard = &world->rooms[i];
        if (heard->id == 0 || heard->id == world->chat.everybody.id) {
            continue;
        }
        const struct chat_room *room = chat_room_next(state, NULL);
        while (room != NULL && room->heard.id != heard->id) {
            room = chat_room_next(state, room);
        }
        for (uint32_t conn = 1; conn <= WORLD_CONNS; conn++) {
            const struct chat_user *user = world->conns[conn].user;
            bool is_member = room != NULL && user != NULL &&
                             chat_seat_find(state, user, room) != NULL;
            if (is_member != heard->has[conn]) {
                return false;
            }
        }
    }
    return chat_state_holds(state);
}
