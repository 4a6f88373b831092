/* SPDX-License-Identifier: MIT
 * What another process of this machine has used so far: the server, for --server-pid. Main
 * thread. */
#ifndef STRESS_SERVER_USAGE_H
#define STRESS_SERVER_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct server_usage {
    uint64_t rss_bytes;
    double cpu_seconds; /* user and system, all threads */
};

/* False if there is no such process, it may not be looked at, or this system is not known to
 * tell. */
bool server_usage_read(uint32_t pid, struct server_usage *usage);

#endif
