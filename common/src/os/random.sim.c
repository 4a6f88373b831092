/* SPDX-License-Identifier: MIT
 * The randomness of the simulated system: the world's chance. */
#include "os/random.h"

#include <throng/error.h>

#include "sim/sim.h"

int tg_random_fill(void *bytes, size_t size)
{
    if (tg_sim_strikes(TG_SIM_FAULT_random_error)) {
        return THRONG_ESYSTEM;
    }
    uint8_t *next = bytes;
    for (size_t i = 0; i < size; i++) {
        next[i] = (uint8_t)tg_sim_random();
    }
    return 0;
}
