/* SPDX-License-Identifier: MIT
 * The same loop by hand on io_uring: multishot accept into direct descriptors, multishot receive
 * into one ring of buffers, one send in flight for each connection, one system call a turn. As bare
 * as bare_epoll_echo.c; it wants Linux 6.1, and 6.12 for buffers that are filled bit by bit. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bare_uring.h"
#include "frames.h"

/* Newer than liburing 2.3. */
#define PBUF_RING_INC 2u          /* 6.12: a buffer is filled by several receives */
#define CQE_F_BUF_MORE (1u << 4u) /* 6.12: and this was not the last of them */

/* Large, so that few frames are cut at a buffer's end; few, so that they stay in the cache. */
#define BUFFERS 8u
#define BUFFER_BYTES 262144u

enum operation {
    OP_ACCEPT,
    OP_RECEIVE,
    OP_SEND,
    OP_SHUTDOWN,
    OP_CLOSE,
};

/* Memory that receives fill, one behind the other, and that sends read. */
struct buffer {
    uint32_t filled;
    uint32_t sends; /* in flight out of it */
    bool full;      /* the kernel has done with it */
};

struct conn {
    struct bytes partial; /* the beginning of a frame, less than a whole one */
    struct bytes waiting; /* answers that came while `sending` was under way */
    struct bytes copied;  /* answers that the kernel sends, if they lie in no buffer */

    const uint8_t *sending; /* what the kernel sends; NULL: nothing */
    size_t sending_size;
    struct buffer *sending_from; /* NULL: `copied` */

    bool receives; /* a multishot receive is armed */
    bool ends;
    bool shut;
};

static struct io_uring ring;
static struct io_uring_buf_ring *buffer_ring;
static uint8_t *memory; /* BUFFERS of BUFFER_BYTES */
static struct buffer buffers[BUFFERS];
static struct conn *conns; /* by place in the ring's file table */
static int listener;
static struct echo_counts counts;

/* What the completion will carry. */
static void mark(struct io_uring_sqe *entry, enum operation operation, uint32_t slot)
{
    entry->user_data = (uint64_t)operation << 32 | slot;
}

static void arm_accept(void)
{
    struct io_uring_sqe *entry = bare_uring_next_entry(&ring);
    io_uring_prep_multishot_accept_direct(entry, listener, NULL, NULL, 0);
    mark(entry, OP_ACCEPT, 0);
}

static void arm_receive(uint32_t slot)
{
    struct io_uring_sqe *entry = bare_uring_next_entry(&ring);
    io_uring_prep_recv_multishot(entry, (int)slot, NULL, 0, 0);
    entry->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    entry->buf_group = 0;
    mark(entry, OP_RECEIVE, slot);
    conns[slot].receives = true;
}

static void submit_send(uint32_t slot)
{
    const struct conn *conn = &conns[slot];
    struct io_uring_sqe *entry = bare_uring_next_entry(&ring);
    io_uring_prep_send(entry, (int)slot, conn->sending, conn->sending_size,
                       MSG_NOSIGNAL | MSG_WAITALL);
    entry->flags |= IOSQE_FIXED_FILE;
    mark(entry, OP_SEND, slot);
}

static uint8_t *start_of(const struct buffer *buffer)
{
    return memory + (size_t)(buffer - buffers) * BUFFER_BYTES;
}

/* Gives a buffer to the kernel, at place `offset` behind those that it got in this call's
 * series. */
static void offer(const struct buffer *buffer, int offset)
{
    io_uring_buf_ring_add(buffer_ring, start_of(buffer), BUFFER_BYTES, (uint16_t)(buffer - buffers),
                          io_uring_buf_ring_mask(BUFFERS), offset);
}

static void offer_if_free(struct buffer *buffer)
{
    if (buffer->full && buffer->sends == 0) {
        buffer->full = false;
        buffer->filled = 0;
        offer(buffer, 0);
        io_uring_buf_ring_advance(buffer_ring, 1);
    }
}

/* Sends answers from where they lie, or keeps a copy while an earlier send is in flight. */
static void answer(uint32_t slot, const uint8_t *data, size_t size, struct buffer *buffer)
{
    struct conn *conn = &conns[slot];
    if (conn->sending != NULL) {
        bytes_append(&conn->waiting, data, size);
        return;
    }
    if (buffer == NULL) {
        conn->copied.size = 0;
        bytes_append(&conn->copied, data, size);
        data = conn->copied.data;
    } else {
        buffer->sends++;
    }
    conn->sending = data;
    conn->sending_size = size;
    conn->sending_from = buffer;
    submit_send(slot);
}

static void answer_waiting(uint32_t slot)
{
    struct conn *conn = &conns[slot];
    if (conn->waiting.size > 0) {
        struct bytes spare = conn->copied;
        conn->copied = conn->waiting;
        conn->waiting = spare;
        conn->waiting.size = 0;
        conn->sending = conn->copied.data;
        conn->sending_size = conn->copied.size;
        conn->sending_from = NULL;
        submit_send(slot);
    }
}

/* A descriptor that is closed under a receive says no farewell to the peer: the receive is ended by
 * a shutdown before. */
static void end(uint32_t slot)
{
    struct conn *conn = &conns[slot];
    conn->ends = true;
    if (conn->receives) {
        if (!conn->shut) {
            struct io_uring_sqe *entry = bare_uring_next_entry(&ring);
            io_uring_prep_shutdown(entry, (int)slot, SHUT_RDWR);
            entry->flags |= IOSQE_FIXED_FILE;
            mark(entry, OP_SHUTDOWN, slot);
            conn->shut = true;
        }
        return;
    }
    if (conn->sending != NULL) {
        return;
    }
    bytes_free(&conn->partial);
    bytes_free(&conn->waiting);
    bytes_free(&conn->copied);
    memset(conn, 0, sizeof(*conn));
    struct io_uring_sqe *entry = bare_uring_next_entry(&ring);
    io_uring_prep_close_direct(entry, slot);
    mark(entry, OP_CLOSE, slot);
}

/* Parses where the bytes lie, unless a frame began before them. False at a length over the
 * limit. */
static bool take_input(uint32_t slot, const uint8_t *data, size_t size, struct buffer *buffer)
{
    struct bytes *partial = &conns[slot].partial;
    if (partial->size > 0) {
        bytes_append(partial, data, size);
        data = partial->data;
        size = partial->size;
        buffer = NULL;
    }
    ptrdiff_t whole = frames_whole(data, size, &counts.messages);
    if (whole < 0) {
        return false;
    }
    if (whole > 0) {
        answer(slot, data, (size_t)whole, buffer);
    }
    if (buffer == NULL) {
        bytes_consume(partial, (size_t)whole);
    } else {
        bytes_append(partial, data + whole, size - (size_t)whole);
    }
    return true;
}

static bool take_buffer(uint32_t slot, const struct io_uring_cqe *entry)
{
    struct buffer *buffer = &buffers[entry->flags >> IORING_CQE_BUFFER_SHIFT];
    const uint8_t *data = start_of(buffer) + buffer->filled;
    buffer->filled += (uint32_t)entry->res;
    buffer->full = (entry->flags & CQE_F_BUF_MORE) == 0;
    bool good = conns[slot].ends || take_input(slot, data, (size_t)entry->res, buffer);
    offer_if_free(buffer);
    return good;
}

static void on_received(uint32_t slot, const struct io_uring_cqe *entry)
{
    struct conn *conn = &conns[slot];
    bool alive = !conn->ends;
    conn->receives = (entry->flags & IORING_CQE_F_MORE) != 0;
    if (entry->res > 0) {
        alive = take_buffer(slot, entry) && alive;
    } else if (entry->res != -ENOBUFS) { /* sends hold all of them: tried again behind the sends */
        alive = false;
    }
    if (!alive) {
        end(slot);
    } else if (!conn->receives) {
        arm_receive(slot);
    }
}

static void on_sent(uint32_t slot, int result)
{
    struct conn *conn = &conns[slot];
    if (result > 0 && (size_t)result < conn->sending_size && !conn->ends) {
        conn->sending += result;
        conn->sending_size -= (size_t)result;
        submit_send(slot);
        return;
    }
    conn->sending = NULL;
    if (conn->sending_from != NULL) {
        conn->sending_from->sends--;
        offer_if_free(conn->sending_from);
    }
    if (result <= 0 || conn->ends) {
        end(slot);
    } else {
        answer_waiting(slot);
    }
}

static void on_completion(void *context, const struct io_uring_cqe *entry)
{
    (void)context;
    uint32_t slot = (uint32_t)entry->user_data;
    switch ((enum operation)(entry->user_data >> 32)) {
    case OP_ACCEPT:
        if (entry->res >= 0) {
            counts.accepted++;
            arm_receive((uint32_t)entry->res);
        }
        if ((entry->flags & IORING_CQE_F_MORE) == 0) {
            arm_accept();
        }
        break;
    case OP_RECEIVE:
        on_received(slot, entry);
        break;
    case OP_SEND:
        on_sent(slot, entry->res);
        break;
    case OP_SHUTDOWN: /* the receive that it ends tells the rest */
    case OP_CLOSE:
        break;
    }
}

static void register_buffers(void)
{
    buffer_ring = aligned_alloc(4096, 4096); /* starts a page; BUFFERS entries of 16 bytes */
    memory = aligned_alloc(4096, (size_t)BUFFERS * BUFFER_BYTES);
    if (buffer_ring == NULL || memory == NULL) {
        echo_give_up("aligned_alloc");
    }
    io_uring_buf_ring_init(buffer_ring);
    for (int i = 0; i < (int)BUFFERS; i++) {
        offer(&buffers[i], i);
    }
    io_uring_buf_ring_advance(buffer_ring, BUFFERS);
    struct io_uring_buf_reg registration = {.ring_addr = (uintptr_t)buffer_ring,
                                            .ring_entries = BUFFERS,
                                            .pad = PBUF_RING_INC}; /* `flags` since then */
    if (io_uring_register_buf_ring(&ring, &registration, 0) != 0) {
        registration.pad = 0; /* an older kernel: one receive a buffer */
        bare_uring_check(io_uring_register_buf_ring(&ring, &registration, 0),
                         "io_uring_register_buf_ring");
    }
}

static void open_ring(void)
{
    uint32_t slots = echo_descriptors_max();
    bare_uring_open(&ring, slots);
    register_buffers();
    conns = calloc(slots, sizeof(*conns));
    if (conns == NULL) {
        echo_give_up("calloc");
    }
}

int main(int argc, char **argv)
{
    listener = echo_listen(argc, argv);
    echo_catch_signals();
    open_ring();
    arm_accept();
    echo_announce(listener);
    while (!echo_stopped()) {
        bare_uring_turn(&ring, on_completion, NULL);
    }
    echo_print_counts(&counts);
    return 0;
}
