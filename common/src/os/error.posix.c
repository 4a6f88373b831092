/* SPDX-License-Identifier: MIT
 * What POSIX systems call errors, in throng's terms and as text. Any thread. */
#include "os/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

static const struct {
    int system;
    int code;
} error_map[] = {
    {EAGAIN, THRONG_EAGAIN},
    {EINPROGRESS, THRONG_EAGAIN},
    {EINTR, THRONG_EAGAIN},
    {EINVAL, THRONG_EINVAL},
    {ENOMEM, THRONG_ENOMEM},
    {ETIMEDOUT, THRONG_ETIMEDOUT},
    {ECONNRESET, THRONG_ECONNRESET},
    {EPIPE, THRONG_ECONNRESET},
    {ENOTCONN, THRONG_ECONNRESET}, /* of a connection that was reset before we asked */
    {ECONNABORTED, THRONG_ECONNABORTED},
    {ECONNREFUSED, THRONG_ECONNREFUSED},
    {EHOSTUNREACH, THRONG_EUNREACHABLE},
    {EHOSTDOWN, THRONG_EUNREACHABLE},
    {ENETUNREACH, THRONG_EUNREACHABLE},
    {ENETDOWN, THRONG_EUNREACHABLE},
    {EADDRINUSE, THRONG_EADDRINUSE},
    {EADDRNOTAVAIL, THRONG_EADDRNOTAVAIL},
    {EACCES, THRONG_EACCES},
    {EPERM, THRONG_EACCES},
    {EAFNOSUPPORT, THRONG_EAFNOSUPPORT},
    {EPROTONOSUPPORT, THRONG_EAFNOSUPPORT},
    {ENOBUFS, THRONG_ENOBUFS},
    {EMFILE, THRONG_EMFILE},
    {ENFILE, THRONG_EMFILE},
    {ECANCELED, THRONG_ECANCELED},
    {ENOSYS, THRONG_ENOTSUP},
    {EOPNOTSUPP, THRONG_ENOTSUP},
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

bool tg_accept_has_died(int system_error)
{
    switch (system_error) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ETIMEDOUT:
    case EPERM:
        return true;
    default:
        return false;
    }
}

void tg_system_error_text(int system_error, char *text, size_t size)
{
    TG_REQUIRE(size >= 1);
    (void)snprintf(text, size, "%s", strerror(system_error));
}
