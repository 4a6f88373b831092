/* SPDX-License-Identifier: MIT
 * A bare io_uring: the two queues in shared memory and the system call between them. One thread
 * submits and reaps: the first one that enters. Used by the uring backend and its probe. */
#ifndef TG_PORT_URING_RING_H
#define TG_PORT_URING_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port/uring_abi.h"

struct tg_uring {
    /* Set by tg_uring_open. */
    int fd;
    uint32_t features;
    uint32_t sq_mask;
    uint32_t cq_mask;
    struct tg_sqe *sqes;
    struct tg_cqe *cqes;
    void *rings;
    size_t rings_bytes;

    /* Shared with the kernel: it moves sq_head and cq_tail, we move sq_tail and cq_head. */
    _Atomic uint32_t *sq_head;
    _Atomic uint32_t *sq_tail;
    _Atomic uint32_t *sq_flags;
    _Atomic uint32_t *cq_head;
    _Atomic uint32_t *cq_tail;

    /* Ours. */
    uint32_t sq_next; /* entries up to here are filled */
    uint32_t cq_next; /* entries up to here are taken */
    bool enabled;     /* the first to enter has bound the ring to its thread */
};

/* Makes a ring with `sq_entries` (a power of two) and at most `cq_entries`: fewer, down to a
 * quarter, where the locked memory allows no more. 0 or a negative errno, with nothing left. */
int tg_uring_open(struct tg_uring *ring, uint32_t sq_entries, uint32_t cq_entries);
void tg_uring_close(struct tg_uring *ring);

/* io_uring_register; >= 0 or a negative errno. */
int tg_uring_register(const struct tg_uring *ring, unsigned operation, const void *argument,
                      uint32_t count);

static inline uint32_t tg_uring_unsubmitted(const struct tg_uring *ring)
{
    /* acquire: the kernel is done with the entries before its head. */
    return ring->sq_next - atomic_load_explicit(ring->sq_head, memory_order_acquire);
}

/* A zeroed entry to fill before the next enter; NULL if the queue is full. */
struct tg_sqe *tg_uring_sqe(struct tg_uring *ring);

/* Submits what is queued without looking for completions. 0 or a negative errno. */
int tg_uring_submit(struct tg_uring *ring);

/* Submits and runs what the kernel has put off; with `wait_count` > 0 sleeps until that many
 * completions are there or timeout_ns passed (negative: no limit). 0 or a negative errno, of which
 * -ETIME and -EINTR are ordinary. */
int tg_uring_enter(struct tg_uring *ring, uint32_t wait_count, int64_t timeout_ns);

/* The oldest completion not yet taken, NULL if there is none. */
static inline struct tg_cqe *tg_uring_peek(const struct tg_uring *ring)
{
    /* acquire: pairs with the kernel's release of its tail; makes the entries before it visible. */
    uint32_t tail = atomic_load_explicit(ring->cq_tail, memory_order_acquire);
    return ring->cq_next == tail ? NULL : &ring->cqes[ring->cq_next & ring->cq_mask];
}

/* Takes the completion that tg_uring_peek answered; its place is the kernel's again after the next
 * tg_uring_publish. */
static inline void tg_uring_take(struct tg_uring *ring)
{
    ring->cq_next++;
}

static inline void tg_uring_publish(struct tg_uring *ring)
{
    /* release: we are done with the entries before it. */
    atomic_store_explicit(ring->cq_head, ring->cq_next, memory_order_release);
}

#endif
