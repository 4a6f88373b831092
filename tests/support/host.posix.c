/* SPDX-License-Identifier: MIT
 * The plain listening side on POSIX sockets. */
#include "host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static socklen_t encode_loopback(struct sockaddr_storage *name, enum throng_address_family family)
{
    memset(name, 0, sizeof(*name));
    if (family == THRONG_ADDRESS_IPV6) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)name;
        six->sin6_family = AF_INET6;
        six->sin6_addr = in6addr_loopback;
        return sizeof(*six);
    }
    struct sockaddr_in *four = (struct sockaddr_in *)name;
    four->sin_family = AF_INET;
    four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof(*four);
}

static int descriptor_of(const struct host *host)
{
    return (int)host->descriptor;
}

static bool bind_loopback(struct host *host, enum throng_address_family family)
{
    struct sockaddr_storage name;
    socklen_t size = encode_loopback(&name, family);
    for (int i = 0; i < HOST_FILLERS_MAX; i++) {
        host->fillers[i].descriptor = -1;
    }
    host->descriptor = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (host->descriptor < 0) {
        return false;
    }
    if (bind(descriptor_of(host), (const struct sockaddr *)&name, size) != 0) {
        host_close(host);
        return false;
    }
    const struct peer bound = {.descriptor = host->descriptor};
    peer_local_address(&bound, &host->address);
    (void)throng_address_text(&host->address, host->endpoint);
    return true;
}

static bool listen_with(struct host *host, int backlog)
{
    /* Peers inherit it: what they send leaves at once, so a reset behind it takes nothing back. */
    int on = 1;
    (void)setsockopt(descriptor_of(host), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (listen(descriptor_of(host), backlog) == 0) {
        return true;
    }
    host_close(host);
    return false;
}

bool host_open(struct host *host, enum throng_address_family family)
{
    return bind_loopback(host, family) && listen_with(host, 1024);
}

bool host_open_narrow(struct host *host, int receive_buffer_bytes)
{
    return bind_loopback(host, THRONG_ADDRESS_IPV4) &&
           setsockopt(descriptor_of(host), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                      sizeof(receive_buffer_bytes)) == 0 &&
           listen_with(host, 1024);
}

bool host_open_refusing(struct host *host)
{
    return bind_loopback(host, THRONG_ADDRESS_IPV4);
}

/* Connects without waiting for the end of it. */
static void begin_filler(struct host *host, struct peer *filler)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(host->address.port)};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    filler->descriptor = descriptor;
    (void)connect(descriptor, (const struct sockaddr *)&name, sizeof(name));
}

/* A backlog of 0 holds one connection on Linux; what comes when it is full gets no answer. */
bool host_open_deaf(struct host *host)
{
    if (!bind_loopback(host, THRONG_ADDRESS_IPV4) || !listen_with(host, 0)) {
        return false;
    }
    for (int i = 0; i < HOST_FILLERS_MAX; i++) {
        begin_filler(host, &host->fillers[i]);
    }
    return true;
}

bool host_accept(const struct host *host, struct peer *peer, int limit_ms)
{
    struct pollfd entry = {.fd = descriptor_of(host), .events = POLLIN};
    peer->descriptor = -1;
    peer->was_reset = false;
    if (poll(&entry, 1, limit_ms) == 1) {
        peer->descriptor = accept4(descriptor_of(host), NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    }
    return peer->descriptor >= 0;
}

void host_close(struct host *host)
{
    for (int i = 0; i < HOST_FILLERS_MAX; i++) {
        peer_close(&host->fillers[i]);
    }
    if (host->descriptor >= 0) {
        close(descriptor_of(host));
        host->descriptor = -1;
    }
}
