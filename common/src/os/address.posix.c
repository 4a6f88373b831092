/* SPDX-License-Identifier: MIT
 * What POSIX systems call addresses, in throng's terms and back, and the look-up of host names. Any
 * thread. */
#include "os/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

_Static_assert(sizeof(struct sockaddr_storage) <= TG_SOCKADDR_BYTES, "TG_SOCKADDR_BYTES");

uint32_t tg_address_encode(const struct throng_address *address, void *sockaddr)
{
    TG_REQUIRE(address->family == THRONG_ADDRESS_IPV4 || address->family == THRONG_ADDRESS_IPV6);
    memset(sockaddr, 0, TG_SOCKADDR_BYTES);
    if (address->family == THRONG_ADDRESS_IPV4) {
        struct sockaddr_in *in4 = sockaddr;
        in4->sin_family = AF_INET;
        in4->sin_port = htons(address->port);
        memcpy(&in4->sin_addr, address->bytes, 4);
        return sizeof *in4;
    }
    struct sockaddr_in6 *in6 = sockaddr;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(address->port);
    in6->sin6_scope_id = address->scope_id;
    memcpy(&in6->sin6_addr, address->bytes, 16);
    return sizeof *in6;
}

void tg_address_decode(const void *sockaddr, struct throng_address *address)
{
    const struct sockaddr *any = sockaddr;
    memset(address, 0, sizeof *address);
    if (any->sa_family == AF_INET) {
        const struct sockaddr_in *in4 = sockaddr;
        address->family = THRONG_ADDRESS_IPV4;
        address->port = ntohs(in4->sin_port);
        memcpy(address->bytes, &in4->sin_addr, 4);
    } else if (any->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = sockaddr;
        address->port = ntohs(in6->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
            address->family = THRONG_ADDRESS_IPV4;
            memcpy(address->bytes, (const uint8_t *)&in6->sin6_addr + 12, 4);
            return;
        }
        address->family = THRONG_ADDRESS_IPV6;
        address->scope_id = in6->sin6_scope_id;
        memcpy(address->bytes, &in6->sin6_addr, 16);
    }
}

/* "*": the IPv6 any-address takes both families; a system without IPv6 has only the other. */
static int resolve_any(uint16_t port, struct throng_address *address)
{
    int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memset(address, 0, sizeof *address);
    address->family = probe >= 0 || errno != EAFNOSUPPORT ? THRONG_ADDRESS_IPV6
                                                          : THRONG_ADDRESS_IPV4;
    address->port = port;
    if (probe >= 0) {
        (void)close(probe);
    }
    return 1;
}

int tg_address_resolve(const char *host, uint16_t port, struct throng_address *addresses,
                       int capacity)
{
    if (host[0] == '\0' || capacity < 1) {
        return THRONG_EINVAL;
    }
    if (strcmp(host, "*") == 0) {
        return resolve_any(port, addresses);
    }
    if (tg_address_parse_numeric(host, port, addresses) == 0) {
        return 1;
    }
    char service[8];
    (void)snprintf(service, sizeof service, "%u", (unsigned)port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    if (getaddrinfo(host, service, &hints, &list) != 0) {
        return THRONG_ERESOLVE;
    }
    int count = 0;
    for (struct addrinfo *info = list; info != NULL && count < capacity; info = info->ai_next) {
        if (info->ai_family == AF_INET || info->ai_family == AF_INET6) {
            tg_address_decode(info->ai_addr, &addresses[count++]);
        }
    }
    freeaddrinfo(list);
    return count > 0 ? count : THRONG_ERESOLVE;
}
