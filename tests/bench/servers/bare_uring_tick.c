/* SPDX-License-Identifier: MIT
 * One buffer ready for everybody, sent by hand with io_uring: see tick.h. Direct descriptors, a
 * send for each connection, as few system calls as the ring's size allows. The counterpart of
 * bare_tick's "ready".
 *
 *     bare_uring_tick CONNECTIONS MESSAGES SIZE */
#include <stdio.h>
#include <sys/socket.h>

#include "bare_uring.h"
#include "tick.h"

enum operation {
    OP_ACCEPT,
    OP_RECEIVE,
    OP_SEND,
};

static struct io_uring ring;
static struct tick tick;
static uint8_t question[TICK_FRAME_BYTES_MAX]; /* only the first connection asks */
static int listener;
static int first = -1; /* the place of that connection */
static uint32_t accepted;
static uint32_t unsent; /* sends in flight */
static uint64_t sent;
static size_t asked; /* bytes of questions that wait for their tick */

static void arm_accept(void)
{
    struct io_uring_sqe *entry = bare_uring_next_entry(&ring);
    io_uring_prep_multishot_accept_direct(entry, listener, NULL, NULL, 0);
    entry->user_data = OP_ACCEPT;
}

static void arm_receive(void)
{
    struct io_uring_sqe *entry = bare_uring_next_entry(&ring);
    io_uring_prep_recv(entry, first, question, sizeof(question), 0);
    entry->flags |= IOSQE_FIXED_FILE;
    entry->user_data = OP_RECEIVE;
}

/* The load has read all of the last tick, so there is room; places are given in turn. */
static void run_tick(void)
{
    tick_next(&tick);
    for (uint32_t i = 0; i < tick.connections; i++) {
        struct io_uring_sqe *entry = bare_uring_next_entry(&ring);
        io_uring_prep_send(entry, (int)i, tick.bytes, (size_t)tick.messages * tick.frame,
                           MSG_NOSIGNAL);
        entry->flags |= IOSQE_FIXED_FILE;
        entry->user_data = OP_SEND;
    }
    unsent = tick.connections;
    sent += (uint64_t)tick.connections * tick.messages;
}

static void on_accept(const struct io_uring_cqe *entry)
{
    bare_uring_check(entry->res, "accept");
    if (accepted++ == 0) {
        first = entry->res;
        arm_receive();
    }
    if ((entry->flags & IORING_CQE_F_MORE) == 0) {
        arm_accept();
    }
}

static void on_completion(void *context, const struct io_uring_cqe *entry)
{
    (void)context;
    if (entry->user_data == OP_ACCEPT) {
        on_accept(entry);
    } else if (entry->user_data == OP_SEND) {
        unsent--;
        if (entry->res != (int)(tick.messages * tick.frame)) {
            echo_give_up("send");
        }
    } else if (entry->res > 0) {
        asked += (size_t)entry->res;
        arm_receive();
    } /* else the load has ended */
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        (void)fprintf(stderr, "usage: bare_uring_tick CONNECTIONS MESSAGES SIZE\n");
        return 2;
    }
    tick_create(&tick, argv[1], argv[2], argv[3]);
    listener = echo_listen(1, argv);
    echo_catch_signals();
    bare_uring_open(&ring, tick.connections + 1);
    arm_accept();
    echo_announce(listener);
    while (!echo_stopped()) {
        bare_uring_turn(&ring, on_completion, NULL);
        if (accepted == tick.connections && unsent == 0 && asked >= tick.frame) {
            asked -= tick.frame;
            run_tick();
        }
    }
    tick_print_counts(&tick, accepted, sent);
    return 0;
}
