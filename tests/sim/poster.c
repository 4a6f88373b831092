/* SPDX-License-Identifier: MIT
 * The posters' threads. */
#include "poster.h"

struct poster {
    struct tg_sim_thread *thread;
    uint32_t accepted; /* by this server */
    uint32_t taken;    /* of them, by the game */
    bool is_inside;
};

static struct {
    const struct plan *plan;
    struct throng_server *server; /* NULL: they rest */
    uint64_t refused;
    bool stop;
    struct poster all[PLAN_POSTERS_MAX + 1]; /* the one behind the last is the game */
} posters;

static void post_one(struct poster *poster, struct throng_server *server)
{
    uint64_t number = (uint64_t)(poster - posters.all) << 32 | poster->accepted;
    poster->is_inside = true;
    int result = throng_post(server, poster, number);
    poster->is_inside = false;
    TG_SIM_RULE(result == 0 || result == THRONG_EAGAIN, "a post fails");
    poster->accepted += result == 0;
    posters.refused += result != 0;
}

static void run(void *argument)
{
    struct poster *poster = argument;
    while (!posters.stop) {
        tg_sim_thread_sleep((int64_t)tg_sim_below(posters.plan->post_ns) + 1000);
        uint32_t burst = 1 + tg_sim_below(posters.plan->post_burst);
        while (burst-- > 0 && posters.server != NULL) {
            post_one(poster, posters.server);
        }
    }
}

void posters_start(const struct plan *plan)
{
    posters.plan = plan;
    posters.server = NULL;
    posters.stop = false;
    for (uint32_t i = 0; i < plan->posters; i++) {
        posters.all[i] = (struct poster){0};
        posters.all[i].thread = tg_sim_thread_start("poster", run, &posters.all[i]);
        TG_SIM_RULE(posters.all[i].thread != NULL, "a poster cannot start");
    }
}

void posters_serve(struct throng_server *server)
{
    for (uint32_t i = 0; i <= posters.plan->posters; i++) {
        posters.all[i].accepted = 0;
        posters.all[i].taken = 0;
    }
    posters.refused = 0;
    posters.server = server;
}

void posters_rest(void)
{
    posters.server = NULL;
    for (uint32_t i = 0; i < posters.plan->posters; i++) {
        while (posters.all[i].is_inside) {
            tg_sim_thread_stand(1000);
        }
    }
}

void posters_stop(void)
{
    posters.stop = true;
    for (uint32_t i = 0; i < posters.plan->posters; i++) {
        tg_sim_thread_wake(posters.all[i].thread);
        tg_sim_thread_join(posters.all[i].thread);
    }
}

void posters_post_from_game(struct throng_server *server)
{
    post_one(&posters.all[posters.plan->posters], server);
}

void posters_take(const struct throng_event *event)
{
    uint64_t from = event->number >> 32;
    TG_SIM_RULE(from <= posters.plan->posters && event->user == &posters.all[from],
                "a POSTED that nobody has posted");
    TG_SIM_RULE((uint32_t)event->number == posters.all[from].taken,
                "a thread's posts are lost, doubled or out of order");
    posters.all[from].taken++;
}

bool posters_are_done(void)
{
    for (uint32_t i = 0; i <= posters.plan->posters; i++) {
        if (posters.all[i].taken < posters.all[i].accepted) {
            return false;
        }
    }
    return true;
}

uint64_t posters_refused(void)
{
    return posters.refused;
}
