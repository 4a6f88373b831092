/* SPDX-License-Identifier: MIT
 * Clocks, complaints and connecting: see load.h. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

/* Where our own addresses begin. 127.0.0.1 stays free, for its ports are the listeners' of all that
 * runs on this machine. */
#define FIRST_SOURCE 0x7f4d0001u /* 127.77.0.1 */
#define SOURCES 64u

uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool lost(const char *what)
{
    (void)fprintf(stderr, "bench_load: %s: %s\n", what, strerror(errno));
    return false;
}

int dial(const struct load *load, uint64_t number, uint32_t per_source, bool blocking)
{
    int on = 1;
    struct sockaddr_in source = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(FIRST_SOURCE + (uint32_t)(number / per_source % SOURCES))};
    const struct sockaddr *server = (const struct sockaddr *)&load->options.server;
    int descriptor =
        socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0);
    if (descriptor < 0) {
        (void)lost("socket");
        return -1;
    }
    /* The port is chosen when both ends are known, so 60,000 fit on one source. */
    (void)setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (bind(descriptor, (const struct sockaddr *)&source, sizeof(source)) == 0 &&
        (connect(descriptor, server, sizeof(load->options.server)) == 0 || errno == EINPROGRESS)) {
        return descriptor;
    }
    (void)lost("connect");
    (void)close(descriptor);
    return -1;
}
