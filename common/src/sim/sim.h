/* SPDX-License-Identifier: MIT
 * The simulated system: one process that holds threads, time, chance and faults, all from one seed.
 * The *.sim.c files of os/ and port/ fulfil their contracts on it, so that server, client and
 * common code run in it unchanged, and the same seed gives the same run, step by step.
 *
 *   threads   fibers; another one may go on at each tg_yield (base/yield.h), wait, park and sleep
 *   time      virtual: it moves a little with each switch, and jumps to what comes next when
 *             everybody sleeps
 *   network   sim/net.h
 *   chance    one generator, seeded
 *
 * One world at a time, in one real thread. A broken rule ends the process by an assertion, with the
 * seed and the last notes on standard error. */
#ifndef TG_SIM_SIM_H
#define TG_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/list.h"

/* What can go wrong, each with a probability in parts of 65,536, asked whenever it could happen.
 * X(name, text) */
#define TG_SIM_FAULT_MAP(X)                                                                        \
    X(yield, "another thread goes on at a yield point")                                            \
    X(stall, "a thread that could run is left standing for up to a millisecond")                   \
    X(spurious_wake, "a sleep ends for no reason")                                                 \
    X(partial_receive, "a receive takes less than there is")                                       \
    X(partial_send, "a send takes less than there is room for")                                    \
    X(tiny, "and then it is one byte")                                                             \
    X(zero_send, "a pending send completes with no byte")                                          \
    X(pending_send, "a send that could be done at once is pending")                                \
    X(late, "a completion waits, and others overtake it")                                          \
    X(run_ahead, "input is taken from the network before the stop or pause reached it")            \
    X(success_after_cancel, "an operation succeeds though the close came first")                   \
    X(send_error, "a send fails (ENOBUFS, EPIPE, ECONNRESET, ETIMEDOUT)")                          \
    X(receive_error, "a receive fails (ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENOBUFS)")             \
    X(accept_error, "accepting fails (EMFILE, ENFILE, ENOBUFS, ENOMEM)")                           \
    X(accept_dead, "a connection died before it was accepted")                                     \
    X(adopt_error, "an accepted connection cannot be adopted")                                     \
    X(connect_error, "a connect fails (ETIMEDOUT, EHOSTUNREACH, EADDRNOTAVAIL)")                   \
    X(doom, "a new connection breaks after a while (reset or time-out at either end)")             \
    X(reset_discards, "a reset takes along what had arrived and was not read")                     \
    X(fragment, "bytes on the way arrive in pieces")                                               \
    X(slow_path, "and take a hundred times longer")                                                \
    X(clock_jump, "time jumps by seconds when everybody sleeps")                                   \
    X(memory_error, "a reservation of memory fails")                                               \
    X(socket_error, "a socket cannot be opened, bound, listened on or duplicated")                 \
    X(thread_error, "a thread cannot be started")                                                  \
    X(port_error, "a port cannot be opened")                                                       \
    X(random_error, "the system has no randomness")

enum tg_sim_fault {
#define TG_SIM_FAULT_ENUM(name, text) TG_SIM_FAULT_##name,
    TG_SIM_FAULT_MAP(TG_SIM_FAULT_ENUM)
#undef TG_SIM_FAULT_ENUM
    TG_SIM_FAULT_COUNT
};

/* What a simulated port does, for whoever keeps a look at it from outside. */
enum tg_sim_port_act {
    TG_SIM_PORT_ADOPTS,
    TG_SIM_PORT_READS,    /* tg_port_receive */
    TG_SIM_PORT_STOPS,    /* tg_port_stop, tg_port_pause */
    TG_SIM_PORT_RECEIVED, /* `amount` bytes at `data` are completed */
    TG_SIM_PORT_SENT,     /* the network took `amount` bytes at `data` */
    TG_SIM_PORT_PENDS,    /* a send is pending */
    TG_SIM_PORT_CLOSES,
    TG_SIM_PORT_WAITS, /* tg_port_wait begins, for `amount` ns */
    TG_SIM_PORT_RETURNS,
};

struct tg_sim_port_note {
    enum tg_sim_port_act act;
    const void *port;
    const void *stream; /* the caller's; NULL for the last two */
    const uint8_t *data;
    int64_t amount;
};

struct tg_sim_options {
    uint64_t seed;
    uint32_t faults[TG_SIM_FAULT_COUNT]; /* parts of 65,536 */
    uint32_t delay_ns;                   /* longest way of a byte; of a completion a tenth of it */
    uint32_t pipe_bytes;                 /* what one direction of a connection holds; >= 1 */
    uint32_t sockets_max;                /* at once; opening one more is EMFILE; <= 65,536 */
    uint64_t steps_max;                  /* thread switches and network events until it is a hang */
    bool trace;                          /* print each note */
    /* Asked when everybody sleeps, before time moves on, if a thread ran since; may be NULL. */
    void (*on_idle)(void *context);
    /* Told of each act of a port; may be NULL. */
    void (*on_port)(void *context, const struct tg_sim_port_note *note);
    void *context;
};

/* Everything that the world counts. */
struct tg_sim_counts {
    uint64_t steps;                      /* switches and network events */
    uint64_t switches;                   /* from one thread to another */
    uint64_t completions;                /* that a port answered */
    uint64_t faulted;                    /* of them, those with a fault since the one before */
    uint64_t connections;                /* that came up */
    uint64_t faults[TG_SIM_FAULT_COUNT]; /* how often each has struck */
};

/* Makes a world; the one before must be closed. */
void tg_sim_open(const struct tg_sim_options *options);

/* Runs main(argument) as the first thread, and all threads that it starts, until it returns; they
 * must have ended by then. Once per world. */
void tg_sim_run(void (*main)(void *), void *argument);

/* Ends the world. Open sockets, memory not released and running threads are bugs. */
void tg_sim_close(void);

/* From here on no fault strikes any more (those of a connection already doomed still do). */
void tg_sim_calm(void);
/* Sets one fault's probability. */
void tg_sim_set_fault(enum tg_sim_fault fault, uint32_t parts);
const char *tg_sim_fault_name(enum tg_sim_fault fault);

const struct tg_sim_counts *tg_sim_counts(void);

/* ---- chance ---- */

/* Begins anew. */
void tg_sim_seed(uint64_t seed);
uint64_t tg_sim_random(void);
uint32_t tg_sim_below(uint32_t bound); /* 0..bound-1; bound >= 1 */

/* Whether the fault strikes now; counted if so. */
bool tg_sim_strikes(enum tg_sim_fault fault);

/* ---- time and threads (called inside tg_sim_run) ---- */

uint64_t tg_sim_now_ns(void);

/* A little time passes on the calling thread, as with a system call; what is due happens. */
void tg_sim_pass(void);
/* As that, a given time; also outside tg_sim_run, for a world that has no threads. */
void tg_sim_elapse(uint64_t duration_ns);

struct tg_sim_thread;

/* Starts a thread; NULL if there is no place for it. Of the name the first 15 bytes are kept. */
struct tg_sim_thread *tg_sim_thread_start(const char *name, void (*main)(void *), void *argument);
void tg_sim_thread_join(struct tg_sim_thread *thread);
struct tg_sim_thread *tg_sim_thread_self(void);

/* The calling thread sleeps until tg_sim_thread_wake or for timeout_ns (negative: no limit); also
 * for no reason, if that fault strikes. */
void tg_sim_thread_sleep(int64_t timeout_ns);
/* As that, but nothing wakes it: a thread that thinks or stalls. */
void tg_sim_thread_stand(uint64_t duration_ns);
/* Harmless for a thread that does not sleep. */
void tg_sim_thread_wake(struct tg_sim_thread *thread);

/* Something that happens at its time, on nobody's thread: it must not sleep or yield. Zeroed at
 * first; the caller's memory until it ran or was stopped. */
struct tg_sim_action {
    void (*run)(struct tg_sim_action *action);
    uint64_t due_ns;
    uint64_t order; /* those of the same time run in the order in which they were set */
    uint32_t place; /* in the heap, + 1; 0: not set */
};

/* Sets it, or sets it anew, to run `delay_ns` from now. */
void tg_sim_act(struct tg_sim_action *action, void (*run)(struct tg_sim_action *),
                uint64_t delay_ns);
void tg_sim_act_not(struct tg_sim_action *action);
static inline bool tg_sim_is_set(const struct tg_sim_action *action)
{
    return action->place != 0;
}

/* ---- notes: the trace ---- */

/* X(name) */
#define TG_SIM_NOTE_MAP(X)                                                                         \
    X(thread)                                                                                      \
    X(sleep)                                                                                       \
    X(jump)                                                                                        \
    X(listen)                                                                                      \
    X(syn)                                                                                         \
    X(arrive)                                                                                      \
    X(end)                                                                                         \
    X(reset)                                                                                       \
    X(socket_close)                                                                                \
    X(accept)                                                                                      \
    X(connect)                                                                                     \
    X(receive)                                                                                     \
    X(send)                                                                                        \
    X(close)                                                                                       \
    X(game)                                                                                        \
    X(peer)

enum tg_sim_note {
#define TG_SIM_NOTE_ENUM(name) TG_SIM_NOTE_##name,
    TG_SIM_NOTE_MAP(TG_SIM_NOTE_ENUM)
#undef TG_SIM_NOTE_ENUM
};

/* One step of the run: it goes into the hash, and with `trace` to standard output. The numbers must
 * not depend on addresses. */
void tg_sim_note(enum tg_sim_note note, uint64_t first, int64_t second);

/* The hash of all notes so far. */
uint64_t tg_sim_hash(void);

/* Prints the last notes to standard error; for whoever reports a failure. Safe in a signal handler
 * of this thread as far as printing is. */
void tg_sim_print_tail(void);

/* A rule that the code under test must keep; `text` says which one broke. */
#define TG_SIM_RULE(condition, text)                                                               \
    (TG_LIKELY(condition) ? (void)0 : tg_assert_failed("simulation", text, __FILE__, __LINE__))

#endif
