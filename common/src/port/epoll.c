/* SPDX-License-Identifier: MIT
 * The completion port on Linux epoll: its life and its wait. Called through the backend table by
 * the port's owner; wake_system alone by any thread. */
#include "port/epoll.h"
#include "port/backends.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000
#define NS_PER_S 1000000000

_Static_assert(TG_EPOLL_EVENTS_MAX >= 1, "a wait fetches at least one event");

/* --- life ---------------------------------------------------------------------------------- */

static size_t memory_bytes(const struct tg_port_options *options)
{
    (void)options;
    return sizeof(struct tg_epoll_port);
}

static int open_descriptors(struct tg_epoll_port *port)
{
    int error;
    port->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (port->epoll < 0) {
        return tg_error_from_system(errno);
    }
    port->wakeup = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (port->wakeup < 0) {
        error = tg_error_from_system(errno);
        goto close_epoll;
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.ptr = NULL}};
    if (epoll_ctl(port->epoll, EPOLL_CTL_ADD, port->wakeup, &event) != 0) {
        error = tg_error_from_system(errno);
        goto close_wakeup;
    }
    return 0;

close_wakeup:
    (void)close(port->wakeup);
close_epoll:
    (void)close(port->epoll);
    return error;
}

static int open_port(struct tg_port **opened, const struct tg_port_options *options)
{
    TG_REQUIRE(options->turn_bytes >= 1);
    TG_REQUIRE((uintptr_t)options->memory % alignof(struct tg_epoll_port) == 0);
    struct tg_epoll_port *port = options->memory;
    int error = open_descriptors(port);
    if (error != 0) {
        return error;
    }
    port->base.backend = &tg_epoll_backend;
    port->base.recv_pool = options->recv_pool;
    port->base.turn_bytes = options->turn_bytes;
    tg_readiness_init(&port->readiness, options, false);
    tg_list_init(&port->closing);
    tg_list_init(&port->listeners_due);
    *opened = &port->base;
    return 0;
}

static void destroy_port(struct tg_port *base)
{
    struct tg_epoll_port *port = tg_epoll_port_of(base);
    TG_REQUIRE(port->records == 0);
    tg_readiness_end(&port->readiness);
    (void)close(port->wakeup);
    (void)close(port->epoll);
}

static uint32_t list_descriptors(const struct tg_port *base, tg_socket *list, uint32_t capacity)
{
    const struct tg_epoll_port *port = (const struct tg_epoll_port *)(const void *)base;
    TG_REQUIRE(capacity >= 2);
    list[0] = port->epoll;
    list[1] = port->wakeup;
    return 2;
}

static int check(const char **reason)
{
    *reason = NULL;
    return 0; /* every Linux has it, and every sandbox allows it */
}

static bool has_own_table(void)
{
    return false;
}

/* --- wait ---------------------------------------------------------------------------------- */

/* One sleep in the system. Short of nanoseconds a time-out is rounded up, never down to a spin. */
static int fetch_events(struct tg_epoll_port *port, uint32_t most, int64_t timeout_ns)
{
    tg_count_one(&port->base.counters.waits);
    if (timeout_ns <= 0) {
        return epoll_wait(port->epoll, port->events, (int)most, timeout_ns < 0 ? -1 : 0);
    }
#ifdef SYS_epoll_pwait2
    if (!port->no_nanoseconds) {
        struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_S),
                                   .tv_nsec = (long)(timeout_ns % NS_PER_S)};
        long count = syscall(SYS_epoll_pwait2, port->epoll, port->events, (int)most, &timeout, NULL,
                             (size_t)0);
        /* Linux 5.11; a sandbox that does not know it may answer EPERM. */
        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) {
            return (int)count;
        }
        port->no_nanoseconds = true;
    }
#endif
    int64_t timeout_ms = timeout_ns / NS_PER_MS + (timeout_ns % NS_PER_MS != 0);
    return epoll_wait(port->epoll, port->events, (int)most,
                      timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms);
}

/* How many events may be fetched, given that each can take a place in the batch and that streams
 * with data already known need places too. While there are such, both sides get half; of an odd
 * number, and so of a batch of one, the larger half goes to each in turn. */
static uint32_t events_to_fetch(struct tg_epoll_port *port, const struct tg_batch *batch,
                                bool work_known)
{
    uint32_t room = batch->capacity - batch->count;
    if (work_known) {
        room = (room + (port->turn++ & 1)) / 2;
    }
    return room < TG_EPOLL_EVENTS_MAX ? room : TG_EPOLL_EVENTS_MAX;
}

/* Every event is handled here and now: later its record may be gone. */
static void handle_events(struct tg_epoll_port *port, uint32_t count, uint32_t room,
                          struct tg_batch *batch)
{
    uint32_t spare = room - count; /* places that no event of this fetch can need */
    for (uint32_t i = 0; i < count; i++) {
        uintptr_t tagged = (uintptr_t)port->events[i].data.ptr;
        void *record = (void *)(tagged & ~(uintptr_t)TG_TAG_MASK);
        if (record == NULL) {
            continue; /* a wake: that tg_port_wait returns is all it wants */
        }
        if ((tagged & TG_TAG_MASK) == TG_TAG_LISTENER) {
            uint32_t before = batch->count;
            tg_epoll_listener_event(port, record, spare + 1, batch);
            uint32_t taken = batch->count - before;
            spare -= taken > 1 ? taken - 1 : 0;
        } else {
            tg_epoll_stream_event(port, record, port->events[i].events, batch);
        }
    }
}

static uint32_t wait_completions(struct tg_port *base, struct tg_completion *completions,
                                 uint32_t capacity, int64_t timeout_ns)
{
    struct tg_epoll_port *port = tg_epoll_port_of(base);
    struct tg_batch batch = {.completions = completions, .capacity = capacity};
    TG_REQUIRE(capacity >= 1);
    tg_epoll_finish_listeners(port, &batch);
    tg_epoll_finish_closing(port, &batch);

    bool work_known = tg_readiness_has_work(&port->readiness);
    uint32_t most = 0;
    if (!work_known || port->unasked >= TG_EPOLL_UNASKED_MAX) {
        most = events_to_fetch(port, &batch, work_known);
        port->unasked = 0;
    }
    if (most > 0) {
        bool may_sleep = batch.count == 0 && !work_known;
        int count = fetch_events(port, most, may_sleep ? timeout_ns : 0);
        /* Of the errors only EINTR can happen to a port that is in order: a wait cut short. */
        TG_ENSURE(count >= 0 || errno == EINTR);
        if (count > 0) {
            handle_events(port, (uint32_t)count, most, &batch);
        }
    }
    tg_readiness_serve(&port->readiness, &base->counters, &batch);
    port->unasked += batch.count;
    return batch.count;
}

static void receive(struct tg_port *base, struct tg_stream *stream)
{
    (void)tg_readiness_begin(&tg_epoll_port_of(base)->readiness, stream);
}

static void pause_receiving(struct tg_port *base, struct tg_stream *stream)
{
    (void)base;
    tg_readiness_pause(stream);
}

static void wake_system(struct tg_port *base)
{
    struct tg_epoll_port *port = tg_epoll_port_of(base);
    int saved_errno = errno; /* a signal handler may be the caller */
    uint64_t one = 1;
    /* Cannot fail: the counter would have to be near 2^64. */
    ssize_t written = write(port->wakeup, &one, sizeof one);
    (void)written;
    errno = saved_errno;
    /* The one counter that other threads write. */
    atomic_fetch_add_explicit(&base->counters.wakes, 1, memory_order_relaxed);
}

const struct tg_port_backend tg_epoll_backend = {
    .name = "epoll",
    .check = check,
    .has_own_table = has_own_table,
    .memory_bytes = memory_bytes,
    .open = open_port,
    .destroy = destroy_port,
    .descriptors = list_descriptors,
    .listen = tg_epoll_listen,
    .accept = tg_epoll_accept,
    .close_listener = tg_epoll_close_listener,
    .adopt = tg_epoll_adopt,
    .refuse = tg_epoll_refuse,
    .connect = tg_epoll_connect,
    .receive = receive,
    .stop = pause_receiving, /* nothing is taken before it is asked for */
    .pause = pause_receiving,
    .send = tg_epoll_send,
    .shutdown = tg_epoll_shutdown,
    .close = tg_epoll_close,
    .addresses = tg_epoll_addresses,
    .wait = wait_completions,
    .wake_system = wake_system,
};
