/* SPDX-License-Identifier: MIT
 * Where throng's log lines go: nowhere, unless the user gives a sink. The library itself never
 * writes to standard output or standard error. */
#ifndef THRONG_LOG_H
#define THRONG_LOG_H

#include <throng/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum throng_log_level {
    THRONG_LOG_ERROR = 1,
    THRONG_LOG_WARNING = 2,
    THRONG_LOG_INFO = 3,
};

/* A log sink. What it may rely on, whoever chose the words that a line repeats (a peer, a host
 * name, a config file):
 *
 *   - `text` is one line without a line end, at most 251 bytes and a NUL. A longer one was cut between
 *     two characters and ends in "...".
 *   - It is UTF-8 without control characters (C0, DEL, C1), line separators, characters that turn the
 *     direction of writing and characters that are not seen. Each of these, each byte that is not UTF-8 and each
 *     backslash is written as an escape: \n, \r, \t, \\, \x1b, \u{202e}. So a line can neither forge
 *     another one nor talk to a terminal, and what stood there can be read back.
 *   - A percent sign in it means nothing and is not escaped: print it with "%s", never as a format.
 *
 * `text` is valid during the call only. The server calls its sink on the logic thread (inside
 * throng_server_start, throng_get_event(s) and throng_server_stop), never on an I/O thread; lines
 * that pile up meanwhile are dropped and counted. */
typedef void throng_log_sink(void *context, enum throng_log_level level, const char *text);

/* "error", "warning" or "info". Any thread. */
THRONG_API const char *throng_log_level_name(enum throng_log_level level);

#ifdef __cplusplus
}
#endif

#endif
