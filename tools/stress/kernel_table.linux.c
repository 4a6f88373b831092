/* SPDX-License-Identifier: MIT
 * See kernel_table.h. Reads /proc/net/tcp and tcp6, whose rows begin with
 * "  12: 0100007F:1F90 0200007F:C350 01 ": number, local and remote address and port, state, in
 * hexadecimal (Linux, Documentation/networking/proc_net_tcp.rst). */
#include "kernel_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ESTABLISHED 1u

static bool is_loopback(const char *host, size_t length)
{
    static const char *const names[] = {"localhost", "[::1]", "[::ffff:127.0.0.1]"};
    if (length > 4 && strncmp(host, "127.", 4) == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (length == strlen(names[i]) && strncmp(host, names[i], length) == 0) {
            return true;
        }
    }
    return false;
}

bool kernel_table_port(const char *target, uint16_t *port)
{
    const char *colon = strrchr(target, ':');
    if (strncmp(target, "tcp://", 6) != 0 || colon == NULL || colon < target + 6) {
        return false;
    }
    unsigned long number = strtoul(colon + 1, NULL, 10);
    if (number < 1 || number > UINT16_MAX) {
        return false;
    }
    *port = (uint16_t)number;
    return is_loopback(target + 6, (size_t)(colon - target - 6));
}

static bool is_among(const uint16_t *ports, size_t port_count, unsigned port)
{
    for (size_t i = 0; i < port_count; i++) {
        if (ports[i] == port) {
            return true;
        }
    }
    return false;
}

/* Counts in halves: on loopback a client's own port can be the same number as the server's, and
 * then both ends' rows look like a server's. */
static uint64_t halves_of_row(const char *row, const uint16_t *ports, size_t port_count)
{
    unsigned local;
    unsigned remote;
    unsigned state;
    if (sscanf(row, " %*u: %*32[0-9A-F]:%x %*32[0-9A-F]:%x %x", &local, &remote, &state) != 3 ||
        state != ESTABLISHED || !is_among(ports, port_count, local)) {
        return 0;
    }
    return is_among(ports, port_count, remote) ? 1 : 2;
}

static bool count_file(const char *name, const uint16_t *ports, size_t port_count, uint64_t *halves)
{
    char row[256];
    FILE *file = fopen(name, "r");
    if (file == NULL) {
        return false;
    }
    while (fgets(row, sizeof(row), file) != NULL) {
        *halves += halves_of_row(row, ports, port_count);
    }
    bool complete = ferror(file) == 0;
    (void)fclose(file);
    return complete;
}

bool kernel_table_established(const uint16_t *ports, size_t port_count, uint64_t *count)
{
    uint64_t halves = 0;
    if (!count_file("/proc/net/tcp", ports, port_count, &halves)) {
        return false;
    }
    /* Not there when the kernel has no IPv6; then there are no such connections either. */
    (void)count_file("/proc/net/tcp6", ports, port_count, &halves);
    *count = halves / 2;
    return true;
}
