/* SPDX-License-Identifier: MIT
 * The plain peer on POSIX sockets. */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_LIMIT_MS 5000

static socklen_t encode_address(const struct throng_address *address,
                                struct sockaddr_storage *storage)
{
    memset(storage, 0, sizeof(*storage));
    if (address->family == THRONG_ADDRESS_IPV6) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(address->port);
        six->sin6_scope_id = address->scope_id;
        memcpy(&six->sin6_addr, address->bytes, 16);
        return sizeof(*six);
    }
    struct sockaddr_in *four = (struct sockaddr_in *)storage;
    four->sin_family = AF_INET;
    four->sin_port = htons(address->port);
    memcpy(&four->sin_addr, address->bytes, 4);
    return sizeof(*four);
}

static void decode_address(const struct sockaddr_storage *storage, struct throng_address *address)
{
    memset(address, 0, sizeof(*address));
    if (storage->ss_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, storage, sizeof(six));
        address->family = THRONG_ADDRESS_IPV6;
        address->port = ntohs(six.sin6_port);
        address->scope_id = six.sin6_scope_id;
        memcpy(address->bytes, &six.sin6_addr, 16);
    } else {
        struct sockaddr_in four;
        memcpy(&four, storage, sizeof(four));
        address->family = THRONG_ADDRESS_IPV4;
        address->port = ntohs(four.sin_port);
        memcpy(address->bytes, &four.sin_addr, 4);
    }
}

static int descriptor_of(const struct peer *peer)
{
    return (int)peer->descriptor;
}

bool peer_await(const struct peer *peer, bool input, bool room, int limit_ms)
{
    struct pollfd entry = {.fd = descriptor_of(peer)};
    int ready;
    entry.events = (short)((input ? POLLIN : 0) | (room ? POLLOUT : 0));
    do {
        ready = poll(&entry, 1, limit_ms);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

static int pending_error(const struct peer *peer)
{
    int error = 0;
    socklen_t length = sizeof(error);
    (void)getsockopt(descriptor_of(peer), SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

static bool prepare(const struct peer *peer, const struct peer_options *options)
{
    int on = 1;
    (void)setsockopt(descriptor_of(peer), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (options == NULL) {
        return true;
    }
    if (options->receive_buffer_bytes > 0 &&
        setsockopt(descriptor_of(peer), SOL_SOCKET, SO_RCVBUF, &options->receive_buffer_bytes,
                   sizeof(options->receive_buffer_bytes)) < 0) {
        return false;
    }
    if (options->source.family != THRONG_ADDRESS_NONE) {
        struct sockaddr_storage source;
        socklen_t length = encode_address(&options->source, &source);
        return bind(descriptor_of(peer), (const struct sockaddr *)&source, length) == 0;
    }
    return true;
}

bool peer_connect(struct peer *peer, const struct throng_address *target,
                  const struct peer_options *options)
{
    int family = target->family == THRONG_ADDRESS_IPV6 ? AF_INET6 : AF_INET;
    peer->was_reset = false;
    peer->descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (peer->descriptor < 0) {
        return false;
    }
    if (prepare(peer, options)) {
        struct sockaddr_storage storage;
        socklen_t length = encode_address(target, &storage);
        int result = connect(descriptor_of(peer), (const struct sockaddr *)&storage, length);
        if (result == 0) {
            return true;
        }
        if (errno == EINPROGRESS && peer_await(peer, false, true, CONNECT_LIMIT_MS)) {
            int error = pending_error(peer);
            peer->was_reset = error == ECONNRESET;
            if (error == 0 || peer->was_reset) {
                return true;
            }
        }
    }
    peer_close(peer);
    return false;
}

static ptrdiff_t answer_of(ssize_t result)
{
    if (result >= 0) {
        return result;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return PEER_WOULD_BLOCK;
    }
    return errno == ECONNRESET || errno == EPIPE ? PEER_RESET : PEER_FAILED;
}

ptrdiff_t peer_send(const struct peer *peer, const void *data, size_t size)
{
    return answer_of(send(descriptor_of(peer), data, size, MSG_NOSIGNAL));
}

ptrdiff_t peer_receive(const struct peer *peer, void *data, size_t capacity)
{
    return peer->was_reset ? PEER_RESET : answer_of(recv(descriptor_of(peer), data, capacity, 0));
}

void peer_finish(const struct peer *peer)
{
    (void)shutdown(descriptor_of(peer), SHUT_WR);
}

void peer_close(struct peer *peer)
{
    if (peer->descriptor >= 0) {
        close(descriptor_of(peer));
        peer->descriptor = -1;
    }
}

void peer_reset(struct peer *peer)
{
    struct linger abort_now = {.l_onoff = 1, .l_linger = 0};
    if (peer->descriptor >= 0) {
        (void)setsockopt(descriptor_of(peer), SOL_SOCKET, SO_LINGER, &abort_now, sizeof(abort_now));
    }
    peer_close(peer);
}

bool peer_limit_send_buffer(const struct peer *peer, int bytes)
{
    return setsockopt(descriptor_of(peer), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) == 0;
}

void peer_local_address(const struct peer *peer, struct throng_address *address)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET};
    socklen_t length = sizeof(storage);
    (void)getsockname(descriptor_of(peer), (struct sockaddr *)&storage, &length);
    decode_address(&storage, address);
}

void peer_remote_address(const struct peer *peer, struct throng_address *address)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET};
    socklen_t length = sizeof(storage);
    (void)getpeername(descriptor_of(peer), (struct sockaddr *)&storage, &length);
    decode_address(&storage, address);
}

bool peer_read_host(struct throng_address *address, const char *host)
{
    bool is_six = inet_pton(AF_INET6, host, address->bytes) == 1;
    address->family = is_six ? THRONG_ADDRESS_IPV6 : THRONG_ADDRESS_IPV4;
    return is_six || inet_pton(AF_INET, host, address->bytes) == 1;
}
