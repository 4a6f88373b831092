/* SPDX-License-Identifier: MIT
 * What Windows calls errors, in throng's terms and as text. Any thread. */
#include "os/socket.h"

#include <stdio.h>
#include <string.h>
#include <winsock2.h>

#define WIN32_NO_STATUS /* ntstatus.h has them all */
#include <windows.h>
#undef WIN32_NO_STATUS

#include <ntstatus.h>
#include <winternl.h>

#include "base/assert.h"
#include "os/winsock.windows.h"

/* winerror.h has it, mingw-w64's has not. */
#define HANDLES_CLOSED 676

/* Three kinds of numbers that do not overlap: Winsock's own (10000 and up), those of the calls
 * outside of Winsock, and what an I/O completion reports: an NTSTATUS that RtlNtStatusToDosError
 * has made a Win32 number of. So one event has several: a peer's reset is 10054 from recv and 64
 * from a completion. */
static const struct {
    int system;
    int code;
} error_map[] = {
    /* Not now. */
    {WSAEWOULDBLOCK, THRONG_EAGAIN},
    {WSAEINPROGRESS, THRONG_EAGAIN},
    {WSAEALREADY, THRONG_EAGAIN},
    {ERROR_IO_PENDING, THRONG_EAGAIN},
    {ERROR_IO_INCOMPLETE, THRONG_EAGAIN},
    /* The end of the stream. */
    {WSAEDISCON, THRONG_EEOF},
    {ERROR_HANDLE_EOF, THRONG_EEOF},
    {ERROR_GRACEFUL_DISCONNECT, THRONG_EEOF},
    /* The connection has died. "Aborted" is a peer's reset too, met while sending; of a reset
     * before the accept Wine says 59, an unexpected network error. */
    {WSAECONNRESET, THRONG_ECONNRESET},
    {WSAECONNABORTED, THRONG_ECONNRESET},
    {WSAENETRESET, THRONG_ECONNRESET},
    {WSAESHUTDOWN, THRONG_ECONNRESET},
    {WSAENOTCONN, THRONG_ECONNRESET}, /* of a connection that was reset before we asked */
    {ERROR_UNEXP_NET_ERR, THRONG_ECONNRESET},
    {ERROR_NETNAME_DELETED, THRONG_ECONNRESET},
    {ERROR_CONNECTION_INVALID, THRONG_ECONNRESET},
    {ERROR_CONNECTION_ABORTED, THRONG_ECONNRESET},
    {ERROR_NOT_CONNECTED, THRONG_ECONNRESET},
    {WSAETIMEDOUT, THRONG_ETIMEDOUT},
    {WAIT_TIMEOUT, THRONG_ETIMEDOUT},
    {ERROR_SEM_TIMEOUT, THRONG_ETIMEDOUT},
    {ERROR_TIMEOUT, THRONG_ETIMEDOUT},
    /* No way to the peer. */
    {WSAECONNREFUSED, THRONG_ECONNREFUSED},
    {ERROR_CONNECTION_REFUSED, THRONG_ECONNREFUSED},
    {ERROR_PORT_UNREACHABLE, THRONG_ECONNREFUSED},
    {WSAENETDOWN, THRONG_EUNREACHABLE},
    {WSAENETUNREACH, THRONG_EUNREACHABLE},
    {WSAEHOSTDOWN, THRONG_EUNREACHABLE},
    {WSAEHOSTUNREACH, THRONG_EUNREACHABLE},
    {ERROR_NETWORK_UNREACHABLE, THRONG_EUNREACHABLE},
    {ERROR_HOST_UNREACHABLE, THRONG_EUNREACHABLE},
    {ERROR_PROTOCOL_UNREACHABLE, THRONG_EUNREACHABLE},
    /* Addresses. */
    {WSAEADDRINUSE, THRONG_EADDRINUSE},
    {ERROR_ADDRESS_ALREADY_ASSOCIATED, THRONG_EADDRINUSE},
    {WSAEADDRNOTAVAIL, THRONG_EADDRNOTAVAIL},
    {ERROR_INVALID_NETNAME, THRONG_EADDRNOTAVAIL},
    {WSAEPROTONOSUPPORT, THRONG_EAFNOSUPPORT},
    {WSAESOCKTNOSUPPORT, THRONG_EAFNOSUPPORT},
    {WSAEPFNOSUPPORT, THRONG_EAFNOSUPPORT},
    {WSAEAFNOSUPPORT, THRONG_EAFNOSUPPORT},
    /* Rights and arguments. */
    {WSAEACCES, THRONG_EACCES},
    {ERROR_ACCESS_DENIED, THRONG_EACCES},
    {WSAEINVAL, THRONG_EINVAL},
    {ERROR_INVALID_PARAMETER, THRONG_EINVAL},
    /* Memory, buffers (the page pools and quotas of the kernel), handles. */
    {ERROR_NOT_ENOUGH_MEMORY, THRONG_ENOMEM},
    {ERROR_OUTOFMEMORY, THRONG_ENOMEM},
    {ERROR_COMMITMENT_LIMIT, THRONG_ENOMEM},
    {WSAENOBUFS, THRONG_ENOBUFS},
    {ERROR_TOO_MANY_NAMES, THRONG_ENOBUFS}, /* 10055's twin: no ephemeral port is left */
    {ERROR_NO_SYSTEM_RESOURCES, THRONG_ENOBUFS},
    {ERROR_NONPAGED_SYSTEM_RESOURCES, THRONG_ENOBUFS},
    {ERROR_PAGED_SYSTEM_RESOURCES, THRONG_ENOBUFS},
    {ERROR_WORKING_SET_QUOTA, THRONG_ENOBUFS},
    {ERROR_NOT_ENOUGH_QUOTA, THRONG_ENOBUFS},
    {WSAEMFILE, THRONG_EMFILE},
    {ERROR_TOO_MANY_OPEN_FILES, THRONG_EMFILE},
    /* Taken back: by CancelIoEx, or by the close of the socket (676 and 6 are Wine's words). */
    {WSAEINTR, THRONG_ECANCELED},
    {ERROR_OPERATION_ABORTED, THRONG_ECANCELED},
    {ERROR_REQUEST_ABORTED, THRONG_ECANCELED},
    {HANDLES_CLOSED, THRONG_ECANCELED},
    {ERROR_INVALID_HANDLE, THRONG_ECANCELED},
    /* The system lacks it: a part of Winsock, a device, a function. */
    {WSASYSNOTREADY, THRONG_ENOTSUP},
    {WSAVERNOTSUPPORTED, THRONG_ENOTSUP},
    {WSAEOPNOTSUPP, THRONG_ENOTSUP},
    {ERROR_INVALID_FUNCTION, THRONG_ENOTSUP},
    {ERROR_FILE_NOT_FOUND, THRONG_ENOTSUP},
    {ERROR_NOT_SUPPORTED, THRONG_ENOTSUP},
    {ERROR_CALL_NOT_IMPLEMENTED, THRONG_ENOTSUP},
    {ERROR_MOD_NOT_FOUND, THRONG_ENOTSUP},
    {ERROR_PROC_NOT_FOUND, THRONG_ENOTSUP},
};

int tg_error_from_system(int system_error)
{
    for (size_t i = 0; i < sizeof error_map / sizeof error_map[0]; i++) {
        if (error_map[i].system == system_error) {
            return error_map[i].code;
        }
    }
    return THRONG_ESYSTEM;
}

/* What sockets complete with and RtlNtStatusToDosError makes too little of: several become one
 * number of Win32, or one that says something else of a file than of a connection. (libuv found
 * them.) */
static const struct {
    NTSTATUS status;
    int code;
} status_map[] = {
    {STATUS_ADDRESS_ALREADY_EXISTS, THRONG_EADDRINUSE},
    {STATUS_SHARING_VIOLATION, THRONG_EADDRINUSE},
    {STATUS_TOO_MANY_ADDRESSES, THRONG_EADDRINUSE}, /* no port is left */
    {STATUS_CONFLICTING_ADDRESSES, THRONG_EADDRNOTAVAIL},
    {STATUS_ADDRESS_CLOSED, THRONG_EADDRNOTAVAIL},
    {STATUS_ADDRESS_NOT_ASSOCIATED, THRONG_EADDRNOTAVAIL},
    {STATUS_INVALID_ADDRESS_COMPONENT, THRONG_EADDRNOTAVAIL},
    {STATUS_REMOTE_NOT_LISTENING, THRONG_ECONNREFUSED},
    {STATUS_CONNECTION_REFUSED, THRONG_ECONNREFUSED},
    {STATUS_PORT_UNREACHABLE, THRONG_ECONNREFUSED},
    {STATUS_BAD_NETWORK_PATH, THRONG_EUNREACHABLE},
    {STATUS_HOST_DOWN, THRONG_EUNREACHABLE},
    {STATUS_NETWORK_BUSY, THRONG_EUNREACHABLE},
    {STATUS_INVALID_NETWORK_RESPONSE, THRONG_EUNREACHABLE},
    {STATUS_UNEXPECTED_NETWORK_ERROR, THRONG_EUNREACHABLE},
    {STATUS_NO_SUCH_DEVICE, THRONG_EUNREACHABLE},
    {STATUS_PAGEFILE_QUOTA, THRONG_ENOBUFS},
    {STATUS_PAGEFILE_QUOTA_EXCEEDED, THRONG_ENOBUFS},
    {STATUS_INSUFF_SERVER_RESOURCES, THRONG_ENOBUFS},
    {STATUS_REMOTE_RESOURCES, THRONG_ENOBUFS},
    {STATUS_WORKING_SET_LIMIT_RANGE, THRONG_ENOBUFS},
    {STATUS_DEVICE_NOT_READY, THRONG_EAGAIN},
    {STATUS_REQUEST_NOT_ACCEPTED, THRONG_EAGAIN},
    {STATUS_LINK_TIMEOUT, THRONG_ETIMEDOUT},
    {STATUS_LINK_FAILED, THRONG_ECONNRESET},
    {STATUS_LOCAL_DISCONNECT, THRONG_ECONNRESET},
    {STATUS_REMOTE_DISCONNECT, THRONG_ECONNRESET},
    {STATUS_TRANSACTION_ABORTED, THRONG_ECONNRESET},
    {STATUS_PIPE_DISCONNECTED, THRONG_ECONNRESET},
    {STATUS_VIRTUAL_CIRCUIT_CLOSED, THRONG_ECONNRESET},
};

int tg_winsock_error_of_status(int32_t status)
{
    if (status >= 0) {
        return 0;
    }
    for (size_t i = 0; i < sizeof status_map / sizeof status_map[0]; i++) {
        if (status_map[i].status == status) {
            return status_map[i].code;
        }
    }
    return tg_error_from_system((int)RtlNtStatusToDosError(status));
}

bool tg_accept_has_died(int system_error)
{
    switch (system_error) {
    case WSAECONNRESET:
    case WSAECONNABORTED:
    case WSAENETDOWN:
    case WSAENETUNREACH:
    case WSAENETRESET:
    case WSAENOTCONN:
    case WSAETIMEDOUT:
    case WSAECONNREFUSED:
    case WSAEHOSTDOWN:
    case WSAEHOSTUNREACH:
    case ERROR_UNEXP_NET_ERR:
    case ERROR_NETNAME_DELETED:
    case ERROR_SEM_TIMEOUT:
    case ERROR_CONNECTION_REFUSED:
    case ERROR_GRACEFUL_DISCONNECT:
    case ERROR_CONNECTION_INVALID:
    case ERROR_NETWORK_UNREACHABLE:
    case ERROR_HOST_UNREACHABLE:
    case ERROR_PROTOCOL_UNREACHABLE:
    case ERROR_PORT_UNREACHABLE:
    case ERROR_CONNECTION_ABORTED:
        return true;
    default:
        return false;
    }
}

/* --- text ---------------------------------------------------------------------------------- */

/* The system ends its sentences with a full stop and a line end. */
static size_t trimmed_size(const WCHAR *text, size_t size)
{
    while (size > 0 && (text[size - 1] <= L' ' || text[size - 1] == L'.')) {
        size--;
    }
    return size;
}

void tg_system_error_text(int system_error, char *text, size_t size)
{
    WCHAR wide[200];
    char sentence[3 * sizeof wide / sizeof wide[0] + 1]; /* three bytes of UTF-8 for a unit */
    TG_REQUIRE(size >= 1);
    /* In the language of the system. Its sentences have places for arguments that nobody has. */
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                                  (DWORD)system_error, 0, wide, sizeof wide / sizeof wide[0], NULL);
    int used = WideCharToMultiByte(CP_UTF8, 0, wide, (int)trimmed_size(wide, length), sentence,
                                   sizeof sentence - 1, NULL, NULL);
    if (length == 0 || used <= 0) {
        (void)snprintf(text, size, "system error %d", system_error);
        return;
    }
    sentence[used] = '\0';
    (void)snprintf(text, size, "%s (%d)", sentence, system_error);
}
