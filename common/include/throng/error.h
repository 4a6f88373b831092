/* SPDX-License-Identifier: MIT
 * The errors that throng's functions answer, as one table.
 *
 * Every function that can fail answers 0 (or a count) on success and one of these negative numbers
 * on failure. errno is never part of the answer. The numbers are part of the ABI: they never
 * change. */
#ifndef THRONG_ERROR_H
#define THRONG_ERROR_H

#include <throng/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, number, text) */
#define THRONG_ERROR_MAP(X)                                                                        \
    X(EINVAL, -1, "invalid argument")                                                              \
    X(ENOMEM, -2, "out of memory")                                                                 \
    X(ESTALE, -3, "the connection is gone")                                                        \
    X(ECLOSING, -4, "the connection is being closed by this side")                                 \
    X(ETOOBIG, -5, "message longer than the limit")                                                \
    X(EAGAIN, -6, "no room or no data right now")                                                  \
    X(EEOF, -7, "end of stream")                                                                   \
    X(ETIMEDOUT, -8, "timed out")                                                                  \
    X(ECONNRESET, -9, "connection reset by peer")                                                  \
    X(ECONNABORTED, -10, "connection aborted")                                                     \
    X(ECONNREFUSED, -11, "connection refused")                                                     \
    X(EUNREACHABLE, -12, "host or network unreachable")                                            \
    X(EADDRINUSE, -13, "address already in use")                                                   \
    X(EADDRNOTAVAIL, -14, "address not available")                                                 \
    X(EACCES, -15, "permission denied")                                                            \
    X(ERESOLVE, -16, "host name cannot be resolved")                                               \
    X(EAFNOSUPPORT, -17, "address family not supported")                                           \
    X(ENOBUFS, -18, "the system has no buffer space")                                              \
    X(EMFILE, -19, "no descriptor left")                                                           \
    X(EDESCRIPTORLIMIT, -20, "the descriptor limit is too low for that many connections")          \
    X(ECANCELED, -21, "operation canceled")                                                        \
    X(EPROTOCOL, -22, "the peer broke the protocol")                                               \
    X(ESTOPPED, -23, "the server has stopped")                                                     \
    X(ENOTSUP, -24, "not supported here")                                                          \
    X(ESYSTEM, -25, "unexpected system error")                                                     \
    X(EREMOTE, -26, "the peer answered with an error")

enum throng_error_code {
    THRONG_OK = 0,
#define THRONG_ERROR_ENUM(name, number, text) THRONG_##name = (number),
    THRONG_ERROR_MAP(THRONG_ERROR_ENUM)
#undef THRONG_ERROR_ENUM
};

/* What went wrong in a call that has more to say than a number, such as starting a server: the
 * offending value, its name and its limit. `text` is a NUL-terminated sentence, cut if too long. */
struct throng_error {
    int code;
    char text[380];
};

/* The sentence for an error code; "unknown error" for a number outside the table. Any thread. */
THRONG_API const char *throng_error_text(int code);

/* The code's name, such as "THRONG_EAGAIN"; "THRONG_E?" for a number outside the table. Any thread.
 */
THRONG_API const char *throng_error_name(int code);

#ifdef __cplusplus
}
#endif

#endif
