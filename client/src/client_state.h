/* SPDX-License-Identifier: MIT
 * The non-blocking client from the inside: what client.c (life, connecting) and client_stream.c
 * (the connected state) share. One thread owns it.
 *
 *              connect                 the connect came through
 *       IDLE ------------> CONNECTING ---------------------------> CONNECTED
 *        ^                     |                                      |
 *        |                     | it failed, or took too long          | the stream ended
 *        |      close          v                                      |
 *        +------------------ FAILED <---------------------------------+
 *        +--------------- (from every state)
 */
#ifndef TG_CLIENT_STATE_H
#define TG_CLIENT_STATE_H

#include <throng/client.h>

#include "codec/heartbeat.h"
#include "deadline.h"
#include "inbox.h"
#include "os/socket.h"
#include "outbox.h"

struct throng_client {
    struct tg_frame_rules rules;
    struct throng_address source;
    uint32_t connect_timeout_ms;
    uint64_t heartbeat_ns; /* 0: none */
    size_t reserved_bytes; /* of this struct and both boxes' memory behind it */

    enum throng_client_state state;
    int error;                           /* FAILED: why */
    tg_socket sock;                      /* CONNECTING, CONNECTED; else TG_SOCKET_NONE */
    struct tg_deadline connect_deadline; /* CONNECTING */

    /* CONNECTED. */
    int send_error;    /* why nothing can be sent any more; 0 */
    bool peer_is_done; /* its end of stream came */
    bool wants_end;    /* throng_client_shutdown was called */
    bool end_was_sent; /* and our end of stream is out */
    bool has_more;     /* more may have come than one update looks at */
    struct tg_heartbeat heartbeat;

    struct tg_inbox inbox;
    struct tg_outbox outbox;
};

/* CONNECTED: moves what can move now. Answers why the stream ended, or 0 while it goes on. */
int tg_client_move(struct throng_client *client);

/* CONNECTED: when heartbeats want an update, if nothing moves before. */
struct tg_deadline tg_client_heartbeat_deadline(const struct throng_client *client);

#endif
