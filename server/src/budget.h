/* SPDX-License-Identifier: MIT
 * All memory of a server, stated before it is reserved: one table gives each region its name, its
 * size and its reason; the budget prints it, the start reserves it. */
#ifndef TG_SERVER_BUDGET_H
#define TG_SERVER_BUDGET_H

#include <stddef.h>

#include "config.h"
#include "room/room_table.h"

/* X(id, name, reason) */
#define TG_REGION_MAP(X)                                                                           \
    X(SERVER, "server", "the server's own record")                                                 \
    X(WORKERS, "workers", "io threads x worker record")                                            \
    X(SLOTS, "slots", "max_connections x connection slot")                                         \
    X(SLOT_TIMERS, "slot timers", "max_connections x 24 bytes")                                    \
    X(SEATS, "seats", "max_connections x the logic thread's record of a connection")               \
    X(ADDRESSES, "addresses", "max_connections x both ends' addresses and ports, IPv4")            \
    X(WIDE_ADDRESSES, "IPv6 addresses", "max_connections x 48 bytes, touched by IPv6")             \
    X(LINKS, "free list", "max_connections x link of the free list")                               \
    X(ADDRESS_COUNTS, "address counts", "max_connections x 36 bytes, if connections_per_address")  \
    X(RATES, "rates", "max_connections x 24 bytes, if messages_per_s or bytes_per_s is set")       \
    X(ROOMS, "rooms", "rooms_max x room, and its members at each I/O thread")                      \
    X(ROOM_MEMBERS, "room members", "room_members_max x record of the logic thread")               \
    X(ROOM_LINKS, "room links", "room_members_max x record of the I/O threads")                    \
    X(ROOM_CONNS, "rooms of each", "max_connections x 8 bytes, touched by those in rooms")         \
    X(ROOM_SLOTS, "room slots", "max_connections x 28 bytes, likewise, of the I/O threads")        \
    X(SEND_LIMITS, "send limits", "max_connections x 4 bytes, touched by throng_set_send_limit")   \
    X(BROADCASTS, "broadcasts", "send blocks x 4 bytes")                                           \
    X(ROOM_PARTS, "room parts", "io threads x rooms_max x 16 bytes")                               \
    X(REFERENCES, "references", "io threads x send blocks x 4 bytes")                              \
    X(OWNED, "owner bits", "io threads x max_connections bits")                                    \
    X(SEND_TABLES, "send tables", "send blocks and references x descriptor and free-list entry")   \
    X(SEND_SMALL, "send blocks", "send_small_bytes in blocks of 512 bytes")                        \
    X(SEND_LARGE, "large send blocks", "send_large_bytes in blocks of 16,896 bytes")               \
    X(ASSEMBLY, "assembly", "io threads x assembly_bytes")                                         \
    X(ASSEMBLY_TABLES, "assembly tables", "assembly in units of 256 bytes x 12 bytes")             \
    X(PIECES, "pieces", "io threads x connections x 40 bytes, touched by unread input")            \
    X(RECEIVE, "receive buffers", "io threads x receive_buffers x receive_buffer_bytes")           \
    X(RECEIVE_TABLES, "receive tables", "io threads x receive_buffers x 8 bytes")                  \
    X(EVENTS, "event rings", "io threads x events_max x 32 bytes")                                 \
    X(RELEASES, "release rings", "io threads x events_max x 16 bytes")                             \
    X(COMMANDS, "command rings", "io threads x 16,384 x 32 bytes")                                 \
    X(LOG, "log lines", "io threads x 64 x 256 bytes")                                             \
    X(TIMERS, "timers", "timers_max x 48 bytes, and the timer wheel")                              \
    X(POSTS, "posts", "posts_max x 24 bytes")                                                      \
    X(PORTS, "ports", "io threads x completion port of the backend")                               \
    X(ADMIN, "admin", "8 connections of the admin listener, if admin is set, and its port")

enum tg_region {
#define TG_REGION_ENUM(id, name, reason) TG_REGION_##id,
    TG_REGION_MAP(TG_REGION_ENUM)
#undef TG_REGION_ENUM
    TG_REGION_COUNT
};

struct tg_memory {
    size_t bytes[TG_REGION_COUNT];
    size_t per_worker[TG_REGION_COUNT]; /* of the regions that are divided among the workers */
    void *at[TG_REGION_COUNT];
};

/* Entries of a worker's command ring. The simulator's is small, so that it does run full. */
#ifdef TG_SIM
#define TG_COMMANDS_MAX 16u
#else
#define TG_COMMANDS_MAX 16384u
#endif

/* What the tables of rooms have to hold. */
struct tg_room_sizes tg_memory_room_sizes(const struct tg_config *config);

/* Most slots that one worker can have at once. */
uint32_t tg_memory_worker_slots(const struct tg_config *config);

/* Works every size out. */
void tg_memory_plan(struct tg_memory *memory, const struct tg_config *config);

/* Reserves every region; all or nothing. 0 or THRONG_ENOMEM with the region's name in `error`. */
int tg_memory_take(struct tg_memory *memory, struct throng_error *error);

void tg_memory_give(struct tg_memory *memory);

/* A worker's part of a divided region. */
static inline void *tg_memory_part(const struct tg_memory *memory, enum tg_region region,
                                   uint32_t worker)
{
    return (char *)memory->at[region] + memory->per_worker[region] * worker;
}

#endif
