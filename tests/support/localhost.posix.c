/* SPDX-License-Identifier: MIT
 * Looks "localhost" up on POSIX. */
#include "localhost.h"

#include <netdb.h>
#include <sys/socket.h>

#include "check.h"

void skip_without_localhost(enum throng_address_family family)
{
    static const int families[] = {[THRONG_ADDRESS_NONE] = AF_UNSPEC,
                                   [THRONG_ADDRESS_IPV4] = AF_INET,
                                   [THRONG_ADDRESS_IPV6] = AF_INET6};
    const struct addrinfo hints = {.ai_family = families[family], .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int result = getaddrinfo("localhost", NULL, &hints, &list);
    if (result != 0) {
        print_message("skipped: this system cannot look localhost up: %s\n", gai_strerror(result));
        skip();
    }
    freeaddrinfo(list);
}
