/* SPDX-License-Identifier: MIT
 * How many threads it takes to hold so many connections under the descriptor limit: one table for
 * all if it is large enough, else a private table for each thread. */
#ifndef TG_OS_DESCRIPTOR_PLAN_H
#define TG_OS_DESCRIPTOR_PLAN_H

#include <stdbool.h>
#include <stdint.h>

/* Descriptors of a table that are not connections: standard streams, listeners, the port's own, and
 * a few that are open for a moment only. */
#define TG_DESCRIPTORS_RESERVED 64u

struct tg_descriptor_plan {
    uint32_t limit;     /* RLIMIT_NOFILE, raised as far as it goes */
    uint32_t per_table; /* connections that one private table holds; 0 if there is no room at all */
    uint32_t threads;   /* at least this many */
    bool own_tables;    /* each thread needs a table of its own */
};

/* Raises the soft limit if that helps. `open` is the number of descriptors that the process has
 * open already. A plan with own tables has room for one connection more than asked for. False if
 * more than `threads_most` would be needed; limit and per_table are set all the same. */
bool tg_descriptor_plan_make(struct tg_descriptor_plan *plan, uint32_t connections, uint32_t open,
                             uint32_t threads_most);

#endif
