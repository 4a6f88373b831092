/* SPDX-License-Identifier: MIT
 * The world's life, its threads and its time. Only one thread runs; it goes on until it sleeps,
 * ends or comes to a yield point where chance has it that another one is faster. */
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yield.h"

/* A thread's stack: a worker's turn has 256 completions on it; the sanitizers need more. */
#define STACK_BYTES (1024u * 1024u)

/* Time that passes between two switches at most. */
#define STEP_NS 1000u

/* The longest that a thread which could run is left standing. */
#define STALL_NS 1000000u

/* The longest jump of the clock. */
#define JUMP_NS UINT64_C(5000000000)

struct tg_world tg_world;

/* ---- life ---- */

void tg_sim_open(const struct tg_sim_options *options)
{
    struct tg_world *world = &tg_world;
    TG_REQUIRE(!world->is_open);
    struct tg_sim_action **actions = world->actions;
    memset(world, 0, sizeof *world);
    world->actions = actions != NULL ? actions
                                     : malloc(TG_WORLD_ACTIONS * sizeof(struct tg_sim_action *));
    world->outside = tg_fiber_of_thread();
    TG_REQUIRE(world->actions != NULL && world->outside != NULL);
    world->is_open = true;
    world->options = *options;
    world->prng.state = options->seed;
    world->hash = options->seed;
    world->now_ns = 1000000000u + tg_sim_below(1000000000u);
    world->sleeper_due_ns = UINT64_MAX;
    tg_sim_plan_yield();
}

void tg_sim_close(void)
{
    struct tg_world *world = &tg_world;
    TG_REQUIRE(world->is_open);
    TG_SIM_RULE(world->memory_bytes == 0, "memory was reserved and not released");
    world->actions_count = 0;
    tg_fiber_destroy(world->outside);
    world->is_open = false;
}

/* ---- threads ---- */

uint64_t tg_sim_now_ns(void)
{
    return tg_world.now_ns;
}

const char *tg_sim_running_name(void)
{
    return tg_world.running == NULL ? "-" : tg_world.running->name;
}

struct tg_sim_thread *tg_sim_thread_self(void)
{
    TG_REQUIRE(tg_world.running != NULL);
    return tg_world.running;
}

static void make_ready(struct tg_sim_thread *thread)
{
    thread->state = TG_SIM_THREAD_READY;
    tg_world.ready_count++;
}

/* The threads whose time has come. */
static void wake_sleepers(void)
{
    struct tg_world *world = &tg_world;
    if (world->now_ns < world->sleeper_due_ns) {
        return;
    }
    world->sleeper_due_ns = UINT64_MAX;
    for (uint32_t i = 0; i < TG_WORLD_THREADS; i++) {
        struct tg_sim_thread *thread = &world->threads[i];
        if (thread->state != TG_SIM_THREAD_ASLEEP && thread->state != TG_SIM_THREAD_STANDING) {
            continue;
        }
        if (thread->wake_ns <= world->now_ns) {
            make_ready(thread);
        } else if (thread->wake_ns < world->sleeper_due_ns) {
            world->sleeper_due_ns = thread->wake_ns;
        }
    }
}

static void print_sleepers(void)
{
    for (uint32_t i = 0; i < TG_WORLD_THREADS; i++) {
        if (tg_world.threads[i].state != TG_SIM_THREAD_NONE) {
            (void)fprintf(stderr, "thread %s: state %d\n", tg_world.threads[i].name,
                          (int)tg_world.threads[i].state);
        }
    }
}

/* Everybody sleeps: time goes on to what comes next. */
static void pass_time(void)
{
    struct tg_world *world = &tg_world;
    if (world->options.on_idle != NULL && world->ran_since_idle) {
        struct tg_sim_thread *running = world->running;
        world->running = NULL;
        world->options.on_idle(world->options.context);
        world->running = running;
        world->ran_since_idle = false;
    }
    uint64_t next = tg_sim_next_action_ns();
    if (world->sleeper_due_ns < next) {
        next = world->sleeper_due_ns;
    }
    if (next == UINT64_MAX) {
        print_sleepers();
        TG_SIM_RULE(false, "everybody sleeps, and nothing will ever happen");
    }
    if (next > world->now_ns) {
        world->now_ns = next;
    }
    if (tg_sim_strikes(TG_SIM_FAULT_clock_jump)) {
        world->now_ns += tg_sim_random() % JUMP_NS;
        tg_sim_note(TG_SIM_NOTE_jump, world->now_ns, 0);
    }
}

/* A thread that can run, by chance. */
static struct tg_sim_thread *choose(void)
{
    struct tg_world *world = &tg_world;
    uint32_t pick = world->ready_count == 1 ? 0 : tg_sim_below(world->ready_count);
    for (uint32_t i = 0; i < TG_WORLD_THREADS; i++) {
        if (world->threads[i].state == TG_SIM_THREAD_READY && pick-- == 0) {
            return &world->threads[i];
        }
    }
    TG_UNREACHABLE("fewer threads are ready than were counted");
}

void tg_sim_elapse(uint64_t duration_ns)
{
    tg_world.now_ns += duration_ns;
    tg_sim_run_actions();
}

void tg_sim_pass(void)
{
    tg_sim_elapse(tg_sim_below(STEP_NS));
}

/* Something else goes on than what runs now, which has said whether it is ready or waits. Returns
 * when it is its turn again. */
static void reschedule(void)
{
    struct tg_world *world = &tg_world;
    struct tg_sim_thread *self = world->running;
    struct tg_sim_thread *next;
    for (;;) {
        world->counts.steps++;
        TG_SIM_RULE(world->counts.steps < world->options.steps_max, "the run does not end");
        tg_sim_pass();
        wake_sleepers();
        if (world->ready_count == 0) {
            pass_time();
            continue;
        }
        next = choose();
        if (!tg_sim_strikes(TG_SIM_FAULT_stall)) {
            break;
        }
        next->state = TG_SIM_THREAD_STANDING;
        next->wake_ns = world->now_ns + tg_sim_below(STALL_NS);
        world->ready_count--;
        if (next->wake_ns < world->sleeper_due_ns) {
            world->sleeper_due_ns = next->wake_ns;
        }
    }
    world->ran_since_idle = true;
    if (next == self) {
        return;
    }
    world->counts.switches++;
    world->running = next;
    tg_sim_note(TG_SIM_NOTE_thread, (uint64_t)(next - world->threads), 0);
    if (self->state == TG_SIM_THREAD_ENDED) {
        tg_fiber_leave(self->fiber, next->fiber);
    }
    tg_fiber_switch(self->fiber, next->fiber);
}

static void wait_until(enum tg_sim_thread_state state, uint64_t wake_ns)
{
    struct tg_sim_thread *self = tg_sim_thread_self();
    self->state = state;
    self->wake_ns = wake_ns;
    tg_world.ready_count--;
    if (wake_ns < tg_world.sleeper_due_ns) {
        tg_world.sleeper_due_ns = wake_ns;
    }
    reschedule();
}

void tg_sim_thread_sleep(int64_t timeout_ns)
{
    if (tg_sim_strikes(TG_SIM_FAULT_spurious_wake)) {
        timeout_ns = 0;
    }
    wait_until(TG_SIM_THREAD_ASLEEP,
               timeout_ns < 0 ? UINT64_MAX : tg_world.now_ns + (uint64_t)timeout_ns);
}

void tg_sim_thread_stand(uint64_t duration_ns)
{
    wait_until(TG_SIM_THREAD_STANDING, tg_world.now_ns + duration_ns);
}

void tg_sim_thread_wake(struct tg_sim_thread *thread)
{
    if (thread->state == TG_SIM_THREAD_ASLEEP) {
        make_ready(thread);
    }
}

void tg_sim_plan_yield(void)
{
    uint32_t parts = tg_world.options.faults[TG_SIM_FAULT_yield];
    /* Uniform around the mean distance: as good as a throw at each point, and much cheaper. */
    tg_world.yields_left = parts == 0 ? UINT32_MAX : 1 + tg_sim_below(2 * 65536u / parts);
}

void tg_yield(void)
{
    if (tg_world.running == NULL || --tg_world.yields_left > 0) {
        return;
    }
    tg_sim_plan_yield();
    tg_world.counts.faults[TG_SIM_FAULT_yield]++;
    reschedule();
}

static void run_thread(void *argument)
{
    struct tg_sim_thread *self = argument;
    self->main(self->argument);
    self->state = TG_SIM_THREAD_ENDED;
    tg_world.ready_count--;
    if (self->joiner != NULL) {
        tg_sim_thread_wake(self->joiner);
    }
    reschedule();
    TG_UNREACHABLE("a thread that has ended goes on");
}

struct tg_sim_thread *tg_sim_thread_start(const char *name, void (*main)(void *), void *argument)
{
    for (uint32_t i = 0; i < TG_WORLD_THREADS; i++) {
        struct tg_sim_thread *thread = &tg_world.threads[i];
        if (thread->state == TG_SIM_THREAD_NONE) {
            *thread = (struct tg_sim_thread){.main = main, .argument = argument};
            (void)snprintf(thread->name, sizeof thread->name, "%s", name);
            thread->fiber = tg_fiber_create(run_thread, thread, STACK_BYTES);
            if (thread->fiber == NULL) {
                return NULL;
            }
            make_ready(thread);
            tg_yield();
            return thread;
        }
    }
    return NULL;
}

void tg_sim_thread_join(struct tg_sim_thread *thread)
{
    while (thread->state != TG_SIM_THREAD_ENDED) {
        thread->joiner = tg_sim_thread_self();
        wait_until(TG_SIM_THREAD_ASLEEP, UINT64_MAX);
    }
    tg_fiber_destroy(thread->fiber);
    thread->state = TG_SIM_THREAD_NONE;
}

/* ---- the first thread ---- */

struct first {
    void (*main)(void *);
    void *argument;
};

static void run_first(void *argument)
{
    struct tg_sim_thread *self = argument;
    const struct first *first = self->argument;
    first->main(first->argument);
    TG_SIM_RULE(tg_world.ready_count == 1, "a thread outlives the first one");
    tg_fiber_leave(self->fiber, tg_world.outside);
}

void tg_sim_run(void (*main)(void *), void *argument)
{
    struct tg_sim_thread *thread = &tg_world.threads[0];
    struct first first = {main, argument};
    TG_REQUIRE(thread->state == TG_SIM_THREAD_NONE);
    *thread = (struct tg_sim_thread){.name = "main", .argument = &first};
    thread->fiber = tg_fiber_create(run_first, thread, 4 * STACK_BYTES);
    TG_REQUIRE(thread->fiber != NULL);
    make_ready(thread);
    tg_world.running = thread;
    tg_fiber_switch(tg_world.outside, thread->fiber);
    tg_world.running = NULL;
    tg_world.ready_count = 0;
    thread->state = TG_SIM_THREAD_NONE;
    tg_fiber_destroy(thread->fiber);
    for (uint32_t i = 0; i < TG_WORLD_THREADS; i++) {
        TG_SIM_RULE(tg_world.threads[i].state == TG_SIM_THREAD_NONE, "a thread was not joined");
    }
}
