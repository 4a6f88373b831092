/* SPDX-License-Identifier: MIT
 * The watch hears what each port of the server does, and when. */
#include "watch_state.h"

#include <string.h>

struct watch_world watch_world;

void watch_begin(const struct plan *of_world)
{
    watch_world.plan = of_world;
}

/* ---- who ---- */

void watch_serve(void)
{
    watch_world.memory_was_short = false;
    watch_world.full_ns = 0;
    memset(watch_world.peers, 0,
           watch_world.plan->server.max_connections * sizeof watch_world.peers[0]);
    for (uint32_t i = 0; i < WATCH_WORKERS_MAX; i++) {
        watch_world.workers[i].port = NULL;
        watch_world.workers[i].touched_count = 0;
        watch_world.workers[i].messages_most = 0;
        watch_world.workers[i].is_blind = false;
        watch_world.workers[i].deaf_ns = 0;
    }
}

/* The server's worker with this port; NULL: it is a client's. */
struct watch_worker *watch_worker_of(const void *port)
{
    if (game.server == NULL) {
        return NULL;
    }
    TG_REQUIRE(game.server->config.worker_count <= WATCH_WORKERS_MAX);
    for (uint32_t i = 0; i < game.server->config.worker_count; i++) {
        if (game.server->workers[i].port == port) {
            if (watch_world.workers[i].port == NULL) {
                watch_world.workers[i].port = port;
                watch_time_begin(&watch_world.workers[i].time, tg_sim_now_ns());
            }
            return &watch_world.workers[i];
        }
    }
    return NULL;
}

static const struct tg_slot *slot_of(const void *stream)
{
    const char *bytes = stream;
    return (const struct tg_slot *)(const void *)(bytes - offsetof(struct tg_slot, stream));
}

uint32_t watch_place(const struct tg_slot *slot)
{
    return (uint32_t)(slot - game.server->arena.slots);
}

struct watch_stamp watch_now(const struct watch_worker *worker)
{
    return watch_time_now(&worker->time, tg_sim_now_ns());
}

/* Of something that happens now. A worker looks at its clock once a turn, when it returns from its
 * wait: the turn's work so far may count, and inline what the game has thought before. */
struct watch_stamp watch_stamp_now(const struct watch_worker *worker)
{
    struct watch_stamp now = watch_now(worker);
    if (!worker->time.is_waiting) {
        now.least = worker->time.served.least;
    }
    return now;
}

void watch_touch(struct watch_worker *worker, struct watch_peer *peer)
{
    if (!peer->is_touched) {
        peer->is_touched = true;
        worker->touched[worker->touched_count++] = (uint16_t)(peer - watch_world.peers);
    }
}

/* ---- notes ---- */

static void adopt(struct watch_worker *worker, struct watch_peer *peer, const struct tg_slot *slot)
{
    const struct throng_server_options *options = &game.server->config.options;
    struct watch_stamp now = watch_stamp_now(worker);
    bool was_touched = peer->is_touched;
    *peer = (struct watch_peer){.id = slot->id,
                                .opened = now,
                                .heard = now,
                                .reads = now,
                                .sent = now,
                                .adopted_ns = tg_sim_now_ns(),
                                .is_touched = was_touched};
    watch_begin_bucket(&peer->message_bucket, options->messages_per_s, options->messages_burst);
    watch_begin_bucket(&peer->byte_bucket, options->bytes_per_s, options->bytes_burst);
}

/* What completed in the wait counts from its end. */
static void stamp_touched(struct watch_worker *worker)
{
    struct watch_stamp now = watch_now(worker);
    for (uint32_t i = 0; i < worker->touched_count; i++) {
        struct watch_peer *peer = &watch_world.peers[worker->touched[i]];
        peer->heard = peer->has_heard ? now : peer->heard;
        peer->begun = peer->has_begun ? now : peer->begun;
        peer->sent = peer->has_taken ? now : peer->sent;
        peer->has_heard = false;
        peer->has_begun = false;
        peer->has_taken = false;
    }
}

/* A turn is over: whose sends have completed, and who has none in flight, has nothing that
 * waits. */
static void forget_touched(struct watch_worker *worker)
{
    const struct tg_worker *of_server = &game.server->workers[worker - watch_world.workers];
    for (uint32_t i = 0; i < worker->touched_count; i++) {
        struct watch_peer *peer = &watch_world.peers[worker->touched[i]];
        const struct tg_slot *slot = &game.server->arena.slots[worker->touched[i]];
        peer->is_waiting = peer->is_waiting && peer->is_sending;
        if (peer->id == slot->id) {
            watch_note_owed(worker, peer, slot);
        }
        if (peer->id == slot->id &&
            tg_reader_buffer(&of_server->intake, &slot->reader) == TG_INDEX_NONE &&
            !slot->beat_due && slot->beat_bytes == 0) {
            peer->questions = 0; /* one answer serves for several */
            /* With short intervals ours and theirs cross too often to tell them apart. */
            TG_SIM_RULE(!peer->owes_answer || peer->is_unclear || slot->state != TG_SLOT_OPEN ||
                            game.server->config.options.heartbeat_ms[slot->listener] < 50,
                        "a heartbeat is not answered");
        }
        peer->received_now = 0;
        peer->is_touched = false;
    }
    worker->touched_count = 0;
}

/* Each connection whose bytes came, or that waits with some, hands up a turn's worth: in the turn
 * at hand, and as the next one begins. */
static void begin_turn(struct watch_worker *worker, const struct tg_worker *of_server)
{
    uint64_t turns = 2 * (uint64_t)worker->touched_count + of_server->intake.lacking_count +
                     of_server->intake.right_count;
    const struct tg_list *node = of_server->blocked.next;
    for (; node != &of_server->blocked; node = node->next) {
        turns += 2;
    }
    turns += of_server->owned_count; /* a rest may end for each: rate, flow, a refused write */
    worker->messages_most = of_server->counters.messages_received +
                            turns * game.server->config.options.turn_messages;
}

static void end_turn(const struct watch_worker *worker, const struct tg_worker *of_server)
{
    TG_SIM_RULE(worker->is_blind || worker->messages_most == 0 ||
                    of_server->counters.messages_received <= worker->messages_most,
                "a connection has handed up more than turn_messages");
}

static void note_server(void)
{
    watch_world.memory_was_short = watch_world.memory_was_short ||
                                   game.server->shared.send_memory_short;
    if (!tg_arena_has_free(&game.server->arena)) {
        watch_world.full_ns = tg_sim_now_ns();
    }
}

static void on_stream(struct watch_worker *worker, const struct tg_sim_port_note *note)
{
    const struct tg_slot *slot = slot_of(note->stream);
    struct watch_peer *peer = &watch_world.peers[watch_place(slot)];
    if (note->act == TG_SIM_PORT_ADOPTS) {
        adopt(worker, peer, slot);
        return;
    }
    if (peer->id != slot->id || slot->id == 0) {
        worker->is_blind = true; /* accepted before the game had its server */
        return;
    }
    switch (note->act) {
    case TG_SIM_PORT_READS:
        peer->reads = peer->is_reading ? peer->reads : watch_stamp_now(worker);
        peer->is_reading = true;
        break;
    case TG_SIM_PORT_STOPS:
        peer->has_paused = true;
        peer->is_reading = false;
        break;
    case TG_SIM_PORT_RECEIVED:
        watch_on_received(worker, peer, slot, note);
        break;
    case TG_SIM_PORT_SENT:
        watch_on_sent(worker, peer, slot, note);
        break;
    case TG_SIM_PORT_PENDS:
        watch_on_pends(worker, peer);
        break;
    case TG_SIM_PORT_CLOSES:
        note_server();
        watch_check_close(worker, peer, slot);
        watch_check_refused(slot);
        break;
    default:
        break;
    }
}

void watch_note(void *context, const struct tg_sim_port_note *note)
{
    struct watch_worker *worker = watch_worker_of(note->port);
    (void)context;
    if (worker == NULL) {
        return;
    }
    const struct tg_worker *of_server = &game.server->workers[worker - watch_world.workers];
    if (tg_index_stack_count(&of_server->recv_pool.free) == 0) {
        worker->deaf_ns = tg_sim_now_ns();
    }
    if (note->act == TG_SIM_PORT_WAITS) {
        end_turn(worker, of_server);
        forget_touched(worker);
        watch_time_wait(&worker->time, tg_sim_now_ns(), note->amount);
        note_server();
    } else if (note->act == TG_SIM_PORT_RETURNS) {
        watch_time_return(&worker->time, tg_sim_now_ns());
        stamp_touched(worker);
        begin_turn(worker, of_server);
        note_server();
    } else {
        on_stream(worker, note);
    }
}
