/* SPDX-License-Identifier: MIT
 * The bucket of tokens. See flood.h. */
#include "flood.h"

#include <stdbool.h>

#define TOKEN 1000u /* in thousandths: one a millisecond makes one token a second */

void chat_flood_init(struct chat_flood *flood, const struct chat_flood_rule *rule, uint64_t now_ms)
{
    *flood = (struct chat_flood){.filled_ms = now_ms, .milli_tokens = rule->burst * TOKEN};
}

static void fill(struct chat_flood *flood, const struct chat_flood_rule *rule, uint64_t now_ms)
{
    uint64_t full = (uint64_t)rule->burst * TOKEN;
    uint64_t elapsed_ms = now_ms - flood->filled_ms;
    flood->filled_ms = now_ms;
    /* Longer than the bucket takes is all the same; and the product cannot overflow. */
    uint64_t came = elapsed_ms > full ? full : elapsed_ms * rule->per_s;
    if (flood->milli_tokens + came < full) {
        flood->milli_tokens += (uint32_t)came;
        return;
    }
    flood->milli_tokens = (uint32_t)full;
    flood->strikes = 0;
}

static uint64_t wait_for_token(const struct chat_flood *flood, const struct chat_flood_rule *rule)
{
    if (flood->milli_tokens >= TOKEN) {
        return 0;
    }
    return (TOKEN - flood->milli_tokens + rule->per_s - 1) / rule->per_s;
}

enum chat_flood_answer chat_flood_take(struct chat_flood *flood, const struct chat_flood_rule *rule,
                                       uint64_t now_ms, uint64_t *wait_ms)
{
    *wait_ms = 0;
    if (rule->per_s == 0) {
        return CHAT_FLOOD_ALLOWED;
    }
    fill(flood, rule, now_ms);
    bool is_allowed = flood->milli_tokens >= TOKEN;
    flood->milli_tokens -= is_allowed ? TOKEN : 0;
    *wait_ms = wait_for_token(flood, rule);
    if (is_allowed) {
        return *wait_ms == 0 ? CHAT_FLOOD_ALLOWED : CHAT_FLOOD_WARNED;
    }
    flood->strikes++;
    if (flood->strikes < rule->strikes) {
        return CHAT_FLOOD_REFUSED;
    }
    flood->strikes = 0;
    return CHAT_FLOOD_MUTE;
}
