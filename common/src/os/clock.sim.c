/* SPDX-License-Identifier: MIT
 * The clock of the simulated system. */
#include "os/clock.h"

#include "sim/sim.h"

uint64_t tg_clock_ns(void)
{
    return tg_sim_now_ns();
}

uint64_t tg_clock_unix_ms(void)
{
    return tg_sim_now_ns() / 1000000u;
}
