/* SPDX-License-Identifier: MIT
 * See stream.h. */
#include "stream.h"

#include <string.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include "system.h"

static int fill(struct sockaddr_storage *storage, const struct throng_address *address)
{
    memset(storage, 0, sizeof(*storage));
    if (address->family == THRONG_ADDRESS_IPV6) {
        struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
        six.sin6_scope_id = address->scope_id;
        memcpy(&six.sin6_addr, address->bytes, 16);
        memcpy(storage, &six, sizeof(six));
        return (int)sizeof(six);
    }
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    memcpy(&four.sin_addr, address->bytes, 4);
    memcpy(storage, &four, sizeof(four));
    return (int)sizeof(four);
}

intptr_t stream_open(const struct throng_address *address)
{
    struct sockaddr_storage storage;
    int size = fill(&storage, address);
    u_long on = 1;
    SOCKET file = socket(storage.ss_family, SOCK_STREAM, IPPROTO_TCP);
    if (file == INVALID_SOCKET) {
        return -1;
    }
    if (ioctlsocket(file, (long)FIONBIO, &on) != 0 ||
        (connect(file, (const struct sockaddr *)&storage, size) != 0 &&
         WSAGetLastError() != WSAEWOULDBLOCK)) {
        (void)closesocket(file);
        return -1;
    }
    return (intptr_t)file;
}

bool stream_wait(intptr_t stream, bool write, int timeout_ms)
{
    struct system_wait wait = {
        .descriptor = stream, .read = !write, .write = write, .timeout_ms = timeout_ms};
    return (system_wait(&wait) & (SYSTEM_SOCKET | SYSTEM_INTERRUPTED)) == SYSTEM_SOCKET;
}

static int answer(int count)
{
    if (count >= 0) {
        return count;
    }
    return WSAGetLastError() == WSAEWOULDBLOCK ? STREAM_NOT_NOW : STREAM_FAILED;
}

int stream_send(intptr_t stream, const char *data, size_t size)
{
    return answer(send((SOCKET)stream, data, (int)size, 0));
}

int stream_receive(intptr_t stream, char *data, size_t size)
{
    return answer(recv((SOCKET)stream, data, (int)size, 0));
}

void stream_close(intptr_t stream)
{
    (void)closesocket((SOCKET)stream);
}
