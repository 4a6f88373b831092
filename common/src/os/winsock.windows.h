/* SPDX-License-Identifier: MIT
 * Winsock, started once for the process. Windows only; other systems' files do not include it. */
#ifndef TG_OS_WINSOCK_WINDOWS_H
#define TG_OS_WINSOCK_WINDOWS_H

#include <stdint.h>

#include "os/socket.h"

/* Starts Winsock 2.2, the first time that it is called; whoever makes a socket or looks a name up
 * calls it before. 0, or the error of that first time. Any thread.
 *
 * Nobody calls WSACleanup. Sockets of other servers, of swarms and of the application may live on
 * when ours have gone, a count of users would have to be right on every path of every failure, and
 * the system cleans up after a process anyway. */
int tg_winsock_start(void);

/* Our error for the NTSTATUS with which an overlapped operation has completed; 0: success. */
int tg_winsock_error_of_status(int32_t status);

/* Before a connect. Windows asks a peer that has refused again, for two seconds, in case it is just
 * about to listen; on this machine a refusal is one (Windows 10; before, and under Wine,
 * nothing). */
void tg_winsock_expect_refusal(tg_socket sock, const struct throng_address *peer);

#endif
