/* SPDX-License-Identifier: MIT
 * See kernel_table.h. */
#include "kernel_table.h"

#include <stdlib.h>
#include <string.h>

#include "kernel_rows.h"

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

static bool is_among(const uint16_t *ports, size_t port_count, uint16_t port)
{
    for (size_t i = 0; i < port_count; i++) {
        if (ports[i] == port) {
            return true;
        }
    }
    return false;
}

/* The rows found so far, as hashes of their keys: one that comes twice is counted once. */
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

/* FNV-1a. The lowest bit is taken for `both`: on loopback a client's own port can be the same
 * number as the server's, and then both ends' rows look like a server's and count half. */
static uint64_t hash_row(const uint8_t *key, size_t size, bool both)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ key[i]) * UINT64_C(1099511628211);
    }
    return (hash & ~UINT64_C(1)) | (both ? 1 : 0);
}

struct search {
    const uint16_t *ports;
    size_t port_count;
    struct rows rows;
};

/* Adds the row if it is the server's end. False: no memory. */
static bool take_row(void *context, const struct kernel_row *row)
{
    struct search *search = context;
    if (!is_among(search->ports, search->port_count, row->local_port)) {
        return true;
    }
    bool both = is_among(search->ports, search->port_count, row->remote_port);
    return add_row(&search->rows, hash_row(row->key, row->key_size, both));
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
    struct search search = {.ports = ports, .port_count = port_count};
    bool complete = kernel_rows_read(take_row, &search);
    if (complete) {
        *count = count_rows(&search.rows);
    }
    free(search.rows.hashes);
    return complete;
}
