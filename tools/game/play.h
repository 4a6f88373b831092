/* SPDX-License-Identifier: MIT
 * Bots on a swarm: the main thread starts it, moves it from phase to phase, and reads its tally;
 * everything else runs on the swarm's threads.
 *
 *   JOIN --all welcome--> ON --time is up--> SETTLE --last inputs acknowledged--> END
 *
 * A bot belongs to the swarm's thread that drives its connection: bot i is on thread i %
 * threads. */
#ifndef GAME_PLAY_H
#define GAME_PLAY_H

#include <throng/swarm.h>

#include "bot.h"
#include "options.h"

enum play_phase {
    PLAY_JOIN,
    PLAY_ON,     /* what is measured */
    PLAY_SETTLE, /* no more inputs, unless the last one got lost in the crowd */
    PLAY_END,    /* each says goodbye */
};

/* A thread's part: the thread's own, but for the last two. */
struct play_thread {
    enum play_phase phase;
    uint32_t index;
    uint32_t bot_count;
    uint64_t first_due_ns; /* of the phase: turn k is due at first_due_ns + k * interval */
    uint64_t due_count;    /* k */
    uint64_t shown_ns;     /* the map */
    struct histogram latency;
    _Atomic int phase_seen;
    _Atomic uint32_t unsettled; /* bots; counted in SETTLE */
};

struct play {
    const struct options *options;
    struct throng_swarm *swarm;
    struct bot *bots;
    struct play_thread *threads; /* THRONG_SWARM_THREADS_LIMIT; those not used are never touched */
    struct tally tally;
    _Atomic int phase;
};

/* 0 or an error with its text. play_stop in any case. */
int play_start(struct play *play, const struct options *options, struct throng_error *error);
void play_stop(struct play *play);

void play_enter(struct play *play, enum play_phase phase);

/* Whether every thread has entered SETTLE, and has no bot there that waits for an answer. */
bool play_is_settled(const struct play *play);

/* Bots that wait for one. */
uint32_t play_unsettled(const struct play *play);

/* Of all threads; after throng_swarm_stop. */
void play_latency(const struct play *play, struct histogram *latency);

#endif
