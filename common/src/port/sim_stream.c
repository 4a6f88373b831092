/* SPDX-License-Identifier: MIT
 * A stream's life in the simulated port: how it comes in, its address, its end. */
#include "base/yield.h"
#include "port/sim.h"
#include "sim/world.h"

struct tg_sim_stream *tg_sim_record_of(struct tg_sim_port *port, const struct tg_stream *stream)
{
    TG_SIM_RULE(stream->flags < port->streams_count &&
                    port->streams[stream->flags].stream == stream &&
                    stream->handle == (tg_handle)port->streams[stream->flags].sock,
                "a stream is used that is not in this port");
    return &port->streams[stream->flags];
}

static struct tg_sim_stream *use_open(struct tg_port *port, const struct tg_stream *stream)
{
    struct tg_sim_stream *record = tg_sim_record_of(tg_sim_port_of(port), stream);
    TG_SIM_RULE(!record->closing, "a stream is used after its close");
    return record;
}

/* A record for a socket; NULL if there are streams_max already. */
static struct tg_sim_stream *make_record(struct tg_sim_port *port, struct tg_stream *stream,
                                         uint32_t sock)
{
    TG_SIM_RULE(stream->link.next == NULL && stream->flags == 0 && stream->held == 0,
                "a stream's record was not zeroed");
    for (uint32_t i = 0; i < port->streams_count; i++) {
        struct tg_sim_stream *record = &port->streams[i];
        if (record->stream == NULL) {
            *record = (struct tg_sim_stream){.stream = stream, .sock = sock};
            tg_sim_init_source(&record->source, port, false);
            tg_list_init(&record->waiting);
            tg_list_init(&stream->link); /* never in a queue of ours, see tg_sim_stream.waiting */
            stream->handle = (tg_handle)sock;
            stream->flags = i;
            tg_net_watch(sock, &record->source.watcher);
            return record;
        }
    }
    return NULL;
}

int tg_sim_adopt(struct tg_port *port, struct tg_stream *stream, tg_handle accepted)
{
    struct tg_sim_port *self = tg_sim_port_of(port);
    TG_SIM_RULE(self->accepted_out > 0, "a handle is adopted that was not accepted");
    self->accepted_out--;
    if (tg_sim_strikes(TG_SIM_FAULT_adopt_error) ||
        make_record(self, stream, (uint32_t)accepted) == NULL) {
        tg_net_close_socket((uint32_t)accepted, true);
        return THRONG_ENOMEM;
    }
    tg_sim_tell(self, TG_SIM_PORT_ADOPTS, stream, NULL, 0);
    return 0;
}

void tg_sim_refuse(struct tg_port *port, tg_handle accepted)
{
    struct tg_sim_port *self = tg_sim_port_of(port);
    TG_SIM_RULE(self->accepted_out > 0, "a handle is refused that was not accepted");
    self->accepted_out--;
    tg_net_close_socket((uint32_t)accepted, true);
}

int tg_sim_connect(struct tg_port *port, struct tg_stream *stream,
                   const struct throng_address *peer, const struct throng_address *source)
{
    int sock = tg_net_socket();
    if (sock < 0) {
        return sock;
    }
    int error = source == NULL ? 0 : tg_net_bind((uint32_t)sock, source);
    struct tg_sim_stream *record =
        error < 0 ? NULL : make_record(tg_sim_port_of(port), stream, (uint32_t)sock);
    if (record == NULL) {
        tg_net_close_socket((uint32_t)sock, true);
        return error < 0 ? error : THRONG_EMFILE;
    }
    record->connecting = true;
    (void)tg_net_connect((uint32_t)sock, peer);
    return TG_PORT_PENDING;
}

int tg_sim_addresses(struct tg_port *port, struct tg_stream *stream, struct throng_address *peer,
                     struct throng_address *local)
{
    const struct tg_sim_stream *record = use_open(port, stream);
    struct throng_address ignored;
    int error = tg_net_peer_address(record->sock, peer == NULL ? &ignored : peer);
    if (error == 0 && local != NULL) {
        error = tg_net_local_address(record->sock, local);
    }
    return error;
}

void tg_sim_shutdown(struct tg_port *port, struct tg_stream *stream)
{
    const struct tg_sim_stream *record = use_open(port, stream);
    TG_SIM_RULE(!record->sending, "a direction is ended while a send is in flight");
    tg_net_shutdown(record->sock);
}

void tg_sim_close_stream(struct tg_port *port, struct tg_stream *stream, enum tg_close_mode mode)
{
    struct tg_sim_stream *record = use_open(port, stream);
    tg_sim_tell(record->source.port, TG_SIM_PORT_CLOSES, stream, NULL, mode == TG_CLOSE_ABORT);
    record->closing = true;
    record->close_mode = mode;
    tg_sim_receive_end(record);
    tg_sim_mark(&record->source);
}

/* ---- completing ---- */

static void work_on_connect(struct tg_sim_stream *record, struct tg_batch *batch)
{
    int connected = tg_net_is_connected(record->sock);
    if (record->closing && (connected != 1 || !tg_sim_strikes(TG_SIM_FAULT_success_after_cancel))) {
        connected = THRONG_ECANCELED;
    }
    if (connected == 0) {
        return;
    }
    record->connecting = false;
    record->failed = connected < 0;
    tg_sim_complete(record->source.port, batch, TG_COMPLETION_CONNECT,
                    connected < 0 ? connected : 0, record);
}

/* The last: the record is the caller's again, and the socket's number anybody's. */
static void complete_close(struct tg_sim_stream *record, struct tg_batch *batch)
{
    struct tg_sim_port *port = record->source.port;
    tg_sim_complete(port, batch, TG_COMPLETION_CLOSE, 0, record);
    tg_net_close_socket(record->sock, record->close_mode == TG_CLOSE_ABORT);
    tg_sim_forget(&record->source);
    record->stream = NULL;
}

bool tg_sim_stream_work(struct tg_sim_stream *record, struct tg_batch *batch)
{
    bool more = false;
    if (record->connecting) {
        work_on_connect(record, batch);
        return record->closing && !record->connecting;
    }
    bool send_first = tg_sim_below(2) == 0;
    if (send_first) {
        tg_sim_send_work(record, batch);
    }
    if (tg_batch_is_full(batch)) {
        return true;
    }
    if (!record->closing) {
        more = tg_sim_receive_work(record, batch);
    }
    if (tg_batch_is_full(batch)) {
        return true;
    }
    if (!send_first) {
        tg_sim_send_work(record, batch);
    }
    if (!record->closing) {
        return more || (record->sending && tg_net_writable(record->sock) > 0);
    }
    if (tg_batch_is_full(batch)) {
        return true;
    }
    complete_close(record, batch);
    return false;
}
