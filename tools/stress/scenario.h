/* SPDX-License-Identifier: MIT
 * What a scenario does with the connections: hooks, of which load_handler.c calls each where its
 * comment says. All run on the swarm's threads, with the thread's own part, but those of the main
 * thread. One table (scenario.c) holds all scenarios. */
#ifndef STRESS_SCENARIO_H
#define STRESS_SCENARIO_H

#include "load.h"
#include "run.h"

/* Any of them may be NULL: nothing to do. */
struct scenario {
    /* What is done in READY, for the progress line; NULL: there is no READY. The scenario has to
     * count each connection in tally.ready once. */
    const char *ready;

    /* Main thread: reserves load->scenario_memory. 0 or THRONG_ENOMEM. */
    int (*create)(struct load *load);

    /* Main thread, at the end: frees what hangs on it, not the memory itself. */
    void (*destroy)(struct load *load);

    /* Main thread, when it is known how many threads there are: 0, or an error that says what does
     * not fit. The swarm connects already. */
    int (*fits)(const struct load *load, uint32_t threads, struct throng_error *error);

    /* First of all on each thread: whose part of the memory is whose. */
    void (*prepare)(struct load_thread *thread);

    void (*on_up)(struct load_thread *thread, uint32_t place);
    void (*on_message)(struct load_thread *thread, uint32_t place, const void *data, size_t size);

    /* The connection has ended, or (came_up false) could not be made. That is counted, unless it is
     * our own close (conn.state is LOAD_CONN_CLOSING still). `error` as of the swarm's
     * on_closed. */
    void (*on_down)(struct load_thread *thread, uint32_t place, bool came_up, int error);

    /* The thread changes from one phase to another. */
    void (*on_phase)(struct load_thread *thread, enum load_phase from, enum load_phase to);

    /* Each turn of READY, TALK and DRAIN: answers when the next one is wanted at the latest. */
    uint64_t (*on_turn)(struct load_thread *thread);

    /* Main thread, when the threads have ended: adds to the outcome what is the scenario's own. */
    void (*gather)(const struct load *load, struct outcome *outcome);
};

/* NULL if this build left it out (scenario_is_built). Any thread. */
const struct scenario *scenario_of(enum scenario_kind kind);
bool scenario_is_built(enum scenario_kind kind);

/* load_echo.c, scenario_churn.c, scenario_rooms.c */
extern const struct scenario scenario_echo;
extern const struct scenario scenario_churn;
extern const struct scenario scenario_rooms;

#endif
