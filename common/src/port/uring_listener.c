/* SPDX-License-Identifier: MIT
 * The io_uring backend's accepting. Called by the port's owner.
 *
 * Single accepts, a few of them in flight, not a multishot one: that knows no credit. With its
 * table full the kernel accepts a connection and closes it, so a peer that should wait in the
 * backlog is turned away; and of several ports that share a socket the first takes whatever there
 * is. Each accept in flight waits exclusively, so a new connection wakes one port, and they take
 * turns. */
#include "port/uring.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Keeps as many accepts in flight as the caller has credit for, within the limit. */
static void top_up(struct tg_uring_port *port, struct tg_listener *listener)
{
    uint32_t wanted = listener->credit < TG_URING_ACCEPTS ? listener->credit : TG_URING_ACCEPTS;
    while (listener->in_flight < wanted) {
        struct tg_sqe *sqe = tg_uring_port_sqe(port);
        if (sqe == NULL) {
            return; /* tried again with the next accept or tg_port_accept */
        }
        sqe->opcode = TG_OP_ACCEPT;
        sqe->fd = (int32_t)listener->handle;
        sqe->user_data = tg_uring_tag(listener, TG_TAG_ACCEPT);
        /* Non-blocking, see tg_uring_on_send. SOCK_CLOEXEC with a direct descriptor is EINVAL. */
        if (tg_uring_has(port, TG_URING_DIRECT)) {
            sqe->file_index = TG_FILE_INDEX_ALLOC;
            sqe->op_flags = SOCK_NONBLOCK;
        } else {
            sqe->op_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
        }
        listener->in_flight++;
    }
}

static bool cancel_accepts(struct tg_uring_port *port, struct tg_listener *listener)
{
    return listener->in_flight == 0 || tg_uring_cancel(port, tg_uring_tag(listener, TG_TAG_ACCEPT));
}

int tg_uring_listen(struct tg_port *base, struct tg_listener *listener, tg_socket sock)
{
    TG_REQUIRE(listener->flags == 0);
    listener->handle = sock;
    listener->flags = TG_LISTENER_OPEN;
    listener->credit = 0;
    listener->in_flight = 0;
    tg_list_init(&listener->link);
    tg_uring_port_of(base)->records++;
    return 0;
}

static bool has_surplus(const struct tg_uring_port *port, const struct tg_listener *listener)
{
    for (uint32_t i = 0; i < port->surplus_count; i++) {
        if (port->surplus[i].listener == listener) {
            return true;
        }
    }
    return false;
}

static void set_due(struct tg_uring_port *port, struct tg_listener *listener)
{
    tg_list_remove(&listener->link);
    tg_list_push_back(&port->listeners_due, &listener->link);
}

void tg_uring_accept(struct tg_port *base, struct tg_listener *listener, uint32_t credit)
{
    struct tg_uring_port *port = tg_uring_port_of(base);
    TG_REQUIRE((listener->flags & TG_LISTENER_OPEN) != 0);
    listener->credit = credit;
    if (credit == 0) {
        (void)cancel_accepts(port, listener); /* else what they bring is surplus */
    } else if (has_surplus(port, listener)) {
        set_due(port, listener); /* those first, see tg_uring_finish_listeners */
    } else {
        top_up(port, listener);
    }
}

void tg_uring_close_listener(struct tg_port *base, struct tg_listener *listener)
{
    struct tg_uring_port *port = tg_uring_port_of(base);
    TG_REQUIRE((listener->flags & TG_LISTENER_OPEN) != 0);
    listener->flags = TG_LISTENER_CLOSING;
    listener->credit = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < port->surplus_count; i++) {
        if (port->surplus[i].listener == listener) {
            tg_uring_refuse(base, port->surplus[i].handle);
        } else {
            port->surplus[kept++] = port->surplus[i];
        }
    }
    port->surplus_count = kept;
    set_due(port, listener);
}

static void complete_accept(struct tg_listener *listener, tg_handle handle, struct tg_batch *batch)
{
    struct tg_completion *completion = tg_batch_add(batch, TG_COMPLETION_ACCEPT, 0);
    completion->listener = listener;
    completion->accepted = handle;
    listener->credit--;
}

static void on_accepted(struct tg_uring_port *port, struct tg_listener *listener, tg_handle handle,
                        struct tg_batch *batch)
{
    bool open = listener->flags == TG_LISTENER_OPEN;
    if (open && listener->credit > 0) {
        complete_accept(listener, handle, batch);
    } else if (open && port->surplus_count < TG_URING_SURPLUS) {
        port->surplus[port->surplus_count++] =
            (struct tg_uring_surplus){.listener = listener, .handle = handle};
    } else { /* closed, or more than 16 listeners whose credit all ended at once */
        tg_uring_refuse(&port->base, handle);
    }
}

/* Nothing can be accepted for now: it rests until the caller asks again. */
static void stop_accepting(struct tg_uring_port *port, struct tg_listener *listener, int error,
                           struct tg_batch *batch)
{
    listener->credit = 0;
    (void)cancel_accepts(port, listener);
    tg_count_one(&port->base.counters.accept_pauses);
    int code = error == ENOMEM ? THRONG_ENOBUFS : tg_error_from_system(error);
    tg_batch_add(batch, TG_COMPLETION_ACCEPT, code)->listener = listener;
}

void tg_uring_on_accept(struct tg_uring_port *port, struct tg_listener *listener, int32_t result,
                        struct tg_batch *batch)
{
    listener->in_flight--;
    if (result >= 0) {
        on_accepted(port, listener, result, batch);
    } else if (tg_accept_has_died(-result)) {
        tg_count_one(&port->base.counters.accepts_dead);
    } else if (result != -ECANCELED && result != -EINTR && result != -EAGAIN &&
               listener->credit > 0) {
        stop_accepting(port, listener, -result, batch); /* the first of those that fail tells */
    }
    if (listener->flags == TG_LISTENER_CLOSING) {
        set_due(port, listener);
    } else {
        top_up(port, listener);
    }
}

/* The oldest surplus connections of a listener, while there is credit and room. */
static void complete_surplus(struct tg_uring_port *port, struct tg_listener *listener,
                             struct tg_batch *batch)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < port->surplus_count; i++) {
        if (port->surplus[i].listener == listener && listener->credit > 0 &&
            !tg_batch_is_full(batch)) {
            complete_accept(listener, port->surplus[i].handle, batch);
        } else {
            port->surplus[kept++] = port->surplus[i];
        }
    }
    port->surplus_count = kept;
}

static void finish_close(struct tg_uring_port *port, struct tg_listener *listener,
                         struct tg_batch *batch)
{
    if (listener->in_flight > 0 && !port->orphaned) {
        /* The last canceled accept comes here again. */
        bool canceled = cancel_accepts(port, listener);
        tg_list_push_back(canceled ? &port->listeners_in_flight : &port->listeners_due,
                          &listener->link);
        return;
    }
    (void)close((int)listener->handle);
    listener->handle = TG_HANDLE_NONE;
    listener->flags = 0;
    port->records--;
    tg_batch_add(batch, TG_COMPLETION_LISTENER_CLOSE, 0)->listener = listener;
}

void tg_uring_finish_listeners(struct tg_uring_port *port, struct tg_batch *batch)
{
    struct tg_list *orphan;
    while (port->orphaned && (orphan = tg_list_pop_front(&port->listeners_in_flight)) != NULL) {
        tg_list_push_back(&port->listeners_due, orphan);
    }
    struct tg_list *last = port->listeners_due.prev;
    bool all_done = last == &port->listeners_due;
    while (!all_done && !tg_batch_is_full(batch)) {
        struct tg_list *link = tg_list_pop_front(&port->listeners_due);
        TG_REQUIRE(link != NULL); /* `last` is still to come */
        struct tg_listener *listener = tg_listener_of_link(link);
        all_done = link == last;
        if (listener->flags == TG_LISTENER_CLOSING) {
            finish_close(port, listener, batch);
            continue;
        }
        complete_surplus(port, listener, batch);
        if (has_surplus(port, listener) && listener->credit > 0) {
            tg_list_push_back(&port->listeners_due, &listener->link);
        } else {
            top_up(port, listener);
        }
    }
}
