/* SPDX-License-Identifier: MIT
 * The oracle's rules about counters, limits, sleep and rest. */
#include "oracle.h"

#include <string.h>

#include "sim/world.h"
#include "state.h"

#define IDS_MAX (1u << 18) /* a power of two */

/* The deep look is for each so-manieth time that everybody sleeps; it goes through all slots. */
#define DEEP_EACH 16u

static const struct plan *plan;
static uint64_t looks;
static uint64_t ids[IDS_MAX];
static uint32_t ids_count;

void oracle_begin(const struct plan *of_world)
{
    plan = of_world;
    looks = 0;
}

uint64_t oracle_looks(void)
{
    return looks;
}

void oracle_note_id(uint64_t id)
{
    if (ids_count > IDS_MAX / 2) {
        memset(ids, 0, sizeof ids); /* the oldest worlds are forgotten */
        ids_count = 0;
    }
    uint32_t at = (uint32_t)((id * 0x9e3779b97f4a7c15u) >> 40) & (IDS_MAX - 1);
    while (ids[at] != 0) {
        TG_SIM_RULE(ids[at] != id, "an id was given twice");
        at = (at + 1) & (IDS_MAX - 1);
    }
    ids[at] = id;
    ids_count++;
}

/* ---- limits and counters ---- */

void oracle_check_queue(size_t queued)
{
    size_t most = (size_t)game.server->config.send_units_max * TG_BLOCK_BYTES;
    TG_SIM_RULE(queued <= most, "a connection's queue is longer than send_queue_bytes_max");
}

void oracle_check_refusal(const struct game_conn *conn, uint32_t size)
{
    const struct throng_server *server = game.server;
    size_t queued = 0;
    TG_SIM_RULE(throng_queued_bytes(game.server, conn->id, &queued) == 0, "no queue to look at");
    uint32_t needed = (4 + size + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES;
    /* A large block counts in full, however little it holds. */
    uint32_t rounded = needed + TG_LARGE_BLOCK_UNITS * (1 + size / TG_LARGE_BLOCK_BYTES);
    bool has_room = queued / TG_BLOCK_BYTES + rounded <= server->config.send_units_max;
    bool has_memory = tg_index_stack_count(&server->blocks.small_free) >= needed;
    TG_SIM_RULE(!has_room || !has_memory, "a write was refused though there was room and memory");
}

static void check_counters(const struct throng_server *server)
{
    struct throng_counters now;
    throng_server_counters(server, &now);
    TG_SIM_RULE(now.slots_taken <= plan->server.max_connections &&
                    now.connections_peak <= plan->server.max_connections,
                "more slots are taken than there are");
    TG_SIM_RULE(now.send_units_free <= now.send_units_total, "more send blocks than there are");
    TG_SIM_RULE(now.assembly_bytes_used <=
                    plan->server.assembly_bytes * server->config.worker_count,
                "more memory for pieces than there is");
    TG_SIM_RULE(now.messages_written == game.accepted, "messages_written is wrong");
    TG_SIM_RULE(now.writes_refused == game.refused, "writes_refused is wrong");
    TG_SIM_RULE(now.writes_stale == game.stale, "writes_stale is wrong");
    TG_SIM_RULE(now.messages_received >= game.taken, "messages_received is wrong");
    TG_SIM_RULE(now.accepted >= game.opened, "accepted is wrong");
    TG_SIM_RULE(now.bytes_sent + now.bytes_dropped <= game.accepted_bytes,
                "more bytes were sent and dropped than accepted");
}

void oracle_turn(void)
{
    uint64_t out = 0;
    for (uint32_t i = 0; i < game.server->config.worker_count; i++) {
        TG_SIM_RULE(game.out[i] <= game.server->workers[i].events_max,
                    "more events are out than events_max");
        out += game.out[i];
    }
    TG_SIM_RULE(game.server->counters.events_unreleased == out, "events_unreleased is wrong");
    if (tg_sim_below(32) == 0) {
        check_counters(game.server);
    }
}

/* ---- everybody sleeps ---- */

/* Whether they all sleep because they want to. One that chance has left standing may be about to wake
 * another. */
static bool all_sleep(void)
{
    for (uint32_t i = 0; i < TG_WORLD_THREADS; i++) {
        if (tg_world.threads[i].state == TG_SIM_THREAD_STANDING) {
            return false;
        }
    }
    return true;
}

static void check_logic_sleeps_rightly(const struct throng_server *server)
{
    bool drained = server->draining;
    TG_SIM_RULE(!server->woken, "the logic thread sleeps and was woken");
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        const struct tg_worker *worker = &server->workers[i];
        TG_SIM_RULE(!tg_ring_has_entries(&worker->events), "lost wake-up: events wait");
        drained = drained && worker->drain_done;
    }
    TG_SIM_RULE(!drained, "lost wake-up: the drain is over");
    TG_SIM_RULE(!server->shared.slot_freed_for_waiter, "lost wake-up: a slot was freed");
}

static void check_worker_sleeps_rightly(const struct tg_worker *worker)
{
    TG_SIM_RULE(!tg_ring_has_entries(&worker->releases), "lost wake-up: releases wait");
    TG_SIM_RULE(!tg_ring_has_entries(&worker->commands), "lost wake-up: commands wait");
    TG_SIM_RULE(!worker->waiting_for_slots || !tg_arena_has_free(worker->shared->arena),
                "connections wait for a slot, and there is one");
    TG_SIM_RULE(tg_list_is_empty(&worker->blocked) || worker->events_out >= worker->events_max,
                "connections wait for event room, and there is some");
    TG_SIM_RULE(!tg_intake_is_due(&worker->intake) || worker->events_out >= worker->events_max,
                "connections wait for memory, and it is their turn");
}

/* Published and not taken. */
static uint32_t entries_in(const struct tg_ring *ring)
{
    return ring->tail_shared - ring->head;
}

void oracle_idle(void *context)
{
    const struct throng_server *server = game.server;
    (void)context;
    if (server == NULL || !game.is_waiting || !all_sleep()) {
        return;
    }
    looks++;
    if (!server->config.inline_mode) {
        check_logic_sleeps_rightly(server);
    }
    TG_SIM_RULE(!server->woken, "the logic thread sleeps and was woken");
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        if (!server->config.inline_mode) {
            check_worker_sleeps_rightly(&server->workers[i]);
        }
        TG_SIM_RULE(server->workers[i].events_out ==
                        game.out[i] + entries_in(&server->workers[i].events),
                    "events are out that nobody has");
    }
    if (looks % (DEEP_EACH + plan->server.max_connections) == 0) {
        oracle_check_workers(server);
    }
}

/* ---- rest ---- */

bool oracle_is_quiet(void)
{
    struct throng_counters now;
    throng_server_counters(game.server, &now);
    return game.open == 0 && game.held_count == 0 && now.slots_taken == 0 &&
           now.send_units_free == now.send_units_total;
}

static uint64_t references_of(const struct tg_recv_pool *pool)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < pool->count; i++) {
        sum += pool->references[i];
    }
    return sum;
}

static void check_worker_is_quiet(const struct tg_worker *worker)
{
    const struct tg_intake *intake = &worker->intake;
    TG_SIM_RULE(worker->owned_count == 0 && worker->live_count == 0 && worker->streams_open == 0,
                "at rest a worker still has connections");
    TG_SIM_RULE(worker->events_out == 0, "at rest events are out");
    TG_SIM_RULE(tg_list_is_empty(&worker->blocked), "at rest a slot is blocked");
    TG_SIM_RULE(worker->message_pool.used_units == 0, "at rest memory holds pieces");
    TG_SIM_RULE(worker->message_pool.kept_here == worker->message_pool.kept_count,
                "at rest a kept block is out");
    TG_SIM_RULE(intake->lacking_count == 0 && intake->right_count == 0 &&
                    intake->holder_count == 0 && tg_list_is_empty(&intake->reading) &&
                    tg_list_is_empty(&intake->stopped),
                "at rest the intake has readers");
    /* The port may keep the one that it fills. */
    uint32_t kept = 1 + (intake->reserve != TG_INDEX_NONE);
    TG_SIM_RULE(references_of(&worker->recv_pool) <= kept, "at rest a receive buffer is out");
    TG_SIM_RULE(tg_index_stack_count(&worker->recv_pool.free) + kept >= worker->recv_pool.count,
                "at rest a receive buffer is lost");
}

void oracle_check_quiet(void)
{
    const struct throng_server *server = game.server;
    struct throng_counters now;
    throng_server_counters(server, &now);
    check_counters(server);
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        check_worker_is_quiet(&server->workers[i]);
    }
    TG_SIM_RULE(now.connections == 0 && now.accepted == now.closed, "accepted and closed differ");
    TG_SIM_RULE(game.opened == game.closed, "OPEN and CLOSED differ in number");
    TG_SIM_RULE(now.events_unreleased == 0, "at rest events are not released");
    TG_SIM_RULE(now.assembly_bytes_used == 0, "at rest memory for pieces is in use");
    TG_SIM_RULE(game.has_closed || now.messages_received == game.taken,
                "messages were received and not handed up");
    TG_SIM_RULE(now.bytes_sent + now.bytes_dropped == game.accepted_bytes,
                "accepted bytes were neither sent nor dropped");
    TG_SIM_RULE(server->dirty_head == TG_INDEX_NONE && server->drain_due == 0,
                "at rest something waits for a flush");
}
