/* SPDX-License-Identifier: MIT
 * The worker's loop and its life. Worker thread, or the logic thread in inline mode. */
#include "worker/worker.h"

#include "base/assert.h"
#include "base/yield.h"
#include "os/clock.h"

/* Longest that closing everything at stop may take; the port needs one or two waits. */
#define TG_WORKER_STOP_MS 10000u

static uint64_t clock_ms(void)
{
    return tg_clock_ns() / 1000000u;
}

void tg_worker_renew_time(struct tg_worker *worker)
{
    worker->now_ms = clock_ms();
}

static int open_listeners(struct tg_worker *worker)
{
    for (uint32_t i = 0; i < worker->listener_count; i++) {
        struct tg_worker_listener *listener = &worker->listeners[i];
        int error = tg_port_listen(worker->port, &listener->listener, worker->sockets[i]);
        if (error < 0) {
            return error;
        }
        listener->open = true;
        worker->listeners_open++;
        worker->sockets[i] = TG_SOCKET_NONE; /* the port's from here */
    }
    return 0;
}

/* From here on only the listening sockets and the port are open on this thread. */
static int take_own_descriptors(struct tg_worker *worker)
{
    tg_socket keep[THRONG_LISTENERS_MAX + TG_PORT_DESCRIPTORS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < worker->listener_count; i++) {
        keep[count++] = worker->sockets[i];
    }
    count += tg_port_descriptors(worker->port, keep + count, TG_PORT_DESCRIPTORS_MAX);
    return tg_thread_own_descriptors(keep, count);
}

int tg_worker_open(struct tg_worker *worker)
{
    worker->now_ms = clock_ms();
    worker->passed_ms = worker->now_ms;
    worker->buffers_ms = worker->now_ms;
    worker->remarkable_ms = TG_ABSENCE_MS;
    if (worker->shared->logic == NULL && worker->shared->limits.logic_stall_ms != 0 &&
        worker->shared->limits.logic_stall_ms < TG_ABSENCE_MS) {
        worker->remarkable_ms = worker->shared->limits.logic_stall_ms;
    }
    worker->touched = TG_INDEX_NONE;
    tg_list_init(&worker->blocked);
    tg_chain_init(&worker->done);
    tg_timer_wheel_init(&worker->wheel, worker->now_ms);
    tg_timer_init(&worker->accept_timer);
    tg_timer_init(&worker->drain_timer);
    tg_timer_init(&worker->intake_timer);
    tg_timer_init(&worker->logic_timer);
    tg_timer_init(&worker->evict_timer);
    int error = tg_port_open(&worker->port, worker->backend, &worker->port_options);
    if (error < 0) {
        return error;
    }
    if (worker->own_descriptors) {
        error = take_own_descriptors(worker);
    }
    if (error == 0) {
        error = open_listeners(worker);
    }
    if (error < 0) {
        tg_worker_close(worker);
        return error;
    }
    worker->accepting_changed = true; /* with the first turn */
    return 0;
}

static void dispatch(struct tg_worker *worker, const struct tg_completion *completion)
{
    switch ((enum tg_completion_kind)completion->kind) {
    case TG_COMPLETION_RECEIVE:
        tg_worker_on_receive(worker, completion);
        return;
    case TG_COMPLETION_SEND:
        tg_worker_on_send(worker, completion);
        return;
    case TG_COMPLETION_ACCEPT:
        tg_worker_on_accept(worker, completion);
        return;
    case TG_COMPLETION_CLOSE:
        tg_worker_on_close(worker, completion);
        return;
    case TG_COMPLETION_LISTENER_CLOSE:
        tg_worker_on_listener_close(worker, completion);
        return;
    case TG_COMPLETION_CONNECT:
        break; /* a server connects to nobody */
    }
    TG_UNREACHABLE("a completion kind that a worker never asked for");
}

static void expire_slot(struct tg_worker *worker, struct tg_slot *slot)
{
    if (slot->lingering) {
        tg_slot_linger_expired(worker, slot);
    } else {
        tg_slot_watch_expired(worker, slot);
    }
}

static void expire_timers(struct tg_worker *worker)
{
    struct tg_timer *timer;
    while ((timer = tg_timer_wheel_expire(&worker->wheel, worker->now_ms)) != NULL) {
        if (timer == &worker->accept_timer) {
            worker->accept_resting = false;
            worker->accepting_changed = true;
        } else if (timer == &worker->drain_timer) {
            tg_worker_drain_expired(worker);
        } else if (timer == &worker->intake_timer) {
            tg_worker_intake_tick(worker);
        } else if (timer == &worker->logic_timer) {
            tg_worker_logic_tick(worker);
        } else if (timer == &worker->evict_timer) {
            tg_worker_evict_again(worker);
        } else {
            expire_slot(worker, tg_arena_timed(worker->shared->arena, timer));
        }
    }
}

/* Slots that waited for event room go on, each at most once per turn, first come first served. */
static void progress_blocked(struct tg_worker *worker)
{
    if (!worker->room_came || tg_list_is_empty(&worker->blocked)) {
        worker->room_came = false;
        return;
    }
    worker->room_came = false;
    struct tg_list waiting;
    tg_list_take_all(&waiting, &worker->blocked);
    struct tg_list *node;
    while (worker->events_out < worker->events_max &&
           (node = tg_list_pop_front(&waiting)) != NULL) {
        tg_slot_progress(worker, TG_CONTAINER_OF(node, struct tg_slot, reader.link));
    }
    /* Those that had no turn keep their place before those that were blocked again. */
    while ((node = tg_list_pop_front(&worker->blocked)) != NULL) {
        tg_list_push_back(&waiting, node);
    }
    tg_list_take_all(&worker->blocked, &waiting);
}

static void announce_drained(struct tg_worker *worker)
{
    if (worker->draining && !worker->drained && worker->live_count == 0 &&
        worker->listeners_open == 0) {
        worker->drained = true;
        tg_yield();
        /* release: pairs with the acquire in the logic thread's end check; the last CLOSED is in
         * the ring. */
        atomic_store_explicit(&worker->drain_done, true, memory_order_release);
        if (worker->shared->logic != NULL) {
            (void)tg_parker_wake(worker->shared->logic);
        }
    }
}

/* Sends the blocks home that were sent. Answers whether the logic thread waits for some. */
static bool return_blocks(struct tg_worker *worker)
{
    tg_fanout_collect(worker);
    if (tg_chain_is_empty(&worker->done)) {
        return false;
    }
    tg_block_return_push(&worker->returned, worker->shared->blocks, worker->done.head,
                         worker->done.tail);
    tg_chain_init(&worker->done);
    tg_yield();
    /* Full fence: pairs with the one in the logic thread's tg_parker_prepare, after it has said
     * that somebody waits. Either it sees the blocks then, or we see that it waits. */
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&worker->shared->writers_waiting, memory_order_relaxed) != 0;
}

/* Makes this turn's results visible: events to the logic thread, blocks home. */
static void publish(struct tg_worker *worker)
{
    bool waited_for = return_blocks(worker);
    atomic_store_explicit(&worker->counters.assembly_bytes_used,
                          tg_message_pool_used_bytes(&worker->message_pool), memory_order_relaxed);
    atomic_store_explicit(&worker->counters.receive_buffers_free,
                          tg_index_stack_count(&worker->recv_pool.free), memory_order_relaxed);
    if (worker->shared->samples_latency &&
        tg_latency_is_wanted(&worker->latency, &worker->events)) {
        tg_latency_offer(&worker->latency, &worker->events, tg_clock_ns());
    }
    bool events = tg_ring_publish(&worker->events);
    if (events && !tg_timer_is_running(&worker->logic_timer)) {
        tg_worker_watch_logic(worker);
    }
    bool news = tg_log_queue_has_news(&worker->log) || events || waited_for;
    if (news && worker->shared->logic != NULL && tg_parker_wake(worker->shared->logic)) {
        tg_count(&worker->counters.wakes_logic, 1);
    }
    announce_drained(worker);
}

/* How long the port may sleep. Announces the sleep, then looks for work once more. */
static int64_t sleep_limit(struct tg_worker *worker, int64_t timeout_ns)
{
    if (worker->room_came && !tg_list_is_empty(&worker->blocked)) {
        return 0;
    }
    if (tg_intake_is_due(&worker->intake) && worker->events_out < worker->events_max) {
        return 0;
    }
    if (worker->shared->logic == NULL &&
        (tg_ring_has_entries(&worker->events) || worker->drained ||
         (atomic_load_explicit(&worker->shared->writers_waiting, memory_order_relaxed) != 0 &&
          !tg_block_return_is_empty(&worker->returned)))) {
        return 0; /* inline: the one who would take them is the one who would sleep */
    }
    int64_t wait_ms = tg_timer_wheel_wait_ms(&worker->wheel, worker->now_ms);
    if (wait_ms > TG_WATCH_TICK_MS) {
        wait_ms = TG_WATCH_TICK_MS;
    }
    if (wait_ms >= 0 && (timeout_ns < 0 || wait_ms * 1000000 < timeout_ns)) {
        timeout_ns = wait_ms * 1000000;
    }
    if (timeout_ns != 0 && worker->shared->logic != NULL) {
        tg_port_prepare_wait(worker->port);
        if (tg_ring_has_entries(&worker->releases) || tg_ring_has_entries(&worker->commands) ||
            atomic_load_explicit(&worker->stop, memory_order_acquire)) {
            return 0;
        }
    }
    if (worker->waiting_for_slots && tg_arena_has_free(worker->shared->arena)) {
        return 0;
    }
    return timeout_ns;
}

/* A turn took so long that it has to be explained. The wait was to last `limit_ns` at most
 * (negative: no limit); the rest was a worker's own work, or in inline mode what the logic thread
 * thought about. If the rest is too long, we were not there to serve anybody: a process that was
 * stopped, perhaps. Answers what of it counts as served. */
TG_OUT_OF_LINE static uint64_t explain_time(struct tg_worker *worker, uint64_t passed_ms,
                                            int64_t limit_ns)
{
    uint64_t limit_ms = limit_ns < 0 ? passed_ms : (uint64_t)limit_ns / 1000000u;
    if (passed_ms <= limit_ms) {
        return passed_ms;
    }
    worker->away_ms = passed_ms - limit_ms;
    if (worker->away_ms <= TG_ABSENCE_MS) {
        return passed_ms;
    }
    if (worker->now_ms - passed_ms < worker->absent_until) {
        return TG_WATCH_TICK_MS; /* one absence after the other is the way in which it serves */
    }
    worker->absent_until = worker->now_ms + TG_RETURN_MS;
    return 0;
}

uint32_t tg_worker_uncounted_ms(const struct tg_worker *worker)
{
    uint64_t passed_ms = clock_ms() - worker->passed_ms;
    return passed_ms <= TG_ABSENCE_MS + TG_WATCH_TICK_MS ? (uint32_t)passed_ms : TG_WATCH_TICK_MS;
}

/* Asks the clock anew. What has passed since the last time counts as served, for the deadlines of
 * peers, unless it is much more than the `limit_ns` (negative: no limit) for which the port was to
 * wait. */
static void pass_time(struct tg_worker *worker, int64_t limit_ns)
{
    worker->now_ms = clock_ms();
    uint64_t passed_ms = worker->now_ms - worker->passed_ms;
    worker->passed_ms = worker->now_ms;
    if (passed_ms >= worker->remarkable_ms) {
        passed_ms = explain_time(worker, passed_ms, limit_ns);
    }
    worker->served_ms += worker->now_ms >= worker->absent_until ? (uint32_t)passed_ms : 0;
}

/* A write was refused for want of send memory: who holds some and takes nothing has to go. */
static void judge_for_memory(struct tg_worker *worker)
{
    if (worker->now_ms >= worker->shortage_due_ms) {
        worker->shortage_due_ms = worker->now_ms + TG_WATCH_TICK_MS;
        tg_worker_judge_slow_readers(worker);
    }
}

/* Whether everybody can be read from. Busy peers take all receive buffers for moments; a logic
 * thread that releases nothing has them for as long as it is stuck, and streams miss them. What
 * they had to say then comes all at once. */
static void look_at_buffers(struct tg_worker *worker)
{
    uint64_t missed =
        atomic_load_explicit(&worker->port->counters.buffers_missed, memory_order_relaxed);
    if (tg_index_stack_count(&worker->recv_pool.free) > 0) {
        worker->buffers_ms = worker->now_ms;
    } else if (missed != worker->buffers_missed &&
               worker->now_ms - worker->buffers_ms > TG_WATCH_TICK_MS) {
        worker->deaf_until_ms = worker->now_ms + TG_RETURN_MS;
    }
    worker->buffers_missed = missed;
}

void tg_worker_turn(struct tg_worker *worker, int64_t timeout_ns)
{
    const bool logic_had_events = worker->events_out > 0;
    tg_worker_take_releases(worker);
    tg_worker_take_commands(worker);
    tg_worker_visit_touched(worker);
    look_at_buffers(worker);
    if (tg_timer_wheel_is_due(&worker->wheel, worker->now_ms)) {
        expire_timers(worker);
    }
    if (atomic_load_explicit(&worker->shared->send_memory_short, memory_order_relaxed)) {
        judge_for_memory(worker);
    }
    progress_blocked(worker);
    tg_worker_give_turns(worker);
    tg_worker_answer_knocks(worker);
    if (worker->waiting_for_slots) {
        tg_worker_place_parked(worker);
    }
    if (worker->accepting_changed) {
        tg_worker_set_accepting(worker);
    }
    publish(worker);

    struct tg_completion completions[TG_WORKER_BATCH];
    int64_t limit_ns = sleep_limit(worker, timeout_ns);
    uint32_t count = tg_port_wait(worker->port, completions, TG_WORKER_BATCH, limit_ns);
    pass_time(worker, limit_ns);
    worker->full_batches = count < TG_WORKER_BATCH ? 0 : worker->full_batches + 1;
    if (worker->away_ms != 0) {
        if (worker->shared->logic == NULL && logic_had_events) {
            tg_worker_logic_returned(worker, worker->away_ms);
        }
        worker->away_ms = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        dispatch(worker, &completions[i]);
    }
    publish(worker);
}

/* Resets what is connected and waits until the port is done with everything. */
void tg_worker_close(struct tg_worker *worker)
{
    worker->stopping = true;
    tg_worker_close_listeners(worker);
    for (uint32_t i = 0; i < worker->shared->arena->capacity && worker->streams_open > 0; i++) {
        struct tg_slot *slot = tg_worker_slot(worker, i);
        if (tg_worker_owns(worker, i) && slot->state < TG_SLOT_CLOSING) {
            tg_slot_close(worker, slot, THRONG_CLOSE_ABORTED, TG_CLOSE_ABORT);
        }
    }
    uint64_t deadline_ms = clock_ms() + TG_WORKER_STOP_MS;
    while (worker->streams_open > 0 || worker->listeners_open > 0) {
        struct tg_completion completions[TG_WORKER_BATCH];
        uint32_t count = tg_port_wait(worker->port, completions, TG_WORKER_BATCH, 10000000);
        for (uint32_t i = 0; i < count; i++) {
            dispatch(worker, &completions[i]);
        }
        TG_ENSURE(clock_ms() < deadline_ms);
    }
}

void tg_worker_destroy(struct tg_worker *worker)
{
    tg_port_destroy(worker->port);
    worker->port = NULL;
}

void tg_worker_main(void *argument)
{
    struct tg_worker *worker = argument;
    int error = tg_worker_open(worker);
    /* release: pairs with the acquire in start_workers; makes the open port visible. */
    atomic_store_explicit(&worker->started, error < 0 ? error : 1, memory_order_release);
    (void)tg_parker_wake(worker->shared->logic);
    if (error < 0) {
        return;
    }
    while (!atomic_load_explicit(&worker->stop, memory_order_acquire)) {
        tg_worker_turn(worker, -1);
    }
    tg_worker_close(worker);
}
