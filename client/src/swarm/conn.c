/* SPDX-License-Identifier: MIT
 * A connection of the swarm, from connect to on_closed. Its own thread.
 *
 * A handler may close, write to or reconnect any connection of its thread at any time; so after
 * each call of a handler the state is looked at anew. */
#include "base/assert.h"
#include "os/clock.h"
#include "swarm/state.h"

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
        const struct throng_swarm_handler *handler = tg_swarm_handler(thread);
        handler->on_closed(handler->context, thread, tg_swarm_conn_index(thread, conn), error);
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
    conn->suspected = false;
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
    tg_swarm_conn_begin_beats(thread, conn);
    tg_swarm_conn_read_on(thread, conn);
    const struct throng_swarm_handler *handler = tg_swarm_handler(thread);
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
    if (conn->state == SWARM_UP) {
        tg_swarm_conn_beat_tick(thread, conn);
        return;
    }
    if (conn->state == SWARM_CONNECTING && !conn->suspected) {
        /* A thread that was away itself finds the deadline first, and the answer afterwards. */
        conn->suspected = true;
        start_timer(thread, conn, 1);
        return;
    }
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
    tg_swarm_conn_said(thread, conn);
    tg_chain_advance(&conn->queue, &thread->blocks, bytes, &done);
    give_blocks(thread, &done);
}

void tg_swarm_conn_send(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    /* Each round sends something or ends the loop, and the queue is bounded. */
    while (!conn->sending &&
           (!tg_chain_is_empty(&conn->queue) || tg_swarm_conn_put_beat(thread, conn))) {
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

void tg_swarm_conn_complete(struct throng_swarm_thread *thread,
                            const struct tg_completion *completion)
{
    struct swarm_conn *conn = TG_CONTAINER_OF(completion->stream, struct swarm_conn, stream);
    switch ((enum tg_completion_kind)completion->kind) {
    case TG_COMPLETION_RECEIVE:
        tg_swarm_conn_on_receive(thread, conn, completion);
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
