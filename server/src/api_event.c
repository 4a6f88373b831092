/* SPDX-License-Identifier: MIT
 * The loop: taking events. Logic thread.
 *
 * A batch is what lay in the rings at one look, at most TG_BATCH_EVENTS. While it lasts, nothing is
 * shared with the workers; at its end everything written goes out, everything released goes home,
 * and the rings are looked at anew. */
#include "base/yield.h"
#include "os/clock.h"
#include "state.h"

/* A connection takes its seat. */
static void take_seat(struct throng_server *server, struct tg_seat *seat, uint32_t worker,
                      const struct tg_event_entry *open)
{
    const struct throng_server_options *options = &server->config.options;
    TG_REQUIRE(seat->id == 0);
    *seat =
        (struct tg_seat){.id = open->conn,
                         .worker = (uint16_t)worker,
                         .units_max = server->config.send_units_max,
                         .policy = (uint8_t)options->when_send_full,
                         .flags = options->heartbeat_ms[open->listener] != 0 ? TG_SEAT_BEATS : 0};
    tg_chain_init(&seat->pending);
    tg_server_set_fanout_limit(server, seat);
    server->seats_taken++;
}

static void fill_event(struct throng_event *event, const struct tg_event_entry *entry,
                       const struct tg_seat *seat, uint32_t worker)
{
    TG_REQUIRE(seat->id == entry->conn);
    event->type = entry->type;
    event->reason = entry->reason;
    event->conn.id = entry->conn;
    event->user = seat->user;
    event->data = entry->data; /* NULL unless it is a message */
    event->size = entry->size;
    event->listener = entry->listener;
    event->private_worker = worker;
    event->private_bytes = entry->size + THRONG_FRAME_HEADER_BYTES;
    event->private_origin = tg_origin(tg_conn_slot(entry->conn), entry->holder);
}

/* The events that change a seat. */
TG_OUT_OF_LINE static void deliver_change(struct throng_server *server, struct tg_seat *seat,
                                          uint32_t worker, const struct tg_event_entry *entry,
                                          struct throng_event *event)
{
    if (entry->type == THRONG_EVENT_OPEN) {
        take_seat(server, seat, worker, entry);
    } else {
        tg_writable_forget(server, seat);
        tg_server_end_hold(server, seat);
        seat->flags |= TG_SEAT_GONE;
    }
    fill_event(event, entry, seat, worker);
}

/* Fills the user's event. False for one that the user is not to see: it is released at once. */
static bool deliver(struct throng_server *server, struct tg_seat *seat, uint32_t worker,
                    const struct tg_event_entry *entry, struct throng_event *event)
{
    if (TG_LIKELY(entry->type == THRONG_EVENT_MESSAGE)) {
        fill_event(event, entry, seat, worker);
        /* After throng_close or throng_abort only CLOSED is of interest. */
        return (seat->flags & (TG_SEAT_CLOSING | TG_SEAT_ABORTING)) == 0;
    }
    deliver_change(server, seat, worker, entry, event);
    return true;
}

/* Looks whether the event that was sampled is among those taken (event/latency.h). */
TG_OUT_OF_LINE static void note_latency(struct throng_server *server, uint32_t worker)
{
    struct tg_latency_sample *sample = &server->workers[worker].latency;
    if (tg_latency_is_taken(sample, &server->workers[worker].events)) {
        tg_latency_take(&server->latency, sample, tg_clock_ns());
    }
}

/* Takes events of one worker: a run of the batch that fits `capacity`, as it lies in the ring.
 * *taken is how long it was; answers how many of them the user is to see. */
static size_t take_run(struct throng_server *server, uint32_t worker, struct throng_event *events,
                       size_t capacity, uint32_t *taken)
{
    struct tg_ring *ring = &server->workers[worker].events;
    struct tg_seat *seats = server->seats;
    const uint32_t most = server->batch_left < capacity ? server->batch_left : (uint32_t)capacity;
    const struct tg_event_entry *entry = tg_ring_peek_run(ring, most, taken);
    const struct tg_event_entry *end = entry + *taken;
    struct throng_event *event = events;
    tg_count(&server->counters.events_unreleased, *taken);
    for (; entry != end; entry++) {
        if (TG_LIKELY(deliver(server, &seats[tg_conn_slot(entry->conn)], worker, entry, event))) {
            event++;
        } else {
            throng_release_event(server, event);
        }
    }
    tg_ring_pop_run(ring, *taken);
    if (server->shared.samples_latency) {
        note_latency(server, worker);
    }
    server->batch_left -= *taken;
    return (size_t)(event - events);
}

static size_t take_from(struct throng_server *server, uint32_t worker, struct throng_event *events,
                        size_t capacity)
{
    size_t count = 0;
    uint32_t taken = 1;
    while (count < capacity && taken > 0) {
        count += take_run(server, worker, events + count, capacity - count, &taken);
    }
    return count;
}

/* Takes events of the running batch: what is due and posted, WRITABLEs, then one worker after the
 * other. In this order, because time waits for nobody; and because a connection that waits for its
 * WRITABLE has been opened, and its CLOSED was not taken. */
static size_t take_events(struct throng_server *server, struct throng_event *events,
                          size_t capacity)
{
    size_t count = 0;
    if (tg_logic_time_has_events(server->time)) {
        count = tg_logic_time_take(server, events, capacity);
    }
    if (server->waiters.count > 0) {
        count += tg_writable_take(server, events + count, capacity - count);
    }
    if (server->batch_left == 0) {
        return count;
    }
    uint32_t workers = server->config.worker_count;
    for (uint32_t i = 0; i < workers && count < capacity; i++) {
        uint32_t worker = server->next_worker;
        count += take_from(server, worker, events + count, capacity - count);
        if (tg_ring_peek_seen(&server->workers[worker].events) == NULL) {
            server->next_worker = worker + 1 == workers ? 0 : worker + 1;
        }
    }
    return count;
}

/* A slot came free while a worker has connections parked that wait for one. */
static void pass_on_freed_slots(struct throng_server *server)
{
    if (atomic_load_explicit(&server->shared.slot_freed_for_waiter, memory_order_relaxed) &&
        atomic_exchange_explicit(&server->shared.slot_freed_for_waiter, false,
                                 memory_order_relaxed)) {
        for (uint32_t i = 0; i < server->config.worker_count; i++) {
            tg_port_wake(server->workers[i].port);
        }
    }
}

/* Whether something waits for room in a command ring. */
static bool commands_wait(const struct throng_server *server)
{
    return server->dirty_head != TG_INDEX_NONE || server->drain_due != 0 ||
           tg_room_due(&server->rooms) != NULL;
}

/* Whether a worker for which something waits has room in its command ring now. */
static bool commands_have_room(struct throng_server *server)
{
    uint64_t waiting = server->drain_due;
    if (server->dirty_head != TG_INDEX_NONE) {
        waiting |= UINT64_C(1) << server->seats[server->dirty_head].worker;
    }
    if (tg_room_due(&server->rooms) != NULL) {
        waiting |= UINT64_C(1) << tg_room_due(&server->rooms)->worker;
    }
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        if ((waiting >> i & 1) != 0 && tg_ring_claim(&server->workers[i].commands) != NULL) {
            return true;
        }
    }
    return false;
}

static bool work_is_there(struct throng_server *server)
{
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        struct tg_worker *worker = &server->workers[i];
        if (tg_ring_has_entries(&worker->events) || tg_ring_has_entries(&worker->log.ring)) {
            return true;
        }
    }
    return tg_post_queue_has_posts(&server->time->posts) ||
           atomic_load_explicit(&server->shared.slot_freed_for_waiter, memory_order_relaxed) ||
           (commands_wait(server) && commands_have_room(server)) ||
           (tg_server_writers_waiting(server) > 0 && tg_server_blocks_came(server));
}

static bool drain_is_over(struct throng_server *server)
{
    if (!server->draining) {
        return false;
    }
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        struct tg_worker *worker = &server->workers[i];
        tg_yield();
        /* acquire: pairs with the release in announce_drained; the last CLOSED is visible. */
        if (!atomic_load_explicit(&worker->drain_done, memory_order_acquire) ||
            tg_ring_has_entries(&worker->events)) {
            return false;
        }
    }
    return tg_post_queue_is_empty(&server->time->posts);
}

/* What is due and posted. At the end of a drain nothing is due any more: a tick that always is
 * would hold it up for ever. */
static void begin_logic_time(struct throng_server *server, uint32_t seen)
{
    if (!drain_is_over(server)) {
        tg_logic_time_begin_batch(server->time);
    }
    server->turn_due = server->config.inline_mode && seen == 0 &&
                       tg_logic_time_has_events(server->time);
}

/* Begins a batch with a fresh look at every ring. What the last one wrote is flushed. Inline, a
 * game that is always late, so that there is always something due, must not keep the I/O from its
 * turn. */
static void begin_batch(struct throng_server *server)
{
    uint32_t seen = 0;
    if (server->turn_due) {
        tg_worker_turn(&server->workers[0], 0);
    }
    pass_on_freed_slots(server);
    tg_writable_begin_batch(server);
    tg_queue_growth_log(server);
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        struct tg_worker *worker = &server->workers[i];
        seen += tg_ring_look(&worker->events);
        if (tg_ring_has_entries(&worker->log.ring)) {
            tg_log_queue_drain(&worker->log, server->config.options.log,
                               server->config.options.log_context);
        }
    }
    server->batch_left = seen < TG_BATCH_EVENTS ? seen : TG_BATCH_EVENTS;
    /* The next batch begins with another worker, so that a busy one does not starve the rest. */
    server->next_worker =
        server->next_worker + 1 >= server->config.worker_count ? 0 : server->next_worker + 1;
    begin_logic_time(server, seen);
}

/* Waits for work, for a wake-up, or for `timeout_ns` (negative: no limit). */
static void wait_for_work(struct throng_server *server, int64_t timeout_ns)
{
    atomic_store_explicit(&server->shared.writers_waiting, tg_server_writers_waiting(server),
                          memory_order_relaxed);
    if (server->config.inline_mode) {
        struct tg_worker *worker = &server->workers[0];
        tg_port_prepare_wait(worker->port);
        bool woken = atomic_load_explicit(&server->woken, memory_order_relaxed) ||
                     tg_post_queue_has_posts(&server->time->posts);
        /* The turn empties the command ring: what waits for room there goes out with the next. */
        tg_worker_turn(worker, woken || commands_wait(server) ? 0 : timeout_ns);
        return;
    }
    if (timeout_ns == 0) {
        return;
    }
    atomic_store_explicit(&server->shared.commands_blocked, commands_wait(server),
                          memory_order_relaxed);
    tg_parker_prepare(&server->parker);
    if (work_is_there(server) || drain_is_over(server) ||
        atomic_load_explicit(&server->woken, memory_order_relaxed)) {
        tg_parker_cancel(&server->parker);
    } else {
        tg_parker_sleep(&server->parker, timeout_ns);
    }
}

static int64_t remaining_ns(uint64_t deadline_ns, int timeout_ms)
{
    if (timeout_ms < 0) {
        return -1;
    }
    uint64_t now_ns = timeout_ms == 0 ? deadline_ns : tg_clock_ns();
    return now_ns >= deadline_ns ? 0 : (int64_t)(deadline_ns - now_ns);
}

static int wait_for_events(struct throng_server *server, struct throng_event *events, size_t limit,
                           int timeout_ms)
{
    size_t count = take_events(server, events, limit);
    if (count > 0) {
        return (int)count;
    }
    uint64_t deadline_ns = timeout_ms > 0 ? tg_clock_ns() + (uint64_t)timeout_ms * 1000000u : 0;
    bool waited = false;
    for (;;) {
        /* While we waited nobody wrote. Only what did not fit into a full ring is left, what was
         * released in the user's stead, and what waits for blocks to come home. */
        if (!waited || commands_wait(server) || server->releases_due ||
            tg_server_writers_waiting(server) > 0) {
            tg_server_flush(server);
        }
        begin_batch(server);
        count = take_events(server, events, limit);
        if (count > 0) {
            return (int)count;
        }
        if (server->releases_due) {
            continue; /* every event was one that the user is not to see: their room goes home first */
        }
        if (drain_is_over(server)) {
            return THRONG_ESTOPPED;
        }
        /* acquire: pairs with the release in throng_server_wake. */
        if (waited && atomic_exchange_explicit(&server->woken, false, memory_order_acquire)) {
            return 0;
        }
        int64_t wait_ns = remaining_ns(deadline_ns, timeout_ms);
        if (waited && wait_ns == 0) {
            return 0;
        }
        wait_for_work(server, tg_logic_time_wait_limit(server->time, wait_ns));
        waited = true;
    }
}

int throng_get_events(struct throng_server *server, struct throng_event *events, size_t capacity,
                      int timeout_ms)
{
    if (server == NULL || events == NULL || capacity == 0) {
        return THRONG_EINVAL;
    }
    tg_count(&server->shared.logic_calls, 1); /* we live (worker/logic_watch.c) */
    int count =
        wait_for_events(server, events, capacity > INT32_MAX ? INT32_MAX : capacity, timeout_ms);
    if (count > 0) {
        const struct throng_event *last = &events[count - 1];
        atomic_store_explicit(&server->shared.logic_conn, last->conn.id, memory_order_relaxed);
        atomic_store_explicit(&server->shared.logic_type, last->type, memory_order_relaxed);
    }
    return count;
}

int throng_get_event(struct throng_server *server, struct throng_event *event, int timeout_ms)
{
    return throng_get_events(server, event, 1, timeout_ms);
}
