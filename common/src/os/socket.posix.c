/* SPDX-License-Identifier: MIT
 * Sockets of POSIX systems: start-up, the blocking client and tests. Any thread; a socket has one
 * owner at a time. */
#include "os/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/clock.h"

static int last_error(void)
{
    return tg_error_from_system(errno);
}

/* --- life ---------------------------------------------------------------------------------- */

static int set_option(tg_socket sock, int level, int name, int value)
{
    return setsockopt((int)sock, level, name, &value, sizeof value) == 0 ? 0 : last_error();
}

/* Linux doubles the figure, for its own bookkeeping. */
static int set_buffer(tg_socket sock, int name, uint32_t bytes)
{
    int value = bytes > INT32_MAX ? INT32_MAX : (int)bytes;
    return bytes == 0 ? 0 : set_option(sock, SOL_SOCKET, name, value);
}

int tg_socket_open(tg_socket *sock, enum throng_address_family family)
{
    int domain = family == THRONG_ADDRESS_IPV6 ? AF_INET6 : AF_INET;
    int opened = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (opened < 0) {
        return last_error();
    }
    int error = set_option(opened, IPPROTO_TCP, TCP_NODELAY, 1);
    if (error != 0) {
        (void)close(opened);
        return error;
    }
    *sock = opened;
    return 0;
}

static bool is_any_ipv6(const struct throng_address *address)
{
    static const uint8_t any[16];
    return address->family == THRONG_ADDRESS_IPV6 && memcmp(address->bytes, any, 16) == 0;
}

int tg_socket_set_keepalive(tg_socket sock, uint32_t idle_s)
{
    TG_REQUIRE(idle_s <= TG_KEEPALIVE_MAX_S);
    if (idle_s == 0) {
        return 0;
    }
    int error = set_option(sock, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (error == 0) {
        error = set_option(sock, IPPROTO_TCP, TCP_KEEPIDLE, (int)idle_s);
    }
    if (error == 0) {
        error = set_option(sock, IPPROTO_TCP, TCP_KEEPINTVL, (int)TG_KEEPALIVE_INTERVAL_S);
    }
    if (error == 0) {
        error = set_option(sock, IPPROTO_TCP, TCP_KEEPCNT, (int)TG_KEEPALIVE_PROBES);
    }
    return error;
}

static int set_user_timeout(tg_socket sock, uint32_t timeout_ms)
{
    int value = timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms;
    return timeout_ms == 0 ? 0 : set_option(sock, IPPROTO_TCP, TCP_USER_TIMEOUT, value);
}

static int prepare_listener(tg_socket sock, const struct tg_listen_options *options)
{
    /* A restarted server must not wait for the TIME_WAIT of the old one's connections. */
    int error = set_option(sock, SOL_SOCKET, SO_REUSEADDR, 1);
    if (error == 0 && options->address.family == THRONG_ADDRESS_IPV6) {
        error = set_option(sock, IPPROTO_IPV6, IPV6_V6ONLY, is_any_ipv6(&options->address) ? 0 : 1);
    }
    /* Before listen: the receive buffer decides the window scale that the handshake announces. */
    if (error == 0) {
        error = set_buffer(sock, SO_SNDBUF, options->send_buffer_bytes);
    }
    if (error == 0) {
        error = set_buffer(sock, SO_RCVBUF, options->receive_buffer_bytes);
    }
    if (error == 0) {
        error = tg_socket_set_keepalive(sock, options->keepalive_s);
    }
    if (error == 0) {
        error = set_user_timeout(sock, options->user_timeout_ms);
    }
    return error;
}

static int bind_and_listen(tg_socket sock, const struct tg_listen_options *options)
{
    struct sockaddr_storage name;
    uint32_t size = tg_address_encode(&options->address, &name);
    int backlog = options->backlog > INT32_MAX ? INT32_MAX : (int)options->backlog;
    if (bind((int)sock, (struct sockaddr *)&name, size) != 0 || listen((int)sock, backlog) != 0) {
        return last_error();
    }
    return 0;
}

int tg_socket_listen(tg_socket *listener, const struct tg_listen_options *options,
                     struct throng_address *bound)
{
    tg_socket sock = TG_SOCKET_NONE;
    struct throng_address address;
    int error = tg_socket_open(&sock, options->address.family);
    if (error != 0) {
        return error;
    }
    error = prepare_listener(sock, options);
    if (error == 0) {
        error = bind_and_listen(sock, options);
    }
    if (error == 0) {
        error = tg_socket_local_address(sock, &address);
    }
    if (error != 0) {
        tg_socket_close(sock);
        return error;
    }
    *bound = address;
    *listener = sock;
    return 0;
}

tg_socket tg_socket_duplicate(tg_socket sock)
{
    int fd = fcntl((int)sock, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? tg_error_from_system(errno) : fd;
}

int tg_socket_bind_source(tg_socket sock, const struct throng_address *source)
{
    struct sockaddr_storage name;
    uint32_t size = tg_address_encode(source, &name);
#ifdef IP_BIND_ADDRESS_NO_PORT
    /* Linux 4.2: else bind takes a port for this address alone, and 28,000 connections exhaust it.
     * The option is of the IP level for IPv6 sockets too. An older system just has fewer ports. */
    if (source->port == 0) {
        (void)set_option(sock, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    }
#endif
    return bind((int)sock, (struct sockaddr *)&name, size) == 0 ? 0 : last_error();
}

int tg_socket_connect(tg_socket sock, const struct throng_address *peer)
{
    struct sockaddr_storage name;
    uint32_t size = tg_address_encode(peer, &name);
    if (connect((int)sock, (struct sockaddr *)&name, size) == 0) {
        return 0;
    }
    /* After EINTR the connect goes on in the background, as after EINPROGRESS. EAGAIN from connect
     * means that no local port is left, which is anything but "under way". */
    return errno == EAGAIN ? THRONG_EADDRNOTAVAIL : last_error();
}

int tg_socket_take_error(tg_socket sock)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt((int)sock, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        return last_error();
    }
    return error == 0 ? 0 : tg_error_from_system(error);
}

/* --- addresses ------------------------------------------------------------------------------ */

typedef int name_function(int sock, struct sockaddr *address, socklen_t *size);

static int ask_address(name_function *ask, tg_socket sock, struct throng_address *address)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    if (ask((int)sock, (struct sockaddr *)&name, &size) != 0) {
        return last_error();
    }
    tg_address_decode(&name, address);
    return 0;
}

int tg_socket_local_address(tg_socket sock, struct throng_address *address)
{
    return ask_address(getsockname, sock, address);
}

int tg_socket_peer_address(tg_socket sock, struct throng_address *address)
{
    return ask_address(getpeername, sock, address);
}

/* --- data ---------------------------------------------------------------------------------- */

int tg_socket_receive(tg_socket sock, void *data, size_t size)
{
    TG_REQUIRE(size >= 1);
    size_t most = size > INT32_MAX ? INT32_MAX : size;
    ssize_t got;
    do {
        got = recv((int)sock, data, most, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR); /* without having waited: said of the call, not of data */
    if (got > 0) {
        return (int)got;
    }
    return got == 0 ? THRONG_EEOF : last_error();
}

int tg_socket_send(tg_socket sock, const void *data, size_t size)
{
    TG_REQUIRE(size >= 1);
    size_t most = size > INT32_MAX ? INT32_MAX : size;
    ssize_t sent = send((int)sock, data, most, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent >= 0 ? (int)sent : last_error();
}

/* What is left of `timeout_ms` since `begin_ns`, rounded up so that nobody returns too early. */
static int rest_ms(int timeout_ms, uint64_t begin_ns)
{
    uint64_t passed_ms = (tg_clock_ns() - begin_ns) / 1000000;
    return passed_ms >= (uint64_t)timeout_ms ? 0 : timeout_ms - (int)passed_ms;
}

int tg_socket_wait(tg_socket sock, bool for_write, int timeout_ms)
{
    struct pollfd entry = {.fd = (int)sock, .events = for_write ? POLLOUT : POLLIN};
    uint64_t begin_ns = timeout_ms > 0 ? tg_clock_ns() : 0;
    int count = poll(&entry, 1, timeout_ms < 0 ? -1 : timeout_ms);
    /* A signal is not the time-out. However many come, the time is the bound. */
    while (count < 0 && errno == EINTR) {
        count = poll(&entry, 1, timeout_ms < 0 ? -1 : rest_ms(timeout_ms, begin_ns));
    }
    return count < 0 ? last_error() : count;
}

int tg_socket_shutdown_send(tg_socket sock)
{
    return shutdown((int)sock, SHUT_WR) == 0 ? 0 : last_error();
}

void tg_socket_close(tg_socket sock)
{
    /* Not repeated after EINTR: on Linux the descriptor is gone by then. */
    (void)close((int)sock);
}

void tg_socket_abort(tg_socket sock)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt((int)sock, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    (void)close((int)sock);
}
