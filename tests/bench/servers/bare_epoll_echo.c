/* SPDX-License-Identifier: MIT
 * The loop that one would write by hand for an echo server, as the measure for ours:
 * level-triggered epoll, one thread, one read buffer for all, one receive and one send for each
 * wake-up of a connection, the answer sent from where the messages lie. No limits but the message
 * size, no backpressure, no events, no ids, memory from the heap: nobody should serve with it. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo_server.h"
#include "frames.h"

#define READ_BYTES 65536u
#define EVENTS 256

struct conn {
    struct bytes partial; /* the beginning of a frame, less than a whole one */
    struct bytes unsent;  /* what the system did not take */
};

static int epoll_fd;
static struct conn *conns; /* by descriptor */
static uint8_t input[FRAME_MAX + READ_BYTES];
static struct echo_counts counts;

static void watch(int operation, int descriptor, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    if (epoll_ctl(epoll_fd, operation, descriptor, &event) != 0) {
        echo_give_up("epoll_ctl");
    }
}

static void drop(int descriptor)
{
    bytes_free(&conns[descriptor].partial);
    bytes_free(&conns[descriptor].unsent);
    close(descriptor);
}

static void accept_all(int listener)
{
    int descriptor;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        watch(EPOLL_CTL_ADD, descriptor, EPOLLIN);
        counts.accepted++;
    }
}

/* Sends the answers of one read, or keeps what the system does not take; false if the connection is
 * dead. */
static bool answer(int descriptor, struct conn *conn, const uint8_t *data, size_t size)
{
    if (conn->unsent.size > 0) {
        bytes_append(&conn->unsent, data, size);
        return true;
    }
    ssize_t sent = send(descriptor, data, size, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) {
            return false;
        }
        sent = 0;
    }
    if ((size_t)sent < size) {
        bytes_append(&conn->unsent, data + sent, size - (size_t)sent);
        watch(EPOLL_CTL_MOD, descriptor, EPOLLIN | EPOLLOUT);
    }
    return true;
}

/* Reads behind what the last read left over. */
static bool on_readable(int descriptor, struct conn *conn)
{
    size_t have = conn->partial.size;
    if (have > 0) {
        memcpy(input, conn->partial.data, have);
    }
    ssize_t got = recv(descriptor, input + have, READ_BYTES, 0);
    if (got <= 0) {
        return got < 0 && errno == EAGAIN;
    }
    size_t size = have + (size_t)got;
    ptrdiff_t whole = frames_whole(input, size, &counts.messages);
    if (whole < 0) {
        return false;
    }
    conn->partial.size = 0;
    bytes_append(&conn->partial, input + whole, size - (size_t)whole);
    return whole == 0 || answer(descriptor, conn, input, (size_t)whole);
}

static bool on_writable(int descriptor, struct conn *conn)
{
    ssize_t sent = send(descriptor, conn->unsent.data, conn->unsent.size, MSG_NOSIGNAL);
    if (sent < 0) {
        return errno == EAGAIN;
    }
    bytes_consume(&conn->unsent, (size_t)sent);
    if (conn->unsent.size == 0) {
        bytes_free(&conn->unsent);
        watch(EPOLL_CTL_MOD, descriptor, EPOLLIN);
    }
    return true;
}

static void on_event(const struct epoll_event *event)
{
    int descriptor = event->data.fd;
    bool alive = true;
    if ((event->events & EPOLLOUT) != 0) {
        alive = on_writable(descriptor, &conns[descriptor]);
    }
    if (alive && (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        alive = on_readable(descriptor, &conns[descriptor]);
    }
    if (!alive) {
        drop(descriptor);
    }
}

int main(int argc, char **argv)
{
    int listener = echo_listen(argc, argv);
    echo_catch_signals();
    conns = calloc(echo_descriptors_max(), sizeof(*conns));
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (conns == NULL || epoll_fd < 0) {
        echo_give_up("start");
    }
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    echo_announce(listener);
    while (!echo_stopped()) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener) {
                accept_all(listener);
            } else {
                on_event(&events[i]);
            }
        }
    }
    echo_print_counts(&counts);
    return 0;
}
