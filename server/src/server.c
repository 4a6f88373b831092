/* SPDX-License-Identifier: MIT
 * A server's life: start, drain, stop. Read this first; then life.h (the steps of a start),
 * worker/worker.h (the I/O side) and state.h (the logic side). Logic thread, but for
 * throng_server_wake and tg_server_rouse.
 *
 *   start:  check options -> plan and reserve all memory -> listen -> open ports -> go
 *   serve:  api_event.c, api_write.c           worker/worker.c
 *   drain:  no more accepts; each connection is flushed and closed; every CLOSED is taken
 *   stop:   workers reset what is left and end; memory goes back
 */
#include <stdarg.h>

#include "admin/admin.h"
#include "base/line.h"
#include "life.h"

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
    result = tg_server_create(&server, &config, error);
    if (result < 0) {
        return result;
    }
    result = tg_server_listen(server, options, error);
    if (result < 0) {
        goto destroy_server;
    }
    result = tg_admin_listen(server, options->admin, error);
    if (result < 0) {
        goto close_listeners;
    }
    result = tg_server_start_workers(server, error);
    if (result < 0) {
        goto close_admin;
    }
    result = tg_admin_start(server, error);
    if (result < 0) {
        tg_server_stop_workers(server);
        goto close_admin;
    }
    log_start(server);
    tg_admin_log_start(server);
    *started = server;
    return 0;

close_admin:
    tg_admin_stop(server);
close_listeners:
    tg_server_close_sockets(server->sockets);
destroy_server:
    tg_server_destroy(server);
    return result;
}

void throng_server_stop(struct throng_server *server)
{
    if (server == NULL) {
        return;
    }
    tg_admin_stop(server); /* first: it reads what the workers have */
    tg_server_stop_workers(server);
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        tg_log_queue_drain(&server->workers[i].log, server->config.options.log,
                           server->config.options.log_context);
    }
    tg_server_destroy(server);
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
