/* SPDX-License-Identifier: MIT
 * The messages of throng-rooms (server/examples/rooms.c), which says what they mean. All numbers
 * are big-endian.
 *
 *     to the server                         from it
 *     'J' room(4)                           'J' room(4) number(8): that of the room's next line
 *     'L' room(4)                           'L' room(4)
 *     'S' room(4) words                     'S' room(4) number(8) words, to all members
 *     'E' anything                          the same again
 *
 * and what the load client says in a room: the words of a line are time(8), for whoever looks at
 * them on their way, and a payload (payload.h), which names its sender and sequence. Pure. */
#ifndef STRESS_ROOM_LINE_H
#define STRESS_ROOM_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "payload.h"

#define ROOM_JOIN 'J'
#define ROOM_SAY 'S'

#define ROOM_ASK_BYTES 5u   /* a letter and a room */
#define ROOM_HEAD_BYTES 13u /* and a number */
#define ROOM_TIME_BYTES 8u

/* What a line is longer than its payload, on its way to the members. */
#define ROOM_LINE_BYTES (ROOM_HEAD_BYTES + ROOM_TIME_BYTES)

/* A payload must name its sender. */
#define ROOM_PAYLOAD_MIN ((uint32_t)PAYLOAD_HEADER_BYTES)

static inline void room_put(uint8_t *bytes, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    }
}

static inline uint64_t room_get(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

#endif
