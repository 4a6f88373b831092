/* SPDX-License-Identifier: MIT
 * Names of the log levels. Any thread. */
#include <throng/log.h>

const char *throng_log_level_name(enum throng_log_level level)
{
    switch (level) {
    case THRONG_LOG_ERROR:
        return "error";
    case THRONG_LOG_WARNING:
        return "warning";
    case THRONG_LOG_INFO:
        return "info";
    }
    return "?"; /* A number outside the enum: the caller prints something rather than nothing. */
}
