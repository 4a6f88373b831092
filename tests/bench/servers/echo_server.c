/* SPDX-License-Identifier: MIT
 * See echo_server.h. */
#include "echo_server.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define BACKLOG 4096

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

void echo_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

bool echo_stopped(void)
{
    return stopped != 0;
}

void echo_give_up(const char *what)
{
    perror(what);
    exit(1);
}

uint32_t echo_descriptors_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        echo_give_up("getrlimit");
    }
    return (uint32_t)limit.rlim_cur;
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_listener(uint16_t port, bool shared)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        (shared && setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) ||
        bind(listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, BACKLOG) != 0) {
        echo_give_up("listen");
    }
    return listener;
}

static uint16_t port_of(int listener)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof(address);
    if (getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        echo_give_up("getsockname");
    }
    return ntohs(address.sin_port);
}

int echo_listen(int argc, char **argv)
{
    raise_descriptor_limit();
    return open_listener((uint16_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 0), false);
}

void echo_listen_shared(int *listeners, uint32_t count)
{
    raise_descriptor_limit();
    for (uint32_t i = 0; i < count; i++) {
        listeners[i] = open_listener(i == 0 ? 0 : port_of(listeners[0]), true);
    }
}

void echo_announce(int listener)
{
    printf("listening on tcp://127.0.0.1:%d\n", port_of(listener));
    (void)fflush(stdout);
}

void echo_print_counts(const struct echo_counts *counts)
{
    (void)fprintf(stderr, "served: accepted %" PRIu64 ", messages in %" PRIu64 "\n",
                  counts->accepted, counts->messages);
}
