/* SPDX-License-Identifier: MIT
 * /metrics: the numbers of a moment, gathered from the server's atomics (gather.c), and their text
 * (metrics.c), which grows from metric_table.h. The admin thread; the text is pure. */
#ifndef TG_ADMIN_METRICS_H
#define TG_ADMIN_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/server.h>

#include "budget.h"
#include "event/latency.h"
#include "worker/worker.h"

/* Room for the longest text there can be: 64 I/O threads, every number with 20 digits
 * (tests/unit/test_metrics.c writes it). */
#define TG_METRICS_TEXT_MAX (64u * 1024u)

/* The rings of a worker. X(name) */
#define TG_QUEUE_MAP(X)                                                                            \
    X(events)                                                                                      \
    X(releases)                                                                                    \
    X(commands)                                                                                    \
    X(log)

enum tg_queue {
#define TG_QUEUE_ENUM(name) TG_QUEUE_##name,
    TG_QUEUE_MAP(TG_QUEUE_ENUM)
#undef TG_QUEUE_ENUM
    TG_QUEUE_COUNT
};

struct tg_metrics_worker {
    uint32_t queue_depths[TG_QUEUE_COUNT];
    uint64_t receive_buffers_free;
};

struct tg_metrics {
    struct throng_counters counters;
    uint64_t closed_by[TG_CLOSE_REASONS];
    uint64_t states[TG_SLOT_CLOSED + 1];
    uint64_t latency_buckets[TG_LATENCY_BUCKETS + 1];
    uint64_t latency_sum_ns;
    uint64_t receive_buffers_missed;
    struct tg_metrics_worker workers[THRONG_IO_THREADS_LIMIT];
    uint64_t admin_requests[6]; /* by the first digit of the status */
    uint32_t admin_connections;

    /* What never changes. */
    const char *backend;
    uint32_t worker_count;
    uint32_t io_threads; /* 0: inline */
    uint32_t queue_capacities[TG_QUEUE_COUNT];
    uint64_t memory[TG_REGION_COUNT];
    uint64_t connections_max;
    uint64_t assembly_bytes;
    uint64_t receive_buffers;
    uint64_t start_unix_ms;

    uint64_t uptime_ms;
    bool draining;
};

/* Everything but the admin listener's own. Any thread, while the server lives. */
void tg_metrics_gather(struct tg_metrics *metrics, const struct throng_server *server);

/* Writes the text, without a NUL. Answers its length; 0: it does not fit `size`. */
size_t tg_metrics_write(const struct tg_metrics *metrics, char *text, size_t size);

#endif
