/* SPDX-License-Identifier: MIT
 * See view.h; protocol.h has the layout. */
#include "view.h"

#include <string.h>

#define WHOLE_BYTES 12u
#define PELLET_BYTES 6u
#define STEP_FLAGS (GAME_MOVED | GAME_TURNED | GAME_SCORED | GAME_ACKED)

/* What was not read yet. */
struct reader {
    const uint8_t *at;
    size_t left;
};

/* The next `size` bytes, or NULL if there are not so many. */
static const uint8_t *take(struct reader *reader, size_t size)
{
    const uint8_t *taken = reader->at;
    if (size > reader->left) {
        return NULL;
    }
    reader->at += size;
    reader->left -= size;
    return taken;
}

void view_init(struct view *view, uint32_t side, uint32_t pellet_count)
{
    memset(view, 0, sizeof(*view));
    view->side = side;
    view->pellet_count = pellet_count;
}

/* ---- players ---- */

static bool is_direction(int32_t dx, int32_t dy)
{
    return dx * dx + dy * dy <= GAME_FULL_SPEED * GAME_FULL_SPEED;
}

static bool read_whole(const struct view *view, struct reader *reader, struct game_player *player)
{
    const uint8_t *bytes = take(reader, WHOLE_BYTES);
    if (bytes == NULL) {
        return false;
    }
    *player = (struct game_player){.ack = game_get_u32(bytes),
                                   .x = (uint16_t)game_get_u16(bytes + 4),
                                   .y = (uint16_t)game_get_u16(bytes + 6),
                                   .score = (uint16_t)game_get_u16(bytes + 8),
                                   .dx = game_get_i8(bytes + 10),
                                   .dy = game_get_i8(bytes + 11),
                                   .is_here = true};
    return player->x < view->side && player->y < view->side && is_direction(player->dx, player->dy);
}

static bool read_move(const struct view *view, struct reader *reader, struct game_player *player)
{
    const uint8_t *bytes = take(reader, 2);
    if (bytes == NULL) {
        return false;
    }
    int32_t x = player->x + game_get_i8(bytes);
    int32_t y = player->y + game_get_i8(bytes + 1);
    player->x = (uint16_t)x;
    player->y = (uint16_t)y;
    return x >= 0 && y >= 0 && x < (int32_t)view->side && y < (int32_t)view->side;
}

static bool read_turn(struct reader *reader, struct game_player *player)
{
    const uint8_t *bytes = take(reader, 2);
    if (bytes == NULL) {
        return false;
    }
    player->dx = game_get_i8(bytes);
    player->dy = game_get_i8(bytes + 1);
    return is_direction(player->dx, player->dy);
}

static bool read_score(struct reader *reader, struct game_player *player)
{
    const uint8_t *bytes = take(reader, 1);
    if (bytes == NULL || bytes[0] > UINT16_MAX - player->score) {
        return false;
    }
    player->score = (uint16_t)(player->score + bytes[0]);
    return true;
}

static bool read_ack(struct reader *reader, struct game_player *player)
{
    const uint8_t *bytes = take(reader, 1);
    if (bytes == NULL || bytes[0] > UINT32_MAX - player->ack) {
        return false;
    }
    player->ack += bytes[0];
    return true;
}

static bool read_record(const struct view *view, struct reader *reader, struct game_player *player)
{
    const uint8_t *flags = take(reader, 1);
    if (flags == NULL) {
        return false;
    }
    if (*flags == GAME_WHOLE) {
        return read_whole(view, reader, player);
    }
    if (!player->is_here || *flags == 0) {
        return false;
    }
    if (*flags == GAME_GONE) {
        *player = (struct game_player){0};
        return true;
    }
    return (*flags & ~STEP_FLAGS) == 0 &&
           (!(*flags & GAME_MOVED) || read_move(view, reader, player)) &&
           (!(*flags & GAME_TURNED) || read_turn(reader, player)) &&
           (!(*flags & GAME_SCORED) || read_score(reader, player)) &&
           (!(*flags & GAME_ACKED) || read_ack(reader, player));
}

static bool read_players(struct view *view, struct reader *reader)
{
    const uint8_t *count = take(reader, 2);
    if (count == NULL || game_get_u16(count) > GAME_PLAYERS_MAX) {
        return false;
    }
    uint32_t slot_count = game_get_u16(count);
    const uint8_t *bitmap = take(reader, (slot_count + 7) / 8);
    if (bitmap == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < slot_count; i++) {
        if ((bitmap[i / 8] >> i % 8 & 1) && !read_record(view, reader, &view->state.players[i])) {
            return false;
        }
    }
    /* Bits for players that there are not. */
    return slot_count % 8 == 0 || bitmap[slot_count / 8] >> slot_count % 8 == 0;
}

/* ---- pellets ---- */

static bool read_pellets(struct view *view, struct reader *reader)
{
    const uint8_t *count = take(reader, 2);
    if (count == NULL || game_get_u16(count) > view->pellet_count) {
        return false;
    }
    uint32_t least = 0;
    for (uint32_t left = game_get_u16(count); left > 0; left--) {
        const uint8_t *bytes = take(reader, PELLET_BYTES);
        if (bytes == NULL || game_get_u16(bytes) < least ||
            game_get_u16(bytes) >= view->pellet_count || game_get_u16(bytes + 2) >= view->side ||
            game_get_u16(bytes + 4) >= view->side) {
            return false;
        }
        struct game_pellet *pellet = &view->state.pellets[game_get_u16(bytes)];
        pellet->x = (uint16_t)game_get_u16(bytes + 2);
        pellet->y = (uint16_t)game_get_u16(bytes + 4);
        least = game_get_u16(bytes) + 1;
    }
    return true;
}

/* ---- the whole ---- */

enum view_result view_apply(struct view *view, const void *data, size_t size)
{
    struct reader reader = {.at = data, .left = size};
    const uint8_t *head = take(&reader, GAME_SNAPSHOT_HEAD_BYTES - 2);
    bool was_synced = view->is_synced;
    view->is_synced = false;
    if (head == NULL || head[0] != GAME_SNAPSHOT) {
        return VIEW_BAD;
    }
    uint32_t tick = game_get_u32(head + 1);
    uint32_t base = game_get_u32(head + 5);
    if (tick <= base) {
        return VIEW_BAD;
    }
    if (base == 0) {
        memset(&view->state, 0, sizeof(view->state));
    } else if (!was_synced || base != view->state.tick) {
        return VIEW_GAP;
    }
    if (!read_players(view, &reader) || !read_pellets(view, &reader) || reader.left > 0) {
        return VIEW_BAD;
    }
    view->state.tick = tick;
    view->is_synced = game_checksum(&view->state) == game_get_u32(head + 9);
    return view->is_synced ? VIEW_APPLIED : VIEW_WRONG_SUM;
}
