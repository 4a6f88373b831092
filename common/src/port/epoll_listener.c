/* SPDX-License-Identifier: MIT
 * The epoll backend's accepting: level-triggered, in the epoll set only while there is credit.
 * Called by the port's owner. */
#include "port/epoll.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Most accept calls of one event, so that a flood of connections does not keep the connected ones
 * waiting: at 5 us each about a third of a millisecond. */
#define ACCEPTS_MAX 64

/* EPOLLEXCLUSIVE (Linux 4.5): a connection wakes one sleeping port of those that share the socket,
 * not all. Such an entry cannot be modified, only added and deleted; adding looks at the backlog,
 * so what waits there is found. */
static bool arm_listener(struct tg_epoll_port *port, struct tg_listener *listener)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    event.data.ptr = (void *)((uintptr_t)listener | TG_TAG_LISTENER);
    if (epoll_ctl(port->epoll, EPOLL_CTL_ADD, (int)listener->handle, &event) != 0) {
        return false;
    }
    listener->flags |= TG_LISTENER_ARMED;
    return true;
}

static void disarm_listener(struct tg_epoll_port *port, struct tg_listener *listener)
{
    if ((listener->flags & TG_LISTENER_ARMED) != 0) {
        (void)epoll_ctl(port->epoll, EPOLL_CTL_DEL, (int)listener->handle, NULL);
        listener->flags &= ~(uint32_t)TG_LISTENER_ARMED;
    }
}

int tg_epoll_listen(struct tg_port *base, struct tg_listener *listener, tg_socket sock)
{
    struct tg_epoll_port *port = tg_epoll_port_of(base);
    TG_REQUIRE(listener->flags == 0);
    listener->handle = sock;
    listener->flags = TG_LISTENER_OPEN;
    listener->credit = 0;
    tg_list_init(&listener->link);
    port->records++;
    return 0;
}

void tg_epoll_accept(struct tg_port *base, struct tg_listener *listener, uint32_t credit)
{
    struct tg_epoll_port *port = tg_epoll_port_of(base);
    TG_REQUIRE((listener->flags & TG_LISTENER_OPEN) != 0);
    listener->credit = credit;
    if (credit == 0) {
        disarm_listener(port, listener);
        return;
    }
    if ((listener->flags & (TG_LISTENER_ARMED | TG_LISTENER_FAILED)) != 0) {
        return;
    }
    if (!arm_listener(port, listener)) {
        listener->flags |= TG_LISTENER_FAILED;
        tg_list_push_back(&port->listeners_due, &listener->link);
    }
}

void tg_epoll_close_listener(struct tg_port *base, struct tg_listener *listener)
{
    struct tg_epoll_port *port = tg_epoll_port_of(base);
    TG_REQUIRE((listener->flags & TG_LISTENER_OPEN) != 0);
    /* Before close: the socket may live on in other ports, and its entry with it. */
    disarm_listener(port, listener);
    (void)close((int)listener->handle);
    listener->handle = TG_HANDLE_NONE;
    listener->flags = TG_LISTENER_CLOSING;
    tg_list_remove(&listener->link);
    tg_list_push_back(&port->listeners_due, &listener->link);
}

void tg_epoll_refuse(struct tg_port *base, tg_handle accepted)
{
    (void)base;
    tg_socket_abort(accepted);
}

/* Nothing can be accepted for now. Level-triggered and still armed, the listener would report its
 * backlog for ever; so it rests until the caller asks again. */
static void stop_accepting(struct tg_epoll_port *port, struct tg_listener *listener, int error,
                           struct tg_batch *batch)
{
    disarm_listener(port, listener);
    listener->credit = 0;
    tg_count_one(&port->base.counters.accept_pauses);
    int code = error == ENOMEM ? THRONG_ENOBUFS : tg_error_from_system(error);
    tg_batch_add(batch, TG_COMPLETION_ACCEPT, code)->listener = listener;
}

void tg_epoll_listener_event(struct tg_epoll_port *port, struct tg_listener *listener,
                             uint32_t room, struct tg_batch *batch)
{
    for (int i = 0; i < ACCEPTS_MAX && room > 0 && listener->credit > 0; i++) {
        int accepted = accept4((int)listener->handle, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= 0) {
            struct tg_completion *completion = tg_batch_add(batch, TG_COMPLETION_ACCEPT, 0);
            completion->listener = listener;
            completion->accepted = accepted;
            listener->credit--;
            room--;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break; /* all taken, perhaps by another port */
        } else if (tg_accept_has_died(errno)) {
            tg_count_one(&port->base.counters.accepts_dead);
        } else if (errno != EINTR) {
            stop_accepting(port, listener, errno, batch);
            return;
        }
    }
    /* At once, not at the next event: an armed listener without credit would be woken in the place
     * of another port that could accept. */
    if (listener->credit == 0) {
        disarm_listener(port, listener);
    }
}

void tg_epoll_finish_listeners(struct tg_epoll_port *port, struct tg_batch *batch)
{
    while (!tg_batch_is_full(batch) && !tg_list_is_empty(&port->listeners_due)) {
        struct tg_listener *listener = tg_listener_of_link(tg_list_pop_front(&port->listeners_due));
        if (listener->flags == TG_LISTENER_CLOSING) {
            listener->flags = 0;
            port->records--;
            tg_batch_add(batch, TG_COMPLETION_LISTENER_CLOSE, 0)->listener = listener;
        } else {
            listener->flags &= ~(uint32_t)TG_LISTENER_FAILED;
            stop_accepting(port, listener, ENOBUFS, batch);
        }
    }
}
