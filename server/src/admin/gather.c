/* SPDX-License-Identifier: MIT
 * The numbers of a moment, for /metrics. Reads nothing but atomics and what is fixed at start, so
 * it takes no notice of what the other threads do, and they take none of it. The admin thread. */
#include <string.h>

#include "admin/metrics.h"
#include "state.h"

static uint64_t read_number(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void gather_worker(struct tg_metrics *metrics, const struct tg_worker *worker)
{
    struct tg_metrics_worker *own = &metrics->workers[worker->index];
    own->queue_depths[TG_QUEUE_events] = tg_ring_depth(&worker->events);
    own->queue_depths[TG_QUEUE_releases] = tg_ring_depth(&worker->releases);
    own->queue_depths[TG_QUEUE_commands] = tg_ring_depth(&worker->commands);
    own->queue_depths[TG_QUEUE_log] = tg_ring_depth(&worker->log.ring);
    own->receive_buffers_free = read_number(&worker->counters.receive_buffers_free);
    metrics->receive_buffers_missed += read_number(&worker->port->counters.buffers_missed);
    for (uint32_t state = TG_SLOT_OPEN; state <= TG_SLOT_CLOSED; state++) {
        metrics->states[state] += read_number(&worker->counters.states[state]);
    }
}

static void gather_latency(struct tg_metrics *metrics, const struct tg_latency *latency)
{
    for (uint32_t i = 0; i <= TG_LATENCY_BUCKETS; i++) {
        metrics->latency_buckets[i] = read_number(&latency->buckets[i]);
    }
    metrics->latency_sum_ns = read_number(&latency->sum_ns);
}

static void gather_limits(struct tg_metrics *metrics, const struct throng_server *server)
{
    const struct tg_config *config = &server->config;
    const struct tg_worker *worker = &server->workers[0];
    metrics->backend = config->backend->name;
    metrics->worker_count = config->worker_count;
    metrics->io_threads = config->inline_mode ? 0 : config->worker_count;
    metrics->connections_max = config->options.max_connections;
    metrics->assembly_bytes = (uint64_t)config->options.assembly_bytes * config->worker_count;
    metrics->receive_buffers = config->options.receive_buffers;
    metrics->queue_capacities[TG_QUEUE_events] = worker->events.mask + 1;
    metrics->queue_capacities[TG_QUEUE_releases] = worker->releases.mask + 1;
    metrics->queue_capacities[TG_QUEUE_commands] = worker->commands.mask + 1;
    metrics->queue_capacities[TG_QUEUE_log] = worker->log.ring.mask + 1;
    for (uint32_t region = 0; region < TG_REGION_COUNT; region++) {
        metrics->memory[region] = server->memory.bytes[region];
    }
}

void tg_metrics_gather(struct tg_metrics *metrics, const struct throng_server *server)
{
    memset(metrics, 0, sizeof(*metrics));
    gather_limits(metrics, server);
    throng_server_counters(server, &metrics->counters);
    for (uint32_t i = 0; i < metrics->worker_count; i++) {
        gather_worker(metrics, &server->workers[i]);
    }
    for (uint32_t reason = 0; reason < TG_CLOSE_REASONS; reason++) {
        metrics->closed_by[reason] =
            throng_server_closed_count(server, (enum throng_close_reason)reason);
    }
    gather_latency(metrics, &server->latency);
    metrics->draining = atomic_load_explicit(&server->shared.draining, memory_order_relaxed);
}
