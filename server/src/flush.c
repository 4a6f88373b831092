/* SPDX-License-Identifier: MIT
 * The way to the workers and home again: what was written goes out at the end of a batch, and the
 * blocks that were sent come back. Logic thread. */
#include <string.h>

#include "state.h"

void tg_server_mark_dirty(struct throng_server *server, struct tg_seat *seat)
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

void tg_server_drop_pending(struct throng_server *server, struct tg_seat *seat)
{
    if (!tg_chain_is_empty(&seat->pending)) {
        tg_count(&server->counters.bytes_dropped, seat->pending.bytes);
        tg_chain_drop(&seat->pending, &server->blocks, seat->pending.bytes);
    }
}

/* ---- home ---- */

/* Blocks of a connection came home that something waits for. */
static void queue_fell(struct throng_server *server, struct tg_seat *seat)
{
    if ((seat->flags & TG_SEAT_HELD) != 0 && seat->units_out == 0) {
        tg_server_mark_dirty(server, seat);
    }
    if ((seat->flags & TG_SEAT_WAITING) != 0) {
        tg_writable_look(server, seat);
    }
}

static inline void block_came(struct throng_server *server, uint64_t conn, uint32_t block)
{
    struct tg_seat *seat = &server->seats[tg_conn_slot(conn)];
    if (seat->id == conn) {
        seat->units_out -= tg_block_units(&server->blocks, block);
        if ((seat->flags & (TG_SEAT_WAITING | TG_SEAT_HELD)) != 0) {
            queue_fell(server, seat);
        }
    }
}

void tg_server_collect_blocks(struct throng_server *server)
{
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        uint32_t block = tg_block_return_take(&server->workers[i].returned);
        while (block != TG_BLOCK_NONE) {
            const struct tg_block *record = &server->blocks.blocks[block];
            uint32_t next = record->next;
            if (record->conn != TG_CONN_SHARED) {
                block_came(server, record->conn, block);
            }
            tg_block_pool_give(&server->blocks, block);
            block = next;
        }
    }
    tg_send_memory_look(server);
    atomic_store_explicit(&server->counters.send_units_free,
                          tg_block_pool_free_units(&server->blocks), memory_order_relaxed);
}

bool tg_server_blocks_came(const struct throng_server *server)
{
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        if (!tg_block_return_is_empty(&server->workers[i].returned)) {
            return true;
        }
    }
    return false;
}

/* ---- out ---- */

/* Whether the seat's messages stay here for now, where the oldest can still be dropped: what a
 * worker has been handed is beyond recall, so DROP_OLDEST hands over one chain at a time. Not those
 * before a close or a drain: nothing newer comes, and their worker must have all of them before.
 * Nor those of somebody in rooms: a broadcast must not overtake them, and that worker drops what is
 * too much (worker/fanout.h). */
static bool is_to_hold(const struct throng_server *server, const struct tg_seat *seat)
{
    return seat->policy == THRONG_WHEN_SEND_FULL_DROP_OLDEST && seat->units_out > 0 &&
           !tg_chain_is_empty(&seat->pending) &&
           (seat->flags & (TG_SEAT_CLOSE_DUE | TG_SEAT_ABORT_DUE)) == 0 && !server->draining &&
           server->rooms.conns[seat - server->seats].first == 0;
}

static uint32_t command_flags(const struct tg_seat *seat)
{
    uint32_t flags = 0;
    flags |= (seat->flags & TG_SEAT_CLOSE_DUE) != 0 ? (uint32_t)TG_COMMAND_CLOSE : 0;
    flags |= (seat->flags & TG_SEAT_ABORT_DUE) != 0 ? (uint32_t)TG_COMMAND_ABORT : 0;
    flags |= (seat->flags & TG_SEAT_SLOW) != 0 ? (uint32_t)TG_COMMAND_SLOW_READER : 0;
    flags |= (seat->flags & TG_SEAT_WAITING) != 0 ? (uint32_t)TG_COMMAND_REFUSED : 0;
    return flags;
}

/* Remembers what the last command said of refused writes. */
static void note_told(struct tg_seat *seat)
{
    seat->flags = (uint16_t)((seat->flags & TG_SEAT_WAITING) != 0
                                 ? seat->flags | TG_SEAT_TOLD_REFUSED
                                 : seat->flags & ~TG_SEAT_TOLD_REFUSED);
}

/* Tells the worker that there is more; false if its ring is full. It must know before it sees the
 * releases that follow, or it would close a peer that has half-closed without its last replies. */
static bool hold_seat(struct throng_server *server, struct tg_seat *seat)
{
    const bool waits = (seat->flags & TG_SEAT_WAITING) != 0;
    if ((seat->flags & TG_SEAT_HELD) != 0 && waits == ((seat->flags & TG_SEAT_TOLD_REFUSED) != 0)) {
        return true; /* told already */
    }
    struct tg_command *command = tg_ring_claim(&server->workers[seat->worker].commands);
    if (command == NULL) {
        return false;
    }
    *command =
        (struct tg_command){.conn = seat->id, .flags = command_flags(seat) | TG_COMMAND_MORE};
    tg_chain_init(&command->chain);
    tg_ring_push(&server->workers[seat->worker].commands);
    note_told(seat);
    server->held_count += (seat->flags & TG_SEAT_HELD) != 0 ? 0 : 1;
    seat->flags |= TG_SEAT_HELD;
    return true;
}

void tg_server_end_hold(struct throng_server *server, struct tg_seat *seat)
{
    if ((seat->flags & TG_SEAT_HELD) != 0) {
        seat->flags &= (uint16_t)~TG_SEAT_HELD;
        server->held_count--;
    }
}

void tg_server_end_holds(struct throng_server *server)
{
    for (uint32_t i = 0; i < server->arena.capacity && server->held_count > 0; i++) {
        if ((server->seats[i].flags & TG_SEAT_HELD) != 0) {
            /* The flush ends the hold: the worker has to be told. */
            tg_server_mark_dirty(server, &server->seats[i]);
        }
    }
}

/* Moves what the seat has for its worker into the command ring; false if the ring is full. */
static bool flush_seat(struct throng_server *server, struct tg_seat *seat)
{
    if (seat->id == 0 || (seat->flags & TG_SEAT_GONE) != 0) {
        /* The connection ended while this was waiting. */
        if (seat->id != 0) {
            tg_server_drop_pending(server, seat);
        }
        return true;
    }
    if (is_to_hold(server, seat)) {
        return hold_seat(server, seat);
    }
    struct tg_command *command = tg_ring_claim(&server->workers[seat->worker].commands);
    if (command == NULL) {
        return false;
    }
    command->conn = seat->id;
    command->chain = seat->pending;
    command->flags = command_flags(seat);
    command->deadline_ms = 0;
    tg_ring_push(&server->workers[seat->worker].commands);
    seat->units_out += seat->pending.units;
    seat->flags &= (uint16_t) ~(TG_SEAT_CLOSE_DUE | TG_SEAT_ABORT_DUE);
    note_told(seat);
    tg_chain_init(&seat->pending);
    tg_server_end_hold(server, seat);
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
            tg_server_mark_dirty(server, seat);
        }
    }
    return full;
}

bool tg_server_flush_writes(struct throng_server *server)
{
    return server->dirty_head == TG_INDEX_NONE || flush_seats(server) == 0;
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
    if (server->held_count > 0) {
        tg_server_collect_blocks(server); /* what came home lets more go out with this flush */
    }
    uint64_t full = server->dirty_head == TG_INDEX_NONE ? 0 : flush_seats(server);
    (void)tg_server_flush_members(server); /* what does not fit goes with the next */
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
    tg_server_collect_members(server);
}
