/* SPDX-License-Identifier: MIT
 * A worker: one completion port, the connections that it accepted, and the three rings to the logic
 * thread. Runs on a thread of its own, or in inline mode inside throng_get_event. Each completion
 * kind has its file: on_accept.c, on_receive.c (and reading.c), on_send.c, on_close.c; what comes
 * from the logic thread is in commands.c, what a peer must do in time in watchdog.c.
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
#include "base/token_bucket.h"
#include "buffer/block_pool.h"
#include "buffer/message_pool.h"
#include "buffer/recv_pool.h"
#include "codec/frame.h"
#include "codec/intake.h"
#include "conn/address_table.h"
#include "conn/arena.h"
#include "event/event.h"
#include "event/latency.h"
#include "event/log_queue.h"
#include "os/parker.h"
#include "os/thread.h"
#include "port/port.h"
#include "timer/timer_wheel.h"
#include "worker/fanout.h"

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

/* With a timer running, the longest sleep: time that nobody can have seen pass counts for no
 * deadline (explain_time in worker.c), and this keeps such times apart from mere silence. */
#define TG_WATCH_TICK_MS 250u

/* A turn that takes longer than this was no service. (A game of inline mode may think for that
 * long.) */
#define TG_ABSENCE_MS 1000u

/* After an absence the peers have this long to be heard before time counts again. */
#define TG_RETURN_MS 1000u

/* The span in which a slow reader must take something while send memory is short. */
#define TG_SHORTAGE_SPAN_MS 2000u

/* Least time between two searches for silent connections to evict, and how many one search
 * finds. */
#define TG_EVICT_REST_MS 100u
#define TG_EVICT_MAX 32u

/* After so many full batches in a row everybody has been heard. */
#define TG_FULL_BATCHES_MAX 256u

/* Time that an eviction may take until its slot is free: CLOSED has to be released. */
#define TG_EVICTION_MS 1000u

/* enum throng_close_reason and THRONG_CLOSE_NONE. */
enum {
#define TG_COUNT_REASON(name, text) +1 /* NOLINT(bugprone-macro-parentheses): a term of a sum */
    TG_CLOSE_REASONS = 1 THRONG_CLOSE_REASON_MAP(TG_COUNT_REASON)
#undef TG_COUNT_REASON
};

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
    X(refused_address)                                                                             \
    X(accept_pauses)                                                                               \
    X(evicted)                                                                                     \
    X(heartbeats_sent)                                                                             \
    X(heartbeats_received)                                                                         \
    X(rate_pauses)                                                                                 \
    X(turn_pauses)                                                                                 \
    X(logic_stalls)                                                                                \
    X(broadcast_deliveries)                                                                        \
    X(broadcast_drops)                                                                             \
    X(messages_dropped)                                                                            \
    X(wakes_logic)

struct tg_worker_counters {
#define TG_COUNTER_FIELD(name) _Atomic uint64_t name;
    TG_WORKER_COUNTERS(TG_COUNTER_FIELD)
#undef TG_COUNTER_FIELD
    _Atomic uint64_t closed_by[TG_CLOSE_REASONS];
    _Atomic uint64_t
        states[TG_SLOT_CLOSED + 1]; /* slots of this worker in each state, but for FREE */
    _Atomic uint64_t receive_buffers_free;
};

/* Single writer: a load and a store, no locked instruction. */
static inline void tg_count(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

/* What a peer must keep to, ms; 0: no limit. */
struct tg_watch_limits {
    uint32_t first_message_ms;
    uint32_t message_ms;
    uint32_t idle_ms;
    uint32_t write_ms;
    uint32_t evict_silent_ms;
    uint32_t logic_stall_ms;
    uint32_t heartbeat_ms[THRONG_LISTENERS_MAX];
    uint32_t reader_rate_min; /* bytes a second */
    uint32_t turn_messages;
    struct tg_rate messages;
    struct tg_rate bytes;
    enum throng_when_over_rate when_over_rate;
};

/* A slot's buckets; only if there is a rate. */
struct tg_slot_rates {
    struct tg_token_bucket messages;
    struct tg_token_bucket bytes;
};

/* What all workers of a server share. Set before they start, but for the marked fields. */
struct tg_worker_shared {
    struct tg_arena *arena;
    struct tg_address_table *address_table;
    uint32_t
        *address_places; /* where each slot's address is counted, its worker's; NULL: no limit */
    struct tg_block_pool *blocks; /* descriptors and data; the free lists are the logic thread's */
    struct tg_parker *logic;      /* wakes the logic thread; NULL in inline mode */
    struct tg_frame_rules rules;
    enum throng_when_full when_full;
    uint32_t max_connections;
    uint32_t flow_bytes; /* held and queued bytes of a connection at which its reading pauses */
    uint32_t linger_ms;
    struct tg_watch_limits limits;
    struct tg_slot_rates *rates; /* one for each slot, its worker's; or NULL */
    struct tg_fanout_shared fanout;
    bool samples_latency; /* somebody looks at it: there is an admin listener */

    /* Logic thread writes, workers read: what it is at. */
    alignas(64) _Atomic uint64_t logic_calls; /* of throng_get_events */
    _Atomic uint64_t logic_conn;              /* of the last event that it took; 0: none */
    _Atomic uint32_t logic_type;

    /* Any thread. */
    alignas(64) _Atomic uint32_t slots_taken; /* slots taken now */
    _Atomic uint32_t connections_peak;
    _Atomic uint32_t workers_waiting_for_slots;
    _Atomic bool slot_freed_for_waiter; /* the logic thread is to wake all workers */
    _Atomic uint32_t knocks; /* newcomers for whom there was no slot, and nobody was reset yet */
    _Atomic uint64_t evicted_ms;      /* when somebody was */
    _Atomic uint64_t evict_until_ms;  /* every worker is to reset silent connections */
    _Atomic uint64_t full_log_due_ms; /* no log line before that about slots or the system's want */
    _Atomic uint64_t address_log_due_ms; /* nor about an address over its limit */
    _Atomic uint32_t commands_blocked;   /* the logic thread waits for room in a command ring */
    _Atomic uint32_t writers_waiting;    /* seats that wait for blocks to come home (api_write.c) */
    _Atomic bool send_memory_short;      /* a write was refused for want of send memory */
    _Atomic uint64_t logic_stalled_ms;   /* for how long it has taken no event; 0: it does */
    _Atomic bool draining;               /* throng_server_drain was called */
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
    struct tg_latency_sample latency;

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
    struct tg_timer logic_timer; /* runs while the logic thread has events to take */
    struct tg_timer evict_timer; /* a search for silent connections is due */
    struct tg_chain done;        /* sent blocks, on their way home, and references that were sent */
    struct tg_fanout fanout;
    uint64_t *owned;       /* bit per slot: ours */
    uint32_t owned_count;  /* slots that are ours */
    uint32_t live_count;   /* of them, those whose CLOSED was not pushed yet */
    uint32_t streams_open; /* of them, those that the port is not done with */
    uint32_t listeners_open;
    uint32_t events_out; /* events pushed and not released */
    uint32_t touched;    /* slots to look at after the commands, linked by touched_next */
    uint64_t now_ms;
    uint64_t passed_ms;    /* up to here time has been counted */
    uint64_t absent_until; /* no time counts before */
    uint64_t away_ms; /* how long the last turn was more than its wait, if that is remarkable */
    uint64_t remarkable_ms;   /* a turn of that length has to be explained */
    uint32_t served_ms;       /* the time that counts for deadlines of peers; wraps */
    uint32_t full_batches;    /* waits in a row that left something in the port */
    uint64_t buffers_ms;      /* when there was a free receive buffer */
    uint64_t buffers_missed;  /* the port's count, when it was last looked at */
    uint64_t deaf_until_ms;   /* for lack of them nobody can have been heard before that */
    bool knocked;             /* newcomers came to this worker: it asks the others */
    uint64_t evict_due_ms;    /* no search for silent connections before that */
    uint64_t shortage_due_ms; /* nor for slow readers */
    uint64_t logic_log_due_ms;
    uint64_t logic_calls;     /* of the logic thread when it was last seen to move */
    uint32_t logic_since_ms;  /* served time then */
    bool logic_stalled;       /* it has not moved for logic_stall_ms */
    bool logic_mine;          /* and this worker reports it */
    uint64_t peer_log_due_ms; /* no log line about a peer before that */
    bool room_came;           /* releases came: blocked slots may go on */
    bool released;            /* releases came since the intake's last tick */
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

/* How much of the turn has passed by now: what served_ms will grow by when it is over. Of what will
 * surely be an absence a tick, for no more of it counts then. */
uint32_t tg_worker_uncounted_ms(const struct tg_worker *worker);

/* Asks the clock anew. For deadlines set while commands are taken: inline, the logic may have
 * thought for long since the last turn. */
void tg_worker_renew_time(struct tg_worker *worker);

/* Whether it is time for another log line about a peer: peers must not fill the log. */
static inline bool tg_worker_may_log_peer(struct tg_worker *worker)
{
    if (worker->now_ms < worker->peer_log_due_ms) {
        return false;
    }
    worker->peer_log_due_ms = worker->now_ms + TG_PEER_LOG_REST_MS;
    return true;
}

static inline struct tg_slot *tg_worker_slot(const struct tg_worker *worker, uint32_t index)
{
    return &worker->shared->arena->slots[index];
}

static inline uint32_t tg_worker_slot_index(const struct tg_worker *worker,
                                            const struct tg_slot *slot)
{
    return tg_arena_index(worker->shared->arena, slot);
}

/* A slot's only timer: the watchdog's, then the end of our patience. */
static inline struct tg_timer *tg_slot_timer(const struct tg_worker *worker,
                                             const struct tg_slot *slot)
{
    return tg_arena_timer(worker->shared->arena, slot);
}

/* For a log line: the peer's address in `text`, of THRONG_ADDRESS_TEXT_SIZE. Answers it. */
char *tg_slot_peer_text(const struct tg_worker *worker, const struct tg_slot *slot, char *text);

/* Whether nothing is left to be sent. */
static inline bool tg_slot_all_sent(const struct tg_slot *slot)
{
    return tg_chain_is_empty(&slot->queue) && slot->beat_bytes == 0 &&
           (slot->flags & (TG_SLOT_SENDING | TG_SLOT_MORE_DUE)) == 0;
}

/* Each change of a slot's state, so that the gauges say how many are in which. */
static inline void tg_slot_enter(struct tg_worker *worker, struct tg_slot *slot,
                                 enum tg_slot_state state)
{
    tg_count(&worker->counters.states[slot->state], UINT64_MAX); /* one less */
    tg_count(&worker->counters.states[state], 1);
    slot->state = (uint8_t)state;
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
/* Its connection counts no longer for its address. */
void tg_slot_leave_address(struct tg_worker *worker, const struct tg_slot *slot);
/* Whether the slot is this worker's. */
bool tg_worker_owns(const struct tg_worker *worker, uint32_t slot);

/* on_receive.c */
void tg_worker_on_receive(struct tg_worker *worker, const struct tg_completion *completion);
/* Goes on with what a slot could not do for want of room: OPEN, input, CLOSED. Blocks it again if
 * need be. */
void tg_slot_progress(struct tg_worker *worker, struct tg_slot *slot);
/* Puts the slot to the end of the blocked list, to go on when there is event room. */
void tg_slot_block(struct tg_worker *worker, struct tg_slot *slot);
/* Nothing more will be handed up: what was received and put together so far goes, and the slot
 * waits for nothing any more, unless its OPEN is still due. */
void tg_slot_drop_input(struct tg_worker *worker, struct tg_slot *slot);
/* Pushes an event; false if the ring has no room. */
bool tg_worker_push_event(struct tg_worker *worker, const struct tg_event_entry *event);

/* reading.c */
/* Reads on, unless it rests or others come first. */
void tg_slot_read_on(struct tg_worker *worker, struct tg_slot *slot);
/* All input at hand was handed up: likewise, or rests if too much is unanswered or unsent, or too
 * much came. */
void tg_slot_read_or_rest(struct tg_worker *worker, struct tg_slot *slot);
/* There is input that cannot be handed up: no more of it, at once. */
void tg_slot_hold_back(struct tg_worker *worker, struct tg_slot *slot);
/* No more is wanted, perhaps for long. What the port has taken already comes nevertheless, also if
 * it was held back until now, and is handed up: it must not stay in a receive buffer meanwhile. */
void tg_slot_stop_reading(struct tg_worker *worker, struct tg_slot *slot);
/* Reads again after the held and queued bytes fell. */
void tg_slot_check_flow(struct tg_worker *worker, struct tg_slot *slot);
/* A write to it was refused, and the game waits for WRITABLE; or no longer. Who cannot be answered
 * is not listened to: its messages would lie with the game, which can have so many of all
 * connections. */
void tg_slot_note_refused(struct tg_worker *worker, struct tg_slot *slot, bool refused);

/* assembly.c */
/* Lets those go on who wait for message memory, as far as there is some, and stops others from
 * being read if too many wait. */
void tg_worker_give_turns(struct tg_worker *worker);
/* The intake's timer: closes a connection if nobody's turn comes. */
void tg_worker_intake_tick(struct tg_worker *worker);

/* on_send.c */
void tg_worker_on_send(struct tg_worker *worker, const struct tg_completion *completion);
/* Sends what is queued as far as it goes now. */
void tg_slot_send(struct tg_worker *worker, struct tg_slot *slot);

/* watchdog.c; while the slot is OPEN, the sending side also after the peer's end and in a drain */
/* The connection is new. */
void tg_slot_watch_begin(struct tg_worker *worker, struct tg_slot *slot);
/* Bytes came. */
static inline void tg_slot_watch_heard(struct tg_worker *worker, struct tg_slot *slot)
{
    slot->heard_ms = worker->served_ms;
    slot->heard = true;
}
/* Reading goes on after a pause. */
void tg_slot_watch_reading(struct tg_worker *worker, struct tg_slot *slot);
/* A message has begun. */
void tg_slot_watch_partial(struct tg_worker *worker, struct tg_slot *slot);
/* The system took less than there was to send. */
void tg_slot_watch_unsent(struct tg_worker *worker, struct tg_slot *slot);
/* Reading rests because of the rate, for so long at least. */
void tg_slot_watch_rate(struct tg_worker *worker, struct tg_slot *slot, uint32_t wait_ms);
void tg_slot_watch_expired(struct tg_worker *worker, struct tg_slot *slot);
/* heartbeat.c: an empty message came on a listener with heartbeats. */
void tg_slot_on_beat(struct tg_worker *worker, struct tg_slot *slot);
/* What came with it has been handed up: answers it, now or in a moment. */
void tg_slot_answer_beat(struct tg_worker *worker, struct tg_slot *slot);
/* slow_reader.c: send memory is short: resets who does not take what waits for it. */
void tg_worker_judge_slow_readers(struct tg_worker *worker);

/* rate.c; while the slot is OPEN, and only if there is a rate (shared->rates) */
void tg_slot_begin_rates(struct tg_worker *worker, struct tg_slot *slot);
/* Messages that may be handed up in this turn, or one more: then it is over its rate. */
uint32_t tg_slot_messages_allowed(struct tg_worker *worker, struct tg_slot *slot);
/* Reading goes on after a pause of ours. */
void tg_slot_allow_for_pause(struct tg_worker *worker, struct tg_slot *slot);
/* So much came. It is judged with the messages that were in it. */
void tg_slot_spend_bytes(struct tg_worker *worker, struct tg_slot *slot, uint32_t bytes);
/* So many were handed up: may set RATE_PAUSED, or close. */
void tg_slot_spend_messages(struct tg_worker *worker, struct tg_slot *slot, uint32_t count);
/* Reads on if the rate allows it again. Answers after how many ms it will, UINT32_MAX if nothing
 * waits for it. */
uint32_t tg_slot_resume_rate(struct tg_worker *worker, struct tg_slot *slot);

/* evict.c */
/* Every slot is taken and somebody came: with the next turn, when what came in this batch has been
 * heard, a connection of this worker that has been silent for long is reset, the oldest first, or
 * one of another worker's. Its slot is free when the logic thread has released CLOSED. */
void tg_worker_evict_silent(struct tg_worker *worker);
/* The next turn. Looks at all slots, so not too often: whoever knocks must not make that the work
 * of this thread. */
void tg_worker_answer_knocks(struct tg_worker *worker);
/* The timer of evictions: another search, if somebody still waits for a slot. */
void tg_worker_evict_again(struct tg_worker *worker);

/* logic_watch.c: whether the logic thread takes its events. */
void tg_worker_watch_logic(struct tg_worker *worker);
void tg_worker_logic_tick(struct tg_worker *worker);
/* Inline mode: it came back after so long. */
void tg_worker_logic_returned(struct tg_worker *worker, uint64_t away_ms);

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
/* Begins the end of a connection whose server stops: answers first, then the graceful close, which
 * the caller lets tg_slot_settle decide on once the commands are taken. */
void tg_slot_drain(struct tg_worker *worker, struct tg_slot *slot);
/* The peer's end of an open connection. */
void tg_slot_peer_ended(struct tg_worker *worker, struct tg_slot *slot,
                        enum throng_close_reason reason);
/* Takes the next step of a close if its condition holds. */
void tg_slot_settle(struct tg_worker *worker, struct tg_slot *slot);
void tg_slot_linger_expired(struct tg_worker *worker, struct tg_slot *slot);
/* Pushes CLOSED, or blocks the slot until there is room. */
void tg_slot_report_closed(struct tg_worker *worker, struct tg_slot *slot);

/* commands.c */
void tg_worker_take_releases(struct tg_worker *worker);
void tg_worker_take_commands(struct tg_worker *worker);
/* Remembers to look at the slot once the commands are taken. */
void tg_worker_touch(struct tg_worker *worker, struct tg_slot *slot);
/* Looks at the slots that were touched, now that the commands are taken. */
void tg_worker_visit_touched(struct tg_worker *worker);
/* The deadline of a drain: resets what is left. */
void tg_worker_drain_expired(struct tg_worker *worker);

#endif
