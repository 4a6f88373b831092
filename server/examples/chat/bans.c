/* SPDX-License-Identifier: MIT
 * Bans, lasting mutes, and attempts at the token. See bans.h. */
#include "bans.h"

#include <string.h>

/* Wrong tokens that one address may try, and for how long they count. */
#define ATTEMPTS_MAX 5
#define ATTEMPTS_MS 60000u

bool chat_place_same(const struct chat_place *left, const struct chat_place *right)
{
    return memcmp(left->bytes, right->bytes, sizeof(left->bytes)) == 0;
}

static bool is_it(const struct chat_ban *ban, enum chat_ban_kind kind, const struct chat_name *name,
                  const struct chat_place *place)
{
    return ban->kind == kind && (kind == CHAT_BAN_PLACE ? chat_place_same(&ban->place, place)
                                                        : chat_name_same(&ban->name, name));
}

/* Entries end by themselves when somebody passes by. */
static bool is_over(struct chat_ban *ban, uint64_t now_ms)
{
    if (ban->kind != CHAT_BAN_NONE && now_ms >= ban->until_ms) {
        ban->kind = CHAT_BAN_NONE;
    }
    return ban->kind == CHAT_BAN_NONE;
}

struct chat_ban *chat_bans_find(struct chat_bans *bans, enum chat_ban_kind kind,
                                const struct chat_name *name, const struct chat_place *place,
                                uint64_t now_ms)
{
    for (uint32_t i = 0; i < bans->seen; i++) {
        struct chat_ban *ban = &bans->entries[i];
        if (!is_over(ban, now_ms) && is_it(ban, kind, name, place)) {
            return ban;
        }
    }
    return NULL;
}

static struct chat_ban *find_free(struct chat_bans *bans)
{
    for (uint32_t i = 0; i < bans->seen; i++) {
        if (bans->entries[i].kind == CHAT_BAN_NONE) {
            return &bans->entries[i];
        }
    }
    return bans->seen < bans->max ? &bans->entries[bans->seen++] : NULL;
}

struct chat_ban *chat_bans_add(struct chat_bans *bans, enum chat_ban_kind kind,
                               const struct chat_name *name, const struct chat_place *place,
                               uint64_t until_ms, uint64_t now_ms)
{
    struct chat_ban *ban = chat_bans_find(bans, kind, name, place, now_ms);
    ban = ban != NULL ? ban : find_free(bans);
    if (ban == NULL) {
        return NULL;
    }
    *ban = (struct chat_ban){.kind = kind, .until_ms = until_ms};
    if (kind == CHAT_BAN_PLACE) {
        ban->place = *place;
    } else {
        ban->name = *name;
    }
    return ban;
}

static bool counts_still(const struct chat_attempts *attempts, uint64_t now_ms)
{
    return attempts->count > 0 && now_ms - attempts->since_ms < ATTEMPTS_MS;
}

bool chat_attempts_spent(const struct chat_attempts *table, const struct chat_place *place,
                         uint64_t now_ms, uint64_t *wait_ms)
{
    for (size_t i = 0; i < CHAT_ATTEMPT_PLACES; i++) {
        const struct chat_attempts *attempts = &table[i];
        if (counts_still(attempts, now_ms) && attempts->count >= ATTEMPTS_MAX &&
            chat_place_same(&attempts->place, place)) {
            *wait_ms = attempts->since_ms + ATTEMPTS_MS - now_ms;
            return true;
        }
    }
    return false;
}

void chat_attempts_add(struct chat_attempts *table, const struct chat_place *place, uint64_t now_ms)
{
    /* The address's own entry; else one that counts no more; else the oldest, so that whoever has
     * hundreds of addresses gets a few attempts more, and locks nobody out. */
    struct chat_attempts *chosen = &table[0];
    for (size_t i = 0; i < CHAT_ATTEMPT_PLACES; i++) {
        struct chat_attempts *attempts = &table[i];
        if (!counts_still(attempts, now_ms)) {
            attempts->count = 0;
        } else if (chat_place_same(&attempts->place, place)) {
            attempts->count++;
            return;
        }
        bool is_older = attempts->since_ms < chosen->since_ms;
        chosen = chosen->count > 0 && (attempts->count == 0 || is_older) ? attempts : chosen;
    }
    *chosen = (struct chat_attempts){.place = *place, .since_ms = now_ms, .count = 1};
}
