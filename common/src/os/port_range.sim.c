/* SPDX-License-Identifier: MIT
 * The ports of the simulated network. */
#include "os/port_range.h"

uint32_t tg_port_range_count(void)
{
    return 32768;
}
