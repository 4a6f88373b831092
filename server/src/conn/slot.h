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

#include <stdint.h>

#include "base/list.h"
#include "buffer/chain.h"
#include "codec/intake.h"
#include "port/port.h"
#include "timer/timer_wheel.h"

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
};

struct tg_slot {
    /* Receiving and identity: touched by each message. */
    struct tg_stream stream;
    uint64_t id; /* 0 while free */
    uint8_t state;
    uint8_t reason; /* enum throng_close_reason, once known */
    uint16_t flags;
    uint32_t events_held;     /* MESSAGE events pushed and not released */
    uint32_t bytes_held;      /* their bytes with headers */
    uint32_t discarded_bytes; /* thrown away in FLUSHING and LINGER */

    /* Input that was not handed up yet. Its link is in the worker's list `blocked` while the slot
     * waits for event room; while it waits for message memory, the intake has it. */
    struct tg_reader reader;

    /* Sending. */
    struct tg_chain queue;

    uint32_t touched_next;
    uint16_t listener;
    struct tg_timer linger;
};

#endif
