/* SPDX-License-Identifier: MIT
 * Nobody is reset before his time, and nobody overstays it. */
#include "oracle.h"
#include "watch_state.h"

/* Whether so much time has surely passed since `from`, or can have passed. */
bool watch_has_passed(struct watch_stamp now, struct watch_stamp from, uint32_t limit_ms)
{
    if (watch_world.plan->faults[TG_SIM_FAULT_clock_jump] != 0) {
        return false; /* a jump while the worker is at work comes to its timers before it counts */
    }
    uint64_t late_ns = WATCH_LATE_NS + (game.server->config.inline_mode ? WATCH_LATE_INLINE_NS : 0);
    return now.least > from.most && now.least - from.most > limit_ms * WATCH_MS + late_ns;
}

/* The same of somebody who is to be heard, which takes receive buffers: a worker that had none for
 * a moment may give everybody his time anew. */
bool watch_has_passed_unheard(const struct watch_worker *worker, struct watch_stamp from,
                              uint32_t limit_ms)
{
    /* Who waits for a receive buffer when his time is over has it anew, and may wait again then. */
    const struct tg_worker *of_server = &game.server->workers[worker - watch_world.workers];
    bool was_deaf =
        worker->deaf_ns != 0 ||
        atomic_load_explicit(&of_server->port->counters.buffers_missed, memory_order_relaxed) != 0;
    return !was_deaf && watch_has_passed(watch_now(worker), from, limit_ms);
}

bool watch_can_have_passed(struct watch_stamp now, struct watch_stamp from, uint32_t limit_ms)
{
    return now.most + WATCH_EARLY_NS >= from.least + limit_ms * WATCH_MS;
}

struct watch_stamp watch_later(struct watch_stamp a, struct watch_stamp b)
{
    return (struct watch_stamp){a.most > b.most ? a.most : b.most,
                                a.least > b.least ? a.least : b.least};
}

/* ---- closes ---- */

/* Whether it has taken all that waited when its span began. What was owed to it in the span's
 * second part or later is that at least. */
static bool has_taken_all(const struct watch_worker *worker, const struct watch_peer *peer)
{
    uint64_t part = watch_part(worker);
    uint64_t before = WATCH_SPAN_PARTS - 2;
    for (uint64_t i = part > before ? part - before : 0; i <= part; i++) {
        uint32_t at = (uint32_t)(i % WATCH_SPANS);
        if (peer->owed_in[at] == i) {
            return peer->taken_all >= peer->owed_at[at];
        }
    }
    return false;
}

static void check_slow_reader(const struct watch_worker *worker, const struct watch_peer *peer,
                              const struct tg_slot *slot)
{
    const struct game_conn *conn = &game.conns[watch_place(slot)];
    const struct throng_server_options *options = &game.server->config.options;
    struct watch_stamp now = watch_now(worker);
    const uint32_t by_broadcast = LIFE_GAME_MAY_CUT | LIFE_GAME_TOLD;
    if (conn->id.id == slot->id && ((conn->life->flags & LIFE_GAME_CUT) != 0 ||
                                    (conn->life->flags & by_broadcast) == by_broadcast)) {
        return;
    }
    uint32_t limit_ms = options->write_timeout_ms;
    bool is_off = limit_ms == THRONG_OFF;
    if (watch_world.memory_was_short && (is_off || limit_ms > 1000)) {
        limit_ms = 1000;
    } else {
        TG_SIM_RULE(!is_off, "a slow reader is reset, and there is no limit");
    }
    TG_SIM_RULE(peer->is_waiting && watch_can_have_passed(now, peer->waited, limit_ms),
                "a slow reader is reset before its time");
    bool is_one_enough = (uint64_t)options->reader_rate_min * limit_ms < 2000;
    TG_SIM_RULE(watch_world.memory_was_short || !is_one_enough ||
                    watch_can_have_passed(now, peer->sent, limit_ms),
                "a reader that takes a byte now and then is reset");
    if (watch_world.memory_was_short || limit_ms < WATCH_SPAN_LEAST_MS) {
        return;
    }
    /* What it took in the last parts of the span, which lie in it in any case. */
    uint64_t part = watch_part(worker);
    uint64_t taken = 0;
    for (uint32_t i = 0; i < WATCH_SPAN_PARTS - 1; i++) {
        uint32_t at = (uint32_t)((part - i) % WATCH_SPANS);
        taken += peer->taken_in[at] == part - i && part >= i ? peer->taken[at] : 0;
    }
    uint64_t most = (uint64_t)options->reader_rate_min * (limit_ms + 2000) / 1000 + 1;
    TG_SIM_RULE(taken < most, "a reader that keeps up is reset as a slow one");
    /* Of what was dropped nobody can take anything. */
    bool was_dropped = conn->id.id != slot->id || (conn->life->flags & LIFE_GAME_DROP) != 0;
    TG_SIM_RULE(was_dropped || !has_taken_all(worker, peer),
                "a reader that took all that waited is reset as a slow one");
}

void watch_check_close(const struct watch_worker *worker, const struct watch_peer *peer,
                       const struct tg_slot *slot)
{
    const struct throng_server_options *options = &game.server->config.options;
    struct watch_stamp now = watch_now(worker);
    uint32_t silence_ms = WATCH_SILENT_BEATS * options->heartbeat_ms[slot->listener];
    if (silence_ms == 0 ||
        (options->idle_timeout_ms != 0 && options->idle_timeout_ms < silence_ms)) {
        silence_ms = options->idle_timeout_ms;
    }
    switch ((enum throng_close_reason)slot->reason) {
    case THRONG_CLOSE_FIRST_MESSAGE:
        TG_SIM_RULE(!peer->has_spoken || peer->has_paused, "FIRST_MESSAGE after a message");
        TG_SIM_RULE(watch_can_have_passed(now, peer->has_paused ? peer->reads : peer->opened,
                                          options->first_message_timeout_ms),
                    "FIRST_MESSAGE before its time");
        break;
    case THRONG_CLOSE_SLOW_SENDER:
        TG_SIM_RULE(peer->is_inside, "SLOW_SENDER, and no message has begun");
        TG_SIM_RULE(watch_can_have_passed(now, watch_later(peer->begun, peer->reads),
                                          options->message_timeout_ms),
                    "SLOW_SENDER before its time");
        break;
    case THRONG_CLOSE_IDLE:
        TG_SIM_RULE(watch_can_have_passed(now, watch_later(peer->heard, peer->reads), silence_ms),
                    "IDLE before its time");
        break;
    case THRONG_CLOSE_SLOW_READER:
        check_slow_reader(worker, peer, slot);
        break;
    case THRONG_CLOSE_OVER_RATE:
        /* After a jump of the clock what came before it and after it is judged at once. */
        TG_SIM_RULE(peer->has_paused || watch_world.plan->faults[TG_SIM_FAULT_clock_jump] != 0 ||
                        watch_is_near_empty(&peer->message_bucket, options->messages_per_s) ||
                        watch_is_near_empty(&peer->byte_bucket, options->bytes_per_s),
                    "OVER_RATE within its rate");
        break;
    case THRONG_CLOSE_EVICTED:
        /* What completed in the batch at hand is not looked at yet. */
        TG_SIM_RULE(peer->received == peer->received_now, "EVICTED, and it has spoken");
        TG_SIM_RULE(watch_can_have_passed(now, peer->opened, options->evict_silent_ms),
                    "EVICTED before its time");
        TG_SIM_RULE(watch_world.full_ns + 1000 * WATCH_MS >= tg_sim_now_ns() ||
                        watch_world.plan->faults[TG_SIM_FAULT_clock_jump] != 0,
                    "EVICTED, and there were slots");
        break;
    default:
        break;
    }
}

/* A connection that is turned away before its OPEN: its address had its share. Of workers that look
 * in the same instant more than one may turn somebody away (address_table.h). */
void watch_check_refused(const struct tg_slot *slot)
{
    uint32_t most = game.server->address_table.limit;
    if ((slot->flags & TG_SLOT_SILENT) != 0 && slot->reason == THRONG_CLOSE_ABORTED && most > 0) {
        uint32_t others = game.server->config.worker_count - 1;
        TG_SIM_RULE(oracle_address_count(watch_place(slot)) + others >= most,
                    "a connection is refused, and its address may have more");
    }
}

/* ---- who overstays ---- */

void watch_check_overdue(const struct tg_worker *of_server, const struct tg_slot *slot)
{
    const struct throng_server_options *options = &game.server->config.options;
    const struct watch_worker *worker = watch_worker_of(of_server->port);
    const struct watch_peer *peer = &watch_world.peers[watch_place(slot)];
    if (worker == NULL || peer->id != slot->id || slot->state != TG_SLOT_OPEN ||
        (slot->flags & TG_SLOT_OPEN_DUE) != 0) {
        return;
    }
    struct watch_stamp now = watch_now(worker);
    TG_SIM_RULE(!peer->is_waiting || options->write_timeout_ms == THRONG_OFF ||
                    !watch_has_passed(now, watch_later(peer->waited, peer->sent),
                                      2 * options->write_timeout_ms),
                "a peer that takes nothing is not reset");
    if (!peer->is_reading || peer->is_lost) {
        return;
    }
    TG_SIM_RULE(peer->messages > 0 || options->first_message_timeout_ms == THRONG_OFF ||
                    !watch_has_passed_unheard(worker, watch_later(peer->opened, peer->reads),
                                              options->first_message_timeout_ms),
                "a peer that says nothing is not reset");
    TG_SIM_RULE(!peer->is_inside || options->message_timeout_ms == THRONG_OFF ||
                    !watch_has_passed_unheard(worker, watch_later(peer->begun, peer->reads),
                                              options->message_timeout_ms),
                "a message that has begun for long is waited for");
    uint32_t beat_ms = options->heartbeat_ms[slot->listener];
    TG_SIM_RULE(options->idle_timeout_ms == 0 ||
                    !watch_has_passed_unheard(worker, watch_later(peer->heard, peer->reads),
                                              options->idle_timeout_ms),
                "an idle peer is not reset");
    TG_SIM_RULE(beat_ms == 0 ||
                    !watch_has_passed_unheard(worker, watch_later(peer->heard, peer->reads),
                                              WATCH_SILENT_BEATS * beat_ms),
                "a peer that answers no heartbeat is not reset");
    TG_SIM_RULE(beat_ms == 0 || peer->is_sending || peer->unanswered >= UINT8_MAX ||
                    !watch_has_passed(now, peer->sent, beat_ms),
                "a heartbeat is due, and does not go out");
}
