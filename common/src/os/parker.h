/* SPDX-License-Identifier: MIT
 * Puts one thread to sleep and wakes it without a lock, and only if it really sleeps.
 *
 *   sleeper                              waker
 *   tg_parker_prepare                    publish work
 *   look for work once more              tg_parker_wake
 *   found: tg_parker_cancel
 *   none:  tg_parker_sleep
 *
 * Both sides put a full fence between their store and their load, so at least one of them sees the
 * other's: a wake-up cannot be lost. */
#ifndef TG_OS_PARKER_H
#define TG_OS_PARKER_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct tg_parker {
    /* 1 while the sleeper has announced itself. The sleeper stores 1, whoever ends the sleep stores
     * 0. */
    alignas(64) _Atomic uint32_t sleeping;
};

void tg_parker_init(struct tg_parker *parker);

/* Sleeper: announces the sleep. Look for work afterwards. */
void tg_parker_prepare(struct tg_parker *parker);

/* Sleeper: takes the announcement back. */
void tg_parker_cancel(struct tg_parker *parker);

/* Sleeper: sleeps until a wake-up or for `timeout_ns` (negative: no limit). May return early for no
 * reason, and as late as the system's clock ticks (Windows: 15.6 ms, unless the program asks for
 * better). */
void tg_parker_sleep(struct tg_parker *parker, int64_t timeout_ns);

/* Waker, any thread, also a signal handler: ends an announced or running sleep. Answers whether it
 * had to make a system call. Costs a fence and a load if nobody sleeps. */
bool tg_parker_wake(struct tg_parker *parker);

#endif
