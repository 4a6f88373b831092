/* SPDX-License-Identifier: MIT
 * A thread of the swarm: its loop, and its part of start and stop. */
#include "base/assert.h"
#include "os/clock.h"
#include "os/parker.h"
#include "swarm/state.h"

#define BATCH 256
#define STOP_NS UINT64_C(10000000000)

/* How far pacing may lag behind before it forgives the rest: no burst after a pause. */
#define PACING_LAG_NS UINT64_C(100000000)

bool tg_swarm_thread_is_own(const struct throng_swarm *swarm)
{
    uintptr_t self = tg_thread_self();
    for (uint32_t i = 0; i < swarm->plan.thread_count; i++) {
        if (swarm->threads[i].self == self) {
            return true;
        }
    }
    return false;
}

/* The port is opened before the descriptor table is copied: so its descriptors are in both tables
 * under the same numbers, and the process's other threads can wake it through theirs. */
static int open_port(struct throng_swarm_thread *thread)
{
    int error = tg_port_open(&thread->port, thread->swarm->plan.backend, &thread->port_options);
    if (error < 0 || !thread->swarm->plan.own_descriptors) {
        return error;
    }
    tg_socket keep[TG_PORT_DESCRIPTORS_MAX];
    uint32_t count = tg_port_descriptors(thread->port, keep, TG_PORT_DESCRIPTORS_MAX);
    return tg_thread_own_descriptors(keep, count);
}

/* Waits until every thread has started, so that no handler runs in a start that fails. False if it
 * did fail. */
static bool await_go(struct throng_swarm_thread *thread)
{
    for (;;) {
        struct tg_completion none;
        tg_port_prepare_wait(thread->port);
        if (atomic_load_explicit(&thread->stop, memory_order_acquire)) {
            return false;
        }
        /* acquire: pairs with the release in start_threads. */
        if (atomic_load_explicit(&thread->go, memory_order_acquire)) {
            return true;
        }
        uint32_t count = tg_port_wait(thread->port, &none, 1, -1);
        TG_REQUIRE(count == 0); /* nothing was submitted yet */
    }
}

/* Every connection is due from the start. */
static void make_all_due(struct throng_swarm_thread *thread)
{
    tg_list_init(&thread->due);
    tg_list_init(&thread->dirty);
    tg_list_init(&thread->canceled);
    for (uint32_t i = 0; i < thread->conn_count; i++) {
        struct swarm_conn *conn = &thread->conns[i];
        tg_reader_init(&conn->reader);
        tg_chain_init(&conn->queue);
        tg_list_init(&conn->link);
        tg_timer_init(&conn->timer);
        conn->state = SWARM_DUE;
        tg_list_push_back(&thread->due, &conn->link);
    }
}

/* Starts the connects that pacing and the limit in flight allow. One that fails at once is not in
 * flight, and its handler may want it again at once: the number of tries is what ends the loop. */
static void start_connects(struct throng_swarm_thread *thread)
{
    const struct swarm_plan *plan = &thread->swarm->plan;
    if (plan->connect_interval_ns > 0 && thread->connect_due_ns + PACING_LAG_NS < thread->now_ns) {
        thread->connect_due_ns = thread->now_ns;
    }
    for (uint32_t tries = plan->options.connects_in_flight; tries > 0; tries--) {
        if (tg_list_is_empty(&thread->due) ||
            thread->connecting >= plan->options.connects_in_flight ||
            thread->connect_due_ns > thread->now_ns) {
            return;
        }
        struct tg_list *node = tg_list_pop_front(&thread->due);
        thread->connect_due_ns += plan->connect_interval_ns;
        tg_swarm_conn_connect(thread, TG_CONTAINER_OF(node, struct swarm_conn, link));
    }
}

static void send_dirty(struct throng_swarm_thread *thread)
{
    struct tg_list *node;
    while ((node = tg_list_pop_front(&thread->dirty)) != NULL) {
        tg_swarm_conn_send(thread, TG_CONTAINER_OF(node, struct swarm_conn, link));
    }
}

static void expire_timers(struct throng_swarm_thread *thread)
{
    struct tg_timer *timer;
    while ((timer = tg_timer_wheel_expire(&thread->wheel, thread->now_ns / 1000000u)) != NULL) {
        if (timer == &thread->intake_timer) {
            tg_swarm_conn_intake_tick(thread);
        } else {
            tg_swarm_conn_time_out(thread, TG_CONTAINER_OF(timer, struct swarm_conn, timer));
        }
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How long the port may sleep, given when on_turn wants to run again. */
static int64_t sleep_limit(struct throng_swarm_thread *thread, uint64_t turn_due_ns)
{
    const struct swarm_plan *plan = &thread->swarm->plan;
    uint64_t due_ns = turn_due_ns;
    int64_t timer_ms = tg_timer_wheel_wait_ms(&thread->wheel, thread->now_ns / 1000000u);
    if (timer_ms >= 0) {
        due_ns = earlier(due_ns, thread->now_ns + (uint64_t)timer_ms * 1000000u);
    }
    if (!tg_list_is_empty(&thread->due) && thread->connecting < plan->options.connects_in_flight) {
        due_ns = earlier(due_ns, thread->connect_due_ns);
    }
    tg_port_prepare_wait(thread->port);
    if (!tg_list_is_empty(&thread->dirty) || tg_intake_is_due(&thread->intake) ||
        !tg_list_is_empty(&thread->canceled) ||
        atomic_load_explicit(&thread->woken, memory_order_relaxed) ||
        atomic_load_explicit(&thread->stop, memory_order_acquire)) {
        return 0;
    }
    if (due_ns == UINT64_MAX) {
        return -1;
    }
    uint64_t now_ns = tg_clock_ns(); /* the turn may have taken long */
    return due_ns > now_ns ? (int64_t)(due_ns - now_ns) : 0;
}

static void turn(struct throng_swarm_thread *thread)
{
    const struct throng_swarm_handler *handler = &thread->swarm->plan.options.handler;
    thread->now_ns = tg_clock_ns();
    expire_timers(thread);
    tg_swarm_conn_give_turns(thread);
    tg_swarm_conn_report_canceled(thread);
    start_connects(thread);
    uint64_t turn_due_ns = UINT64_MAX;
    /* acquire: pairs with the release in throng_swarm_wake; on_turn sees what came before it. */
    (void)atomic_exchange_explicit(&thread->woken, false, memory_order_acquire);
    if (handler->on_turn != NULL) {
        turn_due_ns = handler->on_turn(handler->context, thread, thread->now_ns);
    }
    send_dirty(thread);
    struct tg_completion completions[BATCH];
    uint32_t count =
        tg_port_wait(thread->port, completions, BATCH, sleep_limit(thread, turn_due_ns));
    thread->now_ns = tg_clock_ns();
    for (uint32_t i = 0; i < count; i++) {
        tg_swarm_conn_complete(thread, &completions[i]);
    }
}

/* Resets what is connected and waits until the port is done with everything. */
static void close_all(struct throng_swarm_thread *thread)
{
    thread->stopping = true;
    for (uint32_t i = 0; i < thread->conn_count; i++) {
        struct swarm_conn *conn = &thread->conns[i];
        tg_list_remove(&conn->link);
        if (conn->state >= SWARM_CONNECTING && conn->state <= SWARM_LINGER) {
            tg_swarm_conn_close(thread, conn, THRONG_ECANCELED, TG_CLOSE_ABORT);
        }
    }
    uint64_t deadline_ns = tg_clock_ns() + STOP_NS;
    while (thread->streams_open > 0) {
        struct tg_completion completions[BATCH];
        uint32_t count = tg_port_wait(thread->port, completions, BATCH, 10000000);
        for (uint32_t i = 0; i < count; i++) {
            tg_swarm_conn_complete(thread, &completions[i]);
        }
        TG_ENSURE(tg_clock_ns() < deadline_ns);
    }
}

void tg_swarm_thread_main(void *argument)
{
    struct throng_swarm_thread *thread = argument;
    thread->self = tg_thread_self();
    int error = open_port(thread);
    /* release: pairs with the acquire in await_thread; makes the open port visible. */
    atomic_store_explicit(&thread->started, error < 0 ? error : 1, memory_order_release);
    (void)tg_parker_wake(&thread->swarm->starter);
    if (error < 0 || !await_go(thread)) {
        return;
    }
    thread->now_ns = tg_clock_ns();
    /* The threads' connects take turns. */
    thread->connect_due_ns = thread->now_ns + thread->swarm->plan.connect_interval_ns *
                                                  thread->index / thread->swarm->plan.thread_count;
    tg_timer_wheel_init(&thread->wheel, thread->now_ns / 1000000u);
    tg_timer_init(&thread->intake_timer);
    make_all_due(thread);
    while (!atomic_load_explicit(&thread->stop, memory_order_acquire)) {
        turn(thread);
    }
    close_all(thread);
}
