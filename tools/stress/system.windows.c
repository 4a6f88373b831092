/* SPDX-License-Identifier: MIT
 * See system.h. */
#include "system.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <string.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <windows.h>

#include <timeapi.h>

const char system_backends[] = "auto, iocp";

void system_begin(void)
{
    (void)_setmode(_fileno(stdout), _O_BINARY);
    (void)timeBeginPeriod(1); /* ms, until the process ends */
}

/* inet_pton needs no start of Winsock. */
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
