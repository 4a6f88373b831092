/* SPDX-License-Identifier: MIT
 * Reserves zeroed memory from the system at start. Pages cost physical memory only once touched. */
#ifndef TG_OS_MEMORY_H
#define TG_OS_MEMORY_H

#include <stddef.h>

/* `bytes` zeroed bytes, aligned to at least 4096; NULL if the system refuses. bytes >= 1. */
void *tg_memory_reserve(size_t bytes);

/* Gives back what tg_memory_reserve answered; `memory` may be NULL. */
void tg_memory_release(void *memory, size_t bytes);

#endif
