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

/* AcceptEx calls that may fail at once because a connection has died, in one go: a handful is a
 * coincidence, more of them are an error of the listener's. */
#define DEAD_AT_ONCE_MAX 16

void tg_iocp_init_accepts(struct tg_iocp_port *port, struct tg_iocp_accept *accepts, uint32_t count)
{
    tg_list_init(&port->accepts_free);
    tg_list_init(&port->accepts_in_flight);
    tg_list_init(&port->accepts_spare);
    tg_list_init(&port->surplus);
    for (uint32_t i = 0; i < count; i++) {
        accepts[i].iocp = port->iocp;
        accepts[i].sock = TG_SOCKET_NONE;
        tg_list_init(&accepts[i].link);
        tg_list_push_back(&port->accepts_free, &accepts[i].link);
    }
}

static struct tg_iocp_accept *accept_of_link(struct tg_list *link)
{
    return TG_CONTAINER_OF(link, struct tg_iocp_accept, link);
}

static void set_due(struct tg_iocp_port *port, struct tg_listener *listener)
{
    tg_list_remove(&listener->link);
    tg_list_push_back(&port->listeners_due, &listener->link);
}

/* --- the pool ------------------------------------------------------------------------------ */

/* Linux gives an accepted socket the buffers of its listener. A socket made ahead has its own. */
static const struct buffer_option {
    int name;
    uint32_t flag;
} buffer_options[] = {
    {SO_SNDBUF, TG_LISTENER_SEND_BUFFER},
    {SO_RCVBUF, TG_LISTENER_RECEIVE_BUFFER},
};

#define BUFFER_OPTIONS (sizeof buffer_options / sizeof buffer_options[0])

static int buffer_bytes(tg_socket sock, int option)
{
    int bytes = 0;
    int size = sizeof bytes;
    (void)getsockopt((SOCKET)sock, SOL_SOCKET, option, (char *)&bytes, &size);
    return bytes;
}

/* Which buffers of a listening socket are others than those of any new socket, as flags. Only they
 * are passed on: to set one is the end of the system's own tuning. */
static uint32_t own_buffers(tg_socket sock, enum throng_address_family family)
{
    tg_socket plain;
    uint32_t flags = 0;
    if (tg_socket_open(&plain, family) != 0) {
        return 0; /* with the system's own buffers it works too */
    }
    for (size_t i = 0; i < BUFFER_OPTIONS; i++) {
        if (buffer_bytes(plain, buffer_options[i].name) !=
            buffer_bytes(sock, buffer_options[i].name)) {
            flags |= buffer_options[i].flag;
        }
    }
    tg_socket_close(plain);
    return flags;
}

static void copy_buffers(const struct tg_listener *listener, tg_socket sock)
{
    for (size_t i = 0; i < BUFFER_OPTIONS; i++) {
        if ((listener->flags & buffer_options[i].flag) != 0) {
            int bytes = buffer_bytes(listener->handle, buffer_options[i].name);
            (void)setsockopt((SOCKET)sock, SOL_SOCKET, buffer_options[i].name, (const char *)&bytes,
                             sizeof bytes);
        }
    }
}

static uint8_t family_of(const struct tg_listener *listener)
{
    return (listener->flags & TG_LISTENER_IPV6) != 0 ? THRONG_ADDRESS_IPV6 : THRONG_ADDRESS_IPV4;
}

/* A record with a socket to be used again, or without one; NULL if all of them are in flight,
 * surplus, or another listener's. */
static struct tg_iocp_accept *take_record(struct tg_iocp_port *port,
                                          const struct tg_listener *listener)
{
    struct tg_iocp_accept *spare = tg_iocp_take_spare(port, family_of(listener));
    if (spare != NULL) {
        return spare;
    }
    struct tg_list *link = tg_list_pop_front(&port->accepts_free);
    if (link != NULL) {
        return accept_of_link(link);
    }
    spare = tg_iocp_take_spare(port, THRONG_ADDRESS_NONE);
    if (spare != NULL) {
        tg_socket_close(spare->sock); /* of the other family */
        spare->sock = TG_SOCKET_NONE;
    }
    return spare;
}

static int post_accept(struct tg_iocp_port *port, struct tg_listener *listener,
                       struct tg_iocp_accept *accept)
{
    int error = 0;
    if (accept->sock == TG_SOCKET_NONE) {
        error = tg_socket_open(&accept->sock, (enum throng_address_family)family_of(listener));
        if (error != 0) {
            return error;
        }
        copy_buffers(listener, accept->sock);
    }
    tg_iocp_prepare(&accept->op, TG_OPERATION_ACCEPT);
    accept->listener = listener;
    LPFN_ACCEPTEX accept_ex = (LPFN_ACCEPTEX)port->accept_ex;
    DWORD bytes;
    /* No first bytes with the connection (length 0): one that stays silent would never be seen. */
    if (accept_ex((SOCKET)listener->handle, (SOCKET)accept->sock, accept->addresses, 0,
                  TG_IOCP_ADDRESS_BYTES, TG_IOCP_ADDRESS_BYTES, &bytes,
                  tg_iocp_overlapped(&accept->op)) ||
        WSAGetLastError() == WSA_IO_PENDING) {
        listener->in_flight++;
        tg_list_push_back(&port->accepts_in_flight, &accept->link);
        return 0;
    }
    error = tg_iocp_last_error();
    tg_socket_close(accept->sock);
    accept->sock = TG_SOCKET_NONE;
    return error;
}

static void stop_accepting(struct tg_iocp_port *port, struct tg_listener *listener, int error,
                           struct tg_batch *batch);

/* Keeps as many accepts in flight as the caller has credit for, within the limit. Answers the error
 * if none is in flight and none could be posted. */
static int top_up(struct tg_iocp_port *port, struct tg_listener *listener)
{
    uint32_t wanted = listener->credit < port->accept_pool ? listener->credit : port->accept_pool;
    int error = 0;
    for (int dead = 0; listener->in_flight < wanted && dead < DEAD_AT_ONCE_MAX;) {
        struct tg_iocp_accept *accept = take_record(port, listener);
        if (accept == NULL) {
            break;
        }
        error = post_accept(port, listener, accept);
        if (error == 0) {
            continue;
        }
        tg_list_push_front(&port->accepts_free, &accept->link);
        if (tg_iocp_is_shortage(error)) {
            break;
        }
        tg_count_one(&port->base.counters.accepts_dead);
        dead++;
    }
    return listener->in_flight == 0 && wanted > 0 ? error : 0;
}

/* Tops up. A failure becomes a completion where one can be written, else the next wait tries. */
static void fill_pool(struct tg_iocp_port *port, struct tg_listener *listener,
                      struct tg_batch *batch)
{
    int error = top_up(port, listener);
    if (error == 0) {
        return;
    }
    if (batch != NULL && !tg_batch_is_full(batch)) {
        stop_accepting(port, listener, error, batch);
    } else {
        set_due(port, listener);
    }
}

static void cancel_accepts(struct tg_iocp_port *port, const struct tg_listener *listener)
{
    for (struct tg_list *link = port->accepts_in_flight.next; link != &port->accepts_in_flight;
         link = link->next) {
        struct tg_iocp_accept *accept = accept_of_link(link);
        /* One by one: those of other ports end at the same file object. (Some Windows is said to
         * cancel all the same; then they are replaced there.) */
        if (accept->listener == listener) {
            (void)tg_iocp_cancel(listener->handle, &accept->op);
        }
    }
}

/* Nothing can be accepted for now: it rests until the caller asks again. */
static void stop_accepting(struct tg_iocp_port *port, struct tg_listener *listener, int error,
                           struct tg_batch *batch)
{
    listener->credit = 0;
    cancel_accepts(port, listener);
    tg_count_one(&port->base.counters.accept_pauses);
    bool is_memory = error == THRONG_ENOMEM || error == THRONG_EAGAIN;
    tg_batch_add(batch, TG_COMPLETION_ACCEPT, is_memory ? THRONG_ENOBUFS : error)->listener =
        listener;
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
    listener->flags |= own_buffers(sock, (enum throng_address_family)address.family);
    listener->credit = 0;
    listener->in_flight = 0;
    tg_list_init(&listener->link);
    port->records++;
    return 0;
}

static bool has_surplus(const struct tg_iocp_port *port, const struct tg_listener *listener)
{
    for (struct tg_list *link = port->surplus.next; link != &port->surplus; link = link->next) {
        if (accept_of_link(link)->listener == listener) {
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
        cancel_accepts(port, listener); /* what completes all the same is surplus */
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

static void free_accept(struct tg_iocp_port *port, struct tg_iocp_accept *accept)
{
    accept->sock = TG_SOCKET_NONE;
    tg_list_push_front(&port->accepts_free, &accept->link);
}

void tg_iocp_close_listener(struct tg_port *base, struct tg_listener *listener)
{
    struct tg_iocp_port *port = tg_iocp_port_of(base);
    TG_REQUIRE((listener->flags & TG_LISTENER_OPEN) != 0);
    listener->flags = TG_LISTENER_CLOSING;
    listener->credit = 0;
    for (struct tg_list *link = port->surplus.next; link != &port->surplus;) {
        struct tg_iocp_accept *accept = accept_of_link(link);
        link = link->next;
        if (accept->listener == listener) {
            tg_list_remove(&accept->link);
            tg_socket_abort(accept->sock);
            free_accept(port, accept);
        }
    }
    cancel_accepts(port, listener);
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
    free_accept(port, accept);
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
    free_accept(port, accept);
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
        free_accept(port, accept);
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
        struct tg_iocp_accept *accept = accept_of_link(link);
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
