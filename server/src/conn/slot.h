/* SPDX-License-Identifier: MIT
 * A connection slot: all that a worker knows of one connection. Preallocated, never freed. A free
 * slot belongs to nobody and lies in the arena; from accept until its CLOSED event was released it
 * belongs to one worker, which alone touches it.
 *
 *   FREE --accept--> OPEN --peer's end--> PEER_ENDED --all answered, all sent--+
 *                     |  \                    |                                 |
 *                     |   +--- server stops: DRAINING --all answered--+         |
 *                     |                       |                       |         |
 *                     +---- throng_close -----+--> FLUSHING <---------+         |
 *                     |                              | all sent: our FIN        |
 *                     |                              v                          v
 *                     |                            LINGER --peer's end-----> CLOSING
 *                     |                                                         ^
 *                     +--- error, abort, limit, linger time over ---------------+
 *
 *   CLOSING --CLOSE completion--> CLOSED --event pushed, released, no message held--> FREE
 */
#ifndef TG_CONN_SLOT_H
#define TG_CONN_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "buffer/chain.h"
#include "codec/intake.h"
#include "port/port.h"

enum tg_slot_state {
    TG_SLOT_FREE = 0,
    TG_SLOT_OPEN,
    TG_SLOT_PEER_ENDED, /* the peer's FIN was seen; replies may still go out */
    TG_SLOT_DRAINING,   /* the server stops: what was received may still be answered */
    TG_SLOT_FLUSHING,   /* we close: the queue goes out first */
    TG_SLOT_LINGER,     /* our FIN is out; the peer's end is awaited, its bytes are thrown away */
    TG_SLOT_CLOSING,    /* tg_port_close was called */
    TG_SLOT_CLOSED,     /* the port is done with it */
};

enum tg_slot_flags {
    TG_SLOT_OPEN_DUE = 1,        /* the OPEN event did not fit into the ring yet */
    TG_SLOT_CLOSED_DUE = 2,      /* likewise the CLOSED event */
    TG_SLOT_CLOSED_RELEASED = 4, /* the logic thread has released CLOSED */
    TG_SLOT_SENDING = 8,         /* a send is in flight */
    TG_SLOT_FLOW_PAUSED = 16,    /* not read from until its held and queued bytes fall */
    TG_SLOT_ENDED = 32,          /* the peer's end was seen */
    TG_SLOT_PAUSED = 64,         /* not read from */
    TG_SLOT_TOUCHED = 128,       /* in the worker's list of slots to look at */
    TG_SLOT_SILENT = 256,        /* died before OPEN: nothing is reported */
    TG_SLOT_HELD_BACK = 512,     /* PAUSED with tg_port_pause, not tg_port_stop */
    TG_SLOT_PARTIAL = 1024,      /* a message has begun and is not complete: since partial_ms */
    TG_SLOT_SPOKEN = 2048,       /* a whole message has come */
    TG_SLOT_UNSENT = 4096,       /* the system took less than there was: since unsent_ms */
    TG_SLOT_MORE_DUE = 16384,    /* the logic thread keeps more for it (TG_COMMAND_MORE) */
    TG_SLOT_RATE_PAUSED = 32768, /* not read from until its rate allows it */
};

/* Two cache lines, which no other worker writes to: what happens to a connection touches these and
 * no more. What else it has lies in tables by its side: its timer (arena.h), its two ends (ends.h),
 * and a piece of the intake's while there is input. server/DESIGN.md has the sum. */
struct tg_slot {
    /* Receiving and identity: touched by each message. */
    struct tg_stream stream;
    uint64_t id; /* 0 while free */
    uint8_t state;
    uint8_t reason; /* enum throng_close_reason, once known */
    uint16_t flags;
    uint32_t events_held; /* MESSAGE events pushed and not released */
    uint32_t bytes_held;  /* their bytes with headers */

    /* For the watchdog (worker/watchdog.c), in the worker's served time; all wrap. */
    union {
        uint32_t opened_ms;
        uint32_t discarded_bytes; /* DRAINING, FLUSHING, LINGER: thrown away */
    };
    uint32_t heard_ms;   /* when bytes came, or reading went on */
    uint32_t partial_ms; /* PARTIAL: when that message began, or reading went on */
    uint32_t
        unsent_ms; /* UNSENT: when the span began in which some must be taken; else the last send */
    uint32_t taken_bytes; /* UNSENT: in that span */
    uint32_t span_bytes;  /* UNSENT: that waited when the span began */

    uint32_t touched_next;

    /* Input that was not handed up yet. Its link is in the worker's list `blocked` while the slot
     * waits for event room; while it waits for message memory, the intake has it. */
    struct tg_reader reader;

    /* Sending. */
    struct tg_chain queue;

    uint32_t beats_out; /* heartbeats of ours that are unanswered (common/PROTOCOL.md) */
    uint8_t listener;
    uint8_t beat_bytes;    /* of a heartbeat that are still to be sent, before the queue */
    bool beat_due : 1;     /* a heartbeat is to be answered when the queue is empty */
    bool reads_to_end : 1; /* rests when the message is complete that has a kept block */
    bool rest_due : 1;     /* it is */
    bool lingering : 1;    /* the timer is the end of our patience */
    bool heard : 1;        /* a byte has come */
    bool refused : 1;  /* not read from until a write to it is worth a try (TG_COMMAND_REFUSED) */
    bool in_rooms : 1; /* it has joined one (worker/fanout.h) */
};

_Static_assert(sizeof(struct tg_slot) == 96 + sizeof(struct tg_stream), "one for each connection");
/* Windows' operations in flight lie in the stream too (port/op.h): there slots share lines. */
_Static_assert(sizeof(struct tg_stream) > 32 || sizeof(struct tg_slot) % 64 == 0,
               "no line has two slots");

#endif
