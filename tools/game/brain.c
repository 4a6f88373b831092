/* SPDX-License-Identifier: MIT
 * See brain.h. */
#include "brain.h"

#define MOOD_MOVES 40u

/* A component of at most this, and one of at most that, are never too long together: 89 * 89 * 2 is
 * less than GAME_FULL_SPEED squared. */
#define SAFE 89

/* xorshift32 */
static uint32_t random_below(struct brain *brain, uint32_t count)
{
    brain->random ^= brain->random << 13;
    brain->random ^= brain->random >> 17;
    brain->random ^= brain->random << 5;
    return (uint32_t)((uint64_t)brain->random * count >> 32);
}

void brain_init(struct brain *brain, uint32_t seed)
{
    /* Spread, for seeds in a row make neighbouring numbers. */
    uint32_t spread = (seed + 1) * 2654435761u;
    *brain = (struct brain){.random = spread != 0 ? spread : 1};
}

static int32_t size_of(int32_t number)
{
    return number < 0 ? -number : number;
}

/* The longer side of the way is `SAFE` long, the shorter one in proportion. */
static void head_for(struct brain *brain, int32_t x, int32_t y)
{
    int32_t longer = size_of(x) > size_of(y) ? size_of(x) : size_of(y);
    brain->dx = (int8_t)(longer > 0 ? x * SAFE / longer : 0);
    brain->dy = (int8_t)(longer > 0 ? y * SAFE / longer : 0);
}

static void chase(struct brain *brain, const struct game_state *state, uint32_t pellet_count,
                  const struct game_player *me)
{
    int64_t least = INT64_MAX;
    int32_t to_x = 0;
    int32_t to_y = 0;
    for (uint32_t i = 0; i < pellet_count; i++) {
        int32_t x = state->pellets[i].x - me->x;
        int32_t y = state->pellets[i].y - me->y;
        int64_t distance = (int64_t)x * x + (int64_t)y * y;
        if (distance < least) {
            least = distance;
            to_x = x;
            to_y = y;
        }
    }
    head_for(brain, to_x, to_y);
}

void brain_move(struct brain *brain, const struct game_state *state, uint32_t pellet_count,
                uint32_t player)
{
    if (brain->moves_left == 0) {
        brain->moves_left = 1 + random_below(brain, MOOD_MOVES);
        brain->is_chasing = random_below(brain, 2) == 0 && pellet_count > 0;
        brain->dx = (int8_t)((int32_t)random_below(brain, 2 * SAFE + 1) - SAFE);
        brain->dy = (int8_t)((int32_t)random_below(brain, 2 * SAFE + 1) - SAFE);
    }
    brain->moves_left--;
    if (brain->is_chasing) {
        chase(brain, state, pellet_count, &state->players[player]);
    }
}
