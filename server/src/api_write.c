/* SPDX-License-Identifier: MIT
 * Writing and closing: what the game says to a connection collects at its seat and goes to the
 * worker at the end of the batch, all of it as one gathered send. Logic thread. */
#include <string.h>

#include "codec/frame.h"
#include "state.h"

void tg_server_free_chain(struct throng_server *server, struct tg_chain *chain)
{
    uint32_t block = chain->head;
    while (block != TG_BLOCK_NONE) {
        uint32_t next = server->blocks.blocks[block].next;
        tg_block_pool_give(&server->blocks, block);
        block = next;
    }
    tg_chain_init(chain);
}

void tg_server_collect_blocks(struct throng_server *server)
{
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        uint32_t block = tg_block_return_take(&server->workers[i].returned);
        while (block != TG_BLOCK_NONE) {
            const struct tg_block *record = &server->blocks.blocks[block];
            uint32_t next = record->next;
            struct tg_seat *seat = &server->seats[tg_conn_slot(record->conn)];
            if (seat->id == record->conn) {
                seat->units_out -= tg_block_units(&server->blocks, block);
            }
            tg_block_pool_give(&server->blocks, block);
            block = next;
        }
    }
    atomic_store_explicit(&server->counters.send_units_free,
                          tg_block_pool_free_units(&server->blocks), memory_order_relaxed);
}

/* Puts a connection into the list of those to flush, unless it is there. */
static void mark_dirty(struct throng_server *server, struct tg_seat *seat)
{
    if ((seat->flags & TG_SEAT_DIRTY) != 0) {
        return;
    }
    seat->flags |= TG_SEAT_DIRTY;
    seat->dirty_next = TG_INDEX_NONE;
    uint32_t slot = (uint32_t)(seat - server->seats);
    if (server->dirty_head == TG_INDEX_NONE) {
        server->dirty_head = slot;
    } else {
        server->seats[server->dirty_tail].dirty_next = slot;
    }
    server->dirty_tail = slot;
}

/* Moves what the seat has for its worker into the command ring; false if the ring is full. */
static bool flush_seat(struct throng_server *server, struct tg_seat *seat)
{
    if (seat->id == 0 || (seat->flags & TG_SEAT_GONE) != 0) {
        /* The connection ended while this was waiting. */
        if (seat->id != 0 && !tg_chain_is_empty(&seat->pending)) {
            tg_count(&server->counters.bytes_dropped, seat->pending.bytes);
            tg_server_free_chain(server, &seat->pending);
        }
        return true;
    }
    struct tg_command *command = tg_ring_claim(&server->workers[seat->worker].commands);
    if (command == NULL) {
        return false;
    }
    command->conn = seat->id;
    command->chain = seat->pending;
    command->flags = ((seat->flags & TG_SEAT_CLOSE_DUE) != 0 ? (uint32_t)TG_COMMAND_CLOSE : 0) |
                     ((seat->flags & TG_SEAT_ABORT_DUE) != 0 ? (uint32_t)TG_COMMAND_ABORT : 0);
    command->deadline_ms = 0;
    tg_ring_push(&server->workers[seat->worker].commands);
    seat->units_out += seat->pending.units;
    seat->flags &= (uint16_t) ~(TG_SEAT_CLOSE_DUE | TG_SEAT_ABORT_DUE);
    tg_chain_init(&seat->pending);
    return true;
}

/* Flushes every dirty seat. Answers the workers (a bit each) whose command ring was full: their
 * connections stay in the list, in order. */
static uint64_t flush_seats(struct throng_server *server)
{
    uint64_t full = 0;
    uint32_t slot = server->dirty_head;
    server->dirty_head = TG_INDEX_NONE;
    while (slot != TG_INDEX_NONE) {
        struct tg_seat *seat = &server->seats[slot];
        slot = seat->dirty_next;
        seat->flags &= (uint16_t)~TG_SEAT_DIRTY;
        if (!flush_seat(server, seat)) {
            full |= UINT64_C(1) << seat->worker;
            mark_dirty(server, seat);
        }
    }
    return full;
}

/* Tells a worker to drain, after everything that was written before. */
static void flush_drain(struct throng_server *server, uint32_t worker)
{
    uint64_t bit = UINT64_C(1) << worker;
    if ((server->drain_due & bit) == 0) {
        return;
    }
    struct tg_command *command = tg_ring_claim(&server->workers[worker].commands);
    if (command == NULL) {
        return; /* with the next flush */
    }
    memset(command, 0, sizeof(*command));
    tg_chain_init(&command->chain);
    command->flags = TG_COMMAND_DRAIN;
    command->deadline_ms = server->drain_deadline_ms;
    tg_ring_push(&server->workers[worker].commands);
    server->drain_due &= ~bit;
}

void tg_server_flush(struct throng_server *server)
{
    server->releases_due = false; /* those held back are told by their connections in the list */
    server->release = NULL;
    uint64_t full = server->dirty_head == TG_INDEX_NONE ? 0 : flush_seats(server);
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        struct tg_worker *worker = &server->workers[i];
        bool held_back = (full >> i & 1) != 0;
        if (!held_back && server->drain_due != 0) {
            flush_drain(server, i);
        }
        /* Room for events before the releases that allow them, commands before releases (event.h).
         * While writes are held back by a full ring, so are the releases that were made after them.
         * */
        (void)tg_ring_return(&worker->events);
        bool news = tg_ring_publish(&worker->commands);
        if (!held_back && tg_ring_publish(&worker->releases)) {
            news = true;
        }
        if (news && !server->config.inline_mode) {
            tg_port_wake(worker->port);
        }
    }
    tg_server_collect_blocks(server);
}

void throng_flush(struct throng_server *server)
{
    if (server == NULL) {
        return;
    }
    tg_server_flush(server);
    if (server->config.inline_mode) {
        tg_worker_turn(&server->workers[0], 0);
    }
}

/* Whether the connection still takes calls that change it. 0 or the error to answer. */
static int check_seat(struct throng_server *server, throng_conn conn, struct tg_seat **seat)
{
    if (server == NULL) {
        return THRONG_EINVAL;
    }
    *seat = tg_seat_find(server, conn);
    if (*seat == NULL) {
        return THRONG_ESTALE;
    }
    if (((*seat)->flags & TG_SEAT_GONE) != 0) {
        tg_count(&server->counters.writes_stale, 1);
        return THRONG_ESTALE;
    }
    return 0;
}

/* Appends a frame in new blocks, if need be. */
static bool append(struct throng_server *server, struct tg_seat *seat, const void *data,
                   size_t size)
{
    uint8_t header[THRONG_FRAME_HEADER_BYTES];
    tg_frame_length_write(header, (uint32_t)size, server->config.options.byte_order);
    return seat->units_out < server->config.send_units_max &&
           tg_chain_append(&seat->pending, &server->blocks, seat->id,
                           server->config.send_units_max - seat->units_out, header, sizeof(header),
                           data, size);
}

TG_OUT_OF_LINE static int write_anywhere(struct throng_server *server, throng_conn conn,
                                         const void *data, size_t size)
{
    struct tg_seat *seat;
    int result = check_seat(server, conn, &seat);
    if (result < 0) {
        return result;
    }
    if ((seat->flags & (TG_SEAT_CLOSING | TG_SEAT_ABORTING)) != 0) {
        return THRONG_ECLOSING;
    }
    if (size > server->config.options.message_bytes_max) {
        return THRONG_ETOOBIG;
    }
    if (data == NULL && size > 0) {
        return THRONG_EINVAL;
    }
    if (!append(server, seat, data, size)) {
        tg_server_collect_blocks(server); /* some may have come home since */
        if (!append(server, seat, data, size)) {
            tg_count(&server->counters.writes_refused, 1);
            return THRONG_EAGAIN;
        }
    }
    mark_dirty(server, seat);
    tg_count(&server->counters.messages_written, 1);
    return 0;
}

/* The hot case: one more message for a connection to which something was written since the last
 * flush, with room for it behind that. False, with nothing changed, in every other case. */
static bool write_behind(struct throng_server *server, throng_conn conn, const void *data,
                         size_t size)
{
    uint32_t slot = tg_conn_slot(conn.id);
    if (slot >= server->arena.capacity || data == NULL ||
        size > server->config.options.message_bytes_max) {
        return false;
    }
    struct tg_seat *seat = &server->seats[slot];
    const uint16_t refusing = TG_SEAT_GONE | TG_SEAT_CLOSING | TG_SEAT_ABORTING;
    if (seat->id != conn.id || (seat->flags & (TG_SEAT_DIRTY | refusing)) != TG_SEAT_DIRTY) {
        return false;
    }
    uint8_t header[THRONG_FRAME_HEADER_BYTES];
    tg_frame_length_write(header, (uint32_t)size, server->config.options.byte_order);
    return tg_chain_append_in_room(&seat->pending, &server->blocks, header, data, size);
}

int throng_write_data(struct throng_server *server, throng_conn conn, const void *data, size_t size)
{
    if (server == NULL || !write_behind(server, conn, data, size)) {
        return write_anywhere(server, conn, data, size);
    }
    tg_count(&server->counters.messages_written, 1);
    return 0;
}

int throng_close(struct throng_server *server, throng_conn conn)
{
    struct tg_seat *seat;
    int result = check_seat(server, conn, &seat);
    if (result < 0) {
        return result;
    }
    if ((seat->flags & (TG_SEAT_CLOSING | TG_SEAT_ABORTING)) != 0) {
        return THRONG_ECLOSING;
    }
    seat->flags |= TG_SEAT_CLOSING | TG_SEAT_CLOSE_DUE;
    mark_dirty(server, seat);
    return 0;
}

int throng_abort(struct throng_server *server, throng_conn conn)
{
    struct tg_seat *seat;
    int result = check_seat(server, conn, &seat);
    if (result < 0) {
        return result;
    }
    if ((seat->flags & TG_SEAT_ABORTING) != 0) {
        return 0;
    }
    if (!tg_chain_is_empty(&seat->pending)) {
        tg_count(&server->counters.bytes_dropped, seat->pending.bytes);
        tg_server_free_chain(server, &seat->pending);
    }
    seat->flags |= TG_SEAT_ABORTING | TG_SEAT_ABORT_DUE;
    mark_dirty(server, seat);
    return 0;
}
