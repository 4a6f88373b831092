/* SPDX-License-Identifier: MIT
 * Receiving: from bytes to MESSAGE events, and how it pauses and goes on when there is no room.
 * Worker thread.
 *
 * Three things can stop a connection's input, each with its way back:
 *
 *   no event room       -> the worker's blocked list, until the logic thread releases events
 *   no message memory   -> the intake's lines, until its turn comes (codec/intake.h)
 *   flow: too much
 *   unanswered, unsent  -> FLOW_PAUSED, until its own bytes fall to half
 *
 * TCP holds the peer back meanwhile. Input at hand waits in its receive buffer in the first two
 * cases: the logic thread ends the first one, and the intake sees to it that the second one ends. In
 * the third, which the peer would have to end, it is handed up first. */
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
    TG_REQUIRE(!tg_reader_is_waiting(&slot->reader) && slot->reader.place != TG_READER_READING);
    if (!tg_list_is_linked(&slot->reader.link)) {
        tg_list_push_back(&worker->blocked, &slot->reader.link);
    }
}

void tg_slot_drop_input(struct tg_worker *worker, struct tg_slot *slot)
{
    slot->flags &= (uint16_t)~TG_SLOT_FLOW_PAUSED;
    tg_intake_leave(&worker->intake, &slot->reader);
    if ((slot->flags & TG_SLOT_OPEN_DUE) == 0) {
        tg_list_remove(&slot->reader.link);
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

static void note_pause(struct tg_worker *worker, struct tg_slot *slot)
{
    if ((slot->flags & TG_SLOT_PAUSED) == 0) {
        slot->flags |= TG_SLOT_PAUSED;
        tg_count(&worker->counters.receive_pauses, 1);
    }
}

/* There is input that cannot be handed up: no more of it, at once. */
static void hold_back(struct tg_worker *worker, struct tg_slot *slot)
{
    note_pause(worker, slot);
    slot->flags |= TG_SLOT_HELD_BACK;
    tg_port_pause(worker->port, &slot->stream);
}

void tg_slot_stop_reading(struct tg_worker *worker, struct tg_slot *slot)
{
    if ((slot->flags & TG_SLOT_HELD_BACK) != 0) {
        slot->flags &= (uint16_t)~TG_SLOT_HELD_BACK;
        tg_port_receive(worker->port, &slot->stream);
    } else if ((slot->flags & TG_SLOT_PAUSED) != 0) {
        return;
    }
    note_pause(worker, slot);
    tg_port_stop(worker->port, &slot->stream);
}

static void pause_for_flow(struct tg_worker *worker, struct tg_slot *slot)
{
    slot->flags |= TG_SLOT_FLOW_PAUSED;
    tg_intake_rest(&worker->intake, &slot->reader);
    tg_slot_stop_reading(worker, slot);
}

/* Reads on, unless others come first. */
static void read_on(struct tg_worker *worker, struct tg_slot *slot)
{
    if ((slot->flags & TG_SLOT_ENDED) != 0) {
        return;
    }
    if (!tg_intake_read(&worker->intake, &slot->reader)) {
        tg_slot_stop_reading(worker, slot);
    } else if ((slot->flags & TG_SLOT_PAUSED) != 0) {
        slot->flags &= (uint16_t) ~(TG_SLOT_PAUSED | TG_SLOT_HELD_BACK);
        tg_port_receive(worker->port, &slot->stream);
    }
}

/* Hands up messages that lie whole at the front of the input, as far as there is event room. The hot
 * case: a look at each and the writing of its event, all else once for the run. */
static void push_whole_messages(struct tg_worker *worker, struct tg_slot *slot)
{
    struct tg_reader *reader = &slot->reader;
    uint32_t room = worker->events_max - worker->events_out;
    if (room == 0 || tg_assembler_is_partial(&reader->assembler)) {
        return;
    }
    struct tg_event_entry *events = tg_ring_claim_run(&worker->events, room, &room);
    /* Every entry in the ring is an event that is out, so the ring cannot be full. */
    TG_REQUIRE(events != NULL);
    const struct tg_frame_rules rules = worker->shared->rules;
    const struct tg_event_entry event = {.conn = slot->id,
                                         .holder = reader->buffer,
                                         .type = THRONG_EVENT_MESSAGE,
                                         .listener = slot->listener};
    struct tg_input input = reader->input;
    struct tg_frame frame;
    uint32_t count = 0;
    for (; count < room && tg_frame_read(input.data, input.size, &rules, &frame) == TG_FRAME_WHOLE;
         count++) {
        events[count] = event;
        events[count].data = frame.payload;
        events[count].size = frame.size;
        tg_input_skip(&input, THRONG_FRAME_HEADER_BYTES + (size_t)frame.size);
    }
    tg_ring_push_run(&worker->events, count);
    tg_recv_pool_retain_many(&worker->recv_pool, reader->buffer, count);
    worker->events_out += count;
    slot->events_held += count;
    slot->bytes_held += (uint32_t)(reader->input.size - input.size);
    tg_count(&worker->counters.messages_received, count);
    reader->input = input;
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
        event->holder = slot->reader.buffer;
        tg_recv_pool_retain(&worker->recv_pool, slot->reader.buffer);
    } else {
        event->holder = message->block | TG_HOLDER_BLOCK_BIT;
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

/* All of the input is handed up. Reading goes on, unless too much is unanswered or unsent. */
static void finish_input(struct tg_worker *worker, struct tg_slot *slot)
{
    tg_intake_drop_input(&worker->intake, &slot->reader);
    if ((slot->flags & TG_SLOT_FLOW_PAUSED) != 0 || over_flow_limit(worker, slot)) {
        pause_for_flow(worker, slot);
    } else {
        read_on(worker, slot);
    }
}

/* Hands up the messages of the slot's input as far as there is event room and memory. The flow limit
 * is looked at afterwards only: a paused connection must not keep a receive buffer, of which there
 * are few, for as long as its peer does not read. */
static void consume_input(struct tg_worker *worker, struct tg_slot *slot)
{
    for (;;) {
        push_whole_messages(worker, slot);
        if (worker->events_out == worker->events_max) {
            break;
        }
        /* What follows is cut, or there is nothing more. */
        struct tg_message message;
        enum tg_assembly result = tg_intake_next(&worker->intake, &slot->reader, &message);
        if (result == TG_ASSEMBLY_MESSAGE) {
            push_message(worker, slot, &message);
        } else if (result == TG_ASSEMBLY_NEEDS_INPUT) {
            finish_input(worker, slot);
            return;
        } else if (result == TG_ASSEMBLY_TOO_LARGE) {
            reject_length(worker, slot, message.size);
            return;
        } else {
            hold_back(worker, slot);
            return;
        }
    }
    tg_intake_rest(&worker->intake, &slot->reader);
    hold_back(worker, slot);
    tg_slot_block(worker, slot);
}

void tg_slot_check_flow(struct tg_worker *worker, struct tg_slot *slot)
{
    if ((slot->flags & TG_SLOT_FLOW_PAUSED) == 0 || slot->state != TG_SLOT_OPEN ||
        flow_bytes_of(slot) > worker->shared->flow_bytes / 2) {
        return;
    }
    slot->flags &= (uint16_t)~TG_SLOT_FLOW_PAUSED;
    if (!tg_list_is_linked(&slot->reader.link)) {
        tg_slot_progress(worker, slot);
    } /* else input that the port had taken before it stopped waits in a list, which goes on with it */
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
    if (slot->state != TG_SLOT_OPEN || tg_reader_is_waiting(&slot->reader)) {
        return; /* in the second case its turn will come */
    }
    if (slot->reader.buffer != TG_INDEX_NONE) {
        consume_input(worker, slot);
    } else if ((slot->flags & TG_SLOT_FLOW_PAUSED) == 0) {
        read_on(worker, slot);
    }
}

/* The peer's end of the stream. */
static void on_end(struct tg_worker *worker, struct tg_slot *slot)
{
    slot->flags |= TG_SLOT_ENDED;
    if (slot->state == TG_SLOT_OPEN) {
        slot->state = TG_SLOT_PEER_ENDED;
        slot->reason = tg_assembler_is_partial(&slot->reader.assembler) ? THRONG_CLOSE_TRUNCATED
                                                                        : THRONG_CLOSE_PEER;
        tg_slot_drop_input(worker, slot); /* the rest of a message will not come */
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
            tg_reader_put_input(&slot->reader, completion->data, (size_t)completion->result,
                                completion->buffer);
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
