/* SPDX-License-Identifier: MIT
 * Makes connections: from an endpoint's text to a connected socket. The blocking client uses all of
 * it, the non-blocking one the steps that do not wait. Any thread. */
#ifndef TG_DIAL_H
#define TG_DIAL_H

#include <throng/error.h>
#include <throng/types.h>

#include "deadline.h"
#include "os/socket.h"

/* A connection that is up. Its addresses are kept here: once it is reset, the system forgets them.
 */
struct tg_dialed {
    tg_socket sock;
    struct throng_address local;
    struct throng_address peer;
};

/* Reads "tcp://HOST:PORT" as something to connect to: HOST is not "*" and PORT not 0. `host` holds
 * TG_ENDPOINT_TEXT_SIZE bytes. 0 or THRONG_EINVAL with the offending text in `error`. */
int tg_dial_parse(const char *endpoint, char *host, uint16_t *port, struct throng_error *error);

/* Opens a socket and begins to connect it; `source` of family NONE: any local address. 0: *sock
 * becomes writable when tg_dial_finish has something to say; else an error, with nothing left open.
 */
int tg_dial_begin(tg_socket *sock, const struct throng_address *source,
                  const struct throng_address *peer);

/* Looks at how a connect ended, once the socket is writable. 0 with `dialed` filled, or why it
 * failed, with the socket closed. */
int tg_dial_finish(tg_socket sock, struct tg_dialed *dialed);

/* Connects to the first of the endpoint's addresses that answers, before `timeout_ms` is over
 * (negative: no limit). 0, or the first address's error, with every address and what came of it in
 * `error`. */
int tg_dial(struct tg_dialed *dialed, const char *endpoint, const struct throng_address *source,
            int timeout_ms, struct throng_error *error);

#endif
