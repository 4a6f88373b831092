/* SPDX-License-Identifier: MIT
 * A few throng_client in the simulated world, on one thread that looks at each of them once a
 * frame. */
#include <string.h>

#include <throng/client.h>

#include "clients.h"
#include "ledger.h"
#include "os/socket.h"
#include "script.h"

struct frame_client {
    struct throng_client *client;
    struct life *life;
    uint64_t due_ns;
    uint32_t goal;
    bool is_up;
    bool has_ended; /* shutdown was called */
};

static struct {
    struct frame_client clients[PLAN_CLIENTS_MAX];
    uint32_t count;
    struct tg_sim_thread *thread;
    volatile bool stop;
} frames;

/* ---- one client ---- */

static void come_up(struct frame_client *frame, uint32_t index)
{
    struct throng_address address;
    frame->is_up = true;
    frame->has_ended = false;
    frame->goal = tg_sim_below(clients_world.plan->messages + 1);
    if (tg_socket_local_address(throng_client_descriptor(frame->client), &address) == 0) {
        frame->life = ledger_find_client(PLAN_SWARM_MAX + index, address.port, LIFE_UP);
    }
    if (frame->life != NULL) {
        frame->life->flags |= LIFE_UP;
    }
}

static void read_all(struct frame_client *frame)
{
    const void *data;
    size_t size;
    while (throng_client_read(frame->client, &data, &size) == 1) {
        if (frame->life != NULL) {
            ledger_take_down(frame->life, data, size);
        }
    }
}

static void say(struct frame_client *frame)
{
    struct life *life = frame->life;
    uint32_t count = 1 + tg_sim_below(3);
    while (count-- > 0 && life->up_sent < frame->goal) {
        uint32_t message = life->up_sent++; /* it may be at the game before we are back */
        int result = throng_client_write(frame->client,
                                         script_payload(life->number, message, SCRIPT_UP),
                                         script_size(life->number, message, SCRIPT_UP));
        if (result < 0) {
            TG_SIM_RULE(result != THRONG_ETOOBIG && result != THRONG_EINVAL,
                        "a client refuses a message for no reason");
            life->up_sent--;
            return;
        }
    }
}

static void go(struct frame_client *frame, uint32_t flags)
{
    struct life *life = frame->life;
    if (life != NULL) {
        life->flags |= LIFE_CLOSED | flags;
        if ((flags & LIFE_EOF) != 0 && frame->has_ended) {
            life->flags |= LIFE_WHOLE;
        }
        frame->life = NULL;
        ledger_peer_done(life);
    }
    frame->is_up = false;
    frame->due_ns = tg_sim_now_ns() + clients_pause() * 4;
    throng_client_close(frame->client);
}

static void step_connected(struct frame_client *frame)
{
    read_all(frame);
    if (frame->has_ended) {
        return;
    }
    if (frame->life == NULL || (!clients_world.is_finishing && tg_sim_below(200) == 0)) {
        go(frame, LIFE_RESET);
        return;
    }
    if (!clients_world.is_finishing) {
        say(frame);
    }
    if (clients_world.is_finishing || frame->life->up_sent == frame->goal) {
        frame->has_ended = throng_client_shutdown(frame->client) == 0;
        frame->life->flags |= LIFE_FIN;
    }
}

static void step(struct frame_client *frame, uint32_t index)
{
    enum throng_client_state state = throng_client_update(frame->client);
    if (state == THRONG_CLIENT_IDLE) {
        if (!clients_world.is_finishing && tg_sim_now_ns() >= frame->due_ns &&
            ledger_count() < LEDGER_LIVES_LAST) {
            TG_SIM_RULE(throng_client_connect(frame->client, "tcp://127.0.0.1:7000") == 0,
                        "a client cannot connect");
        }
    } else if (state == THRONG_CLIENT_CONNECTED) {
        if (!frame->is_up) {
            come_up(frame, index);
        }
        step_connected(frame);
    } else if (state == THRONG_CLIENT_FAILED) {
        int error = throng_client_error(frame->client);
        read_all(frame);
        go(frame, error == THRONG_EEOF ? LIFE_EOF : LIFE_BROKEN);
    }
}

/* ---- all of them ---- */

uint32_t frame_clients_busy(void)
{
    uint32_t busy = 0;
    for (uint32_t i = 0; i < frames.count; i++) {
        busy += throng_client_state(frames.clients[i].client) != THRONG_CLIENT_IDLE;
    }
    return busy;
}

static void run(void *argument)
{
    (void)argument;
    while (!frames.stop) {
        for (uint32_t i = 0; i < frames.count; i++) {
            step(&frames.clients[i], i);
        }
        tg_sim_thread_sleep((int64_t)clients_pause() + 1000000); /* a fast game's frame */
    }
    for (uint32_t i = 0; i < frames.count; i++) {
        struct frame_client *frame = &frames.clients[i];
        if (frame->is_up) {
            go(frame, LIFE_RESET);
        }
        throng_client_destroy(frame->client);
    }
}

static int create(uint32_t index)
{
    const struct plan *plan = clients_world.plan;
    struct throng_client_options options;
    throng_client_options_init(&options);
    options.message_bytes_max = plan->server.message_bytes_max;
    options.byte_order = plan->server.byte_order;
    options.inbox_bytes = plan->server.message_bytes_max + 4 + tg_sim_below(4096);
    options.outbox_bytes = plan->server.message_bytes_max + 4 + tg_sim_below(4096);
    options.connect_timeout_ms = 2000;
    options.heartbeat_ms = plan->client_beat_ms;
    ledger_client_address(PLAN_SWARM_MAX + index, &options.source);
    return throng_client_create(&frames.clients[index].client, &options, NULL);
}

int clients_start_frames(void)
{
    memset(&frames, 0, sizeof frames);
    while (frames.count < clients_world.plan->clients) {
        int result = create(frames.count);
        if (result < 0) {
            for (uint32_t i = 0; i < frames.count; i++) {
                throng_client_destroy(frames.clients[i].client);
            }
            frames.count = 0;
            return result;
        }
        frames.count++;
    }
    if (frames.count > 0) {
        frames.thread = tg_sim_thread_start("clients", run, NULL);
        TG_SIM_RULE(frames.thread != NULL, "the clients' thread cannot start");
    }
    return 0;
}

void frame_clients_finish(void)
{
    if (frames.thread != NULL) {
        tg_sim_thread_wake(frames.thread);
    }
}

void frame_clients_stop(void)
{
    if (frames.thread != NULL) {
        frames.stop = true;
        tg_sim_thread_wake(frames.thread);
        tg_sim_thread_join(frames.thread);
        frames.thread = NULL;
        frames.count = 0;
    }
}
