/* SPDX-License-Identifier: MIT
 * How much may wait to be sent to a connection: its own limit, and what the pool leaves it. Logic
 * thread; asked by writes that need another block.
 *
 *   small blocks  |<------ for everybody ------>|<------- the reserve ------->|
 *   taken         ########################
 *                                         ^ a write may go on to here          ^ only who keeps up
 *
 * The same for large blocks. A connection keeps up if all that was flushed to it has been sent: a
 * peer that does not read stops keeping up with the first flush that the system's buffers do not
 * take. Until then it looks like any other, so the reserve is not first come first served either:
 * beyond a few blocks each gets an equal share of what is left of it, and however many come, a part
 * stays. */
#ifndef TG_SERVER_SEND_ROOM_H
#define TG_SERVER_SEND_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct throng_server;
struct tg_chain;
struct tg_seat;

/* What a connection may have of the reserve however many there are, in blocks: a message of 2,044
 * bytes. */
#define TG_RESERVE_UNITS_LEAST 4u

struct tg_send_reserve {
    uint32_t small_blocks;
    uint32_t large_blocks;
};

void tg_send_reserve_init(struct throng_server *server);

/* Appends a message to what is written for the connection; all or nothing. */
bool tg_send_append(struct throng_server *server, struct tg_seat *seat, const void *data,
                    size_t size);

/* The same in place of older messages, which are dropped one by one until there is room: whole
 * ones, none of which a worker has seen. The newest has room beside whatever its peer was handed
 * already, so it may be one message over the limit. False if the pool has no room even so. */
bool tg_send_replace(struct throng_server *server, struct tg_seat *seat, const void *data,
                     size_t size);

/* Appends to a message that is built piece by piece, in a chain of its own. The connection's own
 * limit comes in when its length is known (tg_send_join); how much it may have of the pool counts
 * now. */
bool tg_send_build(struct throng_server *server, const struct tg_seat *seat, struct tg_chain *built,
                   const void *data, size_t size);

/* The same, dropping older messages for it as long as there are any. */
bool tg_send_build_replacing(struct throng_server *server, struct tg_seat *seat,
                             struct tg_chain *built, const void *data, size_t size);

/* Puts what was built, header and all, behind what is written for the connection. False, with
 * nothing changed, if that is over its limit. May be a block over it: the room in the last block of
 * what was written before stays empty. */
bool tg_send_join(struct throng_server *server, struct tg_seat *seat, struct tg_chain *built);

/* The same in place of older messages, like tg_send_replace; always finds room. */
void tg_send_join_replacing(struct throng_server *server, struct tg_seat *seat,
                            struct tg_chain *built);

/* Whether a message of so many bytes, with its header, is too much for the connection's own
 * limit. */
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
