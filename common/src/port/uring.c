/* SPDX-License-Identifier: MIT
 * The completion port on Linux io_uring: its life and its wait. Called through the backend table by
 * the port's owner; wake_system alone by any thread. */
#include "port/uring.h"
#include "port/backends.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* How often a call is submitted while the kernel lacks memory for requests. */
#define CALL_TRIES 8

/* --- submissions --------------------------------------------------------------------------- */

static bool submit(struct tg_uring_port *port)
{
    int error = tg_uring_submit(&port->ring);
    if (error == -EEXIST) {
        port->orphaned = true;
        return false;
    }
    /* -EAGAIN, -EBUSY: the kernel lacks memory for requests, and has taken none or a part. */
    TG_ENSURE(error == 0 || error == -EINTR || error == -EAGAIN || error == -EBUSY ||
              error == -ENOMEM);
    if (tg_uring_unsubmitted(&port->ring) > 0) {
        return false;
    }
    port->scratch_used = 0;
    return true;
}

struct tg_sqe *tg_uring_port_sqe(struct tg_uring_port *port)
{
    struct tg_sqe *sqe = tg_uring_sqe(&port->ring);
    if (sqe == NULL && submit(port)) {
        sqe = tg_uring_sqe(&port->ring);
    }
    return sqe;
}

struct tg_sqe *tg_uring_stream_sqe(struct tg_uring_port *port, enum tg_uring_op op,
                                   const struct tg_stream *stream, enum tg_uring_tag tag)
{
    struct tg_sqe *sqe = tg_uring_port_sqe(port);
    if (sqe != NULL) {
        sqe->opcode = (uint8_t)op;
        sqe->flags = port->file_flag;
        sqe->fd = (int32_t)stream->handle;
        sqe->user_data = tg_uring_tag(stream, tag);
    }
    return sqe;
}

void *tg_uring_scratch(struct tg_uring_port *port, size_t bytes)
{
    uint32_t size = ((uint32_t)bytes + 15u) & ~15u;
    TG_REQUIRE(bytes <= TG_URING_SCRATCH_BYTES / 4);
    /* With the queue full, taking the entry would submit and so free this memory too early. */
    bool queue_full = tg_uring_unsubmitted(&port->ring) > port->ring.sq_mask;
    if ((queue_full || port->scratch_used + size > TG_URING_SCRATCH_BYTES) && !submit(port)) {
        return NULL;
    }
    void *memory = &port->scratch[port->scratch_used];
    port->scratch_used += size;
    return memory;
}

bool tg_uring_cancel(struct tg_uring_port *port, uint64_t user_data)
{
    struct tg_sqe *sqe = tg_uring_port_sqe(port);
    if (sqe == NULL) {
        return false;
    }
    sqe->opcode = TG_OP_ASYNC_CANCEL;
    sqe->flags = TG_SQE_SKIP_SUCCESS;
    sqe->fd = -1;
    sqe->addr = user_data;
    sqe->op_flags = TG_CANCEL_ALL;
    return true;
}

/* Takes back the entry that was made last, which the kernel has not: it takes them in turn.
 * Submitted later it would write to what is no longer there, or make a descriptor that nobody knows
 * of. */
static void withdraw(struct tg_sqe *sqe)
{
    *sqe = (struct tg_sqe){.opcode = TG_OP_NOP, .user_data = TG_TAG_NONE};
}

int tg_uring_call(struct tg_uring_port *port, struct tg_sqe *sqe)
{
    struct tg_uring *ring = &port->ring;
    sqe->user_data = TG_TAG_CALL | (uint64_t)sqe->opcode << TG_TAG_CALL_SHIFT;
    uint32_t at = atomic_load_explicit(ring->cq_tail, memory_order_relaxed);
    int tries = CALL_TRIES;
    while (!submit(port)) {
        if (port->orphaned || --tries == 0) {
            withdraw(sqe);
            return -ENOMEM;
        }
    }
    /* Its completion lies among those that this submission has added. */
    uint32_t tail = atomic_load_explicit(ring->cq_tail, memory_order_acquire);
    for (; at != tail; at++) {
        struct tg_cqe *cqe = &ring->cqes[at & ring->cq_mask];
        if ((cqe->user_data & TG_TAG_MASK) == TG_TAG_CALL) {
            cqe->user_data = TG_TAG_NONE; /* the wait is to pass over it */
            return cqe->res;
        }
    }
    return -EAGAIN; /* the queue is full: the wait will find it, see on_late_call */
}

/* A call whose result came after its caller had gone: a descriptor that it made is nobody's. */
static void on_late_call(const struct tg_cqe *cqe)
{
    if (cqe->user_data >> TG_TAG_CALL_SHIFT == TG_OP_FIXED_FD_INSTALL && cqe->res >= 0) {
        tg_socket_close(cqe->res);
    }
}

int tg_uring_borrow_descriptor(struct tg_uring_port *port, tg_handle handle)
{
    struct tg_sqe *sqe = tg_uring_port_sqe(port);
    if (sqe == NULL) {
        return -ENOMEM;
    }
    sqe->opcode = TG_OP_FIXED_FD_INSTALL;
    sqe->flags = TG_SQE_FIXED_FILE;
    sqe->fd = (int32_t)handle;
    return tg_uring_call(port, sqe);
}

/* --- life ---------------------------------------------------------------------------------- */

static size_t memory_bytes(const struct tg_port_options *options)
{
    return sizeof(struct tg_uring_port) + tg_uring_held_bytes() + tg_uring_buffers_bytes(options);
}

static int register_table(struct tg_uring_port *port, uint32_t streams_max)
{
    if (!tg_uring_has(port, TG_URING_DIRECT)) {
        return 0;
    }
    const struct tg_uring_files files = {.count = streams_max + TG_URING_TABLE_SPARE,
                                         .flags = TG_FILES_SPARSE};
    return tg_uring_register(&port->ring, TG_REGISTER_FILES2, &files, sizeof files);
}

static void init_port(struct tg_uring_port *port, const struct tg_port_options *options,
                      uint32_t abilities)
{
    port->base.recv_pool = options->recv_pool;
    port->base.turn_bytes = options->turn_bytes;
    port->abilities = abilities;
    port->file_flag = (abilities & TG_URING_DIRECT) != 0 ? TG_SQE_FIXED_FILE : 0;
    tg_list_init(&port->unarmed);
    tg_list_init(&port->ready);
    tg_list_init(&port->starved);
    tg_list_init(&port->starved_again);
    tg_list_init(&port->closing);
    tg_list_init(&port->closing_in_flight);
    tg_list_init(&port->listeners_due);
    tg_list_init(&port->listeners_in_flight);
}

/* What a refusal at the opening means to whoever starts a server. The check before it went well, so
 * the system is short of something now: of memory, locked (EAGAIN of mmap) or not, or of
 * descriptors. */
static int refusal_of(int system_error)
{
    int error = tg_error_from_system(system_error);
    if (error == THRONG_EAGAIN || error == THRONG_ENOBUFS) {
        return THRONG_ENOMEM;
    }
    return error == THRONG_EMFILE || error == THRONG_ENOMEM ? error : THRONG_ESYSTEM;
}

static int open_with(struct tg_port **opened, const struct tg_port_options *options,
                     uint32_t abilities_allowed)
{
    TG_REQUIRE(options->turn_bytes >= 1);
    TG_REQUIRE(options->buffers_max == options->recv_pool->count);
    TG_REQUIRE((uintptr_t)options->memory % alignof(struct tg_uring_port) == 0);
    const char *step;
    int abilities = tg_uring_probe(&step);
    if (abilities < 0) {
        return refusal_of(-abilities);
    }
    struct tg_uring_port *port = options->memory;
    init_port(port, options, (uint32_t)abilities & abilities_allowed);
    uint8_t *rest = (uint8_t *)(port + 1);
    tg_uring_held_open(port, rest);
    rest += tg_uring_held_bytes();

    port->wakeup = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (port->wakeup < 0) {
        return refusal_of(errno);
    }
    int error = tg_uring_open(&port->ring, TG_URING_SQ_ENTRIES, TG_URING_CQ_ENTRIES);
    if (error != 0) {
        goto close_wakeup;
    }
    error = register_table(port, options->streams_max);
    if (error != 0) {
        goto close_ring;
    }
    error = tg_uring_buffers_open(port, rest);
    if (error != 0) {
        goto close_ring;
    }
    *opened = &port->base;
    return 0;

close_ring:
    tg_uring_close(&port->ring);
close_wakeup:
    (void)close(port->wakeup);
    return refusal_of(-error);
}

static int open_port(struct tg_port **opened, const struct tg_port_options *options)
{
    int error = open_with(opened, options, UINT32_MAX);
    if (error == 0) {
        (*opened)->backend = &tg_uring_backend;
    }
    return error;
}

static int open_plain_port(struct tg_port **opened, const struct tg_port_options *options)
{
    int error = open_with(opened, options, 0);
    if (error == 0) {
        (*opened)->backend = &tg_uring_plain_backend;
    }
    return error;
}

static void destroy_port(struct tg_port *base)
{
    struct tg_uring_port *port = tg_uring_port_of(base);
    TG_REQUIRE(port->records == 0);
    /* First the ring: until then the kernel may still write into the buffers. */
    tg_uring_close(&port->ring);
    tg_uring_buffers_close(port);
    (void)close(port->wakeup);
}

static uint32_t list_descriptors(const struct tg_port *base, tg_socket *list, uint32_t capacity)
{
    const struct tg_uring_port *port = (const struct tg_uring_port *)(const void *)base;
    TG_REQUIRE(capacity >= 2);
    list[0] = port->ring.fd;
    list[1] = port->wakeup;
    return 2;
}

static int check(const char **reason)
{
    int abilities = tg_uring_probe(reason);
    return abilities < 0 ? abilities : 0;
}

static bool has_own_table(void)
{
    const char *step;
    int abilities = tg_uring_probe(&step);
    return abilities > 0 && ((uint32_t)abilities & TG_URING_DIRECT) != 0;
}

static bool plain_has_own_table(void)
{
    return false;
}

/* --- wait ---------------------------------------------------------------------------------- */

static void arm_wakeup(struct tg_uring_port *port)
{
    struct tg_sqe *sqe = tg_uring_port_sqe(port);
    if (sqe != NULL) {
        sqe->opcode = TG_OP_POLL_ADD;
        sqe->fd = port->wakeup;
        sqe->len = TG_POLL_MULTISHOT;
        sqe->op_flags = POLLIN;
        sqe->user_data = TG_TAG_WAKE;
        port->wakeup_armed = true;
    }
}

/* False: it cannot be taken yet. */
static bool handle_completion(struct tg_uring_port *port, const struct tg_cqe *cqe,
                              struct tg_batch *batch)
{
    void *record = (void *)(uintptr_t)(cqe->user_data & ~(uint64_t)TG_TAG_MASK);
    switch ((enum tg_uring_tag)(cqe->user_data & TG_TAG_MASK)) {
    case TG_TAG_RECEIVE:
        return tg_uring_on_receive(port, record, cqe, batch);
    case TG_TAG_SEND:
        tg_uring_on_send(port, record, cqe->res, batch);
        return true;
    case TG_TAG_CONNECT:
        tg_uring_on_connect(port, record, cqe->res, batch);
        return true;
    case TG_TAG_CLOSE:
        tg_uring_on_close(port, record, batch);
        return true;
    case TG_TAG_ACCEPT:
        tg_uring_on_accept(port, record, cqe->res, batch);
        return true;
    case TG_TAG_WAKE: /* that tg_port_wait returns is all it wants */
        port->wakeup_armed = (cqe->flags & TG_CQE_MORE) != 0;
        return true;
    case TG_TAG_CALL:
        on_late_call(cqe);
        return true;
    case TG_TAG_NONE:
        return true;
    }
    TG_UNREACHABLE("a completion that nobody submitted");
}

static void reap(struct tg_uring_port *port, struct tg_batch *batch)
{
    struct tg_cqe *cqe;
    while (!tg_batch_is_full(batch) && (cqe = tg_uring_peek(&port->ring)) != NULL) {
        if (!handle_completion(port, cqe, batch)) {
            break;
        }
        tg_uring_take(&port->ring);
    }
    tg_uring_publish(&port->ring);
}

/* What the port can do without the kernel. */
static void do_due_work(struct tg_uring_port *port, struct tg_batch *batch)
{
    if (!port->wakeup_armed) {
        arm_wakeup(port);
    }
    tg_uring_finish_listeners(port, batch);
    tg_uring_finish_closing(port, batch);
    tg_uring_buffers_lend(port);
    tg_uring_feed_starved(port);
    tg_uring_arm_again(port);
    tg_uring_serve_ready(port, batch);
}

static bool has_due_work(const struct tg_uring_port *port)
{
    return !tg_list_is_empty(&port->unarmed) || !tg_list_is_empty(&port->listeners_due) ||
           !tg_list_is_empty(&port->closing) || !tg_list_is_empty(&port->ready) ||
           (port->lent > 0 && tg_uring_any_starved(port));
}

static void call_kernel(struct tg_uring_port *port, bool may_sleep, int64_t timeout_ns)
{
    tg_count_one(&port->base.counters.waits);
    int error = tg_uring_enter(&port->ring, may_sleep && timeout_ns != 0 ? 1 : 0, timeout_ns);
    if (error == -EEXIST) { /* another thread than the first; see tg_port_wait */
        port->orphaned = true;
        return;
    }
    /* -EAGAIN, -EBUSY: as in submit; what is left is submitted by the next wait. */
    TG_ENSURE(error == 0 || error == -ETIME || error == -EINTR || error == -EAGAIN ||
              error == -EBUSY || error == -ENOMEM);
    if (tg_uring_unsubmitted(&port->ring) == 0) {
        port->scratch_used = 0;
    }
}

static uint32_t wait_completions(struct tg_port *base, struct tg_completion *completions,
                                 uint32_t capacity, int64_t timeout_ns)
{
    struct tg_uring_port *port = tg_uring_port_of(base);
    struct tg_batch batch = {.completions = completions, .capacity = capacity};
    TG_REQUIRE(capacity >= 1);
    port->turn++;
    if (port->orphaned) {
        tg_uring_finish_closing(port, &batch);
        tg_uring_finish_listeners(port, &batch);
        TG_REQUIRE(batch.count > 0); /* two threads use the port */
        return batch.count;
    }
    do_due_work(port, &batch);
    bool known = tg_uring_peek(&port->ring) != NULL;
    if (!known || tg_uring_unsubmitted(&port->ring) > 0) {
        bool may_sleep = !known && batch.count == 0 && !has_due_work(port);
        call_kernel(port, may_sleep, timeout_ns);
    }
    reap(port, &batch);
    return batch.count;
}

static void wake_system(struct tg_port *base)
{
    struct tg_uring_port *port = tg_uring_port_of(base);
    int saved_errno = errno; /* a signal handler may be the caller */
    uint64_t one = 1;
    /* Cannot fail: the counter would have to be near 2^64. */
    ssize_t written = write(port->wakeup, &one, sizeof one);
    (void)written;
    errno = saved_errno;
    /* The one counter that other threads write. */
    atomic_fetch_add_explicit(&base->counters.wakes, 1, memory_order_relaxed);
}

#define BACKEND_FUNCTIONS                                                                          \
    .memory_bytes = memory_bytes, .check = check, .destroy = destroy_port,                         \
    .descriptors = list_descriptors, .listen = tg_uring_listen, .accept = tg_uring_accept,         \
    .close_listener = tg_uring_close_listener, .adopt = tg_uring_adopt, .refuse = tg_uring_refuse, \
    .connect = tg_uring_connect, .receive = tg_uring_receive, .stop = tg_uring_stop,               \
    .pause = tg_uring_pause, .send = tg_uring_send, .shutdown = tg_uring_shutdown,                 \
    .close = tg_uring_stream_close, .addresses = tg_uring_addresses, .wait = wait_completions,     \
    .wake_system = wake_system

const struct tg_port_backend tg_uring_backend = {
    .name = "io_uring",
    .open = open_port,
    .has_own_table = has_own_table,
    BACKEND_FUNCTIONS,
};

/* The same with nothing that is newer than Linux 6.1, for tests and for finding out what makes a
 * difference. */
const struct tg_port_backend tg_uring_plain_backend = {
    .name = "io_uring-plain",
    .open = open_plain_port,
    .has_own_table = plain_has_own_table,
    BACKEND_FUNCTIONS,
};
