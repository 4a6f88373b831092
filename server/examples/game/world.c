/* SPDX-License-Identifier: MIT
 * See world.h. */
#include "world.h"

#include <string.h>

/* How near a pellet must be, in each direction. */
#define REACH 24

/* xorshift32: never 0, and so never stuck. */
static uint32_t random_below(struct world *world, uint32_t count)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 17;
    world->random ^= world->random << 5;
    return (uint32_t)((uint64_t)world->random * count >> 32);
}

static void place_pellet(struct world *world, uint32_t pellet)
{
    world->state.pellets[pellet].x = (uint16_t)random_below(world, world->rules.side);
    world->state.pellets[pellet].y = (uint16_t)random_below(world, world->rules.side);
}

void world_init(struct world *world, const struct world_rules *rules)
{
    memset(world, 0, sizeof(*world));
    world->rules = *rules;
    world->random = rules->seed != 0 ? rules->seed : 1;
    for (uint32_t i = 0; i < rules->pellet_count; i++) {
        place_pellet(world, i);
    }
}

/* ---- who is here ---- */

uint32_t world_join(struct world *world)
{
    for (uint32_t i = 0; i < GAME_PLAYERS_MAX; i++) {
        uint32_t slot = (world->next_slot + i) % GAME_PLAYERS_MAX;
        struct game_player *player = &world->state.players[slot];
        if (!player->is_here) {
            player->is_here = true;
            player->x = (uint16_t)random_below(world, world->rules.side);
            player->y = (uint16_t)random_below(world, world->rules.side);
            world->input_counts[slot] = 0;
            world->next_slot = slot + 1;
            return slot;
        }
    }
    return WORLD_NO_PLAYER;
}

void world_leave(struct world *world, uint32_t player)
{
    world->state.players[player] = (struct game_player){0};
}

/* ---- inputs ---- */

/* The whole part of the root of 0..32,768, a bit at a time. */
static int32_t root_of(int32_t square)
{
    int32_t root = 0;
    for (int32_t bit = 128; bit > 0; bit /= 2) {
        if ((root + bit) * (root + bit) <= square) {
            root += bit;
        }
    }
    return root;
}

enum world_verdict world_input(struct world *world, uint32_t player, uint32_t sequence, int8_t dx,
                               int8_t dy)
{
    struct game_player *who = &world->state.players[player];
    if (world->input_counts[player] == GAME_INPUTS_PER_TICK) {
        return WORLD_TOO_MANY;
    }
    if (sequence <= who->ack) {
        return WORLD_STALE;
    }
    world->input_counts[player]++;
    who->ack = sequence;
    who->dx = dx;
    who->dy = dy;
    int32_t square = dx * dx + dy * dy;
    if (square <= GAME_FULL_SPEED * GAME_FULL_SPEED) {
        return WORLD_TAKEN;
    }
    /* Rounding towards 0, by a root that is rounded up: never longer than allowed. */
    int32_t length = root_of(square - 1) + 1;
    who->dx = (int8_t)(dx * GAME_FULL_SPEED / length);
    who->dy = (int8_t)(dy * GAME_FULL_SPEED / length);
    return WORLD_SHORTENED;
}

/* ---- a tick ---- */

/* The walls are the field's ends: who runs against one slides along it. */
static uint16_t moved(const struct world *world, uint16_t place, int8_t direction)
{
    const struct world_rules *rules = &world->rules;
    uint32_t tick = world->state.tick;
    int64_t to = place + game_way(rules->speed, rules->rate_hz, direction, tick) -
                 game_way(rules->speed, rules->rate_hz, direction, tick - 1);
    int64_t last = (int64_t)rules->side - 1;
    return (uint16_t)(to < 0 ? 0 : to > last ? last : to);
}

static bool is_near(int32_t a, int32_t b)
{
    return a - b <= REACH && b - a <= REACH;
}

/* Each player looks at each pellet: 300 by 200 take a fifth of a millisecond, and a grid of cells
 * would be more code than this whole game. */
static void collect(struct world *world, struct game_player *player)
{
    for (uint32_t i = 0; i < world->rules.pellet_count; i++) {
        const struct game_pellet *pellet = &world->state.pellets[i];
        if (is_near(player->x, pellet->x) && is_near(player->y, pellet->y)) {
            player->score = (uint16_t)(player->score < UINT16_MAX ? player->score + 1 : UINT16_MAX);
            place_pellet(world, i);
        }
    }
}

void world_step(struct world *world)
{
    world->state.tick++;
    memset(world->input_counts, 0, sizeof(world->input_counts));
    for (uint32_t i = 0; i < GAME_PLAYERS_MAX; i++) {
        struct game_player *player = &world->state.players[i];
        if (player->is_here) {
            player->x = moved(world, player->x, player->dx);
            player->y = moved(world, player->y, player->dy);
            collect(world, player);
        }
    }
}
