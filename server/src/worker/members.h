/* SPDX-License-Identifier: MIT
 * Members: which connections of a worker are in which room. The lists that a broadcast walks
 * (fanout.h has their records). Called by commands (fanout.c) and closes. Worker thread, but where
 * marked. */
#ifndef TG_WORKER_MEMBERS_H
#define TG_WORKER_MEMBERS_H

#include "worker/worker.h"

/* Links are indices + 1; NULL for 0. */
static inline struct tg_member_link *tg_member_link_at(const struct tg_worker *worker,
                                                       uint32_t link)
{
    return link == 0 ? NULL : &worker->shared->fanout.links[link - 1];
}

static inline struct tg_slot_rooms *tg_slot_rooms_of(const struct tg_worker *worker,
                                                     const struct tg_slot *slot)
{
    return &worker->shared->fanout.slots[tg_worker_slot_index(worker, slot)];
}

/* JOIN, LEAVE. */
void tg_members_take_command(struct tg_worker *worker, const struct tg_command *command);

/* A connection in rooms is about to be closed: it leaves every room. */
void tg_members_leave_all(struct tg_worker *worker, struct tg_slot *slot);

/* Logic thread: the records that came home, linked by home_next; 0: none. */
uint32_t tg_members_take_home(struct tg_fanout *fanout);

#endif
