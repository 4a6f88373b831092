/* SPDX-License-Identifier: MIT
 * The plain peer on Winsock. */
#include "peer.h"

#include "sockets.windows.h"

#define CONNECT_LIMIT_MS 5000

static SOCKET socket_of(const struct peer *peer)
{
    return (SOCKET)peer->descriptor;
}

/* select, and not WSAPoll: that one says nothing of a connect that failed before Windows 10
 * 2004. */
bool peer_await(const struct peer *peer, bool input, bool room, int limit_ms)
{
    struct timeval limit = {.tv_sec = limit_ms / 1000, .tv_usec = limit_ms % 1000 * 1000};
    fd_set readable = {.fd_count = input ? 1 : 0, .fd_array = {socket_of(peer)}};
    fd_set writable = {.fd_count = room ? 1 : 0, .fd_array = {socket_of(peer)}};
    fd_set failed = {.fd_count = 1, .fd_array = {socket_of(peer)}};
    if (peer->descriptor < 0) {
        Sleep((DWORD)limit_ms);
        return false;
    }
    return select(0, &readable, &writable, &failed, limit_ms < 0 ? NULL : &limit) > 0;
}

static int pending_error(const struct peer *peer)
{
    int error = 0;
    int length = sizeof(error);
    (void)getsockopt(socket_of(peer), SOL_SOCKET, SO_ERROR, (char *)&error, &length);
    return error;
}

static bool prepare(const struct peer *peer, const struct peer_options *options)
{
    const int on = 1;
    (void)setsockopt(socket_of(peer), IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof(on));
    if (options == NULL) {
        return true;
    }
    if (options->receive_buffer_bytes > 0 &&
        setsockopt(socket_of(peer), SOL_SOCKET, SO_RCVBUF,
                   (const char *)&options->receive_buffer_bytes,
                   sizeof(options->receive_buffer_bytes)) != 0) {
        return false;
    }
    if (options->source.family != THRONG_ADDRESS_NONE) {
        struct sockaddr_storage source;
        int length = sockets_encode(&options->source, &source);
        return bind(socket_of(peer), (const struct sockaddr *)&source, length) == 0;
    }
    return true;
}

bool peer_connect(struct peer *peer, const struct throng_address *target,
                  const struct peer_options *options)
{
    SOCKET sock = sockets_open(target->family == THRONG_ADDRESS_IPV6 ? AF_INET6 : AF_INET);
    peer->was_reset = false;
    peer->descriptor = (intptr_t)sock; /* INVALID_SOCKET is -1 */
    if (sock == INVALID_SOCKET) {
        return false;
    }
    if (prepare(peer, options)) {
        struct sockaddr_storage storage;
        int length = sockets_encode(target, &storage);
        if (connect(sock, (const struct sockaddr *)&storage, length) == 0) {
            return true;
        }
        if (WSAGetLastError() == WSAEWOULDBLOCK &&
            peer_await(peer, false, true, CONNECT_LIMIT_MS)) {
            int error = pending_error(peer);
            peer->was_reset = error == WSAECONNRESET;
            if (error == 0 || peer->was_reset) {
                return true;
            }
        }
    }
    peer_close(peer);
    return false;
}

static ptrdiff_t answer_of(int result)
{
    if (result >= 0) {
        return result;
    }
    int error = WSAGetLastError();
    if (error == WSAEWOULDBLOCK) {
        return PEER_WOULD_BLOCK;
    }
    /* Aborted: what a send says after the reset was seen, as EPIPE elsewhere. */
    return error == WSAECONNRESET || error == WSAECONNABORTED ? PEER_RESET : PEER_FAILED;
}

ptrdiff_t peer_send(const struct peer *peer, const void *data, size_t size)
{
    return answer_of(send(socket_of(peer), data, (int)size, 0));
}

/* On Windows recv says itself that the connection was reset. On Wine (8.0) the server has taken the
 * error from the socket by then and recv sees an end; but WSAPoll still tells the two apart. */
static bool is_reset(const struct peer *peer)
{
    WSAPOLLFD entry = {.fd = socket_of(peer)};
    return WSAPoll(&entry, 1, 0) == 1 && (entry.revents & POLLERR) != 0;
}

ptrdiff_t peer_receive(const struct peer *peer, void *data, size_t capacity)
{
    if (peer->was_reset) {
        return PEER_RESET;
    }
    ptrdiff_t answer = answer_of(recv(socket_of(peer), data, (int)capacity, 0));
    return answer == PEER_END && is_reset(peer) ? PEER_RESET : answer;
}

void peer_finish(const struct peer *peer)
{
    (void)shutdown(socket_of(peer), SD_SEND);
}

void peer_close(struct peer *peer)
{
    if (peer->descriptor >= 0) {
        (void)closesocket(socket_of(peer));
        peer->descriptor = -1;
    }
}

void peer_reset(struct peer *peer)
{
    if (peer->descriptor >= 0) {
        sockets_reset_at_close(socket_of(peer));
    }
    peer_close(peer);
}

bool peer_limit_send_buffer(const struct peer *peer, int bytes)
{
    return setsockopt(socket_of(peer), SOL_SOCKET, SO_SNDBUF, (const char *)&bytes,
                      sizeof(bytes)) == 0;
}

void peer_local_address(const struct peer *peer, struct throng_address *address)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET};
    int length = sizeof(storage);
    (void)getsockname(socket_of(peer), (struct sockaddr *)&storage, &length);
    sockets_decode(&storage, address);
}

void peer_remote_address(const struct peer *peer, struct throng_address *address)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET};
    int length = sizeof(storage);
    (void)getpeername(socket_of(peer), (struct sockaddr *)&storage, &length);
    sockets_decode(&storage, address);
}

bool peer_read_host(struct throng_address *address, const char *host)
{
    bool is_six = inet_pton(AF_INET6, host, address->bytes) == 1;
    address->family = is_six ? THRONG_ADDRESS_IPV6 : THRONG_ADDRESS_IPV4;
    return is_six || inet_pton(AF_INET, host, address->bytes) == 1;
}
