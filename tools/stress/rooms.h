/* SPDX-License-Identifier: MIT
 * What scenario_rooms.c (life, joining), rooms_say.c and rooms_hear.c share: a thread's rooms.
 *
 * A room's members are connections of one thread, so that what they hear can be compared without a
 * lock: room r is on thread r % threads, at index r / threads. There the members of all rooms lie
 * in one row, one room after the other, and connections take turns in it: seat s is member s %
 * room_size of room s / room_size, and the connection at place s % conn_count. So a connection is
 * in several rooms if there are more seats than connections, and no table is needed. */
#ifndef STRESS_ROOMS_H
#define STRESS_ROOMS_H

#include "room_check.h"
#include "room_wire.h"
#include "scenario.h"

struct rooms_place {
    uint32_t asked; /* seats that it asked for so far */
    bool greeted;   /* the server knows it; always, where there is no hello */
    bool ready;     /* it has them all */
    bool heard;     /* a right line */
};

struct rooms {
    struct room_check check;
    const struct room_wire *wire;
    void *wire_memory;
    struct rooms_place *places;
    uint8_t *bytes; /* a message to be sent */

    /* READY */
    uint32_t begun; /* places 0..begun-1 have been told to join */
    uint32_t done;  /* of these: ready, or gone */

    /* TALK */
    uint32_t *said;    /* lines of each room */
    uint32_t *speaker; /* whose turn it is in each room */
    uint32_t room;     /* which room's turn it is (by rate) */
    bool refill;       /* by window: a line was refused, or none said yet */

    char remark[160]; /* the first thing that was wrong beside the check */
};

static inline uint64_t rooms_seats(const struct load_thread *own)
{
    const struct rooms *rooms = own->scenario_part;
    return (uint64_t)rooms->check.rooms * rooms->check.room_size;
}

/* The number that a room of this thread has at the server. */
static inline uint32_t rooms_number(const struct load_thread *own, uint32_t room)
{
    return room * own->thread_count + own->index;
}

static inline uint32_t rooms_place_of(const struct load_thread *own, uint32_t room, uint32_t member)
{
    uint64_t seat = (uint64_t)room * own->load->options->room_size + member;
    return (uint32_t)(seat % own->conn_count);
}

/* Copies the check's counts to where the main thread sees them. */
void rooms_publish(struct load_thread *own);

/* rooms_say.c: begins the talk; answers as on_turn; fills one room's window; counts what stays
 * unsaid. */
void rooms_say_start(struct load_thread *own);
uint64_t rooms_say_turn(struct load_thread *own);
void rooms_say_window(struct load_thread *own, uint32_t room);
void rooms_say_end(struct load_thread *own);

/* rooms_hear.c: the index of a room of this thread, and which member of it a place is; false if it
 * is none. */
bool rooms_find_member(const struct load_thread *own, uint32_t number, uint32_t place,
                       uint32_t *room, uint32_t *member);

/* A line has come to a connection. */
void rooms_hear(struct load_thread *own, uint32_t place, const struct room_news *news, size_t size);

/* An answer has come, but none that was asked for. */
void rooms_note_refusal(struct load_thread *own, uint32_t place, const struct room_news *news);

#endif
