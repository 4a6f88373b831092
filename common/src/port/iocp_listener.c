/* SPDX-License-Identifier: MIT
 * The IOCP backend's accepting: a pool of AcceptEx in flight, each with a socket made ahead. Called
 * by the port's owner.
 *
 * An accept that ends badly - its connection was reset in the backlog, the network is gone - says
 * nothing of the listener: it is counted, and another takes its place. Each packet of an accept,
 * and each tg_port_accept, fills the pool up again, so what a failed socket() has left out is made
 * good then. Only when none is in flight and none can be made does the caller hear of it. */
#include "port/iocp.h"

#include <winsock2.h>

#include <mswsock.h>
#include <windows.h>

static void set_due(struct tg_iocp_port *port, struct tg_listener *listener)
{
    tg_list_remove(&listener->link);
    tg_list_push_back(&port->listeners_due, &listener->link);
}

/* --- filling and resting -------------------------------------------------------------------- */

/* Nothing can be accepted for now: it rests until the caller asks again. */
static void stop_accepting(struct tg_iocp_port *port, struct tg_listener *listener, int error,
                           struct tg_batch *batch)
{
    listener->credit = 0;
    tg_iocp_cancel_accepts(port, listener);
    tg_count_one(&port->base.counters.accept_pauses);
    bool is_memory = error == THRONG_ENOMEM || error == THRONG_EAGAIN;
    tg_batch_add(batch, TG_COMPLETION_ACCEPT, is_memory ? THRONG_ENOBUFS : error)->listener =
        listener;
}

/* Tops up. A failure becomes a completion where one can be written, else the next wait tries. */
static void fill_pool(struct tg_iocp_port *port, struct tg_listener *listener,
                      struct tg_batch *batch)
{
    int error = tg_iocp_top_up(port, listener);
    if (error == 0) {
        return;
    }
    if (batch != NULL && !tg_batch_is_full(batch)) {
        stop_accepting(port, listener, error, batch);
    } else {
        set_due(port, listener);
    }
}

/* --- the backend's functions ----------------------------------------------------------------- */

int tg_iocp_listen(struct tg_port *base, struct tg_listener *listener, tg_socket sock)
{
    struct tg_iocp_port *port = tg_iocp_port_of(base);
    TG_REQUIRE(listener->flags == 0);
    TG_REQUIRE(port->accept_pool > 0);
    struct throng_address address;
    int error = tg_socket_local_address(sock, &address);
    if (error == 0) {
        void *iocp = port->acceptor != NULL ? port->acceptor->system : port->iocp;
        error = tg_iocp_associate(iocp, sock);
    }
    /* The socket of another port, which has done it: the same acceptor takes the packets. */
    if (error == THRONG_EINVAL && port->acceptor != NULL) {
        error = 0;
    }
    if (error != 0) {
        return error;
    }
    listener->handle = sock;
    listener->flags = TG_LISTENER_OPEN |
                      (address.family == THRONG_ADDRESS_IPV6 ? (uint32_t)TG_LISTENER_IPV6 : 0u);
    listener->flags |= tg_iocp_own_buffers(sock, (enum throng_address_family)address.family);
    listener->credit = 0;
    listener->in_flight = 0;
    tg_list_init(&listener->link);
    port->records++;
    return 0;
}

static bool has_surplus(const struct tg_iocp_port *port, const struct tg_listener *listener)
{
    for (struct tg_list *link = port->surplus.next; link != &port->surplus; link = link->next) {
        if (tg_iocp_accept_of_link(link)->listener == listener) {
            return true;
        }
    }
    return false;
}

void tg_iocp_accept(struct tg_port *base, struct tg_listener *listener, uint32_t credit)
{
    struct tg_iocp_port *port = tg_iocp_port_of(base);
    TG_REQUIRE((listener->flags & TG_LISTENER_OPEN) != 0);
    listener->credit = credit;
    if (credit == 0) {
        tg_iocp_cancel_accepts(port, listener); /* what completes all the same is surplus */
    } else if (has_surplus(port, listener)) {
        set_due(port, listener); /* those first */
    } else {
        fill_pool(port, listener, NULL);
    }
}

void tg_iocp_refuse(struct tg_port *base, tg_handle accepted)
{
    (void)base;
    tg_socket_abort(accepted);
}

void tg_iocp_close_listener(struct tg_port *base, struct tg_listener *listener)
{
    struct tg_iocp_port *port = tg_iocp_port_of(base);
    TG_REQUIRE((listener->flags & TG_LISTENER_OPEN) != 0);
    listener->flags = TG_LISTENER_CLOSING;
    listener->credit = 0;
    for (struct tg_list *link = port->surplus.next; link != &port->surplus;) {
        struct tg_iocp_accept *accept = tg_iocp_accept_of_link(link);
        link = link->next;
        if (accept->listener == listener) {
            tg_list_remove(&accept->link);
            tg_socket_abort(accept->sock);
            tg_iocp_free_accept(port, accept);
        }
    }
    tg_iocp_cancel_accepts(port, listener);
    if (listener->in_flight == 0) {
        set_due(port, listener);
    } else {
        tg_list_remove(&listener->link); /* the last packet of its accepts brings it back */
    }
}

/* --- packets ------------------------------------------------------------------------------- */

static void complete_accept(struct tg_iocp_port *port, struct tg_iocp_accept *accept,
                            struct tg_batch *batch)
{
    struct tg_completion *completion = tg_batch_add(batch, TG_COMPLETION_ACCEPT, 0);
    completion->listener = accept->listener;
    completion->accepted = accept->sock;
    accept->listener->credit--;
    tg_iocp_free_accept(port, accept);
}

/* A connection: tells its socket of which listener it is (before that getpeername and shutdown do
 * not work on Windows; Wine forgives). False if it is dead already. */
static bool take_connection(const struct tg_iocp_accept *accept)
{
    SOCKET listening = (SOCKET)accept->listener->handle;
    return setsockopt((SOCKET)accept->sock, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
                      (const char *)&listening, sizeof listening) == 0;
}

/* An accept that brought no connection. */
static void drop_accept(struct tg_iocp_port *port, struct tg_iocp_accept *accept, int error,
                        struct tg_batch *batch)
{
    struct tg_listener *listener = accept->listener;
    tg_socket_close(accept->sock);
    tg_iocp_free_accept(port, accept);
    if (error == THRONG_ECANCELED) {
        return;
    }
    if (tg_iocp_is_shortage(error) && listener->credit > 0) {
        stop_accepting(port, listener, error, batch); /* the first of those that fail tells */
    } else {
        tg_count_one(&port->base.counters.accepts_dead);
    }
}

void tg_iocp_on_accept(struct tg_iocp_port *port, struct tg_iocp_accept *accept,
                       struct tg_batch *batch)
{
    struct tg_listener *listener = accept->listener;
    bool open = (listener->flags & TG_LISTENER_OPEN) != 0;
    int error = tg_iocp_error(&accept->op);
    listener->in_flight--;
    tg_list_remove(&accept->link);
    if (error == 0 && !open) {
        (void)take_connection(accept); /* else Windows might not see whom to reset */
        tg_socket_abort(accept->sock);
        tg_iocp_free_accept(port, accept);
    } else if (error != 0 || !take_connection(accept)) {
        drop_accept(port, accept, error != 0 ? error : THRONG_ECONNRESET, batch);
    } else if (listener->credit > 0) {
        complete_accept(port, accept, batch);
    } else {
        tg_list_push_back(&port->surplus, &accept->link);
    }
    if (open) {
        fill_pool(port, listener, NULL);
    } else if (listener->in_flight == 0) {
        set_due(port, listener);
    }
}

/* --- what is due ---------------------------------------------------------------------------- */

/* The oldest surplus connections of a listener, while there is credit and room. */
static void complete_surplus(struct tg_iocp_port *port, const struct tg_listener *listener,
                             struct tg_batch *batch)
{
    for (struct tg_list *link = port->surplus.next; link != &port->surplus;) {
        struct tg_iocp_accept *accept = tg_iocp_accept_of_link(link);
        link = link->next;
        if (listener->credit == 0 || tg_batch_is_full(batch)) {
            return;
        }
        if (accept->listener == listener) {
            tg_list_remove(&accept->link);
            complete_accept(port, accept, batch);
        }
    }
}

static void finish_close(struct tg_iocp_port *port, struct tg_listener *listener,
                         struct tg_batch *batch)
{
    tg_socket_close(listener->handle);
    listener->handle = TG_HANDLE_NONE;
    listener->flags = 0;
    port->records--;
    tg_batch_add(batch, TG_COMPLETION_LISTENER_CLOSE, 0)->listener = listener;
}

void tg_iocp_finish_listeners(struct tg_iocp_port *port, struct tg_batch *batch)
{
    struct tg_list *last = port->listeners_due.prev;
    bool all_done = last == &port->listeners_due;
    while (!all_done && !tg_batch_is_full(batch)) {
        struct tg_list *link = tg_list_pop_front(&port->listeners_due);
        TG_REQUIRE(link != NULL); /* `last` is still to come */
        struct tg_listener *listener = tg_listener_of_link(link);
        all_done = link == last;
        if ((listener->flags & TG_LISTENER_CLOSING) != 0) {
            finish_close(port, listener, batch);
            continue;
        }
        complete_surplus(port, listener, batch);
        if (has_surplus(port, listener) && listener->credit > 0) {
            set_due(port, listener);
        } else {
            fill_pool(port, listener, batch);
        }
    }
}
