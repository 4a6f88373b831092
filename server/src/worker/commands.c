/* SPDX-License-Identifier: MIT
 * What comes from the logic thread: releases, then commands. Worker thread.
 *
 * Order matters twice. Releases are looked at before commands, so that every write made before a
 * release is at hand when the release takes effect (event.h). And a slot is freed only after the
 * commands: a command that was on its way when its connection ended still finds its own slot, never
 * the next owner's. */
#include "worker/worker.h"

#include <inttypes.h>

#include "base/assert.h"
#include "base/yield.h"
#include "worker/members.h"

void tg_worker_touch(struct tg_worker *worker, struct tg_slot *slot)
{
    if ((slot->flags & TG_SLOT_TOUCHED) == 0) {
        slot->flags |= TG_SLOT_TOUCHED;
        slot->touched_next = worker->touched;
        worker->touched = tg_worker_slot_index(worker, slot);
    }
}

static void release_messages(struct tg_worker *worker, struct tg_slot *slot,
                             const struct tg_release_entry *entry)
{
    const uint32_t holder = tg_origin_holder(entry->origin);
    if ((holder & TG_HOLDER_BLOCK_BIT) != 0) {
        tg_message_pool_give(&worker->message_pool, holder & ~TG_HOLDER_BLOCK_BIT);
    } else {
        tg_recv_pool_release(&worker->recv_pool, holder, entry->count);
    }
    TG_REQUIRE(slot->events_held >= entry->count && slot->bytes_held >= entry->bytes);
    slot->events_held -= entry->count;
    slot->bytes_held -= entry->bytes;
    if (slot->state != TG_SLOT_OPEN || (slot->flags & TG_SLOT_FLOW_PAUSED) != 0) {
        tg_worker_touch(worker, slot);
    }
}

static void take_release(struct tg_worker *worker, const struct tg_release_entry *entry)
{
    TG_REQUIRE(worker->events_out >= entry->count);
    worker->events_out -= entry->count;
    const uint32_t holder = tg_origin_holder(entry->origin);
    if (holder == TG_HOLDER_NONE) {
        return;
    }
    const uint32_t index = tg_origin_slot(entry->origin);
    struct tg_slot *slot = tg_worker_slot(worker, index);
    TG_REQUIRE(tg_worker_owns(worker, index));
    if (holder == TG_HOLDER_SLOT) {
        slot->flags |= TG_SLOT_CLOSED_RELEASED;
        tg_worker_touch(worker, slot);
    } else {
        release_messages(worker, slot, entry);
    }
}

void tg_worker_take_releases(struct tg_worker *worker)
{
    const struct tg_release_entry *entry = tg_ring_peek(&worker->releases);
    if (entry == NULL) {
        return;
    }
    worker->room_came = true;
    worker->released = true;
    do {
        take_release(worker, entry);
        tg_ring_pop(&worker->releases);
        entry = tg_ring_peek_seen(&worker->releases);
    } while (entry != NULL);
    (void)tg_ring_return(&worker->releases);
}

void tg_worker_visit_touched(struct tg_worker *worker)
{
    while (worker->touched != TG_INDEX_NONE) {
        struct tg_slot *slot = tg_worker_slot(worker, worker->touched);
        worker->touched = slot->touched_next;
        slot->flags &= (uint16_t)~TG_SLOT_TOUCHED;
        if (slot->state == TG_SLOT_CLOSED) {
            if ((slot->flags & TG_SLOT_CLOSED_RELEASED) != 0 && slot->events_held == 0) {
                tg_worker_free_slot(worker, slot);
            }
        } else {
            tg_slot_settle(worker, slot);
            tg_slot_check_flow(worker, slot);
        }
    }
}

static bool takes_writes(const struct tg_slot *slot)
{
    return slot->state >= TG_SLOT_OPEN && slot->state <= TG_SLOT_DRAINING;
}

/* The connection ended while the command was on its way: its blocks go home. */
static void drop_command(struct tg_worker *worker, struct tg_command *command)
{
    tg_count(&worker->counters.commands_stale, 1);
    if (!tg_chain_is_empty(&command->chain)) {
        tg_count(&worker->counters.bytes_dropped, command->chain.bytes);
        command->chain.bytes = 0; /* on its way home nobody counts it */
        tg_chain_join(&worker->done, &command->chain, worker->shared->blocks);
    }
}

static void begin_drain(struct tg_worker *worker, uint32_t deadline_ms)
{
    tg_worker_renew_time(worker);
    uint64_t due_ms = worker->now_ms + deadline_ms;
    if (!tg_timer_is_running(&worker->drain_timer) || due_ms < worker->drain_timer.due_ms) {
        tg_timer_start(&worker->wheel, &worker->drain_timer, due_ms);
    }
    if (worker->draining) {
        return;
    }
    worker->draining = true;
    tg_worker_close_listeners(worker);
    for (uint32_t i = 0; i < worker->shared->arena->capacity; i++) {
        struct tg_slot *slot = tg_worker_slot(worker, i);
        if (tg_worker_owns(worker, i) && takes_writes(slot)) {
            tg_slot_drain(worker, slot);
            /* Not settled here: the last release may have been seen while the reply that was
             * written before it is in the ring behind this command (close.pml:
             * DRAIN_SETTLES_AT_ONCE). */
            tg_worker_touch(worker, slot);
        }
    }
}

void tg_worker_drain_expired(struct tg_worker *worker)
{
    uint32_t count = 0;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < worker->shared->arena->capacity; i++) {
        struct tg_slot *slot = tg_worker_slot(worker, i);
        if (tg_worker_owns(worker, i) && slot->state >= TG_SLOT_OPEN &&
            slot->state <= TG_SLOT_LINGER) {
            count++;
            bytes += slot->queue.bytes;
            bytes += tg_fanout_later_bytes(worker, slot);
            tg_slot_close(worker, slot, THRONG_CLOSE_DRAINED, TG_CLOSE_ABORT);
        }
    }
    if (count > 0) {
        tg_log_queue_push(&worker->log, THRONG_LOG_WARNING,
                          "the drain is over its deadline: %u connections of I/O thread %u were "
                          "reset, %" PRIu64 " bytes for them were not sent",
                          count, worker->index, bytes);
    }
}

/* Whether the logic thread keeps more for the connection. When it does no longer, a peer that has
 * half-closed may be closed: unlike other replies, these do not come before a release. */
static void note_more(struct tg_worker *worker, struct tg_slot *slot, bool more)
{
    if (more) {
        slot->flags |= TG_SLOT_MORE_DUE;
    } else if ((slot->flags & TG_SLOT_MORE_DUE) != 0) {
        slot->flags &= (uint16_t)~TG_SLOT_MORE_DUE;
        tg_worker_touch(worker, slot);
    }
}

/* Whether the next command brings more for the same connection, and will send all of it. So a
 * connection is sent to once if its messages lay across the end of a batch. */
static bool is_continued(const struct tg_worker *worker, const struct tg_command *command)
{
    const uint32_t others = TG_COMMAND_OF_ROOM | TG_COMMAND_CLOSE | TG_COMMAND_ABORT;
    uint32_t count;
    const struct tg_command *next =
        (struct tg_command *)tg_ring_peek_run(&worker->commands, 2, &count) + 1;
    return count == 2 && next->conn == command->conn &&
           ((command->flags | next->flags) & others) == 0 && !tg_chain_is_empty(&next->chain);
}

/* What was written to the connection. */
static void take_chain(struct tg_worker *worker, struct tg_slot *slot, struct tg_command *command)
{
    if (slot->in_rooms && takes_writes(slot)) {
        tg_fanout_make_way(worker, slot, command->chain.units);
    }
    if (!takes_writes(slot)) {
        drop_command(worker, command);
    } else if (!slot->in_rooms || !tg_fanout_write_later(worker, slot, &command->chain)) {
        tg_chain_join(&slot->queue, &command->chain, worker->shared->blocks);
        if (!is_continued(worker, command) &&
            (!slot->in_rooms || !tg_fanout_sends_soon(worker, slot))) {
            tg_slot_send(worker, slot);
        }
    }
}

static void take_command(struct tg_worker *worker, struct tg_command *command)
{
    if ((command->flags & TG_COMMAND_OF_ROOM) != 0) {
        tg_members_take_command(worker, command);
        return;
    }
    if ((command->flags & TG_COMMAND_DRAIN) != 0) {
        begin_drain(worker, command->deadline_ms);
        return;
    }
    uint32_t index = tg_conn_slot(command->conn);
    TG_REQUIRE(index < worker->shared->arena->capacity);
    struct tg_slot *slot = tg_worker_slot(worker, index);
    /* The second check of the id; the first was at the API. */
    if (!tg_worker_owns(worker, index) || slot->id != command->conn) {
        drop_command(worker, command);
        return;
    }
    note_more(worker, slot, (command->flags & TG_COMMAND_MORE) != 0);
    tg_slot_note_refused(worker, slot, (command->flags & TG_COMMAND_REFUSED) != 0);
    if (!tg_chain_is_empty(&command->chain)) {
        take_chain(worker, slot, command);
    }
    if ((command->flags & TG_COMMAND_ABORT) != 0) {
        if (slot->state >= TG_SLOT_OPEN && slot->state <= TG_SLOT_LINGER) {
            tg_slot_close(worker, slot,
                          (command->flags & TG_COMMAND_SLOW_READER) != 0 ? THRONG_CLOSE_SLOW_READER
                                                                         : THRONG_CLOSE_ABORTED,
                          TG_CLOSE_ABORT);
        }
    } else if ((command->flags & TG_COMMAND_CLOSE) != 0 && takes_writes(slot)) {
        tg_slot_close_gracefully(worker, slot, THRONG_CLOSE_LOCAL, worker->shared->linger_ms);
    }
}

/* Takes the next command, or the broadcasts that come next. Answers how many. */
static uint32_t take_next(struct tg_worker *worker, struct tg_command *command)
{
    if ((command->flags & TG_COMMAND_BROADCAST) != 0) {
        uint32_t count;
        (void)tg_ring_peek_run(&worker->commands, UINT32_MAX, &count);
        return tg_fanout_take_broadcasts(worker, command, count);
    }
    take_command(worker, command);
    return 1;
}

void tg_worker_take_commands(struct tg_worker *worker)
{
    struct tg_command *command = tg_ring_peek(&worker->commands);
    if (command == NULL) {
        return;
    }
    do {
        tg_ring_pop_run(&worker->commands, take_next(worker, command));
        command = tg_ring_peek_seen(&worker->commands);
    } while (command != NULL);
    tg_fanout_send(worker);
    (void)tg_ring_return(&worker->commands);
    if (worker->shared->logic != NULL) {
        /* Full fence: pairs with the logic thread's announcement that it waits for room in this
         * ring. */
        tg_yield();
        atomic_thread_fence(memory_order_seq_cst);
        if (atomic_load_explicit(&worker->shared->commands_blocked, memory_order_relaxed) != 0) {
            (void)tg_parker_wake(worker->shared->logic);
        }
    }
}
