/* SPDX-License-Identifier: MIT
 * What the swarm calls, on its threads. */
#include "scenario.h"

#include <stddef.h>
#include <string.h>

/* Messages that share one reading of the clock: some microseconds of work. */
#define NOW_USES 16u

/* Disconnects of one turn. */
#define TURN_CLOSES 512u

uint64_t load_now(struct load_thread *thread)
{
    if (thread->now_uses == 0) {
        thread->now_ns = throng_swarm_now_ns();
        thread->now_uses = NOW_USES;
    }
    thread->now_uses--;
    return thread->now_ns;
}

static uint32_t count_of(uint32_t connections, uint32_t threads, uint32_t index)
{
    return (connections + threads - 1 - index) / threads;
}

/* On the first call from a thread: where its part of the memory lies. */
static void prepare(struct load *load, struct load_thread *own, struct throng_swarm_thread *thread)
{
    const struct stress_options *options = load->options;
    uint32_t threads = throng_swarm_threads(load->swarm);
    size_t first = 0;
    /* What is shared with the main thread begins with `tally` and was set up by it. */
    memset(own, 0, offsetof(struct load_thread, tally));
    own->load = load;
    own->swarm_thread = thread;
    own->index = throng_swarm_thread_index(thread);
    for (uint32_t i = 0; i < own->index; i++) {
        first += count_of(options->connections, threads, i);
    }
    own->thread_count = threads;
    own->conn_count = count_of(options->connections, threads, own->index);
    own->active_count = count_of(options->active, threads, own->index);
    own->conns = load->conns + first;
    own->waiting = load->waiting + first;
    own->times = load->times + first * load->ring_size;
    own->scratch = load->scratch + own->index * ((size_t)options->size_max + 1);
    own->verifier.kind = load->kind;
    own->verifier.connections = options->connections;
    if (load->timelines != NULL) {
        own->timeline = &load->timelines[own->index];
    }
    if (load->scenario->prepare != NULL) {
        load->scenario->prepare(own);
    }
}

static struct load_thread *own_part(struct load *load, struct throng_swarm_thread *thread)
{
    struct load_thread *own = &load->threads[throng_swarm_thread_index(thread)];
    if (own->thread_count == 0) {
        prepare(load, own, thread);
    }
    return own;
}

/* ---- opening and closing ---- */

void load_close(struct load_thread *own, uint32_t place)
{
    struct load_conn *conn = &own->conns[place];
    if (conn->state == LOAD_CONN_UP) {
        conn->state = LOAD_CONN_CLOSING;
        (void)throng_swarm_disconnect(own->swarm_thread, load_connection_of(own, place), false);
    }
}

static void on_open(void *context, struct throng_swarm_thread *thread, uint32_t index)
{
    struct load *load = context;
    struct load_thread *own = own_part(load, thread);
    uint32_t place = index / own->thread_count;
    own->conns[place].state = LOAD_CONN_UP;
    histogram_add(&own->connect, throng_swarm_connect_ns(thread, index));
    tally_add(&own->tally.opened, 1);
    tally_set(&own->tally.last_open_ns, load_now(own));
    uint32_t up = atomic_fetch_add_explicit(&load->up, 1, memory_order_relaxed) + 1;
    uint32_t peak = atomic_load_explicit(&load->peak, memory_order_relaxed);
    while (up > peak && !atomic_compare_exchange_weak_explicit(
                            &load->peak, &peak, up, memory_order_relaxed, memory_order_relaxed)) {
        /* another thread's was taken first; `peak` is that one now, never smaller */
    }
    if (own->timeline != NULL) {
        timeline_at(own->timeline, load_now(own))->opened++;
    }
    if (own->phase == LOAD_CLOSE) {
        load_close(own, place);
    } else if (load->scenario->on_up != NULL) {
        load->scenario->on_up(own, place);
    }
}

static void count_not_made(struct load_thread *own, int error)
{
    switch (error) {
    case THRONG_ECONNREFUSED:
    case THRONG_ECONNRESET: /* accepted by the system, turned away by the server: it is full */
        tally_add(&own->tally.refused, 1);
        break;
    case THRONG_ETIMEDOUT:
        tally_add(&own->tally.timed_out, 1);
        break;
    default:
        tally_add(&own->tally.not_made, 1);
        break;
    }
}

static void count_ended(struct load_thread *own, int error)
{
    switch (error) {
    case THRONG_ECONNRESET:
        tally_add(&own->tally.reset, 1);
        break;
    case THRONG_EEOF:
        tally_add(&own->tally.ended, 1);
        break;
    default:
        tally_add(&own->tally.broken, 1);
        break;
    }
}

static void on_closed(void *context, struct throng_swarm_thread *thread, uint32_t index, int error)
{
    struct load *load = context;
    struct load_thread *own = own_part(load, thread);
    uint32_t place = index / own->thread_count;
    struct load_conn *conn = &own->conns[place];
    bool came_up = conn->state != LOAD_CONN_NEW;
    if (came_up) {
        atomic_fetch_sub_explicit(&load->up, 1, memory_order_relaxed);
    } else {
        count_not_made(own, error);
    }
    if (conn->state == LOAD_CONN_UP) {
        count_ended(own, error);
    }
    if (load->scenario->on_down != NULL) {
        load->scenario->on_down(own, place, came_up, error);
    }
    conn->state = LOAD_CONN_DOWN; /* only now: the hook looks at how it ended */
}

static uint64_t close_some(struct load_thread *own)
{
    for (uint32_t i = 0; i < TURN_CLOSES && own->close_cursor < own->conn_count; i++) {
        load_close(own, own->close_cursor++);
    }
    return own->close_cursor < own->conn_count ? own->now_ns : UINT64_MAX;
}

/* ---- messages ---- */

void load_count_right(struct load_thread *own, uint64_t since_ns, size_t size)
{
    uint64_t now_ns = load_now(own);
    uint64_t took_ns = now_ns > since_ns ? now_ns - since_ns : 0;
    histogram_add(&own->latency, took_ns);
    tally_add(&own->tally.received, 1);
    tally_add(&own->tally.bytes, size);
    tally_set(&own->tally.last_echo_ns, now_ns);
    if (own->timeline != NULL) {
        timeline_answer(own->timeline, now_ns, took_ns, size);
    }
}

static void on_message(void *context, struct throng_swarm_thread *thread, uint32_t index,
                       const void *data, size_t size)
{
    struct load_thread *own = own_part(context, thread);
    own->load->scenario->on_message(own, index / own->thread_count, data, size);
}

/* ---- phases ---- */

static void enter_phase(struct load_thread *own, enum load_phase phase)
{
    enum load_phase from = own->phase;
    own->phase = phase;
    if (own->load->scenario->on_phase != NULL) {
        own->load->scenario->on_phase(own, from, phase);
    }
    /* release: pairs with the acquire in load_in_phase; makes what was counted here visible. */
    atomic_store_explicit(&own->phase_seen, (int)phase, memory_order_release);
}

/* When this thread wants its next turn at the latest. */
static uint64_t take_turn(struct load_thread *own)
{
    if (own->phase == LOAD_CLOSE) {
        return close_some(own);
    }
    bool active = own->phase >= LOAD_READY && own->phase <= LOAD_DRAIN;
    return active && own->load->scenario->on_turn != NULL ? own->load->scenario->on_turn(own)
                                                          : UINT64_MAX;
}

static uint64_t on_turn(void *context, struct throng_swarm_thread *thread, uint64_t now_ns)
{
    struct load *load = context;
    struct load_thread *own = own_part(load, thread);
    if (now_ns > own->now_ns) {
        own->now_ns = now_ns;
    }
    /* acquire: pairs with the release in load_enter; makes talk_start_ns visible. */
    int phase = atomic_load_explicit(&load->phase, memory_order_acquire);
    if (phase != (int)own->phase) {
        enter_phase(own, (enum load_phase)phase);
    }
    uint64_t next_ns = take_turn(own);
    /* The next message comes after a wait of unknown length, so it reads the clock. */
    own->now_uses = 0;
    return next_ns;
}

struct throng_swarm_handler load_handler(struct load *load)
{
    return (struct throng_swarm_handler){.context = load,
                                         .on_open = on_open,
                                         .on_message = on_message,
                                         .on_closed = on_closed,
                                         .on_turn = on_turn};
}
