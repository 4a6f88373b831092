/* SPDX-License-Identifier: MIT
 * See snapshot.h; protocol.h has the layout. */
#include "snapshot.h"

#include <assert.h>
#include <string.h>

static_assert(GAME_SNAPSHOT_BYTES_MAX <= GAME_MESSAGE_BYTES_MAX, "the longest one is a message");
static_assert(GAME_PLAYERS_MAX % 8 == 0, "the bitmap has whole bytes");

static const struct game_state empty;

static bool is_same_player(const struct game_player *a, const struct game_player *b)
{
    return a->is_here == b->is_here && a->ack == b->ack && a->x == b->x && a->y == b->y &&
           a->score == b->score && a->dx == b->dx && a->dy == b->dy;
}

static bool fits_i8(int32_t difference)
{
    return difference >= INT8_MIN && difference <= INT8_MAX;
}

/* Whether small differences say it all. Who is another player in the same slot is told whole: its
 * inputs are counted from 0 again. */
static bool is_small_step(const struct game_player *base, const struct game_player *now)
{
    return base->is_here && fits_i8(now->x - base->x) && fits_i8(now->y - base->y) &&
           now->score >= base->score && now->score - base->score <= UINT8_MAX &&
           now->ack >= base->ack && now->ack - base->ack <= UINT8_MAX;
}

static uint8_t *put_whole(uint8_t *at, const struct game_player *player)
{
    at = game_put_u8(at, GAME_WHOLE);
    at = game_put_u32(at, player->ack);
    at = game_put_u16(at, player->x);
    at = game_put_u16(at, player->y);
    at = game_put_u16(at, player->score);
    at = game_put_u8(at, (uint8_t)player->dx);
    return game_put_u8(at, (uint8_t)player->dy);
}

static uint8_t *put_step(uint8_t *at, const struct game_player *base, const struct game_player *now)
{
    uint8_t *flags = at++;
    *flags = 0;
    if (now->x != base->x || now->y != base->y) {
        *flags |= GAME_MOVED;
        at = game_put_u8(at, (uint8_t)(now->x - base->x));
        at = game_put_u8(at, (uint8_t)(now->y - base->y));
    }
    if (now->dx != base->dx || now->dy != base->dy) {
        *flags |= GAME_TURNED;
        at = game_put_u8(at, (uint8_t)now->dx);
        at = game_put_u8(at, (uint8_t)now->dy);
    }
    if (now->score != base->score) {
        *flags |= GAME_SCORED;
        at = game_put_u8(at, (uint32_t)(now->score - base->score));
    }
    if (now->ack != base->ack) {
        *flags |= GAME_ACKED;
        at = game_put_u8(at, now->ack - base->ack);
    }
    return at;
}

static uint8_t *put_player(uint8_t *at, const struct game_player *base,
                           const struct game_player *now)
{
    if (!now->is_here) {
        return game_put_u8(at, GAME_GONE);
    }
    return is_small_step(base, now) ? put_step(at, base, now) : put_whole(at, now);
}

/* One more than the last slot that changed. */
static uint32_t count_slots(const struct game_state *base, const struct game_state *now)
{
    uint32_t count = GAME_PLAYERS_MAX;
    while (count > 0 && is_same_player(&base->players[count - 1], &now->players[count - 1])) {
        count--;
    }
    return count;
}

static uint8_t *put_players(uint8_t *at, const struct game_state *base,
                            const struct game_state *now)
{
    uint32_t slot_count = count_slots(base, now);
    uint32_t bitmap_bytes = (slot_count + 7) / 8;
    at = game_put_u16(at, slot_count);
    uint8_t *bitmap = at;
    memset(bitmap, 0, bitmap_bytes);
    at += bitmap_bytes;
    for (uint32_t i = 0; i < slot_count; i++) {
        if (!is_same_player(&base->players[i], &now->players[i])) {
            bitmap[i / 8] |= (uint8_t)(1u << i % 8);
            at = put_player(at, &base->players[i], &now->players[i]);
        }
    }
    return at;
}

static uint8_t *put_pellets(uint8_t *at, const struct game_state *base,
                            const struct game_state *now)
{
    uint8_t *count_at = at;
    uint32_t count = 0;
    at += 2;
    for (uint32_t i = 0; i < GAME_PELLETS_MAX; i++) {
        const struct game_pellet *pellet = &now->pellets[i];
        if (pellet->x != base->pellets[i].x || pellet->y != base->pellets[i].y) {
            at = game_put_u16(at, i);
            at = game_put_u16(at, pellet->x);
            at = game_put_u16(at, pellet->y);
            count++;
        }
    }
    (void)game_put_u16(count_at, count);
    return at;
}

size_t snapshot_encode(const struct game_state *base, const struct game_state *now, uint8_t *out)
{
    base = base != NULL ? base : &empty;
    uint8_t *at = game_put_u8(out, GAME_SNAPSHOT);
    at = game_put_u32(at, now->tick);
    at = game_put_u32(at, base->tick);
    at = game_put_u32(at, game_checksum(now));
    at = put_players(at, base, now);
    at = put_pellets(at, base, now);
    return (size_t)(at - out);
}
