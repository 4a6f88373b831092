/* SPDX-License-Identifier: MIT
 * Heartbeats: empty messages that this thread sends and answers, by the rule of common/PROTOCOL.md.
 * Worker thread. */
#include "worker/watch.h"

/* Longest time that an answer to a heartbeat waits after the last send. */
#define ANSWER_AFTER_MS 100u

static void send_beat(struct tg_worker *worker, struct tg_slot *slot)
{
    tg_count(&worker->counters.heartbeats_sent, 1);
    slot->unsent_ms = worker->served_ms;
    slot->beat_bytes = THRONG_FRAME_HEADER_BYTES;
    tg_slot_send(worker, slot);
}

void tg_slot_on_beat(struct tg_worker *worker, struct tg_slot *slot)
{
    tg_count(&worker->counters.heartbeats_received, 1);
    if (slot->beats_out > 0) {
        slot->beats_out--;
    } else {
        slot->beat_due = true; /* one answer for all that come until it goes */
    }
}

/* Whether a heartbeat may go out: between two messages, and while there is none to be sent, which
 * would say as much. */
static bool is_quiet(const struct tg_slot *slot)
{
    return tg_chain_is_empty(&slot->queue) && slot->beat_bytes == 0;
}

/* An answer may wait for a moment after the last send: so a peer that answers answers, or answers
 * twice, makes no storm of it. */
static uint32_t answer_after_ms(uint32_t interval_ms)
{
    uint32_t part = interval_ms / 8;
    return part < 1 ? 1 : part < ANSWER_AFTER_MS ? part : ANSWER_AFTER_MS;
}

/* Answers a question if it is time. Says when it is, or TG_WATCH_NEVER. */
static uint32_t answer_beat(struct tg_worker *worker, struct tg_slot *slot, uint32_t interval_ms)
{
    if (!slot->beat_due || !is_quiet(slot)) {
        return TG_WATCH_NEVER;
    }
    uint32_t left = tg_watch_left_ms(worker, slot->unsent_ms, answer_after_ms(interval_ms));
    if (left > 0) {
        return left;
    }
    slot->beat_due = false;
    send_beat(worker, slot);
    return TG_WATCH_NEVER;
}

void tg_slot_answer_beat(struct tg_worker *worker, struct tg_slot *slot)
{
    tg_slot_wake_in(worker, slot, answer_beat(worker, slot, tg_slot_beat_ms(worker, slot)));
}

uint32_t tg_slot_keep_beating(struct tg_worker *worker, struct tg_slot *slot)
{
    uint32_t interval_ms = tg_slot_beat_ms(worker, slot);
    if (interval_ms == 0) {
        return TG_WATCH_NEVER;
    }
    uint32_t answer_left = answer_beat(worker, slot, interval_ms);
    if (slot->state != TG_SLOT_OPEN || !is_quiet(slot)) {
        return slot->beat_due ? answer_after_ms(interval_ms) : interval_ms;
    }
    if (tg_watch_left_ms(worker, slot->unsent_ms, interval_ms) == 0) {
        slot->beats_out++; /* one an interval: it does not wrap */
        send_beat(worker, slot);
    }
    return tg_watch_earlier(answer_left, tg_watch_left_ms(worker, slot->unsent_ms, interval_ms));
}
