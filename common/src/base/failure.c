/* SPDX-License-Identifier: MIT
 * Sentences for struct throng_error. See failure.h. */
#include "base/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int tg_failure(struct throng_error *error, int code, const char *format, ...)
{
    if (error != NULL) {
        error->code = code;
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
        va_end(arguments);
    }
    return code;
}

void tg_failure_append(struct throng_error *error, const char *format, ...)
{
    size_t used = strlen(error->text);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text + used, sizeof(error->text) - used, format, arguments);
    va_end(arguments);
}
