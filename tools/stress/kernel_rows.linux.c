/* SPDX-License-Identifier: MIT
 * See kernel_rows.h. Reads /proc/net/tcp and tcp6, whose rows begin with
 * "  12: 0100007F:1F90 0200007F:C350 01 ": number, local and remote address and port, state, in
 * hexadecimal (Linux, Documentation/networking/proc_net_tcp.rst). The kernel hands them out in
 * pieces and may repeat a row when connections come or go meanwhile. */
#include "kernel_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ESTABLISHED 1u

/* Reads "ADDRESS:PORT" in hexadecimal; NULL if there is none. */
static const char *read_end(const char *text, uint16_t *port)
{
    const char *colon = strchr(text, ':');
    char *end;
    if (colon == NULL) {
        return NULL;
    }
    *port = (uint16_t)strtoul(colon + 1, &end, 16);
    return end == colon + 1 ? NULL : end;
}

/* Hands the line on if it is a row of an established connection. */
static bool take_line(kernel_row_function *take, void *context, const char *line)
{
    struct kernel_row row = {0};
    const char *number = strchr(line, ':'); /* the row's number goes before it */
    const char *local_end = number == NULL ? NULL : read_end(number + 1, &row.local_port);
    const char *remote_end = local_end == NULL ? NULL : read_end(local_end, &row.remote_port);
    if (remote_end == NULL || strtoul(remote_end, NULL, 16) != ESTABLISHED) {
        return true;
    }
    row.key = number + 1;
    row.key_size = (size_t)(remote_end - number - 1);
    return take(context, &row);
}

static bool read_file(const char *name, kernel_row_function *take, void *context)
{
    char line[256];
    FILE *file = fopen(name, "r");
    if (file == NULL) {
        return false;
    }
    bool complete = true;
    while (complete && fgets(line, sizeof(line), file) != NULL) {
        complete = take_line(take, context, line);
    }
    complete = complete && ferror(file) == 0;
    (void)fclose(file);
    return complete;
}

bool kernel_rows_read(kernel_row_function *take, void *context)
{
    bool complete = read_file("/proc/net/tcp", take, context);
    /* Not there when the kernel has no IPv6; then there are no such connections either. */
    (void)read_file("/proc/net/tcp6", take, context);
    return complete;
}
