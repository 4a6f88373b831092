/* SPDX-License-Identifier: MIT
 * What connects, under torture: the swarm, the client that does not block, the one that does. The
 * other side is a bare listening socket of the same thread. */
#include <stdatomic.h>
#include <string.h>

#include <throng/client.h>
#include <throng/swarm.h>
#include <throng/tcp.h>

#include "host.h"
#include "peer.h"
#include "scenario.h"
#include "stopwatch.h"

static struct host host;

static bool open_host(const struct scenario *scenario)
{
    return scenario_limit_descriptors(scenario) && host_open(&host, THRONG_ADDRESS_IPV4);
}

/* Answers the next message of a connection, if one comes; gives the connection up otherwise. */
static bool echo_peer(struct peer *peer)
{
    char message[8];
    return peer_receive_frame(peer, message, sizeof(message), 1000) == 5 &&
           peer_send_frame(peer, message, 5, test_deadline_ms());
}

/* ---- the swarm ---- */

static struct throng_swarm *swarm;
static _Atomic uint32_t echoes;

static void on_open(void *context, struct throng_swarm_thread *thread, uint32_t index)
{
    (void)context;
    (void)throng_swarm_write(thread, index, "hello", 5);
}

static void on_message(void *context, struct throng_swarm_thread *thread, uint32_t index,
                       const void *data, size_t size)
{
    (void)context;
    (void)thread;
    (void)index;
    atomic_fetch_add(&echoes, size == 5 && memcmp(data, "hello", 5) == 0 ? 1 : 0);
}

/* A connect that failed is no failed start: the handler is told, and tries again. */
static void on_closed(void *context, struct throng_swarm_thread *thread, uint32_t index, int error)
{
    (void)context;
    (void)error;
    (void)throng_swarm_connect(thread, index);
}

static int start_swarm(const struct scenario *scenario, struct throng_error *error)
{
    struct throng_swarm_options options;
    throng_swarm_options_init(&options);
    options.targets[0] = host.endpoint;
    options.backend = scenario->backend;
    options.threads = scenario->threads;
    options.connections = scenario->connections;
    options.handler = (struct throng_swarm_handler){
        .on_open = on_open, .on_message = on_message, .on_closed = on_closed};
    atomic_store(&echoes, 0);
    return throng_swarm_start(&swarm, &options, error);
}

#define SWARM_CONNECTIONS 2u
#define SWARM_PEERS 8u /* with those whose connect or first send was made to fail */

static struct peer peers[SWARM_PEERS];
static uint32_t peer_count;

static bool serve_swarm(const struct scenario *scenario)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms() / 2;
    (void)scenario;
    while (atomic_load(&echoes) < SWARM_CONNECTIONS && test_now_ms() < deadline_ms &&
           peer_count < SWARM_PEERS) {
        if (host_accept(&host, &peers[peer_count], 10)) {
            (void)echo_peer(&peers[peer_count]);
            peer_count++;
        }
    }
    return atomic_load(&echoes) == SWARM_CONNECTIONS;
}

static void stop_swarm(const struct scenario *scenario)
{
    (void)scenario;
    throng_swarm_stop(swarm);
    swarm = NULL;
    /* Not before: a swarm that sees an end connects again. */
    while (peer_count > 0) {
        peer_close(&peers[--peer_count]);
    }
}

/* ---- the client that does not block ---- */

static struct throng_client *client;

static int start_client(const struct scenario *scenario, struct throng_error *error)
{
    (void)scenario;
    int result = throng_client_create(&client, NULL, error);
    if (result != 0) {
        return result;
    }
    result = throng_client_connect(client, host.endpoint);
    int64_t deadline_ms = test_now_ms() + test_deadline_ms() / 2;
    while (result == 0 && throng_client_update(client) == THRONG_CLIENT_CONNECTING &&
           test_now_ms() < deadline_ms) {
    }
    if (result == 0 && throng_client_state(client) != THRONG_CLIENT_CONNECTED) {
        result = throng_client_error(client);
    }
    if (result != 0) {
        /* It has no text but the code's. */
        error->code = result;
        (void)strncpy(error->text, throng_error_text(result), sizeof(error->text) - 1);
        throng_client_destroy(client);
    }
    return result;
}

static bool serve_client(const struct scenario *scenario)
{
    struct peer peer;
    const void *data = NULL;
    size_t size = 0;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms() / 2;
    (void)scenario;
    bool served = throng_client_write(client, "hello", 5) == 0;
    /* A try that failed before may have left a connection in the backlog. */
    bool answered = false;
    while (served && !answered && test_now_ms() < deadline_ms) {
        answered = host_accept(&host, &peer, 1000) && echo_peer(&peer);
        peer_close(&peer);
    }
    while (answered && throng_client_read(client, &data, &size) == 0 &&
           test_now_ms() < deadline_ms) {
        (void)throng_client_update(client);
    }
    return answered && size == 5 && memcmp(data, "hello", 5) == 0;
}

static void stop_client(const struct scenario *scenario)
{
    (void)scenario;
    throng_client_destroy(client);
}

/* ---- the one that blocks ---- */

static struct throng_tcp *tcp;

static int start_tcp(const struct scenario *scenario, struct throng_error *error)
{
    (void)scenario;
    return throng_tcp_connect(&tcp, host.endpoint, NULL, test_deadline_ms() / 2, error);
}

static bool serve_tcp(const struct scenario *scenario)
{
    struct peer peer;
    char message[8];
    bool answered = false;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms() / 2;
    (void)scenario;
    bool served = throng_tcp_write(tcp, "hello", 5, 1000) == 0;
    while (served && !answered && test_now_ms() < deadline_ms) {
        answered = host_accept(&host, &peer, 1000) && echo_peer(&peer);
        peer_close(&peer);
    }
    return answered && throng_tcp_read(tcp, message, sizeof(message), 1000) == 5 &&
           memcmp(message, "hello", 5) == 0;
}

static void stop_tcp(const struct scenario *scenario)
{
    (void)scenario;
    throng_tcp_close(tcp);
}

/* ---- the table ---- */

/* "As throng_server_start": see server_scenario.c. */
static const int swarm_errors[] = {
    THRONG_ENOMEM, THRONG_EACCES,        THRONG_EDESCRIPTORLIMIT, THRONG_ENOTSUP,
    THRONG_EMFILE, THRONG_EADDRNOTAVAIL, THRONG_ESYSTEM,          0};

/* What the system says of a connect is the client's answer. */
static const int connect_errors[] = {THRONG_ENOMEM,       THRONG_ENOBUFS,       THRONG_EMFILE,
                                     THRONG_ECONNREFUSED, THRONG_EUNREACHABLE,  THRONG_ETIMEDOUT,
                                     THRONG_EACCES,       THRONG_EADDRNOTAVAIL, THRONG_EAFNOSUPPORT,
                                     THRONG_ESYSTEM,      THRONG_ECONNRESET,    0};

#define SWARM(title, system, count)                                                                \
    {                                                                                              \
        .name = "swarm, " title, .backend = (system), .threads = (count),                          \
        .connections = SWARM_CONNECTIONS, .documented = swarm_errors, .prepare = open_host,        \
        .start = start_swarm, .serve = serve_swarm, .stop = stop_swarm                             \
    }

static const struct scenario scenarios[] = {
    SWARM("1 thread", "epoll", 1),
    SWARM("2 threads", "epoll", 2),
    SWARM("1 thread", "io_uring", 1),
    SWARM("2 threads", "io_uring", 2),
    {.name = "client",
     .backend = "sockets",
     .documented = connect_errors,
     .prepare = open_host,
     .start = start_client,
     .serve = serve_client,
     .stop = stop_client},
    {.name = "tcp client",
     .backend = "sockets",
     .documented = connect_errors,
     .prepare = open_host,
     .start = start_tcp,
     .serve = serve_tcp,
     .stop = stop_tcp},
};

const struct scenario *client_scenario(size_t index)
{
    return index < sizeof(scenarios) / sizeof(scenarios[0]) ? &scenarios[index] : NULL;
}
