/* SPDX-License-Identifier: MIT
 * The oracle's rules about writes: limits, the reserve, what is dropped, and who hears of room
 * again. */
#include "oracle.h"
#include "state.h"

static const struct tg_seat *seat_of(const struct game_conn *conn)
{
    return &game.server->seats[tg_conn_slot(conn->id.id)];
}

void oracle_note_write(const struct game_conn *conn, struct oracle_write *before)
{
    const struct tg_seat *seat = seat_of(conn);
    *before =
        (struct oracle_write){.pending_bytes = seat->pending.bytes,
                              .pending_units = seat->pending.units,
                              .small_free = tg_index_stack_count(&game.server->blocks.small_free),
                              .dropped = game.server->counters.messages_dropped};
}

void oracle_check_accepted(const struct game_conn *conn, uint32_t size,
                           const struct oracle_write *before)
{
    const struct throng_server *server = game.server;
    const struct tg_seat *seat = seat_of(conn);
    uint32_t units = seat->units_out + seat->pending.units;
    uint32_t alone = (4 + size + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES;
    bool may_drop = conn->policy == THRONG_WHEN_SEND_FULL_DROP_OLDEST;
    bool has_grown = seat->pending.units > before->pending_units;
    uint64_t dropped = server->counters.messages_dropped - before->dropped;
    uint32_t dropped_bytes = before->pending_bytes + 4 + size - seat->pending.bytes;
    size_t queued = 0;
    TG_SIM_RULE(throng_queued_bytes(game.server, conn->id, &queued) == 0 &&
                    queued == (size_t)units * TG_BLOCK_BYTES,
                "queued_bytes is not what waits");
    /* One message may always take the place of others, and what was flushed before the limit fell
     * stays. */
    uint32_t most = seat->units_max;
    if (may_drop) {
        most = (seat->units_out > most ? seat->units_out : most) + alone;
    }
    TG_SIM_RULE(!has_grown || units <= most, "a connection's queue is longer than its limit");
    uint32_t small_free = tg_index_stack_count(&server->blocks.small_free);
    TG_SIM_RULE(small_free >= before->small_free || may_drop || seat->units_out == 0 ||
                    small_free >= server->reserve.small_blocks,
                "who does not keep up has taken of the reserve");
    TG_SIM_RULE(may_drop || dropped == 0, "a message was dropped, and the policy is another");
    TG_SIM_RULE(dropped_bytes >= 4 * dropped && (dropped > 0 || dropped_bytes == 0),
                "dropped messages are not counted");
    game.dropped += dropped;
    game.replaced_bytes += dropped_bytes;
}

void oracle_check_refusal(const struct game_conn *conn, uint32_t size)
{
    const struct throng_server *server = game.server;
    const struct tg_seat *seat = seat_of(conn);
    uint32_t queued = seat->units_out + seat->pending.units;
    uint32_t needed = (4 + size + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES;
    /* A large block counts in full, however little it holds. */
    uint32_t rounded = needed + TG_LARGE_BLOCK_UNITS * (1 + size / TG_LARGE_BLOCK_BYTES);
    bool has_room = queued + rounded <= seat->units_max;
    bool has_memory = tg_index_stack_count(&server->blocks.small_free) >=
                      needed + server->reserve.small_blocks;
    TG_SIM_RULE((seat->flags & TG_SEAT_WAITING) != 0, "a write was refused, and nobody waits");
    TG_SIM_RULE(server->counters.messages_dropped == game.dropped,
                "messages were dropped for one that was refused");
    TG_SIM_RULE(!has_room || !has_memory, "a write was refused though there was room and memory");
}

void oracle_check_writable(const struct game_conn *conn)
{
    const struct tg_seat *seat = seat_of(conn);
    TG_SIM_RULE(conn->policy == THRONG_WHEN_SEND_FULL_DROP_OLDEST ||
                    seat->units_out + seat->pending.units <= seat->units_max / 2,
                "a WRITABLE though its queue is longer than half");
}

/* Nobody who waits for a WRITABLE is forgotten: with room in its own queue, and blocks for all who
 * wait beside the reserve, somebody must hear of it. */
void oracle_check_writers(const struct throng_server *server)
{
    uint64_t needed = server->reserve.small_blocks;
    bool has_room = false;
    bool came = false;
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        came = came || server->workers[i].returned.head != TG_BLOCK_NONE;
    }
    TG_SIM_RULE(!came, "lost wake-up: blocks came home for who waits for them");
    for (uint32_t i = 0; i < server->arena.capacity; i++) {
        const struct tg_seat *seat = &server->seats[i];
        const struct game_conn *conn = &game.conns[i];
        if (conn->id.id == 0 || !conn->is_refused) {
            continue;
        }
        TG_SIM_RULE(seat->id == conn->id.id && (seat->flags & TG_SEAT_WAITING) != 0,
                    "a write was refused, and WRITABLE will not come");
        uint32_t units = seat->units_out + seat->pending.units;
        uint32_t blocks = (seat->refused_bytes + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES;
        needed += blocks;
        /* A large block counts in full. */
        has_room = has_room || (units <= seat->units_max / 2 &&
                                units + blocks +
                                        (1 + seat->refused_bytes / TG_LARGE_BLOCK_BYTES) *
                                            TG_LARGE_BLOCK_UNITS <=
                                    seat->units_max);
    }
    bool is_all_free = tg_block_pool_free_units(&server->blocks) ==
                       tg_block_pool_total_units(&server->blocks);
    TG_SIM_RULE(!has_room || !is_all_free, "all memory is free, and WRITABLE does not come");
    TG_SIM_RULE(!has_room || tg_index_stack_count(&server->blocks.small_free) < needed,
                "there is room for a refused write, and WRITABLE does not come");
}
