/* SPDX-License-Identifier: MIT
 * The ports that the system gives to outgoing connections. */
#ifndef TG_OS_PORT_RANGE_H
#define TG_OS_PORT_RANGE_H

#include <stdint.h>

/* How many ports there are for the connections from one source address to one destination. */
uint32_t tg_port_range_count(void);

#endif
