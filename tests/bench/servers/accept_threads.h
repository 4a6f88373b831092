/* SPDX-License-Identifier: MIT
 * What the bare accept loops share: as many threads as throng needs for so many connections, each
 * with a listener and descriptors of its own, and the process around them.
 *
 *     NAME THREADS    prints "listening on tcp://127.0.0.1:PORT"; ends at SIGTERM */
#ifndef BENCH_ACCEPT_THREADS_H
#define BENCH_ACCEPT_THREADS_H

#include <stdatomic.h>
#include <stdint.h>

#define ACCEPT_THREADS_MAX 64u

/* A thread's part; the main thread reads the counts. */
struct accept_thread {
    int listener;
    _Atomic uint64_t accepted;
    _Atomic uint64_t messages;
};

/* Serves for ever; calls accept_ready() before. */
typedef void accept_run_fn(struct accept_thread *thread);

/* The whole main(): answers the exit status. */
int accept_threads_main(int argc, char **argv, accept_run_fn *run);

/* To be called by each thread: what it needs, it has. The port is told when all
 * have. */
void accept_ready(void);

static inline void accept_count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

#endif
