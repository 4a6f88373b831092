/* SPDX-License-Identifier: MIT
 * The same accept loop on io_uring: each thread has a ring, with multishot accept into the ring's
 * own table of direct descriptors and a multishot receive on each connection. */
#include "accept_threads.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "bare_uring.h"
#include "frames.h"

#define BUFFERS 64u
#define BUFFER_BYTES 4096u

enum operation {
    OP_ACCEPT,
    OP_RECEIVE,
    OP_SEND,
    OP_CLOSE,
};

struct loop {
    struct accept_thread *thread;
    struct io_uring ring;
    struct io_uring_buf_ring *buffer_ring;
    uint8_t *memory; /* BUFFERS of BUFFER_BYTES */
};

static void mark(struct io_uring_sqe *entry, enum operation operation, uint32_t slot, uint16_t id)
{
    entry->user_data = (uint64_t)operation << 48 | (uint64_t)id << 32 | slot;
}

static void arm_accept(struct loop *loop)
{
    struct io_uring_sqe *entry = bare_uring_next_entry(&loop->ring);
    io_uring_prep_multishot_accept_direct(entry, loop->thread->listener, NULL, NULL, 0);
    mark(entry, OP_ACCEPT, 0, 0);
}

static void arm_receive(struct loop *loop, uint32_t slot)
{
    struct io_uring_sqe *entry = bare_uring_next_entry(&loop->ring);
    io_uring_prep_recv_multishot(entry, (int)slot, NULL, 0, 0);
    entry->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    entry->buf_group = 0;
    mark(entry, OP_RECEIVE, slot, 0);
}

static uint8_t *start_of(const struct loop *loop, uint16_t id)
{
    return loop->memory + (size_t)id * BUFFER_BYTES;
}

static void offer(struct loop *loop, uint16_t id)
{
    io_uring_buf_ring_add(loop->buffer_ring, start_of(loop, id), BUFFER_BYTES, id,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(loop->buffer_ring, 1);
}

static void answer(struct loop *loop, uint32_t slot, uint16_t id, uint32_t size)
{
    uint64_t messages = 0;
    struct io_uring_sqe *entry = bare_uring_next_entry(&loop->ring);
    if (frames_whole(start_of(loop, id), size, &messages) == (ptrdiff_t)size) {
        io_uring_prep_send(entry, (int)slot, start_of(loop, id), size, MSG_NOSIGNAL | MSG_WAITALL);
        entry->flags |= IOSQE_FIXED_FILE;
        mark(entry, OP_SEND, slot, id);
    } else { /* the receive that it ends tells the rest */
        io_uring_prep_shutdown(entry, (int)slot, SHUT_RDWR);
        entry->flags |= IOSQE_FIXED_FILE;
        mark(entry, OP_CLOSE, slot, 0);
        offer(loop, id);
    }
    accept_count(&loop->thread->messages, messages);
}

static void on_received(struct loop *loop, uint32_t slot, const struct io_uring_cqe *entry)
{
    if (entry->res > 0) {
        answer(loop, slot, (uint16_t)(entry->flags >> IORING_CQE_BUFFER_SHIFT),
               (uint32_t)entry->res);
    }
    if ((entry->flags & IORING_CQE_F_MORE) != 0) {
        return;
    }
    if (entry->res > 0 || entry->res == -ENOBUFS) {
        arm_receive(loop, slot);
        return;
    }
    struct io_uring_sqe *close = bare_uring_next_entry(&loop->ring);
    io_uring_prep_close_direct(close, slot);
    mark(close, OP_CLOSE, slot, 0);
}

static void on_completion(void *context, const struct io_uring_cqe *entry)
{
    struct loop *loop = context;
    uint32_t slot = (uint32_t)entry->user_data;
    switch ((enum operation)(entry->user_data >> 48)) {
    case OP_ACCEPT:
        if (entry->res >= 0) {
            accept_count(&loop->thread->accepted, 1);
            arm_receive(loop, (uint32_t)entry->res);
        }
        if ((entry->flags & IORING_CQE_F_MORE) == 0) {
            arm_accept(loop);
        }
        break;
    case OP_RECEIVE:
        on_received(loop, slot, entry);
        break;
    case OP_SEND:
        offer(loop, (uint16_t)(entry->user_data >> 32));
        break;
    case OP_CLOSE:
        break;
    }
}

static void open_ring(struct loop *loop)
{
    bare_uring_open(&loop->ring, echo_descriptors_max());
    loop->buffer_ring = aligned_alloc(4096, 4096); /* starts a page; BUFFERS entries of 16 bytes */
    loop->memory = aligned_alloc(4096, (size_t)BUFFERS * BUFFER_BYTES);
    if (loop->buffer_ring == NULL || loop->memory == NULL) {
        echo_give_up("aligned_alloc");
    }
    io_uring_buf_ring_init(loop->buffer_ring);
    for (uint16_t id = 0; id < BUFFERS; id++) {
        offer(loop, id);
    }
    struct io_uring_buf_reg registration = {.ring_addr = (uintptr_t)loop->buffer_ring,
                                            .ring_entries = BUFFERS};
    bare_uring_check(io_uring_register_buf_ring(&loop->ring, &registration, 0),
                     "io_uring_register_buf_ring");
}

static void run(struct accept_thread *thread)
{
    struct loop loop = {.thread = thread};
    open_ring(&loop);
    arm_accept(&loop);
    accept_ready();
    for (;;) {
        bare_uring_turn(&loop.ring, on_completion, &loop);
    }
}

int main(int argc, char **argv)
{
    return accept_threads_main(argc, argv, run);
}
