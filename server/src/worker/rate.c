/* SPDX-License-Identifier: MIT
 * What one peer may send: messages and bytes a second, with a burst. Worker thread.
 *
 * Who is slowed: what a receive has brought is handed up whole, and the debt is paid off before
 * more is read: input that waited for its rate would hold a receive buffer, of which there are few.
 * So at most one receive more than the burst is taken, and no more than the rate over time.
 *
 * Who is to be reset: one message more than there may be is enough. But not for what piled up while
 * we did not read: after a pause of ours the bucket has what came meanwhile without a limit, and
 * after an absence nobody is judged until all have been heard. */
#include "worker/worker.h"

static struct tg_slot_rates *rates_of(const struct tg_worker *worker, const struct tg_slot *slot)
{
    return &worker->shared->rates[tg_worker_slot_index(worker, slot)];
}

void tg_slot_begin_rates(struct tg_worker *worker, struct tg_slot *slot)
{
    const struct tg_watch_limits *limits = &worker->shared->limits;
    struct tg_slot_rates *rates = rates_of(worker, slot);
    tg_token_bucket_init(&rates->messages, limits->messages, (uint32_t)worker->now_ms);
    tg_token_bucket_init(&rates->bytes, limits->bytes, (uint32_t)worker->now_ms);
}

/* Time until a bucket has something again; 0 if it has. */
static uint32_t fill(struct tg_token_bucket *bucket, struct tg_rate rate, uint32_t now_ms)
{
    if (rate.per_s == 0) {
        return 0;
    }
    tg_token_bucket_fill(bucket, rate, now_ms);
    return tg_token_bucket_wait_ms(bucket, rate);
}

static uint32_t fill_both(struct tg_worker *worker, struct tg_slot_rates *rates)
{
    const struct tg_watch_limits *limits = &worker->shared->limits;
    uint32_t messages_ms = fill(&rates->messages, limits->messages, (uint32_t)worker->now_ms);
    uint32_t bytes_ms = fill(&rates->bytes, limits->bytes, (uint32_t)worker->now_ms);
    return messages_ms > bytes_ms ? messages_ms : bytes_ms;
}

static void log_over_rate(struct tg_worker *worker, const struct tg_slot *slot)
{
    if (tg_worker_may_log_peer(worker)) {
        const struct tg_watch_limits *limits = &worker->shared->limits;
        char peer[THRONG_ADDRESS_TEXT_SIZE];
        tg_log_queue_push(
            &worker->log, THRONG_LOG_INFO,
            "%s sends more than %u messages or %u bytes a second (0: no limit): reset",
            tg_slot_peer_text(worker, slot, peer), limits->messages.per_s, limits->bytes.per_s);
    }
}

/* Whether it has spent more than there was, which a peer that may be slowed is forgiven. */
static bool is_over(const struct tg_watch_limits *limits, const struct tg_slot_rates *rates)
{
    return (limits->messages.per_s != 0 && rates->messages.tokens < 0) ||
           (limits->bytes.per_s != 0 && rates->bytes.tokens < 0);
}

void tg_slot_spend_bytes(struct tg_worker *worker, struct tg_slot *slot, uint32_t bytes)
{
    struct tg_slot_rates *rates = rates_of(worker, slot);
    (void)fill_both(worker, rates);
    tg_token_bucket_spend(&rates->bytes, bytes);
}

void tg_slot_spend_messages(struct tg_worker *worker, struct tg_slot *slot, uint32_t count)
{
    const struct tg_watch_limits *limits = &worker->shared->limits;
    struct tg_slot_rates *rates = rates_of(worker, slot);
    (void)fill_both(worker, rates);
    tg_token_bucket_spend(&rates->messages, count);
    if (limits->when_over_rate == THRONG_WHEN_OVER_RATE_CLOSE) {
        if (worker->now_ms < worker->absent_until || worker->now_ms < worker->deaf_until_ms) {
            tg_token_bucket_forgive(&rates->messages);
            tg_token_bucket_forgive(&rates->bytes);
        } else if (is_over(limits, rates)) {
            log_over_rate(worker, slot);
            tg_slot_close(worker, slot, THRONG_CLOSE_OVER_RATE, TG_CLOSE_ABORT);
        }
        return;
    }
    uint32_t wait_ms = fill_both(worker, rates);
    if (wait_ms > 0) {
        if ((slot->flags & TG_SLOT_RATE_PAUSED) == 0) {
            slot->flags |= TG_SLOT_RATE_PAUSED;
            tg_count(&worker->counters.rate_pauses, 1);
        }
        tg_slot_watch_rate(worker, slot, wait_ms);
    }
}

uint32_t tg_slot_messages_allowed(struct tg_worker *worker, struct tg_slot *slot)
{
    const struct tg_watch_limits *limits = &worker->shared->limits;
    if (limits->when_over_rate == THRONG_WHEN_OVER_RATE_SLOW || limits->messages.per_s == 0) {
        return limits->turn_messages;
    }
    struct tg_slot_rates *rates = rates_of(worker, slot);
    (void)fill_both(worker, rates);
    uint32_t allowed = rates->messages.tokens < 0 ? 1 : (uint32_t)rates->messages.tokens + 1;
    return allowed < limits->turn_messages ? allowed : limits->turn_messages;
}

void tg_slot_allow_for_pause(struct tg_worker *worker, struct tg_slot *slot)
{
    const struct tg_watch_limits *limits = &worker->shared->limits;
    if (limits->when_over_rate == THRONG_WHEN_OVER_RATE_CLOSE) {
        struct tg_slot_rates *rates = rates_of(worker, slot);
        tg_token_bucket_allow(&rates->messages, limits->messages, (uint32_t)worker->now_ms);
        tg_token_bucket_allow(&rates->bytes, limits->bytes, (uint32_t)worker->now_ms);
    }
}

uint32_t tg_slot_resume_rate(struct tg_worker *worker, struct tg_slot *slot)
{
    if ((slot->flags & TG_SLOT_RATE_PAUSED) == 0) {
        return UINT32_MAX;
    }
    uint32_t wait_ms = fill_both(worker, rates_of(worker, slot));
    if (wait_ms > 0) {
        return wait_ms;
    }
    slot->flags &= (uint16_t)~TG_SLOT_RATE_PAUSED;
    if (!tg_list_is_linked(&slot->reader.link)) {
        tg_slot_progress(worker, slot);
    } /* else it waits for something else as well, and goes on with that */
    return UINT32_MAX;
}
