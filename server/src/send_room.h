/* SPDX-License-Identifier: MIT
 * How much may wait to be sent to a connection: its own limit, and what the pool leaves it. Logic
 * thread; asked by writes that need another block.
 *
 *   small blocks  |<------ for everybody ------>|<------- the reserve ------->|
 *   taken         ########################
 *                                         ^ a write may go on to here          ^ only who keeps up
 *
 * The same for large blocks. A connection keeps up if all that was flushed to it has been sent: a peer
 * that does not read stops keeping up with the first flush that the system's buffers do not take. Until
 * then it looks like any other, so the reserve is not first come first served either: beyond a few blocks
 * each gets an equal share of what is left of it, and however many come, a part stays. */
#ifndef TG_SERVER_SEND_ROOM_H
#define TG_SERVER_SEND_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct throng_server;
struct tg_seat;

/* What a connection may have of the reserve however many there are, in blocks: a message of 2,044 bytes. */
#define TG_RESERVE_UNITS_LEAST 4u

struct tg_send_reserve {
    uint32_t small_blocks;
    uint32_t large_blocks;
};

void tg_send_reserve_init(struct throng_server *server);

/* Appends a message to what is written for the connection; all or nothing. */
bool tg_send_append(struct throng_server *server, struct tg_seat *seat, const void *data,
                    size_t size);

/* The same in place of older messages, which are dropped one by one until there is room: whole ones,
 * none of which a worker has seen. The newest has room beside whatever its peer was handed already, so it
 * may be one message over the limit. False if the pool has no room even so. */
bool tg_send_replace(struct throng_server *server, struct tg_seat *seat, const void *data,
                     size_t size);

/* Whether a message of so many bytes, with its header, is too much for the connection's own limit. */
bool tg_send_is_over_limit(const struct throng_server *server, const struct tg_seat *seat,
                           size_t bytes);

/* Whether such a message, with its header, may come out of the reserve in any case. */
bool tg_send_is_short(size_t bytes);

/* Whether a write of such a message would be accepted if `promised` blocks less were free. */
bool tg_send_would_fit(const struct throng_server *server, const struct tg_seat *seat, size_t bytes,
                       uint32_t promised);

/* Tells the workers that a write failed for want of memory; and that it is over, if it is. */
void tg_send_memory_is_short(struct throng_server *server);
void tg_send_memory_look(struct throng_server *server);

#endif
