/* SPDX-License-Identifier: MIT
 * What the game's server and its clients say to each other: throng-game-server sends it, tools/game
 * and whoever writes a client reads it. README.md draws the layouts again, with a story. Pure.
 *
 * One throng message is one of these. Numbers are little-endian; `i8` is two's complement. A
 * message that is longer or shorter than it has to be is refused.
 *
 *   client to server
 *     JOIN      u8 1   u8 version
 *     INPUT     u8 2   u32 sequence   i8 dx   i8 dy
 *     RESYNC    u8 3
 *
 *   server to client
 *     WELCOME   u8 64  u8 version  u16 player  u16 rate_hz  u16 side  u16 speed  u16 pellet_count
 *     REFUSED   u8 65  u8 reason                       (the server closes after it)
 *     SNAPSHOT  u8 66  u32 tick  u32 base  u32 checksum  u16 slot_count
 *               ceil(slot_count / 8) bytes: bit s % 8 of byte s / 8 is set if player s changed
 *               a record for each set bit, in order
 *               u16 changed_count, then  u16 pellet  u16 x  u16 y  for each, pellets rising
 *
 *   record: u8 flags, then what they say, in this order
 *     1 WHOLE   u32 ack  u16 x  u16 y  u16 score  i8 dx  i8 dy   a newcomer, or far from what it was
 *     2 GONE    nothing                                          it left
 *     4 MOVED   i8 x  i8 y     added to the place
 *     8 TURNED  i8 dx  i8 dy   the new direction
 *    16 SCORED  u8             added to the score
 *    32 ACKED   u8             added to the last input processed
 *   WHOLE and GONE stand alone; 0 is no record.
 *
 * A snapshot turns the state of tick `base` into that of tick `tick`. Base 0 is the empty state: no
 * player, every pellet at 0, 0; such a snapshot can be read by anybody. `checksum` is
 * game_checksum of the result. */
#ifndef GAME_PROTOCOL_H
#define GAME_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#define GAME_VERSION 1u

#define GAME_PLAYERS_MAX 1024u
#define GAME_PELLETS_MAX 256u

/* Places are in sixteenths of a unit, 0..side-1. */
#define GAME_UNIT 16u
#define GAME_SIDE_MIN (16u * GAME_UNIT)
#define GAME_SIDE_MAX (4000u * GAME_UNIT)

/* A direction's longest: dx * dx + dy * dy is at most its square. What is longer is shortened. In
 * tick t a player moves from x to x + way(t) - way(t - 1), but not through a wall, with
 *     way(t) = speed * dx * t / (GAME_FULL_SPEED * rate_hz), rounded down
 * and so with y. What is rounded away in one tick comes back in a later one, and both ends can work
 * it out: there is no fraction that only the server knows. */
#define GAME_FULL_SPEED 127

/* Inputs of one player that are taken between two ticks; the others are thrown away. An input says
 * where to go from now on, not how far, so nobody is faster for sending more. */
#define GAME_INPUTS_PER_TICK 4u

enum game_message {
    GAME_JOIN = 1,
    GAME_INPUT = 2,
    GAME_RESYNC = 3, /* "I have missed something: send a snapshot with base 0" */
    GAME_WELCOME = 64,
    GAME_REFUSED = 65,
    GAME_SNAPSHOT = 66,
};

#define GAME_JOIN_BYTES 2u
#define GAME_INPUT_BYTES 7u
#define GAME_RESYNC_BYTES 1u
#define GAME_WELCOME_BYTES 12u
#define GAME_REFUSED_BYTES 2u

/* All players whole, all pellets: 14,993 bytes. */
#define GAME_SNAPSHOT_HEAD_BYTES 15u
#define GAME_SNAPSHOT_BYTES_MAX                                                                    \
    (GAME_SNAPSHOT_HEAD_BYTES + GAME_PLAYERS_MAX / 8u + GAME_PLAYERS_MAX * 13u + 2u +              \
     GAME_PELLETS_MAX * 6u)
#define GAME_MESSAGE_BYTES_MAX 16384u

enum game_refusal {
    GAME_REFUSED_VERSION = 1, /* the server speaks another one */
    GAME_REFUSED_FULL = 2,    /* GAME_PLAYERS_MAX play */
};

enum game_record {
    GAME_WHOLE = 1,
    GAME_GONE = 2,
    GAME_MOVED = 4,
    GAME_TURNED = 8,
    GAME_SCORED = 16,
    GAME_ACKED = 32,
};

/* ---- what a client knows ---- */

struct game_player {
    uint32_t ack; /* sequence of the last input processed; 0: none */
    uint16_t x;
    uint16_t y;
    uint16_t score; /* pellets; stays at 65,535 */
    int8_t dx;      /* where it is going */
    int8_t dy;
    bool is_here; /* false: nobody, and everything else is 0 */
};

struct game_pellet {
    uint16_t x;
    uint16_t y;
};

/* All that a snapshot tells. A zeroed one is the empty state. */
struct game_state {
    uint32_t tick; /* the last one, counted from 1 */
    struct game_player players[GAME_PLAYERS_MAX];
    struct game_pellet pellets[GAME_PELLETS_MAX]; /* those from pellet_count on stay 0 */
};

/* FNV-1a, a word of 32 bits at a time instead of a byte. */
static inline uint32_t game_checksum_add(uint32_t sum, uint32_t word)
{
    return (sum ^ word) * 16777619u;
}

/* Of the tick; of the slot number, ack, place, and direction with score of each player that is
 * here; of each pellet. */
static inline uint32_t game_checksum(const struct game_state *state)
{
    uint32_t sum = game_checksum_add(2166136261u, state->tick);
    for (uint32_t i = 0; i < GAME_PLAYERS_MAX; i++) {
        const struct game_player *player = &state->players[i];
        if (player->is_here) {
            sum = game_checksum_add(sum, i);
            sum = game_checksum_add(sum, player->ack);
            sum = game_checksum_add(sum, player->x | (uint32_t)player->y << 16);
            sum = game_checksum_add(sum, (uint8_t)player->dx | (uint32_t)(uint8_t)player->dy << 8 |
                                             (uint32_t)player->score << 16);
        }
    }
    for (uint32_t i = 0; i < GAME_PELLETS_MAX; i++) {
        sum = game_checksum_add(sum, state->pellets[i].x | (uint32_t)state->pellets[i].y << 16);
    }
    return sum;
}

/* Sixteenths from 0 on, after `tick` ticks in direction `dx`; rounded down, also below 0. */
static inline int64_t game_way(uint32_t speed, uint32_t rate_hz, int8_t dx, uint32_t tick)
{
    int64_t way = (int64_t)speed * dx * tick;
    int64_t parts = (int64_t)GAME_FULL_SPEED * rate_hz;
    return way / parts - (way % parts < 0);
}

/* ---- numbers on the wire ---- */

static inline uint32_t game_get_u16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t game_get_u32(const uint8_t *at)
{
    return game_get_u16(at) | game_get_u16(at + 2) << 16;
}

/* What an i8 says, without a conversion that depends on the compiler. */
static inline int8_t game_get_i8(const uint8_t *at)
{
    return (int8_t)(at[0] < 128 ? at[0] : at[0] - 256);
}

static inline uint8_t *game_put_u8(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    return at + 1;
}

static inline uint8_t *game_put_u16(uint8_t *at, uint32_t value)
{
    return game_put_u8(game_put_u8(at, value & 255), value >> 8 & 255);
}

static inline uint8_t *game_put_u32(uint8_t *at, uint32_t value)
{
    return game_put_u16(game_put_u16(at, value & 65535), value >> 16);
}

#endif
