/* SPDX-License-Identifier: MIT
 * Winsock for the plain sockets of the tests. */
#include "sockets.windows.h"

#include <stdlib.h>
#include <string.h>

static BOOL CALLBACK start_winsock(PINIT_ONCE once, PVOID parameter, PVOID *context)
{
    WSADATA data;
    (void)once;
    (void)parameter;
    (void)context;
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        abort();
    }
    return TRUE;
}

void sockets_begin(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    (void)InitOnceExecuteOnce(&once, start_winsock, NULL, NULL);
}

SOCKET sockets_open(int family)
{
    u_long on = 1;
    sockets_begin();
    SOCKET sock = socket(family, SOCK_STREAM, IPPROTO_TCP);
    if (sock != INVALID_SOCKET) {
        (void)ioctlsocket(sock, (long)FIONBIO, &on);
        (void)SetHandleInformation((HANDLE)sock, HANDLE_FLAG_INHERIT, 0);
    }
    return sock;
}

int sockets_encode(const struct throng_address *address, struct sockaddr_storage *storage)
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

void sockets_decode(const struct sockaddr_storage *storage, struct throng_address *address)
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

void sockets_reset_at_close(SOCKET sock)
{
    const struct linger abort_now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(sock, SOL_SOCKET, SO_LINGER, (const char *)&abort_now, sizeof(abort_now));
}
