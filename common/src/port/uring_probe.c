/* SPDX-License-Identifier: MIT
 * What this kernel's io_uring can do, found out by doing it on a small ring: a version number says
 * nothing of distributions' patches, and a sandbox may forbid it all (Docker's default profile
 * answers EPERM). Called at start, any thread; costs about a tenth of a millisecond. */
#include "port/uring.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RING_ENTRIES 8u
#define CAP_BYTES 16
#define SENT_BYTES 40

struct probe {
    const char *step; /* what is being tried */
    struct tg_uring ring;
    int pair[2];
    alignas(4096) struct tg_uring_buffer buffers[4096 / sizeof(struct tg_uring_buffer)];
    uint8_t memory[256];
};

/* The result of one submission that completes at once; its flags too. */
static int try_one(struct tg_uring *ring, uint32_t *flags)
{
    int error = tg_uring_enter(ring, 1, 1000000000);
    struct tg_cqe *cqe = tg_uring_peek(ring);
    if (cqe == NULL) {
        return error < 0 ? error : -ETIME;
    }
    int result = cqe->res;
    *flags = cqe->flags;
    tg_uring_take(ring);
    tg_uring_publish(ring);
    return result;
}

static int offer_buffer(struct probe *probe, uint16_t flags)
{
    const struct tg_uring_buffer_ring argument = {
        .addr = (uintptr_t)probe->buffers, .entries = 1, .flags = flags};
    int error = tg_uring_register(&probe->ring, TG_REGISTER_PBUF_RING, &argument, 1);
    if (error == 0) {
        probe->buffers[0] =
            (struct tg_uring_buffer){.addr = (uintptr_t)probe->memory, .len = sizeof probe->memory};
        __atomic_store_n(&probe->buffers[0].tail, (uint16_t)1, __ATOMIC_RELEASE);
    }
    return error;
}

static int receive(struct probe *probe, uint32_t cap, uint32_t *flags)
{
    if (write(probe->pair[1], "0123456789012345678901234567890123456789", SENT_BYTES) !=
        SENT_BYTES) {
        return -errno;
    }
    struct tg_sqe *sqe = tg_uring_sqe(&probe->ring);
    sqe->opcode = TG_OP_RECV;
    sqe->flags = TG_SQE_BUFFER_SELECT;
    sqe->ioprio = TG_RECV_MULTISHOT;
    sqe->fd = probe->pair[0];
    sqe->len = cap;
    sqe->file_index = cap;
    return try_one(&probe->ring, flags);
}

static bool has_op(const struct tg_uring *ring, enum tg_uring_op op)
{
    struct tg_uring_probe probe;
    memset(&probe, 0, sizeof probe);
    return tg_uring_register(ring, TG_REGISTER_PROBE, &probe, TG_PROBE_OPS) == 0 &&
           op < TG_PROBE_OPS && (probe.ops[op].flags & TG_PROBE_SUPPORTED) != 0;
}

static int with_ring(struct probe *probe, int (*attempt)(struct probe *probe))
{
    int result = tg_uring_open(&probe->ring, RING_ENTRIES, RING_ENTRIES);
    if (result != 0) {
        return result;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, probe->pair) == 0) {
        result = attempt(probe);
        (void)close(probe->pair[0]);
        (void)close(probe->pair[1]);
    } else {
        result = -errno;
    }
    tg_uring_close(&probe->ring);
    return result;
}

/* The least: a multishot receive into a provided buffer, which goes on. */
static int attempt_least(struct probe *probe)
{
    probe->step = "provided buffers";
    int error = offer_buffer(probe, 0);
    if (error != 0) {
        return error;
    }
    probe->step = "multishot receive";
    uint32_t flags = 0;
    int result = receive(probe, 0, &flags);
    if (result < 0) {
        return result;
    }
    if (result != SENT_BYTES || (flags & TG_CQE_BUFFER) == 0 || (flags & TG_CQE_MORE) == 0) {
        return -EOPNOTSUPP;
    }
    return has_op(&probe->ring, TG_OP_FIXED_FD_INSTALL) ? (int)TG_URING_DIRECT : 0;
}

/* A capped receive ends after as many bytes, and the buffer goes on. */
static int attempt_incremental(struct probe *probe)
{
    if (offer_buffer(probe, TG_PBUF_INCREMENTAL) != 0) {
        return 0;
    }
    uint32_t flags = 0;
    int result = receive(probe, CAP_BYTES, &flags);
    bool capped = result == CAP_BYTES && (flags & TG_CQE_MORE) == 0;
    return capped && (flags & TG_CQE_BUFFER_MORE) != 0 ? (int)TG_URING_INCREMENTAL : 0;
}

int tg_uring_probe(const char **step)
{
    struct probe probe;
    memset(&probe, 0, sizeof probe);
    probe.step = "io_uring_setup";
    int least = with_ring(&probe, attempt_least);
    *step = probe.step;
    if (least < 0) {
        return least;
    }
    memset(&probe, 0, sizeof probe);
    int more = with_ring(&probe, attempt_incremental);
    return more < 0 ? least : least | more;
}
