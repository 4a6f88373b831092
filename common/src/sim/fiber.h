/* SPDX-License-Identifier: MIT
 * Stacks that one thread switches between: the simulator's threads. Used by sim/schedule.c only. */
#ifndef TG_SIM_FIBER_H
#define TG_SIM_FIBER_H

#include <stdbool.h>
#include <stddef.h>

struct tg_fiber;

/* The fiber of the calling thread itself, on its own stack. NULL if there is no memory. */
struct tg_fiber *tg_fiber_of_thread(void);

/* A fiber that runs main(argument) when it is first switched to; main never returns: it switches
 * away for the last time with tg_fiber_leave. stack_bytes >= 16 KiB. NULL if there is no memory. */
struct tg_fiber *tg_fiber_create(void (*main)(void *), void *argument, size_t stack_bytes);

/* Goes on in `target`; returns when somebody switches back to `current`, which must be the running
 * fiber. */
void tg_fiber_switch(struct tg_fiber *current, struct tg_fiber *target);

/* As tg_fiber_switch, for a fiber that will never run again. */
_Noreturn void tg_fiber_leave(struct tg_fiber *current, struct tg_fiber *target);

/* Not the running one. */
void tg_fiber_destroy(struct tg_fiber *fiber);

#endif
