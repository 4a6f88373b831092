/* SPDX-License-Identifier: MIT
 * What the descriptor limit means for this server's workers. Any thread. */
#include "os/descriptor_plan.h"

#include "admin/admin.h"
#include "base/failure.h"
#include "config.h"
#include "os/thread.h"

int tg_config_plan_descriptors(struct tg_config *config, struct throng_error *error)
{
    uint32_t connections = config->options.max_connections;
    uint32_t asked = config->options.io_threads;
    struct tg_descriptor_plan plan;
    /* In one table for all, each worker adds its port and a duplicate of each listening socket. */
    uint32_t workers = asked == 0 ? 1 : asked;
    uint32_t open = tg_descriptor_count() + config->listener_count +
                    workers * (config->listener_count + TG_PORT_DESCRIPTORS_MAX);
    if (config->admin) {
        open += TG_ADMIN_DESCRIPTORS;
    }
    bool own_table = tg_port_has_own_table(config->backend);
    if (own_table) {
        open = 0; /* the process's table holds none of the connections */
    }
    if (!tg_descriptor_plan_make(&plan, connections, open, THRONG_IO_THREADS_LIMIT)) {
        return tg_failure(
            error, THRONG_EDESCRIPTORLIMIT,
            "max_connections is %u, but the descriptor limit (RLIMIT_NOFILE) is %u: it allows %u "
            "connections per I/O thread (%u are kept for other things), so %llu with the most I/O "
            "threads (%u)",
            connections, plan.limit, plan.per_table, TG_DESCRIPTORS_RESERVED,
            (unsigned long long)plan.per_table * THRONG_IO_THREADS_LIMIT, THRONG_IO_THREADS_LIMIT);
    }
    config->descriptor_limit = plan.limit;
    config->own_descriptors = plan.own_tables && !own_table;
    config->connections_divided = plan.own_tables;
    if (!plan.own_tables) {
        config->inline_mode = asked == 0;
        config->worker_count = asked == 0 ? 1 : asked;
        config->connections_per_worker = connections;
        return 0;
    }
    config->connections_per_worker = plan.per_table;
    config->worker_count = plan.threads > asked ? plan.threads : asked;
    config->io_threads_raised = config->worker_count > asked;
    return 0;
}
