/* SPDX-License-Identifier: MIT
 * A clock to measure with, for the bundled server programs. (throng_now_ns stands still within a
 * batch of events: it is for the logic.) Any thread. */
#ifndef PROGRAM_CLOCK_H
#define PROGRAM_CLOCK_H

#include <stdint.h>

/* Monotonic, from an unknown origin. */
uint64_t program_clock_ns(void);

#endif
