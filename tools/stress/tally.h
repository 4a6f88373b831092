/* SPDX-License-Identifier: MIT
 * What each thread counts while it runs, for the main thread to add up. Each counter has one
 * writer, its thread, so a count is a load and a store and needs no locked instruction; the main
 * thread reads sums that may be a moment old. Everything is relaxed: nothing is published by a
 * counter but itself. */
#ifndef STRESS_TALLY_H
#define STRESS_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

/* X(name) */
#define TALLY_MAP(X)                                                                               \
    X(opened)    /* connections that came up */                                                    \
    X(refused)   /* and those that did not: */                                                     \
    X(timed_out) /* in time */                                                                     \
    X(not_made)  /* for another reason */                                                          \
    X(reset)     /* ended though we had not closed them: by a reset */                             \
    X(ended)     /* by the peer's orderly end */                                                   \
    X(broken)    /* for another reason */                                                          \
    X(ready)     /* connections that may talk (scenarios with a hook for READY) */                 \
    X(lives)     /* CHURN: connections that began to talk */                                       \
    X(pending)   /* of these: not over yet */                                                      \
    X(verified)  /* and of these those that ended as they should */                                \
    X(sent)                                                                                        \
    X(expected)  /* answers: one for each that was sent, or one for each member of the room */     \
    X(settled)   /* of these: right, damaged or passed over */                                     \
    X(abandoned) /* of these: for connections that ended before */                                 \
    X(received)  /* right answers */                                                               \
    X(bytes)     /* of their payloads */                                                           \
    X(answered)  /* connections with a right answer */                                             \
    X(late)      /* sent more than LATE_NS after the intended time */                              \
    X(unsent)    /* due, but not sent when the time was over */                                    \
    X(talkers)   /* connections that have something left to send */                                \
    X(lost)                                                                                        \
    X(duplicated)                                                                                  \
    X(reordered)                                                                                   \
    X(corrupted)                                                                                   \
    X(foreign)

struct tally {
#define TALLY_COUNTER(name) _Atomic uint64_t name;
    TALLY_MAP(TALLY_COUNTER)
#undef TALLY_COUNTER
    _Atomic uint64_t last_open_ns;
    _Atomic uint64_t last_echo_ns;
};

/* The sums of all threads. */
struct totals {
#define TALLY_SUM(name) uint64_t name;
    TALLY_MAP(TALLY_SUM)
#undef TALLY_SUM
    uint64_t last_open_ns; /* the latest */
    uint64_t last_echo_ns;
};

void tally_clear(struct tally *tally);

/* Adds one thread's counters. */
void tally_sum(struct totals *totals, const struct tally *tally);

/* What is wrong already: not what may still come. */
uint64_t tally_errors(const struct totals *totals);

static inline uint64_t tally_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static inline void tally_set(_Atomic uint64_t *counter, uint64_t value)
{
    atomic_store_explicit(counter, value, memory_order_relaxed);
}

static inline void tally_add(_Atomic uint64_t *counter, uint64_t more)
{
    tally_set(counter, tally_read(counter) + more);
}

#endif
