/* SPDX-License-Identifier: MIT
 * The swarm's records, shared by its files: swarm.c (start and stop), plan.c (options, sources),
 * thread.c (the loop), conn.c (a connection's life), receive.c, beat.c (heartbeats), api.c (what
 * handlers call).
 *
 * Connection i lives on thread i % threads at place i / threads, for good. Everything below
 * `struct throng_swarm_thread` is touched by that thread alone, but for the marked fields.
 *
 *   DOWN --connect--> DUE --pacing--> CONNECTING --> UP --disconnect--> FLUSHING --> LINGER
 *    ^                 |                  |          |                     |           |
 *    |                 v                  v          v                     |           |
 *    +--- on_closed -- CLOSING <----------+----------+---------------------+-----------+
 */
#ifndef SWARM_STATE_H
#define SWARM_STATE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <throng/swarm.h>

#include "base/list.h"
#include "buffer/block_pool.h"
#include "buffer/chain.h"
#include "buffer/message_pool.h"
#include "buffer/recv_pool.h"
#include "codec/heartbeat.h"
#include "codec/intake.h"
#include "os/parker.h"
#include "os/thread.h"
#include "port/port.h"
#include "timer/timer_wheel.h"

/* How long a graceful disconnect waits for the peer. */
#define SWARM_LINGER_MS 5000u

/* Receive buffers of a thread; each message is handled at once, so few are enough. */
#define SWARM_RECEIVE_BUFFERS 8u
#define SWARM_RECEIVE_BUFFER_BYTES 65536u

enum swarm_conn_state {
    SWARM_DOWN = 0,
    SWARM_DUE, /* in the list of those to connect */
    SWARM_CONNECTING,
    SWARM_UP,
    SWARM_FLUSHING, /* we close: the queue goes out first */
    SWARM_LINGER,   /* our end is out, the peer's is awaited */
    SWARM_CLOSING,  /* tg_port_close was called */
};

struct swarm_conn {
    struct tg_stream stream;
    struct tg_list link;   /* in one of the thread's lists, which exclude each other */
    struct tg_timer timer; /* connect time-out, heartbeats while UP, the patience of a disconnect */
    struct tg_reader reader;
    struct tg_chain queue;
    uint64_t connect_ns; /* when its connect began; from on_open on, how long it took */
    uint8_t state;
    bool sending;    /* a send is in flight */
    bool paused;     /* not read from: its input waits for memory, or others' does */
    bool held_back;  /* in the first case */
    bool peer_ended; /* while FLUSHING: what we say is still heard */
    bool suspected;  /* its time is over: it ends unless something is there now */
    int16_t error;   /* what on_closed will say */

    struct tg_heartbeat heartbeat; /* while UP; in ns */
};

struct throng_swarm_thread {
    /* Set before the thread starts. */
    struct throng_swarm *swarm;
    uint32_t index;
    uint32_t conn_count;
    struct swarm_conn *conns;
    void *memory; /* all of this thread's, one reservation */
    size_t memory_bytes;
    struct tg_port_options port_options;
    struct tg_thread thread;

    /* The thread's name for itself; once it has `started`, anybody may compare. */
    uintptr_t self;

    /* The thread's, from its start to its end; then it is the starter's, who destroys it: nobody is
     * left to wake it. */
    struct tg_port *port;

    /* The thread's. */
    struct tg_recv_pool recv_pool;
    struct tg_message_pool message_pool;
    struct tg_block_pool blocks;
    struct tg_intake intake; /* connections that put messages together */
    struct tg_timer_wheel wheel;
    struct tg_timer intake_timer;
    struct tg_list due;      /* to connect, first come first served */
    struct tg_list dirty;    /* with something to send */
    struct tg_list canceled; /* disconnected while due */
    uint32_t connecting;
    uint32_t streams_open;
    uint64_t connect_due_ns; /* pacing: no connect before it */
    uint64_t now_ns;
    bool stopping; /* no handler is called any more */

    /* Written by one side, read by the other. */
    alignas(64) _Atomic int started; /* 0 not yet, 1 yes, < 0 the error */
    _Atomic bool go;                 /* every thread has started: handlers may run */
    _Atomic bool stop;
    _Atomic bool woken;         /* anybody: on_turn is to run */
    _Atomic uint32_t connected; /* this thread writes, anybody reads */
};

/* The checked options and what follows from them. */
struct swarm_plan {
    struct throng_swarm_options options; /* every number is final; targets[] is not used */
    struct throng_address targets[THRONG_SWARM_TARGETS_MAX];
    uint32_t target_count;
    const struct tg_port_backend *backend;
    uint32_t thread_count;
    uint32_t descriptor_limit;
    bool own_descriptors;
    bool has_source;              /* connect from options.source and the addresses after it */
    uint32_t ports_per_source;    /* connections of an entry of targets[] from one address */
    uint64_t connect_interval_ns; /* of one thread; 0 = no pacing */
    uint32_t send_units_max;
    struct tg_frame_rules rules;
};

struct throng_swarm {
    struct swarm_plan plan;
    size_t memory_bytes;
    uint32_t threads_started;
    struct tg_parker starter; /* where the thread that starts the swarm waits for the others */
    struct throng_swarm_thread threads[];
};

/* plan.c */
int tg_swarm_plan_make(struct swarm_plan *plan, const struct throng_swarm_options *given,
                       struct throng_error *error);

/* sources.c */
/* Decides about the sources; `ports` is how many the system has for connections to one target. 0,
 * THRONG_EINVAL, THRONG_EADDRNOTAVAIL. */
int tg_swarm_plan_sources(struct swarm_plan *plan, uint32_t ports, struct throng_error *error);
/* The address that connection `index` comes from. has_source must be set. */
struct throng_address tg_swarm_plan_source(const struct swarm_plan *plan, uint32_t index);

/* thread.c */
void tg_swarm_thread_main(void *argument);
/* Whether the calling thread is one of that swarm's. */
bool tg_swarm_thread_is_own(const struct throng_swarm *swarm);

/* conn.c */
void tg_swarm_conn_connect(struct throng_swarm_thread *thread, struct swarm_conn *conn);
void tg_swarm_conn_close(struct throng_swarm_thread *thread, struct swarm_conn *conn, int error,
                         enum tg_close_mode mode);
/* Begins a graceful end of one that is UP. */
void tg_swarm_conn_disconnect(struct throng_swarm_thread *thread, struct swarm_conn *conn);
/* Takes one that is DUE back; tg_swarm_conn_report_canceled tells its handler in the next turn. */
void tg_swarm_conn_cancel(struct throng_swarm_thread *thread, struct swarm_conn *conn);
void tg_swarm_conn_report_canceled(struct throng_swarm_thread *thread);
void tg_swarm_conn_send(struct throng_swarm_thread *thread, struct swarm_conn *conn);
void tg_swarm_conn_time_out(struct throng_swarm_thread *thread, struct swarm_conn *conn);
void tg_swarm_conn_complete(struct throng_swarm_thread *thread,
                            const struct tg_completion *completion);

/* receive.c */
void tg_swarm_conn_on_receive(struct throng_swarm_thread *thread, struct swarm_conn *conn,
                              const struct tg_completion *completion);
/* Reads (on), unless others come first. */
void tg_swarm_conn_read_on(struct throng_swarm_thread *thread, struct swarm_conn *conn);
/* Lets those go on who wait for memory for their pieces, as far as there is some, and stops others
 * from being read if too many wait. */
void tg_swarm_conn_give_turns(struct throng_swarm_thread *thread);
/* The intake's timer: resets a connection if nobody's turn comes. */
void tg_swarm_conn_intake_tick(struct throng_swarm_thread *thread);

/* beat.c: all of them do nothing without heartbeats. */
/* One is UP: its heartbeats begin. */
void tg_swarm_conn_begin_beats(struct throng_swarm_thread *thread, struct swarm_conn *conn);
/* The timer of one that is UP. */
void tg_swarm_conn_beat_tick(struct throng_swarm_thread *thread, struct swarm_conn *conn);
/* Bytes came, or can come again; an empty message came; bytes went out. */
void tg_swarm_conn_heard(struct throng_swarm_thread *thread, struct swarm_conn *conn);
void tg_swarm_conn_take_beat(struct throng_swarm_thread *thread, struct swarm_conn *conn);
void tg_swarm_conn_said(struct throng_swarm_thread *thread, struct swarm_conn *conn);
/* Nothing waits to be sent: queues the heartbeat that is due. Whether there was one. */
bool tg_swarm_conn_put_beat(struct throng_swarm_thread *thread, struct swarm_conn *conn);

static inline const struct throng_swarm_handler *
tg_swarm_handler(const struct throng_swarm_thread *thread)
{
    return &thread->swarm->plan.options.handler;
}

/* Where connection numbers and places meet. */
static inline uint32_t tg_swarm_conn_index(const struct throng_swarm_thread *thread,
                                           const struct swarm_conn *conn)
{
    return (uint32_t)(conn - thread->conns) * thread->swarm->plan.thread_count + thread->index;
}

/* The connection, or NULL if it is not this thread's. */
static inline struct swarm_conn *tg_swarm_conn_at(const struct throng_swarm_thread *thread,
                                                  uint32_t index)
{
    uint32_t threads = thread->swarm->plan.thread_count;
    if (index >= thread->swarm->plan.options.connections || index % threads != thread->index) {
        return NULL;
    }
    return &thread->conns[index / threads];
}

#endif
