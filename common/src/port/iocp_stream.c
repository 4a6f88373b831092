/* SPDX-License-Identifier: MIT
 * The IOCP backend's connections: life, receiving, sending, closing. Called by the port's owner. */
#include "port/iocp.h"

#include <winsock2.h>

#include <mswsock.h>
#include <windows.h>

#include "os/clock.h"
#include "os/winsock.windows.h"

_Static_assert(TG_GATHER_MAX <= 64, "a table of WSABUFs on the stack, and Wine's limit of 1,024");

/* --- life ---------------------------------------------------------------------------------- */

static void begin_stream(struct tg_iocp_port *port, struct tg_stream *stream, tg_handle handle,
                         uint32_t flags)
{
    stream->handle = handle;
    stream->flags = TG_STREAM_OPEN | flags;
    stream->held = 0;
    tg_list_init(&stream->link);
    tg_list_init(&stream->shortage_link);
    port->records++;
}

/* From here on an operation that succeeds at once brings no packet, if the system can do that. */
static void skip_on_success(const struct tg_iocp_port *port, struct tg_stream *stream)
{
    const UCHAR modes = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE;
    if (port->may_skip && SetFileCompletionNotificationModes((HANDLE)stream->handle, modes)) {
        stream->flags |= TG_IOCP_SKIPS;
    }
}

int tg_iocp_adopt(struct tg_port *base, struct tg_stream *stream, tg_handle accepted)
{
    struct tg_iocp_port *port = tg_iocp_port_of(base);
    TG_REQUIRE(stream->flags == 0);
    int error = tg_iocp_associate(port->iocp, accepted);
    if (error == THRONG_EINVAL && port->disconnect_ex != NULL) {
        error = 0; /* a socket that is used again has been associated when it was new */
    }
    if (error != 0) {
        tg_socket_abort(accepted);
        return error;
    }
    begin_stream(port, stream, accepted, TG_IOCP_ACCEPTED);
    skip_on_success(port, stream);
    return 0;
}

/* ConnectEx wants a bound socket. */
static int bind_for_connect(tg_socket sock, const struct throng_address *peer,
                            const struct throng_address *source)
{
    const struct throng_address any = {.family = peer->family};
    tg_winsock_expect_refusal(sock, peer);
    return tg_socket_bind_source(sock, source != NULL ? source : &any);
}

static int start_connect(struct tg_iocp_port *port, struct tg_stream *stream,
                         const struct throng_address *peer)
{
    struct sockaddr_storage name;
    uint32_t size = tg_address_encode(peer, &name);
    tg_iocp_prepare(&stream->send_op, TG_OPERATION_CONNECT);
    LPFN_CONNECTEX connect_ex = (LPFN_CONNECTEX)port->connect_ex;
    if (connect_ex((SOCKET)stream->handle, (struct sockaddr *)&name, (int)size, NULL, 0, NULL,
                   tg_iocp_overlapped(&stream->send_op)) ||
        WSAGetLastError() == WSA_IO_PENDING) {
        return 0; /* a packet comes in both cases: nothing is skipped yet */
    }
    return tg_iocp_last_error();
}

int tg_iocp_connect(struct tg_port *base, struct tg_stream *stream,
                    const struct throng_address *peer, const struct throng_address *source)
{
    struct tg_iocp_port *port = tg_iocp_port_of(base);
    TG_REQUIRE(stream->flags == 0);
    tg_socket sock = TG_SOCKET_NONE;
    int error = tg_socket_open(&sock, (enum throng_address_family)peer->family);
    if (error != 0) {
        return error;
    }
    error = bind_for_connect(sock, peer, source);
    if (error == 0) {
        error = tg_iocp_associate(port->iocp, sock);
    }
    if (error == 0) {
        begin_stream(port, stream, sock, TG_STREAM_CONNECTING);
        error = start_connect(port, stream, peer);
        if (error == 0) {
            return TG_PORT_PENDING;
        }
        stream->flags = 0;
        port->records--;
    }
    tg_socket_close(sock);
    return error;
}

/* --- closing ------------------------------------------------------------------------------- */

static bool is_in_flight(const struct tg_stream *stream)
{
    return (stream->flags &
            (TG_IOCP_ARMED | TG_IOCP_SENDING | TG_STREAM_CONNECTING | TG_IOCP_DISCONNECTING)) != 0;
}

static void close_in_system(struct tg_stream *stream)
{
    if ((stream->flags & TG_IOCP_ABORT) != 0) {
        tg_socket_abort(stream->handle);
    } else {
        tg_socket_close(stream->handle);
    }
    stream->handle = TG_HANDLE_NONE;
}

/* closesocket with something in flight would be a reset on Windows and a FIN under Wine. */
void tg_iocp_advance_close(struct tg_iocp_port *port, struct tg_stream *stream)
{
    if (!is_in_flight(stream) && stream->handle != TG_HANDLE_NONE &&
        !tg_iocp_disconnect(port, stream)) {
        close_in_system(stream);
    }
    if (!is_in_flight(stream)) {
        tg_list_push_back(&port->closing, &stream->link);
    }
}

void tg_iocp_close(struct tg_port *base, struct tg_stream *stream, enum tg_close_mode mode)
{
    struct tg_iocp_port *port = tg_iocp_port_of(base);
    TG_REQUIRE((stream->flags & TG_STREAM_OPEN) != 0);
    tg_list_remove(&stream->link);
    tg_list_remove(&stream->shortage_link);
    stream->flags &= (uint32_t)TG_IOCP_ARMED | TG_IOCP_SENDING | TG_IOCP_ACCEPTED |
                     TG_STREAM_SEND_PENDING | TG_STREAM_CONNECTING | TG_STREAM_ENDED |
                     TG_STREAM_HANGUP;
    stream->flags |= TG_STREAM_CLOSING | (mode == TG_CLOSE_ABORT ? (uint32_t)TG_IOCP_ABORT : 0u);
    if (is_in_flight(stream)) {
        /* The FIN need not wait for the cancels; behind a send that is given up it would be a lie.
         */
        if (mode == TG_CLOSE_NORMAL &&
            (stream->flags & (TG_STREAM_SEND_PENDING | TG_STREAM_CONNECTING)) == 0) {
            (void)tg_socket_shutdown_send(stream->handle);
        }
        if (!tg_iocp_cancel(stream->handle, NULL)) {
            close_in_system(stream); /* which gives them up as well */
        }
    }
    tg_iocp_advance_close(port, stream);
}

void tg_iocp_finish_closing(struct tg_iocp_port *port, struct tg_batch *batch)
{
    while (!tg_batch_is_full(batch) && !tg_list_is_empty(&port->closing)) {
        struct tg_stream *stream = tg_stream_of_link(port->closing.next);
        if ((stream->flags & TG_STREAM_SEND_PENDING) != 0) {
            /* It had met a shortage and was in nobody's hands. */
            stream->flags &= ~(uint32_t)TG_STREAM_SEND_PENDING;
            tg_batch_add_stream(batch, TG_COMPLETION_SEND, THRONG_ECANCELED, stream);
        } else {
            tg_list_remove(&stream->link);
            stream->flags = 0;
            port->records--;
            tg_batch_add_stream(batch, TG_COMPLETION_CLOSE, 0, stream);
        }
    }
}

void tg_iocp_on_connect(struct tg_iocp_port *port, struct tg_stream *stream, struct tg_batch *batch)
{
    int error = tg_iocp_error(&stream->send_op);
    bool closing = (stream->flags & TG_STREAM_CLOSING) != 0;
    stream->flags &= ~(uint32_t)TG_STREAM_CONNECTING;
    /* Before that shutdown, getpeername and perhaps the reset of an abort know nothing of the
     * connection (WSAENOTCONN). */
    if (error == 0 &&
        setsockopt((SOCKET)stream->handle, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0) != 0) {
        error = tg_iocp_last_error();
    }
    if (error == 0 && !closing) {
        skip_on_success(port, stream);
    }
    tg_batch_add_stream(batch, TG_COMPLETION_CONNECT,
                        closing && error != 0 ? THRONG_ECANCELED : error, stream);
    if (closing) {
        tg_iocp_advance_close(port, stream);
    }
}

/* --- shortages ----------------------------------------------------------------------------- */

/* The system had no memory for what was asked: tried again after a rest, not at once for ever. */
static void note_shortage(struct tg_iocp_port *port, struct tg_stream *stream)
{
    if (tg_list_is_empty(&port->shortage)) {
        port->shortage_due_ns = tg_clock_ns() + TG_IOCP_SHORTAGE_REST_NS;
    }
    if (!tg_list_is_linked(&stream->shortage_link)) {
        tg_list_push_back(&port->shortage, &stream->shortage_link);
    }
}

static void arm(struct tg_iocp_port *port, struct tg_stream *stream);

void tg_iocp_end_shortage(struct tg_iocp_port *port, uint64_t now_ns, struct tg_batch *batch)
{
    const struct tg_list *last = port->shortage.prev;
    bool all_done = now_ns < port->shortage_due_ns;
    port->shortage_due_ns = all_done ? port->shortage_due_ns : now_ns + TG_IOCP_SHORTAGE_REST_NS;
    while (!all_done && !tg_batch_is_full(batch)) {
        struct tg_list *link = tg_list_pop_front(&port->shortage);
        TG_REQUIRE(link != NULL); /* `last` is still to come */
        struct tg_stream *stream = TG_CONTAINER_OF(link, struct tg_stream, shortage_link);
        all_done = link == last;
        if ((stream->flags & (TG_STREAM_SEND_PENDING | TG_IOCP_SENDING)) ==
            TG_STREAM_SEND_PENDING) {
            /* 0 bytes: the caller sends again. */
            stream->flags &= ~(uint32_t)TG_STREAM_SEND_PENDING;
            tg_batch_add_stream(batch, TG_COMPLETION_SEND, 0, stream);
        }
        if ((stream->flags & TG_IOCP_ARM_OWED) != 0) {
            arm(port, stream);
        }
    }
}

/* --- receiving ----------------------------------------------------------------------------- */

/* Something is there, or the end or an error is. */
static void set_readable(struct tg_iocp_port *port, struct tg_stream *stream, int error)
{
    stream->flags |= TG_STREAM_READABLE;
    if (error != 0 && error != THRONG_EEOF) {
        /* A receive that follows may say something else of it, or nothing. */
        stream->flags |= TG_STREAM_HANGUP;
        stream->held = (uint32_t)-error;
    }
    tg_readiness_queue(&port->readiness, stream);
}

/* What a zero-byte receive has ended with, at once or by its packet. */
static void finish_arm(struct tg_iocp_port *port, struct tg_stream *stream, int error)
{
    if (tg_iocp_is_shortage(error)) {
        stream->flags |= TG_IOCP_ARM_OWED;
        note_shortage(port, stream);
    } else {
        set_readable(port, stream, error);
    }
}

/* Lets the system say when there is something to receive. */
static void arm(struct tg_iocp_port *port, struct tg_stream *stream)
{
    WSABUF nothing = {.len = 0, .buf = NULL};
    DWORD bytes;
    DWORD flags = 0;
    tg_iocp_prepare(&stream->receive_op, TG_OPERATION_RECEIVE);
    stream->flags &= ~(uint32_t)TG_IOCP_ARM_OWED;
    int error = 0;
    if (WSARecv((SOCKET)stream->handle, &nothing, 1, &bytes, &flags,
                tg_iocp_overlapped(&stream->receive_op), NULL) != 0) {
        if (WSAGetLastError() == WSA_IO_PENDING) {
            stream->flags |= TG_IOCP_ARMED;
            return;
        }
        error = tg_iocp_last_error();
    } else if ((stream->flags & TG_IOCP_SKIPS) == 0) {
        stream->flags |= TG_IOCP_ARMED; /* it has succeeded, and a packet says so */
        return;
    }
    finish_arm(port, stream, error);
}

static void arm_if_idle(struct tg_iocp_port *port, struct tg_stream *stream)
{
    const uint32_t wanted = TG_STREAM_RECEIVING;
    const uint32_t busy = (uint32_t)TG_IOCP_ARMED | TG_IOCP_ARM_OWED | TG_STREAM_READABLE;
    if ((stream->flags & (wanted | busy)) == wanted) {
        arm(port, stream);
    }
}

void tg_iocp_receive(struct tg_port *base, struct tg_stream *stream)
{
    struct tg_iocp_port *port = tg_iocp_port_of(base);
    if (tg_readiness_begin(&port->readiness, stream)) {
        arm_if_idle(port, stream);
    }
}

void tg_iocp_arm_drained(struct tg_iocp_port *port)
{
    struct tg_list *link;
    while ((link = tg_list_pop_front(&port->readiness.drained)) != NULL) {
        arm_if_idle(port, tg_stream_of_link(link));
    }
}

void tg_iocp_on_receive(struct tg_iocp_port *port, struct tg_stream *stream)
{
    stream->flags &= ~(uint32_t)TG_IOCP_ARMED;
    if ((stream->flags & TG_STREAM_CLOSING) != 0) {
        tg_iocp_advance_close(port, stream);
    } else {
        finish_arm(port, stream, tg_iocp_error(&stream->receive_op));
    }
}

/* --- sending ------------------------------------------------------------------------------- */

/* A send that does not fit completes when the peer has taken all of it, and not before: of a long
 * one, a caller could not tell a peer that reads from one that does not. This is as much as a table
 * full of blocks of 512 bytes, which is what many small messages become. */
#define SEND_BYTES_MAX (TG_GATHER_MAX * (size_t)512)

/* The slices as WSABUFs, up to SEND_BYTES_MAX: a send may be short. */
static DWORD fill_buffers(WSABUF *buffers, const struct tg_slice *slices, uint32_t count)
{
    size_t room = SEND_BYTES_MAX;
    DWORD used = 0;
    for (uint32_t i = 0; i < count && room > 0; i++) {
        size_t size = slices[i].size < room ? slices[i].size : room;
        buffers[used].len = (ULONG)size;
        buffers[used].buf = (char *)(uintptr_t)slices[i].data;
        room -= size;
        used++;
    }
    return used;
}

int tg_iocp_send(struct tg_port *base, struct tg_stream *stream, const struct tg_slice *slices,
                 uint32_t count)
{
    struct tg_iocp_port *port = tg_iocp_port_of(base);
    const uint32_t state = TG_STREAM_OPEN | TG_STREAM_CONNECTING | TG_STREAM_SEND_PENDING;
    TG_REQUIRE((stream->flags & state) == TG_STREAM_OPEN);
    TG_REQUIRE(count >= 1 && count <= TG_GATHER_MAX);
    WSABUF buffers[TG_GATHER_MAX]; /* the system copies the table, not the bytes */
    DWORD used = fill_buffers(buffers, slices, count);
    DWORD bytes = 0;
    tg_iocp_prepare(&stream->send_op, TG_OPERATION_SEND);
    tg_count_one(&base->counters.sends);
    int answer = WSASend((SOCKET)stream->handle, buffers, used, &bytes, 0,
                         tg_iocp_overlapped(&stream->send_op), NULL);
    if (answer == 0 && (stream->flags & TG_IOCP_SKIPS) != 0) {
        return (int)bytes;
    }
    if (answer == 0 || WSAGetLastError() == WSA_IO_PENDING) {
        stream->flags |= (uint32_t)TG_STREAM_SEND_PENDING | TG_IOCP_SENDING; /* a packet comes */
        return TG_PORT_PENDING;
    }
    int error = tg_iocp_last_error();
    if (tg_iocp_is_shortage(error)) {
        stream->flags |= TG_STREAM_SEND_PENDING;
        note_shortage(port, stream);
        return TG_PORT_PENDING;
    }
    return error;
}

void tg_iocp_on_send(struct tg_iocp_port *port, struct tg_stream *stream, uint32_t bytes,
                     struct tg_batch *batch)
{
    int error = tg_iocp_error(&stream->send_op);
    bool closing = (stream->flags & TG_STREAM_CLOSING) != 0;
    stream->flags &= ~(uint32_t)TG_IOCP_SENDING;
    if (tg_iocp_is_shortage(error) && !closing && bytes == 0) {
        note_shortage(port, stream); /* still pending */
        return;
    }
    stream->flags &= ~(uint32_t)TG_STREAM_SEND_PENDING;
    int result = error == 0 ? (int)bytes : closing ? THRONG_ECANCELED : error;
    tg_batch_add_stream(batch, TG_COMPLETION_SEND, result, stream);
    if (closing) {
        tg_iocp_advance_close(port, stream);
    }
}
