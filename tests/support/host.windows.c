/* SPDX-License-Identifier: MIT
 * The plain listening side on Winsock.
 *
 * A full backlog: under Wine the Linux below keeps silent. Windows answers each SYN with a reset,
 * and a connect takes that for an answer only after it has tried three times, half a second apart.
 * So nobody is refused within a second there, and that is all that the tests' limits need
 * (host.h). */
#include "host.h"

#include "sockets.windows.h"

static SOCKET socket_of(const struct host *host)
{
    return (SOCKET)host->descriptor;
}

static bool bind_loopback(struct host *host, enum throng_address_family family)
{
    struct sockaddr_storage name;
    struct throng_address loopback = peer_loopback(family, 0);
    int size = sockets_encode(&loopback, &name);
    for (int i = 0; i < HOST_FILLERS_MAX; i++) {
        host->fillers[i].descriptor = -1;
    }
    host->descriptor = (intptr_t)sockets_open(name.ss_family);
    if (host->descriptor < 0) {
        return false;
    }
    if (bind(socket_of(host), (const struct sockaddr *)&name, size) != 0) {
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
    if (listen(socket_of(host), backlog) == 0) {
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
           setsockopt(socket_of(host), SOL_SOCKET, SO_RCVBUF, (const char *)&receive_buffer_bytes,
                      sizeof(receive_buffer_bytes)) == 0 &&
           listen_with(host, 1024);
}

bool host_open_refusing(struct host *host)
{
    return bind_loopback(host, THRONG_ADDRESS_IPV4);
}

/* Connects without waiting for the end of it. */
static void begin_filler(const struct host *host, struct peer *filler)
{
    struct sockaddr_storage name;
    int size = sockets_encode(&host->address, &name);
    SOCKET sock = sockets_open(AF_INET);
    filler->descriptor = (intptr_t)sock;
    (void)connect(sock, (const struct sockaddr *)&name, size);
}

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
    const struct peer listener = {.descriptor = host->descriptor};
    const int on = 1;
    u_long nonblocking = 1;
    peer->descriptor = -1;
    peer->was_reset = false;
    if (!peer_await(&listener, true, false, limit_ms)) {
        return false;
    }
    SOCKET sock = accept(socket_of(host), NULL, NULL);
    if (sock == INVALID_SOCKET) {
        return false;
    }
    /* Windows does not pass these on from the listener. What the peer sends leaves at once, so a
     * reset behind it takes nothing back. */
    (void)setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof(on));
    (void)ioctlsocket(sock, (long)FIONBIO, &nonblocking);
    (void)SetHandleInformation((HANDLE)sock, HANDLE_FLAG_INHERIT, 0);
    peer->descriptor = (intptr_t)sock;
    return true;
}

void host_close(struct host *host)
{
    for (int i = 0; i < HOST_FILLERS_MAX; i++) {
        peer_close(&host->fillers[i]);
    }
    if (host->descriptor >= 0) {
        (void)closesocket(socket_of(host));
        host->descriptor = -1;
    }
}
