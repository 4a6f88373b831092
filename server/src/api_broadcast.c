/* SPDX-License-Identifier: MIT
 * throng_room_broadcast: one message, encoded once, for all members of a room. Logic thread.
 *
 *   write to a member | join, leave  |  broadcast
 *   seats             | room table   |     |
 *        \               \               |   pushes what was written, then who is in, then itself:
 *         +---------------+--------------+-> command ring of each worker, worker/fanout.c */
#include <throng/room.h>

#include "codec/frame.h"
#include "state.h"

void tg_server_set_fanout_limit(struct throng_server *server, const struct tg_seat *seat)
{
    const struct tg_fanout_shared *fanout = &server->shared.fanout;
    _Atomic uint32_t *limit = &fanout->limits[seat - server->seats];
    uint32_t word = tg_send_limit_word(seat->units_max, (enum throng_when_send_full)seat->policy);
    if (word == tg_send_limit_word(fanout->units_max, fanout->policy)) {
        word = 0; /* so that the table is touched by those only who are different */
    }
    if (atomic_load_explicit(limit, memory_order_relaxed) != word) {
        atomic_store_explicit(limit, word, memory_order_relaxed);
    }
}

/* Whether each worker with members has room for one command more. */
static bool rings_have_room(struct throng_server *server, const struct tg_room *room)
{
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        if (tg_room_members_at(&server->rooms, room, i) > 0 &&
            tg_ring_claim(&server->workers[i].commands) == NULL) {
            return false;
        }
    }
    return true;
}

/* Pushes what must come before the broadcast. False if a ring is full. */
static bool push_what_is_before(struct throng_server *server, const struct tg_room *room)
{
    return tg_server_flush_writes(server) && tg_server_flush_members(server) &&
           rings_have_room(server, room);
}

/* Makes sure of it if that can be done here: inline, the worker's turn empties its ring. Each round moves at
 * least a ring full of what waits, and nothing joins it meanwhile. */
static bool make_way(struct throng_server *server, const struct tg_room *room)
{
    while (!push_what_is_before(server, room)) {
        throng_flush(server);
        if (!server->config.inline_mode) {
            return false; /* what waits is on its way */
        }
    }
    return true;
}

static size_t longest_bytes(const struct throng_server *server)
{
    return THRONG_FRAME_HEADER_BYTES + (size_t)server->config.options.message_bytes_max;
}

/* A message that fits even the smallest limit of a connection, as blocks, and leaves a part of the reserve. */
static struct tg_chain_bounds bounds_of(const struct throng_server *server, uint32_t part)
{
    return (struct tg_chain_bounds){
        .units_max = (uint32_t)((longest_bytes(server) + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES),
        .small_kept = server->reserve.small_blocks / part,
        .large_kept = server->reserve.large_blocks / part,
    };
}

/* Encodes a message to nobody in particular. False: the pool has no room within the bounds. */
static bool encode(struct throng_server *server, struct tg_chain *chain, uint32_t part,
                   const void *data, size_t size)
{
    uint8_t header[THRONG_FRAME_HEADER_BYTES];
    const struct tg_chain_bounds bounds = bounds_of(server, part);
    tg_chain_init(chain);
    tg_frame_length_write(header, (uint32_t)size, server->config.options.byte_order);
    return tg_chain_append_within(chain, &server->blocks, TG_CONN_SHARED, &bounds, header,
                                  sizeof(header), data, size);
}

/* Whether the half of the reserve that broadcasts have suffices for one more. */
static bool has_room_for_more(const struct throng_server *server)
{
    const struct tg_chain none = {.head = TG_BLOCK_NONE, .tail = TG_BLOCK_NONE};
    const struct tg_chain_bounds bounds = bounds_of(server, 2);
    return tg_chain_has_room(&none, &server->blocks, &bounds, longest_bytes(server));
}

/* Out of what everybody may take; when that is used up, out of half of the reserve, and then only for those
 * that keep up, and for those that let go what waits for them. */
static bool fill(struct throng_server *server, struct tg_command *command, const void *data,
                 size_t size)
{
    command->flags = TG_COMMAND_BROADCAST;
    if (encode(server, &command->chain, 1, data, size)) {
        return true;
    }
    tg_server_collect_blocks(server); /* some may have come home since */
    if (encode(server, &command->chain, 1, data, size)) {
        return true;
    }
    tg_send_memory_is_short(server);
    command->flags |= TG_COMMAND_SHORT;
    if (!encode(server, &command->chain, 2, data, size)) {
        return false;
    }
    if (!has_room_for_more(server)) {
        command->flags |=
            TG_COMMAND_SCARCE; /* or who keeps none of it could keep the rest waiting */
    }
    return true;
}

static void push_broadcast(struct throng_server *server, const struct tg_room *room,
                           const struct tg_command *broadcast)
{
    uint32_t workers = 0;
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        workers += tg_room_members_at(&server->rooms, room, i) > 0 ? 1 : 0;
    }
    /* relaxed: the rings' publishing makes it visible. */
    atomic_store_explicit(&server->shared.fanout.workers_left[broadcast->chain.head], workers,
                          memory_order_relaxed);
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        if (tg_room_members_at(&server->rooms, room, i) > 0) {
            struct tg_command *command = tg_ring_claim(&server->workers[i].commands);
            TG_REQUIRE(command != NULL);
            *command = *broadcast;
            tg_ring_push(&server->workers[i].commands);
        }
    }
}

static int refuse(struct throng_server *server)
{
    tg_count(&server->counters.broadcasts_refused, 1);
    return THRONG_EAGAIN;
}

int throng_room_broadcast(struct throng_server *server, throng_room id, const void *data,
                          size_t size, throng_conn except)
{
    struct tg_room *room;
    int result = tg_server_find_room(server, id, &room);
    if (result < 0) {
        return result;
    }
    if (size > server->config.options.message_bytes_max) {
        return THRONG_ETOOBIG;
    }
    if ((data == NULL && size > 0) || (size == 0 && server->heartbeats)) {
        return THRONG_EINVAL;
    }
    if (room->members > 0) {
        struct tg_command command = {.conn = except.id, .room = tg_room_number(room->id)};
        if (!make_way(server, room) || !fill(server, &command, data, size)) {
            return refuse(server);
        }
        push_broadcast(server, room, &command);
    }
    room->broadcasts++;
    tg_count(&server->counters.broadcasts, 1);
    return 0;
}
