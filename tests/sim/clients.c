/* SPDX-License-Identifier: MIT
 * The swarm in the simulated world: its handler. Each connection says so many messages, now and
 * then, and ends in one way or another; then it comes again. */
#include "clients.h"

#include <string.h>

#include <throng/swarm.h>

#include "ledger.h"
#include "script.h"

/* How long a connection waits that cannot write, ns. */
#define FULL_NS 5000000u

struct clients_world clients_world;

struct swarm_client {
    struct life *life; /* NULL: not up, or nobody knows its address */
    uint64_t due_ns;   /* its next step */
    uint32_t goal;     /* messages of this life */
    bool is_up;
    bool is_down;
    bool is_ending; /* disconnect was called */
    bool ends_well; /* and gracefully */
};

static struct swarm_client swarm_clients[PLAN_SWARM_MAX];
static struct throng_swarm *swarm;

uint64_t clients_pause(void)
{
    const struct plan *plan = clients_world.plan;
    /* Not less than this: who waits for a server that does not read would look for ever. */
    uint32_t least_ns = clients_world.is_finishing ? 10000 : 50000;
    return least_ns + tg_sim_below(clients_world.is_finishing ? 1000 : plan->think_ns);
}

/* ---- the handler ---- */

static void on_open(void *context, struct throng_swarm_thread *thread, uint32_t index)
{
    struct swarm_client *client = &swarm_clients[index];
    struct throng_address address;
    (void)context;
    TG_SIM_RULE(!client->is_up && !client->is_down, "a swarm's connection is opened twice");
    client->is_up = true;
    client->is_ending = false;
    client->ends_well = false;
    client->goal = tg_sim_below(clients_world.plan->messages + 1);
    client->due_ns = tg_sim_now_ns() + clients_pause();
    if (throng_swarm_local_address(thread, index, &address) < 0) {
        (void)throng_swarm_disconnect(thread, index, true);
        return;
    }
    client->life = ledger_find_client(index, address.port, LIFE_UP);
    if (client->life != NULL) {
        client->life->flags |= LIFE_UP;
    }
}

static void on_message(void *context, struct throng_swarm_thread *thread, uint32_t index,
                       const void *data, size_t size)
{
    struct swarm_client *client = &swarm_clients[index];
    (void)context;
    (void)thread;
    TG_SIM_RULE(client->is_up && !client->is_ending, "a message after the swarm's disconnect");
    if (client->life == NULL) {
        return;
    }
    ledger_take_down(client->life, data, size);
}

static void on_closed(void *context, struct throng_swarm_thread *thread, uint32_t index, int error)
{
    struct swarm_client *client = &swarm_clients[index];
    struct life *life = client->life;
    (void)context;
    (void)thread;
    TG_SIM_RULE(!client->is_down, "a swarm's connection is closed twice");
    TG_SIM_RULE(error != THRONG_EPROTOCOL || !clients_world.plan->is_sound || life == NULL ||
                    (life->flags & (LIFE_GAME_ABORT | LIFE_GAME_CUT)) != 0 ||
                    clients_world.plan->has_limits,
                "a swarm's connection met a broken frame");
    if (life != NULL) {
        life->flags |= LIFE_CLOSED;
        life->flags |= error == THRONG_EEOF                             ? LIFE_EOF
                       : error == THRONG_ECANCELED && client->ends_well ? LIFE_WHOLE
                                                                        : LIFE_BROKEN;
        client->life = NULL;
        ledger_peer_done(life);
    }
    client->is_up = false;
    client->is_down = true;
    client->due_ns = tg_sim_now_ns() + clients_pause() * 4;
}

static void end(struct throng_swarm_thread *thread, uint32_t index)
{
    struct swarm_client *client = &swarm_clients[index];
    client->is_ending = true;
    client->ends_well = clients_world.is_finishing || tg_sim_below(3) != 0;
    if (client->life != NULL) {
        client->life->flags |= LIFE_DEAF | (client->ends_well ? LIFE_FIN : LIFE_RESET);
    }
    (void)throng_swarm_disconnect(thread, index, !client->ends_well);
}

static void say(struct throng_swarm_thread *thread, uint32_t index)
{
    struct life *life = swarm_clients[index].life;
    uint32_t count = 1 + tg_sim_below(3);
    while (count-- > 0 && life->up_sent < swarm_clients[index].goal) {
        int result = throng_swarm_write(thread, index,
                                        script_payload(life->number, life->up_sent, SCRIPT_UP),
                                        script_size(life->number, life->up_sent, SCRIPT_UP));
        if (result < 0) {
            /* EINVAL: it has broken, and on_closed is on its way. */
            TG_SIM_RULE(result == THRONG_EAGAIN || result == THRONG_EINVAL,
                        "a swarm refuses a message for no reason");
            swarm_clients[index].due_ns += FULL_NS;
            return;
        }
        life->up_sent++;
    }
}

static void step(struct throng_swarm_thread *thread, uint32_t index)
{
    struct swarm_client *client = &swarm_clients[index];
    client->due_ns = tg_sim_now_ns() + clients_pause();
    if (client->is_down) {
        if (!clients_world.is_finishing && ledger_count() < LEDGER_LIVES_LAST) {
            TG_SIM_RULE(throng_swarm_connect(thread, index) == 0, "a swarm cannot connect again");
            client->is_down = false;
        }
    } else if (clients_world.is_finishing) {
        end(thread, index);
    } else if (client->is_up && client->life != NULL) {
        say(thread, index);
        if (client->life->up_sent == client->goal && tg_sim_below(2) == 0) {
            end(thread, index);
        }
    }
}

static uint64_t on_turn(void *context, struct throng_swarm_thread *thread, uint64_t now_ns)
{
    const struct plan *plan = clients_world.plan;
    uint64_t next_ns = UINT64_MAX;
    (void)context;
    for (uint32_t i = throng_swarm_thread_index(thread); i < plan->swarm;
         i += plan->swarm_threads) {
        struct swarm_client *client = &swarm_clients[i];
        if (clients_world.is_finishing && !client->is_down && !client->is_ending) {
            client->due_ns = now_ns;
        }
        if (client->is_ending && !client->is_down) {
            continue;
        }
        if (client->due_ns <= now_ns &&
            (client->is_up || client->is_down || clients_world.is_finishing)) {
            step(thread, i);
        }
        bool is_due = client->is_down ? !clients_world.is_finishing
                                      : client->is_up && !client->is_ending;
        if (is_due && client->due_ns < next_ns) {
            next_ns = client->due_ns;
        }
    }
    return next_ns;
}

/* ---- life ---- */

void clients_begin(const struct plan *plan)
{
    clients_world = (struct clients_world){.plan = plan};
    memset(swarm_clients, 0, sizeof swarm_clients);
    swarm = NULL;
}

int clients_start_swarm(void)
{
    const struct plan *plan = clients_world.plan;
    struct throng_swarm_options options;
    if (plan->swarm == 0) {
        return 0;
    }
    throng_swarm_options_init(&options);
    options.targets[0] = "tcp://127.0.0.1:7000";
    options.connections = plan->swarm;
    options.threads = plan->swarm_threads;
    options.message_bytes_max = plan->server.message_bytes_max;
    options.byte_order = plan->server.byte_order;
    options.connects_in_flight = 8;
    options.connect_timeout_ms = 2000;
    ledger_client_address(0, &options.source);
    options.source_count = plan->swarm;
    options.send_queue_bytes_max = 128 * 1024;
    options.send_bytes = (size_t)256 * 1024;
    options.assembly_bytes = (size_t)512 * 1024;
    options.heartbeat_ms = plan->client_beat_ms;
    options.handler = (struct throng_swarm_handler){
        .on_open = on_open, .on_message = on_message, .on_closed = on_closed, .on_turn = on_turn};
    return throng_swarm_start(&swarm, &options, NULL);
}

void clients_finish(void)
{
    clients_world.is_finishing = true;
    if (swarm != NULL) {
        throng_swarm_wake(swarm);
    }
    frame_clients_finish();
}

uint32_t clients_busy(void)
{
    uint32_t busy = frame_clients_busy();
    for (uint32_t i = 0; swarm != NULL && i < clients_world.plan->swarm; i++) {
        busy += !swarm_clients[i].is_down;
    }
    return busy;
}

void clients_stop(void)
{
    throng_swarm_stop(swarm);
    swarm = NULL;
    /* Nobody was told of those that this has ended. */
    for (uint32_t i = 0; i < PLAN_SWARM_MAX; i++) {
        struct life *life = swarm_clients[i].life;
        if (life != NULL) {
            swarm_clients[i].life = NULL;
            life->flags |= LIFE_CLOSED | LIFE_RESET | LIFE_BROKEN;
            ledger_peer_done(life);
        }
    }
    frame_clients_stop();
}
