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

/* The rows found so far, as hashes of their two addresses. The kernel hands the table out in pieces and
 * may repeat a row when connections come or go meanwhile: each is counted once. */
struct rows {
    uint64_t *hashes;
    size_t count;
    size_t capacity;
};

static bool add_row(struct rows *rows, uint64_t hash)
{
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity == 0 ? 4096 : rows->capacity * 2;
        uint64_t *hashes = realloc(rows->hashes, capacity * sizeof(*hashes));
        if (hashes == NULL) {
            return false;
        }
        rows->hashes = hashes;
        rows->capacity = capacity;
    }
    rows->hashes[rows->count++] = hash;
    return true;
}

/* FNV-1a. The lowest bit is taken for `both`: on loopback a client's own port can be the same number
 * as the server's, and then both ends' rows look like a server's and count half. */
static uint64_t hash_row(const char *begin, const char *end, bool both)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; begin < end; begin++) {
        hash = (hash ^ (uint8_t)*begin) * UINT64_C(1099511628211);
    }
    return (hash & ~UINT64_C(1)) | (both ? 1 : 0);
}

/* Reads "ADDRESS:PORT" in hexadecimal; NULL if there is none. */
static const char *read_end(const char *text, unsigned *port)
{
    const char *colon = strchr(text, ':');
    char *end;
    if (colon == NULL) {
        return NULL;
    }
    *port = (unsigned)strtoul(colon + 1, &end, 16);
    return end == colon + 1 ? NULL : end;
}

/* Adds the row if it is the server's end of an established connection. False: no memory. */
static bool take_row(struct rows *rows, const char *row, const uint16_t *ports, size_t port_count)
{
    unsigned local;
    unsigned remote;
    const char *number = strchr(row, ':'); /* the row's number goes before it */
    const char *local_end = number == NULL ? NULL : read_end(number + 1, &local);
    const char *remote_end = local_end == NULL ? NULL : read_end(local_end, &remote);
    if (remote_end == NULL || strtoul(remote_end, NULL, 16) != ESTABLISHED ||
        !is_among(ports, port_count, local)) {
        return true;
    }
    return add_row(rows, hash_row(number + 1, remote_end, is_among(ports, port_count, remote)));
}

static bool read_file(const char *name, const uint16_t *ports, size_t port_count, struct rows *rows)
{
    char row[256];
    FILE *file = fopen(name, "r");
    if (file == NULL) {
        return false;
    }
    bool complete = true;
    while (complete && fgets(row, sizeof(row), file) != NULL) {
        complete = take_row(rows, row, ports, port_count);
    }
    complete = complete && ferror(file) == 0;
    (void)fclose(file);
    return complete;
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t count_rows(struct rows *rows)
{
    uint64_t halves = 0;
    if (rows->count > 0) {
        qsort(rows->hashes, rows->count, sizeof(*rows->hashes), compare_hashes);
    }
    for (size_t i = 0; i < rows->count; i++) {
        if (i == 0 || rows->hashes[i] != rows->hashes[i - 1]) {
            halves += (rows->hashes[i] & 1) != 0 ? 1 : 2;
        }
    }
    return halves / 2;
}

bool kernel_table_established(const uint16_t *ports, size_t port_count, uint64_t *count)
{
    struct rows rows = {NULL, 0, 0};
    bool complete = read_file("/proc/net/tcp", ports, port_count, &rows);
    /* Not there when the kernel has no IPv6; then there are no such connections either. */
    (void)read_file("/proc/net/tcp6", ports, port_count, &rows);
    if (complete) {
        *count = count_rows(&rows);
    }
    free(rows.hashes);
    return complete;
}
