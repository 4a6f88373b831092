/* SPDX-License-Identifier: MIT
 * The world's chance, faults and notes. */
#include "sim/world.h"

#include <stdio.h>

static const char *const fault_names[] = {
#define FAULT_NAME(name, text) #name,
    TG_SIM_FAULT_MAP(FAULT_NAME)
#undef FAULT_NAME
};

static const char *const note_names[] = {
#define NOTE_NAME(name) #name,
    TG_SIM_NOTE_MAP(NOTE_NAME)
#undef NOTE_NAME
};

const char *tg_sim_fault_name(enum tg_sim_fault fault)
{
    return fault_names[fault];
}

void tg_sim_seed(uint64_t seed)
{
    tg_world.prng.state = seed;
}

uint64_t tg_sim_random(void)
{
    return tg_prng_next(&tg_world.prng);
}

uint32_t tg_sim_below(uint32_t bound)
{
    return tg_prng_below(&tg_world.prng, bound);
}

bool tg_sim_strikes(enum tg_sim_fault fault)
{
    uint32_t parts = tg_world.options.faults[fault];
    if (parts == 0 || tg_prng_next(&tg_world.prng) >> 48 >= parts) {
        return false;
    }
    tg_world.counts.faults[fault]++;
    tg_world.strikes++;
    return true;
}

void tg_sim_calm(void)
{
    for (int fault = 0; fault < TG_SIM_FAULT_COUNT; fault++) {
        /* Threads go on overtaking each other: that is no fault, it is what threads do. */
        if (fault != TG_SIM_FAULT_yield) {
            tg_world.options.faults[fault] = 0;
        }
    }
}

void tg_sim_set_fault(enum tg_sim_fault fault, uint32_t parts)
{
    tg_world.options.faults[fault] = parts;
    if (fault == TG_SIM_FAULT_yield) {
        tg_sim_plan_yield();
    }
}

/* ---- notes ---- */

static void print_note(FILE *stream, const struct tg_world_note *note)
{
    (void)fprintf(stream, "%14.6f ms  %-12s %-12s %8llu %lld\n", (double)note->time_ns / 1e6,
                  note->thread, note_names[note->note], (unsigned long long)note->first,
                  (long long)note->second);
}

void tg_sim_note(enum tg_sim_note note, uint64_t first, int64_t second)
{
    struct tg_world *world = &tg_world;
    uint64_t mixed = world->hash ^ (first + ((uint64_t)note << 56)) ^ (uint64_t)second << 32 ^
                     world->now_ns;
    mixed *= 0xff51afd7ed558ccdu;
    world->hash = mixed ^ mixed >> 29;
    struct tg_world_note *kept = &world->notes[world->notes_count++ % TG_WORLD_NOTES];
    *kept = (struct tg_world_note){.time_ns = world->now_ns,
                                   .thread = tg_sim_running_name(),
                                   .first = first,
                                   .second = second,
                                   .note = note};
    if (world->options.trace) {
        print_note(stdout, kept);
    }
}

uint64_t tg_sim_hash(void)
{
    return tg_world.hash;
}

void tg_sim_print_tail(void)
{
    const struct tg_world *world = &tg_world;
    uint64_t from = world->notes_count > TG_WORLD_NOTES ? world->notes_count - TG_WORLD_NOTES : 0;
    for (uint64_t i = from; i < world->notes_count; i++) {
        print_note(stderr, &world->notes[i % TG_WORLD_NOTES]);
    }
}

const struct tg_sim_counts *tg_sim_counts(void)
{
    return &tg_world.counts;
}
