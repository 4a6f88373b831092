/* SPDX-License-Identifier: MIT
 * The options after checking: every default filled in, every limit held, and the number of workers
 * that the descriptor limit asks for. Everything after this page trusts it. */
#ifndef TG_SERVER_CONFIG_H
#define TG_SERVER_CONFIG_H

#include <throng/options.h>

#include "base/format.h"
#include "port/port.h"

struct tg_config {
    struct throng_server_options options; /* a copy; every number is final */
    uint32_t listener_count;
    bool admin; /* there is an admin listener */
    const struct tg_port_backend *backend;
    char backend_refused[TG_PORT_REASON_BYTES]; /* why "auto" passed io_uring over, or empty */

    /* Workers. inline_mode: one worker without a thread. */
    uint32_t worker_count;
    bool inline_mode;

    /* Descriptors: own tables if one table cannot hold all connections. */
    bool own_descriptors; /* private tables of the threads */
    bool
        connections_divided; /* those, or tables of the backend's own: no worker can have them all */
    uint32_t descriptor_limit;
    uint32_t connections_per_worker; /* what one descriptor table holds */
    bool io_threads_raised;

    uint32_t send_small_blocks;
    uint32_t send_large_blocks;
    uint32_t send_units_max; /* per connection */
};

/* Checks the options. 0, or THRONG_EINVAL / THRONG_EDESCRIPTORLIMIT / THRONG_ENOTSUP with a
 * sentence in `error` (may be NULL) that names the value and its limit. */
int tg_config_check(struct tg_config *config, const struct throng_server_options *options,
                    struct throng_error *error);

/* Decides on workers and descriptor tables (descriptor_plan.c). Part of tg_config_check. */
int tg_config_plan_descriptors(struct tg_config *config, struct throng_error *error);

/* Where 0 stands for none: THRONG_OFF and 0 are the same from here on. */
static inline uint32_t tg_config_limit(uint32_t option)
{
    return option == THRONG_OFF ? 0 : option;
}

/* Each worker's share of accept_pool. */
static inline uint32_t tg_config_accept_pool(const struct tg_config *config)
{
    return (config->options.accept_pool + config->worker_count - 1) / config->worker_count;
}

/* Fills `error` (may be NULL) and answers `code`. */
TG_FORMAT(3, 4) int tg_config_fail(struct throng_error *error, int code, const char *format, ...);

#endif
