/* SPDX-License-Identifier: MIT
 * The oracle's rules about counters, limits, sleep and rest. */
#include "oracle.h"

#include <string.h>

#include "game_room.h"
#include "game_time.h"
#include "sim/world.h"
#include "state.h"

#define IDS_MAX (1u << 18) /* a power of two */

/* The deep look is for each so-manieth time that everybody sleeps; it goes through all slots. */
#define DEEP_EACH 16u

static const struct plan *plan;
static uint64_t looks;
static uint64_t stalls_before;
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

void oracle_check_bytes(const struct throng_counters *now, uint64_t waiting)
{
    uint64_t known = now->bytes_sent + now->bytes_dropped + game.replaced_bytes + waiting;
    uint64_t beats = 4 * now->heartbeats_sent;
    /* How much of what was broadcast a worker drops, and of what was written, it does not count. */
    TG_SIM_RULE((known >= game.accepted_bytes || plan->room_parts > 0) &&
                    known <= game.accepted_bytes + beats + game_room_offered_bytes(),
                "accepted bytes are neither sent, dropped nor waiting");
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
    TG_SIM_RULE(now.bytes_sent + now.bytes_dropped + game.replaced_bytes <=
                    game.accepted_bytes + 4 * now.heartbeats_sent + game_room_offered_bytes(),
                "more bytes were sent and dropped than accepted");
    TG_SIM_RULE(now.logic_stalls == 0 || plan->stall_parts > 0 ||
                    plan->server.logic_stall_ms < 500 || plan->faults[TG_SIM_FAULT_clock_jump] != 0,
                "a logic thread that goes on is reported as stuck");
    uint64_t dropped_later = 0; /* what members of rooms lost to newer messages */
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        dropped_later += server->workers[i].counters.messages_dropped;
    }
    TG_SIM_RULE(now.messages_dropped == game.dropped + dropped_later, "messages_dropped is wrong");
    TG_SIM_RULE(dropped_later == 0 || plan->room_parts > 0, "a worker drops what nobody broadcast");
    game_room_check_counters(&now);
    TG_SIM_RULE(now.writable_events == game.writables, "writable_events is wrong");
    game_time_check_counters(&now);
}

void oracle_turn(void)
{
    uint64_t out = 0;
    for (uint32_t i = 0; i < game.server->config.worker_count; i++) {
        TG_SIM_RULE(game.out[i] <= game.server->workers[i].events_max,
                    "more events are out than events_max");
        out += game.out[i];
    }
    TG_SIM_RULE(game.server->counters.events_unreleased ==
                    out + game.writables_out + game_time_out(),
                "events_unreleased is wrong");
    if (tg_sim_below(32) == 0) {
        check_counters(game.server);
    }
}

/* ---- everybody sleeps ---- */

/* Whether they all sleep because they want to. One that chance has left standing may be about to
 * wake another. */
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

static uint64_t stalls_of(const struct throng_server *server)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        sum += server->workers[i].counters.logic_stalls;
    }
    return sum;
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
    TG_SIM_RULE(!tg_post_queue_has_posts(&server->time->posts), "lost wake-up: a post waits");
    game_time_check_sleep();
    if (game.waiting > 0) {
        oracle_check_writers(server);
    }
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

/* ---- a logic thread that is stuck ---- */

/* By when a worker has surely noticed. */
#define STALL_SLACK_NS UINT64_C(800000000)

bool oracle_begin_stall(uint64_t stall_ns)
{
    const struct throng_server *server = game.server;
    uint32_t limit_ms = plan->server.logic_stall_ms;
    bool has_events = false;
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        has_events = has_events || entries_in(&server->workers[i].events) > 0;
    }
    stalls_before = stalls_of(server);
    return has_events && limit_ms != THRONG_OFF && !server->config.inline_mode &&
           plan->faults[TG_SIM_FAULT_clock_jump] == 0 &&
           stall_ns > limit_ms * UINT64_C(1000000) + STALL_SLACK_NS;
}

void oracle_end_stall(bool is_noticed)
{
    const struct throng_server *server = game.server;
    TG_SIM_RULE(!is_noticed || stalls_of(server) > stalls_before ||
                    server->shared.logic_stalled_ms > 0,
                "the logic thread was stuck, and nobody has said so");
}

/* ---- rest ---- */

bool oracle_is_quiet(void)
{
    struct throng_counters now;
    throng_server_counters(game.server, &now);
    return game.open == 0 && game.held_count == 0 && now.slots_taken == 0 &&
           tg_post_queue_is_empty(&game.server->time->posts) &&
           oracle_rooms_are_quiet(game.server) && now.send_units_free == now.send_units_total;
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
    oracle_check_bytes(&now, 0);
    game_room_check_quiet(&now);
    for (uint32_t i = 0;
         server->address_table.limit > 0 && i < 8 * server->address_table.bucket_count; i++) {
        TG_SIM_RULE((server->address_table.words[i] & 0xffffff) == 0,
                    "at rest an address has connections");
    }
    uint64_t closed = 0;
    for (int i = 0; i <= THRONG_CLOSE_EVICTED; i++) {
        closed += throng_server_closed_count(server, (enum throng_close_reason)i);
        TG_SIM_RULE(throng_server_closed_count(server, (enum throng_close_reason)i) >=
                        game.closed_by[i],
                    "closed_count is wrong");
    }
    TG_SIM_RULE(closed == now.closed, "the reasons of closed_count do not add up");
    TG_SIM_RULE(throng_server_closed_count(server, THRONG_CLOSE_EVICTED) <= now.evicted,
                "evictions are not counted");
    TG_SIM_RULE(plan->server.when_full != THRONG_WHEN_FULL_REFUSE || now.evicted <= now.refused,
                "more were evicted than have knocked");
    /* What the workers of an earlier server dropped for members of rooms while it stopped, nobody
     * can read. */
    const bool is_known = plan->rounds == 1 || plan->room_parts == 0;
    TG_SIM_RULE(!is_known ||
                    game.missed_before + now.messages_dropped >= ledger_sums.messages_missed,
                "more messages are missing than were dropped");
    TG_SIM_RULE(game.waiting == 0 && server->waiters.count == 0 && server->held_count == 0,
                "at rest somebody waits to write");
    TG_SIM_RULE(server->dirty_head == TG_INDEX_NONE && server->drain_due == 0,
                "at rest something waits for a flush");
}
