/* SPDX-License-Identifier: MIT
 * The IOCP backend's pool of accepts: AcceptEx calls in flight, each with a socket made ahead.
 * Called by iocp_listener.c, on the port's owner's thread. */
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

void tg_iocp_free_accept(struct tg_iocp_port *port, struct tg_iocp_accept *accept)
{
    accept->sock = TG_SOCKET_NONE;
    tg_list_push_front(&port->accepts_free, &accept->link);
}

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

uint32_t tg_iocp_own_buffers(tg_socket sock, enum throng_address_family family)
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
        return tg_iocp_accept_of_link(link);
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
        /* Without it a dead peer is found later: no reason to refuse a living one. */
        (void)tg_socket_set_keepalive(accept->sock, port->keepalive_s);
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

int tg_iocp_top_up(struct tg_iocp_port *port, struct tg_listener *listener)
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

void tg_iocp_cancel_accepts(struct tg_iocp_port *port, const struct tg_listener *listener)
{
    for (struct tg_list *link = port->accepts_in_flight.next; link != &port->accepts_in_flight;
         link = link->next) {
        struct tg_iocp_accept *accept = tg_iocp_accept_of_link(link);
        /* One by one: those of other ports end at the same file object. (Some Windows is said to
         * cancel all the same; then they are replaced there.) */
        if (accept->listener == listener) {
            (void)tg_iocp_cancel(listener->handle, &accept->op);
        }
    }
}
