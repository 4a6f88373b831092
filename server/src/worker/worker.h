/* SPDX-License-Identifier: MIT
 * A worker: one completion port, the connections that it accepted, and the three rings to the logic
 * thread. Runs on a thread of its own, or in inline mode inside throng_get_event. Each completion
 * kind has its file: on_accept.c, on_receive.c, on_send.c, on_close.c; what comes from the logic
 * thread is in commands.c.
 *
 *   tg_worker_turn:  releases -> commands -> timers -> blocked slots -> memory -> publish
 *                    -> wait -> dispatch -> publish
 */
#ifndef TG_WORKER_WORKER_H
#define TG_WORKER_WORKER_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <throng/server.h>

#include "base/index_stack.h"
#include "base/ring.h"
#include "buffer/block_pool.h"
#include "buffer/message_pool.h"
#include "buffer/recv_pool.h"
#include "codec/frame.h"
#include "codec/intake.h"
#include "conn/arena.h"
#include "event/event.h"
#include "event/log_queue.h"
#include "os/parker.h"
#include "os/thread.h"
#include "port/port.h"
#include "timer/timer_wheel.h"

/* Completions taken per wait. */
#define TG_WORKER_BATCH 256

/* Bytes thrown away after our close before the peer is reset: it had its chance to listen. */
#define TG_LINGER_DISCARD_MAX (1024u * 1024u)

/* Connections that a worker may take beyond max_connections, to turn them away: less than the spare
 * places of a port's own table. */
#define TG_WORKER_SPARE_CONNECTIONS 32u

/* Connections of a listener that may be taken from the system before they have a slot, if they are
 * to wait for one. */
#define TG_PARKED_MAX 4u

/* Time that accepting rests after the system ran out of descriptors or memory. */
#define TG_ACCEPT_REST_MS 100u

/* Least time between two log lines of one worker about peers. */
#define TG_PEER_LOG_REST_MS 1000u

/* What a worker counts, one writer each, read by anybody. X(name) */
#define TG_WORKER_COUNTERS(X)                                                                      \
    X(connections)                                                                                 \
    X(accepted)                                                                                    \
    X(refused)                                                                                     \
    X(closed)                                                                                      \
    X(messages_received)                                                                           \
    X(bytes_received)                                                                              \
    X(bytes_sent)                                                                                  \
    X(commands_stale)                                                                              \
    X(bytes_dropped)                                                                               \
    X(assembly_bytes_used)                                                                         \
    X(receive_pauses)                                                                              \
    X(wakes_logic)

struct tg_worker_counters {
#define TG_COUNTER_FIELD(name) _Atomic uint64_t name;
    TG_WORKER_COUNTERS(TG_COUNTER_FIELD)
#undef TG_COUNTER_FIELD
};

/* Single writer: a load and a store, no locked instruction. */
static inline void tg_count(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

/* What all workers of a server share. Set before they start, but for the marked fields. */
struct tg_worker_shared {
    struct tg_arena *arena;
    struct tg_block_pool *blocks; /* descriptors and data; the free lists are the logic thread's */
    struct tg_parker *logic;      /* wakes the logic thread; NULL in inline mode */
    struct tg_frame_rules rules;
    enum throng_when_full when_full;
    uint32_t max_connections;
    uint32_t flow_bytes; /* held and queued bytes of a connection at which its reading pauses */
    uint32_t linger_ms;

    /* Any thread. */
    alignas(64) _Atomic uint32_t slots_taken; /* slots taken now */
    _Atomic uint32_t connections_peak;
    _Atomic uint32_t workers_waiting_for_slots;
    _Atomic bool slot_freed_for_waiter; /* the logic thread is to wake all workers */
    _Atomic uint32_t commands_blocked;  /* the logic thread waits for room in a command ring */
};

/* A listener as one worker sees it. */
struct tg_worker_listener {
    struct tg_listener listener;
    tg_handle parked
        [TG_PARKED_MAX]; /* accepted, but no slot was free (when_full backlog); oldest first */
    uint32_t parked_count;
    bool open;
};

struct tg_worker {
    /* Set before the thread starts. */
    struct tg_worker_shared *shared;
    uint32_t index;
    uint32_t listener_count;
    uint32_t connections_max; /* its descriptor table holds no more */
    uint32_t events_max;
    bool own_descriptors; /* take a private descriptor table */
    const struct tg_port_backend *backend;
    struct tg_port_options port_options;
    tg_socket sockets[THRONG_LISTENERS_MAX]; /* listening sockets to bring into the port */
    struct tg_thread thread;

    /* Rings; producer and consumer sides lie apart. */
    struct tg_ring events;
    struct tg_ring releases;
    struct tg_ring commands;
    struct tg_block_return returned;
    struct tg_log_queue log;

    /* Worker thread. */
    alignas(64) struct tg_port *port;
    struct tg_recv_pool recv_pool;
    struct tg_message_pool message_pool;
    struct tg_timer_wheel wheel;
    struct tg_generations generations;
    struct tg_worker_listener listeners[THRONG_LISTENERS_MAX];
    struct tg_intake intake;      /* slots that put messages together, and those that wait for it */
    struct tg_list blocked;       /* slots that wait for event room */
    struct tg_timer accept_timer; /* accepting rests until it is due */
    struct tg_timer drain_timer;
    struct tg_timer intake_timer;
    struct tg_chain done;  /* sent blocks, on their way home */
    uint64_t *owned;       /* bit per slot: ours */
    uint32_t owned_count;  /* slots that are ours */
    uint32_t live_count;   /* of them, those whose CLOSED was not pushed yet */
    uint32_t streams_open; /* of them, those that the port is not done with */
    uint32_t listeners_open;
    uint32_t events_out; /* events pushed and not released */
    uint32_t touched;    /* slots to look at after the commands, linked by touched_next */
    uint64_t now_ms;
    uint64_t peer_log_due_ms; /* no log line about a peer before that */
    uint64_t full_log_due_ms;
    bool room_came; /* releases came: blocked slots may go on */
    bool released;  /* releases came since the intake's last tick */
    bool waiting_for_slots;
    bool accept_resting;
    bool accepting_changed; /* credit is to be set anew at the end of the turn */
    bool draining;
    bool drained; /* the end of the drain was announced */
    bool stopping;

    struct tg_worker_counters counters;

    /* Start and stop: written by one side, read by the other. */
    alignas(64) _Atomic int started; /* 0 not yet, 1 yes, < 0 the error */
    _Atomic bool stop;
    _Atomic bool drain_done; /* every CLOSED of a drain is in the ring */
};

/* ---- life: worker.c ---- */

/* The worker's thread: opens its port, serves until `stop`, closes everything. Argument: struct
 * tg_worker. */
void tg_worker_main(void *argument);

/* Inline mode: the same three steps on the logic thread. */
int tg_worker_open(struct tg_worker *worker);
void tg_worker_turn(struct tg_worker *worker, int64_t timeout_ns);
void tg_worker_close(struct tg_worker *worker);

/* Ends the port of a closed worker. After the worker's thread was joined, so that nobody who means
 * to wake the worker finds a descriptor that is somebody else's by now. With a private table the
 * worker's copies went with its thread, and these are the process's copies of the same number. */
void tg_worker_destroy(struct tg_worker *worker);

/* ---- shared by the completion files ---- */

/* Asks the clock anew. For deadlines set while commands are taken: inline, the logic may have
 * thought for long since the last turn. */
void tg_worker_renew_time(struct tg_worker *worker);

static inline struct tg_slot *tg_worker_slot(const struct tg_worker *worker, uint32_t index)
{
    return &worker->shared->arena->slots[index];
}

static inline uint32_t tg_worker_slot_index(const struct tg_worker *worker,
                                            const struct tg_slot *slot)
{
    return (uint32_t)(slot - worker->shared->arena->slots);
}

/* on_accept.c */
void tg_worker_on_accept(struct tg_worker *worker, const struct tg_completion *completion);
void tg_worker_on_listener_close(struct tg_worker *worker, const struct tg_completion *completion);
/* Sets every listener's credit to what this worker can take now. */
void tg_worker_set_accepting(struct tg_worker *worker);
/* Finds slots for the connections that were parked for want of one. */
void tg_worker_place_parked(struct tg_worker *worker);
void tg_worker_close_listeners(struct tg_worker *worker);
void tg_worker_free_slot(struct tg_worker *worker, struct tg_slot *slot);
/* Whether the slot is this worker's. */
bool tg_worker_owns(const struct tg_worker *worker, uint32_t slot);

/* on_receive.c */
void tg_worker_on_receive(struct tg_worker *worker, const struct tg_completion *completion);
/* Goes on with what a slot could not do for want of room: OPEN, input, CLOSED. Blocks it again if
 * need be. */
void tg_slot_progress(struct tg_worker *worker, struct tg_slot *slot);
/* No more is wanted, perhaps for long. What the port has taken already comes nevertheless, also if it
 * was held back until now, and is handed up: it must not stay in a receive buffer meanwhile. */
void tg_slot_stop_reading(struct tg_worker *worker, struct tg_slot *slot);
/* Puts the slot to the end of the blocked list, to go on when there is event room. */
void tg_slot_block(struct tg_worker *worker, struct tg_slot *slot);
/* Reads again after the held and queued bytes fell. */
void tg_slot_check_flow(struct tg_worker *worker, struct tg_slot *slot);
/* Nothing more will be handed up: what was received and put together so far goes, and the slot waits
 * for nothing any more, unless its OPEN is still due. */
void tg_slot_drop_input(struct tg_worker *worker, struct tg_slot *slot);
/* Pushes an event; false if the ring has no room. */
bool tg_worker_push_event(struct tg_worker *worker, const struct tg_event_entry *event);

/* assembly.c */
/* Lets those go on who wait for message memory, as far as there is some, and stops others from being
 * read if too many wait. */
void tg_worker_give_turns(struct tg_worker *worker);
/* The intake's timer: closes a connection if nobody's turn comes. */
void tg_worker_intake_tick(struct tg_worker *worker);

/* on_send.c */
void tg_worker_on_send(struct tg_worker *worker, const struct tg_completion *completion);
/* Sends what is queued as far as it goes now. */
void tg_slot_send(struct tg_worker *worker, struct tg_slot *slot);

/* on_close.c */
void tg_worker_on_close(struct tg_worker *worker, const struct tg_completion *completion);
/* The connection failed with a port error: closes with the reason that fits. */
void tg_slot_fail(struct tg_worker *worker, struct tg_slot *slot, int error);
/* Closes in the port, now. */
void tg_slot_close(struct tg_worker *worker, struct tg_slot *slot, enum throng_close_reason reason,
                   enum tg_close_mode mode);
/* Begins a graceful close. */
void tg_slot_close_gracefully(struct tg_worker *worker, struct tg_slot *slot,
                              enum throng_close_reason reason, uint32_t linger_ms);
/* Begins the end of a connection whose server stops: answers first, then the graceful close, which the
 * caller lets tg_slot_settle decide on once the commands are taken. */
void tg_slot_drain(struct tg_worker *worker, struct tg_slot *slot);
/* Takes the next step of a close if its condition holds. */
void tg_slot_settle(struct tg_worker *worker, struct tg_slot *slot);
void tg_slot_linger_expired(struct tg_worker *worker, struct tg_slot *slot);
/* Pushes CLOSED, or blocks the slot until there is room. */
void tg_slot_report_closed(struct tg_worker *worker, struct tg_slot *slot);

/* commands.c */
void tg_worker_take_releases(struct tg_worker *worker);
void tg_worker_take_commands(struct tg_worker *worker);
/* Looks at the slots that releases have touched, now that the commands are taken. */
void tg_worker_visit_touched(struct tg_worker *worker);
/* The deadline of a drain: resets what is left. */
void tg_worker_drain_expired(struct tg_worker *worker);

#endif
