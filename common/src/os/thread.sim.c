/* SPDX-License-Identifier: MIT
 * Threads of the simulated system. Its descriptors have no limit of their own: the world's number
 * of sockets is one. */
#include "os/thread.h"

#include <throng/error.h>

#include "sim/sim.h"

int tg_thread_start(struct tg_thread *thread, const char *name, void (*main)(void *),
                    void *argument)
{
    struct tg_sim_thread *started = NULL;
    if (!tg_sim_strikes(TG_SIM_FAULT_thread_error)) {
        started = tg_sim_thread_start(name, main, argument);
    }
    thread->handle = (uintptr_t)started;
    return started == NULL ? THRONG_ENOMEM : 0;
}

void tg_thread_join(struct tg_thread *thread)
{
    tg_sim_thread_join((struct tg_sim_thread *)thread->handle);
}

uintptr_t tg_thread_self(void)
{
    return (uintptr_t)tg_sim_thread_self();
}

int tg_thread_own_descriptors(const tg_socket *keep, uint32_t count)
{
    (void)keep;
    (void)count;
    return THRONG_ENOTSUP;
}

uint32_t tg_descriptor_limit(void)
{
    return UINT32_MAX;
}

uint32_t tg_descriptor_limit_raise(uint32_t wanted)
{
    (void)wanted;
    return UINT32_MAX;
}

uint32_t tg_descriptor_count(void)
{
    return 0;
}

uint32_t tg_processor_count(void)
{
    return 2;
}
