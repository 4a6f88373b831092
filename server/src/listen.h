/* SPDX-License-Identifier: MIT
 * Listening on an endpoint as a user writes it. Called by listeners.c and the admin listener at start, on the
 * logic thread; may ask a name server. */
#ifndef TG_LISTEN_H
#define TG_LISTEN_H

#include "os/socket.h"

/* Opens a listening socket on `endpoint` and writes to `bound` where it really listens. "*" is any address
 * of both families, or of IPv4 alone where the system has no IPv6. All of `options` counts but its address,
 * which is filled. 0 or an error, with nothing left open. */
int tg_listen_on(tg_socket *sock, const char *endpoint, struct tg_listen_options *options,
                 struct throng_address *bound);

#endif
