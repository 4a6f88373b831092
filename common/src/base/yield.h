/* SPDX-License-Identifier: MIT
 * Where a thread may be overtaken between two steps that others can see. In the simulator another
 * thread may go on here; everywhere else it is nothing at all. */
#ifndef TG_BASE_YIELD_H
#define TG_BASE_YIELD_H

#ifdef TG_SIM
void tg_yield(void); /* sim/schedule.c */
#else
static inline void tg_yield(void)
{
}
#endif

#endif
