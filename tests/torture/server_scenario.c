/* SPDX-License-Identifier: MIT
 * A server under torture: inline, with threads, with private descriptor tables, on each backend. */
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <throng/server.h>

#include "peer.h"
#include "scenario.h"
#include "stopwatch.h"

static struct throng_server *server;

/* throng_server_start's comment names them; THRONG_EINVAL is for options, and these are in
 * order. */
static const int documented[] = {THRONG_ENOMEM,
                                 THRONG_EADDRINUSE,
                                 THRONG_EADDRNOTAVAIL,
                                 THRONG_EACCES,
                                 THRONG_EDESCRIPTORLIMIT,
                                 THRONG_EAFNOSUPPORT,
                                 THRONG_ENOTSUP,
                                 THRONG_EMFILE,
                                 THRONG_ENOBUFS,
                                 THRONG_ESYSTEM,
                                 0};

bool scenario_limit_descriptors(const struct scenario *scenario)
{
    const struct rlimit limit = {scenario->descriptors_limit, scenario->descriptors_limit};
    return scenario->descriptors_limit == 0 || setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static int start(const struct scenario *scenario, struct throng_error *error)
{
    struct throng_server_options options;
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.backend = scenario->backend;
    options.io_threads = scenario->threads;
    options.max_connections = scenario->connections;
    return throng_server_start(&server, &options, error);
}

/* Takes events until a message came, and echoes it. */
static bool echo_one(int64_t deadline_ms)
{
    struct throng_event event;
    bool echoed = false;
    while (!echoed && test_now_ms() < deadline_ms) {
        if (throng_get_event(server, &event, 10) != 1) {
            continue;
        }
        if (event.type == THRONG_EVENT_MESSAGE) {
            echoed = throng_write_data(server, event.conn, event.data, event.size) == 0;
        }
        throng_release_event(server, &event);
    }
    throng_flush(server);
    return echoed && throng_get_event(server, &event, 0) == 0;
}

static bool serve(const struct scenario *scenario)
{
    struct throng_address address;
    struct peer peer;
    char message[8];
    int64_t deadline_ms = test_now_ms() + test_deadline_ms() / 2;
    (void)scenario;
    if (throng_server_listen_address(server, 0, &address) != 0 ||
        !peer_connect(&peer, &address, NULL)) {
        return false;
    }
    bool served = peer_send_frame(&peer, "hello", 5, test_deadline_ms()) && echo_one(deadline_ms) &&
                  peer_receive_frame(&peer, message, sizeof(message), test_deadline_ms()) == 5 &&
                  memcmp(message, "hello", 5) == 0;
    peer_close(&peer);
    return served;
}

static void stop(const struct scenario *scenario)
{
    (void)scenario;
    throng_server_stop(server);
    server = NULL;
}

#define SERVER(title, system, count, ...)                                                          \
    {                                                                                              \
        .name = "server, " title, .backend = (system), .threads = (count),                         \
        .documented = documented, .prepare = scenario_limit_descriptors, .start = start,           \
        .serve = serve, .stop = stop, __VA_ARGS__                                                  \
    }

/* 17,000 descriptors for 65,000 connections make four tables of them. */
#define MANY .connections = 65000, .descriptors_limit = 17000

static const struct scenario scenarios[] = {
    SERVER("inline", "epoll", 0, .connections = 100),
    SERVER("2 threads", "epoll", 2, .connections = 100),
    SERVER("4 private tables", "epoll", 4, MANY),
    SERVER("4 tables, Linux 5.8", "epoll", 4, MANY, .unknown_call = SYS_close_range),
    SERVER("inline", "io_uring", 0, .connections = 100),
    SERVER("2 threads", "io_uring", 2, .connections = 100),
    SERVER("4 threads, 65,000", "io_uring", 4, MANY),
    SERVER("4 private tables", "io_uring-plain", 4, MANY),
    SERVER("2 threads", "auto", 2, .connections = 100),
};

const struct scenario *server_scenario(size_t index)
{
    return index < sizeof(scenarios) / sizeof(scenarios[0]) ? &scenarios[index] : NULL;
}
