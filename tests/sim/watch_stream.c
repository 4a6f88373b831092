/* SPDX-License-Identifier: MIT
 * What comes from a peer and goes to it: messages, heartbeats, rates. */
#include "codec/frame.h"
#include "watch_state.h"

/* ---- rates ---- */

void watch_begin_bucket(struct watch_bucket *bucket, uint32_t per_s, uint32_t burst)
{
    *bucket = (struct watch_bucket){per_s != 0, burst, tg_sim_now_ns()};
}

/* With a token for what the worker's milliseconds cut off. */
static void spend(struct watch_bucket *bucket, uint32_t per_s, uint32_t burst, double amount)
{
    uint64_t now_ns = tg_sim_now_ns();
    bucket->tokens += (double)(now_ns - bucket->filled_ns) * per_s / 1e9;
    bucket->tokens = bucket->tokens > burst ? burst : bucket->tokens;
    bucket->filled_ns = now_ns;
    bucket->tokens -= amount;
}

bool watch_is_near_empty(const struct watch_bucket *bucket, uint32_t per_s)
{
    return bucket->is_used && bucket->tokens <= 2 + per_s / 100.0;
}

/* ---- what comes in ---- */

static bool has_beats(const struct tg_slot *slot)
{
    return watch_world.plan->server.heartbeat_ms[slot->listener] != 0;
}

static void end_frame(struct watch_peer *peer, const struct tg_slot *slot, bool is_empty)
{
    peer->messages++;
    peer->header_have = 0;
    peer->is_inside = false;
    peer->has_begun = false;
    if (!is_empty || !has_beats(slot)) {
        peer->has_spoken = true;
        return;
    }
    /* One of ours is on its way: perhaps it is counted already, and this was taken for the
     * answer. */
    peer->is_unclear = peer->is_unclear || slot->beat_bytes > 0;
    if (peer->unanswered > 0) {
        peer->unanswered--;
    } else {
        peer->questions++;
        peer->owes_answer = true;
    }
}

static void begin_frame(struct watch_peer *peer, const struct tg_slot *slot)
{
    uint32_t size = tg_frame_length_read(peer->header, watch_world.plan->server.byte_order);
    if (size > watch_world.plan->server.message_bytes_max) {
        peer->is_lost = true;
    } else if (size == 0) {
        end_frame(peer, slot, true);
    }
    peer->left = size;
}

static void take_in(struct watch_peer *peer, const struct tg_slot *slot, const uint8_t *data,
                    uint32_t size)
{
    while (size > 0 && !peer->is_lost) {
        uint32_t part = 1;
        if (!peer->is_inside) {
            peer->is_inside = true;
            peer->has_begun = true;
        }
        if (peer->header_have < 4) {
            peer->header[peer->header_have++] = data[0];
            if (peer->header_have == 4) {
                begin_frame(peer, slot);
            }
        } else {
            part = size < peer->left ? size : peer->left;
            peer->left -= part;
            if (peer->left == 0) {
                end_frame(peer, slot, false);
            }
        }
        data += part;
        size -= part;
    }
}

/* Who says something is still there: his time cannot have been over for long. */
static void check_allowed(const struct watch_worker *worker, const struct watch_peer *peer,
                          const struct tg_slot *slot)
{
    const struct throng_server_options *options = &game.server->config.options;
    if (worker->time.work_ns > 2 * WATCH_MS) {
        return; /* it looks at the clock after the wait: what lay there when it came back is heard first */
    }
    if (slot->state != TG_SLOT_OPEN || !peer->is_reading) {
        return;
    }
    TG_SIM_RULE(!peer->is_inside || options->message_timeout_ms == THRONG_OFF ||
                    !watch_has_passed_unheard(worker, watch_later(peer->begun, peer->reads),
                                              options->message_timeout_ms),
                "a message drips for longer than it may");
    TG_SIM_RULE(options->idle_timeout_ms == 0 ||
                    !watch_has_passed_unheard(worker, watch_later(peer->heard, peer->reads),
                                              options->idle_timeout_ms),
                "a peer was silent for longer than it may");
}

void watch_on_received(struct watch_worker *worker, struct watch_peer *peer,
                       const struct tg_slot *slot, const struct tg_sim_port_note *note)
{
    const struct throng_server_options *options = &game.server->config.options;
    if (note->amount <= 0) {
        return;
    }
    uint32_t before = peer->messages;
    peer->has_held = peer->has_held || slot->reader.place == TG_READER_HOLDING;
    check_allowed(worker, peer, slot);
    if (options->when_over_rate == THRONG_WHEN_OVER_RATE_SLOW && options->bytes_per_s != 0 &&
        slot->state == TG_SLOT_OPEN) {
        /* A receive more than there are tokens, what the port had taken ahead of the stop, and the
         * rest of a message that holds memory for which others wait. */
        double seconds = (double)(tg_sim_now_ns() - peer->adopted_ns + 10 * WATCH_MS) / 1e9;
        TG_SIM_RULE((double)peer->received <=
                        options->bytes_burst + seconds * options->bytes_per_s +
                            3.0 * options->receive_buffer_bytes +
                            (peer->has_held ? 2.0 : 0) * (options->message_bytes_max + 4),
                    "a connection is read from in spite of its rate");
    }
    peer->received += (uint64_t)note->amount;
    peer->received_now += (uint64_t)note->amount;
    peer->has_heard = true;
    take_in(peer, slot, note->data, (uint32_t)note->amount);
    spend(&peer->byte_bucket, options->bytes_per_s, options->bytes_burst, (double)note->amount);
    spend(&peer->message_bucket, options->messages_per_s, options->messages_burst,
          (double)(peer->messages - before));
    watch_touch(worker, peer);
}

/* ---- what goes out ---- */

/* A heartbeat went out: the answer to one, or ours, which the silence before it allows. */
static void on_beat_out(struct watch_worker *worker, struct watch_peer *peer,
                        const struct tg_slot *slot)
{
    TG_SIM_RULE(has_beats(slot), "a heartbeat goes out, and there are none");
    uint32_t beat_ms = watch_world.plan->server.heartbeat_ms[slot->listener];
    bool is_time = watch_can_have_passed(watch_now(worker), peer->silent, beat_ms);
    peer->owes_answer = false;
    if (peer->questions > 0) {
        peer->questions--;
        peer->is_unclear = peer->is_unclear || is_time; /* perhaps it was ours, and counted so */
        return;
    }
    TG_SIM_RULE(is_time, "a heartbeat too early, or an answer to an answer");
    peer->unanswered++;
}

static void take_out(struct watch_worker *worker, struct watch_peer *peer,
                     const struct tg_slot *slot, const uint8_t *data, uint32_t size)
{
    while (size > 0) {
        uint32_t part = 1;
        if (peer->down_have == 0) {
            peer->silent = peer->sent;
        }
        if (peer->down_have < 4) {
            peer->down_header[peer->down_have++] = data[0];
            if (peer->down_have == 4) {
                peer->down_left =
                    tg_frame_length_read(peer->down_header, watch_world.plan->server.byte_order);
                if (peer->down_left == 0) {
                    peer->down_have = 0;
                    if (has_beats(slot)) {
                        on_beat_out(worker, peer, slot);
                    }
                }
            }
        } else {
            part = size < peer->down_left ? size : peer->down_left;
            peer->down_left -= part;
            peer->down_have = peer->down_left == 0 ? 0 : 4;
        }
        data += part;
        size -= part;
    }
}

uint64_t watch_part(const struct watch_worker *worker)
{
    uint64_t part_ns = game.server->config.options.write_timeout_ms * WATCH_MS / WATCH_SPAN_PARTS;
    return watch_now(worker).most / (part_ns > 0 ? part_ns : 1);
}

static void note_taken(struct watch_worker *worker, struct watch_peer *peer, uint64_t bytes)
{
    uint64_t part = watch_part(worker);
    uint32_t at = (uint32_t)(part % WATCH_SPANS);
    peer->taken[at] = (peer->taken_in[at] == part ? peer->taken[at] : 0) + bytes;
    peer->taken_in[at] = part;
    peer->taken_all += bytes;
}

void watch_note_owed(const struct watch_worker *worker, struct watch_peer *peer,
                     const struct tg_slot *slot)
{
    uint64_t owed = peer->taken_all + slot->queue.bytes + slot->beat_bytes;
    uint64_t part = watch_part(worker);
    uint32_t at = (uint32_t)(part % WATCH_SPANS);
    peer->owed = owed > peer->owed ? owed : peer->owed;
    if (peer->owed_in[at] != part) {
        peer->owed_in[at] = part;
        peer->owed_at[at] = peer->owed;
    }
}

void watch_on_sent(struct watch_worker *worker, struct watch_peer *peer, const struct tg_slot *slot,
                   const struct tg_sim_port_note *note)
{
    take_out(worker, peer, slot, note->data, (uint32_t)note->amount);
    note_taken(worker, peer, (uint64_t)note->amount);
    peer->is_sending = false;
    peer->sent = watch_stamp_now(worker);
    peer->has_taken = worker->time.is_waiting;
    watch_touch(worker, peer);
}

void watch_on_pends(struct watch_worker *worker, struct watch_peer *peer)
{
    peer->is_sending = true;
    if (!peer->is_waiting) {
        peer->is_waiting = true;
        peer->waited = watch_now(worker); /* for this the worker looks at the clock anew */
    }
}
