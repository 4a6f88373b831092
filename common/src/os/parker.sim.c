/* SPDX-License-Identifier: MIT
 * The parker of the simulated system: the protocol of parker.linux.c, with the simulated thread in
 * the place of the futex. It knows its sleeper by the announcement. */
#include "os/parker.h"

#include "base/yield.h"
#include "sim/sim.h"

/* Who sleeps in which parker: a parker has no room for it, and there are few threads. */
#define SLEEPERS 64

static struct {
    const struct tg_parker *parker;
    struct tg_sim_thread *thread;
} sleepers[SLEEPERS];

void tg_parker_init(struct tg_parker *parker)
{
    atomic_init(&parker->sleeping, 0);
}

void tg_parker_prepare(struct tg_parker *parker)
{
    tg_yield();
    atomic_store_explicit(&parker->sleeping, 1, memory_order_relaxed);
    tg_yield();
}

void tg_parker_cancel(struct tg_parker *parker)
{
    atomic_store_explicit(&parker->sleeping, 0, memory_order_relaxed);
}

static int place_of(const struct tg_parker *parker)
{
    for (int i = 0; i < SLEEPERS; i++) {
        if (sleepers[i].parker == parker) {
            return i;
        }
    }
    return -1;
}

void tg_parker_sleep(struct tg_parker *parker, int64_t timeout_ns)
{
    tg_yield();
    /* The futex's comparison. */
    if (atomic_load_explicit(&parker->sleeping, memory_order_relaxed) == 1) {
        int place = place_of(NULL);
        TG_REQUIRE(place >= 0);
        sleepers[place].parker = parker;
        sleepers[place].thread = tg_sim_thread_self();
        tg_sim_note(TG_SIM_NOTE_sleep, 0, timeout_ns);
        tg_sim_thread_sleep(timeout_ns);
        sleepers[place].parker = NULL;
    }
    atomic_store_explicit(&parker->sleeping, 0, memory_order_relaxed);
    tg_yield();
}

bool tg_parker_wake(struct tg_parker *parker)
{
    tg_yield();
    if (atomic_load_explicit(&parker->sleeping, memory_order_relaxed) == 0 ||
        atomic_exchange_explicit(&parker->sleeping, 0, memory_order_relaxed) == 0) {
        return false;
    }
    tg_yield();
    int place = place_of(parker);
    if (place >= 0) {
        tg_sim_thread_wake(sleepers[place].thread);
    }
    return true;
}
