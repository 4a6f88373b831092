/* SPDX-License-Identifier: MIT
 * What crosses between a worker and the logic thread, entry by entry. Three rings per worker:
 *
 *   events    worker -> logic   OPEN, MESSAGE, CLOSED (the others are the logic thread's own)
 *   releases  logic -> worker   memory and slots that the logic thread has done with
 *   commands  logic -> worker   chains to send, closes; rooms (worker/fanout.h)
 *
 * The logic thread publishes commands before releases, and a worker looks at releases before
 * commands. So whoever sees a release also sees every write that the logic thread made before it:
 * that is how a half-closed connection knows that no reply is still on its way. */
#ifndef TG_EVENT_EVENT_H
#define TG_EVENT_EVENT_H

#include <stdint.h>

#include <throng/server.h>

#include "buffer/chain.h"

/* What holds a message's bytes until its event is released: a receive buffer, or a block of the
 * worker's message pool (marked by the top bit). */
#define TG_HOLDER_NONE UINT32_MAX        /* OPEN; those whose release goes to nobody, as WRITABLE */
#define TG_HOLDER_SLOT (UINT32_MAX - 1u) /* CLOSED: the slot itself */
#define TG_HOLDER_BLOCK_BIT 0x80000000u

struct tg_event_entry {
    uint64_t conn;
    const uint8_t *data;
    uint32_t size;
    uint32_t holder;
    uint8_t type;   /* enum throng_event_type */
    uint8_t reason; /* enum throng_close_reason */
    uint16_t listener;
};

/* `count` messages of one connection in one holder, released together. */
struct tg_release_entry {
    uint64_t origin; /* tg_origin */
    uint32_t count;
    uint32_t bytes; /* payload and headers of these messages */
};

/* Where an event comes from: its connection's slot, and what holds its bytes. */
static inline uint64_t tg_origin(uint32_t slot, uint32_t holder)
{
    return (uint64_t)holder << 32 | slot;
}

static inline uint32_t tg_origin_slot(uint64_t origin)
{
    return (uint32_t)origin;
}

static inline uint32_t tg_origin_holder(uint64_t origin)
{
    return (uint32_t)(origin >> 32);
}

enum tg_command_flags {
    TG_COMMAND_CLOSE = 1, /* after the chain */
    TG_COMMAND_ABORT = 2,
    TG_COMMAND_DRAIN = 4, /* the whole worker; conn is 0 */
    /* With ABORT: it was the peer that did not read (SLOW_READER), not throng_abort. */
    TG_COMMAND_SLOW_READER = 8,
    /* The logic thread keeps more for this connection; the next command without the flag brings it.
     * A peer that has half-closed is not closed before. */
    TG_COMMAND_MORE = 16,
    /* A write was refused and the game waits for WRITABLE: no more is to be read of this
     * connection. Each command of a connection says anew whether it is so. */
    TG_COMMAND_REFUSED = 32,
    /* Rooms. `chain` of a broadcast is shared by all workers; `conn` is who does not get it, or
     * 0. */
    TG_COMMAND_JOIN = 64,
    TG_COMMAND_LEAVE = 128,
    TG_COMMAND_BROADCAST = 256,
    TG_COMMAND_SHORT = 512,   /* with BROADCAST: send memory is short, */
    TG_COMMAND_SCARCE = 1024, /* and this was the last that is there */
};

#define TG_COMMAND_OF_ROOM (TG_COMMAND_JOIN | TG_COMMAND_LEAVE | TG_COMMAND_BROADCAST)

/* One flush of one connection: what to send, and whether to close afterwards. Or something of a
 * room, or a drain. */
struct tg_command {
    uint64_t conn;
    union {
        struct tg_chain chain;
        uint32_t member; /* JOIN, LEAVE: the membership's record */
    };
    uint32_t flags;
    union {
        uint32_t deadline_ms; /* DRAIN */
        uint32_t room;        /* JOIN, BROADCAST: its number */
    };
};

/* A connection id: the slot in the low 20 bits, the generation above. */
#define TG_SLOT_BITS 20
#define TG_SLOT_MASK ((UINT64_C(1) << TG_SLOT_BITS) - 1)

static inline uint32_t tg_conn_slot(uint64_t conn)
{
    return (uint32_t)(conn & TG_SLOT_MASK);
}

#endif
