/* SPDX-License-Identifier: MIT
 * The only place that asks the system for randomness. */
#ifndef TG_OS_RANDOM_H
#define TG_OS_RANDOM_H

#include <stddef.h>

/* Fills `bytes` with unpredictable bytes. 0 or THRONG_ESYSTEM. Any thread. */
int tg_random_fill(void *bytes, size_t size);

#endif
