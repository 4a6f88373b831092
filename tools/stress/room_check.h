/* SPDX-License-Identifier: MIT
 * Whether rooms keep what they promise: each member hears each line of its room exactly once, in
 * the room's order, which is the same for all members and keeps each sender's own. Rooms number
 * their lines; what the words are, the caller has compared already. One per thread, with rooms
 * whose members all belong to that thread. Pure.
 *
 * A line's way:    said (by a member, in `said`)  --first heard-->  numbered (in `heard`, with the count
 * of members that have still to hear it)  --heard by the last-->  forgotten
 *
 * Members are places 0..room_size-1 of a room. What members should have heard is `expected`; what
 * is accounted for, right or wrong, is `settled`; what can never come, for the member is gone,
 * `abandoned`. */
#ifndef STRESS_ROOM_CHECK_H
#define STRESS_ROOM_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines that were passed over and may still come late, per thread. Beyond that they stay lost, and
 * one that comes late counts as a duplicate. */
#define ROOM_MISSING_MAX 4096u

enum room_wrong_kind {
    ROOM_WRONG_NONE = 0,
    ROOM_WRONG_LOST,
    ROOM_WRONG_DUPLICATED,
    ROOM_WRONG_REORDERED, /* came late; or other members, or its sender, have it elsewhere */
    ROOM_WRONG_CORRUPTED,
    ROOM_WRONG_FOREIGN, /* of another room, or of a sender who is not in this one */
    ROOM_WRONG_KINDS,
};

/* The first thing that was wrong. */
struct room_wrong {
    enum room_wrong_kind kind;
    uint32_t room;
    uint32_t member;
    uint64_t number; /* what came, or did not */
    uint64_t next;   /* what was next for that member */
};

struct room_said {
    uint32_t member;
    uint64_t sequence;
    uint64_t time_ns;
};

struct room_heard {
    uint64_t sequence;
    uint64_t time_ns;
    uint32_t member; /* the sender; or ROOM_UNKNOWN, ROOM_NOT_OURS */
    uint32_t left;   /* members that have not heard it */
};

#define ROOM_UNKNOWN UINT32_MAX /* the words were damaged, or the line was passed over */
#define ROOM_NOT_OURS (UINT32_MAX - 1)

struct room_member {
    uint64_t next; /* the number it has to hear now */
    uint64_t said; /* its own sequences, 0.. */
    bool joined;   /* and there still */
};

struct room_state {
    uint64_t oldest; /* numbers below were heard by all; those up to `end` by some */
    uint64_t end;    /* the next one that nobody has heard yet */
    uint32_t said;   /* lines that nobody has heard yet */
    uint32_t joined; /* members now */
    bool numbered;   /* someone has joined: `oldest` and `end` are true */
};

struct room_check {
    uint32_t rooms;
    uint32_t room_size;
    uint32_t window;  /* lines of a room between said and forgotten */
    bool with_others; /* people may talk too: a line that is not ours is no error */

    uint64_t expected;
    uint64_t settled;
    uint64_t abandoned;
    uint64_t others; /* lines of others, each member's counted */
    uint64_t wrong[ROOM_WRONG_KINDS];
    struct room_wrong first;

    struct room_state *states;   /* rooms */
    struct room_member *members; /* rooms * room_size */
    struct room_said *said;      /* rooms * window */
    struct room_heard *heard;    /* rooms * 2 * window, a ring for each */

    uint32_t missing_count;
    struct {
        uint32_t room;
        uint32_t member;
        uint64_t number;
    } missing[ROOM_MISSING_MAX];
};

/* Bytes that a check with so many rooms needs beside itself. */
size_t room_check_bytes(uint32_t rooms, uint32_t room_size, uint32_t window);

/* `check` has rooms, room_size, window and with_others, all else is zero; so is `memory`, which is
 * aligned as malloc's. */
void room_check_begin(struct room_check *check, void *memory);

/* The member has joined; `number` is that of the line which it will hear next. False: that is not
 * what the others were told (counted), or it is a member already. */
bool room_check_join(struct room_check *check, uint32_t room, uint32_t member, uint64_t number);

/* It is gone. */
void room_check_leave(struct room_check *check, uint32_t room, uint32_t member);

/* Whether the window has room for a line. */
static inline bool room_check_has_room(const struct room_check *check, uint32_t room)
{
    const struct room_state *state = &check->states[room];
    return state->said + (state->end - state->oldest) < check->window;
}

/* Whether that member may say a line now: it is there, and the window has room. */
bool room_check_may_say(const struct room_check *check, uint32_t room, uint32_t member);

/* The sequence of the next line of that member. */
uint64_t room_check_next_said(const struct room_check *check, uint32_t room, uint32_t member);

/* It has said it. */
void room_check_say(struct room_check *check, uint32_t room, uint32_t member, uint64_t time_ns);

/* A member has heard line `number`. `sender` is a member of the room, or ROOM_UNKNOWN: the words
 * were damaged (counted here), or ROOM_NOT_OURS. True: it is right, and was said at *time_ns. */
bool room_check_hear(struct room_check *check, uint32_t room, uint32_t member, uint64_t number,
                     uint32_t sender, uint64_t sequence, uint64_t *time_ns);

/* For lines that do not name their sequence: which one of that sender line `number` must be. False:
 * none. */
bool room_check_sequence(const struct room_check *check, uint32_t room, uint64_t number,
                         uint32_t sender, uint64_t *sequence);

/* Counts something that was wrong otherwise. */
void room_check_wrong(struct room_check *check, enum room_wrong_kind kind, uint32_t room,
                      uint32_t member, uint64_t number);

/* "lost" and so on. */
const char *room_wrong_name(enum room_wrong_kind kind);

#endif
