/* SPDX-License-Identifier: MIT
 * The bare io_uring: set-up, mapping, and the enter call. */
#include "port/uring_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

#define NS_PER_S 1000000000

_Static_assert(TG_SYS_IO_URING_SETUP == SYS_io_uring_setup, "one number everywhere");

/* --- life ---------------------------------------------------------------------------------- */

/* SINGLE_ISSUER and DEFER_TASKRUN: completions are made inside our own enter, in batches, instead
 * of by interrupting the thread. R_DISABLED lets another thread than the one that opens it be the
 * single issuer. SUBMIT_ALL: an entry that fails at once does not keep back those behind it. */
#define SETUP_FLAGS                                                                                \
    (TG_SETUP_CQSIZE | TG_SETUP_R_DISABLED | TG_SETUP_SUBMIT_ALL | TG_SETUP_SINGLE_ISSUER |        \
     TG_SETUP_DEFER_TASKRUN)

#define FEATURES_NEEDED                                                                            \
    (TG_FEATURE_SINGLE_MMAP | TG_FEATURE_NODROP | TG_FEATURE_SUBMIT_STABLE | TG_FEATURE_EXT_ARG |  \
     TG_FEATURE_CQE_SKIP)

static int set_up(struct tg_uring_params *params, uint32_t sq_entries, uint32_t cq_entries)
{
    uint32_t least = cq_entries / 4;
    for (;;) {
        *params = (struct tg_uring_params){.flags = SETUP_FLAGS, .cq_entries = cq_entries};
        long fd = syscall(TG_SYS_IO_URING_SETUP, sq_entries, params);
        if (fd >= 0) {
            return (int)fd;
        }
        /* Without CAP_IPC_LOCK the rings count against RLIMIT_MEMLOCK of the whole user. */
        if (errno != ENOMEM || cq_entries / 2 < least || cq_entries / 2 < sq_entries) {
            return -errno;
        }
        cq_entries /= 2;
    }
}

static void find_rings(struct tg_uring *ring, const struct tg_uring_params *params)
{
    uint8_t *base = ring->rings;
    ring->sq_head = (_Atomic uint32_t *)(void *)(base + params->sq.head);
    ring->sq_tail = (_Atomic uint32_t *)(void *)(base + params->sq.tail);
    ring->sq_flags = (_Atomic uint32_t *)(void *)(base + params->sq.flags);
    ring->cq_head = (_Atomic uint32_t *)(void *)(base + params->cq.head);
    ring->cq_tail = (_Atomic uint32_t *)(void *)(base + params->cq.tail);
    ring->cqes = (struct tg_cqe *)(void *)(base + params->cq.cqes);
    ring->sq_mask = params->sq_entries - 1;
    ring->cq_mask = params->cq_entries - 1;
    /* The indirection between queue and entries is not needed: entry i is always place i. */
    uint32_t *array = (uint32_t *)(void *)(base + params->sq.array);
    for (uint32_t i = 0; i < params->sq_entries; i++) {
        array[i] = i;
    }
}

static int map_rings(struct tg_uring *ring, const struct tg_uring_params *params)
{
    size_t sq_bytes = params->sq.array + params->sq_entries * sizeof(uint32_t);
    size_t cq_bytes = params->cq.cqes + params->cq_entries * sizeof(struct tg_cqe);
    ring->rings_bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes;
    ring->rings = mmap(NULL, ring->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                       ring->fd, (off_t)TG_OFFSET_RINGS);
    if (ring->rings == MAP_FAILED) {
        return -errno;
    }
    void *sqes = mmap(NULL, params->sq_entries * sizeof(struct tg_sqe), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_POPULATE, ring->fd, (off_t)TG_OFFSET_SQES);
    if (sqes == MAP_FAILED) {
        int error = -errno;
        (void)munmap(ring->rings, ring->rings_bytes);
        return error;
    }
    ring->sqes = sqes;
    return 0;
}

int tg_uring_open(struct tg_uring *ring, uint32_t sq_entries, uint32_t cq_entries)
{
    memset(ring, 0, sizeof *ring);
    struct tg_uring_params params;
    ring->fd = set_up(&params, sq_entries, cq_entries);
    if (ring->fd < 0) {
        return ring->fd;
    }
    ring->features = params.features;
    int error = (params.features & FEATURES_NEEDED) == FEATURES_NEEDED ? 0 : -ENOSYS;
    if (error == 0) {
        error = map_rings(ring, &params);
    }
    if (error != 0) {
        (void)close(ring->fd);
        return error;
    }
    find_rings(ring, &params);
    return 0;
}

void tg_uring_close(struct tg_uring *ring)
{
    (void)munmap(ring->sqes, (ring->sq_mask + 1) * sizeof(struct tg_sqe));
    (void)munmap(ring->rings, ring->rings_bytes);
    (void)close(ring->fd);
}

int tg_uring_register(const struct tg_uring *ring, unsigned operation, const void *argument,
                      uint32_t count)
{
    long result = syscall(TG_SYS_IO_URING_REGISTER, ring->fd, operation, argument, count);
    return result < 0 ? -errno : (int)result;
}

/* --- submission ---------------------------------------------------------------------------- */

struct tg_sqe *tg_uring_sqe(struct tg_uring *ring)
{
    if (tg_uring_unsubmitted(ring) > ring->sq_mask) {
        return NULL;
    }
    struct tg_sqe *sqe = &ring->sqes[ring->sq_next & ring->sq_mask];
    ring->sq_next++;
    memset(sqe, 0, sizeof *sqe);
    return sqe;
}

static int enter(struct tg_uring *ring, uint32_t wait_count, uint32_t flags, const void *argument,
                 size_t argument_bytes)
{
    if (!ring->enabled) {
        int error = tg_uring_register(ring, TG_REGISTER_ENABLE_RINGS, NULL, 0);
        TG_ENSURE(error == 0);
        ring->enabled = true;
    }
    /* release: pairs with the kernel's acquire; makes the entries before it visible. */
    atomic_store_explicit(ring->sq_tail, ring->sq_next, memory_order_release);
    long result = syscall(TG_SYS_IO_URING_ENTER, ring->fd, tg_uring_unsubmitted(ring), wait_count,
                          flags, argument, argument_bytes);
    return result < 0 ? -errno : 0;
}

int tg_uring_submit(struct tg_uring *ring)
{
    return enter(ring, 0, 0, NULL, 0);
}

int tg_uring_enter(struct tg_uring *ring, uint32_t wait_count, int64_t timeout_ns)
{
    if (wait_count == 0 || timeout_ns < 0) {
        return enter(ring, wait_count, TG_ENTER_GETEVENTS, NULL, 0);
    }
    const struct tg_uring_timespec timeout = {.tv_sec = timeout_ns / NS_PER_S,
                                              .tv_nsec = timeout_ns % NS_PER_S};
    const struct tg_uring_wait argument = {.timeout = (uintptr_t)&timeout};
    return enter(ring, wait_count, TG_ENTER_GETEVENTS | TG_ENTER_EXT_ARG, &argument,
                 sizeof argument);
}
