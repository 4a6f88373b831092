/* SPDX-License-Identifier: MIT
 * The plain echo server: one thread, level-triggered epoll. */
#include "echo_host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "stopwatch.h"

#define CONNS_MAX 65536u
#define BATCH 64
#define READ_BYTES 65536u

enum command {
    COMMAND_MOOD = 'm',
    COMMAND_DIE = 'd'
};

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void count(_Atomic uint32_t *counter, int change)
{
    atomic_fetch_add(counter, (uint32_t)change);
}

/* What to hear about, given the mood and what is left to send. */
static void listen_to(struct echo_host *echo, int descriptor, int operation)
{
    const struct echo_conn *conn = &echo->conns[descriptor];
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (conn->backlog != NULL) {
        event.events = EPOLLOUT;
    } else if (atomic_load(&echo->mood) == ECHO_DEAF) {
        event.events = 0; /* a reset is reported all the same */
    }
    require(epoll_ctl(echo->events, operation, descriptor, &event) == 0);
}

static void end(struct echo_host *echo, int descriptor, bool reset)
{
    struct echo_conn *conn = &echo->conns[descriptor];
    if (reset) {
        const struct linger now = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    free(conn->backlog);
    *conn = (struct echo_conn){0};
    (void)close(descriptor);
    count(&echo->open, -1);
}

static void on_accept(struct echo_host *echo)
{
    int descriptor = accept4(echo->host.descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) {
        return;
    }
    require((uint32_t)descriptor < CONNS_MAX);
    echo->conns[descriptor] = (struct echo_conn){.is_open = true};
    listen_to(echo, descriptor, EPOLL_CTL_ADD);
    count(&echo->open, 1);
    count(&echo->accepted, 1);
}

/* Sends as much as goes; the rest becomes the backlog. False if the connection is dead. */
static bool send_back(struct echo_host *echo, int descriptor, const uint8_t *data, size_t size)
{
    struct echo_conn *conn = &echo->conns[descriptor];
    ssize_t sent = send(descriptor, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        return false;
    }
    size_t done = sent < 0 ? 0 : (size_t)sent;
    uint8_t *old = conn->backlog;
    conn->backlog = NULL;
    if (done < size) {
        conn->backlog = malloc(size - done);
        require(conn->backlog != NULL);
        memcpy(conn->backlog, data + done, size - done);
    }
    conn->backlog_size = (uint32_t)(size - done);
    bool changed = (old != NULL) != (conn->backlog != NULL);
    free(old);
    if (changed) {
        listen_to(echo, descriptor, EPOLL_CTL_MOD);
    }
    return true;
}

static void on_input(struct echo_host *echo, int descriptor)
{
    static _Thread_local uint8_t data[READ_BYTES]; /* there may be several hosts */
    struct echo_conn *conn = &echo->conns[descriptor];
    ssize_t got = recv(descriptor, data, sizeof(data), 0);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0) {
        count(got == 0 ? &echo->ends : &echo->resets, 1);
        end(echo, descriptor, false);
        return;
    }
    atomic_fetch_add(&echo->bytes, (uint64_t)got);
    int mood = atomic_load(&echo->mood);
    conn->is_ending = mood == ECHO_FINISHES;
    if (mood != ECHO_SILENT && !send_back(echo, descriptor, data, (size_t)got)) {
        count(&echo->resets, 1);
        end(echo, descriptor, false);
    } else if (conn->is_ending && conn->backlog == NULL) {
        end(echo, descriptor, false);
    }
}

static void on_room(struct echo_host *echo, int descriptor)
{
    struct echo_conn *conn = &echo->conns[descriptor];
    if (!send_back(echo, descriptor, conn->backlog, conn->backlog_size)) {
        count(&echo->resets, 1);
        end(echo, descriptor, false);
    } else if (conn->is_ending && conn->backlog == NULL) {
        end(echo, descriptor, false);
    }
}

static void on_conn(struct echo_host *echo, int descriptor, uint32_t events)
{
    if ((events & EPOLLOUT) != 0 && echo->conns[descriptor].backlog != NULL) {
        on_room(echo, descriptor);
    } else if ((events & EPOLLIN) != 0) {
        on_input(echo, descriptor);
    } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        count(&echo->resets, 1);
        end(echo, descriptor, false);
    }
}

/* False if the host is to die. */
static bool on_command(struct echo_host *echo)
{
    char command;
    require(read(echo->commands[0], &command, 1) == 1);
    for (uint32_t i = 0; i < CONNS_MAX; i++) {
        if (!echo->conns[i].is_open) {
            continue;
        }
        if (command == COMMAND_DIE) {
            end(echo, (int)i, true);
        } else {
            listen_to(echo, (int)i, EPOLL_CTL_MOD);
        }
    }
    return command != COMMAND_DIE;
}

static void *serve(void *argument)
{
    struct echo_host *echo = argument;
    for (;;) {
        struct epoll_event events[BATCH];
        int ready = epoll_wait(echo->events, events, BATCH, -1);
        for (int i = 0; i < ready; i++) {
            int descriptor = events[i].data.fd;
            if (descriptor == echo->commands[0]) {
                if (!on_command(echo)) {
                    return NULL;
                }
                break; /* the other events may be of connections that it closed */
            }
            if (descriptor == echo->host.descriptor) {
                on_accept(echo);
            } else if (echo->conns[descriptor].is_open) {
                on_conn(echo, descriptor, events[i].events);
            }
        }
    }
}

static void watch(struct echo_host *echo, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    require(epoll_ctl(echo->events, EPOLL_CTL_ADD, descriptor, &event) == 0);
}

bool echo_host_start(struct echo_host *echo, enum throng_address_family family)
{
    memset(echo, 0, sizeof(*echo));
    if (!host_open(&echo->host, family)) {
        return false;
    }
    echo->conns = calloc(CONNS_MAX, sizeof(struct echo_conn));
    echo->events = epoll_create1(EPOLL_CLOEXEC);
    require(echo->conns != NULL && echo->events >= 0);
    require(pipe2(echo->commands, O_CLOEXEC) == 0);
    watch(echo, echo->commands[0]);
    watch(echo, echo->host.descriptor);
    require(pthread_create(&echo->thread, NULL, serve, echo) == 0);
    return true;
}

static void command(const struct echo_host *echo, char which)
{
    require(write(echo->commands[1], &which, 1) == 1);
}

void echo_host_set_mood(struct echo_host *echo, enum echo_mood mood)
{
    atomic_store(&echo->mood, (int)mood);
    command(echo, COMMAND_MOOD);
}

void echo_host_die(struct echo_host *echo)
{
    command(echo, COMMAND_DIE);
    require(pthread_join(echo->thread, NULL) == 0);
    host_close(&echo->host);
    (void)close(echo->events);
    (void)close(echo->commands[0]);
    (void)close(echo->commands[1]);
    free(echo->conns);
    echo->conns = NULL;
}

void echo_host_stop(struct echo_host *echo)
{
    if (echo->conns != NULL) {
        echo_host_die(echo);
    }
}

bool echo_host_await(const _Atomic uint32_t *counter, uint32_t value)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (atomic_load(counter) != value) {
        const struct timespec moment = {.tv_nsec = 200000};
        if (test_now_ms() > deadline_ms) {
            return false;
        }
        (void)nanosleep(&moment, NULL);
    }
    return true;
}

bool echo_host_settle(struct echo_host *echo)
{
    struct peer last;
    uint8_t byte = 0;
    /* The system hands connections over in order: who is answered was accepted after all others. */
    bool is_last = peer_connect(&last, &echo->host.address, NULL) &&
                   peer_send_all(&last, &byte, 1, test_deadline_ms()) &&
                   peer_receive_all(&last, &byte, 1, test_deadline_ms());
    peer_close(&last);
    return is_last && echo_host_await(&echo->open, 0);
}
