/* SPDX-License-Identifier: MIT
 * The simulated network: listeners, connections and their bytes on the way. Seen by
 * os/socket.sim.c, by port/sim*.c, and by the peers that a test makes up. Addresses are IPv4 or
 * IPv6, as given; every address is this world's.
 *
 *   end A: write -> [ on the way | arrived ] -> read :end B        and the same back
 *
 * A connection is two sockets, each with the pipe of the bytes that come to it. A socket's number
 * is given anew as soon as it was closed, the lowest first, as the descriptors of a system are. */
#ifndef TG_SIM_NET_H
#define TG_SIM_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/error.h>
#include <throng/types.h>

#include "sim/sim.h"

#define TG_NET_NONE UINT32_MAX

/* Told when something of its socket may have changed: bytes, room, end, reset, a connection to
 * accept or made. It may be told for nothing. Runs on nobody's thread: no call of the network. */
struct tg_net_watcher {
    void (*notify)(struct tg_net_watcher *watcher);
};

void tg_net_open(uint32_t sockets_max, uint32_t pipe_bytes);
/* All sockets must be closed. */
void tg_net_close(void);

/* ---- sockets; a number or a negative error ---- */

int tg_net_socket(void);
/* port 0: the network chooses. THRONG_EADDRINUSE. */
int tg_net_bind(uint32_t number, const struct throng_address *address);
int tg_net_listen(uint32_t number, uint32_t backlog);
/* A second number of a listener. */
int tg_net_duplicate(uint32_t number);
/* THRONG_EAGAIN: under way. */
int tg_net_connect(uint32_t number, const struct throng_address *peer);
/* The oldest connection that waits at a listener: its number; THRONG_EAGAIN if there is none. */
int tg_net_accept(uint32_t number);
/* How many wait there. */
uint32_t tg_net_waiting(uint32_t number);

/* Who hears of the socket's changes; NULL: nobody. One for each number. */
void tg_net_watch(uint32_t number, struct tg_net_watcher *watcher);

/* 0 while a connect is under way, 1 if the connection is up, or was, else the error. */
int tg_net_is_connected(uint32_t number);
/* The error that broke the connection, 0 if there is none. */
int tg_net_error(uint32_t number);
/* Bytes that have arrived and were not read. */
uint32_t tg_net_readable(uint32_t number);
/* Whether the peer's end has arrived, behind all bytes. */
bool tg_net_at_end(uint32_t number);
/* Bytes that a write would take now. */
uint32_t tg_net_writable(uint32_t number);

/* At most `size` of what has arrived: bytes, THRONG_EEOF, THRONG_EAGAIN, or the error. */
int tg_net_read(uint32_t number, void *data, uint32_t size);
/* As many as there is room for: bytes, THRONG_EAGAIN, THRONG_ECONNRESET after tg_net_shutdown, or
 * the error. What is written to a peer that has closed is taken, and a reset comes back. */
int tg_net_write(uint32_t number, const void *data, uint32_t size);
/* Our end, behind what was written. */
void tg_net_shutdown(uint32_t number);
/* Breaks the connection with `error` at this end, as the network does. */
void tg_net_break(uint32_t number, int error);

/* Closes: with our end, or with a reset if bytes have arrived that nobody read, or if `abort`. */
void tg_net_close_socket(uint32_t number, bool abort);

int tg_net_local_address(uint32_t number, struct throng_address *address);
int tg_net_peer_address(uint32_t number, struct throng_address *address);

uint32_t tg_net_open_sockets(void);

#endif
