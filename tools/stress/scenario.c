/* SPDX-License-Identifier: MIT
 * See scenario.h. */
#include "scenario.h"

/* idle is echo at a low rate (options_settle.c), over connections far apart (load_send.c). */
static const struct scenario *const table[SCENARIO_COUNT] = {
    [SCENARIO_ECHO] = &scenario_echo,   [SCENARIO_IDLE] = &scenario_echo,
    [SCENARIO_CHURN] = &scenario_churn, [SCENARIO_ROOMS] = &scenario_rooms,
#ifdef STRESS_WITH_CHAT
    [SCENARIO_CHAT] = &scenario_rooms,
#endif
};

const struct scenario *scenario_of(enum scenario_kind kind)
{
    return table[kind];
}

bool scenario_is_built(enum scenario_kind kind)
{
    return table[kind] != NULL;
}
