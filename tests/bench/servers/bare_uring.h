/* SPDX-License-Identifier: MIT
 * The ring of the loops by hand on io_uring: how it is opened, filled and emptied. Inline, so that
 * none of them pays for the sharing. Each ring belongs to one thread. */
#ifndef BENCH_BARE_URING_H
#define BENCH_BARE_URING_H

#include <errno.h>
#include <liburing.h>
#include <stddef.h>
#include <stdint.h>

#include "echo_server.h"

#define BARE_URING_SUBMISSIONS 4096u
#define BARE_URING_COMPLETIONS 32768u

/* Ends the program if the call failed. */
static inline void bare_uring_check(int result, const char *what)
{
    if (result < 0) {
        errno = -result;
        echo_give_up(what);
    }
}

/* A ring with room for `files` direct descriptors. */
static inline void bare_uring_open(struct io_uring *ring, uint32_t files)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                                              IORING_SETUP_CQSIZE,
                                     .cq_entries = BARE_URING_COMPLETIONS};
    bare_uring_check(io_uring_queue_init_params(BARE_URING_SUBMISSIONS, ring, &params),
                     "io_uring_setup");
    bare_uring_check(io_uring_register_ring_fd(ring), "io_uring_register_ring_fd");
    bare_uring_check(io_uring_register_files_sparse(ring, files), "io_uring_register_files_sparse");
}

/* Submits what is there if the queue is full. */
static inline struct io_uring_sqe *bare_uring_next_entry(struct io_uring *ring)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(ring);
    if (entry == NULL) {
        (void)io_uring_submit(ring);
        entry = io_uring_get_sqe(ring);
        if (entry == NULL) {
            echo_give_up("io_uring_submit");
        }
    }
    return entry;
}

/* Submits, waits and hands out what has completed: one system call. */
static inline void bare_uring_turn(struct io_uring *ring,
                                   void (*on_completion)(void *context,
                                                         const struct io_uring_cqe *entry),
                                   void *context)
{
    struct io_uring_cqe *entry;
    uint32_t head;
    uint32_t count = 0;
    (void)io_uring_submit_and_wait(ring, 1);
    io_uring_for_each_cqe(ring, head, entry)
    {
        on_completion(context, entry);
        count++;
    }
    io_uring_cq_advance(ring, count);
}

#endif
