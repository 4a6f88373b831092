/* SPDX-License-Identifier: MIT
 * Start and join a thread; the descriptor table that belongs to it. */
#ifndef TG_OS_THREAD_H
#define TG_OS_THREAD_H

#include <stdint.h>

#include "os/socket.h"

struct tg_thread {
    uintptr_t handle;
};

/* Starts `main(argument)` with every signal blocked, so that signals reach the application's own
 * threads. `name` (at most 15 bytes) is what debuggers and top show. 0, or THRONG_ENOMEM. */
int tg_thread_start(struct tg_thread *thread, const char *name, void (*main)(void *),
                    void *argument);

void tg_thread_join(struct tg_thread *thread);

/* A number that the calling thread has alone among those that live. */
uintptr_t tg_thread_self(void);

/* Gives the calling thread a descriptor table of its own that keeps only 0, 1, 2 and
 * `keep[0..count)`, so that its limit counts its own sockets alone, and no descriptor of the
 * application is held open by a copy. The numbers of the kept ones stay the same. 0, THRONG_ENOTSUP
 * where the system or a sandbox refuses. */
int tg_thread_own_descriptors(const tg_socket *keep, uint32_t count);

/* RLIMIT_NOFILE. raise: lifts the soft limit to `wanted` or as near as the hard limit allows;
 * answers the soft limit that now holds. UINT32_MAX where there is no such limit. */
uint32_t tg_descriptor_limit(void);
uint32_t tg_descriptor_limit_raise(uint32_t wanted);

/* How many descriptors of the process are open now. */
uint32_t tg_descriptor_count(void);

/* Processors that this process may use. */
uint32_t tg_processor_count(void);

#endif
