/* SPDX-License-Identifier: MIT
 * Receiving: from bytes to on_message, and who waits when the memory for messages in pieces is used
 * up (codec/intake.h has the rules). The connection's own thread. */
#include "swarm/state.h"

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

void tg_swarm_conn_read_on(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    if (!tg_intake_read(&thread->intake, &conn->reader)) {
        stop_reading(thread, conn);
    } else if (conn->paused) {
        conn->paused = false;
        conn->held_back = false;
        tg_swarm_conn_heard(thread, conn);
        tg_port_receive(thread->port, &conn->stream);
    }
}

static void hand_up(struct throng_swarm_thread *thread, struct swarm_conn *conn,
                    const struct tg_message *message)
{
    const struct throng_swarm_handler *handler = tg_swarm_handler(thread);
    if (message->size == 0 && tg_heartbeat_is_on(&conn->heartbeat)) {
        tg_swarm_conn_take_beat(thread, conn);
    } else {
        handler->on_message(handler->context, thread, tg_swarm_conn_index(thread, conn),
                            message->data, message->size);
    }
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
            tg_swarm_conn_read_on(thread, conn);
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
        if (tg_reader_buffer(&thread->intake, reader) != TG_INDEX_NONE) {
            consume_input(thread, conn);
        } else {
            tg_swarm_conn_read_on(thread, conn);
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
static int error_of_end(const struct throng_swarm_thread *thread, const struct swarm_conn *conn,
                        int result)
{
    if (conn->state == SWARM_LINGER) {
        return THRONG_ECANCELED; /* all is sent: whatever comes now is the end that was wanted */
    }
    if (result < 0) {
        return result;
    }
    return tg_reader_is_partial(&thread->intake, &conn->reader) ? THRONG_EPROTOCOL : THRONG_EEOF;
}

void tg_swarm_conn_on_receive(struct throng_swarm_thread *thread, struct swarm_conn *conn,
                              const struct tg_completion *completion)
{
    if (completion->result > 0) {
        if (conn->state == SWARM_UP) {
            tg_swarm_conn_heard(thread, conn);
            tg_intake_put_input(&thread->intake, &conn->reader, completion->data,
                                (size_t)completion->result, completion->buffer);
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
    tg_swarm_conn_close(thread, conn, error_of_end(thread, conn, completion->result),
                        completion->result == 0 ? TG_CLOSE_NORMAL : TG_CLOSE_ABORT);
}
