/* SPDX-License-Identifier: MIT
 * The end of a failed assertion: one line on standard error, then abort. This is the only place
 * where the library writes there, and it never returns. Any thread. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void tg_assert_failed(const char *kind, const char *condition, const char *file, int line)
{
    fprintf(stderr, "throng: %s failed: %s (%s:%d)\n", kind, condition, file, line);
    abort();
}
