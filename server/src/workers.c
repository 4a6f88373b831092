/* SPDX-License-Identifier: MIT
 * The workers together: started one after the other, all or none, and stopped. What one of them
 * does is in worker/worker.c. Called by server.c, on the logic thread. */
#include <stdio.h>

#include "base/failure.h"
#include "life.h"

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

void tg_server_stop_workers(struct throng_server *server)
{
    if (!server->config.inline_mode) {
        stop_threads(server);
    } else if (server->workers[0].port != NULL) {
        tg_worker_close(&server->workers[0]);
    }
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        tg_worker_destroy(&server->workers[i]);
        if (!server->config.own_descriptors) {
            tg_server_close_sockets(server->workers[i].sockets);
        }
    }
    tg_acceptor_close(&server->acceptor, server->config.backend);
}

static int start_worker(struct throng_server *server, uint32_t index)
{
    struct tg_worker *worker = &server->workers[index];
    int result = tg_server_give_sockets(server, worker);
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
    return tg_failure(error, result, "cannot start I/O thread %u of %u (backend %s): %s%s", index,
                      config->worker_count, config->backend->name, throng_error_text(result), why);
}

int tg_server_start_workers(struct throng_server *server, struct throng_error *error)
{
    if (server->config.worker_count > 1 &&
        tg_acceptor_open(&server->acceptor, server->config.backend) < 0) {
        return tg_failure(error, THRONG_ENOMEM, "cannot start the accepting thread: %s",
                          throng_error_text(THRONG_ENOMEM));
    }
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        tg_server_init_worker(server, i);
    }
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        int result = start_worker(server, i);
        if (result < 0) {
            tg_server_stop_workers(server);
            return explain_worker(&server->config, i, result, error);
        }
    }
    /* The workers hold the sockets now; with a copy left here a stopped listener would live on. */
    tg_server_close_sockets(server->sockets);
    return 0;
}
