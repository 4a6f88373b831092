/* SPDX-License-Identifier: MIT
 * The only place that asks the system for the time. */
#ifndef TG_OS_CLOCK_H
#define TG_OS_CLOCK_H

#include <stdint.h>

/* Monotonic nanoseconds since some point in the past. Not moved by wall-clock changes. Any thread.
 */
uint64_t tg_clock_ns(void);

/* The wall clock: milliseconds of Unix time, for people to read. Whoever sets the clock moves it.
 * Any thread. */
uint64_t tg_clock_unix_ms(void);

#endif
