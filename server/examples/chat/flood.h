/* SPDX-License-Identifier: MIT
 * How much one user may say: a bucket of tokens, and what becomes of whoever goes on when it is
 * empty. Pure, the time is an argument; called by handlers.c.
 *
 *     ALLOWED --- the last token --> WARNED --- empty --> REFUSED, REFUSED ... strikes_max --> MUTE
 *        ^----------------- tokens come back: per_s a second, up to burst ------------------------' */
#ifndef CHAT_FLOOD_H
#define CHAT_FLOOD_H

#include <stdint.h>

struct chat_flood_rule {
    uint32_t burst;   /* tokens of a full bucket */
    uint32_t per_s;   /* that come back; 0: no limit at all */
    uint32_t strikes; /* refusals, without a full bucket between, that mute */
};

struct chat_flood {
    uint64_t filled_ms;
    uint32_t milli_tokens;
    uint32_t strikes;
};

enum chat_flood_answer {
    CHAT_FLOOD_ALLOWED,
    CHAT_FLOOD_WARNED, /* allowed, and the bucket is empty now */
    CHAT_FLOOD_REFUSED,
    CHAT_FLOOD_MUTE,
};

void chat_flood_init(struct chat_flood *flood, const struct chat_flood_rule *rule, uint64_t now_ms);

/* Takes a token. `wait_ms`: until there is one again; 0 if there is. */
enum chat_flood_answer chat_flood_take(struct chat_flood *flood, const struct chat_flood_rule *rule,
                                       uint64_t now_ms, uint64_t *wait_ms);

#endif
