/* SPDX-License-Identifier: MIT
 * Sockets of Windows: start-up, the blocking client and tests. Any thread; a socket has one owner
 * at a time. */
#include "os/socket.h"

#include <string.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <mstcpip.h>
#include <windows.h>

#include "base/assert.h"
#include "os/clock.h"
#include "os/winsock.windows.h"

/* Windows 10; the headers are older. */
#define REUSE_UNICAST_PORT 0x3007
/* Windows 7. */
#define PORT_SCALABILITY 0x3006
/* Windows 10, 1703. */
#define TCP_OPTION_KEEPCNT 16

/* listen() holds an ordinary figure down to 200, and takes this form, the negated figure, for what
 * it is, in 200..65535. (Wine hands it to Linux, where it is a huge one: as many as the system
 * allows.) */
#define BACKLOG_PLAIN_MAX 200
#define BACKLOG_MAX 65535

#define NO_DEADLINE UINT64_MAX

_Static_assert(sizeof(tg_socket) == sizeof(SOCKET), "a SOCKET fits");
_Static_assert((tg_socket)INVALID_SOCKET == TG_SOCKET_NONE, "and none is none");

static int last_error(void)
{
    return tg_error_from_system(WSAGetLastError());
}

/* --- life ---------------------------------------------------------------------------------- */

static int set_option(tg_socket sock, int level, int name, int value)
{
    int result = setsockopt((SOCKET)sock, level, name, (const char *)&value, sizeof value);
    return result == 0 ? 0 : last_error();
}

static int set_buffer(tg_socket sock, int name, uint32_t bytes)
{
    int value = bytes > INT32_MAX ? INT32_MAX : (int)bytes;
    return bytes == 0 ? 0 : set_option(sock, SOL_SOCKET, name, value);
}

static int prepare_socket(tg_socket sock)
{
    u_long non_blocking = 1;
    if (ioctlsocket((SOCKET)sock, (long)FIONBIO, &non_blocking) != 0) {
        return last_error();
    }
    return set_option(sock, IPPROTO_TCP, TCP_NODELAY, 1);
}

int tg_socket_open(tg_socket *sock, enum throng_address_family family)
{
    int domain = family == THRONG_ADDRESS_IPV6 ? AF_INET6 : AF_INET;
    int error = tg_winsock_start();
    if (error != 0) {
        return error;
    }
    SOCKET opened = WSASocketW(domain, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                               WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    if (opened == INVALID_SOCKET) {
        return last_error();
    }
    error = prepare_socket((tg_socket)opened);
    if (error != 0) {
        (void)closesocket(opened);
        return error;
    }
    *sock = (tg_socket)opened;
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
    struct tcp_keepalive times = {.onoff = 1,
                                  .keepalivetime = idle_s * 1000u,
                                  .keepaliveinterval = TG_KEEPALIVE_INTERVAL_S * 1000u};
    DWORD bytes = 0;
    if (idle_s == 0) {
        return 0;
    }
    if (WSAIoctl((SOCKET)sock, SIO_KEEPALIVE_VALS, &times, sizeof times, NULL, 0, &bytes, NULL,
                 NULL) != 0) {
        return last_error();
    }
    (void)set_option(sock, IPPROTO_TCP, TCP_OPTION_KEEPCNT, (int)TG_KEEPALIVE_PROBES);
    return 0;
}

static int prepare_listener(tg_socket sock, const struct tg_listen_options *options)
{
    /* Not SO_REUSEADDR: on Windows that lets two sockets listen on one port, and anybody's program
     * take the connections meant for ours. What it is for elsewhere, a restart while old
     * connections are in TIME_WAIT, Windows allows without it; this option makes the port ours
     * alone. A restart waits only while a connection of the old server has not been ended by both
     * sides. */
    int error = set_option(sock, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1);
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
    return error;
}

static int backlog_argument(uint32_t backlog)
{
    if (backlog <= BACKLOG_PLAIN_MAX) {
        return (int)backlog;
    }
    return -(int)(backlog < BACKLOG_MAX ? backlog : BACKLOG_MAX);
}

static int bind_and_listen(tg_socket sock, const struct tg_listen_options *options)
{
    struct sockaddr_storage name;
    int size = (int)tg_address_encode(&options->address, &name);
    if (bind((SOCKET)sock, (struct sockaddr *)&name, size) != 0 ||
        listen((SOCKET)sock, backlog_argument(options->backlog)) != 0) {
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

/* DuplicateHandle would leave Winsock's own books about the socket behind. */
tg_socket tg_socket_duplicate(tg_socket sock)
{
    WSAPROTOCOL_INFOW info;
    if (WSADuplicateSocketW((SOCKET)sock, GetCurrentProcessId(), &info) != 0) {
        return last_error();
    }
    SOCKET copy = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0,
                             WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    return copy == INVALID_SOCKET ? last_error() : (tg_socket)copy;
}

int tg_socket_bind_source(tg_socket sock, const struct throng_address *source)
{
    struct sockaddr_storage name;
    int size = (int)tg_address_encode(source, &name);
    /* Else bind takes a port for this address alone, and a range is exhausted by so many
     * connections, to whomever they go. Where there is neither option there are just fewer
     * ports. */
    if (source->port == 0 && set_option(sock, SOL_SOCKET, REUSE_UNICAST_PORT, 1) != 0) {
        (void)set_option(sock, SOL_SOCKET, PORT_SCALABILITY, 1);
    }
    return bind((SOCKET)sock, (struct sockaddr *)&name, size) == 0 ? 0 : last_error();
}

int tg_socket_connect(tg_socket sock, const struct throng_address *peer)
{
    struct sockaddr_storage name;
    int size = (int)tg_address_encode(peer, &name);
    tg_winsock_expect_refusal(sock, peer);
    return connect((SOCKET)sock, (struct sockaddr *)&name, size) == 0 ? 0 : last_error();
}

int tg_socket_take_error(tg_socket sock)
{
    int error = 0;
    int size = sizeof error;
    if (getsockopt((SOCKET)sock, SOL_SOCKET, SO_ERROR, (char *)&error, &size) != 0) {
        return last_error();
    }
    return error == 0 ? 0 : tg_error_from_system(error);
}

/* --- addresses ------------------------------------------------------------------------------ */

typedef int WSAAPI name_function(SOCKET sock, struct sockaddr *address, int *size);

static int ask_address(name_function *ask, tg_socket sock, struct throng_address *address)
{
    struct sockaddr_storage name;
    int size = sizeof name;
    if (ask((SOCKET)sock, (struct sockaddr *)&name, &size) != 0) {
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

/* Under Wine a receive after a reset answers 0 bytes, as after an end; but a poll tells of the
 * error for good. On Windows the receive itself fails. */
static bool was_reset(tg_socket sock)
{
    WSAPOLLFD entry = {.fd = (SOCKET)sock};
    return WSAPoll(&entry, 1, 0) == 1 && (entry.revents & POLLERR) != 0;
}

/* Most bytes of one receive. Wine touches all of the buffer that it is given, and Windows may lock
 * it, however few bytes come: what a peer only claims to send must cost no memory. */
#define RECEIVE_BYTES_MAX 262144

int tg_socket_receive(tg_socket sock, void *data, size_t size)
{
    TG_REQUIRE(size >= 1);
    int most = size > RECEIVE_BYTES_MAX ? RECEIVE_BYTES_MAX : (int)size;
    int got = recv((SOCKET)sock, data, most, 0);
    if (got > 0) {
        return got;
    }
    if (got == 0) {
        return was_reset(sock) ? THRONG_ECONNRESET : THRONG_EEOF;
    }
    return last_error();
}

int tg_socket_send(tg_socket sock, const void *data, size_t size)
{
    TG_REQUIRE(size >= 1);
    int most = size > INT32_MAX ? INT32_MAX : (int)size;
    int sent = send((SOCKET)sock, data, most, 0);
    return sent >= 0 ? sent : last_error();
}

int tg_socket_shutdown_send(tg_socket sock)
{
    return shutdown((SOCKET)sock, SD_SEND) == 0 ? 0 : last_error();
}

void tg_socket_close(tg_socket sock)
{
    (void)closesocket((SOCKET)sock);
}

void tg_socket_abort(tg_socket sock)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt((SOCKET)sock, SOL_SOCKET, SO_LINGER, (const char *)&linger, sizeof linger);
    (void)closesocket((SOCKET)sock);
}

/* --- waiting ------------------------------------------------------------------------------- */

/* Not WSAPoll: before Windows 10, 2004, it never reports that a connect has failed. A set of
 * select() is an array here, so one socket costs one entry, whatever its number. */
struct wait_sets {
    fd_set ready;
    fd_set failed;
};

static int select_once(tg_socket sock, bool for_write, bool for_failure, uint64_t deadline_ns,
                       struct wait_sets *sets)
{
    uint64_t now_ns = deadline_ns == NO_DEADLINE ? 0 : tg_clock_ns();
    /* Rounded up, so that the last wait is not one of zero. */
    uint64_t rest_us = deadline_ns > now_ns ? (deadline_ns - now_ns + 999) / 1000 : 0;
    struct timeval rest = {.tv_sec = (long)(rest_us / 1000000),
                           .tv_usec = (long)(rest_us % 1000000)};
    sets->ready = (fd_set){.fd_count = 1, .fd_array = {(SOCKET)sock}};
    sets->failed = (fd_set){.fd_count = for_failure ? 1 : 0, .fd_array = {(SOCKET)sock}};
    return select(0, for_write ? NULL : &sets->ready, for_write ? &sets->ready : NULL,
                  &sets->failed, deadline_ns == NO_DEADLINE ? NULL : &rest);
}

/* Urgent data looks like a failure, and stays until somebody reads it, which nobody here does. Only
 * a connection can have it, and a connection that has failed is readable and writable. */
static bool is_urgent_only(tg_socket sock, const struct wait_sets *sets)
{
    struct throng_address peer;
    return sets->ready.fd_count == 0 && tg_socket_peer_address(sock, &peer) == 0;
}

int tg_socket_wait(tg_socket sock, bool for_write, int timeout_ms)
{
    struct wait_sets sets;
    uint64_t deadline_ns = timeout_ms < 0 ? NO_DEADLINE
                                          : tg_clock_ns() + (uint64_t)timeout_ms * 1000000u;
    bool for_failure = true;
    int count;
    do {
        count = select_once(sock, for_write, for_failure, deadline_ns, &sets);
        if (count > 0 && (!for_failure || !is_urgent_only(sock, &sets))) {
            return 1;
        }
        for_failure = for_failure && count <= 0;
        /* Once more after urgent data, and if the time is not over yet: the system counts it in
         * ticks, and may end a wait too early by one. */
    } while (count > 0 || (count == 0 && tg_clock_ns() < deadline_ns));
    return count < 0 ? last_error() : 0;
}
