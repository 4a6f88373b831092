/* SPDX-License-Identifier: MIT
 * A server's life: start, drain, stop. Read this first; then worker/worker.h (the I/O side) and
 * state.h (the logic side). Logic thread, but for throng_server_wake and tg_server_rouse.
 *
 *   start:  check options -> plan and reserve all memory -> listen -> open ports -> go
 *   serve:  api_event.c, api_write.c           worker/worker.c
 *   drain:  no more accepts; each connection is flushed and closed; every CLOSED is taken
 *   stop:   workers reset what is left and end; memory goes back
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "admin/admin.h"
#include "base/format.h"
#include "base/line.h"
#include "state.h"

void tg_server_log(const struct throng_server *server, enum throng_log_level level,
                   const char *format, ...)
{
    if (server->config.options.log != NULL) {
        char text[TG_LOG_LINE_BYTES];
        va_list arguments;
        va_start(arguments, format);
        (void)tg_line_format(text, sizeof(text), format, arguments);
        va_end(arguments);
        server->config.options.log(server->config.options.log_context, level, text);
    }
}

/* ---- memory ---- */

/* THRONG_OFF and 0 are the same from here on. */
static uint32_t limit_ms(uint32_t option)
{
    return option == THRONG_OFF ? 0 : option;
}

static void init_limits(struct tg_watch_limits *limits, const struct throng_server_options *options)
{
    limits->first_message_ms = limit_ms(options->first_message_timeout_ms);
    limits->message_ms = limit_ms(options->message_timeout_ms);
    limits->idle_ms = options->idle_timeout_ms;
    limits->write_ms = limit_ms(options->write_timeout_ms);
    limits->evict_silent_ms = limit_ms(options->evict_silent_ms);
    limits->logic_stall_ms = limit_ms(options->logic_stall_ms);
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

/* As the sockets take it: 0 for none. */
static uint32_t keepalive_of(const struct tg_config *config)
{
    return config->options.keepalive_s == THRONG_OFF ? 0 : config->options.keepalive_s;
}

static void init_worker(struct throng_server *server, uint32_t index)
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
    worker->port_options.keepalive_s = keepalive_of(config);
    worker->port_options.acceptor = config->worker_count > 1 ? &server->acceptor : NULL;
    worker->port_options.memory = tg_memory_part(&server->memory, TG_REGION_PORTS, index);
    for (uint32_t i = 0; i < THRONG_LISTENERS_MAX; i++) {
        worker->sockets[i] = TG_SOCKET_NONE;
    }
}

/* The server's record lies in memory that it reserves itself: the plan is made before there is one.
 * */
static int create(struct throng_server **created, const struct tg_config *config,
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
        return tg_config_fail(error, result,
                              "the system gives no random bytes (connections_per_address)");
    }
    *created = server;
    return 0;
}

static void destroy(struct throng_server *server)
{
    /* A copy: the record itself is in the memory that goes. */
    struct tg_memory memory = server->memory;
    tg_memory_give(&memory);
}

/* ---- listening ---- */

static int listen_on(struct throng_server *server, uint32_t index, const char *text,
                     struct throng_error *error)
{
    char host[TG_ENDPOINT_TEXT_SIZE];
    struct tg_listen_options options = {
        .backlog = server->config.options.backlog,
        .send_buffer_bytes = server->config.options.socket_send_bytes,
        .receive_buffer_bytes = server->config.options.socket_receive_bytes,
        .keepalive_s = keepalive_of(&server->config),
        .user_timeout_ms = limit_ms(server->config.options.user_timeout_ms),
    };
    uint16_t port;
    int result = tg_endpoint_parse(text, host, &port, error);
    if (result == 0) {
        result = tg_address_resolve(host, port, &options.address, 1);
    }
    if (result > 0) {
        result = tg_socket_listen(&server->sockets[index], &options, &server->bound[index]);
        bool any_family = strcmp(host, "*") == 0;
        if (result == THRONG_EAFNOSUPPORT && any_family &&
            tg_address_parse_numeric("0.0.0.0", port, &options.address) == 0) {
            /* A system without IPv6: "any" is any IPv4 address. */
            result = tg_socket_listen(&server->sockets[index], &options, &server->bound[index]);
        }
    }
    if (result < 0) {
        return tg_config_fail(error, result, "cannot listen on %s: %s", text,
                              throng_error_text(result));
    }
    return 0;
}

static void close_sockets(tg_socket *sockets)
{
    for (uint32_t i = 0; i < THRONG_LISTENERS_MAX; i++) {
        if (sockets[i] != TG_SOCKET_NONE) {
            tg_socket_close(sockets[i]);
            sockets[i] = TG_SOCKET_NONE;
        }
    }
}

static int listen_on_all(struct throng_server *server, const struct throng_server_options *options,
                         struct throng_error *error)
{
    for (uint32_t i = 0; i < server->config.listener_count; i++) {
        int result = listen_on(server, i, options->listen[i], error);
        if (result < 0) {
            close_sockets(server->sockets);
            return result;
        }
        /* The caller's string may go; bound[] says the same with the port really taken. */
        server->config.options.listen[i] = NULL;
    }
    return 0;
}

/* Gives a worker the listening sockets: the same numbers if it will copy the descriptor table for
 * itself, a duplicate if it shares the table. */
static int give_sockets(struct throng_server *server, struct tg_worker *worker)
{
    for (uint32_t i = 0; i < server->config.listener_count; i++) {
        worker->sockets[i] = server->config.own_descriptors
                                 ? server->sockets[i]
                                 : tg_socket_duplicate(server->sockets[i]);
        if (worker->sockets[i] < 0) {
            int error = (int)worker->sockets[i];
            worker->sockets[i] = TG_SOCKET_NONE;
            return error;
        }
    }
    return 0;
}

/* ---- workers ---- */

int tg_server_await(struct throng_server *server, const _Atomic int *started)
{
    for (;;) {
        tg_parker_prepare(&server->parker);
        /* acquire: pairs with the release in tg_worker_main and tg_admin_main. */
        int answer = atomic_load_explicit(started, memory_order_acquire);
        if (answer != 0) {
            tg_parker_cancel(&server->parker);
            return answer < 0 ? answer : 0;
        }
        tg_parker_sleep(&server->parker, -1);
    }
}

static void stop_threads(struct throng_server *server)
{
    for (uint32_t i = 0; i < server->workers_started; i++) {
        struct tg_worker *worker = &server->workers[i];
        /* release: pairs with the acquire in the worker's loop. */
        atomic_store_explicit(&worker->stop, true, memory_order_release);
        if (atomic_load_explicit(&worker->started, memory_order_acquire) > 0) {
            tg_port_wake(worker->port);
        }
    }
    for (uint32_t i = 0; i < server->workers_started; i++) {
        tg_thread_join(&server->workers[i].thread);
    }
}

static void stop_workers(struct throng_server *server)
{
    if (!server->config.inline_mode) {
        stop_threads(server);
    } else if (server->workers[0].port != NULL) {
        tg_worker_close(&server->workers[0]);
    }
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        tg_worker_destroy(&server->workers[i]);
        if (!server->config.own_descriptors) {
            close_sockets(server->workers[i].sockets);
        }
    }
    tg_acceptor_close(&server->acceptor, server->config.backend);
}

static int start_worker(struct throng_server *server, uint32_t index)
{
    struct tg_worker *worker = &server->workers[index];
    int result = give_sockets(server, worker);
    if (result < 0) {
        return result;
    }
    if (server->config.inline_mode) {
        return tg_worker_open(worker);
    }
    char name[24];
    (void)snprintf(name, sizeof(name), "throng-io-%u", index);
    result = tg_thread_start(&worker->thread, name, tg_worker_main, worker);
    if (result < 0) {
        return result;
    }
    server->workers_started++;
    return tg_server_await(server, &worker->started);
}

static int explain_worker(const struct tg_config *config, uint32_t index, int result,
                          struct throng_error *error)
{
    char why[200] = "";
    if (result == THRONG_ENOTSUP && config->own_descriptors) {
        (void)snprintf(why, sizeof(why),
                       "; max_connections is %u, but the descriptor limit (RLIMIT_NOFILE) is %u, "
                       "and this system refuses a thread its own descriptor table (unshare)",
                       config->options.max_connections, config->descriptor_limit);
    }
    return tg_config_fail(error, result, "cannot start I/O thread %u of %u (backend %s): %s%s",
                          index, config->worker_count, config->backend->name,
                          throng_error_text(result), why);
}

/* Starts the workers one after the other, then lets all of them serve. All or nothing. */
static int start_workers(struct throng_server *server, struct throng_error *error)
{
    if (server->config.worker_count > 1 &&
        tg_acceptor_open(&server->acceptor, server->config.backend) < 0) {
        return tg_config_fail(error, THRONG_ENOMEM, "cannot start the accepting thread: %s",
                              throng_error_text(THRONG_ENOMEM));
    }
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        init_worker(server, i);
    }
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        int result = start_worker(server, i);
        if (result < 0) {
            stop_workers(server);
            return explain_worker(&server->config, i, result, error);
        }
    }
    /* The workers hold the sockets now; with a copy left here a stopped listener would live on. */
    close_sockets(server->sockets);
    return 0;
}

static void log_start(const struct throng_server *server)
{
    const struct tg_config *config = &server->config;
    if (config->backend_refused[0] != '\0') {
        tg_server_log(server, THRONG_LOG_WARNING, "%s cannot be used here (%s): using %s",
                      tg_port_backend_best->name, config->backend_refused, config->backend->name);
    }
    if (config->io_threads_raised) {
        tg_server_log(
            server, THRONG_LOG_WARNING,
            "the descriptor limit is %u: %u I/O threads with descriptor tables of their own "
            "(io_threads was %u) hold %u connections",
            config->descriptor_limit, config->worker_count, config->options.io_threads,
            config->options.max_connections);
    }
    for (uint32_t i = 0; i < config->listener_count; i++) {
        char text[THRONG_ADDRESS_TEXT_SIZE];
        tg_server_log(server, THRONG_LOG_INFO, "listening on %s (%s, %u I/O threads%s)",
                      throng_address_text(&server->bound[i], text), config->backend->name,
                      throng_server_io_threads(server), config->inline_mode ? ": inline" : "");
    }
}

/* ---- public ---- */

int throng_server_start(struct throng_server **started, const struct throng_server_options *options,
                        struct throng_error *error)
{
    struct tg_config config;
    struct throng_server *server = NULL;
    if (started == NULL) {
        return tg_config_fail(error, THRONG_EINVAL, "server is NULL");
    }
    int result = tg_config_check(&config, options, error);
    if (result < 0) {
        return result;
    }
    result = create(&server, &config, error);
    if (result < 0) {
        return result;
    }
    result = listen_on_all(server, options, error);
    if (result < 0) {
        goto destroy_server;
    }
    result = tg_admin_listen(server, options->admin, error);
    if (result < 0) {
        goto close_listeners;
    }
    result = start_workers(server, error);
    if (result < 0) {
        goto close_admin;
    }
    result = tg_admin_start(server, error);
    if (result < 0) {
        stop_workers(server);
        goto close_admin;
    }
    log_start(server);
    tg_admin_log_start(server);
    *started = server;
    return 0;

close_admin:
    tg_admin_stop(server);
close_listeners:
    close_sockets(server->sockets);
destroy_server:
    destroy(server);
    return result;
}

void throng_server_stop(struct throng_server *server)
{
    if (server == NULL) {
        return;
    }
    tg_admin_stop(server); /* first: it reads what the workers have */
    stop_workers(server);
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        tg_log_queue_drain(&server->workers[i].log, server->config.options.log,
                           server->config.options.log_context);
    }
    destroy(server);
}

void throng_server_drain(struct throng_server *server, uint32_t deadline_ms)
{
    if (server == NULL) {
        return;
    }
    server->draining = true;
    atomic_store_explicit(&server->shared.draining, true, memory_order_relaxed);
    server->drain_deadline_ms = deadline_ms;
    tg_server_end_holds(server);
    server->drain_due = UINT64_MAX >> (64 - server->config.worker_count);
    tg_server_flush(server);
}

void tg_server_rouse(struct throng_server *server)
{
    /* Both calls begin with a full fence, which pairs with the sleeper's announcement. */
    if (server->config.inline_mode) {
        tg_port_wake(server->workers[0].port);
    } else {
        (void)tg_parker_wake(&server->parker);
    }
}

void throng_server_wake(struct throng_server *server)
{
    if (server == NULL) {
        return;
    }
    /* release: pairs with the acquire in throng_get_events; what the caller did before is visible
     * to who sees the wake-up. */
    atomic_store_explicit(&server->woken, true, memory_order_release);
    tg_server_rouse(server);
}

int throng_server_listen_address(const struct throng_server *server, uint32_t index,
                                 struct throng_address *address)
{
    if (server == NULL || address == NULL || index >= server->config.listener_count) {
        return THRONG_EINVAL;
    }
    *address = server->bound[index];
    return 0;
}

const char *throng_server_backend(const struct throng_server *server)
{
    TG_REQUIRE(server != NULL);
    return server->config.backend->name;
}

uint32_t throng_server_io_threads(const struct throng_server *server)
{
    TG_REQUIRE(server != NULL);
    return server->config.inline_mode ? 0 : server->config.worker_count;
}
