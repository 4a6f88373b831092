/* SPDX-License-Identifier: MIT
 * Slow readers: whether a peer takes enough of what waits for it, and who goes while send memory is
 * short. Worker thread. */
#include "worker/watch.h"

/* From now, not from the last look at the clock: what this turn has taken so far, or inline what
 * the logic thread thought about before it wrote, is not the peer's. */
void tg_slot_begin_span(const struct tg_worker *worker, struct tg_slot *slot)
{
    slot->unsent_ms = worker->served_ms + tg_worker_uncounted_ms(worker);
    slot->taken_bytes = 0;
    slot->span_bytes = slot->queue.bytes + slot->beat_bytes;
}

/* Whether enough was taken in a span of that length. All that waited when it began is enough,
 * however little that was: what waits now came later, and a server that is behind with its own work
 * has something waiting for everybody all the time. */
static bool keeps_up(const struct tg_worker *worker, const struct tg_slot *slot, uint32_t span_ms)
{
    uint64_t least = (uint64_t)worker->shared->limits.reader_rate_min * span_ms / 1000;
    least = least < slot->span_bytes ? least : slot->span_bytes;
    return slot->taken_bytes >= (least > 1 ? least : 1);
}

static void log_slow_reader(struct tg_worker *worker, const struct tg_slot *slot)
{
    if (tg_worker_may_log_peer(worker)) {
        char peer[THRONG_ADDRESS_TEXT_SIZE];
        tg_log_queue_push(&worker->log, THRONG_LOG_INFO,
                          "%s took %u bytes in %u ms while %u waited: reset as a slow reader",
                          tg_slot_peer_text(worker, slot, peer), slot->taken_bytes,
                          tg_watch_passed_ms(worker, slot->unsent_ms), slot->queue.bytes);
    }
}

void tg_slot_reset_slow_reader(struct tg_worker *worker, struct tg_slot *slot)
{
    log_slow_reader(worker, slot);
    tg_slot_close(worker, slot, THRONG_CLOSE_SLOW_READER, TG_CLOSE_ABORT);
}

uint32_t tg_slot_judge_reader(struct tg_worker *worker, struct tg_slot *slot, uint32_t limit_ms)
{
    if ((slot->flags & TG_SLOT_UNSENT) == 0) {
        return TG_WATCH_NEVER;
    }
    uint32_t left = tg_watch_left_ms(worker, slot->unsent_ms, limit_ms);
    if (left > 0) {
        return left;
    }
    if (!keeps_up(worker, slot, tg_watch_passed_ms(worker, slot->unsent_ms))) {
        return 0;
    }
    tg_slot_begin_span(worker, slot);
    return limit_ms;
}

/* The next of this worker's connections, from *index on, that is too slow for a time of shortage;
 * or NULL. */
static struct tg_slot *next_too_slow(struct tg_worker *worker, uint32_t *index)
{
    while (*index < worker->shared->arena->capacity) {
        uint32_t i = (*index)++;
        struct tg_slot *slot = tg_worker_slot(worker, i);
        if (tg_worker_owns(worker, i) && slot->state <= TG_SLOT_DRAINING && !slot->lingering &&
            tg_slot_judge_reader(worker, slot, TG_SHORTAGE_SPAN_MS) == 0) {
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
        uint32_t span_ms = tg_watch_passed_ms(worker, slot->unsent_ms);
        longest_ms = longest_ms > span_ms ? longest_ms : span_ms;
    }
    /* Who has been slow for half as long as the slowest goes with it; the others have time until it
     * is seen whether that was enough. */
    for (uint32_t i = 0; longest_ms > 0 && (slot = next_too_slow(worker, &i)) != NULL;) {
        if (tg_watch_passed_ms(worker, slot->unsent_ms) >= longest_ms / 2) {
            tg_slot_reset_slow_reader(worker, slot);
        }
    }
}
