/* SPDX-License-Identifier: MIT
 * All that the chat knows: users, rooms, who is in which, what was said. Fixed memory, reserved at
 * the start. No network, no clock, no message format; handlers.c decides, this keeps. One thread.
 *
 * A user is in several rooms and a room has several users; a seat is one user in one room:
 *
 *     user --first_seat--> seat --next_of_user--> seat ...        (at most CHAT_JOINED_MAX)
 *     room --first_seat--> seat --next_in_room--> seat ...        (in the order in which they came) */
#ifndef CHAT_STATE_H
#define CHAT_STATE_H

#include <throng/options.h>
#include <throng/room.h>

#include "bans.h"
#include "flood.h"
#include "history.h"
#include "index.h"

/* How much of everything. */
struct chat_sizes {
    uint32_t users_max;
    uint32_t rooms_max;
    uint32_t seats_max;
    uint32_t history_lines; /* of each room */
    uint32_t history_bytes;
    uint32_t bans_max; /* and as many mutes */
};

struct chat_user {
    throng_conn conn; /* id 0: a free record */
    bool has_name;
    bool is_operator;
    bool is_leaving; /* it was told to go; what it still sends is not listened to */
    struct chat_name name;
    struct chat_place place;
    uint64_t opened_ms;
    uint64_t muted_until_ms; /* 0: it is not */
    struct chat_flood lines; /* what it says */
    struct chat_flood asks;  /* what else it asks for */
    uint32_t wrong_tokens;
    uint32_t misunderstood; /* requests that were none */
    uint32_t first_seat;
    uint32_t seat_count;
    bool is_waiting; /* for its name: in a list in the order of opening */
    uint32_t next_waiting;
    uint32_t previous_waiting;
    uint32_t next_free;
};

struct chat_room {
    bool is_used;
    bool is_stale;     /* a notice about its members could not be sent */
    throng_room heard; /* the library's room; id 0: none yet */
    struct chat_name name;
    uint32_t first_seat;
    uint32_t last_seat;
    uint32_t members;
    uint32_t next_free;
    uint64_t seats_given; /* the newest seat's number */
    uint64_t seq;         /* the newest line's */
    uint64_t empty_since_ms;
    struct chat_history history;
    size_t topic_size;
    char topic[CHAT_TOPIC_BYTES_MAX];
    char topic_by[CHAT_NAME_SIZE];
};

struct chat_seat {
    uint32_t user;
    uint32_t room;
    uint32_t next_of_user; /* or the next free seat */
    uint32_t next_in_room;
    uint32_t previous_in_room;
    uint64_t number; /* in the room, growing */
};

struct chat_state {
    struct chat_sizes sizes;
    struct chat_user *users;
    struct chat_room *rooms;
    struct chat_seat *seats;
    struct chat_bans bans;
    struct chat_bans mutes; /* of their own: flooders must not take the place of bans */
    struct chat_attempts attempts[CHAT_ATTEMPT_PLACES];
    struct chat_index users_by_name;
    struct chat_index rooms_by_name;
    uint32_t free_user;
    uint32_t free_room;
    uint32_t free_seat;
    uint32_t users_seen; /* records beyond were never used: their pages are not touched yet */
    uint32_t rooms_seen;
    uint32_t seats_seen;
    uint32_t first_waiting; /* who came first and has said no name yet */
    uint32_t last_waiting;
    uint32_t user_count; /* with a name */
    uint32_t room_count;
    void *memory; /* all of the above */
};

/* ---- life ---- */

#define CHAT_TERMS 6

/* The memory that these sizes take, a line each. `terms` has room for CHAT_TERMS; answers how
 * many. */
size_t chat_state_budget(const struct chat_sizes *sizes, struct throng_budget_term *terms);

/* Reserves everything. False: there is no memory. `seed` keys the tables of names. */
bool chat_state_create(struct chat_state *state, const struct chat_sizes *sizes,
                       const uint64_t seed[2]);
void chat_state_destroy(struct chat_state *state);

/* ---- users ---- */

/* A user without a name, or NULL: as many as there may be. */
struct chat_user *chat_user_open(struct chat_state *state, throng_conn conn,
                                 const struct chat_place *place, uint64_t now_ms);

/* Gives the record back; it has left its rooms. */
void chat_user_close(struct chat_state *state, struct chat_user *user);

/* Gives a name, the first or another. False: somebody else has it. */
bool chat_user_rename(struct chat_state *state, struct chat_user *user,
                      const struct chat_name *name);

/* Takes the name away, and expects none: somebody else may have it. It has left its rooms. */
void chat_user_forget(struct chat_state *state, struct chat_user *user);

/* Who has been without a name for longest, or NULL. */
struct chat_user *chat_user_longest_waiting(const struct chat_state *state);

struct chat_user *chat_user_find(const struct chat_state *state, const struct chat_name *name);

/* The next user with a name after `user`, NULL for the first; NULL at the end. */
struct chat_user *chat_user_next(const struct chat_state *state, const struct chat_user *user);

/* ---- rooms ---- */

struct chat_room *chat_room_find(const struct chat_state *state, const struct chat_name *name);

/* An empty room, or NULL: there are as many as there may be, and somebody in each. For want of
 * records the one that has been empty for longest is forgotten. */
struct chat_room *chat_room_create(struct chat_state *state, const struct chat_name *name,
                                   uint64_t now_ms);

/* Forgets a room without members. Its `heard` stays, for the record's next room. */
void chat_room_remove(struct chat_state *state, struct chat_room *room);

/* The next room after `room`, NULL for the first; NULL at the end. */
struct chat_room *chat_room_next(const struct chat_state *state, const struct chat_room *room);

/* ---- seats ---- */

struct chat_seat *chat_seat_find(const struct chat_state *state, const struct chat_user *user,
                                 const struct chat_room *room);

/* Takes a seat for someone who has none there. NULL: all are taken. */
struct chat_seat *chat_seat_take(struct chat_state *state, struct chat_user *user,
                                 struct chat_room *room);
void chat_seat_leave(struct chat_state *state, struct chat_user *user, struct chat_room *room,
                     uint64_t now_ms);

/* The seat of that index, NULL for CHAT_NOBODY, and whose it is. */
struct chat_seat *chat_seat_at(const struct chat_state *state, uint32_t index);
struct chat_user *chat_seat_user(const struct chat_state *state, const struct chat_seat *seat);
struct chat_room *chat_seat_room(const struct chat_state *state, const struct chat_seat *seat);

/* What must always hold; false: it does not. Looks at everything: for tests. */
bool chat_state_holds(const struct chat_state *state);

#endif
