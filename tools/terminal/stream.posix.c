/* SPDX-License-Identifier: MIT
 * See stream.h. */
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "system.h"

static socklen_t fill(struct sockaddr_storage *storage, const struct throng_address *address)
{
    memset(storage, 0, sizeof(*storage));
    if (address->family == THRONG_ADDRESS_IPV6) {
        struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
        six.sin6_scope_id = address->scope_id;
        memcpy(&six.sin6_addr, address->bytes, 16);
        memcpy(storage, &six, sizeof(six));
        return sizeof(six);
    }
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    memcpy(&four.sin_addr, address->bytes, 4);
    memcpy(storage, &four, sizeof(four));
    return sizeof(four);
}

intptr_t stream_open(const struct throng_address *address)
{
    struct sockaddr_storage storage;
    socklen_t size = fill(&storage, address);
    int file = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (file < 0) {
        return -1;
    }
    if (connect(file, (const struct sockaddr *)&storage, size) != 0 && errno != EINPROGRESS) {
        (void)close(file);
        return -1;
    }
    return file;
}

bool stream_wait(intptr_t stream, bool write, int timeout_ms)
{
    struct system_wait wait = {
        .descriptor = stream, .read = !write, .write = write, .timeout_ms = timeout_ms};
    return (system_wait(&wait) & (SYSTEM_SOCKET | SYSTEM_INTERRUPTED)) == SYSTEM_SOCKET;
}

static int answer(ssize_t count)
{
    if (count >= 0) {
        return (int)count;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? STREAM_NOT_NOW
                                                                     : STREAM_FAILED;
}

int stream_send(intptr_t stream, const char *data, size_t size)
{
    return answer(send((int)stream, data, size, MSG_NOSIGNAL));
}

int stream_receive(intptr_t stream, char *data, size_t size)
{
    return answer(recv((int)stream, data, size, 0));
}

void stream_close(intptr_t stream)
{
    (void)close((int)stream);
}
