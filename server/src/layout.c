/* SPDX-License-Identifier: MIT
 * A server's record and its workers, laid out in the memory that budget.h lists: reserved once,
 * each part in its first state. Called by server.c and workers.c at start, on the logic thread. */
#include <string.h>

#include "base/failure.h"
#include "life.h"

static void init_limits(struct tg_watch_limits *limits, const struct throng_server_options *options)
{
    limits->first_message_ms = tg_config_limit(options->first_message_timeout_ms);
    limits->message_ms = tg_config_limit(options->message_timeout_ms);
    limits->idle_ms = options->idle_timeout_ms;
    limits->write_ms = tg_config_limit(options->write_timeout_ms);
    limits->evict_silent_ms = tg_config_limit(options->evict_silent_ms);
    limits->logic_stall_ms = tg_config_limit(options->logic_stall_ms);
    memcpy(limits->heartbeat_ms, options->heartbeat_ms, sizeof(limits->heartbeat_ms));
    limits->reader_rate_min = options->reader_rate_min;
    limits->turn_messages = options->turn_messages;
    limits->messages = (struct tg_rate){options->messages_per_s, options->messages_burst};
    limits->bytes = (struct tg_rate){options->bytes_per_s, options->bytes_burst};
    limits->when_over_rate = options->when_over_rate;
}

static void init_shared(struct throng_server *server)
{
    const struct tg_config *config = &server->config;
    const struct throng_server_options *options = &config->options;
    void **at = server->memory.at;
    const struct tg_ends ends = {at[TG_REGION_ADDRESSES], at[TG_REGION_WIDE_ADDRESSES]};
    tg_arena_init(&server->arena, at[TG_REGION_SLOTS], at[TG_REGION_SLOT_TIMERS], &ends,
                  at[TG_REGION_LINKS], options->max_connections);
    tg_block_pool_init(&server->blocks, at[TG_REGION_SEND_TABLES], at[TG_REGION_SEND_SMALL],
                       config->send_small_blocks, at[TG_REGION_SEND_LARGE],
                       config->send_large_blocks,
                       options->room_references_max * config->worker_count);
    tg_parker_init(&server->parker);
    server->seats = at[TG_REGION_SEATS];
    server->workers = at[TG_REGION_WORKERS];
    server->dirty_head = TG_INDEX_NONE;
    atomic_store_explicit(&server->counters.send_units_free,
                          tg_block_pool_free_units(&server->blocks), memory_order_relaxed);

    tg_send_reserve_init(server);
    tg_writable_init(&server->waiters);
    tg_server_init_rooms(server);
    for (uint32_t i = 0; i < config->listener_count; i++) {
        server->heartbeats = server->heartbeats || options->heartbeat_ms[i] != 0;
    }
    tg_logic_time_init(server);

    struct tg_worker_shared *shared = &server->shared;
    shared->arena = &server->arena;
    shared->address_table = &server->address_table;
    if (options->connections_per_address > 0) {
        shared->address_places = (void *)((char *)at[TG_REGION_ADDRESS_COUNTS] +
                                          tg_address_table_bytes(options->max_connections,
                                                                 options->connections_per_address));
    }
    shared->blocks = &server->blocks;
    shared->logic = config->inline_mode ? NULL : &server->parker;
    shared->rules.message_bytes_max = options->message_bytes_max;
    shared->rules.byte_order = options->byte_order;
    shared->when_full = options->when_full;
    shared->max_connections = options->max_connections;
    shared->flow_bytes = options->send_queue_bytes_max / 2;
    shared->linger_ms = options->linger_ms;
    init_limits(&shared->limits, options);
    shared->samples_latency = config->admin;
    if (server->memory.bytes[TG_REGION_RATES] > 0) {
        shared->rates = at[TG_REGION_RATES];
    }
}

static void init_worker_memory(struct throng_server *server, struct tg_worker *worker)
{
    const struct tg_memory *memory = &server->memory;
    const struct throng_server_options *options = &server->config.options;
    uint32_t index = worker->index;
    uint32_t events = tg_ring_capacity_for(options->events_max);
    tg_ring_init(&worker->events, tg_memory_part(memory, TG_REGION_EVENTS, index), events,
                 sizeof(struct tg_event_entry));
    tg_ring_init(&worker->releases, tg_memory_part(memory, TG_REGION_RELEASES, index), events,
                 sizeof(struct tg_release_entry));
    tg_ring_init(&worker->commands, tg_memory_part(memory, TG_REGION_COMMANDS, index),
                 TG_COMMANDS_MAX, sizeof(struct tg_command));
    tg_block_return_init(&worker->returned);
    tg_log_queue_init(&worker->log, tg_memory_part(memory, TG_REGION_LOG, index));
    tg_recv_pool_init(&worker->recv_pool, tg_memory_part(memory, TG_REGION_RECEIVE, index),
                      options->receive_buffer_bytes, options->receive_buffers,
                      tg_memory_part(memory, TG_REGION_RECEIVE_TABLES, index));
    tg_message_pool_init(&worker->message_pool, tg_memory_part(memory, TG_REGION_ASSEMBLY, index),
                         options->assembly_bytes,
                         tg_memory_part(memory, TG_REGION_ASSEMBLY_TABLES, index));
    tg_intake_init(&worker->intake, &worker->recv_pool, &worker->message_pool,
                   &server->shared.rules, tg_memory_part(memory, TG_REGION_PIECES, index),
                   tg_memory_worker_slots(&server->config));
    tg_fanout_init(&worker->fanout,
                   server->blocks.reference_first + index * options->room_references_max,
                   options->room_references_max);
    worker->fanout.parts = tg_memory_part(memory, TG_REGION_ROOM_PARTS, index);
    worker->fanout.references_of = tg_memory_part(memory, TG_REGION_REFERENCES, index);
    worker->owned = tg_memory_part(memory, TG_REGION_OWNED, index);
    worker->events_max = events;
}

void tg_server_init_worker(struct throng_server *server, uint32_t index)
{
    const struct tg_config *config = &server->config;
    struct tg_worker *worker = &server->workers[index];
    worker->shared = &server->shared;
    worker->index = index;
    worker->listener_count = config->listener_count;
    /* If one worker can have all connections, the arena alone says when it is full; a worker that
     * stopped accepting would not even refuse. A few places in its table are for that. */
    worker->connections_max = config->connections_divided
                                  ? config->connections_per_worker
                                  : config->connections_per_worker + TG_WORKER_SPARE_CONNECTIONS;
    worker->own_descriptors = config->own_descriptors;
    worker->backend = config->backend;
    init_worker_memory(server, worker);
    worker->port_options.recv_pool = &worker->recv_pool;
    /* One turn's input is handed up whole, so it is a part of what the flow limit allows. */
    uint32_t turn_most = server->shared.flow_bytes / 2 > 4096 ? server->shared.flow_bytes / 2
                                                              : 4096;
    worker->port_options.turn_bytes = config->options.receive_buffer_bytes < turn_most
                                          ? config->options.receive_buffer_bytes
                                          : turn_most;
    worker->port_options.streams_max = config->connections_per_worker;
    worker->port_options.buffers_max = config->options.receive_buffers;
    worker->port_options.listeners_max = config->listener_count;
    worker->port_options.accept_pool = tg_config_accept_pool(config);
    worker->port_options.reuse_sockets = config->options.reuse_sockets;
    worker->port_options.keepalive_s = tg_config_limit(config->options.keepalive_s);
    worker->port_options.acceptor = config->worker_count > 1 ? &server->acceptor : NULL;
    worker->port_options.memory = tg_memory_part(&server->memory, TG_REGION_PORTS, index);
    for (uint32_t i = 0; i < THRONG_LISTENERS_MAX; i++) {
        worker->sockets[i] = TG_SOCKET_NONE;
    }
}

/* The server's record lies in memory that it reserves itself: the plan is made before there is one.
 * */
int tg_server_create(struct throng_server **created, const struct tg_config *config,
                     struct throng_error *error)
{
    struct tg_memory memory;
    tg_memory_plan(&memory, config);
    int result = tg_memory_take(&memory, error);
    if (result < 0) {
        return result;
    }
    struct throng_server *server = memory.at[TG_REGION_SERVER];
    server->config = *config;
    server->memory = memory;
    init_shared(server);
    for (uint32_t i = 0; i < THRONG_LISTENERS_MAX; i++) {
        server->sockets[i] = TG_SOCKET_NONE;
    }
    result = tg_address_table_init(&server->address_table, memory.at[TG_REGION_ADDRESS_COUNTS],
                                   config->options.max_connections,
                                   config->options.connections_per_address);
    if (result < 0) {
        tg_memory_give(&memory);
        return tg_failure(error, result,
                          "the system gives no random bytes (connections_per_address)");
    }
    *created = server;
    return 0;
}

void tg_server_destroy(struct throng_server *server)
{
    /* A copy: the record itself is in the memory that goes. */
    struct tg_memory memory = server->memory;
    tg_memory_give(&memory);
}
