/* SPDX-License-Identifier: MIT
 * Whether this system can look "localhost" up: without /etc/hosts, and without a name server that
 * knows it, as in a bare chroot, it cannot. Asked without any code of ours, so that a test of ours
 * that looks it up fails wherever the fault is ours. */
#ifndef TEST_SUPPORT_LOCALHOST_H
#define TEST_SUPPORT_LOCALHOST_H

#include <netdb.h>
#include <stddef.h>
#include <sys/socket.h>

#include "check.h"

/* Skips the test, with the system's reason, unless localhost has an address of that family
 * (AF_INET, AF_INET6; AF_UNSPEC: any). */
static inline void skip_without_localhost(int family)
{
    const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int result = getaddrinfo("localhost", NULL, &hints, &list);
    if (result != 0) {
        print_message("skipped: this system cannot look localhost up: %s\n", gai_strerror(result));
        skip();
    }
    freeaddrinfo(list);
}

#endif
