/* SPDX-License-Identifier: MIT
 * What the plain sockets of the tests have in common on Windows. */
#ifndef TEST_SUPPORT_SOCKETS_WINDOWS_H
#define TEST_SUPPORT_SOCKETS_WINDOWS_H

/* In this order: windows.h without winsock2.h before it brings the first Winsock. */
#include <winsock2.h>
#include <ws2tcpip.h>

#include <windows.h>

#include <stdbool.h>

#include <throng/types.h>

/* Starts Winsock, once for the process; every function that makes a socket or looks a name up calls
 * it. Ends the process if there is none. Any thread. */
void sockets_begin(void);

/* A TCP socket that does not block and that child processes do not inherit; INVALID_SOCKET if there
 * is none to be had. `family` is the system's. */
SOCKET sockets_open(int family);

/* encode answers the length. */
int sockets_encode(const struct throng_address *address, struct sockaddr_storage *storage);
void sockets_decode(const struct sockaddr_storage *storage, struct throng_address *address);

/* SO_LINGER of 0: closing it will be a reset. */
void sockets_reset_at_close(SOCKET sock);

#endif
