/* SPDX-License-Identifier: MIT
 * A token bucket: so many a second, so many at once after a pause. Pure: time is an argument.
 *
 * Whoever spends more than there is goes into debt, which is paid off before there is anything to
 * spend again: what was received in one go need not be cut. */
#ifndef TG_BASE_TOKEN_BUCKET_H
#define TG_BASE_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* 1..2^30 each; per_s 0: no limit. */
struct tg_rate {
    uint32_t per_s;
    uint32_t burst;
};

struct tg_token_bucket {
    int32_t tokens;
    uint32_t filled_ms;   /* up to then; wraps */
    uint32_t thousandths; /* of a token that had come by then, 0..999 */
};

static inline void tg_token_bucket_init(struct tg_token_bucket *bucket, struct tg_rate rate,
                                        uint32_t now_ms)
{
    bucket->tokens = (int32_t)rate.burst;
    bucket->filled_ms = now_ms;
    bucket->thousandths = 0;
}

/* Adds what has come since the last call, up to the burst. */
static inline void tg_token_bucket_fill(struct tg_token_bucket *bucket, struct tg_rate rate,
                                        uint32_t now_ms)
{
    uint64_t passed_ms = now_ms - bucket->filled_ms;
    uint64_t thousandths = passed_ms * rate.per_s + bucket->thousandths;
    int64_t tokens = (int64_t)(thousandths / 1000) + bucket->tokens;
    bucket->thousandths = (uint32_t)(thousandths % 1000);
    if (tokens >= (int64_t)rate.burst) {
        /* More than the burst there is only by tg_token_bucket_allow. */
        tokens = bucket->tokens > (int64_t)rate.burst ? bucket->tokens : (int64_t)rate.burst;
        bucket->thousandths = 0;
    }
    bucket->tokens = (int32_t)tokens;
    bucket->filled_ms = now_ms;
}

/* Adds what has come since the last call, beyond the burst: nothing could be spent meanwhile. */
static inline void tg_token_bucket_allow(struct tg_token_bucket *bucket, struct tg_rate rate,
                                         uint32_t now_ms)
{
    uint64_t passed_ms = now_ms - bucket->filled_ms;
    uint64_t come = passed_ms * rate.per_s / 1000;
    int64_t tokens = (int64_t)(come < INT32_MAX ? come : INT32_MAX) + bucket->tokens;
    bucket->tokens = tokens < INT32_MAX ? (int32_t)tokens : INT32_MAX;
    bucket->filled_ms = now_ms;
}

/* Forgives a debt. */
static inline void tg_token_bucket_forgive(struct tg_token_bucket *bucket)
{
    bucket->tokens = bucket->tokens < 0 ? 0 : bucket->tokens;
}

/* Spends `amount`, 0..2^30, whether it is there or not. */
static inline void tg_token_bucket_spend(struct tg_token_bucket *bucket, uint32_t amount)
{
    int64_t left = (int64_t)bucket->tokens - amount;
    bucket->tokens = left < INT32_MIN ? INT32_MIN : (int32_t)left;
}

static inline bool tg_token_bucket_is_empty(const struct tg_token_bucket *bucket)
{
    return bucket->tokens <= 0;
}

/* Milliseconds from the last fill until there is a token: >= 1 if there is none. At most 2^32 -
 * 1. */
static inline uint32_t tg_token_bucket_wait_ms(const struct tg_token_bucket *bucket,
                                               struct tg_rate rate)
{
    if (!tg_token_bucket_is_empty(bucket)) {
        return 0;
    }
    uint64_t lacking = (uint64_t)(1 - (int64_t)bucket->tokens) * 1000 - bucket->thousandths;
    uint64_t wait_ms = (lacking + rate.per_s - 1) / rate.per_s;
    return wait_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)wait_ms;
}

#endif
