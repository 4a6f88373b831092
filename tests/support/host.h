/* SPDX-License-Identifier: MIT
 * The listening side made of plain sockets and nothing of ours, for tests of a client: it accepts
 * peers that can break every rule, or refuses, or stays deaf. One thread at a time; script.h plays
 * a peer on a thread of its own. */
#ifndef TEST_SUPPORT_HOST_H
#define TEST_SUPPORT_HOST_H

#include <stdbool.h>

#include <throng/types.h>

#include "peer.h"

#define HOST_FILLERS_MAX 4

struct host {
    intptr_t descriptor; /* as a peer's */
    struct throng_address address;
    char endpoint[THRONG_ADDRESS_TEXT_SIZE]; /* "tcp://127.0.0.1:PORT" */
    struct peer fillers[HOST_FILLERS_MAX];   /* of a deaf host's backlog */
};

/* Listens on 127.0.0.1 or ::1, on a port that the system chooses. False if it cannot. */
bool host_open(struct host *host, enum throng_address_family family);

/* As host_open, but with a small receive buffer, which its peers inherit. */
bool host_open_narrow(struct host *host, int receive_buffer_bytes);

/* Owns a port of 127.0.0.1 without listening on it: connections are refused. */
bool host_open_refusing(struct host *host);

/* Listens with a full backlog: connections are not taken, and not refused within a second. (Linux
 * never answers them; host.windows.c says what Windows does.) */
bool host_open_deaf(struct host *host);

/* The next connection as a peer, which does not block. False if none came within limit_ms. */
bool host_accept(const struct host *host, struct peer *peer, int limit_ms);

void host_close(struct host *host);

#endif
