/* SPDX-License-Identifier: MIT
 * The load of connections that come and go: see load.h. The client ends its side first, as players
 * do, and reads the server's end, so that a slice is over only when the server is rid of all. */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

/* Neighbours have different sources, so a port comes back only after many cycles. */
#define CYCLES_PER_SOURCE 1u

#define CLIENTS_MAX 1000u

enum client_state {
    CLIENT_CONNECTS,
    CLIENT_READS, /* its message is sent */
    CLIENT_ENDS,  /* its side is shut */
};

struct client {
    int descriptor;
    enum client_state state;
    uint32_t number; /* which connection of all, modulo 2^20: its stamp */
    size_t received;
    uint64_t began;
};

static bool watch(const struct load *load, int operation, struct client *client, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = client};
    return epoll_ctl(load->epoll_fd, operation, client->descriptor, &event) == 0 ||
           lost("epoll_ctl");
}

static bool may_begin(const struct load *load, uint64_t now)
{
    return now < load->deadline && load->begun < CHURN_MAX;
}

/* One message fits any socket's buffer, so it is sent whole or, before the connection stands, not
 * at all. */
static bool send_message(struct load *load, struct client *client, bool first_try)
{
    frames_stamp(&load->frames, client->number, 0, 1);
    ssize_t sent = send(client->descriptor, load->frames.bytes, load->frames.frame, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN && first_try) {
        return watch(load, EPOLL_CTL_ADD, client, EPOLLOUT);
    }
    if (sent != (ssize_t)load->frames.frame) {
        return lost("send");
    }
    client->state = CLIENT_READS;
    return watch(load, first_try ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, client, EPOLLIN);
}

static bool begin(struct load *load, struct client *client, uint64_t now)
{
    client->number = (uint32_t)(load->churned % (1u << 20));
    client->state = CLIENT_CONNECTS;
    client->received = 0;
    client->began = now;
    client->descriptor = dial(load, load->churned++, CYCLES_PER_SOURCE, false);
    load->begun++;
    return client->descriptor >= 0 && send_message(load, client, true);
}

static bool on_data(struct load *load, struct client *client, size_t size)
{
    size_t whole = load->frames.frame;
    if (client->state != CLIENT_READS || client->received + size > whole ||
        !frames_check(&load->frames, client->number, client->received, load->input, size)) {
        (void)fprintf(stderr, "bench_load: a wrong byte came back\n");
        return false;
    }
    client->received += size;
    if (client->received < whole) {
        return true;
    }
    client->state = CLIENT_ENDS;
    return shutdown(client->descriptor, SHUT_WR) == 0 || lost("shutdown");
}

/* The server has ended its side too. */
static bool on_end(struct load *load, struct client *client)
{
    if (client->state != CLIENT_ENDS) {
        (void)fprintf(stderr, "bench_load: the server closed a connection\n");
        return false;
    }
    uint64_t now = now_ns();
    histogram_add(&load->latency, now - client->began);
    load->messages++;
    (void)close(client->descriptor);
    client->descriptor = -1;
    return !may_begin(load, now) || begin(load, client, now);
}

static bool on_event(struct load *load, struct client *client)
{
    if (client->state == CLIENT_CONNECTS) {
        return send_message(load, client, false);
    }
    ssize_t got = recv(client->descriptor, load->input, sizeof(load->input), 0);
    if (got < 0) {
        return errno == EAGAIN || lost("recv");
    }
    return got == 0 ? on_end(load, client) : on_data(load, client, (size_t)got);
}

static bool run_clients(struct load *load)
{
    struct epoll_event events[EVENTS];
    while (load->messages < load->begun) {
        int count = epoll_wait(load->epoll_fd, events, EVENTS, SILENCE_MS);
        if (count <= 0) {
            (void)fprintf(stderr, "bench_load: no answer for %d ms\n", SILENCE_MS);
            return false;
        }
        for (int i = 0; i < count; i++) {
            if (!on_event(load, events[i].data.ptr)) {
                return false;
            }
        }
    }
    return true;
}

bool churn_slice(struct load *load, uint64_t duration_ns)
{
    static struct client clients[CLIENTS_MAX];
    uint64_t now = now_ns();
    load->deadline = now + duration_ns;
    for (uint32_t i = 0; i < load->options.connections; i++) {
        if (i == CLIENTS_MAX || !begin(load, &clients[i], now)) {
            return false;
        }
    }
    return run_clients(load);
}
