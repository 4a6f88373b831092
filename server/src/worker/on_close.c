/* SPDX-License-Identifier: MIT
 * Closing: every way in which a connection ends, up to its CLOSED event. slot.h draws the states.
 * Worker thread. */
#include "worker/worker.h"

#include "base/assert.h"
#include "conn/address_table.h"
#include "worker/members.h"

static enum throng_close_reason reason_of_error(int error)
{
    switch (error) {
    case THRONG_ECONNRESET:
    case THRONG_ECONNABORTED:
        return THRONG_CLOSE_RESET;
    case THRONG_ETIMEDOUT:
    case THRONG_EUNREACHABLE:
        return THRONG_CLOSE_TIMEOUT;
    default:
        return THRONG_CLOSE_ERROR;
    }
}

void tg_slot_fail(struct tg_worker *worker, struct tg_slot *slot, int error)
{
    enum throng_close_reason reason = reason_of_error(error);
    if (slot->state == TG_SLOT_PEER_ENDED || slot->state == TG_SLOT_LINGER) {
        /* It was over already; the reset of a peer that has gone is no news. */
        reason = (enum throng_close_reason)slot->reason;
    }
    tg_slot_close(worker, slot, reason, TG_CLOSE_ABORT);
}

void tg_slot_close(struct tg_worker *worker, struct tg_slot *slot, enum throng_close_reason reason,
                   enum tg_close_mode mode)
{
    TG_REQUIRE(slot->state >= TG_SLOT_OPEN && slot->state <= TG_SLOT_LINGER);
    tg_slot_enter(worker, slot, TG_SLOT_CLOSING);
    slot->reason = (uint8_t)reason;
    tg_timer_stop(&worker->wheel, tg_slot_timer(worker, slot));
    tg_slot_drop_input(worker, slot);
    if (slot->in_rooms) {
        tg_members_leave_all(worker, slot);
    }
    tg_port_close(worker->port, &slot->stream, mode);
}

static void start_linger(struct tg_worker *worker, struct tg_slot *slot, uint32_t linger_ms)
{
    if (!slot->lingering) {
        slot->lingering = true;
        tg_worker_renew_time(worker);
        tg_timer_start(&worker->wheel, tg_slot_timer(worker, slot), worker->now_ms + linger_ms);
    }
}

/* Nothing more is asked of what the peer says. What it takes is watched for as long as the logic
 * thread may write: until linger_ms bounds it. */
static void leave_open(struct tg_worker *worker, struct tg_slot *slot, enum tg_slot_state state)
{
    if (slot->state == TG_SLOT_OPEN) {
        slot->flags &= (uint16_t)~TG_SLOT_RATE_PAUSED;
        slot->discarded_bytes = 0;
    }
    tg_slot_enter(worker, slot, state);
}

/* Nothing more is handed up. Reading goes on, to see the peer's end; what it still says is thrown
 * away. */
static void stop_listening(struct tg_worker *worker, struct tg_slot *slot)
{
    tg_slot_drop_input(worker, slot);
    if ((slot->flags & TG_SLOT_ENDED) == 0) {
        slot->flags &= (uint16_t) ~(TG_SLOT_PAUSED | TG_SLOT_HELD_BACK);
        tg_port_receive(worker->port, &slot->stream);
    }
}

void tg_slot_close_gracefully(struct tg_worker *worker, struct tg_slot *slot,
                              enum throng_close_reason reason, uint32_t linger_ms)
{
    TG_REQUIRE(slot->state >= TG_SLOT_OPEN && slot->state <= TG_SLOT_DRAINING);
    leave_open(worker, slot, TG_SLOT_FLUSHING);
    slot->reason = (uint8_t)reason;
    stop_listening(worker, slot);
    start_linger(worker, slot, linger_ms);
    tg_slot_settle(worker, slot);
}

void tg_slot_drain(struct tg_worker *worker, struct tg_slot *slot)
{
    TG_REQUIRE(slot->state == TG_SLOT_OPEN || slot->state == TG_SLOT_PEER_ENDED);
    leave_open(worker, slot, TG_SLOT_DRAINING);
    slot->reason = THRONG_CLOSE_DRAINED;
    stop_listening(worker, slot); /* the drain's own timer bounds how long answers may take */
}

void tg_slot_peer_ended(struct tg_worker *worker, struct tg_slot *slot,
                        enum throng_close_reason reason)
{
    TG_REQUIRE(slot->state == TG_SLOT_OPEN);
    leave_open(worker, slot, TG_SLOT_PEER_ENDED);
    slot->reason = (uint8_t)reason;
    tg_slot_drop_input(worker, slot); /* the rest of a message will not come */
}

void tg_slot_settle(struct tg_worker *worker, struct tg_slot *slot)
{
    bool sent = tg_slot_all_sent(slot);
    switch ((enum tg_slot_state)slot->state) {
    case TG_SLOT_PEER_ENDED:
        if (slot->events_held > 0) {
            return; /* the logic thread may still answer */
        }
        if (sent) {
            tg_slot_close(worker, slot, (enum throng_close_reason)slot->reason, TG_CLOSE_NORMAL);
        } else {
            start_linger(worker, slot, worker->shared->linger_ms);
        }
        return;
    case TG_SLOT_DRAINING:
        if (slot->events_held == 0) {
            tg_slot_close_gracefully(worker, slot, THRONG_CLOSE_DRAINED, worker->shared->linger_ms);
        }
        return;
    case TG_SLOT_FLUSHING:
        if (!sent) {
            return;
        }
        if ((slot->flags & TG_SLOT_ENDED) != 0) {
            tg_slot_close(worker, slot, (enum throng_close_reason)slot->reason, TG_CLOSE_NORMAL);
        } else {
            tg_slot_enter(worker, slot, TG_SLOT_LINGER);
            tg_port_shutdown(worker->port, &slot->stream);
        }
        return;
    case TG_SLOT_LINGER:
        if ((slot->flags & TG_SLOT_ENDED) != 0) {
            tg_slot_close(worker, slot, (enum throng_close_reason)slot->reason, TG_CLOSE_NORMAL);
        }
        return;
    case TG_SLOT_FREE:
    case TG_SLOT_OPEN:
    case TG_SLOT_CLOSING:
    case TG_SLOT_CLOSED:
        return; /* nothing is waited for */
    }
}

void tg_slot_linger_expired(struct tg_worker *worker, struct tg_slot *slot)
{
    /* All was sent, only the peer's end is missing: the reason given at first stands. */
    bool sent = tg_chain_is_empty(&slot->queue) && (slot->flags & TG_SLOT_MORE_DUE) == 0;
    tg_slot_close(worker, slot, sent ? (enum throng_close_reason)slot->reason : THRONG_CLOSE_LINGER,
                  TG_CLOSE_ABORT);
}

/* What was not sent goes home, uncounted: many queues may refer to the same blocks, and the sum of
 * all may be beyond 32 bits. (The receiving side's memory went with its close.) */
static void release_queue(struct tg_worker *worker, struct tg_slot *slot)
{
    do {
        if (!tg_chain_is_empty(&slot->queue)) {
            tg_count(&worker->counters.bytes_dropped, slot->queue.bytes);
            slot->queue.bytes = 0;
            tg_chain_join(&worker->done, &slot->queue, worker->shared->blocks);
        }
    } while (slot->in_rooms && tg_fanout_take_later(worker, slot)); /* twice at most */
}

static void count_closed(struct tg_worker *worker, const struct tg_slot *slot)
{
    worker->live_count--;
    tg_count(&worker->counters.closed_by[slot->reason], 1);
    atomic_store_explicit(&worker->counters.connections, worker->live_count, memory_order_relaxed);
    tg_count(&worker->counters.closed, 1);
}

void tg_slot_report_closed(struct tg_worker *worker, struct tg_slot *slot)
{
    const struct tg_event_entry event = {
        .conn = slot->id,
        .type = THRONG_EVENT_CLOSED,
        .reason = slot->reason,
        .holder = TG_HOLDER_SLOT,
        .listener = slot->listener,
    };
    if (!tg_worker_push_event(worker, &event)) {
        slot->flags |= TG_SLOT_CLOSED_DUE;
        tg_slot_block(worker, slot);
        return;
    }
    slot->flags &= (uint16_t)~TG_SLOT_CLOSED_DUE;
    count_closed(worker, slot);
}

void tg_worker_on_close(struct tg_worker *worker, const struct tg_completion *completion)
{
    struct tg_slot *slot = TG_CONTAINER_OF(completion->stream, struct tg_slot, stream);
    TG_REQUIRE(slot->state == TG_SLOT_CLOSING);
    tg_slot_enter(worker, slot, TG_SLOT_CLOSED);
    worker->streams_open--;
    /* Now, not when CLOSED is released: a slow game must not keep its players from coming again. */
    tg_slot_leave_address(worker, slot);
    release_queue(worker, slot);
    if ((slot->flags & TG_SLOT_SILENT) != 0) {
        count_closed(worker, slot);
        tg_worker_free_slot(worker, slot);
    } else if ((slot->flags & TG_SLOT_OPEN_DUE) != 0) {
        /* OPEN was not reported yet: progress reports it first, then CLOSED. */
        slot->flags |= TG_SLOT_CLOSED_DUE;
        tg_slot_block(worker, slot);
        worker->room_came = true;
    } else {
        tg_slot_report_closed(worker, slot);
    }
}
