/* SPDX-License-Identifier: MIT
 * The io_uring backend's receiving: one multishot receive per stream, input that came sooner than
 * it was wanted, and streams for which there was no buffer. Called by the port's owner. */
#include "port/uring.h"

#include <errno.h>

/* --- records of held input ----------------------------------------------------------------- */

#define NONE TG_INDEX_NONE

size_t tg_uring_held_bytes(void)
{
    return TG_URING_HELD_MAX * sizeof(struct tg_uring_held);
}

void tg_uring_held_open(struct tg_uring_port *port, void *memory)
{
    port->held = memory;
    for (uint32_t i = 0; i < TG_URING_HELD_MAX; i++) {
        port->held[i].next = i + 1 < TG_URING_HELD_MAX ? i + 1 : NONE;
    }
    port->held_free = 0;
}

/* tg_stream.held is zero in a record that the caller has zeroed: it counts from one. */
static bool has_held(const struct tg_stream *stream)
{
    return stream->held != 0;
}

static void push_held(struct tg_uring_port *port, struct tg_stream *stream,
                      const struct tg_uring_held *input)
{
    uint32_t index = port->held_free;
    TG_REQUIRE(index != NONE);
    struct tg_uring_held *record = &port->held[index];
    port->held_free = record->next;
    *record = *input;
    if (has_held(stream)) {
        struct tg_uring_held *last = &port->held[stream->held - 1];
        record->next = last->next;
        last->next = index;
    } else {
        record->next = index;
    }
    stream->held = index + 1;
}

static struct tg_uring_held pop_held(struct tg_uring_port *port, struct tg_stream *stream)
{
    struct tg_uring_held *last = &port->held[stream->held - 1];
    uint32_t index = last->next;
    struct tg_uring_held *first = &port->held[index];
    struct tg_uring_held input = *first;
    if (first == last) {
        stream->held = 0;
    } else {
        last->next = first->next;
    }
    first->next = port->held_free;
    port->held_free = index;
    return input;
}

void tg_uring_drop_held(struct tg_uring_port *port, struct tg_stream *stream)
{
    while (has_held(stream)) {
        struct tg_uring_held input = pop_held(port, stream);
        if (input.result > 0) {
            tg_recv_pool_release(port->base.recv_pool, input.buffer, 1);
        }
    }
}

/* --- arming -------------------------------------------------------------------------------- */

/* Those that were fed and found the buffers gone stay ahead of all who came after them. */
static void starve(struct tg_uring_port *port, struct tg_stream *stream)
{
    bool fed = (stream->flags & TG_STREAM_FED) != 0;
    tg_list_remove(&stream->link);
    tg_list_push_back(fed ? &port->starved_again : &port->starved, &stream->link);
}

static void arm(struct tg_uring_port *port, struct tg_stream *stream)
{
    struct tg_sqe *sqe = NULL;
    if (tg_uring_buffers_any(port)) {
        sqe = tg_uring_stream_sqe(port, TG_OP_RECV, stream, TG_TAG_RECEIVE);
    }
    if (sqe == NULL) {
        starve(port, stream);
        return;
    }
    sqe->flags |= TG_SQE_BUFFER_SELECT;
    if (tg_uring_has(port, TG_URING_INCREMENTAL)) {
        sqe->ioprio = TG_RECV_MULTISHOT;
        sqe->len = port->base.turn_bytes;
        sqe->file_index = port->base.turn_bytes;
    } else if (port->base.turn_bytes < port->piece_bytes) {
        sqe->len = port->base.turn_bytes; /* else as much as the piece holds */
    }
    stream->flags |= TG_STREAM_ARMED;
}

static bool is_arm_due(const struct tg_stream *stream)
{
    const uint32_t state = TG_STREAM_TAKING | TG_STREAM_ARMED | TG_STREAM_END_TAKEN;
    return (stream->flags & state) == TG_STREAM_TAKING && !has_held(stream) &&
           !tg_list_is_linked(&stream->link);
}

static void arm_later(struct tg_uring_port *port, struct tg_stream *stream)
{
    if (is_arm_due(stream)) {
        tg_list_push_back(&port->unarmed, &stream->link);
    }
}

static void disarm(struct tg_uring_port *port, struct tg_stream *stream)
{
    const uint32_t state = TG_STREAM_ARMED | TG_STREAM_CANCELING;
    if ((stream->flags & state) == TG_STREAM_ARMED &&
        tg_uring_cancel(port, tg_uring_tag(stream, TG_TAG_RECEIVE))) {
        stream->flags |= TG_STREAM_CANCELING;
    }
}

void tg_uring_receive(struct tg_port *base, struct tg_stream *stream)
{
    struct tg_uring_port *port = tg_uring_port_of(base);
    TG_REQUIRE((stream->flags & TG_STREAM_OPEN) != 0);
    stream->flags |= TG_STREAM_WANTED | TG_STREAM_TAKING;
    if (has_held(stream)) {
        if (!tg_list_is_linked(&stream->link)) {
            tg_list_push_back(&port->ready, &stream->link);
        }
    } else if (is_arm_due(stream)) {
        arm(port, stream);
    }
}

void tg_uring_stop(struct tg_port *base, struct tg_stream *stream)
{
    TG_REQUIRE((stream->flags & TG_STREAM_OPEN) != 0);
    stream->flags &= ~(uint32_t)TG_STREAM_TAKING;
    if (!has_held(stream)) {
        tg_list_remove(&stream->link); /* it was starved, or to be armed */
    }
    disarm(tg_uring_port_of(base), stream);
}

void tg_uring_pause(struct tg_port *base, struct tg_stream *stream)
{
    tg_uring_stop(base, stream);
    stream->flags &= ~(uint32_t)TG_STREAM_WANTED;
    tg_list_remove(&stream->link);
}

/* --- completing ---------------------------------------------------------------------------- */

static void complete_input(struct tg_uring_port *port, struct tg_stream *stream,
                           const struct tg_uring_held *input, struct tg_batch *batch)
{
    stream->flags = (stream->flags & UINT16_MAX & ~(uint32_t)TG_STREAM_FED) |
                    (uint32_t)port->turn << TG_STREAM_TURN_SHIFT;
    struct tg_completion *completion = tg_batch_add(batch, TG_COMPLETION_RECEIVE, input->result);
    completion->stream = stream;
    if (input->result > 0) {
        completion->buffer = input->buffer;
        completion->data = tg_recv_pool_data(port->base.recv_pool, input->buffer) + input->offset;
        batch->bytes += (uint32_t)input->result;
    } else {
        stream->flags &= ~(uint32_t)(TG_STREAM_WANTED | TG_STREAM_TAKING);
    }
}

/* Whether input may go to the caller right away. The number of the wait comes round after 65,536
 * waits: a stream that was silent for exactly that long has its input one wait later. */
static bool may_complete(const struct tg_uring_port *port, const struct tg_stream *stream)
{
    return (stream->flags & TG_STREAM_WANTED) != 0 && !has_held(stream) &&
           stream->flags >> TG_STREAM_TURN_SHIFT != port->turn;
}

static void complete_or_hold(struct tg_uring_port *port, struct tg_stream *stream,
                             const struct tg_uring_held *input, struct tg_batch *batch)
{
    if (may_complete(port, stream)) {
        complete_input(port, stream, input, batch);
        return;
    }
    push_held(port, stream, input);
    if ((stream->flags & TG_STREAM_WANTED) != 0 && !tg_list_is_linked(&stream->link)) {
        tg_list_push_back(&port->ready, &stream->link);
    }
}

static void note_mean(struct tg_uring_port *port, int32_t bytes)
{
    int32_t mean = (int32_t)port->receive_bytes_mean;
    port->receive_bytes_mean = (uint32_t)(mean + (bytes - mean) / 16);
}

/* A completion without input: whether it is the stream's end. */
static bool is_end(int32_t result)
{
    switch (result) {
    case -ENOBUFS:   /* no buffer was lent: armed again when there is one */
    case -ECANCELED: /* ours, see disarm */
    case -EAGAIN:
    case -EINTR:
        return false;
    default:
        return result <= 0;
    }
}

/* The receive is over, for whatever reason. */
static void on_request_over(struct tg_uring_port *port, struct tg_stream *stream, int32_t result)
{
    stream->flags &= ~(uint32_t)(TG_STREAM_ARMED | TG_STREAM_CANCELING);
    if (result == -ENOBUFS) {
        tg_count_one(&port->base.counters.buffers_missed);
        if ((stream->flags & TG_STREAM_TAKING) != 0 && !has_held(stream)) {
            starve(port, stream);
        }
    }
    arm_later(port, stream);
}

bool tg_uring_on_receive(struct tg_uring_port *port, struct tg_stream *stream,
                         const struct tg_cqe *cqe, struct tg_batch *batch)
{
    bool closing = (stream->flags & TG_STREAM_CLOSING) != 0;
    bool is_input = cqe->res > 0 || is_end(cqe->res);
    if (is_input && !closing && port->held_free == NONE && !may_complete(port, stream)) {
        return false;
    }
    struct tg_uring_held input = {.result = cqe->res};
    if ((cqe->flags & TG_CQE_BUFFER) != 0) {
        struct tg_uring_piece piece = tg_uring_buffers_take(port, cqe);
        input.buffer = piece.buffer;
        input.offset = piece.offset;
    }
    if (cqe->res > 0) {
        tg_count_one(&port->base.counters.receives);
        note_mean(port, cqe->res);
    }
    bool over = (cqe->flags & TG_CQE_MORE) == 0;
    if (closing) {
        if (cqe->res > 0) {
            tg_recv_pool_release(port->base.recv_pool, input.buffer, 1);
        }
        if (over) {
            stream->flags &= ~(uint32_t)(TG_STREAM_ARMED | TG_STREAM_CANCELING);
            tg_uring_advance_close(port, stream);
        }
        return true;
    }
    if (is_input) {
        if (cqe->res <= 0) {
            input.result = cqe->res == 0 ? 0 : tg_error_from_system(-cqe->res);
            stream->flags |= TG_STREAM_END_TAKEN;
        }
        complete_or_hold(port, stream, &input, batch);
    }
    if (over) {
        on_request_over(port, stream, cqe->res);
    }
    return true;
}

void tg_uring_serve_ready(struct tg_uring_port *port, struct tg_batch *batch)
{
    /* Streams that are queued from here on have had their turn and wait for the next call. */
    struct tg_list *last = port->ready.prev;
    bool all_served = last == &port->ready;
    while (!all_served && !tg_batch_is_full(batch)) {
        struct tg_list *link = tg_list_pop_front(&port->ready);
        TG_REQUIRE(link != NULL); /* `last` is still to come */
        struct tg_stream *stream = tg_stream_of_link(link);
        all_served = link == last;
        struct tg_uring_held input = pop_held(port, stream);
        complete_input(port, stream, &input, batch);
        if (has_held(stream)) {
            tg_list_push_back(&port->ready, &stream->link);
        } else {
            arm_later(port, stream);
        }
    }
}

void tg_uring_arm_again(struct tg_uring_port *port)
{
    struct tg_list *link;
    while ((link = tg_list_pop_front(&port->unarmed)) != NULL) {
        arm(port, tg_stream_of_link(link)); /* or it starves: it does not come back here */
    }
}

static struct tg_stream *pop_starved(struct tg_uring_port *port)
{
    struct tg_list *link = tg_list_pop_front(&port->starved_again);
    if (link == NULL) {
        link = tg_list_pop_front(&port->starved);
    }
    return link == NULL ? NULL : tg_stream_of_link(link);
}

void tg_uring_feed_starved(struct tg_uring_port *port)
{
    if (port->lent == 0 || !tg_uring_any_starved(port)) {
        return;
    }
    /* As many as the buffers will serve: everybody at once would mostly hear ENOBUFS again. */
    uint64_t bytes = (uint64_t)port->lent * port->piece_bytes;
    uint32_t each = tg_uring_has(port, TG_URING_INCREMENTAL) ? port->receive_bytes_mean + 1
                                                             : port->piece_bytes;
    uint64_t credit = bytes / each;
    struct tg_stream *stream;
    do {
        stream = pop_starved(port);
        if (stream != NULL) {
            stream->flags |= TG_STREAM_FED;
            arm(port, stream);
        }
    } while (stream != NULL && credit-- > 1);
}
