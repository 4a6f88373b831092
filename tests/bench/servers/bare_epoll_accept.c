/* SPDX-License-Identifier: MIT
 * The accept loop that one would write by hand on epoll, for more connections than one descriptor
 * table holds: each thread has a private table. What comes on a connection is sent back, whole
 * messages only, so that the load can tell that it was accepted. */
#include "accept_threads.h"

#include <errno.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo_server.h"
#include "frames.h"

#define READ_BYTES 4096u
#define EVENTS 256

static void watch(int epoll_fd, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        echo_give_up("epoll_ctl");
    }
}

static void accept_all(struct accept_thread *thread, int epoll_fd)
{
    int descriptor;
    while ((descriptor = accept4(thread->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >=
           0) {
        watch(epoll_fd, descriptor);
        accept_count(&thread->accepted, 1);
    }
}

static void on_readable(struct accept_thread *thread, int descriptor)
{
    uint8_t input[READ_BYTES];
    uint64_t messages = 0;
    ssize_t got = recv(descriptor, input, sizeof(input), 0);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0 || frames_whole(input, (size_t)got, &messages) != got ||
        send(descriptor, input, (size_t)got, MSG_NOSIGNAL) != got) {
        (void)close(descriptor);
    }
    accept_count(&thread->messages, messages);
}

static void run(struct accept_thread *thread)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || unshare(CLONE_FILES) != 0) {
        echo_give_up("start");
    }
    watch(epoll_fd, thread->listener);
    accept_ready();
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == thread->listener) {
                accept_all(thread, epoll_fd);
            } else {
                on_readable(thread, events[i].data.fd);
            }
        }
    }
}

int main(int argc, char **argv)
{
    return accept_threads_main(argc, argv, run);
}
