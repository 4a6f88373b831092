/* SPDX-License-Identifier: MIT
 * Ticks by hand: see tick.h. As one does it who writes when there is something to write, as one
 * does it who gathers a connection's messages and writes once, and as one does it who has one
 * buffer ready for everybody and only sends it.
 *
 *     bare_tick CONNECTIONS MESSAGES SIZE each|gathered|ready */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "echo_server.h"
#include "tick.h"

#define EVENTS 256

static struct tick tick;
static void (*send_to)(int descriptor);
static int epoll_fd;
static int *conns;
static uint32_t accepted;
static uint64_t sent;
static size_t asked; /* bytes of questions that wait for their tick */

static void watch(int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        echo_give_up("epoll_ctl");
    }
}

static void accept_all(int listener)
{
    int descriptor;
    while (accepted < tick.connections &&
           (descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        watch(descriptor);
        conns[accepted++] = descriptor;
    }
}

/* The load has read all of the last tick, so there is room. */
static void send_whole(int descriptor, const uint8_t *data, size_t size)
{
    if (send(descriptor, data, size, MSG_NOSIGNAL) != (ssize_t)size) {
        echo_give_up("send");
    }
}

/* Messages differ from player to player, so they are gathered by a copy. */
static void send_gathered(int descriptor)
{
    static uint8_t output[TICK_MESSAGES_MAX * TICK_FRAME_BYTES_MAX];
    for (uint32_t i = 0; i < tick.messages; i++) {
        size_t at = (size_t)i * tick.frame;
        memcpy(output + at, tick.bytes + at, tick.frame);
    }
    send_whole(descriptor, output, (size_t)tick.messages * tick.frame);
}

static void send_ready(int descriptor)
{
    send_whole(descriptor, tick.bytes, (size_t)tick.messages * tick.frame);
}

static void send_each(int descriptor)
{
    for (uint32_t i = 0; i < tick.messages; i++) {
        send_whole(descriptor, tick.bytes + (size_t)i * tick.frame, tick.frame);
    }
}

static void run_tick(void)
{
    tick_next(&tick);
    for (uint32_t i = 0; i < tick.connections; i++) {
        send_to(conns[i]);
    }
    sent += (uint64_t)tick.connections * tick.messages;
}

static void on_readable(int descriptor)
{
    uint8_t input[TICK_FRAME_BYTES_MAX];
    ssize_t got = recv(descriptor, input, sizeof(input), 0);
    if (got > 0) {
        asked += (size_t)got;
    } else if (got == 0 || errno != EAGAIN) {
        (void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, descriptor, NULL); /* the load has ended */
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        (void)fprintf(stderr, "usage: bare_tick CONNECTIONS MESSAGES SIZE each|gathered|ready\n");
        return 2;
    }
    tick_create(&tick, argv[1], argv[2], argv[3]);
    send_to = strcmp(argv[4], "gathered") == 0 ? send_gathered
              : strcmp(argv[4], "ready") == 0  ? send_ready
                                               : send_each;
    int listener = echo_listen(1, argv);
    echo_catch_signals();
    conns = calloc(tick.connections, sizeof(*conns));
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (conns == NULL || epoll_fd < 0) {
        echo_give_up("start");
    }
    watch(listener);
    echo_announce(listener);
    while (!echo_stopped()) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener) {
                accept_all(listener);
            } else {
                on_readable(events[i].data.fd);
            }
        }
        for (; accepted == tick.connections && asked >= tick.frame; asked -= tick.frame) {
            run_tick();
        }
    }
    tick_print_counts(&tick, accepted, sent);
    return 0;
}
