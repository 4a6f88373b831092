/* SPDX-License-Identifier: MIT
 * SIGINT and SIGTERM (Windows: Ctrl-C, Ctrl-Break, a closed console) as something to wait for. Main
 * thread, before any other thread starts. */
#ifndef STRESS_INTERRUPT_H
#define STRESS_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/* From here on the signals wait to be asked for; threads started later leave them alone. */
void interrupt_prepare(void);

/* Sleeps for `ms`, or until a signal comes. True: one came. */
bool interrupt_wait(uint32_t ms);

#endif
