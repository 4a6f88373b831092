/* SPDX-License-Identifier: MIT
 * See interrupt.h. */
#include "interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

static void fill_set(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGTERM);
}

void interrupt_prepare(void)
{
    sigset_t set;
    fill_set(&set);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool interrupt_wait(uint32_t ms)
{
    sigset_t set;
    struct timespec patience = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    fill_set(&set);
    return sigtimedwait(&set, NULL, &patience) > 0;
}
