/* SPDX-License-Identifier: MIT
 * A run's phases, on the first thread of its world. */
#include "run.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clients.h"
#include "game_time.h"
#include "heap.h"
#include "oracle.h"
#include "peers.h"
#include "poster.h"
#include "room_ledger.h"
#include "script.h"
#include "sim/net.h"
#include "sim/world.h"
#include "state.h"
#include "waker.h"
#include "watch.h"

/* Virtual time within which a calm world comes to its end. */
#define REST_NS UINT64_C(240000000000)

/* And a server whose connections are gone to rest. */
#define HOME_NS UINT64_C(5000000000)

static const struct plan *current;

const struct plan *run_current(void)
{
    return current;
}

/* ---- start ---- */

static void set_start_faults(const struct plan *plan, bool on)
{
    for (int i = 0; i < TG_SIM_FAULT_COUNT; i++) {
        if (plan->start_faults[i] != 0) {
            tg_sim_set_fault((enum tg_sim_fault)i, on ? plan->start_faults[i] : 0);
        }
    }
}

static bool is_start_error(int error)
{
    return error == THRONG_ENOMEM || error == THRONG_EMFILE || error == THRONG_EADDRINUSE ||
           error == THRONG_ENOBUFS || error == THRONG_ESYSTEM;
}

/* Starts under the faults of the start; a failure must be clean. */
static struct throng_server *try_start(const struct plan *plan)
{
    struct throng_server *server = NULL;
    struct throng_error error = {0};
    uint32_t sockets = tg_net_open_sockets();
    size_t memory = tg_world.memory_bytes;
    set_start_faults(plan, true);
    int result = throng_server_start(&server, &plan->server, &error);
    set_start_faults(plan, false);
    if (result == 0) {
        return server;
    }
    TG_SIM_RULE(is_start_error(result) && error.code == result && error.text[0] != '\0',
                "a start that fails has no error to tell");
    TG_SIM_RULE(server == NULL && tg_net_open_sockets() == sockets &&
                    tg_world.memory_bytes == memory,
                "a start that failed has left something behind");
    return NULL;
}

static struct throng_server *start(const struct plan *plan, uint32_t round)
{
    struct throng_server *server = NULL;
    struct throng_error error;
    for (uint32_t i = 0; server == NULL && round == 0 && i < plan->start_tries; i++) {
        server = try_start(plan);
    }
    if (server == NULL) {
        int result = throng_server_start(&server, &plan->server, &error);
        if (result < 0) {
            (void)fprintf(stderr, "throng_server_start: %s\n", error.text);
        }
        TG_SIM_RULE(result == 0, "a server does not start");
    }
    return server;
}

static void start_clients(const struct plan *plan)
{
    if (plan->start_tries > 0) {
        set_start_faults(plan, true);
        int result = clients_start_swarm();
        set_start_faults(plan, false);
        TG_SIM_RULE(result == 0 || is_start_error(result), "a swarm's start fails oddly");
        if (result < 0) {
            TG_SIM_RULE(clients_start_swarm() == 0, "a swarm does not start");
        }
    } else {
        TG_SIM_RULE(clients_start_swarm() == 0, "a swarm does not start");
    }
    TG_SIM_RULE(clients_start_frames() == 0, "the clients do not start");
}

/* ---- serving ---- */

static int choose_timeout(const struct plan *plan)
{
    if (plan->waits_forever) {
        return -1;
    }
    uint32_t pick = tg_sim_below(8);
    return pick == 0 ? 0 : pick < 4 ? 1 + (int)tg_sim_below(3) : (int)tg_sim_below(40);
}

static void serve_under_faults(const struct plan *plan)
{
    uint64_t share = plan->completions / plan->rounds;
    uint64_t goal = tg_sim_counts()->completions + share;
    uint64_t end_ns = tg_sim_now_ns() + (uint64_t)plan->faulty_ms * 1000000u / plan->rounds;
    uint32_t lives_goal = ledger_count() + LEDGER_LIVES_ENOUGH / plan->rounds;
    while (tg_sim_counts()->completions < goal && tg_sim_now_ns() < end_ns &&
           ledger_count() < lives_goal) {
        (void)game_turn(choose_timeout(plan));
    }
}

static void print_state(void)
{
    peers_print();
    (void)fprintf(stderr, "open %u, held %u, busy peers %u, clients %u, slots taken %u\n",
                  game.open, game.held_count, peers_busy(), clients_busy(),
                  game.server == NULL ? 0 : (unsigned)game.server->shared.slots_taken);
}

static void expect(bool holds, const char *text)
{
    if (!holds) {
        print_state();
        TG_SIM_RULE(false, text);
    }
}

/* Until the server has nothing left to do; then everything must be at home. */
static void serve_to_rest(void)
{
    uint64_t end_ns = tg_sim_now_ns() + HOME_NS;
    while (!oracle_is_quiet()) {
        expect(tg_sim_now_ns() < end_ns, "nobody is connected, and not everything comes home");
        (void)game_turn(1);
        throng_flush(game.server); /* inline, after a drain, nothing else lets the worker run */
        tg_sim_thread_stand(100000);
    }
    oracle_check_quiet();
}

/* Everybody comes to an end. */
static void serve_quietly(const struct plan *plan)
{
    uint64_t end_ns = tg_sim_now_ns() + REST_NS;
    game_time_end();
    while (peers_busy() > 0 || clients_busy() > 0 || game.open > 0 || game.held_count > 0 ||
           game_time_waiting() > 0) {
        expect(tg_sim_now_ns() < end_ns, "the calm world does not come to its end");
        (void)game_turn(plan->waits_forever ? -1 : 20);
    }
    posters_rest();
    serve_to_rest();
}

static void serve_drain(const struct plan *plan, bool is_calm)
{
    uint64_t slack_ms = is_calm ? 1000 : 30000;
    uint64_t end_ns = tg_sim_now_ns() + (plan->drain_ms + slack_ms) * 1000000u;
    game_release_all();
    game_drain(plan->drain_ms);
    waker_rest(); /* whatever ends, the game must hear of it without being woken */
    if (tg_sim_below(2) == 0) {
        posters_rest();
        game_time_end();
    }
    while (game_turn(plan->waits_forever ? -1 : 20) != THRONG_ESTOPPED) {
        expect(tg_sim_now_ns() < end_ns, "a drain does not end in time");
    }
    posters_rest();
    expect(game.open == 0, "the drain is over, and not every CLOSED was taken");
    serve_to_rest();
}

/* ---- the end ---- */

static void stop_server(void)
{
    struct throng_server *server = game.server;
    game_forget();
    throng_server_stop(server);
}

/* Without a server: whoever is left finds out. */
static void await_peers(void)
{
    uint64_t end_ns = tg_sim_now_ns() + REST_NS;
    while (peers_busy() > 0 || clients_busy() > 0) {
        expect(tg_sim_now_ns() < end_ns, "the server has gone, and somebody stays");
        tg_sim_thread_stand(1000000);
    }
}

static void end_round(const struct plan *plan, uint32_t round)
{
    bool is_last = round + 1 == plan->rounds;
    enum plan_end end = plan->ends[round];
    game.is_ending = is_last || end == PLAN_END_DRAIN;
    if (is_last) {
        tg_sim_calm();
        peers_finish();
        clients_finish();
    }
    if (end == PLAN_END_DRAIN) {
        serve_drain(plan, is_last);
    } else if (is_last && end == PLAN_END_QUIET) {
        serve_quietly(plan);
    }
    waker_rest();
    posters_rest();
    TG_SIM_RULE(heap_calls() == 0, "the heap was asked while serving");
    heap_count(false);
    stop_server();
}

static void run_rounds(void *argument)
{
    const struct plan *plan = argument;
    for (uint32_t round = 0; round < plan->rounds; round++) {
        game_serve(start(plan, round));
        if (round == 0) {
            start_clients(plan);
            waker_start(plan);
            posters_start(plan);
            peers_start();
        }
        heap_count(true);
        waker_wake(game.server);
        posters_serve(game.server);
        serve_under_faults(plan);
        end_round(plan, round);
    }
    await_peers();
    waker_stop();
    posters_stop();
    clients_stop();
}

/* ---- the world ---- */

/* Steps that no run needs. A server that rests, because accepts fail or it has no memory for
 * messages, while a crowd of peers goes on, takes thousands of them for each completion (seed
 * 770853978571: 78 million in 45 virtual seconds). */
static uint64_t steps_for(const struct plan *plan)
{
    return 40000000u + 8000u * (uint64_t)plan->completions;
}

static void open_world(const struct plan *plan, bool trace)
{
    struct tg_sim_options options = {.seed = plan->seed,
                                     .delay_ns = plan->delay_ns,
                                     .pipe_bytes = plan->pipe_bytes,
                                     .sockets_max = plan->sockets_max,
                                     .steps_max = steps_for(plan),
                                     .trace = trace,
                                     .on_idle = oracle_idle,
                                     .on_port = watch_note};
    memcpy(options.faults, plan->faults, sizeof options.faults);
    struct script_rules rules = {
        .seed = plan->seed,
        .message_bytes_max = plan->server.message_bytes_max,
        .receive_buffer_bytes = plan->server.receive_buffer_bytes,
        .long_parts = plan->long_parts,
        .size_least = plan->server.heartbeat_ms[0] != 0 || plan->server.heartbeat_ms[1] != 0 ? 1
                                                                                             : 0,
        .is_numbered = plan->is_numbered,
        .byte_order = plan->server.byte_order};
    tg_sim_open(&options);
    tg_net_open(plan->sockets_max, plan->pipe_bytes);
    script_begin(&rules);
    ledger_begin(plan);
    room_ledger_begin();
    oracle_begin(plan);
    watch_begin(plan);
    game_begin(plan);
    peers_begin(plan);
    clients_begin(plan);
}

static uint64_t cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void fill_result(struct run_result *result, uint64_t begin_ns)
{
    const struct tg_sim_counts *counts = tg_sim_counts();
    result->hash = tg_sim_hash();
    result->virtual_ns = tg_sim_now_ns() - begin_ns;
    result->steps = counts->steps;
    result->switches = counts->switches;
    result->completions = counts->completions;
    result->faulted = counts->faulted;
    result->connections = counts->connections;
    result->opened = ledger_sums.opened;
    result->messages_up = ledger_sums.messages_up;
    result->messages_down = ledger_sums.messages_down;
    result->looks = oracle_looks();
    memcpy(result->faults, counts->faults, sizeof result->faults);
    memcpy(result->reasons, ledger_sums.reasons, sizeof result->reasons);
}

void run_plan(const struct plan *plan, bool trace, struct run_result *result)
{
    uint64_t begin_cpu_ns = cpu_ns();
    struct plan copy = *plan;
    memset(result, 0, sizeof *result);
    result->seed = plan->seed;
    current = plan;
    open_world(plan, trace);
    uint64_t begin_ns = tg_sim_now_ns();
    tg_sim_run(run_rounds, &copy);
    ledger_end();
    fill_result(result, begin_ns);
    tg_net_close();
    tg_sim_close();
    current = NULL;
    result->cpu_ns = cpu_ns() - begin_cpu_ns;
}
