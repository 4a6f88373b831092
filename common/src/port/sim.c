/* SPDX-License-Identifier: MIT
 * The simulated port's life and its waiting. */
#include "port/sim.h"

#include "base/yield.h"
#include "sim/world.h"

/* Most that a late completion is later, ns. */
#define LATE_NS 2000000u

static int check(const char **reason)
{
    (void)reason;
    return 0;
}

static bool has_own_table(void)
{
    return false;
}

static uint32_t stream_places(const struct tg_port_options *options)
{
    return options->streams_max + TG_SIM_SPARE_STREAMS;
}

static size_t memory_bytes(const struct tg_port_options *options)
{
    uint32_t streams = stream_places(options);
    return sizeof(struct tg_sim_port) + streams * sizeof(struct tg_sim_stream) +
           (streams + TG_SIM_LISTENERS) * sizeof(struct tg_sim_source *);
}

static int open_port(struct tg_port **opened, const struct tg_port_options *options)
{
    if (tg_sim_strikes(TG_SIM_FAULT_port_error)) {
        return tg_sim_below(2) == 0 ? THRONG_EMFILE : THRONG_ENOMEM;
    }
    struct tg_sim_port *port = options->memory;
    port->port.backend = &tg_sim_backend;
    port->port.recv_pool = options->recv_pool;
    port->port.turn_bytes = options->turn_bytes;
    port->streams_count = stream_places(options);
    port->ready = (struct tg_sim_source **)(void *)&port->streams[port->streams_count];
    port->open_buffer = TG_INDEX_NONE;
    tg_list_init(&port->waiting);
    *opened = &port->port;
    return 0;
}

static void destroy(struct tg_port *port)
{
    struct tg_sim_port *self = tg_sim_port_of(port);
    TG_SIM_RULE(self->accepted_out == 0, "an accepted handle was neither adopted nor refused");
    TG_SIM_RULE(!self->is_waited, "a port is destroyed in which somebody waits");
    if (self->open_buffer != TG_INDEX_NONE) {
        tg_recv_pool_release(port->recv_pool, self->open_buffer, 1);
    }
    for (uint32_t i = 0; i < self->streams_count; i++) {
        TG_SIM_RULE(self->streams[i].stream == NULL, "a port is destroyed with a stream in it");
    }
    for (uint32_t i = 0; i < TG_SIM_LISTENERS; i++) {
        TG_SIM_RULE(self->listeners[i].listener == NULL,
                    "a port is destroyed with a listener in it");
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the contract's type */
static uint32_t descriptors(const struct tg_port *port, tg_socket *list, uint32_t capacity)
{
    (void)port;
    (void)list;
    (void)capacity;
    return 0;
}

/* ---- the ready list ---- */

static void make_ready(struct tg_sim_source *source)
{
    struct tg_sim_port *port = source->port;
    if (source->place == 0) {
        port->ready[port->ready_count++] = source;
        source->place = port->ready_count;
        if (port->sleeper != NULL) {
            tg_sim_thread_wake(port->sleeper);
        }
    }
}

static void on_later(struct tg_sim_action *action)
{
    make_ready(TG_CONTAINER_OF(action, struct tg_sim_source, later));
}

void tg_sim_mark(struct tg_sim_source *source)
{
    if (source->place != 0 || tg_sim_is_set(&source->later)) {
        return;
    }
    if (tg_sim_strikes(TG_SIM_FAULT_late)) {
        tg_sim_act(&source->later, on_later, tg_sim_below(LATE_NS));
    } else {
        make_ready(source);
    }
}

static void on_notify(struct tg_net_watcher *watcher)
{
    tg_sim_mark(TG_CONTAINER_OF(watcher, struct tg_sim_source, watcher));
}

void tg_sim_init_source(struct tg_sim_source *source, struct tg_sim_port *port, bool is_listener)
{
    *source = (struct tg_sim_source){
        .watcher.notify = on_notify, .port = port, .is_listener = is_listener};
}

static void put_ready(struct tg_sim_port *port, uint32_t at, struct tg_sim_source *source)
{
    port->ready[at] = source;
    source->place = at + 1;
}

static void take_from_ready(struct tg_sim_source *source)
{
    struct tg_sim_port *port = source->port;
    uint32_t at = source->place - 1;
    if (at < port->round_left) { /* the last of this round fills the gap */
        put_ready(port, at, port->ready[--port->round_left]);
        at = port->round_left;
        port->ready[at] = source;
    }
    source->place = 0;
    struct tg_sim_source *last = port->ready[--port->ready_count];
    if (last != source) {
        put_ready(port, at, last);
    }
}

void tg_sim_forget(struct tg_sim_source *source)
{
    tg_sim_act_not(&source->later);
    if (source->place != 0) {
        take_from_ready(source);
    }
}

/* ---- waiting ---- */

void tg_sim_complete(struct tg_sim_port *port, struct tg_batch *batch, enum tg_completion_kind kind,
                     int32_t result, struct tg_sim_stream *record)
{
    static const enum tg_sim_note notes[] = {[TG_COMPLETION_ACCEPT] = TG_SIM_NOTE_accept,
                                             [TG_COMPLETION_CONNECT] = TG_SIM_NOTE_connect,
                                             [TG_COMPLETION_RECEIVE] = TG_SIM_NOTE_receive,
                                             [TG_COMPLETION_SEND] = TG_SIM_NOTE_send,
                                             [TG_COMPLETION_CLOSE] = TG_SIM_NOTE_close,
                                             [TG_COMPLETION_LISTENER_CLOSE] = TG_SIM_NOTE_close};
    tg_world.counts.completions++;
    if (tg_world.strikes != port->strikes_seen) {
        port->strikes_seen = tg_world.strikes;
        tg_world.counts.faulted++;
    }
    if (record != NULL) {
        tg_batch_add_stream(batch, kind, result, record->stream);
    }
    tg_sim_note(notes[kind], record == NULL ? 0 : record->sock, result);
}

static bool work(struct tg_sim_source *source, struct tg_batch *batch)
{
    return source->is_listener
               ? tg_sim_listener_work(TG_CONTAINER_OF(source, struct tg_sim_listener, source),
                                      batch)
               : tg_sim_stream_work(TG_CONTAINER_OF(source, struct tg_sim_stream, source), batch);
}

/* Each source that is ready gets one turn in a round, in any order. A round may take several waits,
 * each source gets one turn in a wait, and what becomes ready meanwhile is for the next round. */
static void collect(struct tg_sim_port *port, struct tg_batch *batch)
{
    port->wait_number++;
    tg_sim_receive_go_on(port, batch);
    if (port->round_left == 0) {
        port->round_left = port->ready_count;
    }
    while (port->round_left > 0 && !tg_batch_is_full(batch)) {
        uint32_t at = tg_sim_below(port->round_left--);
        struct tg_sim_source *source = port->ready[at];
        put_ready(port, at, port->ready[port->round_left]);
        put_ready(port, port->round_left, source);
        if (!work(source, batch) && source->place != 0) {
            take_from_ready(source);
        }
    }
}

/* Until something is ready, a wake-up, or the time is over. */
static void sleep_until_ready(struct tg_sim_port *port, int64_t timeout_ns)
{
    tg_sim_note(TG_SIM_NOTE_sleep, 1, timeout_ns);
    port->sleeper = tg_sim_thread_self();
    tg_sim_thread_sleep(timeout_ns);
    port->sleeper = NULL;
}

static uint32_t wait(struct tg_port *port, struct tg_completion *completions, uint32_t capacity,
                     int64_t timeout_ns)
{
    struct tg_sim_port *self = tg_sim_port_of(port);
    struct tg_batch batch = {.completions = completions, .capacity = capacity};
    TG_SIM_RULE(!self->is_waited, "two threads wait in one port");
    self->is_waited = true;
    tg_sim_tell(self, TG_SIM_PORT_WAITS, NULL, NULL, timeout_ns);
    tg_count_one(&port->counters.waits);
    tg_yield();
    tg_sim_pass();
    collect(self, &batch);
    if (batch.count == 0 && timeout_ns != 0 && !self->woken) {
        uint64_t deadline_ns = tg_world.now_ns + (uint64_t)timeout_ns;
        bool slept_enough = false;
        while (batch.count == 0 && !self->woken && !slept_enough) {
            uint64_t now_ns = tg_world.now_ns;
            sleep_until_ready(self, timeout_ns < 0 ? -1 : (int64_t)(deadline_ns - now_ns));
            slept_enough = self->ready_count == 0; /* the time is over, or for no reason at all */
            collect(self, &batch);
            slept_enough |= timeout_ns >= 0 && tg_world.now_ns >= deadline_ns;
        }
    }
    self->woken = false;
    self->is_waited = false;
    tg_yield();
    tg_sim_tell(self, TG_SIM_PORT_RETURNS, NULL, NULL, 0);
    return batch.count;
}

static void wake_system(struct tg_port *port)
{
    struct tg_sim_port *self = tg_sim_port_of(port);
    tg_count_one(&port->counters.wakes);
    self->woken = true;
    if (self->sleeper != NULL) {
        tg_sim_thread_wake(self->sleeper);
    }
}

const struct tg_port_backend tg_sim_backend = {
    .name = "sim",
    .check = check,
    .has_own_table = has_own_table,
    .memory_bytes = memory_bytes,
    .open = open_port,
    .destroy = destroy,
    .descriptors = descriptors,
    .listen = tg_sim_listen,
    .accept = tg_sim_accept,
    .close_listener = tg_sim_close_listener,
    .adopt = tg_sim_adopt,
    .refuse = tg_sim_refuse,
    .connect = tg_sim_connect,
    .receive = tg_sim_receive,
    .stop = tg_sim_stop,
    .pause = tg_sim_pause,
    .send = tg_sim_send,
    .shutdown = tg_sim_shutdown,
    .close = tg_sim_close_stream,
    .addresses = tg_sim_addresses,
    .wait = wait,
    .wake_system = wake_system,
};
