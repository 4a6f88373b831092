/* SPDX-License-Identifier: MIT
 * What throng-top knows of a server, from one page to the next: levels, rates, the worst queues.
 * Pure: pages come in, time is in them. */
#ifndef TOP_DASHBOARD_H
#define TOP_DASHBOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "latency.h"
#include "page.h"

/* X(NAME, metric, key in JSON, label, bytes) */
#define DASHBOARD_RATE_MAP(X)                                                                      \
    X(MESSAGES_IN, "throng_messages_received_total", "messages_in", "messages in", false)          \
    X(MESSAGES_OUT, "throng_messages_written_total", "messages_out", "messages out", false)        \
    X(BROADCASTS, "throng_broadcasts_total", "broadcasts", "broadcasts", false)                    \
    X(DELIVERIES, "throng_broadcast_deliveries_total", "deliveries", "  to members", false)        \
    X(BYTES_IN, "throng_received_bytes_total", "bytes_in", "bytes in", true)                       \
    X(BYTES_OUT, "throng_sent_bytes_total", "bytes_out", "bytes out", true)                        \
    X(ACCEPTED, "throng_connections_accepted_total", "accepted", "accepted", false)                \
    X(ENDED, "throng_connections_ended_total", "ended", "ended", false)

enum dashboard_rate {
#define DASHBOARD_RATE_ENUM(name, metric, key, label, bytes) RATE_##name,
    DASHBOARD_RATE_MAP(DASHBOARD_RATE_ENUM)
#undef DASHBOARD_RATE_ENUM
    RATE_COUNT
};

#define DASHBOARD_HISTORY 120
#define DASHBOARD_LEVELS_MAX 64
#define DASHBOARD_COUNTS_MAX 64
#define DASHBOARD_NAME_SIZE 80

/* How full something is. */
struct dashboard_level {
    char name[DASHBOARD_NAME_SIZE];
    double used;
    double total; /* 0: not known */
    bool bytes;
};

/* How often something happened. */
struct dashboard_count {
    char name[DASHBOARD_NAME_SIZE];
    double total;
    double per_s; /* negative: not known yet */
};

struct dashboard {
    bool known; /* a page came; all below is of the newest one */
    bool reachable;
    unsigned restarts; /* of the server, seen from here */
    uint64_t at_ms;    /* when the newest page came */

    char version[32];
    char backend[32];
    double uptime_s;
    double io_threads;
    bool draining;
    unsigned bad_lines; /* of the newest page */

    double connections;
    double connections_max;
    double slots_peak;
    double rooms;
    double room_members;
    double total[RATE_COUNT];
    double per_s[RATE_COUNT]; /* negative: not known yet */
    /* Oldest first, `history_count` of them; the last one is the newest. */
    double history[RATE_COUNT][DASHBOARD_HISTORY];
    size_t history_count;

    struct dashboard_level pools[DASHBOARD_LEVELS_MAX]; /* fullest first */
    size_t pool_count;
    struct dashboard_level queues[DASHBOARD_LEVELS_MAX]; /* fullest first */
    size_t queue_count;
    struct dashboard_count ends[DASHBOARD_COUNTS_MAX]; /* by close reason, most often now first */
    size_t end_count;
    struct dashboard_count troubles[DASHBOARD_COUNTS_MAX]; /* refused, dropped, put off; likewise */
    size_t trouble_count;

    struct latency latency;
    bool latency_is_recent; /* of the last interval; else of all since the start */
    double stalled_s;       /* how long the logic thread has been stuck; 0: it is not */
    double stalls;
    double events_unreleased;
};

/* Takes a page; `before` is the one before it, NULL if there is none. */
void dashboard_update(struct dashboard *dashboard, const struct page *now,
                      const struct page *before);

/* The server did not answer. What was known stays, rates do not. */
void dashboard_lost(struct dashboard *dashboard);

#endif
