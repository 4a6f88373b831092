/* SPDX-License-Identifier: MIT
 * The steps of a start, in this order, and what takes them back. Called by server.c, on the logic
 * thread. Each is done whole or not at all, and says in `error` (may be NULL) what failed.
 *
 *   tg_server_create        layout.c       reserves the memory and lays the server out in it
 *   tg_server_listen        listeners.c    opens the listening sockets
 *   tg_server_start_workers workers.c      opens the ports and starts the threads */
#ifndef TG_SERVER_LIFE_H
#define TG_SERVER_LIFE_H

#include "state.h"

/* ---- layout.c ---- */

int tg_server_create(struct throng_server **created, const struct tg_config *config,
                     struct throng_error *error);
void tg_server_destroy(struct throng_server *server);

/* A worker's first state, for tg_server_start_workers. */
void tg_server_init_worker(struct throng_server *server, uint32_t index);

/* ---- listeners.c ---- */

/* `options` is the caller's: the server's own copy keeps no pointer to its strings. */
int tg_server_listen(struct throng_server *server, const struct throng_server_options *options,
                     struct throng_error *error);

/* Closes those that are open, of THRONG_LISTENERS_MAX. */
void tg_server_close_sockets(tg_socket *sockets);

/* Gives a worker the listening sockets: the same numbers if it will copy the descriptor table for
 * itself, a duplicate if it shares the table. 0 or an error. */
int tg_server_give_sockets(struct throng_server *server, struct tg_worker *worker);

/* ---- workers.c ---- */

/* Starts the workers one after the other, then lets all of them serve. All or nothing. */
int tg_server_start_workers(struct throng_server *server, struct throng_error *error);
void tg_server_stop_workers(struct throng_server *server);

#endif
