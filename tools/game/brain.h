/* SPDX-License-Identifier: MIT
 * What a bot wants: it wanders for a while, then chases the nearest pellet for a while. Pure: the
 * same seed and the same worlds make the same wishes. */
#ifndef GAME_BRAIN_H
#define GAME_BRAIN_H

#include "../../server/examples/game/protocol.h"

struct brain {
    uint32_t random;
    uint32_t moves_left; /* of this mood */
    bool is_chasing;
    int8_t dx;
    int8_t dy;
};

void brain_init(struct brain *brain, uint32_t seed);

/* The next direction, never longer than allowed, for `player` in this world: brain->dx and dy. */
void brain_move(struct brain *brain, const struct game_state *state, uint32_t pellet_count,
                uint32_t player);

#endif
