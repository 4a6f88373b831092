/* SPDX-License-Identifier: MIT
 * When a connection reads and when it rests. Called by on_receive.c, and where a reason to rest begins
 * or ends: commands.c, on_send.c, assembly.c. Worker thread.
 *
 * Six things can stop a connection's input, each with its way back:
 *
 *   no event room       -> the worker's blocked list, until the logic thread releases events
 *   turn_messages       -> likewise, until the next turn
 *   no message memory   -> the intake's lines, until its turn comes (codec/intake.h)
 *   flow: too much
 *   unanswered, unsent  -> FLOW_PAUSED, until its own bytes fall to half
 *   more than its rate  -> RATE_PAUSED, until the rate allows it (rate.c)
 *   a refused write     -> refused, until the game has a WRITABLE event for it
 *
 * TCP holds the peer back meanwhile. Input at hand waits in its receive buffer in the first three
 * cases: the logic thread ends the first one, and the intake sees to it that the third one ends. In
 * the last three, which depend on peers, it is handed up first. */
#include "worker/worker.h"

/* What this connection has unanswered and unsent, counted as the send queue's limit is: in
 * blocks. */
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

void tg_slot_hold_back(struct tg_worker *worker, struct tg_slot *slot)
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

/* It may be long until reading goes on: nothing is kept for it meanwhile. */
static void rest(struct tg_worker *worker, struct tg_slot *slot)
{
    tg_intake_rest(&worker->intake, &slot->reader);
    tg_slot_stop_reading(worker, slot);
}

/* Whether it rests for a reason of its own: the one who ends it lets reading go on. */
static bool is_resting(const struct tg_slot *slot)
{
    return (slot->flags & (TG_SLOT_FLOW_PAUSED | TG_SLOT_RATE_PAUSED)) != 0 || slot->refused;
}

/* Whether it rests now. Who has a kept block reads to the end of its message first: others wait for that
 * block, and a connection that we do not read from would be taken for one that stands still
 * (codec/intake.h). */
static bool is_to_rest(struct tg_slot *slot)
{
    if (!is_resting(slot)) {
        slot->reads_to_end = false;
        slot->rest_due = false;
        return false;
    }
    slot->reads_to_end = slot->reader.place == TG_READER_HOLDING && !slot->rest_due;
    return !slot->reads_to_end;
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
        tg_slot_watch_reading(worker, slot);
        tg_port_receive(worker->port, &slot->stream);
    }
}

void tg_slot_read_on(struct tg_worker *worker, struct tg_slot *slot)
{
    if (!is_resting(slot)) {
        read_on(worker, slot);
    }
}

void tg_slot_read_or_rest(struct tg_worker *worker, struct tg_slot *slot)
{
    if (over_flow_limit(worker, slot)) {
        slot->flags |= TG_SLOT_FLOW_PAUSED;
    }
    if (is_to_rest(slot)) {
        rest(worker, slot);
    } else {
        read_on(worker, slot);
    }
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

void tg_slot_note_refused(struct tg_worker *worker, struct tg_slot *slot, bool refused)
{
    if (slot->refused == refused) {
        return;
    }
    slot->refused = refused;
    if (slot->state != TG_SLOT_OPEN || tg_reader_is_waiting(&slot->reader) ||
        slot->reader.buffer != TG_INDEX_NONE || (slot->flags & TG_SLOT_OPEN_DUE) != 0) {
        return; /* it is seen when what is at hand has been handed up */
    }
    if (refused && is_to_rest(slot)) {
        rest(worker, slot);
    } else if (!refused) {
        tg_slot_progress(worker, slot);
    }
}
