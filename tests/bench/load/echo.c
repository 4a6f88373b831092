/* SPDX-License-Identifier: MIT
 * The load on lasting connections: see load.h. Level-triggered epoll; one receive for each event;
 * what came back is at once replaced by as much that is sent. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

/* Linux gives out 28,000 ports of a source address, and the odd half only when it has searched all
 * of the even half in vain: 14,000 connections cost nothing to speak of, the next one a thousand
 * times more. */
#define CONNECTIONS_PER_SOURCE 5000u

static bool watch(const struct load *load, int operation, struct load_conn *conn, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = conn};
    return epoll_ctl(load->epoll_fd, operation, conn->descriptor, &event) == 0 || lost("epoll_ctl");
}

bool echo_create(struct load *load)
{
    uint32_t count = load->options.connections;
    size_t window = load->options.window;
    load->conns = calloc(count, sizeof(*load->conns));
    load->sent_at = calloc((size_t)count * window, sizeof(*load->sent_at));
    if (load->conns == NULL || load->sent_at == NULL) {
        return lost("calloc");
    }
    for (uint32_t i = 0; i < count; i++) {
        load->conns[i].descriptor = -1;
        load->conns[i].index = i;
        load->conns[i].sent_at = load->sent_at + (size_t)i * window;
    }
    return true;
}

void echo_close(struct load *load)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    for (uint32_t i = 0; load->conns != NULL && i < load->options.connections; i++) {
        int descriptor = load->conns[i].descriptor;
        if (descriptor >= 0) {
            if (load->options.later) {
                (void)setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
            }
            (void)close(descriptor);
        }
    }
    free(load->conns);
    free(load->sent_at);
}

/* Waits for room to send, or no longer. */
static bool await_room(struct load *load, struct load_conn *conn, bool wanted)
{
    if (conn->waits_writable == wanted) {
        return true;
    }
    conn->waits_writable = wanted;
    return watch(load, EPOLL_CTL_MOD, conn, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Sends what is due, as far as the system takes it. */
static bool send_due(struct load *load, struct load_conn *conn)
{
    struct frames *frames = &load->frames;
    while (conn->sent < conn->due) {
        size_t at = conn->sent % frames->frame;
        size_t count = (size_t)(conn->due - conn->sent + at) / frames->frame;
        if (count > frames->capacity) {
            count = frames->capacity;
        }
        frames_stamp(frames, conn->index, conn->sent / frames->frame, count);
        ssize_t sent = send(conn->descriptor, frames->bytes + at, count * frames->frame - at,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            return errno == EAGAIN ? await_room(load, conn, true) : lost("send");
        }
        conn->sent += (uint64_t)sent;
    }
    return await_room(load, conn, false);
}

/* `count` messages came back: notes how long they took. While the slice lasts, as many follow. */
static bool answered(struct load *load, struct load_conn *conn, uint64_t count)
{
    uint64_t now = now_ns();
    load->messages += count;
    for (uint64_t i = 0; i < count; i++) {
        histogram_add(&load->latency, now - conn->sent_at[conn->oldest]);
        conn->sent_at[conn->oldest] = now;
        conn->oldest = conn->oldest + 1 == load->options.window ? 0 : conn->oldest + 1;
    }
    if (now >= load->deadline) {
        return true;
    }
    conn->due += count * load->frames.frame;
    load->begun += count;
    return send_due(load, conn);
}

static bool on_readable(struct load *load, struct load_conn *conn)
{
    ssize_t got = recv(conn->descriptor, load->input, sizeof(load->input), MSG_DONTWAIT);
    if (got < 0) {
        return errno == EAGAIN || lost("recv");
    }
    uint64_t before = conn->received;
    if (got == 0 || before + (uint64_t)got > conn->sent) {
        (void)fprintf(stderr, "bench_load: the server %s\n",
                      got == 0 ? "closed a connection" : "sent too much");
        return false;
    }
    if (!frames_check(&load->frames, conn->index, before, load->input, (size_t)got)) {
        (void)fprintf(stderr, "bench_load: a wrong byte came back\n");
        return false;
    }
    conn->received += (uint64_t)got;
    uint64_t count = conn->received / load->frames.frame - before / load->frames.frame;
    return count == 0 || answered(load, conn, count);
}

static bool on_event(struct load *load, const struct epoll_event *event)
{
    struct load_conn *conn = event->data.ptr;
    if ((event->events & EPOLLOUT) != 0 && !send_due(load, conn)) {
        return false;
    }
    return (event->events & ~(uint32_t)EPOLLOUT) == 0 || on_readable(load, conn);
}

/* The i-th active connection: they lie evenly among all. */
static struct load_conn *active_conn(struct load *load, uint32_t i)
{
    uint64_t index = (uint64_t)i * load->options.connections / load->options.active;
    return &load->conns[index];
}

/* Sends the first window. */
static bool begin_conn(struct load *load, struct load_conn *conn)
{
    uint32_t window = load->options.window;
    uint64_t now = now_ns();
    for (uint32_t j = 0; j < window; j++) {
        conn->sent_at[j] = now;
    }
    conn->due += (uint64_t)window * load->frames.frame;
    load->begun += window;
    return send_due(load, conn);
}

/* Ends: after the deadline each answer brings the two counts closer. */
static bool run_conns(struct load *load)
{
    struct epoll_event events[EVENTS];
    while (load->messages < load->begun) {
        int count = epoll_wait(load->epoll_fd, events, EVENTS, SILENCE_MS);
        if (count <= 0) {
            (void)fprintf(stderr, "bench_load: no answer for %d ms\n", SILENCE_MS);
            return false;
        }
        for (int i = 0; i < count; i++) {
            if (!on_event(load, &events[i])) {
                return false;
            }
        }
    }
    return true;
}

bool echo_open(struct load *load, bool ask)
{
    uint32_t count = load->options.connections;
    load->deadline = 0; /* what is asked is asked once */
    for (uint32_t i = 0; i < count; i++) {
        struct load_conn *conn = &load->conns[i];
        conn->descriptor = dial(load, load->options.first + i, CONNECTIONS_PER_SOURCE, true);
        if (conn->descriptor < 0 || !watch(load, EPOLL_CTL_ADD, conn, EPOLLIN)) {
            return false;
        }
        if (ask && (i % ASK_EACH == ASK_EACH - 1 || i == count - 1) &&
            (!begin_conn(load, conn) || !run_conns(load))) {
            return false;
        }
    }
    return true;
}

bool echo_slice(struct load *load, uint64_t duration_ns)
{
    load->deadline = now_ns() + duration_ns;
    for (uint32_t i = 0; i < load->options.active; i++) {
        if (!begin_conn(load, active_conn(load, i))) {
            return false;
        }
    }
    return run_conns(load);
}
