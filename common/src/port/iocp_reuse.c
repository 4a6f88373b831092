/* SPDX-License-Identifier: MIT
 * Sockets that are used again: an option (tg_port_options.reuse_sockets) for those who want to try
 * it on a Windows of theirs. A connection that was accepted and ends in order is taken off its
 * socket with DisconnectEx, and the next AcceptEx of the same port takes that socket instead of a
 * new one. One with which anything goes wrong is closed, and a new one takes its place.
 *
 * Only where the peer has ended first: else Windows would wait for its end, and then for the time
 * of a TIME_WAIT, with the connection's record in use all the while.
 *
 * Off unless asked for, because nobody has seen it work: Wine 8 receives nothing on such a socket
 * ever again. Called by the port's owner. */
#include "port/iocp.h"

#include <winsock2.h>

#include <mswsock.h>
#include <windows.h>

/* Keeps the socket in a free record of an accept. One must be left without, for a listener of the
 * other family. */
static void keep_socket(struct tg_iocp_port *port, tg_socket sock, uint8_t family)
{
    struct tg_list *link = port->accepts_free.next;
    if (tg_list_is_empty(&port->accepts_free) || link->next == &port->accepts_free) {
        tg_socket_close(sock);
        return;
    }
    tg_list_remove(link);
    struct tg_iocp_accept *accept = tg_iocp_accept_of_link(link);
    accept->sock = sock;
    accept->spare_family = family;
    tg_list_push_back(&port->accepts_spare, link);
}

static void end_disconnect(struct tg_iocp_port *port, struct tg_stream *stream, bool success)
{
    if (success) {
        bool is_ipv6 = (stream->flags & TG_IOCP_IPV6) != 0;
        keep_socket(port, stream->handle, is_ipv6 ? THRONG_ADDRESS_IPV6 : THRONG_ADDRESS_IPV4);
    } else {
        tg_socket_close(stream->handle);
    }
    stream->handle = TG_HANDLE_NONE;
    stream->flags &= ~(uint32_t)TG_IOCP_DISCONNECTING;
}

bool tg_iocp_disconnect(struct tg_iocp_port *port, struct tg_stream *stream)
{
    LPFN_DISCONNECTEX disconnect_ex = (LPFN_DISCONNECTEX)port->disconnect_ex;
    const uint32_t judged = (uint32_t)TG_IOCP_ACCEPTED | TG_IOCP_ABORT | TG_STREAM_ENDED |
                            TG_STREAM_HANGUP;
    const uint32_t wanted = (uint32_t)TG_IOCP_ACCEPTED | TG_STREAM_ENDED;
    if (disconnect_ex == NULL || (stream->flags & judged) != wanted) {
        return false; /* else it would wait for the peer's end, and then for a TIME_WAIT */
    }
    struct throng_address address;
    if (tg_socket_local_address(stream->handle, &address) != 0) {
        return false;
    }
    stream->flags |= address.family == THRONG_ADDRESS_IPV6 ? (uint32_t)TG_IOCP_IPV6 : 0u;
    stream->flags |= TG_IOCP_DISCONNECTING;
    tg_iocp_prepare(&stream->send_op, TG_OPERATION_DISCONNECT);
    if (!disconnect_ex((SOCKET)stream->handle, tg_iocp_overlapped(&stream->send_op),
                       TF_REUSE_SOCKET, 0) &&
        WSAGetLastError() != WSA_IO_PENDING) {
        end_disconnect(port, stream, false);
    } /* else a packet comes: with this option no success is skipped */
    return true;
}

void tg_iocp_on_disconnect(struct tg_iocp_port *port, struct tg_stream *stream)
{
    end_disconnect(port, stream, tg_iocp_error(&stream->send_op) == 0);
}

struct tg_iocp_accept *tg_iocp_take_spare(struct tg_iocp_port *port, uint8_t family)
{
    for (struct tg_list *link = port->accepts_spare.next; link != &port->accepts_spare;
         link = link->next) {
        struct tg_iocp_accept *accept = tg_iocp_accept_of_link(link);
        if (family == THRONG_ADDRESS_NONE || accept->spare_family == family) {
            tg_list_remove(link);
            return accept;
        }
    }
    return NULL;
}

void tg_iocp_close_spares(struct tg_iocp_port *port)
{
    struct tg_list *link;
    while ((link = tg_list_pop_front(&port->accepts_spare)) != NULL) {
        tg_socket_close(tg_iocp_accept_of_link(link)->sock);
    }
}
