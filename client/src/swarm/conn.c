/* SPDX-License-Identifier: MIT
 * A connection of the swarm, from connect to on_closed. Its own thread.
 *
 * A handler may close, write to or reconnect any connection of its thread at any time; so after each
 * call of a handler the state is looked at anew. */
#include "base/assert.h"
#include "os/clock.h"
#include "swarm/state.h"

static const struct throng_swarm_handler *handler_of(const struct throng_swarm_thread *thread)
{
    return &thread->swarm->plan.options.handler;
}

static void count_connected(struct throng_swarm_thread *thread, int change)
{
    uint32_t now = atomic_load_explicit(&thread->connected, memory_order_relaxed);
    atomic_store_explicit(&thread->connected, now + (uint32_t)change, memory_order_relaxed);
}

static void start_timer(struct throng_swarm_thread *thread, struct swarm_conn *conn, uint32_t ms)
{
    tg_timer_start(&thread->wheel, &conn->timer, thread->now_ns / 1000000u + ms);
}

static void report_closed(struct throng_swarm_thread *thread, struct swarm_conn *conn, int error)
{
    conn->state = SWARM_DOWN;
    if (!thread->stopping) {
        const struct throng_swarm_handler *handler = handler_of(thread);
        handler->on_closed(handler->context, thread, tg_swarm_conn_index(thread, conn), error);
    }
}

/* ---- reading, or not ---- */

/* Others come first. What the port has taken already comes nevertheless, also if it was held back
 * until now: it must not stay in a receive buffer meanwhile. */
static void stop_reading(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    if (conn->held_back) {
        conn->held_back = false;
        tg_port_receive(thread->port, &conn->stream);
    } else if (conn->paused) {
        return;
    }
    conn->paused = true;
    tg_port_stop(thread->port, &conn->stream);
}

/* There is input for which there is no memory: no more of it, at once. */
static void hold_back(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    conn->paused = true;
    conn->held_back = true;
    tg_port_pause(thread->port, &conn->stream);
}

/* Reads on, unless others come first. */
static void read_on(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    if (!tg_intake_read(&thread->intake, &conn->reader)) {
        stop_reading(thread, conn);
    } else if (conn->paused) {
        conn->paused = false;
        conn->held_back = false;
        tg_port_receive(thread->port, &conn->stream);
    }
}

/* ---- connecting ---- */

void tg_swarm_conn_connect(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    const struct swarm_plan *plan = &thread->swarm->plan;
    uint32_t index = tg_swarm_conn_index(thread, conn);
    const struct throng_address *target = &plan->targets[index % plan->target_count];
    struct throng_address source;
    if (plan->has_source) {
        source = tg_swarm_plan_source(plan, index);
    }
    conn->stream = (struct tg_stream){.handle = TG_HANDLE_NONE};
    conn->state = SWARM_CONNECTING;
    conn->error = 0;
    conn->peer_ended = false;
    conn->paused = true; /* until it is connected */
    conn->held_back = false;
    conn->connect_ns = tg_clock_ns(); /* the turn's time may be hundreds of connects old */
    int error =
        tg_port_connect(thread->port, &conn->stream, target, plan->has_source ? &source : NULL);
    if (error < 0) {
        report_closed(thread, conn, error);
        return;
    }
    thread->connecting++;
    thread->streams_open++;
    start_timer(thread, conn, plan->options.connect_timeout_ms);
}

static void on_connect(struct throng_swarm_thread *thread, struct swarm_conn *conn, int error)
{
    thread->connecting--;
    tg_timer_stop(&thread->wheel, &conn->timer);
    if (conn->state != SWARM_CONNECTING) {
        return; /* closed meanwhile */
    }
    if (error < 0) {
        tg_swarm_conn_close(thread, conn, error, TG_CLOSE_NORMAL);
        return;
    }
    conn->state = SWARM_UP;
    conn->connect_ns = tg_clock_ns() - conn->connect_ns;
    count_connected(thread, 1);
    read_on(thread, conn);
    const struct throng_swarm_handler *handler = handler_of(thread);
    handler->on_open(handler->context, thread, tg_swarm_conn_index(thread, conn));
}

/* ---- closing ---- */

void tg_swarm_conn_close(struct throng_swarm_thread *thread, struct swarm_conn *conn, int error,
                         enum tg_close_mode mode)
{
    TG_REQUIRE(conn->state >= SWARM_CONNECTING && conn->state <= SWARM_LINGER);
    if (conn->state != SWARM_CONNECTING) {
        count_connected(thread, -1);
    }
    conn->state = SWARM_CLOSING;
    conn->error = (int16_t)error;
    tg_timer_stop(&thread->wheel, &conn->timer);
    tg_list_remove(&conn->link);
    tg_intake_leave(&thread->intake, &conn->reader);
    tg_port_close(thread->port, &conn->stream, mode);
}

/* The next step of a graceful disconnect, once everything is sent. */
static void settle(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    if (conn->state != SWARM_FLUSHING || !tg_chain_is_empty(&conn->queue) || conn->sending) {
        return;
    }
    if (conn->peer_ended) {
        tg_swarm_conn_close(thread, conn, THRONG_ECANCELED, TG_CLOSE_NORMAL);
    } else {
        conn->state = SWARM_LINGER;
        tg_port_shutdown(thread->port, &conn->stream);
    }
}

void tg_swarm_conn_disconnect(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    TG_REQUIRE(conn->state == SWARM_UP);
    conn->state = SWARM_FLUSHING;
    tg_intake_leave(&thread->intake, &conn->reader);
    tg_port_receive(thread->port, &conn->stream); /* to see the peer's end */
    start_timer(thread, conn, SWARM_LINGER_MS);
    tg_swarm_conn_send(thread, conn);
}

void tg_swarm_conn_cancel(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    TG_REQUIRE(conn->state == SWARM_DUE);
    conn->state = SWARM_CLOSING;
    tg_list_remove(&conn->link);
    tg_list_push_back(&thread->canceled, &conn->link);
}

void tg_swarm_conn_report_canceled(struct throng_swarm_thread *thread)
{
    /* A handler may connect and disconnect the same one again: that is the next turn's. */
    struct tg_list canceled;
    struct tg_list *node;
    tg_list_take_all(&canceled, &thread->canceled);
    while ((node = tg_list_pop_front(&canceled)) != NULL) {
        report_closed(thread, TG_CONTAINER_OF(node, struct swarm_conn, link), THRONG_ECANCELED);
    }
}

void tg_swarm_conn_time_out(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    /* Waiting in vain for the peer's end takes nothing from what the disconnect promises. */
    bool was_sent = conn->state == SWARM_LINGER;
    tg_swarm_conn_close(thread, conn, was_sent ? THRONG_ECANCELED : THRONG_ETIMEDOUT,
                        TG_CLOSE_ABORT);
}

static void give_blocks(struct throng_swarm_thread *thread, struct tg_chain *chain)
{
    for (uint32_t block = chain->head; block != TG_BLOCK_NONE;) {
        uint32_t next = thread->blocks.blocks[block].next;
        tg_block_pool_give(&thread->blocks, block);
        block = next;
    }
    tg_chain_init(chain);
}

static void on_close(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    thread->streams_open--;
    give_blocks(thread, &conn->queue);
    report_closed(thread, conn, conn->error);
}

/* ---- sending ---- */

static void count_sent(struct throng_swarm_thread *thread, struct swarm_conn *conn, size_t bytes)
{
    struct tg_chain done;
    tg_chain_init(&done);
    tg_chain_advance(&conn->queue, &thread->blocks, bytes, &done);
    give_blocks(thread, &done);
}

void tg_swarm_conn_send(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    /* Each round sends something or ends the loop, and the queue is bounded. */
    while (!tg_chain_is_empty(&conn->queue) && !conn->sending) {
        struct tg_slice slices[TG_GATHER_MAX];
        size_t bytes;
        uint32_t count =
            tg_chain_gather(&conn->queue, &thread->blocks, slices, TG_GATHER_MAX, &bytes);
        int result = tg_port_send(thread->port, &conn->stream, slices, count);
        if (result > 0) {
            count_sent(thread, conn, (size_t)result);
        } else if (result == TG_PORT_PENDING) {
            conn->sending = true;
        } else {
            tg_swarm_conn_close(thread, conn, result, TG_CLOSE_ABORT);
            return;
        }
    }
    settle(thread, conn);
}

static void on_send(struct throng_swarm_thread *thread, struct swarm_conn *conn, int result)
{
    conn->sending = false;
    if (result > 0) {
        count_sent(thread, conn, (size_t)result);
    }
    if (conn->state == SWARM_CLOSING) {
        return;
    }
    if (result < 0) {
        tg_swarm_conn_close(thread, conn, result, TG_CLOSE_ABORT);
    } else {
        tg_swarm_conn_send(thread, conn);
    }
}

/* ---- receiving ---- */

static void hand_up(struct throng_swarm_thread *thread, struct swarm_conn *conn,
                    const struct tg_message *message)
{
    const struct throng_swarm_handler *handler = handler_of(thread);
    handler->on_message(handler->context, thread, tg_swarm_conn_index(thread, conn), message->data,
                        message->size);
    if (message->block != TG_MESSAGE_NONE) {
        tg_message_pool_give(&thread->message_pool, message->block);
    }
}

/* Hands up the messages of the input at hand, as far as there is memory. A handler may end the
 * connection, and with it the input; what it was handed stays readable until the next wait. */
static void consume_input(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    while (conn->state == SWARM_UP) {
        struct tg_message message;
        switch (tg_intake_next(&thread->intake, &conn->reader, &message)) {
        case TG_ASSEMBLY_MESSAGE:
            hand_up(thread, conn, &message);
            break;
        case TG_ASSEMBLY_NEEDS_INPUT:
            tg_intake_drop_input(&thread->intake, &conn->reader);
            read_on(thread, conn);
            return;
        case TG_ASSEMBLY_TOO_LARGE:
            tg_swarm_conn_close(thread, conn, THRONG_EPROTOCOL, TG_CLOSE_ABORT);
            return;
        case TG_ASSEMBLY_NO_MEMORY:
            hold_back(thread, conn);
            return;
        }
    }
}

void tg_swarm_conn_give_turns(struct throng_swarm_thread *thread)
{
    struct tg_reader *reader;
    while ((reader = tg_intake_next_turn(&thread->intake)) != NULL) {
        struct swarm_conn *conn = TG_CONTAINER_OF(reader, struct swarm_conn, reader);
        if (reader->buffer != TG_INDEX_NONE) {
            consume_input(thread, conn);
        } else {
            read_on(thread, conn);
        }
    }
    while ((reader = tg_intake_next_to_stop(&thread->intake)) != NULL) {
        stop_reading(thread, TG_CONTAINER_OF(reader, struct swarm_conn, reader));
    }
    if (tg_intake_needs_ticks(&thread->intake) && !tg_timer_is_running(&thread->intake_timer)) {
        tg_timer_start(&thread->wheel, &thread->intake_timer,
                       thread->now_ns / 1000000u + TG_INTAKE_TICK_MS);
    }
}

void tg_swarm_conn_intake_tick(struct throng_swarm_thread *thread)
{
    struct tg_reader *reader = tg_intake_tick(&thread->intake);
    if (reader != NULL) {
        tg_swarm_conn_close(thread, TG_CONTAINER_OF(reader, struct swarm_conn, reader),
                            THRONG_ENOBUFS, TG_CLOSE_ABORT);
    }
}

/* What the end of a connection is called; `result` is that of the receive that met it. */
static int error_of_end(const struct swarm_conn *conn, int result)
{
    if (conn->state == SWARM_LINGER) {
        return THRONG_ECANCELED; /* all is sent: whatever comes now is the end that was wanted */
    }
    if (result < 0) {
        return result;
    }
    return tg_assembler_is_partial(&conn->reader.assembler) ? THRONG_EPROTOCOL : THRONG_EEOF;
}

static void on_receive(struct throng_swarm_thread *thread, struct swarm_conn *conn,
                       const struct tg_completion *completion)
{
    if (completion->result > 0) {
        if (conn->state == SWARM_UP) {
            tg_reader_put_input(&conn->reader, completion->data, (size_t)completion->result,
                                completion->buffer);
            consume_input(thread, conn);
        } else {
            /* Disconnecting: what the peer still says is nobody's concern. */
            tg_recv_pool_release(&thread->recv_pool, completion->buffer, 1);
        }
        return;
    }
    if (conn->state == SWARM_CLOSING) {
        return;
    }
    if (completion->result == 0 && conn->state == SWARM_FLUSHING) {
        conn->peer_ended = true; /* it may well listen on: settle closes */
        return;
    }
    tg_swarm_conn_close(thread, conn, error_of_end(conn, completion->result),
                        completion->result == 0 ? TG_CLOSE_NORMAL : TG_CLOSE_ABORT);
}

void tg_swarm_conn_complete(struct throng_swarm_thread *thread,
                            const struct tg_completion *completion)
{
    struct swarm_conn *conn = TG_CONTAINER_OF(completion->stream, struct swarm_conn, stream);
    switch ((enum tg_completion_kind)completion->kind) {
    case TG_COMPLETION_RECEIVE:
        on_receive(thread, conn, completion);
        return;
    case TG_COMPLETION_SEND:
        on_send(thread, conn, completion->result);
        return;
    case TG_COMPLETION_CONNECT:
        on_connect(thread, conn, completion->result);
        return;
    case TG_COMPLETION_CLOSE:
        on_close(thread, conn);
        return;
    case TG_COMPLETION_ACCEPT:
    case TG_COMPLETION_LISTENER_CLOSE:
        break; /* a swarm listens to nobody */
    }
    TG_UNREACHABLE("a completion kind that a swarm never asked for");
}
