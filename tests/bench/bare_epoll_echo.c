/* SPDX-License-Identifier: MIT
 * The loop that one would write by hand for an echo server, as the measure for ours: level-triggered
 * epoll, one thread, one read buffer for all, the same frames. No limits but the message size, no
 * backpressure, no events, no ids, memory from the heap: nobody should serve with it.
 *
 *     bare_epoll_echo [PORT]     prints "listening on tcp://127.0.0.1:PORT"; ends at SIGTERM */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX 65536u
#define FRAME_MAX (4u + MESSAGE_MAX)
#define READ_BYTES 65536u
#define EVENTS 256

/* Bytes between `from` and `to`. */
struct bytes {
    uint8_t *data;
    size_t from;
    size_t to;
    size_t capacity;
};

struct conn {
    struct bytes partial; /* the beginning of a frame, less than a whole one */
    struct bytes unsent;  /* what the system did not take */
};

static int epoll_fd;
static struct conn *conns; /* by descriptor */
static uint8_t input[FRAME_MAX + READ_BYTES];
static struct bytes output; /* the answers of one read */
static uint64_t accepted;
static uint64_t messages;
static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static void append(struct bytes *bytes, const void *data, size_t size)
{
    if (size == 0) {
        return; /* there may be no memory yet, and memcpy wants some even for nothing */
    }
    if (bytes->to + size > bytes->capacity) {
        bytes->capacity = (bytes->to + size) * 2;
        bytes->data = realloc(bytes->data, bytes->capacity);
        if (bytes->data == NULL) {
            give_up("realloc");
        }
    }
    memcpy(bytes->data + bytes->to, data, size);
    bytes->to += size;
}

static void clear(struct bytes *bytes)
{
    bytes->from = 0;
    bytes->to = 0;
}

static void watch(int operation, int descriptor, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    if (epoll_ctl(epoll_fd, operation, descriptor, &event) != 0) {
        give_up("epoll_ctl");
    }
}

static void drop(int descriptor)
{
    struct conn *conn = &conns[descriptor];
    free(conn->partial.data);
    free(conn->unsent.data);
    memset(conn, 0, sizeof(*conn));
    close(descriptor);
}

static void accept_all(int listener)
{
    int descriptor;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int on = 1;
        (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        watch(EPOLL_CTL_ADD, descriptor, EPOLLIN);
        accepted++;
    }
}

/* The application: what it answers to one message. */
static void handle_message(const uint8_t *payload, uint32_t size)
{
    uint8_t header[4] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8),
                         (uint8_t)size};
    messages++;
    append(&output, header, sizeof(header));
    append(&output, payload, size);
}

/* Hands up the whole frames of the input; answers the bytes that they had, or -1 at a length over the
 * limit. */
static ptrdiff_t parse(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (size - at >= 4) {
        uint32_t length = (uint32_t)data[at] << 24 | (uint32_t)data[at + 1] << 16 |
                          (uint32_t)data[at + 2] << 8 | (uint32_t)data[at + 3];
        if (length > MESSAGE_MAX) {
            return -1;
        }
        if (size - at - 4 < length) {
            break;
        }
        handle_message(data + at + 4, length);
        at += 4 + length;
    }
    return (ptrdiff_t)at;
}

/* Sends what there is; false if the connection is dead. */
static bool send_bytes(int descriptor, struct bytes *bytes)
{
    while (bytes->from < bytes->to) {
        ssize_t sent =
            send(descriptor, bytes->data + bytes->from, bytes->to - bytes->from, MSG_NOSIGNAL);
        if (sent < 0) {
            return errno == EAGAIN;
        }
        bytes->from += (size_t)sent;
    }
    clear(bytes);
    return true;
}

static bool answer(int descriptor, struct conn *conn)
{
    if (conn->unsent.to > 0) {
        append(&conn->unsent, output.data, output.to);
        clear(&output);
        return true;
    }
    bool alive = send_bytes(descriptor, &output);
    if (alive && output.to > 0) {
        append(&conn->unsent, output.data + output.from, output.to - output.from);
        watch(EPOLL_CTL_MOD, descriptor, EPOLLIN | EPOLLOUT);
    }
    clear(&output);
    return alive;
}

static bool on_readable(int descriptor, struct conn *conn)
{
    size_t have = conn->partial.to;
    if (have > 0) {
        memcpy(input, conn->partial.data, have);
        clear(&conn->partial);
    }
    ssize_t got = recv(descriptor, input + have, READ_BYTES, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) {
            return false;
        }
        got = 0;
    }
    size_t size = have + (size_t)got;
    ptrdiff_t used = parse(input, size);
    if (used < 0) {
        return false;
    }
    if ((size_t)used < size) {
        append(&conn->partial, input + used, size - (size_t)used);
    }
    return output.to == 0 || answer(descriptor, conn);
}

static bool on_writable(int descriptor, struct conn *conn)
{
    bool alive = send_bytes(descriptor, &conn->unsent);
    if (alive && conn->unsent.to == 0) {
        watch(EPOLL_CTL_MOD, descriptor, EPOLLIN);
    }
    return alive;
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

static int open_listener(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int on = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(listener, (const struct sockaddr *)&address, length) != 0 ||
        listen(listener, 4096) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        give_up("listen");
    }
    printf("listening on tcp://127.0.0.1:%d\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    return listener;
}

static void prepare(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    struct rlimit limit;
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    conns = calloc(limit.rlim_cur, sizeof(*conns));
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (conns == NULL || epoll_fd < 0) {
        give_up("start");
    }
}

int main(int argc, char **argv)
{
    prepare();
    int listener = open_listener((uint16_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 0));
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    while (!stopped) {
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
    (void)fprintf(stderr, "served: accepted %" PRIu64 ", messages in %" PRIu64 "\n", accepted,
                  messages);
    return 0;
}
