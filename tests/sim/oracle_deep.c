/* SPDX-License-Identifier: MIT
 * The oracle's deep look: the worker's records of each slot against each other. All threads sleep,
 * so nothing is half done. */
#include "game_room.h"
#include "oracle.h"

#include <string.h>

#include "sim/net_socket.h"
#include "state.h"
#include "watch.h"

/* Slots of the largest plan, and more. */
#define ORACLE_SLOTS_MAX 4096u

struct sums {
    uint32_t owned;
    uint32_t live;
    uint32_t streams;
    uint32_t pieces;
    uint64_t messages_out;
    uint64_t queued_bytes;
    uint64_t queued_units;
};

static void check_slot(const struct tg_worker *worker, const struct tg_slot *slot)
{
    const struct tg_reader *reader = &slot->reader;
    TG_SIM_RULE(slot->id != 0 && slot->state != TG_SLOT_FREE, "a free slot is owned");
    TG_SIM_RULE(slot->state < TG_SLOT_CLOSING ||
                    tg_timer_is_running(tg_slot_timer(worker, slot)) == false,
                "a closing slot's timer runs");
    TG_SIM_RULE(slot->state < TG_SLOT_FLUSHING ||
                    tg_reader_buffer(&worker->intake, reader) == TG_INDEX_NONE,
                "a closing slot holds a receive buffer");
    TG_SIM_RULE(slot->state < TG_SLOT_FLUSHING || reader->piece == TG_INDEX_NONE,
                "a closing slot holds memory for pieces");
    TG_SIM_RULE(slot->state != TG_SLOT_CLOSED || tg_chain_is_empty(&slot->queue),
                "a closed slot holds send blocks");
    TG_SIM_RULE((slot->flags & TG_SLOT_TOUCHED) == 0 || worker->touched != TG_INDEX_NONE,
                "a touched slot is in no list");
    bool may_send = slot->state >= TG_SLOT_OPEN && slot->state <= TG_SLOT_FLUSHING;
    TG_SIM_RULE(!may_send || tg_chain_is_empty(&slot->queue) ||
                    (slot->flags & TG_SLOT_SENDING) != 0,
                "a queue waits, and no send is in flight");
    if (slot->state == TG_SLOT_PEER_ENDED && (slot->flags & TG_SLOT_OPEN_DUE) == 0) {
        TG_SIM_RULE(slot->events_held > 0 || !tg_slot_all_sent(slot),
                    "the peer has ended, all is answered and sent, and nobody closes");
    }
}

static bool counts_for_address(const struct tg_slot *slot)
{
    return slot->id != 0 && slot->state >= TG_SLOT_OPEN && slot->state < TG_SLOT_CLOSED &&
           (slot->flags & TG_SLOT_SILENT) == 0;
}

/* IPv4 addresses, and the one /64 that peers with IPv6 come from. */
static bool are_neighbours(const struct throng_address *a, const struct throng_address *b)
{
    return a->family == b->family &&
           memcmp(a->bytes, b->bytes, a->family == THRONG_ADDRESS_IPV4 ? 4 : 8) == 0;
}

uint32_t oracle_address_count(uint32_t slot)
{
    const struct tg_arena *arena = &game.server->arena;
    const struct throng_address own = tg_ends_peer(&arena->ends, slot);
    uint32_t count = 0;
    for (uint32_t i = 0; i < arena->capacity; i++) {
        const struct throng_address peer = tg_ends_peer(&arena->ends, i);
        count += i != slot && counts_for_address(&arena->slots[i]) && are_neighbours(&peer, &own);
    }
    return count;
}

static void check_address(const struct tg_worker *worker, const struct tg_slot *slot)
{
    uint32_t most = worker->shared->address_table->limit;
    TG_SIM_RULE(most == 0 || !counts_for_address(slot) ||
                    oracle_address_count(tg_worker_slot_index(worker, slot)) < most,
                "an address has more connections than it may");
}

/* What was seen of a slot whose queue is at the limit at which its reading pauses. */
static struct flow_mark {
    uint64_t id;
    uint64_t read; /* bytes that the port had taken from the network */
    uint64_t sent; /* and had given to it */
    struct tg_chain queue;
    uint32_t taken_bytes, unsent_ms; /* of the slot: these change when the queue falls */
    bool held; /* it had a kept block of message memory: it reads to the end of that message */
} flow_marks[ORACLE_SLOTS_MAX];

/* Whether nothing has left the queue since then. */
static bool is_standing(const struct flow_mark *mark, const struct tg_slot *slot, uint64_t sent)
{
    return mark->id == slot->id && mark->sent == sent && mark->queue.head == slot->queue.head &&
           mark->queue.bytes <= slot->queue.bytes && mark->taken_bytes == slot->taken_bytes &&
           mark->unsent_ms == slot->unsent_ms;
}

/* While nothing leaves its queue, which is at the limit, a connection is not read from: but for the
 * turn that finds this out, what the port had taken ahead, and the rest of a message that holds
 * memory for which others wait. A reset that takes unread bytes along counts them as read: a broken
 * socket is not looked at. */
static void check_flow(const struct tg_worker *worker, const struct tg_slot *slot)
{
    struct flow_mark *mark = &flow_marks[tg_worker_slot_index(worker, slot)];
    const struct tg_net_socket *near = NULL;
    if (slot->state == TG_SLOT_OPEN &&
        (uint64_t)slot->queue.units * TG_BLOCK_BYTES >= worker->shared->flow_bytes) {
        near = tg_net_at((uint32_t)slot->stream.handle);
    }
    if (near == NULL || near->error != 0 || near->peer == TG_NET_NONE) {
        mark->id = 0;
        return;
    }
    uint64_t sent = tg_net_at(near->peer)->in.written;
    if (!is_standing(mark, slot, sent)) {
        *mark = (struct flow_mark){.id = slot->id,
                                   .read = near->in.read,
                                   .sent = sent,
                                   .queue = slot->queue,
                                   .taken_bytes = slot->taken_bytes,
                                   .unsent_ms = slot->unsent_ms};
        return;
    }
    /* rest_due: it came to that message's end since the last look. */
    mark->held = mark->held || slot->reader.place == TG_READER_HOLDING || slot->rest_due;
    uint64_t rest = mark->held ? (uint64_t)worker->shared->rules.message_bytes_max + 4 : 0;
    TG_SIM_RULE(near->in.read - mark->read <= 2 * (uint64_t)worker->port_options.turn_bytes + rest,
                "a connection is read from though its queue is full");
}

static void add_slot(struct sums *sums, const struct tg_worker *worker, const struct tg_slot *slot)
{
    bool is_reported = slot->state == TG_SLOT_CLOSED && (slot->flags & TG_SLOT_CLOSED_DUE) == 0;
    check_slot(worker, slot);
    check_flow(worker, slot);
    check_address(worker, slot);
    watch_check_overdue(worker, slot);
    sums->owned++;
    sums->live += !is_reported;
    sums->streams += slot->state != TG_SLOT_CLOSED;
    sums->pieces += slot->reader.piece != TG_INDEX_NONE;
    sums->messages_out += slot->events_held;
    sums->queued_bytes += slot->queue.bytes;
    sums->queued_units += oracle_own_units(worker, slot);
}

static struct sums check_worker(const struct throng_server *server, const struct tg_worker *worker)
{
    struct sums sums = {0};
    uint32_t capacity = server->arena.capacity;
    TG_REQUIRE(capacity <= ORACLE_SLOTS_MAX);
    for (uint32_t i = 0; i < capacity; i++) {
        if (tg_worker_owns(worker, i)) {
            add_slot(&sums, worker, tg_worker_slot(worker, i));
        }
    }
    const struct tg_intake *intake = &worker->intake;
    for (uint32_t i = intake->piece_free; i != TG_INDEX_NONE; i = intake->pieces[i].next) {
        sums.pieces++;
    }
    TG_SIM_RULE(sums.pieces == intake->piece_fresh, "a piece is neither lent nor free");
    TG_SIM_RULE(sums.owned == worker->owned_count, "owned_count is wrong");
    TG_SIM_RULE(sums.live == worker->live_count, "live_count is wrong");
    TG_SIM_RULE(sums.streams == worker->streams_open, "streams_open is wrong");
    TG_SIM_RULE(sums.messages_out <= worker->events_out, "messages are out that were never events");
    TG_SIM_RULE(worker->events_out <= worker->events_max, "more events are out than events_max");
    TG_SIM_RULE(tg_index_stack_count(&worker->recv_pool.free) <= worker->recv_pool.count,
                "more receive buffers are free than there are");
    TG_SIM_RULE(worker->message_pool.used_units <= worker->message_pool.unit_count,
                "more memory for pieces is used than there is");
    return sums;
}

/* The logic thread's view of the send blocks and the workers': each block is free, written and not
 * flushed, in a queue, or on its way home. */
static void check_blocks(const struct throng_server *server, uint64_t queued_units,
                         uint64_t shared_units)
{
    const struct tg_block_pool *blocks = &server->blocks;
    uint64_t pending = 0;
    uint64_t out = 0;
    uint64_t returning = 0;
    uint64_t returning_to_seats = 0;
    for (uint32_t i = 0; i < server->arena.capacity; i++) {
        const struct tg_seat *seat = &server->seats[i];
        pending += seat->id == 0 ? 0 : seat->pending.units;
        out += seat->id == 0 ? 0 : seat->units_out;
    }
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        uint32_t block = server->workers[i].returned.head;
        for (; block != TG_BLOCK_NONE; block = blocks->blocks[block].next) {
            uint64_t conn = blocks->blocks[block].conn;
            uint32_t units = tg_block_units(blocks, block);
            returning += units;
            bool is_shared = conn == TG_CONN_SHARED;
            returning_to_seats += !is_shared && server->seats[tg_conn_slot(conn)].id == conn ? units
                                                                                             : 0;
        }
    }
    TG_SIM_RULE(tg_block_pool_free_units(blocks) + pending + queued_units + shared_units +
                        returning ==
                    tg_block_pool_total_units(blocks),
                "send blocks are lost");
    TG_SIM_RULE(out == queued_units + returning_to_seats,
                "the connections' limits count blocks that they do not have");
}

void oracle_check_workers(const struct throng_server *server)
{
    struct throng_counters now;
    uint64_t waiting = 0;
    uint64_t units = 0;
    uint32_t owned = 0;
    throng_server_counters(server, &now);
    for (uint32_t i = 0; i < server->arena.capacity; i++) {
        waiting += server->seats[i].id == 0 ? 0 : server->seats[i].pending.bytes;
    }
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        struct sums sums = check_worker(server, &server->workers[i]);
        waiting += sums.queued_bytes;
        units += sums.queued_units;
        owned += server->workers[i].owned_count;
    }
    TG_SIM_RULE(now.slots_taken == owned, "slots_taken is wrong");
    TG_SIM_RULE(now.accepted == now.connections + now.closed, "accepted, open and closed differ");
    if (server->dirty_head == TG_INDEX_NONE && !server->config.inline_mode) {
        oracle_check_bytes(&now, waiting);
        check_blocks(server, units, oracle_check_rooms(server));
    }
}
