/* SPDX-License-Identifier: MIT
 * Plans: everything that a seed decides beforehand. */
#include "plan.h"

#include <string.h>

#include "base/prng.h"
#include "buffer/block_pool.h"
#include "buffer/message_pool.h"
#include "plan_chance.h"
#include "script.h"

#define KIB 1024u

/* ---- faults ---- */

enum fault_use {
    FAULT_AT_START,
    FAULT_SERVING,
    FAULT_BREAKING
};

/* How strong a fault may be, in parts of 65,536, and what it does. Errors of the start would end
 * the run; they have their own part of it. */
static const struct {
    enum tg_sim_fault fault;
    enum fault_use use;
    uint32_t most;
} fault_table[] = {
    {TG_SIM_FAULT_yield, FAULT_SERVING, 16384},
    {TG_SIM_FAULT_stall, FAULT_SERVING, 2048},
    {TG_SIM_FAULT_spurious_wake, FAULT_SERVING, 8192},
    {TG_SIM_FAULT_partial_receive, FAULT_SERVING, 49152},
    {TG_SIM_FAULT_partial_send, FAULT_SERVING, 49152},
    {TG_SIM_FAULT_tiny, FAULT_SERVING, 32768},
    {TG_SIM_FAULT_zero_send, FAULT_SERVING, 8192},
    {TG_SIM_FAULT_pending_send, FAULT_SERVING, 65535},
    {TG_SIM_FAULT_late, FAULT_SERVING, 32768},
    {TG_SIM_FAULT_run_ahead, FAULT_SERVING, 49152},
    {TG_SIM_FAULT_success_after_cancel, FAULT_SERVING, 49152},
    {TG_SIM_FAULT_send_error, FAULT_BREAKING, 256},
    {TG_SIM_FAULT_receive_error, FAULT_BREAKING, 256},
    {TG_SIM_FAULT_accept_error, FAULT_SERVING, 4096},
    {TG_SIM_FAULT_accept_dead, FAULT_BREAKING, 8192},
    {TG_SIM_FAULT_adopt_error, FAULT_BREAKING, 16384},
    {TG_SIM_FAULT_connect_error, FAULT_BREAKING, 8192},
    {TG_SIM_FAULT_doom, FAULT_BREAKING, 12288},
    {TG_SIM_FAULT_reset_discards, FAULT_BREAKING, 65535},
    {TG_SIM_FAULT_fragment, FAULT_SERVING, 49152},
    {TG_SIM_FAULT_slow_path, FAULT_SERVING, 1024},
    {TG_SIM_FAULT_clock_jump, FAULT_SERVING, 64},
    {TG_SIM_FAULT_memory_error, FAULT_AT_START, 8192},
    {TG_SIM_FAULT_socket_error, FAULT_AT_START, 16384},
    {TG_SIM_FAULT_thread_error, FAULT_AT_START, 32768},
    {TG_SIM_FAULT_port_error, FAULT_AT_START, 32768},
};

void plan_judge_faults(struct plan *plan)
{
    plan->is_calm = true;
    plan->is_sound = true;
    for (size_t i = 0; i < sizeof fault_table / sizeof fault_table[0]; i++) {
        if (plan->faults[fault_table[i].fault] != 0) {
            plan->is_calm = false;
            plan->is_sound = plan->is_sound && fault_table[i].use != FAULT_BREAKING;
        }
    }
}

static void choose_faults(struct plan *plan, struct tg_prng *prng)
{
    bool none = one_in(prng, 16);
    bool sound = one_in(prng, 4);
    bool strong = !one_in(prng, 3);
    uint32_t share = between(prng, 3, 9);
    for (size_t i = 0; i < sizeof fault_table / sizeof fault_table[0]; i++) {
        uint32_t most = fault_table[i].most;
        uint32_t strength = strong && fault_table[i].use == FAULT_SERVING
                                ? between(prng, most / 4, most)
                                : spread(prng, 1 + most / 128, most);
        bool chosen = below(prng, 10) < share;
        if (!chosen) {
            continue;
        }
        if (fault_table[i].use == FAULT_AT_START) {
            plan->start_faults[fault_table[i].fault] = strength;
        } else if (!none && !(sound && fault_table[i].use == FAULT_BREAKING)) {
            plan->faults[fault_table[i].fault] = strength;
        }
    }
    /* Threads overtake each other in every world. */
    plan->faults[TG_SIM_FAULT_yield] += none ? 0 : 256;
    plan_judge_faults(plan);
}

/* ---- the server ---- */

static uint32_t choose_message_max(struct tg_prng *prng)
{
    switch (below(prng, 8)) {
    case 0:
        return between(prng, 1, 16);
    case 1:
    case 2:
        return between(prng, 17, 1200);
    case 3:
        return 65536;
    case 4:
        return between(prng, 4 * KIB - 8, 4 * KIB + 8);
    default:
        return spread(prng, 256, 20000);
    }
}

/* `least`, or a few times as much, or plenty. */
static size_t tight(struct tg_prng *prng, size_t least, size_t plenty)
{
    switch (below(prng, 4)) {
    case 0:
        return least;
    case 1:
        return least + below(prng, (uint32_t)least + 1);
    case 2:
        return least * between(prng, 2, 8);
    default:
        return plenty > least ? plenty : least;
    }
}

static void choose_memory(struct throng_server_options *server, struct tg_prng *prng)
{
    size_t frame = (size_t)server->message_bytes_max + THRONG_FRAME_HEADER_BYTES;
    size_t blocks = (frame + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES * TG_BLOCK_BYTES;
    server->send_queue_bytes_max = (uint32_t)tight(prng, blocks, 64 * KIB);
    server->send_small_bytes =
        tight(prng, blocks, (size_t)256 * KIB + (size_t)server->max_connections * 1024);
    server->send_large_bytes = tight(prng, TG_LARGE_BLOCK_BYTES, (size_t)128 * KIB);
    server->assembly_bytes =
        tight(prng, 2 * tg_message_block_bytes(server->message_bytes_max), (size_t)256 * KIB);
    server->receive_buffers = one_in(prng, 2) ? 4 : between(prng, 4, 16);
    server->receive_buffer_bytes = one_in(prng, 2) ? 4 * KIB : spread(prng, 4 * KIB, 32 * KIB);
    server->events_max = one_in(prng, 2) ? 64 : spread(prng, 64, 1024);
}

static void choose_server(struct plan *plan, struct tg_prng *prng)
{
    struct throng_server_options *server = &plan->server;
    throng_server_options_init(server);
    plan->ipv6 = one_in(prng, 4);
    server->listen[0] = one_in(prng, 4) ? "tcp://*:7000" : "tcp://127.0.0.1:7000";
    server->listen[1] = plan->ipv6 ? "tcp://[::1]:7001" : NULL;
    server->io_threads = below(prng, 4);
    server->max_connections = one_in(prng, 80) ? between(prng, 500, 2500) : spread(prng, 2, 63);
    server->byte_order = one_in(prng, 3) ? THRONG_BYTE_ORDER_LITTLE : THRONG_BYTE_ORDER_BIG;
    server->when_full = one_in(prng, 2) ? THRONG_WHEN_FULL_REFUSE : THRONG_WHEN_FULL_BACKLOG;
    /* Whom it does not hold tries again a second later: with thousands that would take hours. */
    bool is_large = server->max_connections > 100;
    server->backlog = is_large ? 4096 : one_in(prng, 4) ? between(prng, 1, 4) : 128;
    server->message_bytes_max = choose_message_max(prng);
    server->linger_ms = one_in(prng, 3) ? between(prng, 1, 20) : between(prng, 50, 3000);
    choose_memory(server, prng);
    plan_switch_off(server);
}

/* ---- the network ---- */

static void choose_network(struct plan *plan, struct tg_prng *prng)
{
    plan->pipe_bytes = spread(prng, 64, 65536);
    plan->delay_ns = spread(prng, 1000, 2000000);
    /* Long messages through a thin pipe over a long way would take all of the run's time. */
    uint32_t longest = plan->server.message_bytes_max;
    while (plan->pipe_bytes < longest / 16) {
        plan->pipe_bytes *= 2;
    }
    if (plan->pipe_bytes < longest && plan->delay_ns > 200000) {
        plan->delay_ns = 200000;
    }
}

/* ---- the peers ---- */

static void choose_peers(struct plan *plan, struct tg_prng *prng)
{
    uint32_t room = plan->server.max_connections;
    plan->peers = between(prng, 3 + room / 2, 6 + 2 * room);
    plan->peers = plan->peers > PLAN_PEERS_MAX ? PLAN_PEERS_MAX : plan->peers;
    plan->peers = plan->peers > 500 ? 300 + plan->peers / 2 : plan->peers;
    plan->lives = one_in(prng, 12) ? 2 : 100000;
    plan->messages = spread(prng, 1, 120);
    plan->think_ns = one_in(prng, 8) ? spread(prng, 1000000, 20000000)
                                     : spread(prng, 1000, 1000000);
    plan->write_bytes = spread(prng, 8, 16384);
    plan->long_parts = one_in(prng, 2) ? 8 : between(prng, 0, 64);
    bool only_polite = one_in(prng, 8);
    for (uint32_t i = 0; i < PLAN_KIND_LIMITED; i++) {
        bool chosen = i <= PLAN_KIND_silent ? !one_in(prng, 4) : !only_polite && !one_in(prng, 3);
        plan->kind_weight[i] = chosen ? plan_kind_weights[i] : 0;
    }
    plan->kind_weight[PLAN_KIND_polite] += 2;
    if (one_in(prng, 3)) {
        plan->swarm = between(prng, 1, PLAN_SWARM_MAX);
        plan->swarm_threads = between(prng, 1, 2);
    }
    plan->clients = one_in(prng, 3) ? between(prng, 1, PLAN_CLIENTS_MAX) : 0;
    uint32_t sockets = 3 * (plan->peers + plan->swarm + plan->clients) + 128;
    plan->sockets_max = one_in(prng, 20) ? sockets / 3 : sockets;
}

/* ---- the game ---- */

static void choose_game(struct plan *plan, struct tg_prng *prng)
{
    plan->take = one_in(prng, 3) ? 1 : spread(prng, 1, 64);
    plan->answers = between(prng, 0, 3);
    plan->hold = one_in(prng, 3) ? 0 : spread(prng, 1, 255);
    plan->hold_parts = plan->hold == 0 ? 0 : spread(prng, 2, 200);
    plan->write_parts = one_in(prng, 2) ? 0 : spread(prng, 1, 128);
    plan->greet_parts = one_in(prng, 2) ? 0 : 128;
    plan->close_parts = one_in(prng, 3) ? 0 : spread(prng, 1, 32);
    plan->abort_parts = one_in(prng, 3) ? 0 : spread(prng, 1, 16);
    plan->stale_parts = one_in(prng, 3) ? 0 : spread(prng, 1, 64);
    plan->flush_parts = one_in(prng, 3) ? 0 : spread(prng, 1, 64);
    plan->stall_parts = one_in(prng, 3) ? spread(prng, 4, 512) : 0;
    plan->stall_ms = spread(prng, 1, 3000);
    plan->wake_ns = spread(prng, 1000000, 40000000);
    plan->waits_forever = one_in(prng, 2);
    plan->drain_ms = spread(prng, 1, 4000);
}

void plan_make(struct plan *plan, uint64_t seed, uint32_t scale)
{
    struct tg_prng prng = {(seed + 77) * 0xd1342543de82ef95u};
    memset(plan, 0, sizeof *plan);
    plan->seed = seed;
    choose_server(plan, &prng);
    choose_network(plan, &prng);
    choose_peers(plan, &prng);
    choose_game(plan, &prng);
    choose_faults(plan, &prng);
    plan->completions = (uint32_t)((uint64_t)between(&prng, 4000, 16000) * scale / 100);
    plan->faulty_ms = between(&prng, 5000, 60000);
    plan->rounds = one_in(&prng, 4) ? between(&prng, 2, PLAN_ROUNDS_MAX) : 1;
    plan->start_tries = one_in(&prng, 3) ? between(&prng, 1, 4) : 0;
    for (uint32_t i = 0; i < PLAN_ROUNDS_MAX; i++) {
        uint32_t pick = below(&prng, 8);
        plan->ends[i] = pick < 5 ? PLAN_END_QUIET : pick < 7 ? PLAN_END_DRAIN : PLAN_END_STOP;
    }
    plan_choose_limits(plan, seed);
    plan_choose_feeding(plan, seed);
    plan_choose_time(plan, seed);
    plan_choose_rooms(plan, seed);
}
