/* SPDX-License-Identifier: MIT
 * The load of ticks: see load.h. It asks for a tick only when it has all of the last one, so the
 * server never waits for room. The message that asks has the same form as those that come. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "load.h"

static bool ask(struct load *load)
{
    struct load_conn *first = &load->conns[0];
    frames_stamp(&load->frames, 0, load->ticks++, 1);
    ssize_t sent = send(first->descriptor, load->frames.bytes, load->frames.frame, MSG_NOSIGNAL);
    load->begun += (uint64_t)load->options.connections * load->options.tick;
    return sent == (ssize_t)load->frames.frame || lost("send");
}

/* All connections get the same: message n of each is stamped (0, n). */
static bool on_readable(struct load *load, struct load_conn *conn)
{
    ssize_t got = recv(conn->descriptor, load->input, sizeof(load->input), MSG_DONTWAIT);
    if (got <= 0) {
        return (got < 0 && errno == EAGAIN) || lost("recv");
    }
    uint64_t before = conn->received;
    if (!frames_check(&load->frames, 0, before, load->input, (size_t)got)) {
        (void)fprintf(stderr, "bench_load: a wrong byte came\n");
        return false;
    }
    conn->received += (uint64_t)got;
    load->messages += conn->received / load->frames.frame - before / load->frames.frame;
    return true;
}

static bool await_tick(struct load *load)
{
    struct epoll_event events[EVENTS];
    int count = 1;
    while (load->messages < load->begun && count > 0) {
        count = epoll_wait(load->epoll_fd, events, EVENTS, SILENCE_MS);
        for (int i = 0; i < count; i++) {
            if (!on_readable(load, events[i].data.ptr)) {
                return false;
            }
        }
    }
    if (load->messages != load->begun) {
        (void)fprintf(stderr, "bench_load: %" PRIu64 " messages came, %" PRIu64 " were due\n",
                      load->messages, load->begun);
    }
    return load->messages == load->begun;
}

bool tick_slice(struct load *load, uint64_t duration_ns)
{
    uint64_t now = now_ns();
    load->deadline = now + duration_ns;
    do {
        uint64_t began = now;
        if (!ask(load) || !await_tick(load)) {
            return false;
        }
        now = now_ns();
        histogram_add(&load->latency, now - began);
    } while (now < load->deadline);
    return true;
}
