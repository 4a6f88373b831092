/* SPDX-License-Identifier: MIT
 * Rooms and who is in them, as the logic thread knows it: pure tables, no thread, no port. Each
 * membership is a record, in a list of its room and in a list of its connection. What the I/O
 * threads have to be told of it waits here in a queue, in order (api_room.c sends it).
 *
 * A record outlives its membership: the connection's worker has a record of the same index
 * (worker/fanout.h), and the index is free when both are done with it.
 *
 *   free --join--> JOIN_DUE --told--> OUT --leave--> LEFT | LEAVE_DUE --told--> LEFT --home--> free
 *                     |                \--home (the connection ended)--> HOME --leave--> free
 *                     +--leave (nobody was told)--> free */
#ifndef TG_ROOM_ROOM_TABLE_H
#define TG_ROOM_ROOM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/index_stack.h"

/* Room ids: the room's number in the low 20 bits, and above a count that never repeats. */
#define TG_ROOM_BITS 20
#define TG_ROOM_MASK ((UINT64_C(1) << TG_ROOM_BITS) - 1)

enum tg_member_flags {
    TG_MEMBER_LEFT = 1,      /* no member any more */
    TG_MEMBER_HOME = 2,      /* its worker is done with it */
    TG_MEMBER_JOIN_DUE = 4,  /* in the queue: its worker is to be told */
    TG_MEMBER_LEAVE_DUE = 8, /* likewise that it left */
};

/* Links are indices + 1, so that zeroed memory is an empty list. */
struct tg_member {
    uint64_t conn;
    uint32_t room; /* its number */
    uint32_t room_next;
    uint32_t room_before;
    uint32_t conn_next;
    uint32_t due_next;
    uint16_t worker;
    uint16_t flags;
};

struct tg_room {
    uint64_t id; /* 0: free, or destroyed and still out */
    void *user;
    uint32_t first;
    uint32_t members;
    uint32_t records; /* memberships whose record is not free yet */
    uint64_t broadcasts;
    uint64_t dropped_before; /* what the workers had counted for this number when it was created */
};

/* Of a connection. */
struct tg_conn_rooms {
    uint32_t first;
    uint32_t count;
};

struct tg_room_sizes {
    uint32_t rooms;
    uint32_t members;
    uint32_t per_connection;
    uint32_t connections;
    uint32_t workers;
};

struct tg_room_table {
    struct tg_room_sizes sizes;
    struct tg_room *rooms;
    struct tg_member *members;
    struct tg_conn_rooms *conns; /* by slot */
    uint32_t *at_worker;         /* room x worker: members there */
    struct tg_index_stack free_rooms;
    struct tg_index_stack free_members;
    uint64_t created; /* rooms since the start */
    uint32_t room_count;
    uint32_t member_count;
    uint32_t due_first; /* what the workers are to be told */
    uint32_t due_last;
};

size_t tg_room_table_rooms_bytes(const struct tg_room_sizes *sizes);
size_t tg_room_table_members_bytes(const struct tg_room_sizes *sizes);
size_t tg_room_table_conns_bytes(const struct tg_room_sizes *sizes);

/* Memories are the caller's, zeroed, kept. */
void tg_room_table_init(struct tg_room_table *table, const struct tg_room_sizes *sizes, void *rooms,
                        void *members, void *conns);

static inline uint32_t tg_room_number(uint64_t id)
{
    return (uint32_t)(id & TG_ROOM_MASK);
}

/* The room, or NULL: it is gone, or never was. */
struct tg_room *tg_room_find(const struct tg_room_table *table, uint64_t id);

/* A new room, or NULL: there is no number for it. */
struct tg_room *tg_room_create(struct tg_room_table *table);

/* Every member leaves; the id is dead. */
void tg_room_destroy(struct tg_room_table *table, struct tg_room *room);

/* The record of a membership, or NULL. `slot` is the connection's. */
struct tg_member *tg_room_find_member(const struct tg_room_table *table, const struct tg_room *room,
                                      uint32_t slot);

/* Adds a connection that is no member. NULL: no record is free, or it is in too many rooms. */
struct tg_member *tg_room_add(struct tg_room_table *table, struct tg_room *room, uint64_t conn,
                              uint32_t slot, uint32_t worker);

/* The member leaves. With `ended` its connection is over, which its worker knows: it is not
 * told. */
void tg_room_remove(struct tg_room_table *table, struct tg_member *member, uint32_t slot,
                    bool ended);

/* The worker is done with the record. */
void tg_room_home(struct tg_room_table *table, uint32_t index);

static inline uint32_t tg_room_members_at(const struct tg_room_table *table,
                                          const struct tg_room *room, uint32_t worker)
{
    return table->at_worker[(size_t)(room - table->rooms) * table->sizes.workers + worker];
}

static inline uint32_t tg_member_index(const struct tg_room_table *table,
                                       const struct tg_member *member)
{
    return (uint32_t)(member - table->members);
}

/* The record that a link means, or NULL. */
static inline struct tg_member *tg_member_at(const struct tg_room_table *table, uint32_t link)
{
    return link == 0 ? NULL : &table->members[link - 1];
}

/* What its worker is to be told next: JOIN_DUE or LEAVE_DUE is set; NULL: nothing. */
static inline struct tg_member *tg_room_due(const struct tg_room_table *table)
{
    return tg_member_at(table, table->due_first);
}

/* It was told. */
void tg_room_told(struct tg_room_table *table);

#endif
