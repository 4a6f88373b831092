/* SPDX-License-Identifier: MIT
 * The watchdog: what a peer must do in time, and what happens when it does not. Worker thread.
 *
 * A slot has one timer. It is lazy: it runs until the earliest deadline known when it was started, and
 * what happens in between only writes down when. When it comes, every deadline is worked out anew, and
 * the timer runs on to the next one, or rests if there is none.
 *
 *   while the connection is OPEN             counts from                  at the end
 *   no whole message came yet                accept                       FIRST_MESSAGE
 *   a message is not complete                its first byte               SLOW_SENDER
 *   nothing came                             the last byte                IDLE
 *   heartbeats: nothing came for three       the last byte                IDLE
 *   bytes wait to be sent (also later, until the last span's end          SLOW_READER, or the next span
 *   linger_ms bounds it)
 *   heartbeats: nothing was sent             the last send                a heartbeat goes out
 *   reading rests because of the rate        -                            reading goes on
 *
 * What counts is the time in which this worker served (tg_worker_pass_time): a process that was stopped,
 * or a logic thread that keeps its inline worker waiting, must not find its peers guilty of that. Nor is a
 * peer silent whose bytes wait for a receive buffer. While reading is paused, whoever's fault it is, only the sending side is watched; the peer's time begins anew
 * when reading goes on. */
#include "base/assert.h"
#include "worker/worker.h"

/* Nothing is due. */
#define NEVER UINT32_MAX

/* Intervals of silence after which a peer that should answer heartbeats is given up. */
#define SILENT_BEATS 3u

/* Longest time that an answer to a heartbeat waits after the last send. */
#define ANSWER_AFTER_MS 100u

/* How long a timer waits on when the port was not emptied: what is in it may acquit the peer. */
#define UNHEARD_MS 10u

static uint32_t passed_ms(const struct tg_worker *worker, uint32_t since_ms)
{
    return worker->served_ms - since_ms;
}

/* What is left of `limit_ms` (0: no limit) since then. */
static uint32_t left_ms(const struct tg_worker *worker, uint32_t since_ms, uint32_t limit_ms)
{
    uint32_t passed = passed_ms(worker, since_ms);
    return limit_ms == 0 ? NEVER : passed >= limit_ms ? 0 : limit_ms - passed;
}

static uint32_t earlier(uint32_t a_ms, uint32_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

struct verdict {
    uint32_t left_ms;
    enum throng_close_reason reason;
};

static void consider(struct verdict *soonest, uint32_t left, enum throng_close_reason reason)
{
    if (left < soonest->left_ms) {
        *soonest = (struct verdict){.left_ms = left, .reason = reason};
    }
}

static uint32_t beat_ms_of(const struct tg_worker *worker, const struct tg_slot *slot)
{
    return worker->shared->limits.heartbeat_ms[slot->listener];
}

/* The next deadline of the peer's own. */
static struct verdict judge(const struct tg_worker *worker, const struct tg_slot *slot)
{
    const struct tg_watch_limits *limits = &worker->shared->limits;
    struct verdict soonest = {.left_ms = NEVER, .reason = THRONG_CLOSE_NONE};
    if ((slot->flags & TG_SLOT_PAUSED) != 0) {
        return soonest;
    }
    if ((slot->flags & TG_SLOT_SPOKEN) == 0) {
        consider(&soonest, left_ms(worker, slot->opened_ms, limits->first_message_ms),
                 THRONG_CLOSE_FIRST_MESSAGE);
    }
    if ((slot->flags & TG_SLOT_PARTIAL) != 0) {
        consider(&soonest, left_ms(worker, slot->partial_ms, limits->message_ms),
                 THRONG_CLOSE_SLOW_SENDER);
    }
    consider(&soonest, left_ms(worker, slot->heard_ms, limits->idle_ms), THRONG_CLOSE_IDLE);
    consider(&soonest, left_ms(worker, slot->heard_ms, SILENT_BEATS * beat_ms_of(worker, slot)),
             THRONG_CLOSE_IDLE);
    return soonest;
}

/* Lets the timer come in `left` ms at the latest. */
static void wake_in(struct tg_worker *worker, struct tg_slot *slot, uint32_t left)
{
    uint64_t due_ms = worker->now_ms + left;
    if (left != NEVER && !slot->lingering &&
        (!tg_timer_is_running(&slot->timer) || slot->timer.due_ms > due_ms)) {
        tg_timer_start(&worker->wheel, &slot->timer, due_ms);
    }
}

/* ---- what is noted as it happens ---- */

void tg_slot_watch_begin(struct tg_worker *worker, struct tg_slot *slot)
{
    slot->opened_ms = worker->served_ms;
    slot->heard_ms = worker->served_ms;
    slot->unsent_ms = worker->served_ms;
    if (worker->shared->rates != NULL) {
        tg_slot_begin_rates(worker, slot);
    }
    tg_slot_watch_reading(worker, slot);
    wake_in(worker, slot, left_ms(worker, slot->unsent_ms, beat_ms_of(worker, slot)));
}

void tg_slot_watch_reading(struct tg_worker *worker, struct tg_slot *slot)
{
    slot->heard_ms = worker->served_ms;
    slot->partial_ms = worker->served_ms;
    if (worker->shared->rates != NULL) {
        tg_slot_allow_for_pause(worker, slot);
    }
    if ((slot->flags & TG_SLOT_SPOKEN) == 0) {
        slot->opened_ms = worker->served_ms;
    }
    if (slot->state == TG_SLOT_OPEN) {
        wake_in(worker, slot, judge(worker, slot).left_ms);
    }
}

void tg_slot_watch_partial(struct tg_worker *worker, struct tg_slot *slot)
{
    slot->flags |= TG_SLOT_PARTIAL;
    slot->partial_ms = worker->served_ms;
    if (worker->shared->limits.message_ms != 0) {
        wake_in(worker, slot, worker->shared->limits.message_ms);
    }
}

void tg_slot_watch_unsent(struct tg_worker *worker, struct tg_slot *slot)
{
    if (slot->lingering) {
        return; /* linger_ms bounds it */
    }
    if (worker->shared->logic == NULL) {
        tg_worker_pass_time(
            worker, 0); /* what the logic thread thought about before it wrote is not the peer's */
    }
    slot->flags |= TG_SLOT_UNSENT;
    slot->unsent_ms = worker->served_ms;
    slot->taken_bytes = 0;
    wake_in(worker, slot, left_ms(worker, slot->unsent_ms, worker->shared->limits.write_ms));
}

void tg_slot_watch_rate(struct tg_worker *worker, struct tg_slot *slot, uint32_t wait_ms)
{
    wake_in(worker, slot, wait_ms);
}

/* ---- heartbeats ---- */

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

/* Whether a heartbeat may go out: between two messages, and while there is none to be sent, which would
 * say as much. */
static bool is_quiet(const struct tg_slot *slot)
{
    return tg_chain_is_empty(&slot->queue) && slot->beat_bytes == 0;
}

/* An answer may wait for a moment after the last send: so a peer that answers answers, or answers twice,
 * makes no storm of it. */
static uint32_t answer_after_ms(uint32_t interval_ms)
{
    uint32_t part = interval_ms / 8;
    return part < 1 ? 1 : part < ANSWER_AFTER_MS ? part : ANSWER_AFTER_MS;
}

/* Answers a question if it is time. Says when it is, or NEVER. */
static uint32_t answer_beat(struct tg_worker *worker, struct tg_slot *slot, uint32_t interval_ms)
{
    if (!slot->beat_due || !is_quiet(slot)) {
        return NEVER;
    }
    uint32_t left = left_ms(worker, slot->unsent_ms, answer_after_ms(interval_ms));
    if (left > 0) {
        return left;
    }
    slot->beat_due = false;
    send_beat(worker, slot);
    return NEVER;
}

void tg_slot_answer_beat(struct tg_worker *worker, struct tg_slot *slot)
{
    wake_in(worker, slot, answer_beat(worker, slot, beat_ms_of(worker, slot)));
}

/* Sends one if it is time. Answers when the next one is. While there is something to send anyway, there is
 * no need of one. One that is unanswered does not hold the next one up: the answer may lie behind messages
 * that we read slowly, and the peer wants to hear of us meanwhile. They are counted, for an answer that was
 * taken for a question would be answered without end. */
static uint32_t keep_beating(struct tg_worker *worker, struct tg_slot *slot)
{
    uint32_t interval_ms = beat_ms_of(worker, slot);
    if (interval_ms == 0) {
        return NEVER;
    }
    uint32_t answer_left = answer_beat(worker, slot, interval_ms);
    if (slot->state != TG_SLOT_OPEN || !is_quiet(slot)) {
        return slot->beat_due ? answer_after_ms(interval_ms) : interval_ms;
    }
    if (left_ms(worker, slot->unsent_ms, interval_ms) == 0) {
        slot->beats_out++; /* one an interval: it does not wrap */
        send_beat(worker, slot);
    }
    return earlier(answer_left, left_ms(worker, slot->unsent_ms, interval_ms));
}

/* ---- slow readers ---- */

/* Whether enough was taken in a span of that length. */
static bool keeps_up(const struct tg_worker *worker, const struct tg_slot *slot, uint32_t span_ms)
{
    uint64_t least = (uint64_t)worker->shared->limits.reader_rate_min * span_ms / 1000;
    least = least < UINT32_MAX ? least : UINT32_MAX; /* where the count stays */
    return slot->taken_bytes >= (least > 1 ? least : 1);
}

static void log_slow_reader(struct tg_worker *worker, const struct tg_slot *slot)
{
    if (worker->now_ms >= worker->peer_log_due_ms) {
        worker->peer_log_due_ms = worker->now_ms + TG_PEER_LOG_REST_MS;
        char peer[THRONG_ADDRESS_TEXT_SIZE];
        uint32_t index = tg_worker_slot_index(worker, slot);
        tg_log_queue_push(&worker->log, THRONG_LOG_INFO,
                          "%s took %u bytes in %u ms while %u waited: reset as a slow reader",
                          throng_address_text(&worker->shared->arena->addresses[index].peer, peer),
                          slot->taken_bytes, passed_ms(worker, slot->unsent_ms), slot->queue.bytes);
    }
}

static void reset_slow_reader(struct tg_worker *worker, struct tg_slot *slot)
{
    log_slow_reader(worker, slot);
    tg_slot_close(worker, slot, THRONG_CLOSE_SLOW_READER, TG_CLOSE_ABORT);
}

/* Judges a span of `limit_ms` if it is over: who has kept up begins the next one. Answers what is left of
 * it; 0 if it was too slow. */
static uint32_t judge_reader(struct tg_worker *worker, struct tg_slot *slot, uint32_t limit_ms)
{
    if ((slot->flags & TG_SLOT_UNSENT) == 0) {
        return NEVER;
    }
    uint32_t left = left_ms(worker, slot->unsent_ms, limit_ms);
    if (left > 0) {
        return left;
    }
    if (!keeps_up(worker, slot, passed_ms(worker, slot->unsent_ms))) {
        return 0;
    }
    slot->unsent_ms = worker->served_ms;
    slot->taken_bytes = 0;
    return limit_ms;
}

/* The next of this worker's connections, from *index on, that is too slow for a time of shortage; or NULL. */
static struct tg_slot *next_too_slow(struct tg_worker *worker, uint32_t *index)
{
    while (*index < worker->shared->arena->capacity) {
        uint32_t i = (*index)++;
        struct tg_slot *slot = tg_worker_slot(worker, i);
        if (tg_worker_owns(worker, i) && slot->state <= TG_SLOT_DRAINING && !slot->lingering &&
            judge_reader(worker, slot, TG_SHORTAGE_SPAN_MS) == 0) {
            return slot;
        }
    }
    return NULL;
}

void tg_worker_judge_slow_readers(struct tg_worker *worker)
{
    struct tg_slot *slot;
    uint32_t longest_ms = 0;
    if (worker->shared->limits.write_ms == 0 ||
        (worker->full_batches > 0 && worker->full_batches < TG_FULL_BATCHES_MAX)) {
        return; /* in the second case not everybody has been heard */
    }
    for (uint32_t i = 0; (slot = next_too_slow(worker, &i)) != NULL;) {
        uint32_t span_ms = passed_ms(worker, slot->unsent_ms);
        longest_ms = longest_ms > span_ms ? longest_ms : span_ms;
    }
    /* Who has been slow for half as long as the slowest goes with it; the others have time until it is
     * seen whether that was enough. */
    for (uint32_t i = 0; longest_ms > 0 && (slot = next_too_slow(worker, &i)) != NULL;) {
        if (passed_ms(worker, slot->unsent_ms) >= longest_ms / 2) {
            reset_slow_reader(worker, slot);
        }
    }
}

/* ---- the timer ---- */

void tg_slot_watch_expired(struct tg_worker *worker, struct tg_slot *slot)
{
    TG_REQUIRE(slot->state >= TG_SLOT_OPEN && slot->state <= TG_SLOT_DRAINING);
    if (worker->full_batches > 0 && worker->full_batches < TG_FULL_BATCHES_MAX) {
        wake_in(worker, slot, UNHEARD_MS);
        return;
    }
    uint32_t left = judge_reader(worker, slot, worker->shared->limits.write_ms);
    if (left == 0) {
        reset_slow_reader(worker, slot);
        return;
    }
    if (slot->state == TG_SLOT_OPEN) {
        left = earlier(left, tg_slot_resume_rate(worker, slot));
    }
    if (slot->state == TG_SLOT_OPEN) {
        left = earlier(left, keep_beating(worker, slot));
    }
    if (slot->state == TG_SLOT_OPEN && tg_stream_is_queued(&slot->stream)) {
        tg_slot_watch_reading(worker, slot); /* what it has said is still to be read */
    }
    if (slot->state == TG_SLOT_OPEN) {
        struct verdict verdict = judge(worker, slot);
        if (verdict.left_ms == 0) {
            tg_slot_close(worker, slot, verdict.reason, TG_CLOSE_ABORT);
            return;
        }
        left = earlier(left, verdict.left_ms);
    }
    if (slot->state <= TG_SLOT_DRAINING) {
        wake_in(worker, slot, left);
    } /* else it ended over one of these */
}
