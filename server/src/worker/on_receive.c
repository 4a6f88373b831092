/* SPDX-License-Identifier: MIT
 * Receiving: from bytes to MESSAGE events, and how it pauses and goes on when there is no room.
 * Worker thread.
 *
 * Three things can stop a connection's input, each with its way back: no event room      -> blocked
 * list, until the logic thread releases events no message memory  -> blocked list, until a message
 * is released flow: too much unanswered or unsent -> FLOW_PAUSED, until its own bytes fall to half
 *
 * The port is paused meanwhile and TCP holds the peer back. Input at hand waits in its receive
 * buffer in the first two cases, which the logic thread ends; in the third, which the peer would
 * have to end, it is handed up first. */
#include "worker/worker.h"

#include "base/assert.h"
#include "event/log_queue.h"

/* The next entry of the event ring, counted as out. There must be room. */
static struct tg_event_entry *add_event(struct tg_worker *worker)
{
    struct tg_event_entry *entry = tg_ring_claim(&worker->events);
    /* Every entry in the ring is an event that is out, so the ring cannot be full. */
    TG_REQUIRE(entry != NULL && worker->events_out < worker->events_max);
    tg_ring_push(&worker->events);
    worker->events_out++;
    return entry;
}

bool tg_worker_push_event(struct tg_worker *worker, const struct tg_event_entry *event)
{
    if (worker->events_out >= worker->events_max) {
        return false;
    }
    *add_event(worker) = *event;
    return true;
}

void tg_slot_block(struct tg_worker *worker, struct tg_slot *slot)
{
    if (!tg_list_is_linked(&slot->blocked)) {
        tg_list_push_back(&worker->blocked, &slot->blocked);
    }
}

void tg_slot_drop_input(struct tg_worker *worker, struct tg_slot *slot)
{
    if (slot->input_buffer != TG_INDEX_NONE) {
        tg_recv_pool_release(&worker->recv_pool, slot->input_buffer, 1);
        slot->input_buffer = TG_INDEX_NONE;
        slot->input.size = 0;
    }
}

/* What this connection has unanswered and unsent, counted as the send queue's limit is: in blocks.
 */
static uint64_t flow_bytes_of(const struct tg_slot *slot)
{
    return slot->bytes_held + (uint64_t)slot->queue.units * TG_BLOCK_BYTES;
}

static bool over_flow_limit(const struct tg_worker *worker, const struct tg_slot *slot)
{
    return flow_bytes_of(slot) >= worker->shared->flow_bytes;
}

static void pause_reading(struct tg_worker *worker, struct tg_slot *slot)
{
    if ((slot->flags & TG_SLOT_PAUSED) == 0) {
        slot->flags |= TG_SLOT_PAUSED;
        tg_count(&worker->counters.receive_pauses, 1);
        tg_port_pause(worker->port, &slot->stream);
    }
}

static void resume_reading(struct tg_worker *worker, struct tg_slot *slot)
{
    if ((slot->flags & (TG_SLOT_PAUSED | TG_SLOT_ENDED)) == TG_SLOT_PAUSED) {
        slot->flags &= (uint16_t)~TG_SLOT_PAUSED;
        tg_port_receive(worker->port, &slot->stream);
    }
}

static void pause_for_flow(struct tg_worker *worker, struct tg_slot *slot)
{
    slot->flags |= TG_SLOT_FLOW_PAUSED;
    pause_reading(worker, slot);
}

/* Hands one message up. The caller has made sure that there is event room. */
static void push_message(struct tg_worker *worker, struct tg_slot *slot,
                         const struct tg_message *message)
{
    struct tg_event_entry *event = add_event(worker);
    event->conn = slot->id;
    event->data = message->data;
    event->size = message->size;
    event->type = THRONG_EVENT_MESSAGE;
    event->reason = 0;
    event->listener = slot->listener;
    if (message->block == TG_MESSAGE_NONE) {
        event->holder = slot->input_buffer;
        tg_recv_pool_retain(&worker->recv_pool, slot->input_buffer);
    } else {
        event->holder = message->block | TG_HOLDER_BLOCK_BIT;
        worker->message_blocks_out++;
    }
    slot->events_held++;
    slot->bytes_held += message->size + THRONG_FRAME_HEADER_BYTES;
    tg_count(&worker->counters.messages_received, 1);
}

static void reject_length(struct tg_worker *worker, struct tg_slot *slot, uint32_t announced)
{
    if (worker->now_ms >= worker->peer_log_due_ms) {
        worker->peer_log_due_ms = worker->now_ms + TG_PEER_LOG_REST_MS;
        char peer[THRONG_ADDRESS_TEXT_SIZE];
        uint32_t index = tg_worker_slot_index(worker, slot);
        tg_log_queue_push(&worker->log, THRONG_LOG_INFO,
                          "%s announced a message of %u bytes; the limit is %u",
                          throng_address_text(&worker->shared->arena->addresses[index].peer, peer),
                          announced, worker->shared->rules.message_bytes_max);
    }
    tg_slot_close(worker, slot, THRONG_CLOSE_TOO_LARGE, TG_CLOSE_ABORT);
}

/* No memory to put a message together. If the logic thread holds some, it will come back; if only
 * unfinished messages hold it, waiting could be for ever. */
static void lack_memory(struct tg_worker *worker, struct tg_slot *slot)
{
    if (worker->message_blocks_out > 0) {
        pause_reading(worker, slot);
        tg_slot_block(worker, slot);
        return;
    }
    if (worker->now_ms >= worker->peer_log_due_ms) {
        worker->peer_log_due_ms = worker->now_ms + TG_PEER_LOG_REST_MS;
        tg_log_queue_push(&worker->log, THRONG_LOG_WARNING,
                          "unfinished messages fill assembly_bytes (%zu bytes in use): "
                          "a connection is closed",
                          tg_message_pool_used_bytes(&worker->message_pool));
    }
    tg_slot_close(worker, slot, THRONG_CLOSE_NO_MEMORY, TG_CLOSE_ABORT);
}

/* All of the input is handed up. Reading goes on, unless too much is unanswered or unsent. */
static void finish_input(struct tg_worker *worker, struct tg_slot *slot)
{
    tg_slot_drop_input(worker, slot);
    if (over_flow_limit(worker, slot)) {
        pause_for_flow(worker, slot);
    } else {
        resume_reading(worker, slot);
    }
}

/* Hands up the messages of slot->input as far as there is event room and memory. The flow limit is
 * looked at afterwards only: a paused connection must not keep a receive buffer, of which there are
 * few, for as long as its peer does not read. */
static void consume_input(struct tg_worker *worker, struct tg_slot *slot)
{
    while (worker->events_out < worker->events_max) {
        struct tg_message message;
        enum tg_assembly result = tg_assembler_next(&slot->assembler, &worker->message_pool,
                                                    &worker->shared->rules, &slot->input, &message);
        if (TG_LIKELY(result == TG_ASSEMBLY_MESSAGE)) {
            push_message(worker, slot, &message);
        } else if (result == TG_ASSEMBLY_NEEDS_INPUT) {
            finish_input(worker, slot);
            return;
        } else if (result == TG_ASSEMBLY_TOO_LARGE) {
            reject_length(worker, slot, message.size);
            return;
        } else {
            lack_memory(worker, slot);
            return;
        }
    }
    pause_reading(worker, slot);
    tg_slot_block(worker, slot);
}

void tg_slot_check_flow(struct tg_worker *worker, struct tg_slot *slot)
{
    if ((slot->flags & TG_SLOT_FLOW_PAUSED) == 0 || slot->state != TG_SLOT_OPEN ||
        flow_bytes_of(slot) > worker->shared->flow_bytes / 2) {
        return;
    }
    slot->flags &= (uint16_t)~TG_SLOT_FLOW_PAUSED;
    tg_slot_progress(worker, slot);
}

/* The OPEN event; false if there is no room. */
static bool report_open(struct tg_worker *worker, struct tg_slot *slot)
{
    const struct tg_event_entry event = {
        .conn = slot->id,
        .type = THRONG_EVENT_OPEN,
        .holder = TG_HOLDER_NONE,
        .listener = slot->listener,
    };
    return tg_worker_push_event(worker, &event);
}

void tg_slot_progress(struct tg_worker *worker, struct tg_slot *slot)
{
    if ((slot->flags & TG_SLOT_OPEN_DUE) != 0) {
        if (!report_open(worker, slot)) {
            tg_slot_block(worker, slot);
            return;
        }
        slot->flags &= (uint16_t)~TG_SLOT_OPEN_DUE;
    }
    if ((slot->flags & TG_SLOT_CLOSED_DUE) != 0) {
        tg_slot_report_closed(worker, slot);
        return;
    }
    if (slot->state != TG_SLOT_OPEN) {
        return;
    }
    if (slot->input_buffer != TG_INDEX_NONE) {
        consume_input(worker, slot);
    } else {
        resume_reading(worker, slot);
    }
}

/* The peer's end of the stream. */
static void on_end(struct tg_worker *worker, struct tg_slot *slot)
{
    slot->flags |= TG_SLOT_ENDED;
    if (slot->state == TG_SLOT_OPEN) {
        slot->state = TG_SLOT_PEER_ENDED;
        slot->reason = tg_assembler_is_partial(&slot->assembler) ? THRONG_CLOSE_TRUNCATED
                                                                 : THRONG_CLOSE_PEER;
    }
    tg_slot_settle(worker, slot);
}

/* Bytes that come after our close go nowhere, but only so many. */
static void discard(struct tg_worker *worker, struct tg_slot *slot,
                    const struct tg_completion *completion)
{
    tg_recv_pool_release(&worker->recv_pool, completion->buffer, 1);
    slot->discarded_bytes += (uint32_t)completion->result;
    if (slot->state != TG_SLOT_CLOSING && slot->discarded_bytes > TG_LINGER_DISCARD_MAX) {
        tg_slot_close(worker, slot, (enum throng_close_reason)slot->reason, TG_CLOSE_ABORT);
    }
}

void tg_worker_on_receive(struct tg_worker *worker, const struct tg_completion *completion)
{
    struct tg_slot *slot = TG_CONTAINER_OF(completion->stream, struct tg_slot, stream);
    if (completion->result > 0) {
        tg_count(&worker->counters.bytes_received, (uint64_t)completion->result);
        if (TG_LIKELY(slot->state == TG_SLOT_OPEN)) {
            TG_REQUIRE(slot->input_buffer == TG_INDEX_NONE);
            slot->input.data = completion->data;
            slot->input.size = (size_t)completion->result;
            slot->input_buffer = completion->buffer;
            consume_input(worker, slot);
        } else {
            discard(worker, slot, completion);
        }
    } else if (slot->state == TG_SLOT_CLOSING) {
        /* The close was faster than the end or the error in the same batch. */
        return;
    } else if (completion->result == 0) {
        on_end(worker, slot);
    } else {
        tg_slot_fail(worker, slot, completion->result);
    }
}
