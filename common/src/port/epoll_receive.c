/* SPDX-License-Identifier: MIT
 * The epoll backend's receiving: turns, the shared receive buffer, and the queues of those who wait
 * for one or the other. Called by the port's owner. */
#include "port/epoll.h"

#include <errno.h>
#include <sys/socket.h>

void tg_epoll_receive(struct tg_port *base, struct tg_stream *stream)
{
    TG_REQUIRE((stream->flags & TG_STREAM_OPEN) != 0);
    if ((stream->flags & (TG_STREAM_RECEIVING | TG_STREAM_ENDED)) == 0) {
        stream->flags |= TG_STREAM_RECEIVING;
        tg_epoll_queue_if_ready(tg_epoll_port_of(base), stream);
    }
}

void tg_epoll_pause(struct tg_port *base, struct tg_stream *stream)
{
    (void)base;
    TG_REQUIRE((stream->flags & TG_STREAM_OPEN) != 0);
    stream->flags &= ~(uint32_t)TG_STREAM_RECEIVING;
    tg_list_remove(&stream->link); /* both queues that it can be in are for receiving */
}

bool tg_epoll_has_buffer(const struct tg_epoll_port *port)
{
    const struct tg_recv_pool *pool = port->base.recv_pool;
    if (port->buffer != TG_INDEX_NONE &&
        (pool->buffer_bytes - port->buffer_fill >= port->buffer_rest_min ||
         pool->references[port->buffer] == 1)) {
        return true;
    }
    return tg_index_stack_count(&pool->free) > 0;
}

/* Makes sure that the current buffer has room worth a receive. False if there is none. */
static bool prepare_buffer(struct tg_epoll_port *port)
{
    struct tg_recv_pool *pool = port->base.recv_pool;
    if (port->buffer != TG_INDEX_NONE) {
        if (pool->references[port->buffer] == 1) {
            /* Nobody reads from it any more: begin anew, in memory that is still in the cache. */
            port->buffer_fill = 0;
        }
        if (pool->buffer_bytes - port->buffer_fill >= port->buffer_rest_min) {
            return true;
        }
        tg_recv_pool_release(pool, port->buffer, 1);
    }
    port->buffer = tg_recv_pool_take(pool);
    port->buffer_fill = 0;
    return port->buffer != TG_INDEX_NONE;
}

/* Completes a receive whose `size` bytes lie at the fill mark of the current buffer. */
static void complete_receive(struct tg_epoll_port *port, struct tg_stream *stream, uint32_t size,
                             struct tg_batch *batch)
{
    struct tg_recv_pool *pool = port->base.recv_pool;
    struct tg_completion *completion = tg_batch_add(batch, TG_COMPLETION_RECEIVE, (int32_t)size);
    completion->stream = stream;
    completion->buffer = port->buffer;
    completion->data = tg_recv_pool_data(pool, port->buffer) + port->buffer_fill;
    tg_recv_pool_retain(pool, port->buffer);
    port->buffer_fill += size;
    batch->bytes += size;
}

static void end_receiving(struct tg_stream *stream, int32_t result, struct tg_batch *batch)
{
    stream->flags &= ~(uint32_t)(TG_STREAM_RECEIVING | TG_STREAM_READABLE);
    stream->flags |= TG_STREAM_ENDED;
    tg_batch_add_stream(batch, TG_COMPLETION_RECEIVE, result, stream);
}

/* One receive of at most `most` bytes. */
static void receive_once(struct tg_epoll_port *port, struct tg_stream *stream, uint32_t most,
                         struct tg_batch *batch)
{
    struct tg_recv_pool *pool = port->base.recv_pool;
    uint32_t rest = pool->buffer_bytes - port->buffer_fill;
    uint32_t size = rest < most ? rest : most;
    uint8_t *target = tg_recv_pool_data(pool, port->buffer) + port->buffer_fill;
    tg_count_one(&port->base.counters.receives);
    ssize_t got = recv((int)stream->handle, target, size, 0);
    if (got > 0) {
        /* Less than there was room for: drained, and the next byte is a new edge. That spares the
         * call that would only answer EAGAIN. But an end or error makes no second edge. (A receive
         * also stops short at urgent data: a peer that sends such is heard when it sends more.) */
        if ((uint32_t)got < size && (stream->flags & TG_STREAM_HANGUP) == 0) {
            stream->flags &= ~(uint32_t)TG_STREAM_READABLE;
        }
        complete_receive(port, stream, (uint32_t)got, batch);
        return;
    }
    if (got == 0) {
        end_receiving(stream, 0, batch);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        stream->flags &= ~(uint32_t)TG_STREAM_READABLE;
    } else if (errno != EINTR) { /* EINTR: still readable, tried again */
        end_receiving(stream, tg_error_from_system(errno), batch);
    }
}

/* A stream's turn: one receive of up to turn_bytes. The batch is not full. False if no buffer was
 * free. */
static bool serve_stream(struct tg_epoll_port *port, struct tg_stream *stream,
                         struct tg_batch *batch)
{
    if (!prepare_buffer(port)) {
        return false;
    }
    receive_once(port, stream, port->base.turn_bytes, batch);
    return true;
}

static void miss_buffer(struct tg_epoll_port *port, struct tg_stream *stream)
{
    tg_count_one(&port->base.counters.buffers_missed);
    tg_list_push_back(&port->starved, &stream->link);
}

void tg_epoll_serve(struct tg_epoll_port *port, struct tg_batch *batch)
{
    /* Streams that are queued from here on have had their turn and wait for the next call. */
    struct tg_list *last = port->ready.prev;

    while (!tg_list_is_empty(&port->starved) && tg_batch_has_room(batch) &&
           tg_epoll_has_buffer(port)) {
        struct tg_stream *stream = tg_stream_of_link(tg_list_pop_front(&port->starved));
        bool served = serve_stream(port, stream, batch);
        TG_ENSURE(served); /* tg_epoll_has_buffer has said so */
        tg_epoll_queue_if_ready(port, stream);
    }

    bool all_served = last == &port->ready;
    while (!all_served && tg_batch_has_room(batch)) {
        struct tg_list *link = tg_list_pop_front(&port->ready);
        struct tg_stream *stream = tg_stream_of_link(link);
        all_served = link == last;
        /* Nobody overtakes those who already wait: if any are left, there is no buffer. */
        if (serve_stream(port, stream, batch)) {
            tg_epoll_queue_if_ready(port, stream);
        } else {
            miss_buffer(port, stream);
        }
    }
}
