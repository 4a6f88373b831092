/* SPDX-License-Identifier: MIT
 * The one world: what the files of sim/ share. */
#ifndef TG_SIM_WORLD_H
#define TG_SIM_WORLD_H

#include "base/prng.h"
#include "sim/fiber.h"
#include "sim/sim.h"

/* Notes kept for tg_sim_print_tail. */
#define TG_WORLD_NOTES 64u

/* Threads of a world at once. */
#define TG_WORLD_THREADS 64u

/* Actions set at once. */
#define TG_WORLD_ACTIONS (1u << 18)

struct tg_world_note {
    uint64_t time_ns;
    const char *thread;
    uint64_t first;
    int64_t second;
    enum tg_sim_note note;
};

enum tg_sim_thread_state {
    TG_SIM_THREAD_NONE = 0,
    TG_SIM_THREAD_READY,
    TG_SIM_THREAD_ASLEEP,   /* until it is woken, or its time comes */
    TG_SIM_THREAD_STANDING, /* until its time comes */
    TG_SIM_THREAD_ENDED,    /* not joined yet */
};

struct tg_sim_thread {
    enum tg_sim_thread_state state;
    char name[16];
    struct tg_fiber *fiber;
    void (*main)(void *);
    void *argument;
    uint64_t wake_ns; /* UINT64_MAX: never by itself */
    struct tg_sim_thread *joiner;
};

struct tg_world {
    bool is_open;
    struct tg_sim_options options;
    struct tg_prng prng;
    uint64_t now_ns;
    uint64_t hash;
    uint64_t strikes; /* of all faults but yield */
    struct tg_sim_counts counts;

    /* schedule.c */
    struct tg_fiber *outside; /* who called tg_sim_run */
    struct tg_sim_thread threads[TG_WORLD_THREADS];
    struct tg_sim_thread *running; /* NULL while an action runs */
    uint32_t ready_count;
    bool ran_since_idle;     /* a thread did, since on_idle was asked */
    uint64_t sleeper_due_ns; /* no sleeper's time comes before */
    uint32_t yields_left;    /* until the next one that switches */

    /* actions.c: a heap by time and order */
    struct tg_sim_action **actions;
    uint32_t actions_count;
    uint64_t actions_order;

    /* chance.c */
    struct tg_world_note notes[TG_WORLD_NOTES];
    uint64_t notes_count;

    size_t memory_bytes; /* reserved by os/memory.sim.c */
};

extern struct tg_world tg_world;

/* actions.c: runs what is due. */
void tg_sim_run_actions(void);
/* When the next one is due; UINT64_MAX if there is none. */
uint64_t tg_sim_next_action_ns(void);

/* schedule.c: after how many yield points the next switch comes. */
void tg_sim_plan_yield(void);
const char *tg_sim_running_name(void);

#endif
