/* SPDX-License-Identifier: MIT
 * The load: what the swarm's threads do with their connections, phase by phase. The main thread
 * creates it, moves it from phase to phase, and looks at its totals; load_handler.c and
 * load_send.c run on the swarm's threads.
 *
 *   CONNECT --all up or failed--> READY --all have joined--> TALK --time or messages up--> DRAIN
 *       --nothing on its way--> IDLE --> CLOSE
 *
 * What a scenario does in them stands in its own files, behind the hooks of scenario.h:
 * load_handler.c keeps the count of connections and calls them. READY is for scenarios that have a
 * hook for it.
 *
 * A connection's state belongs to the swarm's thread that drives it. Connection i is on thread
 * i % threads at place i / threads; each thread's places lie together in memory. */
#ifndef STRESS_LOAD_H
#define STRESS_LOAD_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <throng/swarm.h>

#include "histogram.h"
#include "options.h"
#include "pace.h"
#include "payload.h"
#include "tally.h"
#include "timeline.h"
#include "verify.h"

/* A message sent later than that after its intended time is counted as late. */
#define LATE_NS 5000000u

enum load_phase {
    LOAD_CONNECT = 0,
    LOAD_READY,
    LOAD_TALK,
    LOAD_DRAIN,
    LOAD_IDLE,
    LOAD_CLOSE,
};

enum load_conn_state {
    LOAD_CONN_NEW = 0,
    LOAD_CONN_UP,
    LOAD_CONN_CLOSING, /* by us */
    LOAD_CONN_DOWN,
};

struct load_conn {
    struct verify_stream stream;
    uint64_t limit; /* of stream.sent */
    uint8_t state;
    bool waiting; /* in the thread's queue of those that could not send */
};

/* A thread's part. The thread's own, but for `tally` (the main thread reads it) and
 * `phase_seen`. */
struct load_thread {
    struct load *load;
    struct throng_swarm_thread *swarm_thread;
    uint32_t index;
    uint32_t thread_count; /* 0: not prepared yet */
    uint32_t conn_count;
    uint32_t active_count; /* places 0..active_count-1 talk */
    struct load_conn *conns;
    uint64_t *times; /* ring_size of each connection: when its messages were, or should be, sent */
    uint8_t *scratch;
    enum load_phase phase;

    /* The time, read once per turn and every few messages. */
    uint64_t now_ns;
    uint32_t now_uses;

    /* Window mode: places that wait for room to send, a ring of conn_count entries. */
    uint32_t *waiting;
    uint32_t waiting_head;
    uint32_t waiting_count;

    struct pace pace;    /* rate mode */
    uint32_t cursor;     /* whose turn it is */
    uint32_t stride;     /* and from there to the next */
    void *scenario_part; /* of ROOMS, CHAT, CHURN: what their hooks keep for this thread */

    uint32_t close_cursor;
    struct histogram latency;
    struct histogram connect;
    struct verifier verifier;
    struct timeline *timeline; /* NULL: no --report */

    alignas(64) struct tally tally;
    _Atomic int phase_seen;
};

struct load {
    const struct stress_options *options;
    const struct scenario *scenario;
    struct payload_kind kind;
    uint64_t messages_max; /* per connection */
    uint32_t ring_size;    /* a power of two */
    uint32_t in_flight_max;
    struct load_conn *conns;
    uint64_t *times;
    uint32_t *waiting;
    uint8_t *scratch;
    struct load_thread *threads; /* THRONG_SWARM_THREADS_LIMIT; those not used are never touched */
    void *threads_memory;        /* which they lie in, aligned */
    void *scenario_memory;       /* the scenario's; freed by load_destroy */
    struct timeline *timelines;  /* one of each thread, then the main thread's; or NULL */

    struct throng_swarm *swarm; /* set by throng_swarm_start before the first handler runs */
    _Atomic uint64_t talk_start_ns;
    _Atomic int phase;
    _Atomic uint32_t up; /* connections that are up now */
    _Atomic uint32_t peak;
};

/* ---- main thread (load.c) ---- */

/* Reserves everything. 0 or THRONG_ENOMEM. `options` must outlive the load. */
int load_create(struct load *load, const struct stress_options *options);

/* Before throng_swarm_start: the time at which all begins. */
void load_begin(struct load *load, uint64_t start_ns);

/* The main thread's own timeline; NULL without --report. */
static inline struct timeline *load_own_timeline(const struct load *load)
{
    return load->timelines == NULL ? NULL : &load->timelines[THRONG_SWARM_THREADS_LIMIT];
}

/* After throng_swarm_stop. */
void load_destroy(struct load *load);

/* Sends every thread into a phase; load_in_phase tells when all have arrived. */
void load_enter(struct load *load, enum load_phase phase);
bool load_in_phase(const struct load *load, enum load_phase phase);

void load_totals(const struct load *load, struct totals *totals);

/* ---- the swarm's threads ---- */

/* load_handler.c */
struct throng_swarm_handler load_handler(struct load *load);

/* The time, a few messages old at most. */
uint64_t load_now(struct load_thread *thread);

/* Closes gracefully what is up; on_closed follows. */
void load_close(struct load_thread *own, uint32_t place);

/* One right answer: `since_ns` is what its latency counts from. */
void load_count_right(struct load_thread *own, uint64_t since_ns, size_t size);

/* load_send.c, for the scenarios that send payloads and get them back: starts talking; answers as
 * on_turn; fills one connection's window; counts what stays unsent. */
void load_send_start(struct load_thread *thread);
uint64_t load_send_turn(struct load_thread *thread);
uint64_t load_send_waiting(struct load_thread *thread);
void load_send_window(struct load_thread *thread, uint32_t place);
void load_send_end(struct load_thread *thread);

/* load_echo.c: takes in one echo. True: it was the next one, and right. */
bool load_echo(struct load_thread *own, uint32_t place, const void *data, size_t size);

static inline uint32_t load_connection_of(const struct load_thread *thread, uint32_t place)
{
    return place * thread->thread_count + thread->index;
}

#endif
