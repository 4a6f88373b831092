/* SPDX-License-Identifier: MIT
 * The simulated completion port: the contract of port.h on the simulated network, kept to the
 * letter and no further. Whatever the contract leaves open, chance decides: done or pending, how
 * much, in which order, and what is still on its way when a close comes. It also holds the caller
 * to his part.
 *
 *   network --notify--> source --(late?)--> ready list --tg_port_wait, in any order--> completions
 *
 * sim.c: life, waiting; sim_receive.c, sim_send.c: a stream's two directions; sim_stream.c: its
 * life; sim_listener.c: accepting. */
#ifndef TG_PORT_SIM_H
#define TG_PORT_SIM_H

#include "port/batch.h"
#include "port/port.h"
#include "sim/net.h"
#include "sim/world.h"

extern const struct tg_port_backend tg_sim_backend;

/* Listeners of one port. */
#define TG_SIM_LISTENERS 32u

/* Streams beyond streams_max: a caller may adopt a few to turn them away. */
#define TG_SIM_SPARE_STREAMS 64u

/* Something of which completions may come. */
struct tg_sim_source {
    struct tg_net_watcher watcher;
    struct tg_sim_action later; /* it will be in the ready list then */
    struct tg_sim_port *port;
    uint32_t place; /* in the ready list, + 1; 0: not there */
    bool is_listener;
};

struct tg_sim_stream {
    struct tg_sim_source source;
    struct tg_stream *stream; /* the caller's; NULL: unused */
    uint32_t sock;

    bool connecting;

    bool receiving; /* tg_port_receive was called, and no last RECEIVE came */
    bool received_last;
    bool stopped;
    bool held_back;         /* and what was taken already waits too */
    uint32_t turn;          /* bytes of the last RECEIVE and of what was taken behind it */
    uint64_t received_in;   /* the wait that answered the last RECEIVE */
    uint32_t held_buffer;   /* taken from the network and not completed */
    uint32_t held_bytes;    /* 0: nothing */
    struct tg_list waiting; /* in the port's queue for a receive buffer */

    bool sending;
    uint32_t slice_count;
    uint64_t bytes_hash; /* of what the slices point to, when they were submitted */
    struct tg_slice slices[TG_GATHER_MAX];

    bool failed; /* an error was told: only a close is useful */
    bool closing;
    enum tg_close_mode close_mode;
};

struct tg_sim_listener {
    struct tg_sim_source source;
    struct tg_listener *listener; /* NULL: unused */
    uint32_t sock;
    bool closing;
};

struct tg_sim_port {
    struct tg_port port;
    struct tg_sim_thread *sleeper; /* who waits in it now */
    bool is_waited;
    bool woken;
    uint32_t streams_count;
    uint32_t accepted_out; /* handles neither adopted nor refused */
    uint32_t ready_count;
    uint32_t round_left; /* the first of them: those without a turn in this round */
    struct tg_sim_source **ready;
    struct tg_list waiting; /* streams that found no receive buffer */
    uint32_t open_buffer;   /* the one that is being filled, or TG_INDEX_NONE */
    uint32_t open_used;
    uint64_t strikes_seen;
    uint64_t wait_number;
    struct tg_sim_listener listeners[TG_SIM_LISTENERS];
    struct tg_sim_stream streams[];
};

static inline struct tg_sim_port *tg_sim_port_of(struct tg_port *port)
{
    return TG_CONTAINER_OF(port, struct tg_sim_port, port);
}

/* Tells who looks on (tg_sim_options.on_port). */
static inline void tg_sim_tell(const struct tg_sim_port *port, enum tg_sim_port_act act,
                               const struct tg_stream *stream, const uint8_t *data, int64_t amount)
{
    if (tg_world.options.on_port != NULL) {
        const struct tg_sim_port_note note = {act, &port->port, stream, data, amount};
        tg_world.options.on_port(tg_world.options.context, &note);
    }
}

/* sim.c */
/* There may be something to complete: now, or late if chance has it. */
void tg_sim_mark(struct tg_sim_source *source);
void tg_sim_init_source(struct tg_sim_source *source, struct tg_sim_port *port, bool is_listener);
/* Nothing more comes of it. */
void tg_sim_forget(struct tg_sim_source *source);
void tg_sim_complete(struct tg_sim_port *port, struct tg_batch *batch, enum tg_completion_kind kind,
                     int32_t result, struct tg_sim_stream *record);

/* sim_stream.c; `work` completes what it can and answers whether there is more right now. */
bool tg_sim_stream_work(struct tg_sim_stream *record, struct tg_batch *batch);
/* The record of a stream that is open. */
struct tg_sim_stream *tg_sim_record_of(struct tg_sim_port *port, const struct tg_stream *stream);
int tg_sim_adopt(struct tg_port *port, struct tg_stream *stream, tg_handle accepted);
void tg_sim_refuse(struct tg_port *port, tg_handle accepted);
int tg_sim_connect(struct tg_port *port, struct tg_stream *stream,
                   const struct throng_address *peer, const struct throng_address *source);
void tg_sim_shutdown(struct tg_port *port, struct tg_stream *stream);
void tg_sim_close_stream(struct tg_port *port, struct tg_stream *stream, enum tg_close_mode mode);
int tg_sim_addresses(struct tg_port *port, struct tg_stream *stream, struct throng_address *peer,
                     struct throng_address *local);

/* sim_receive.c */
void tg_sim_receive(struct tg_port *port, struct tg_stream *stream);
void tg_sim_stop(struct tg_port *port, struct tg_stream *stream);
void tg_sim_pause(struct tg_port *port, struct tg_stream *stream);
bool tg_sim_receive_work(struct tg_sim_stream *record, struct tg_batch *batch);
/* What was taken and not completed goes home. */
void tg_sim_receive_end(struct tg_sim_stream *record);
/* Those that waited for a buffer go on, as far as there are some. */
void tg_sim_receive_go_on(struct tg_sim_port *port, struct tg_batch *batch);

/* sim_send.c */
int tg_sim_send(struct tg_port *port, struct tg_stream *stream, const struct tg_slice *slices,
                uint32_t count);
void tg_sim_send_work(struct tg_sim_stream *record, struct tg_batch *batch);

/* sim_listener.c */
int tg_sim_listen(struct tg_port *port, struct tg_listener *listener, tg_socket sock);
void tg_sim_accept(struct tg_port *port, struct tg_listener *listener, uint32_t credit);
void tg_sim_close_listener(struct tg_port *port, struct tg_listener *listener);
bool tg_sim_listener_work(struct tg_sim_listener *record, struct tg_batch *batch);

#endif
