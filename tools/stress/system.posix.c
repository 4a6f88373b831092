/* SPDX-License-Identifier: MIT
 * See system.h. */
#include "system.h"

#include <arpa/inet.h>
#include <string.h>

const char system_backends[] = "auto, io_uring, epoll";

void system_begin(void)
{
    /* Nothing comes between a program and its output. */
}

bool system_read_address(const char *text, struct throng_address *address)
{
    uint8_t bytes[16] = {0};
    enum throng_address_family family = THRONG_ADDRESS_IPV4;
    if (inet_pton(AF_INET, text, bytes) != 1) {
        family = THRONG_ADDRESS_IPV6;
        if (inet_pton(AF_INET6, text, bytes) != 1) {
            return false;
        }
    }
    address->family = (uint8_t)family;
    memcpy(address->bytes, bytes, sizeof(bytes));
    return true;
}
