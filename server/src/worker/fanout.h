/* SPDX-License-Identifier: MIT
 * Fan-out: a worker's part of the rooms. It queues a broadcast to those of its own connections that
 * are in the room (members.h) as references to blocks that all workers share. Worker thread.
 *
 *   logic: one chain of blocks, one command for each worker that has members
 *   worker:  for each member: a reference (16 bytes) per block, at the end of its queue
 *            end of the commands: one gathered send per member, however many broadcasts there were
 *            reference sent -> free; this worker's last one -> one worker less
 *   last worker:  the chain goes home with the other blocks
 *
 * A member with DROP_OLDEST to which something is still unsent gets what is broadcast meanwhile
 * into a chain of its own, `later`, and what is written to it too, where the oldest can still be
 * dropped. It joins the queue when that is empty, so while there is something in `later` something
 * is unsent. */
#ifndef TG_WORKER_FANOUT_H
#define TG_WORKER_FANOUT_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/options.h>
#include <throng/wire.h>

#include "buffer/chain.h"

struct tg_command;
struct tg_slot;
struct tg_worker;

/* Most that the limit of a connection may be, in bytes. */
#define TG_SEND_LIMIT_MOST (UINT32_C(1) << 31)

/* The connection of blocks that belong to nobody alone: no slot has this number. */
#define TG_CONN_SHARED ((UINT64_C(1) << 20) - 1)

/* Links are indices + 1: zeroed memory is an empty list. */

/* A membership, the worker's half of struct tg_member (room/room_table.h). From JOIN until it was
 * sent home it belongs to the worker of its connection. */
struct tg_member_link {
    uint32_t room;
    uint32_t slot;
    uint32_t room_next;
    uint32_t room_before;
    uint32_t slot_next;
    uint32_t home_next;
};

/* A room, as far as this worker has members of it. */
struct tg_room_part {
    uint32_t first;
    uint32_t members;
    _Atomic uint64_t dropped; /* since the start, for every room of this number; anybody reads */
};

/* What a connection in rooms has beside its slot. */
struct tg_slot_rooms {
    uint32_t first;
    uint32_t send_next; /* in the list of those to send to */
    bool send_due;
    struct tg_chain later;
};

/* What all workers share. Set before they start, but for the marked fields. */
struct tg_fanout_shared {
    struct tg_member_link *links;      /* by record */
    struct tg_slot_rooms *slots;       /* by slot: its worker's */
    _Atomic uint32_t *limits;          /* by slot: the logic thread writes, workers read */
    _Atomic uint32_t *workers_left;    /* by first block of a broadcast: workers that need it */
    uint32_t units_max;                /* where no limit was set */
    enum throng_when_send_full policy; /* likewise */
};

struct tg_fanout {
    struct tg_room_part *parts; /* by room */
    uint32_t *references_of; /* by first block: references to that message, and 1 during its walk */
    uint32_t reference_first; /* this worker's references */
    uint32_t reference_count;
    uint32_t fresh;      /* of them, those from here on were never used */
    uint32_t free;       /* the others, by their links, or TG_BLOCK_NONE */
    uint32_t free_count; /* with the fresh ones */
    uint32_t send_first; /* slots to send to when the commands are taken */
    uint32_t send_last;

    /* Records on their way home: the worker pushes, the logic thread takes all. */
    alignas(64) _Atomic uint32_t home;
};

/* A queue's bytes have 32 bits. What is written may fill half of that, 2 GiB, by the logic thread's
 * count; what is broadcast comes to the same queue, by the worker's. Broadcasts have what is left,
 * less a message by which DROP_OLDEST may be over each of the two: 1.875 GiB. */
#define TG_FANOUT_UNITS_MOST                                                                       \
    (UINT32_MAX / TG_BLOCK_BYTES - TG_SEND_LIMIT_MOST / TG_BLOCK_BYTES -                           \
     2 * (THRONG_MESSAGE_BYTES_LIMIT / TG_BLOCK_BYTES + 1))

/* Where broadcasts to a connection of this limit end. */
static inline uint32_t tg_fanout_units_max(uint32_t units_max)
{
    return units_max < TG_FANOUT_UNITS_MOST ? units_max : TG_FANOUT_UNITS_MOST;
}

/* A connection's own limit and policy in one word; 0: what the options say. */
static inline uint32_t tg_send_limit_word(uint32_t units_max, enum throng_when_send_full policy)
{
    return tg_fanout_units_max(units_max) << 2 | (uint32_t)policy;
}

/* `reference_first`: the first of `reference_count` references that are this worker's. */
void tg_fanout_init(struct tg_fanout *fanout, uint32_t reference_first, uint32_t reference_count);

/* Takes a BROADCAST, the first of `count` commands that lie in a row, and those behind it that go
 * to the same room: each member has its turn once, while its memory is near. Answers how many it
 * took. */
uint32_t tg_fanout_take_broadcasts(struct tg_worker *worker, const struct tg_command *commands,
                                   uint32_t count);

/* Sends what the commands of this turn have queued. */
void tg_fanout_send(struct tg_worker *worker);

/* Takes the references out of worker->done, and puts in the broadcasts that nobody needs any
 * more. */
void tg_fanout_collect(struct tg_worker *worker);

/* What waits in `later`; 0 of a slot in no room. */
uint32_t tg_fanout_later_bytes(const struct tg_worker *worker, const struct tg_slot *slot);

/* The rest is for slots in rooms only (slot->in_rooms). */

/* Before `units` more are written to it: with DROP_OLDEST, a queue that they would bring over its
 * limit, and that was only not sent yet, is sent first. What the system does not take then waits in
 * `later`, where it can be dropped. The slot may be closed over that. */
void tg_fanout_make_way(struct tg_worker *worker, struct tg_slot *slot, uint32_t units);

/* What is written to it goes behind what waits in `later`, and there too if it may have to make
 * room for what is newer. False: it is for the queue. */
bool tg_fanout_write_later(struct tg_worker *worker, struct tg_slot *slot, struct tg_chain *chain);

/* Its queue is empty: what waits in `later` is its queue now. False: nothing waits there. */
bool tg_fanout_take_later(struct tg_worker *worker, struct tg_slot *slot);

/* Whether it will be sent to at the end of the commands. */
bool tg_fanout_sends_soon(const struct tg_worker *worker, const struct tg_slot *slot);

#endif
