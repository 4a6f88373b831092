/* SPDX-License-Identifier: MIT
 * Ends as it is told, well or badly: what the launcher makes of it is what check_crash.py looks
 * at. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything is volatile, or the compiler finds that nobody would miss it. */
static void write_to_null(void)
{
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
}

static void divide_by_zero(void)
{
    volatile int number = 100;
    volatile int zero = 0;
    number = number / zero;
}

int main(int count, char **arguments)
{
    const char *how = count == 2 ? arguments[1] : "";
    if (strcmp(how, "null") == 0) {
        write_to_null();
    } else if (strcmp(how, "divide") == 0) {
        divide_by_zero();
    } else if (strcmp(how, "trap") == 0) {
        __builtin_trap();
    } else if (strcmp(how, "abort") == 0) {
        abort();
    } else if (*how >= '0' && *how <= '9') {
        return atoi(how);
    } else {
        fprintf(stderr, "usage: %s null|divide|trap|abort|STATUS\n", arguments[0]);
        return 2;
    }
    return 0;
}
