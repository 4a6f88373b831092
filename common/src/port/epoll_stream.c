/* SPDX-License-Identifier: MIT
 * The epoll backend's connections: life, events and sending. Called by the port's owner. */
#include "port/epoll.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* sendmsg reads an array of slices as its iovecs, so a send copies no table. */
_Static_assert(sizeof(struct tg_slice) == sizeof(struct iovec), "a slice is an iovec");
_Static_assert(offsetof(struct tg_slice, data) == offsetof(struct iovec, iov_base), "base");
_Static_assert(offsetof(struct tg_slice, size) == offsetof(struct iovec, iov_len), "length");
_Static_assert(alignof(struct tg_stream) > TG_TAG_MASK, "the tag needs a free bit");
_Static_assert(alignof(struct tg_listener) > TG_TAG_MASK, "the tag needs a free bit");

/* --- life ---------------------------------------------------------------------------------- */

/* Registers for both directions and for good. Adding reports what is already there, so the hints
 * need no guess about the past. */
static int begin_stream(struct tg_epoll_port *port, struct tg_stream *stream, tg_handle handle,
                        uint32_t flags)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
    event.data.ptr = stream;
    if (epoll_ctl(port->epoll, EPOLL_CTL_ADD, (int)handle, &event) != 0) {
        return tg_error_from_system(errno);
    }
    stream->handle = handle;
    stream->flags = TG_STREAM_OPEN | flags;
    tg_list_init(&stream->link);
    port->records++;
    return 0;
}

int tg_epoll_adopt(struct tg_port *base, struct tg_stream *stream, tg_handle accepted)
{
    TG_REQUIRE(stream->flags == 0);
    int error = begin_stream(tg_epoll_port_of(base), stream, accepted, TG_STREAM_WRITABLE);
    if (error != 0) {
        tg_socket_abort(accepted);
    }
    return error;
}

int tg_epoll_connect(struct tg_port *base, struct tg_stream *stream,
                     const struct throng_address *peer, const struct throng_address *source)
{
    TG_REQUIRE(stream->flags == 0);
    tg_socket sock = TG_SOCKET_NONE;
    int error = tg_socket_open(&sock, (enum throng_address_family)peer->family);
    if (error != 0) {
        return error;
    }
    if (source != NULL) {
        error = tg_socket_bind_source(sock, source);
    }
    if (error == 0) {
        error = tg_socket_connect(sock, peer);
    }
    /* Connected or under way: in both cases the first event says how it ended. Not registered
     * before, because a socket that is not yet connecting reports a hang-up. */
    if (error == 0 || error == THRONG_EAGAIN) {
        error = begin_stream(tg_epoll_port_of(base), stream, sock, TG_STREAM_CONNECTING);
    }
    if (error != 0) {
        tg_socket_close(sock);
    }
    return error;
}

void tg_epoll_close(struct tg_port *base, struct tg_stream *stream, enum tg_close_mode mode)
{
    struct tg_epoll_port *port = tg_epoll_port_of(base);
    TG_REQUIRE((stream->flags & TG_STREAM_OPEN) != 0);
    /* close alone leaves the entry in the epoll set, with its pointer to the record, as long as a
     * child process that the application has just forked holds a copy of the descriptor. */
    (void)epoll_ctl(port->epoll, EPOLL_CTL_DEL, (int)stream->handle, NULL);
    if (mode == TG_CLOSE_ABORT) {
        tg_socket_abort(stream->handle);
    } else {
        tg_socket_close(stream->handle);
    }
    stream->handle = TG_HANDLE_NONE;
    stream->flags &= TG_STREAM_SEND_PENDING | TG_STREAM_CONNECTING;
    stream->flags |= TG_STREAM_CLOSING;
    tg_list_remove(&stream->link);
    tg_list_push_back(&port->closing, &stream->link);
}

void tg_epoll_finish_closing(struct tg_epoll_port *port, struct tg_batch *batch)
{
    while (!tg_batch_is_full(batch) && !tg_list_is_empty(&port->closing)) {
        struct tg_stream *stream = tg_stream_of_link(port->closing.next);
        if ((stream->flags & TG_STREAM_CONNECTING) != 0) {
            stream->flags &= ~(uint32_t)TG_STREAM_CONNECTING;
            tg_batch_add_stream(batch, TG_COMPLETION_CONNECT, THRONG_ECANCELED, stream);
        } else if ((stream->flags & TG_STREAM_SEND_PENDING) != 0) {
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

int tg_epoll_addresses(struct tg_port *base, struct tg_stream *stream, struct throng_address *peer,
                       struct throng_address *local)
{
    (void)base;
    return tg_socket_addresses(stream->handle, peer, local);
}

/* --- events -------------------------------------------------------------------------------- */

static void finish_connect(struct tg_stream *stream, struct tg_batch *batch)
{
    int error = tg_socket_take_error(stream->handle);
    stream->flags &= ~(uint32_t)TG_STREAM_CONNECTING;
    if (error == 0) {
        stream->flags |= TG_STREAM_WRITABLE;
    }
    tg_batch_add_stream(batch, TG_COMPLETION_CONNECT, error, stream);
}

void tg_epoll_stream_event(struct tg_epoll_port *port, struct tg_stream *stream, uint32_t events,
                           struct tg_batch *batch)
{
    if ((events & EPOLLIN) != 0) {
        stream->flags |= TG_STREAM_READABLE;
    }
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        stream->flags |= TG_STREAM_READABLE | TG_STREAM_HANGUP;
    }
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
        if ((stream->flags & TG_STREAM_CONNECTING) != 0) {
            finish_connect(stream, batch);
        } else {
            stream->flags |= TG_STREAM_WRITABLE;
        }
        /* 0 bytes, also after a failure: the send that follows is told what happened. */
        if ((stream->flags & TG_STREAM_SEND_PENDING) != 0) {
            stream->flags &= ~(uint32_t)TG_STREAM_SEND_PENDING;
            tg_batch_add_stream(batch, TG_COMPLETION_SEND, 0, stream);
        }
    }
    tg_readiness_queue(&port->readiness, stream);
}

/* --- sending ------------------------------------------------------------------------------- */

static size_t total_size(const struct tg_slice *slices, uint32_t count)
{
    size_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += slices[i].size;
    }
    return total;
}

static ssize_t send_slices(tg_handle handle, const struct tg_slice *slices, uint32_t count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)slices, .msg_iovlen = count};
    ssize_t sent;
    do {
        sent = count == 1 ? send((int)handle, slices[0].data, slices[0].size, MSG_NOSIGNAL)
                          : sendmsg((int)handle, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR); /* as tg_socket_receive: said of the call, not of room */
    return sent;
}

int tg_epoll_send(struct tg_port *base, struct tg_stream *stream, const struct tg_slice *slices,
                  uint32_t count)
{
    const uint32_t state = TG_STREAM_OPEN | TG_STREAM_CONNECTING | TG_STREAM_SEND_PENDING;
    TG_REQUIRE((stream->flags & state) == TG_STREAM_OPEN);
    TG_REQUIRE(count >= 1 && count <= TG_GATHER_MAX);
    if ((stream->flags & TG_STREAM_WRITABLE) != 0) {
        tg_count_one(&base->counters.sends);
        ssize_t sent = send_slices(stream->handle, slices, count);
        if (sent > 0) {
            /* A short send has met a full buffer: the next one would only hear EAGAIN. */
            if ((size_t)sent < total_size(slices, count)) {
                stream->flags &= ~(uint32_t)TG_STREAM_WRITABLE;
            }
            return (int)sent;
        }
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            return tg_error_from_system(errno);
        }
        stream->flags &= ~(uint32_t)TG_STREAM_WRITABLE;
    }
    stream->flags |= TG_STREAM_SEND_PENDING;
    return TG_PORT_PENDING;
}

void tg_epoll_shutdown(struct tg_port *base, struct tg_stream *stream)
{
    (void)base;
    TG_REQUIRE((stream->flags & (TG_STREAM_OPEN | TG_STREAM_SEND_PENDING)) == TG_STREAM_OPEN);
    /* Fails on a connection that is already dead, and a RECEIVE completion tells of that. */
    (void)tg_socket_shutdown_send(stream->handle);
}
