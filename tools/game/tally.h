/* SPDX-License-Identifier: MIT
 * What the bots count: one table for the struct, the report and the JSON. The bots' threads add,
 * the main thread reads. */
#ifndef GAME_TALLY_H
#define GAME_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

/* X(name, text) */
#define TALLY_MAP(X)                                                                               \
    X(joined, "players that the server welcomed")                                                  \
    X(snapshots, "snapshots")                                                                      \
    X(whole_snapshots, "of them whole ones")                                                       \
    X(bytes, "bytes of snapshots, headers included")                                               \
    X(ticks, "ticks that the snapshots told of")                                                   \
    X(skipped, "of them inside a longer step: the server had been late")                           \
    X(inputs, "inputs sent")                                                                       \
    X(unsent, "inputs not sent for want of room")                                                  \
    X(gaps, "times that a bot had missed snapshots")                                               \
    X(resyncs, "whole snapshots asked for")                                                        \
    X(pellets, "pellets that the bots collected")

/* What must not happen. */
#define TALLY_ERROR_MAP(X)                                                                         \
    X(failed, "connections that could not be made")                                                \
    X(ended, "connections that ended before their time")                                           \
    X(refused, "players that the server turned away")                                              \
    X(bad_messages, "messages that make no sense")                                                 \
    X(bad_snapshots, "snapshots that make no sense")                                               \
    X(early, "deltas for newcomers that had nothing to build on")                                  \
    X(wrong_sums, "worlds that were not the server's")                                             \
    X(ticks_back, "snapshots of a tick that was over")                                             \
    X(wrong_acks, "acknowledgements that fell, or of what was not sent")                           \
    X(disobeyed, "players that went where they had not said")                                      \
    X(mispredicted, "places that were not where the protocol says that they must be")              \
    X(vanished, "players that were gone from the world")                                           \
    X(unanswered, "players whose last input was never acknowledged")

struct tally {
#define TALLY_FIELD(name, text) _Atomic uint64_t name;
    TALLY_MAP(TALLY_FIELD)
    TALLY_ERROR_MAP(TALLY_FIELD)
#undef TALLY_FIELD
};

/* The numbers of one moment. */
struct totals {
#define TALLY_FIELD(name, text) uint64_t name;
    TALLY_MAP(TALLY_FIELD)
    TALLY_ERROR_MAP(TALLY_FIELD)
#undef TALLY_FIELD
};

/* relaxed: a count publishes nothing. */
static inline void tally_add(_Atomic uint64_t *count, uint64_t more)
{
    (void)atomic_fetch_add_explicit(count, more, memory_order_relaxed);
}

static inline void tally_read(struct totals *totals, const struct tally *tally)
{
#define TALLY_READ(name, text)                                                                     \
    totals->name = atomic_load_explicit(&tally->name, memory_order_relaxed);
    TALLY_MAP(TALLY_READ)
    TALLY_ERROR_MAP(TALLY_READ)
#undef TALLY_READ
}

static inline uint64_t totals_errors(const struct totals *totals)
{
    uint64_t sum = 0;
#define TALLY_SUM(name, text) sum += totals->name;
    TALLY_ERROR_MAP(TALLY_SUM)
#undef TALLY_SUM
    return sum;
}

#endif
