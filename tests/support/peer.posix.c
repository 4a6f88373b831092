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

#include "stopwatch.h"

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

/* 1: ready; 0: not within limit_ms. */
static int wait_ready(const struct peer *peer, short events, int limit_ms)
{
    struct pollfd poll_one = {.fd = peer->descriptor, .events = events};
    int ready;
    do {
        ready = poll(&poll_one, 1, limit_ms);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

static int pending_error(const struct peer *peer)
{
    int error = 0;
    socklen_t length = sizeof(error);
    (void)getsockopt(peer->descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

static bool prepare(const struct peer *peer, const struct peer_options *options)
{
    int on = 1;
    (void)setsockopt(peer->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (options == NULL) {
        return true;
    }
    if (options->receive_buffer_bytes > 0 &&
        setsockopt(peer->descriptor, SOL_SOCKET, SO_RCVBUF, &options->receive_buffer_bytes,
                   sizeof(options->receive_buffer_bytes)) < 0) {
        return false;
    }
    if (options->source.family != THRONG_ADDRESS_NONE) {
        struct sockaddr_storage source;
        socklen_t length = encode_address(&options->source, &source);
        return bind(peer->descriptor, (const struct sockaddr *)&source, length) == 0;
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
        int result = connect(peer->descriptor, (const struct sockaddr *)&storage, length);
        if (result == 0) {
            return true;
        }
        if (errno == EINPROGRESS && wait_ready(peer, POLLOUT, CONNECT_LIMIT_MS)) {
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
    return answer_of(send(peer->descriptor, data, size, MSG_NOSIGNAL));
}

ptrdiff_t peer_receive(const struct peer *peer, void *data, size_t capacity)
{
    return peer->was_reset ? PEER_RESET : answer_of(recv(peer->descriptor, data, capacity, 0));
}

bool peer_send_all(const struct peer *peer, const void *data, size_t size, int limit_ms)
{
    const uint8_t *from = data;
    while (size > 0) {
        ptrdiff_t sent = peer_send(peer, from, size);
        if (sent > 0) {
            from += sent;
            size -= (size_t)sent;
        } else if (sent != PEER_WOULD_BLOCK || !wait_ready(peer, POLLOUT, limit_ms)) {
            return false;
        }
    }
    return true;
}

/* As peer_receive_all, but says how it failed; PEER_END counts as a failure once bytes came. */
static ptrdiff_t receive_exactly(const struct peer *peer, void *data, size_t size, int limit_ms)
{
    uint8_t *to = data;
    size_t have = 0;
    while (have < size) {
        ptrdiff_t got = peer_receive(peer, to + have, size - have);
        if (got > 0) {
            have += (size_t)got;
        } else if (got == PEER_WOULD_BLOCK && wait_ready(peer, POLLIN, limit_ms)) {
            continue;
        } else {
            return got == PEER_END && have > 0 ? PEER_FAILED : got;
        }
    }
    return (ptrdiff_t)size;
}

bool peer_receive_all(const struct peer *peer, void *data, size_t size, int limit_ms)
{
    return receive_exactly(peer, data, size, limit_ms) == (ptrdiff_t)size;
}

void peer_frame_header(uint8_t header[4], uint32_t length)
{
    header[0] = (uint8_t)(length >> 24);
    header[1] = (uint8_t)(length >> 16);
    header[2] = (uint8_t)(length >> 8);
    header[3] = (uint8_t)length;
}

bool peer_send_frame(const struct peer *peer, const void *data, size_t size, int limit_ms)
{
    uint8_t header[4];
    peer_frame_header(header, (uint32_t)size);
    return peer_send_all(peer, header, sizeof(header), limit_ms) &&
           peer_send_all(peer, data, size, limit_ms);
}

ptrdiff_t peer_receive_frame(const struct peer *peer, void *data, size_t capacity, int limit_ms)
{
    uint8_t header[4];
    ptrdiff_t got = receive_exactly(peer, header, sizeof(header), limit_ms);
    if (got != (ptrdiff_t)sizeof(header)) {
        return got == PEER_END ? PEER_FAILED : got;
    }
    size_t size = (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 |
                  (size_t)header[3];
    if (size > capacity || !peer_receive_all(peer, data, size, limit_ms)) {
        return PEER_FAILED;
    }
    return (ptrdiff_t)size;
}

enum peer_answer peer_await_end(const struct peer *peer, int limit_ms)
{
    uint8_t rest[4096];
    int64_t deadline_ms = test_now_ms() + limit_ms;
    ptrdiff_t got;
    do {
        got = peer_receive(peer, rest, sizeof(rest));
        if (got == PEER_WOULD_BLOCK) {
            (void)wait_ready(peer, POLLIN, 10);
        } else if (got <= 0) {
            return (enum peer_answer)got;
        }
    } while (test_now_ms() < deadline_ms);
    return PEER_WOULD_BLOCK;
}

void peer_finish(const struct peer *peer)
{
    (void)shutdown(peer->descriptor, SHUT_WR);
}

void peer_close(struct peer *peer)
{
    if (peer->descriptor >= 0) {
        close(peer->descriptor);
        peer->descriptor = -1;
    }
}

void peer_reset(struct peer *peer)
{
    struct linger abort_now = {.l_onoff = 1, .l_linger = 0};
    if (peer->descriptor >= 0) {
        (void)setsockopt(peer->descriptor, SOL_SOCKET, SO_LINGER, &abort_now, sizeof(abort_now));
    }
    peer_close(peer);
}

void peer_local_address(const struct peer *peer, struct throng_address *address)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET};
    socklen_t length = sizeof(storage);
    (void)getsockname(peer->descriptor, (struct sockaddr *)&storage, &length);
    decode_address(&storage, address);
}

void peer_remote_address(const struct peer *peer, struct throng_address *address)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET};
    socklen_t length = sizeof(storage);
    (void)getpeername(peer->descriptor, (struct sockaddr *)&storage, &length);
    decode_address(&storage, address);
}

struct throng_address peer_loopback(enum throng_address_family family, uint16_t port)
{
    struct throng_address address = {.family = (uint8_t)family, .port = port};
    if (family == THRONG_ADDRESS_IPV6) {
        address.bytes[15] = 1;
    } else {
        address.bytes[0] = 127;
        address.bytes[3] = 1;
    }
    return address;
}
