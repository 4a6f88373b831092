/* SPDX-License-Identifier: MIT
 * The waker's thread. */
#include "waker.h"

static struct {
    const struct plan *plan;
    struct tg_sim_thread *thread;
    struct throng_server *server; /* NULL: it rests */
    bool is_inside;
    bool stop;
} waker;

static void run(void *argument)
{
    (void)argument;
    while (!waker.stop) {
        tg_sim_thread_sleep((int64_t)tg_sim_below(waker.plan->wake_ns) + 1000);
        if (waker.server != NULL) {
            waker.is_inside = true;
            throng_server_wake(waker.server);
            waker.is_inside = false;
        }
    }
}

void waker_start(const struct plan *plan)
{
    waker.plan = plan;
    waker.server = NULL;
    waker.is_inside = false;
    waker.stop = false;
    waker.thread = tg_sim_thread_start("waker", run, NULL);
    TG_SIM_RULE(waker.thread != NULL, "the waker cannot start");
}

void waker_wake(struct throng_server *server)
{
    waker.server = server;
}

void waker_rest(void)
{
    waker.server = NULL;
    while (waker.is_inside) {
        tg_sim_thread_stand(1000);
    }
}

void waker_stop(void)
{
    waker.stop = true;
    tg_sim_thread_wake(waker.thread);
    tg_sim_thread_join(waker.thread);
}
