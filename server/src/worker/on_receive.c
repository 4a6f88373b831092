/* SPDX-License-Identifier: MIT
 * Receiving: from bytes to MESSAGE events, as far as there is room; when a connection reads and
 * when it rests is in reading.c. Called by worker.c for each RECEIVE completion. Worker thread. */
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

/* Whether empty messages are heartbeats. */
static bool has_heartbeats(const struct tg_worker *worker, const struct tg_slot *slot)
{
    return worker->shared->limits.heartbeat_ms[slot->listener] != 0;
}

/* Hands up messages that lie whole at the front of the input, at most `most`, as far as there is
 * event room. The hot case: a look at each and the writing of its event, all else once for the run.
 * Answers how many it were; heartbeats it leaves. */
static uint32_t push_whole_messages(struct tg_worker *worker, struct tg_slot *slot, uint32_t most)
{
    struct tg_piece *piece = tg_reader_piece(&worker->intake, &slot->reader);
    uint32_t room = worker->events_max - worker->events_out;
    room = room < most ? room : most;
    if (room == 0 || tg_assembler_is_partial(&piece->assembler)) {
        return 0;
    }
    const uint32_t least = has_heartbeats(worker, slot) ? 1 : 0;
    struct tg_event_entry *events = tg_ring_claim_run(&worker->events, room, &room);
    /* Every entry in the ring is an event that is out, so the ring cannot be full. */
    TG_REQUIRE(events != NULL);
    const struct tg_frame_rules rules = worker->shared->rules;
    const struct tg_event_entry event = {.conn = slot->id,
                                         .holder = piece->buffer,
                                         .type = THRONG_EVENT_MESSAGE,
                                         .listener = slot->listener};
    struct tg_input input = piece->input;
    struct tg_frame frame;
    uint32_t count = 0;
    for (;
         count < room && tg_frame_read(input.data, input.size, &rules, &frame) == TG_FRAME_WHOLE &&
         frame.size >= least;
         count++) {
        events[count] = event;
        events[count].data = frame.payload;
        events[count].size = frame.size;
        tg_input_skip(&input, THRONG_FRAME_HEADER_BYTES + (size_t)frame.size);
    }
    tg_ring_push_run(&worker->events, count);
    tg_recv_pool_retain_many(&worker->recv_pool, piece->buffer, count);
    worker->events_out += count;
    slot->events_held += count;
    slot->bytes_held += (uint32_t)(piece->input.size - input.size);
    slot->flags |= count > 0 ? TG_SLOT_SPOKEN : 0;
    tg_count(&worker->counters.messages_received, count);
    piece->input = input;
    return count;
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
        event->holder = tg_reader_buffer(&worker->intake, &slot->reader);
        tg_recv_pool_retain(&worker->recv_pool, event->holder);
    } else {
        event->holder = message->block | TG_HOLDER_BLOCK_BIT;
    }
    slot->events_held++;
    slot->bytes_held += message->size + THRONG_FRAME_HEADER_BYTES;
    tg_count(&worker->counters.messages_received, 1);
}

static void reject_length(struct tg_worker *worker, struct tg_slot *slot, uint32_t announced)
{
    if (tg_worker_may_log_peer(worker)) {
        char peer[THRONG_ADDRESS_TEXT_SIZE];
        tg_log_queue_push(&worker->log, THRONG_LOG_INFO,
                          "%s announced a message of %u bytes; the limit is %u",
                          tg_slot_peer_text(worker, slot, peer), announced,
                          worker->shared->rules.message_bytes_max);
    }
    tg_slot_close(worker, slot, THRONG_CLOSE_TOO_LARGE, TG_CLOSE_ABORT);
}

/* One that is no event: the peer lives. A block holds nothing of it. */
static void take_beat(struct tg_worker *worker, struct tg_slot *slot,
                      const struct tg_message *message)
{
    if (message->block != TG_MESSAGE_NONE) {
        tg_message_pool_give(&worker->message_pool, message->block);
    }
    tg_slot_on_beat(worker, slot);
}

static uint32_t messages_allowed(struct tg_worker *worker, struct tg_slot *slot)
{
    return worker->shared->rates == NULL ? worker->shared->limits.turn_messages
                                         : tg_slot_messages_allowed(worker, slot);
}

static void spend_messages(struct tg_worker *worker, struct tg_slot *slot, uint32_t count)
{
    if (worker->shared->rates != NULL) {
        tg_slot_spend_messages(worker, slot, count);
    }
}

/* All of the input is handed up. */
static void finish_input(struct tg_worker *worker, struct tg_slot *slot)
{
    if (slot->state != TG_SLOT_OPEN) {
        return; /* over its rate */
    }
    tg_intake_drop_input(&worker->intake, &slot->reader);
    if ((slot->flags & TG_SLOT_PARTIAL) == 0 &&
        tg_reader_is_partial(&worker->intake, &slot->reader)) {
        tg_slot_watch_partial(worker, slot);
    }
    tg_slot_read_or_rest(worker, slot);
}

/* There is more, but no event room, or others come first. The slot goes on in its turn. */
static void wait_for_turn(struct tg_worker *worker, struct tg_slot *slot)
{
    if (worker->events_out < worker->events_max) {
        tg_count(&worker->counters.turn_pauses, 1);
        worker->room_came = true;
    }
    tg_intake_rest(&worker->intake, &slot->reader);
    tg_slot_hold_back(worker, slot);
    tg_slot_block(worker, slot);
}

/* Hands up messages of the slot's input as far as there is event room and memory, at most a turn's
 * worth. Afterwards the slot waits, or reads, or is closed. The flow limit is looked at when all is
 * handed up: a paused connection must not keep a receive buffer, of which there are few, for as
 * long as its peer does not read. */
static void hand_up(struct tg_worker *worker, struct tg_slot *slot)
{
    const uint32_t most = messages_allowed(worker, slot);
    uint32_t count = 0;
    uint32_t beats = 0; /* of them; they are no messages, and no rate counts them */
    for (;;) {
        count += push_whole_messages(worker, slot, most - count);
        if (worker->events_out == worker->events_max || count == most) {
            break;
        }
        /* What follows is cut, or a heartbeat, or there is nothing more. */
        struct tg_message message;
        enum tg_assembly result = tg_intake_next(&worker->intake, &slot->reader, &message);
        if (result == TG_ASSEMBLY_MESSAGE) {
            slot->flags &= (uint16_t)~TG_SLOT_PARTIAL;
            slot->rest_due |= slot->reads_to_end;
            count++;
            if (message.size == 0 && has_heartbeats(worker, slot)) {
                beats++;
                take_beat(worker, slot, &message);
            } else {
                slot->flags |= TG_SLOT_SPOKEN;
                push_message(worker, slot, &message);
            }
        } else if (result == TG_ASSEMBLY_NEEDS_INPUT) {
            spend_messages(worker, slot, count - beats);
            finish_input(worker, slot);
            return;
        } else if (result == TG_ASSEMBLY_TOO_LARGE) {
            reject_length(worker, slot, message.size);
            return;
        } else {
            spend_messages(worker, slot, count - beats);
            if (slot->state == TG_SLOT_OPEN) { /* not over its rate */
                tg_slot_hold_back(worker, slot);
            }
            return;
        }
    }
    spend_messages(worker, slot, count - beats);
    if (slot->state == TG_SLOT_OPEN) { /* likewise */
        wait_for_turn(worker, slot);
    }
}

static void consume_input(struct tg_worker *worker, struct tg_slot *slot)
{
    hand_up(worker, slot);
    if (slot->beat_due && slot->state == TG_SLOT_OPEN) {
        tg_slot_answer_beat(worker, slot);
    }
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
    if (tg_reader_buffer(&worker->intake, &slot->reader) != TG_INDEX_NONE) {
        consume_input(worker, slot);
    } else {
        tg_slot_read_on(worker, slot);
    }
}

/* The peer's end of the stream. */
static void on_end(struct tg_worker *worker, struct tg_slot *slot)
{
    slot->flags |= TG_SLOT_ENDED;
    if (slot->state == TG_SLOT_OPEN) {
        bool inside = tg_reader_is_partial(&worker->intake, &slot->reader);
        tg_slot_peer_ended(worker, slot, inside ? THRONG_CLOSE_TRUNCATED : THRONG_CLOSE_PEER);
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
            tg_slot_watch_heard(worker, slot);
            if (worker->shared->rates != NULL) {
                tg_slot_spend_bytes(worker, slot, (uint32_t)completion->result);
            }
            tg_intake_put_input(&worker->intake, &slot->reader, completion->data,
                                (size_t)completion->result, completion->buffer);
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
