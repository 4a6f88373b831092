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

/* A log sink. `text` is one line without a line end, NUL-terminated, free of control bytes; it is
 * valid during the call only. The server calls its sink on the logic thread (inside
 * throng_server_start, throng_get_event(s) and throng_server_stop), never on an I/O thread; lines
 * that pile up meanwhile are dropped and counted. */
typedef void throng_log_sink(void *context, enum throng_log_level level, const char *text);

/* "error", "warning" or "info". Any thread. */
THRONG_API const char *throng_log_level_name(enum throng_log_level level);

#ifdef __cplusplus
}
#endif

#endif
