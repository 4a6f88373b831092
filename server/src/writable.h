/* SPDX-License-Identifier: MIT
 * Connections whose write was refused, until there is room for another try: then they have a
 * WRITABLE event. Logic thread; no ring and no worker knows of it.
 *
 *   refused --> FOR_QUEUE --its queue fell--> FOR_MEMORY (first come first served) --room--> WRITABLE
 *      |                                       ^      |
 *      |                               flushed |      | all that was flushed is home
 *      +-- only memory was short ------------> |      v
 *                                          FOR_RESERVE (the same, for those that keep up, and
 *                                                       were refused something short)
 *
 * What is asked is what a write asks (send_room.h), about the message that was refused: so a try
 * that follows a WRITABLE at once is accepted, and nobody turns in a circle. Whoever waits for its
 * own queue is in no list: the blocks that come home name it. */
#ifndef TG_SERVER_WRITABLE_H
#define TG_SERVER_WRITABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct throng_event;
struct throng_server;
struct tg_seat;

enum tg_waits {
    TG_WAITS_FOR_QUEUE = 0,
    TG_WAITS_FOR_MEMORY,
    TG_WAITS_FOR_RESERVE,
};

/* Seats linked both ways by slot number. */
struct tg_waiter_list {
    uint32_t first; /* TG_INDEX_NONE when empty */
    uint32_t last;
};

struct tg_waiters {
    uint32_t count; /* WAITING seats, in a list or not */
    struct tg_waiter_list memory;
    struct tg_waiter_list reserve;
    uint32_t promised; /* blocks that the WRITABLEs of this batch will take */
    uint32_t left;     /* events that this batch may still hand out */
};

void tg_writable_init(struct tg_waiters *waiters);

/* A write of so many bytes, with the header, was refused. */
void tg_writable_wait(struct throng_server *server, struct tg_seat *seat, size_t bytes);

/* No WRITABLE is due any more: a write was accepted, or the connection is closing. */
void tg_writable_forget(struct throng_server *server, struct tg_seat *seat);

/* The queue of a WAITING connection has changed. */
void tg_writable_look(struct throng_server *server, struct tg_seat *seat);

/* Whether somebody waits for memory, and not for its own queue only. */
bool tg_writable_waits_for_memory(const struct throng_server *server);

/* A batch of events begins. */
void tg_writable_begin_batch(struct throng_server *server);

/* Hands out events for those for whom there is room, at most `capacity`. */
size_t tg_writable_take(struct throng_server *server, struct throng_event *events, size_t capacity);

#endif
