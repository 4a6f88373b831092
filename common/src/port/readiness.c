/* SPDX-License-Identifier: MIT
 * See readiness.h. */
#include "port/readiness.h"

/* A sixteenth of a buffer, so that at most that share is wasted, but at least 1 KiB, so that a
 * receive is worth its system call. */
static uint32_t rest_min_for(uint32_t buffer_bytes)
{
    uint32_t rest = buffer_bytes / 16 < 1024 ? 1024 : buffer_bytes / 16;
    return rest < buffer_bytes ? rest : buffer_bytes;
}

void tg_readiness_init(struct tg_readiness *readiness, const struct tg_port_options *options,
                       bool collects_drained)
{
    readiness->pool = options->recv_pool;
    readiness->turn_bytes = options->turn_bytes;
    readiness->buffer = TG_INDEX_NONE;
    readiness->buffer_rest_min = rest_min_for(options->recv_pool->buffer_bytes);
    readiness->collects_drained = collects_drained;
    tg_list_init(&readiness->ready);
    tg_list_init(&readiness->starved);
    tg_list_init(&readiness->drained);
}

void tg_readiness_end(struct tg_readiness *readiness)
{
    if (readiness->buffer != TG_INDEX_NONE) {
        tg_recv_pool_release(readiness->pool, readiness->buffer, 1);
    }
}

bool tg_readiness_begin(struct tg_readiness *readiness, struct tg_stream *stream)
{
    TG_REQUIRE((stream->flags & TG_STREAM_OPEN) != 0);
    if ((stream->flags & (TG_STREAM_RECEIVING | TG_STREAM_ENDED)) != 0) {
        return false;
    }
    stream->flags |= TG_STREAM_RECEIVING;
    tg_readiness_queue(readiness, stream);
    return true;
}

void tg_readiness_pause(struct tg_stream *stream)
{
    TG_REQUIRE((stream->flags & TG_STREAM_OPEN) != 0);
    stream->flags &= ~(uint32_t)TG_STREAM_RECEIVING;
    tg_list_remove(&stream->link); /* both queues that it can be in are for receiving */
}

static bool has_buffer(const struct tg_readiness *readiness)
{
    const struct tg_recv_pool *pool = readiness->pool;
    if (readiness->buffer != TG_INDEX_NONE &&
        (pool->buffer_bytes - readiness->buffer_fill >= readiness->buffer_rest_min ||
         pool->references[readiness->buffer] == 1)) {
        return true;
    }
    return tg_index_stack_count(&pool->free) > 0;
}

bool tg_readiness_has_work(const struct tg_readiness *readiness)
{
    return !tg_list_is_empty(&readiness->ready) ||
           (!tg_list_is_empty(&readiness->starved) && has_buffer(readiness));
}

/* Makes sure that the current buffer has room worth a receive. False if there is none. */
static bool prepare_buffer(struct tg_readiness *readiness)
{
    struct tg_recv_pool *pool = readiness->pool;
    if (readiness->buffer != TG_INDEX_NONE) {
        if (pool->references[readiness->buffer] == 1) {
            /* Nobody reads from it any more: begin anew, in memory that is still in the cache. */
            readiness->buffer_fill = 0;
        }
        if (pool->buffer_bytes - readiness->buffer_fill >= readiness->buffer_rest_min) {
            return true;
        }
        tg_recv_pool_release(pool, readiness->buffer, 1);
    }
    readiness->buffer = tg_recv_pool_take(pool);
    readiness->buffer_fill = 0;
    return readiness->buffer != TG_INDEX_NONE;
}

/* Completes a receive whose `size` bytes lie at the fill mark of the current buffer. */
static void complete_receive(struct tg_readiness *readiness, struct tg_stream *stream,
                             uint32_t size, struct tg_batch *batch)
{
    struct tg_recv_pool *pool = readiness->pool;
    struct tg_completion *completion = tg_batch_add(batch, TG_COMPLETION_RECEIVE, (int32_t)size);
    completion->stream = stream;
    completion->buffer = readiness->buffer;
    completion->data = tg_recv_pool_data(pool, readiness->buffer) + readiness->buffer_fill;
    tg_recv_pool_retain(pool, readiness->buffer);
    readiness->buffer_fill += size;
    batch->bytes += size;
}

static void end_receiving(struct tg_stream *stream, int32_t result, struct tg_batch *batch)
{
    stream->flags &= ~(uint32_t)(TG_STREAM_RECEIVING | TG_STREAM_READABLE);
    stream->flags |= TG_STREAM_ENDED | (result < 0 ? (uint32_t)TG_STREAM_HANGUP : 0u);
    tg_batch_add_stream(batch, TG_COMPLETION_RECEIVE, result, stream);
}

/* One receive of at most turn_bytes. */
static void receive_once(struct tg_readiness *readiness, struct tg_stream *stream,
                         struct tg_batch *batch)
{
    struct tg_recv_pool *pool = readiness->pool;
    uint32_t rest = pool->buffer_bytes - readiness->buffer_fill;
    uint32_t size = rest < readiness->turn_bytes ? rest : readiness->turn_bytes;
    uint8_t *target = tg_recv_pool_data(pool, readiness->buffer) + readiness->buffer_fill;
    int got = tg_socket_receive(stream->handle, target, size);
    if (got > 0) {
        /* Less than there was room for: drained, and the system tells of the next byte. That spares
         * the call that would only answer EAGAIN. But it tells of an end or error only once. (A
         * receive also stops short at urgent data: a peer that sends such is heard when it sends
         * more.) */
        if ((uint32_t)got < size && (stream->flags & TG_STREAM_HANGUP) == 0) {
            stream->flags &= ~(uint32_t)TG_STREAM_READABLE;
        }
        complete_receive(readiness, stream, (uint32_t)got, batch);
    } else if (got == THRONG_EEOF || (got == THRONG_EAGAIN && stream->held != 0)) {
        end_receiving(stream, -(int32_t)stream->held, batch); /* after an error it is dead */
    } else if (got == THRONG_EAGAIN) {
        stream->flags &= ~(uint32_t)TG_STREAM_READABLE;
    } else {
        end_receiving(stream, got, batch);
    }
}

/* A stream's turn: one receive of up to turn_bytes. The batch is not full. False if no buffer was
 * free. */
static bool serve_stream(struct tg_readiness *readiness, struct tg_stream *stream,
                         struct tg_port_counters *counters, struct tg_batch *batch)
{
    if (!prepare_buffer(readiness)) {
        return false;
    }
    tg_count_one(&counters->receives);
    receive_once(readiness, stream, batch);
    const uint32_t both = TG_STREAM_READABLE | TG_STREAM_RECEIVING;
    if (readiness->collects_drained && (stream->flags & both) == TG_STREAM_RECEIVING) {
        tg_list_push_back(&readiness->drained, &stream->link);
    } else {
        tg_readiness_queue(readiness, stream);
    }
    return true;
}

static bool has_room(const struct tg_batch *batch)
{
    return batch->count < batch->capacity && batch->bytes < TG_READINESS_WAIT_BYTES;
}

void tg_readiness_serve(struct tg_readiness *readiness, struct tg_port_counters *counters,
                        struct tg_batch *batch)
{
    /* Streams that are queued from here on have had their turn and wait for the next call. */
    struct tg_list *last = readiness->ready.prev;

    while (!tg_list_is_empty(&readiness->starved) && has_room(batch) && has_buffer(readiness)) {
        struct tg_stream *stream = tg_stream_of_link(tg_list_pop_front(&readiness->starved));
        bool served = serve_stream(readiness, stream, counters, batch);
        TG_ENSURE(served); /* has_buffer has said so */
    }

    bool all_served = last == &readiness->ready;
    while (!all_served && has_room(batch)) {
        struct tg_list *link = tg_list_pop_front(&readiness->ready);
        all_served = link == last;
        /* Nobody overtakes those who already wait: if any are left, there is no buffer. */
        if (!serve_stream(readiness, tg_stream_of_link(link), counters, batch)) {
            tg_count_one(&counters->buffers_missed);
            tg_list_push_back(&readiness->starved, link);
        }
    }
}
