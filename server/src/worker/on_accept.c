/* SPDX-License-Identifier: MIT
 * Accepting: from a listener's completion to an open slot, and what happens when there is none.
 * Worker thread. */
#include "worker/worker.h"

#include <string.h>

#include "base/assert.h"
#include "base/yield.h"
#include "conn/address_table.h"
#include "event/log_queue.h"

bool tg_worker_owns(const struct tg_worker *worker, uint32_t slot)
{
    return (worker->owned[slot / 64] >> (slot % 64) & 1) != 0;
}

char *tg_slot_peer_text(const struct tg_worker *worker, const struct tg_slot *slot, char *text)
{
    const struct throng_address peer =
        tg_ends_peer(&worker->shared->arena->ends, tg_worker_slot_index(worker, slot));
    return throng_address_text(&peer, text);
}

static void note_peak(struct tg_worker_shared *shared, uint32_t connections)
{
    uint32_t peak = atomic_load_explicit(&shared->connections_peak, memory_order_relaxed);
    while (peak < connections) {
        if (atomic_compare_exchange_weak_explicit(&shared->connections_peak, &peak, connections,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            return;
        }
    }
}

static void own_slot(struct tg_worker *worker, uint32_t index)
{
    worker->owned[index / 64] |= UINT64_C(1) << (index % 64);
    worker->owned_count++;
    worker->live_count++;
    worker->streams_open++;
    uint32_t now =
        atomic_fetch_add_explicit(&worker->shared->slots_taken, 1, memory_order_relaxed) + 1;
    note_peak(worker->shared, now);
    tg_count(&worker->counters.accepted, 1);
    atomic_store_explicit(&worker->counters.connections, worker->live_count, memory_order_relaxed);
}

static void init_slot(struct tg_worker *worker, struct tg_slot *slot, uint32_t index)
{
    memset(slot, 0, sizeof(*slot));
    slot->id = tg_generations_next(&worker->generations) << TG_SLOT_BITS | index;
    tg_slot_enter(worker, slot, TG_SLOT_OPEN);
    tg_reader_init(&slot->reader);
    tg_chain_init(&slot->queue);
    tg_timer_init(tg_slot_timer(worker, slot));
}

/* The slot is free for whoever takes it first. A worker that found none hears of it. */
static void give_slot(struct tg_worker *worker, uint32_t index)
{
    tg_arena_give(worker->shared->arena, index);
    tg_yield();
    atomic_thread_fence(memory_order_seq_cst); /* pairs with park */
    if (atomic_load_explicit(&worker->shared->workers_waiting_for_slots, memory_order_relaxed) >
            0 &&
        worker->shared->logic != NULL) {
        /* A worker cannot wake another (their descriptor tables may differ); the logic thread can.
         * */
        atomic_store_explicit(&worker->shared->slot_freed_for_waiter, true, memory_order_relaxed);
        (void)tg_parker_wake(worker->shared->logic);
    }
}

/* Whether it is time for another line of a kind of which all workers together write one a
 * second. */
static bool may_log(const struct tg_worker *worker, _Atomic uint64_t *due_ms)
{
    uint64_t due = atomic_load_explicit(due_ms, memory_order_relaxed);
    return worker->now_ms >= due && atomic_compare_exchange_strong_explicit(
                                        due_ms, &due, worker->now_ms + TG_PEER_LOG_REST_MS,
                                        memory_order_relaxed, memory_order_relaxed);
}

/* Counts the connection for its address; false if that has its share already. On refusal the slot
 * serves for the moment that the port needs to reset it: before it is in one its address is not
 * known. */
static bool admit_address(struct tg_worker *worker, const struct tg_slot *slot,
                          const struct throng_address *peer)
{
    struct tg_worker_shared *shared = worker->shared;
    char text[THRONG_ADDRESS_TEXT_SIZE];
    if (shared->address_places == NULL ||
        tg_address_table_enter(shared->address_table, peer,
                               &shared->address_places[tg_worker_slot_index(worker, slot)]) !=
            TG_ADDRESS_REFUSED) {
        return true;
    }
    tg_count(&worker->counters.refused_address, 1);
    if (may_log(worker, &shared->address_log_due_ms)) {
        tg_log_queue_push(&worker->log, THRONG_LOG_WARNING,
                          "%s is refused: its address has %u connections "
                          "(connections_per_address)",
                          throng_address_text(peer, text), shared->address_table->limit);
    }
    return false;
}

void tg_slot_leave_address(struct tg_worker *worker, const struct tg_slot *slot)
{
    struct tg_worker_shared *shared = worker->shared;
    if (shared->address_places != NULL) {
        uint32_t *place = &shared->address_places[tg_worker_slot_index(worker, slot)];
        tg_address_table_leave(shared->address_table, *place);
        *place = TG_ADDRESS_UNCOUNTED;
    }
}

/* The system has run out of descriptors or memory: rest, then try again. */
static void rest_accepting(struct tg_worker *worker, int error)
{
    worker->accept_resting = true;
    worker->accepting_changed = true;
    tg_timer_start(&worker->wheel, &worker->accept_timer, worker->now_ms + TG_ACCEPT_REST_MS);
    if (may_log(worker, &worker->shared->full_log_due_ms)) {
        tg_log_queue_push(&worker->log, THRONG_LOG_WARNING,
                          "accepting pauses: %s (%u connections on I/O thread %u)",
                          throng_error_text(error), worker->owned_count, worker->index);
    }
}

/* A connection was accepted and then lost. If that was for want of something, the next one would be
 * lost as well: it had better wait in the backlog. */
static void rest_if_short(struct tg_worker *worker, int error)
{
    if (error == THRONG_EMFILE || error == THRONG_ENOBUFS || error == THRONG_ENOMEM) {
        tg_count(&worker->counters.accept_pauses, 1);
        rest_accepting(worker, error);
    }
}

/* Gives an accepted handle to a free slot and reports OPEN. */
static void open_connection(struct tg_worker *worker, struct tg_worker_listener *listener,
                            tg_handle accepted, uint32_t index)
{
    struct tg_slot *slot = tg_worker_slot(worker, index);
    init_slot(worker, slot, index);
    int error = tg_port_adopt(worker->port, &slot->stream, accepted);
    if (error < 0) {
        slot->id = 0;
        tg_slot_enter(worker, slot, TG_SLOT_FREE);
        give_slot(worker, index);
        rest_if_short(worker, error);
        return;
    }
    own_slot(worker, index);
    slot->listener = (uint8_t)(listener - worker->listeners);
    struct throng_address peer;
    struct throng_address local;
    error = tg_port_addresses(worker->port, &slot->stream, &peer, &local);
    if (error < 0) {
        /* It was reset before we got here (or, with io_uring, there is no descriptor with which to
         * look). Nobody has heard of it, and nobody will. */
        slot->flags |= TG_SLOT_SILENT;
        tg_slot_close(worker, slot, THRONG_CLOSE_RESET, TG_CLOSE_ABORT);
        rest_if_short(worker, error);
        return;
    }
    tg_ends_set(&worker->shared->arena->ends, index, &peer, &local);
    if (!admit_address(worker, slot, &peer)) {
        slot->flags |= TG_SLOT_SILENT;
        tg_slot_close(worker, slot, THRONG_CLOSE_NONE, TG_CLOSE_ABORT);
        return;
    }
    slot->flags |= TG_SLOT_OPEN_DUE | TG_SLOT_PAUSED;
    tg_slot_watch_begin(worker, slot);
    tg_slot_progress(worker, slot);
}

static void refuse(struct tg_worker *worker, tg_handle accepted)
{
    tg_port_refuse(worker->port, accepted);
    tg_count(&worker->counters.refused, 1);
    if (may_log(worker, &worker->shared->full_log_due_ms)) {
        tg_log_queue_push(&worker->log, THRONG_LOG_WARNING,
                          "all %u slots are taken (max_connections): connections are refused",
                          worker->shared->max_connections);
    }
}

/* Keeps the connection until a slot frees. Accepting pauses; what the credit still allows has room.
 * */
static void park(struct tg_worker *worker, struct tg_worker_listener *listener, tg_handle accepted)
{
    TG_REQUIRE(listener->parked_count < TG_PARKED_MAX);
    listener->parked[listener->parked_count++] = accepted;
    if (!worker->waiting_for_slots) {
        worker->waiting_for_slots = true;
        /* Full fence: pairs with the one in give_slot. Either the freeing worker sees
         * that we wait, or tg_worker_place_parked, which runs before we sleep, sees its slot. */
        atomic_fetch_add_explicit(&worker->shared->workers_waiting_for_slots, 1,
                                  memory_order_seq_cst);
        tg_yield();
        atomic_thread_fence(memory_order_seq_cst);
    }
    worker->accepting_changed = true;
}

void tg_worker_on_accept(struct tg_worker *worker, const struct tg_completion *completion)
{
    struct tg_worker_listener *listener =
        TG_CONTAINER_OF(completion->listener, struct tg_worker_listener, listener);
    worker->accepting_changed = true;
    if (completion->result < 0) {
        rest_accepting(worker, completion->result);
        return;
    }
    if (worker->draining || worker->stopping) {
        tg_port_refuse(worker->port, completion->accepted);
        return;
    }
    uint32_t index = tg_arena_take(worker->shared->arena);
    if (index != TG_INDEX_NONE) {
        open_connection(worker, listener, completion->accepted, index);
        return;
    }
    tg_worker_evict_silent(worker);
    if (worker->shared->when_full == THRONG_WHEN_FULL_REFUSE) {
        refuse(worker, completion->accepted);
    } else {
        park(worker, listener, completion->accepted);
        tg_timer_start(&worker->wheel, &worker->evict_timer, worker->now_ms + TG_EVICT_REST_MS);
    }
}

static tg_handle unpark(struct tg_worker_listener *listener)
{
    tg_handle oldest = listener->parked[0];
    listener->parked_count--;
    memmove(&listener->parked[0], &listener->parked[1],
            listener->parked_count * sizeof(listener->parked[0]));
    return oldest;
}

void tg_worker_place_parked(struct tg_worker *worker)
{
    for (uint32_t i = 0; i < worker->listener_count; i++) {
        struct tg_worker_listener *listener = &worker->listeners[i];
        while (listener->parked_count > 0) {
            uint32_t index = tg_arena_take(worker->shared->arena);
            if (index == TG_INDEX_NONE) {
                return; /* still waiting */
            }
            open_connection(worker, listener, unpark(listener), index);
        }
    }
    worker->waiting_for_slots = false;
    worker->accepting_changed = true;
    atomic_fetch_sub_explicit(&worker->shared->workers_waiting_for_slots, 1, memory_order_relaxed);
}

/* Connections that this worker may still take. Its descriptor table has room for a few more than
 * connections_max, so that a listener with credit 1 at the very end does no harm. */
static uint32_t own_room(const struct tg_worker *worker)
{
    if (worker->draining || worker->stopping || worker->accept_resting ||
        worker->waiting_for_slots || worker->owned_count >= worker->connections_max) {
        return 0;
    }
    return worker->connections_max - worker->owned_count;
}

void tg_worker_set_accepting(struct tg_worker *worker)
{
    worker->accepting_changed = false;
    uint32_t room = own_room(worker);
    uint32_t credit = room / (worker->listener_count > 0 ? worker->listener_count : 1);
    if (credit == 0 && room > 0) {
        credit = 1;
    }
    if (worker->shared->when_full == THRONG_WHEN_FULL_BACKLOG && credit > TG_PARKED_MAX) {
        credit = TG_PARKED_MAX; /* each may have to be parked */
    }
    for (uint32_t i = 0; i < worker->listener_count; i++) {
        if (worker->listeners[i].open) {
            tg_port_accept(worker->port, &worker->listeners[i].listener, credit);
        }
    }
}

void tg_worker_close_listeners(struct tg_worker *worker)
{
    for (uint32_t i = 0; i < worker->listener_count; i++) {
        struct tg_worker_listener *listener = &worker->listeners[i];
        while (listener->parked_count > 0) {
            tg_port_refuse(worker->port, unpark(listener));
        }
        if (listener->open) {
            listener->open = false;
            tg_port_close_listener(worker->port, &listener->listener);
        }
    }
    if (worker->waiting_for_slots) {
        worker->waiting_for_slots = false;
        atomic_fetch_sub_explicit(&worker->shared->workers_waiting_for_slots, 1,
                                  memory_order_relaxed);
    }
}

void tg_worker_on_listener_close(struct tg_worker *worker, const struct tg_completion *completion)
{
    (void)completion;
    TG_REQUIRE(worker->listeners_open > 0);
    worker->listeners_open--;
}

void tg_worker_free_slot(struct tg_worker *worker, struct tg_slot *slot)
{
    TG_REQUIRE(slot->state == TG_SLOT_CLOSED && slot->events_held == 0);
    TG_REQUIRE(!tg_list_is_linked(&slot->reader.link) &&
               !tg_timer_is_running(tg_slot_timer(worker, slot)));
    uint32_t index = tg_worker_slot_index(worker, slot);
    TG_REQUIRE(tg_worker_owns(worker, index));
    worker->owned[index / 64] &= ~(UINT64_C(1) << (index % 64));
    worker->owned_count--;
    worker->accepting_changed = true;
    slot->id = 0;
    tg_slot_enter(worker, slot, TG_SLOT_FREE);
    /* Before somebody can take it: the gauge never shows more than there are. */
    atomic_fetch_sub_explicit(&worker->shared->slots_taken, 1, memory_order_relaxed);
    tg_yield();
    give_slot(worker, index);
}
