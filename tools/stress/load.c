/* SPDX-License-Identifier: MIT
 * See load.h: memory, phases and totals. Main thread. */
#include "scenario.h"

#include <stdlib.h>

/* Rate mode: send times kept per connection, and for all connections together. */
#define RATE_RING_MAX 1024u
#define RATE_RING_MIN 16u
#define RATE_TIMES_TOTAL (4u * 1024u * 1024u)

static uint32_t power_of_two_from(uint32_t least)
{
    uint32_t power = 1;
    while (power < least) {
        power *= 2;
    }
    return power;
}

static void plan_rings(struct load *load)
{
    const struct stress_options *options = load->options;
    if (options->scenario == SCENARIO_ROOMS || options->scenario == SCENARIO_CHAT) {
        load->ring_size = 1; /* these keep times in rings of rooms */
        return;
    }
    if (options->window > 0) {
        load->in_flight_max = options->window;
        load->ring_size = power_of_two_from(options->window);
        return;
    }
    uint32_t size = RATE_RING_MAX;
    while (size > RATE_RING_MIN && (uint64_t)size * options->connections > RATE_TIMES_TOTAL) {
        size /= 2;
    }
    load->in_flight_max = size;
    load->ring_size = size;
}

/* Not aligned_alloc: the C library of Windows has none. */
static struct load_thread *align_threads(void *memory)
{
    uintptr_t rest = (uintptr_t)memory % alignof(struct load_thread);
    return (void *)((char *)memory + (rest == 0 ? 0 : alignof(struct load_thread) - rest));
}

/* calloc takes untouched pages from the system for sizes like these: what is not used stays
 * imaginary. How many threads there will be is known when the swarm has started. */
int load_create(struct load *load, const struct stress_options *options)
{
    *load = (struct load){.options = options, .scenario = scenario_of(options->scenario)};
    load->kind = (struct payload_kind){options->seed, options->size_min, options->size_max};
    load->messages_max = options->messages > 0 ? options->messages : UINT64_MAX;
    plan_rings(load);
    size_t threads_bytes = (THRONG_SWARM_THREADS_LIMIT + 1) * sizeof(struct load_thread);
    load->conns = calloc(options->connections, sizeof(struct load_conn));
    load->waiting = calloc(options->connections, sizeof(uint32_t));
    load->times = calloc((size_t)options->connections * load->ring_size, sizeof(uint64_t));
    load->scratch = calloc(THRONG_SWARM_THREADS_LIMIT, (size_t)options->size_max + 1);
    load->threads_memory = calloc(1, threads_bytes);
    load->threads = align_threads(load->threads_memory);
    if (options->report_file != NULL) {
        load->timelines = calloc(THRONG_SWARM_THREADS_LIMIT + 1, sizeof(struct timeline));
    }
    int result = load->scenario->create != NULL ? load->scenario->create(load) : 0;
    bool has_timelines = options->report_file == NULL || load->timelines != NULL;
    if (result < 0 || !has_timelines || load->conns == NULL || load->waiting == NULL ||
        load->times == NULL || load->scratch == NULL || load->threads == NULL) {
        load_destroy(load);
        return THRONG_ENOMEM;
    }
    for (uint32_t i = 0; i < THRONG_SWARM_THREADS_LIMIT; i++) {
        load->threads[i].thread_count = 0;
        tally_clear(&load->threads[i].tally);
        atomic_init(&load->threads[i].phase_seen, LOAD_CONNECT);
    }
    return 0;
}

void load_destroy(struct load *load)
{
    free(load->conns);
    free(load->waiting);
    free(load->times);
    free(load->scratch);
    free(load->threads_memory);
    if (load->scenario->destroy != NULL) {
        load->scenario->destroy(load);
    }
    free(load->scenario_memory);
    free(load->timelines);
}

void load_begin(struct load *load, uint64_t start_ns)
{
    for (uint32_t i = 0; load->timelines != NULL && i <= THRONG_SWARM_THREADS_LIMIT; i++) {
        timeline_begin(&load->timelines[i], start_ns);
    }
}

void load_enter(struct load *load, enum load_phase phase)
{
    if (phase == LOAD_TALK) {
        tally_set(&load->talk_start_ns, throng_swarm_now_ns());
    }
    /* release: pairs with the acquire in on_turn; makes talk_start_ns visible. */
    atomic_store_explicit(&load->phase, (int)phase, memory_order_release);
    throng_swarm_wake(load->swarm);
}

bool load_in_phase(const struct load *load, enum load_phase phase)
{
    uint32_t count = throng_swarm_threads(load->swarm);
    for (uint32_t i = 0; i < count; i++) {
        /* acquire: pairs with the release in on_turn; what the thread counted on entering the phase
         * (talkers) is visible. */
        if (atomic_load_explicit(&load->threads[i].phase_seen, memory_order_acquire) !=
            (int)phase) {
            return false;
        }
    }
    return true;
}

void load_totals(const struct load *load, struct totals *totals)
{
    *totals = (struct totals){0};
    for (uint32_t i = 0; i < THRONG_SWARM_THREADS_LIMIT; i++) {
        tally_sum(totals, &load->threads[i].tally);
    }
}
