/* SPDX-License-Identifier: MIT
 * Receiving in the simulated port. Small receives of one wait share a buffer, as those of the real
 * backends do. */
#include "base/yield.h"
#include "port/sim.h"
#include "sim/world.h"

static struct tg_sim_stream *use_open(struct tg_port *port, const struct tg_stream *stream)
{
    struct tg_sim_stream *record = tg_sim_record_of(tg_sim_port_of(port), stream);
    TG_SIM_RULE(!record->closing, "receiving is changed after the close");
    return record;
}

/* Whether a RECEIVE could complete. */
static bool has_news(const struct tg_sim_stream *record)
{
    return record->held_bytes > 0 || tg_net_readable(record->sock) > 0 ||
           tg_net_at_end(record->sock) || tg_net_error(record->sock) != 0;
}

void tg_sim_receive(struct tg_port *port, struct tg_stream *stream)
{
    struct tg_sim_stream *record = use_open(port, stream);
    TG_SIM_RULE(!record->connecting, "receiving before the connection is up");
    if (record->received_last) {
        return;
    }
    tg_sim_tell(record->source.port, TG_SIM_PORT_READS, stream, NULL, 0);
    record->receiving = true;
    record->stopped = false;
    record->held_back = false;
    if (has_news(record)) {
        tg_sim_mark(&record->source);
    }
}

/* ---- buffers ---- */

/* Whether the open buffer has room for a whole receive; one that nobody reads any more is filled
 * anew. */
static bool has_open_room(struct tg_sim_port *port, uint32_t size)
{
    const struct tg_recv_pool *pool = port->port.recv_pool;
    if (port->open_buffer == TG_INDEX_NONE) {
        return false;
    }
    if (pool->references[port->open_buffer] == 1) {
        port->open_used = 0;
    }
    return pool->buffer_bytes - port->open_used >= size;
}

/* Room for `size` bytes in a receive buffer, with a reference to it; NULL if there is none. */
static uint8_t *take_room(struct tg_sim_port *port, uint32_t size, uint32_t *buffer)
{
    struct tg_recv_pool *pool = port->port.recv_pool;
    if (!has_open_room(port, size)) {
        if (port->open_buffer != TG_INDEX_NONE) {
            tg_recv_pool_release(pool, port->open_buffer, 1);
        }
        port->open_buffer = tg_recv_pool_take(pool);
        port->open_used = 0;
        if (port->open_buffer == TG_INDEX_NONE) {
            return NULL;
        }
    }
    tg_recv_pool_retain(pool, port->open_buffer);
    *buffer = port->open_buffer;
    return tg_recv_pool_data(pool, port->open_buffer) + port->open_used;
}

/* A buffer of its own for input that was taken ahead. */
static void take_ahead(struct tg_sim_stream *record)
{
    struct tg_sim_port *port = record->source.port;
    uint32_t readable = tg_net_readable(record->sock);
    uint32_t left = record->turn < port->port.turn_bytes ? port->port.turn_bytes - record->turn : 0;
    if (!record->receiving || record->held_bytes > 0 || readable == 0 || left == 0 ||
        !tg_sim_strikes(TG_SIM_FAULT_run_ahead)) {
        return;
    }
    uint32_t buffer = tg_recv_pool_take(port->port.recv_pool);
    if (buffer == TG_INDEX_NONE) {
        return;
    }
    uint32_t size = readable < left ? readable : left;
    size = size < port->port.recv_pool->buffer_bytes ? size : port->port.recv_pool->buffer_bytes;
    int taken = tg_net_read(record->sock, tg_recv_pool_data(port->port.recv_pool, buffer),
                            1 + tg_sim_below(size));
    TG_REQUIRE(taken > 0);
    record->held_buffer = buffer;
    record->held_bytes = (uint32_t)taken;
    tg_sim_mark(&record->source);
}

/* It waits for a receive buffer no longer. */
static void leave_queue(struct tg_sim_stream *record)
{
    tg_list_remove(&record->waiting);
    record->stream->held = 0;
}

void tg_sim_stop(struct tg_port *port, struct tg_stream *stream)
{
    struct tg_sim_stream *record = use_open(port, stream);
    if (!record->stopped) {
        tg_sim_tell(record->source.port, TG_SIM_PORT_STOPS, stream, NULL, 0);
        take_ahead(record);
        record->stopped = true;
        leave_queue(record);
    }
}

void tg_sim_pause(struct tg_port *port, struct tg_stream *stream)
{
    tg_sim_stop(port, stream);
    tg_sim_record_of(tg_sim_port_of(port), stream)->held_back = true;
}

void tg_sim_receive_end(struct tg_sim_stream *record)
{
    if (record->held_bytes > 0) {
        tg_recv_pool_release(record->source.port->port.recv_pool, record->held_buffer, 1);
        record->held_bytes = 0;
    }
    leave_queue(record);
}

/* ---- completing ---- */

static void complete(struct tg_sim_stream *record, struct tg_batch *batch, int32_t result,
                     const uint8_t *data, uint32_t buffer)
{
    record->received_in = record->source.port->wait_number;
    tg_sim_complete(record->source.port, batch, TG_COMPLETION_RECEIVE, result, record);
    struct tg_completion *completion = &batch->completions[batch->count - 1];
    completion->data = data;
    completion->buffer = buffer;
    tg_sim_tell(record->source.port, TG_SIM_PORT_RECEIVED, record->stream, data, result);
    if (result <= 0) {
        record->receiving = false;
        record->received_last = true;
        record->failed |= result < 0;
    }
}

static void complete_held(struct tg_sim_stream *record, struct tg_batch *batch)
{
    uint32_t bytes = record->held_bytes;
    record->held_bytes = 0;
    record->turn += bytes;
    complete(record, batch, (int32_t)bytes,
             tg_recv_pool_data(record->source.port->port.recv_pool, record->held_buffer),
             record->held_buffer);
}

/* How much the next receive would take. */
static uint32_t receive_size(const struct tg_sim_stream *record)
{
    const struct tg_sim_port *port = record->source.port;
    uint32_t size = tg_net_readable(record->sock);
    size = size < port->port.turn_bytes ? size : port->port.turn_bytes;
    uint32_t buffer_bytes = port->port.recv_pool->buffer_bytes;
    return size < buffer_bytes ? size : buffer_bytes;
}

static bool receive_bytes(struct tg_sim_stream *record, struct tg_batch *batch)
{
    struct tg_sim_port *port = record->source.port;
    uint32_t size = receive_size(record);
    uint32_t buffer;
    uint8_t *data = take_room(port, size, &buffer);
    if (data == NULL) {
        tg_count_one(&port->port.counters.buffers_missed);
        tg_list_push_back(&port->waiting, &record->waiting);
        record->stream->held = 1; /* tg_stream_is_queued */
        return false;
    }
    if (size > 1 && tg_sim_strikes(TG_SIM_FAULT_partial_receive)) {
        size = tg_sim_strikes(TG_SIM_FAULT_tiny) ? 1 : 1 + tg_sim_below(size);
    }
    tg_count_one(&port->port.counters.receives);
    int taken = tg_net_read(record->sock, data, size);
    TG_REQUIRE(taken > 0);
    port->open_used += (uint32_t)taken;
    record->turn = (uint32_t)taken;
    complete(record, batch, taken, data, buffer);
    return has_news(record);
}

bool tg_sim_receive_work(struct tg_sim_stream *record, struct tg_batch *batch)
{
    static const int errors[] = {THRONG_ECONNRESET, THRONG_ETIMEDOUT, THRONG_EUNREACHABLE,
                                 THRONG_ENOBUFS};
    if (record->received_in == record->source.port->wait_number) {
        return true; /* one RECEIVE in each wait */
    }
    if (record->held_bytes > 0 && !record->held_back) {
        complete_held(record, batch);
        return !record->stopped && has_news(record);
    }
    if (!record->receiving || record->stopped || tg_list_is_linked(&record->waiting)) {
        return false;
    }
    if (tg_net_error(record->sock) == 0 && tg_sim_strikes(TG_SIM_FAULT_receive_error)) {
        tg_net_break(record->sock, errors[tg_sim_below(4)]);
    }
    if (tg_net_readable(record->sock) > 0) {
        return receive_bytes(record, batch);
    }
    if (tg_net_at_end(record->sock)) {
        complete(record, batch, 0, NULL, 0);
    } else if (tg_net_error(record->sock) != 0) {
        complete(record, batch, tg_net_error(record->sock), NULL, 0);
    }
    return false;
}

/* Whether the first of those who wait for a buffer can have one. */
static bool can_go_on(struct tg_sim_port *port)
{
    if (tg_list_is_empty(&port->waiting)) {
        return false;
    }
    const struct tg_sim_stream *first =
        TG_CONTAINER_OF(port->waiting.next, struct tg_sim_stream, waiting);
    return tg_index_stack_count(&port->port.recv_pool->free) > 0 ||
           has_open_room(port, receive_size(first));
}

void tg_sim_receive_go_on(struct tg_sim_port *port, struct tg_batch *batch)
{
    while (!tg_batch_is_full(batch) && can_go_on(port)) {
        struct tg_sim_stream *record =
            TG_CONTAINER_OF(port->waiting.next, struct tg_sim_stream, waiting);
        leave_queue(record);
        if (tg_sim_receive_work(record, batch)) {
            tg_sim_mark(&record->source);
        }
    }
}
