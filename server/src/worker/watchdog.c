/* SPDX-License-Identifier: MIT
 * The watchdog: what a peer must do in time, and what happens when it does not. Worker thread.
 *
 * A slot has one timer. It is lazy: it runs until the earliest deadline known when it was started,
 * and what happens in between only writes down when. When it comes, every deadline is worked out
 * anew, and the timer runs on to the next one, or rests if there is none.
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
 * What counts is the time in which this worker served (served_ms): a process that was stopped,
 * or a logic thread that keeps its inline worker waiting, must not find its peers guilty of that.
 * Nor is a peer silent whose bytes wait for a receive buffer. While reading is paused, whoever's
 * fault it is, only the sending side is watched; the peer's time begins anew when reading goes on.
 *
 * The table's rows that are more than a look at the clock have their own files: heartbeat.c,
 * slow_reader.c, rate.c. */
#include "base/assert.h"
#include "worker/watch.h"

/* Intervals of silence after which a peer that should answer heartbeats is given up. */
#define SILENT_BEATS 3u

/* How long a timer waits on when the port was not emptied: what is in it may acquit the peer. */
#define UNHEARD_MS 10u

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

/* The next deadline of the peer's own. */
static struct verdict judge(const struct tg_worker *worker, const struct tg_slot *slot)
{
    const struct tg_watch_limits *limits = &worker->shared->limits;
    struct verdict soonest = {.left_ms = TG_WATCH_NEVER, .reason = THRONG_CLOSE_NONE};
    if ((slot->flags & TG_SLOT_PAUSED) != 0) {
        return soonest;
    }
    if ((slot->flags & TG_SLOT_SPOKEN) == 0) {
        consider(&soonest, tg_watch_left_ms(worker, slot->opened_ms, limits->first_message_ms),
                 THRONG_CLOSE_FIRST_MESSAGE);
    }
    if ((slot->flags & TG_SLOT_PARTIAL) != 0) {
        consider(&soonest, tg_watch_left_ms(worker, slot->partial_ms, limits->message_ms),
                 THRONG_CLOSE_SLOW_SENDER);
    }
    consider(&soonest, tg_watch_left_ms(worker, slot->heard_ms, limits->idle_ms),
             THRONG_CLOSE_IDLE);
    consider(&soonest,
             tg_watch_left_ms(worker, slot->heard_ms, SILENT_BEATS * tg_slot_beat_ms(worker, slot)),
             THRONG_CLOSE_IDLE);
    return soonest;
}

void tg_slot_wake_in(struct tg_worker *worker, struct tg_slot *slot, uint32_t left)
{
    if (left == TG_WATCH_NEVER || slot->lingering) {
        return;
    }
    struct tg_timer *timer = tg_slot_timer(worker, slot);
    uint64_t due_ms = worker->now_ms + left;
    if (!tg_timer_is_running(timer) || timer->due_ms > due_ms) {
        tg_timer_start(&worker->wheel, timer, due_ms);
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
    tg_slot_wake_in(worker, slot,
                    tg_watch_left_ms(worker, slot->unsent_ms, tg_slot_beat_ms(worker, slot)));
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
        tg_slot_wake_in(worker, slot, judge(worker, slot).left_ms);
    }
}

void tg_slot_watch_partial(struct tg_worker *worker, struct tg_slot *slot)
{
    slot->flags |= TG_SLOT_PARTIAL;
    slot->partial_ms = worker->served_ms;
    if (worker->shared->limits.message_ms != 0) {
        tg_slot_wake_in(worker, slot, worker->shared->limits.message_ms);
    }
}

void tg_slot_watch_unsent(struct tg_worker *worker, struct tg_slot *slot)
{
    if (slot->lingering) {
        return; /* linger_ms bounds it */
    }
    slot->flags |= TG_SLOT_UNSENT;
    tg_slot_begin_span(worker, slot);
    tg_slot_wake_in(worker, slot,
                    tg_watch_left_ms(worker, slot->unsent_ms, worker->shared->limits.write_ms));
}

void tg_slot_watch_rate(struct tg_worker *worker, struct tg_slot *slot, uint32_t wait_ms)
{
    tg_slot_wake_in(worker, slot, wait_ms);
}

/* ---- the timer ---- */

void tg_slot_watch_expired(struct tg_worker *worker, struct tg_slot *slot)
{
    TG_REQUIRE(slot->state >= TG_SLOT_OPEN && slot->state <= TG_SLOT_DRAINING);
    if (worker->full_batches > 0 && worker->full_batches < TG_FULL_BATCHES_MAX) {
        tg_slot_wake_in(worker, slot, UNHEARD_MS);
        return;
    }
    uint32_t left = tg_slot_judge_reader(worker, slot, worker->shared->limits.write_ms);
    if (left == 0) {
        tg_slot_reset_slow_reader(worker, slot);
        return;
    }
    if (slot->state == TG_SLOT_OPEN) {
        left = tg_watch_earlier(left, tg_slot_resume_rate(worker, slot));
    }
    if (slot->state == TG_SLOT_OPEN) {
        left = tg_watch_earlier(left, tg_slot_keep_beating(worker, slot));
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
        left = tg_watch_earlier(left, verdict.left_ms);
    }
    if (slot->state <= TG_SLOT_DRAINING) {
        tg_slot_wake_in(worker, slot, left);
    } /* else it ended over one of these */
}
