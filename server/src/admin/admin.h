/* SPDX-License-Identifier: MIT
 * The admin listener: /metrics and /healthz by HTTP, on a thread and a completion port of its own.
 * It reads atomics and touches no worker and no game slot, so it answers while the logic thread is
 * stuck and while every slot is taken, and whoever attacks it attacks nobody else. Called by
 * server.c on the logic thread; admin.c (life and loop), memory.c, conn.c (its connections),
 * answer.c (what is answered), metrics.h. */
#ifndef TG_ADMIN_ADMIN_H
#define TG_ADMIN_ADMIN_H

#include <stddef.h>

#include <throng/error.h>

#include "port/port.h"

struct throng_server;

/* Connections at once. One more may wait for a place. */
#define TG_ADMIN_CONNECTIONS 8u

/* What it adds to the process's descriptors: the listening socket, its connections, the one that
 * waits, one on its way out, the port's own. */
#define TG_ADMIN_DESCRIPTORS (1u + TG_ADMIN_CONNECTIONS + 2u + TG_PORT_DESCRIPTORS_MAX)

/* Bytes of TG_REGION_ADMIN. */
size_t tg_admin_bytes(const struct tg_port_backend *backend);

/* Without the option each of these does nothing. */

/* Listens on options.admin, which need not be kept. 0 or an error with its sentence. */
int tg_admin_listen(struct throng_server *server, const char *endpoint, struct throng_error *error);

/* Starts the thread, once the workers run. 0 or an error with its sentence. */
int tg_admin_start(struct throng_server *server, struct throng_error *error);

/* The lines of the log that tell of it. */
void tg_admin_log_start(const struct throng_server *server);

/* Ends it, after tg_admin_listen at whatever stage. Before the workers are stopped. */
void tg_admin_stop(struct throng_server *server);

#endif
