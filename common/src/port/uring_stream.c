/* SPDX-License-Identifier: MIT
 * The io_uring backend's connections: life, sending, closing. Called by the port's owner. */
#include "port/uring.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* A gathered send reads an array of slices as its iovecs. */
_Static_assert(sizeof(struct tg_slice) == sizeof(struct iovec), "a slice is an iovec");
_Static_assert(offsetof(struct tg_slice, data) == offsetof(struct iovec, iov_base), "base");
_Static_assert(offsetof(struct tg_slice, size) == offsetof(struct iovec, iov_len), "length");
_Static_assert(alignof(struct tg_stream) > TG_TAG_MASK, "the tag needs free bits");
_Static_assert(alignof(struct tg_listener) > TG_TAG_MASK, "the tag needs free bits");

/* --- life ---------------------------------------------------------------------------------- */

static void begin_stream(struct tg_uring_port *port, struct tg_stream *stream, tg_handle handle,
                         uint32_t flags)
{
    stream->handle = handle;
    stream->flags = TG_STREAM_OPEN | flags;
    stream->held = 0;
    tg_list_init(&stream->link);
    port->records++;
}

int tg_uring_adopt(struct tg_port *base, struct tg_stream *stream, tg_handle accepted)
{
    TG_REQUIRE(stream->flags == 0);
    begin_stream(tg_uring_port_of(base), stream, accepted, 0);
    return 0;
}

/* Moves a descriptor of the process into the ring's table. A place in it or an error; the
 * descriptor is closed in both cases. */
static tg_handle into_table(struct tg_uring_port *port, tg_socket sock)
{
    int32_t place = (int32_t)sock; /* the kernel reads the descriptor and writes the place */
    int result = -ENOMEM;
    struct tg_sqe *sqe = tg_uring_port_sqe(port);
    if (sqe != NULL) {
        sqe->opcode = TG_OP_FILES_UPDATE;
        sqe->fd = -1;
        sqe->addr = (uintptr_t)&place;
        sqe->len = 1;
        sqe->off = TG_FILE_INDEX_ALLOC;
        result = tg_uring_call(port, sqe);
    }
    tg_socket_close(sock);
    if (result == 1) {
        return place;
    }
    /* ENFILE: the table is full, which is the descriptor limit in other clothes. */
    return result == 0 || result == -ENFILE ? THRONG_EMFILE : tg_error_from_system(-result);
}

static int open_socket(struct tg_uring_port *port, enum throng_address_family family,
                       const struct throng_address *source, tg_handle *handle)
{
    tg_socket sock = TG_SOCKET_NONE;
    int error = tg_socket_open(&sock, family);
    if (error != 0) {
        return error;
    }
    if (source != NULL) {
        error = tg_socket_bind_source(sock, source);
        if (error != 0) {
            tg_socket_close(sock);
            return error;
        }
    }
    *handle = tg_uring_has(port, TG_URING_DIRECT) ? into_table(port, sock) : sock;
    return *handle < 0 ? (int)*handle : 0;
}

static void close_handle(struct tg_uring_port *port, tg_handle handle)
{
    if (!tg_uring_has(port, TG_URING_DIRECT)) {
        tg_socket_close(handle);
        return;
    }
    struct tg_sqe *sqe = tg_uring_port_sqe(port);
    if (sqe != NULL) {
        sqe->opcode = TG_OP_CLOSE;
        sqe->flags = TG_SQE_SKIP_SUCCESS;
        sqe->file_index = (uint32_t)handle + 1;
    }
}

int tg_uring_connect(struct tg_port *base, struct tg_stream *stream,
                     const struct throng_address *peer, const struct throng_address *source)
{
    struct tg_uring_port *port = tg_uring_port_of(base);
    TG_REQUIRE(stream->flags == 0);
    tg_handle handle;
    int error = open_socket(port, (enum throng_address_family)peer->family, source, &handle);
    if (error != 0) {
        return error;
    }
    begin_stream(port, stream, handle, TG_STREAM_CONNECTING);
    void *address = tg_uring_scratch(port, TG_SOCKADDR_BYTES);
    struct tg_sqe *sqe =
        address == NULL ? NULL : tg_uring_stream_sqe(port, TG_OP_CONNECT, stream, TG_TAG_CONNECT);
    if (sqe == NULL) {
        stream->flags = 0;
        port->records--;
        close_handle(port, handle);
        return THRONG_ENOBUFS;
    }
    sqe->addr = (uintptr_t)address;
    sqe->off = tg_address_encode(peer, address);
    return TG_PORT_PENDING;
}

void tg_uring_on_connect(struct tg_uring_port *port, struct tg_stream *stream, int32_t result,
                         struct tg_batch *batch)
{
    stream->flags &= ~(uint32_t)TG_STREAM_CONNECTING;
    bool closing = (stream->flags & TG_STREAM_CLOSING) != 0;
    int code = result == 0 ? 0 : tg_error_from_system(-result);
    tg_batch_add_stream(batch, TG_COMPLETION_CONNECT,
                        closing && result != 0 ? THRONG_ECANCELED : code, stream);
    if (closing) {
        tg_uring_advance_close(port, stream);
    }
}

int tg_uring_addresses(struct tg_port *base, struct tg_stream *stream, struct throng_address *peer,
                       struct throng_address *local)
{
    struct tg_uring_port *port = tg_uring_port_of(base);
    bool direct = tg_uring_has(port, TG_URING_DIRECT);
    tg_socket sock = stream->handle;
    if (direct) {
        int borrowed = tg_uring_borrow_descriptor(port, stream->handle);
        if (borrowed < 0) {
            return tg_error_from_system(-borrowed);
        }
        sock = borrowed;
    }
    int error = tg_socket_addresses(sock, peer, local);
    if (direct) {
        tg_socket_close(sock);
    }
    return error;
}

/* --- sending ------------------------------------------------------------------------------- */

/* Several slices: their array and the header that names it must last until the submission. */
static struct tg_sqe *gather(struct tg_uring_port *port, const struct tg_stream *stream,
                             const struct tg_slice *slices, uint32_t count)
{
    size_t slices_bytes = count * sizeof(struct iovec);
    struct msghdr *header = tg_uring_scratch(port, sizeof(struct msghdr) + slices_bytes);
    struct tg_sqe *sqe =
        header == NULL ? NULL : tg_uring_stream_sqe(port, TG_OP_SENDMSG, stream, TG_TAG_SEND);
    if (sqe == NULL) {
        return NULL;
    }
    struct iovec *copy = (struct iovec *)(void *)(header + 1);
    memcpy(copy, slices, slices_bytes);
    *header = (struct msghdr){.msg_iov = copy, .msg_iovlen = count};
    sqe->addr = (uintptr_t)header;
    sqe->len = 1;
    return sqe;
}

int tg_uring_send(struct tg_port *base, struct tg_stream *stream, const struct tg_slice *slices,
                  uint32_t count)
{
    struct tg_uring_port *port = tg_uring_port_of(base);
    const uint32_t state = TG_STREAM_OPEN | TG_STREAM_CONNECTING | TG_STREAM_SENDING;
    TG_REQUIRE((stream->flags & state) == TG_STREAM_OPEN);
    TG_REQUIRE(count >= 1 && count <= TG_GATHER_MAX);
    struct tg_sqe *sqe;
    if (count == 1) {
        sqe = tg_uring_stream_sqe(port, TG_OP_SEND, stream, TG_TAG_SEND);
        if (sqe != NULL) {
            sqe->addr = (uintptr_t)slices[0].data;
            sqe->len = slices[0].size > INT32_MAX ? INT32_MAX : (uint32_t)slices[0].size;
        }
    } else {
        sqe = gather(port, stream, slices, count);
    }
    if (sqe == NULL) {
        return THRONG_ENOBUFS;
    }
    sqe->op_flags = MSG_NOSIGNAL;
    stream->flags |= TG_STREAM_SENDING;
    tg_count_one(&base->counters.sends);
    return TG_PORT_PENDING;
}

void tg_uring_on_send(struct tg_uring_port *port, struct tg_stream *stream, int32_t result,
                      struct tg_batch *batch)
{
    stream->flags &= ~(uint32_t)TG_STREAM_SENDING;
    /* After 128 vain wake-ups for room the kernel gives the socket to a thread of its own, which
     * must not block there: it is non-blocking, so the answer is EAGAIN. 0 bytes: submit it
     * again. */
    if (result == -EAGAIN || result == -EINTR) {
        result = 0;
    }
    tg_batch_add_stream(batch, TG_COMPLETION_SEND,
                        result >= 0 ? result : tg_error_from_system(-result), stream);
    if ((stream->flags & TG_STREAM_CLOSING) != 0) {
        tg_uring_advance_close(port, stream);
    }
}

void tg_uring_shutdown(struct tg_port *base, struct tg_stream *stream)
{
    struct tg_uring_port *port = tg_uring_port_of(base);
    TG_REQUIRE((stream->flags & (TG_STREAM_OPEN | TG_STREAM_SENDING)) == TG_STREAM_OPEN);
    /* Fails on a connection that is already dead, and a RECEIVE completion tells of that. */
    if (!tg_uring_has(port, TG_URING_DIRECT)) {
        (void)tg_socket_shutdown_send(stream->handle);
        return;
    }
    /* A borrowed descriptor is three system calls; the ring's own shutdown always wakes a thread of
     * the kernel's. It serves when the process has no descriptor left. */
    int borrowed = tg_uring_borrow_descriptor(port, stream->handle);
    if (borrowed >= 0) {
        (void)tg_socket_shutdown_send(borrowed);
        tg_socket_close(borrowed);
        return;
    }
    struct tg_sqe *sqe = tg_uring_stream_sqe(port, TG_OP_SHUTDOWN, stream, TG_TAG_NONE);
    if (sqe != NULL) {
        sqe->flags |= TG_SQE_SKIP_SUCCESS;
        sqe->len = SHUT_WR;
    }
}

/* --- closing ------------------------------------------------------------------------------- */

/* Connecting to nothing dissolves a connection with a reset, as SO_LINGER with 0 seconds would, but
 * needs no socket option. */
static const struct sockaddr nothing = {.sa_family = AF_UNSPEC};

static bool submit_reset(struct tg_uring_port *port, tg_handle handle)
{
    const struct tg_stream stream = {.handle = handle};
    struct tg_sqe *sqe = tg_uring_stream_sqe(port, TG_OP_CONNECT, &stream, TG_TAG_NONE);
    if (sqe == NULL) {
        return false;
    }
    sqe->flags |= TG_SQE_SKIP_SUCCESS;
    sqe->user_data = TG_TAG_NONE;
    sqe->addr = (uintptr_t)&nothing;
    sqe->off = sizeof nothing;
    return true;
}

void tg_uring_refuse(struct tg_port *base, tg_handle accepted)
{
    struct tg_uring_port *port = tg_uring_port_of(base);
    if (!tg_uring_has(port, TG_URING_DIRECT)) {
        tg_socket_abort(accepted);
        return;
    }
    (void)submit_reset(port, accepted);
    close_handle(port, accepted);
}

/* Closes in the system. False if the kernel takes no submission now. */
static bool close_in_system(struct tg_uring_port *port, struct tg_stream *stream)
{
    bool abort = (stream->flags & TG_STREAM_ABORT) != 0;
    if (!tg_uring_has(port, TG_URING_DIRECT)) {
        if (abort) {
            tg_socket_abort(stream->handle);
        } else {
            tg_socket_close(stream->handle);
        }
        tg_list_remove(&stream->link);
        tg_list_push_back(&port->closing, &stream->link); /* CLOSE completes with the next wait */
    } else {
        if (abort && !submit_reset(port, stream->handle)) {
            return false;
        }
        struct tg_sqe *sqe = tg_uring_port_sqe(port);
        if (sqe == NULL) {
            return false;
        }
        sqe->opcode = TG_OP_CLOSE;
        sqe->file_index = (uint32_t)stream->handle + 1;
        sqe->user_data = tg_uring_tag(stream, TG_TAG_CLOSE);
    }
    stream->handle = TG_HANDLE_NONE;
    stream->flags |= TG_STREAM_CLOSE_SENT;
    return true;
}

/* Cancels what is in flight; what has completed meanwhile does not mind. */
static bool cancel_all(struct tg_uring_port *port, const struct tg_stream *stream)
{
    const struct {
        uint32_t flag;
        enum tg_uring_tag tag;
    } requests[] = {
        {TG_STREAM_ARMED, TG_TAG_RECEIVE},
        {TG_STREAM_SENDING, TG_TAG_SEND},
        {TG_STREAM_CONNECTING, TG_TAG_CONNECT},
    };
    bool done = true;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        if ((stream->flags & requests[i].flag) != 0) {
            done = tg_uring_cancel(port, tg_uring_tag(stream, requests[i].tag)) && done;
        }
    }
    return done;
}

void tg_uring_advance_close(struct tg_uring_port *port, struct tg_stream *stream)
{
    const uint32_t in_flight = TG_STREAM_ARMED | TG_STREAM_SENDING | TG_STREAM_CONNECTING;
    bool done = true;
    if ((stream->flags & in_flight) == 0) {
        done = (stream->flags & TG_STREAM_CLOSE_SENT) != 0 || close_in_system(port, stream);
    } else if ((stream->flags & TG_STREAM_CANCELED) == 0) {
        done = cancel_all(port, stream);
        stream->flags |= done ? TG_STREAM_CANCELED : 0;
    }
    if (!done) {
        tg_list_remove(&stream->link);
        tg_list_push_back(&port->closing, &stream->link); /* tried again with the next wait */
    }
}

void tg_uring_stream_close(struct tg_port *base, struct tg_stream *stream, enum tg_close_mode mode)
{
    struct tg_uring_port *port = tg_uring_port_of(base);
    TG_REQUIRE((stream->flags & TG_STREAM_OPEN) != 0);
    tg_list_remove(&stream->link);
    tg_uring_drop_held(port, stream);
    stream->flags &= TG_STREAM_ARMED | TG_STREAM_SENDING | TG_STREAM_CONNECTING;
    stream->flags |= TG_STREAM_CLOSING | (mode == TG_CLOSE_ABORT ? TG_STREAM_ABORT : 0u);
    tg_list_push_back(&port->closing_in_flight, &stream->link);
    tg_uring_advance_close(port, stream);
}

void tg_uring_on_close(struct tg_uring_port *port, struct tg_stream *stream, struct tg_batch *batch)
{
    stream->flags = 0;
    port->records--;
    tg_list_remove(&stream->link);
    tg_batch_add_stream(batch, TG_COMPLETION_CLOSE, 0, stream);
}

/* What is in flight will never complete: it is canceled as far as the caller is concerned. */
static void finish_orphan(struct tg_uring_port *port, struct tg_stream *stream,
                          struct tg_batch *batch)
{
    if ((stream->flags & TG_STREAM_CONNECTING) != 0) {
        stream->flags &= ~(uint32_t)TG_STREAM_CONNECTING;
        tg_batch_add_stream(batch, TG_COMPLETION_CONNECT, THRONG_ECANCELED, stream);
    } else if ((stream->flags & TG_STREAM_SENDING) != 0) {
        stream->flags &= ~(uint32_t)TG_STREAM_SENDING;
        tg_batch_add_stream(batch, TG_COMPLETION_SEND, THRONG_ECANCELED, stream);
    } else {
        if (!tg_uring_has(port, TG_URING_DIRECT) && stream->handle != TG_HANDLE_NONE) {
            tg_socket_abort(stream->handle);
        }
        tg_uring_on_close(port, stream, batch);
        return;
    }
    tg_list_push_back(&port->closing, &stream->link);
}

static void finish_orphans(struct tg_uring_port *port, struct tg_batch *batch)
{
    struct tg_list *link;
    while ((link = tg_list_pop_front(&port->closing_in_flight)) != NULL) {
        tg_list_push_back(&port->closing, link);
    }
    while (!tg_batch_is_full(batch) && (link = tg_list_pop_front(&port->closing)) != NULL) {
        finish_orphan(port, tg_stream_of_link(link), batch);
    }
}

void tg_uring_finish_closing(struct tg_uring_port *port, struct tg_batch *batch)
{
    if (port->orphaned) {
        finish_orphans(port, batch);
        return;
    }
    struct tg_list *last = port->closing.prev;
    bool all_done = last == &port->closing;
    while (!all_done && !tg_batch_is_full(batch)) {
        struct tg_list *link = tg_list_pop_front(&port->closing);
        TG_REQUIRE(link != NULL); /* `last` is still to come */
        struct tg_stream *stream = tg_stream_of_link(link);
        all_done = link == last;
        if ((stream->flags & TG_STREAM_CLOSE_SENT) != 0) {
            tg_uring_on_close(port, stream, batch);
        } else {
            tg_list_push_back(&port->closing_in_flight, &stream->link);
            tg_uring_advance_close(port, stream);
        }
    }
}
