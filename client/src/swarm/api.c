/* SPDX-License-Identifier: MIT
 * What a swarm's handler may call, on the connection's own thread. */
#include "codec/frame.h"
#include "swarm/state.h"

uint32_t throng_swarm_thread_index(const struct throng_swarm_thread *thread)
{
    return thread->index;
}

int throng_swarm_write(struct throng_swarm_thread *thread, uint32_t index, const void *data,
                       size_t size)
{
    struct swarm_conn *conn = tg_swarm_conn_at(thread, index);
    const struct swarm_plan *plan = &thread->swarm->plan;
    if (conn == NULL || conn->state != SWARM_UP || (data == NULL && size > 0)) {
        return THRONG_EINVAL;
    }
    if (size > plan->rules.message_bytes_max) {
        return THRONG_ETOOBIG;
    }
    if (size == 0 && plan->options.heartbeat_ms > 0) {
        return THRONG_EINVAL; /* the peer would take it for a heartbeat */
    }
    uint8_t header[THRONG_FRAME_HEADER_BYTES];
    tg_frame_length_write(header, (uint32_t)size, plan->rules.byte_order);
    if (!tg_chain_append(&conn->queue, &thread->blocks, index, plan->send_units_max, header,
                         sizeof(header), data, size)) {
        return THRONG_EAGAIN;
    }
    if (!tg_list_is_linked(&conn->link)) {
        tg_list_push_back(&thread->dirty, &conn->link);
    }
    return 0;
}

int throng_swarm_connect(struct throng_swarm_thread *thread, uint32_t index)
{
    struct swarm_conn *conn = tg_swarm_conn_at(thread, index);
    if (conn == NULL || conn->state != SWARM_DOWN) {
        return THRONG_EINVAL;
    }
    conn->state = SWARM_DUE;
    tg_list_push_back(&thread->due, &conn->link);
    return 0;
}

int throng_swarm_disconnect(struct throng_swarm_thread *thread, uint32_t index, bool abort)
{
    struct swarm_conn *conn = tg_swarm_conn_at(thread, index);
    if (conn == NULL || conn->state == SWARM_DOWN) {
        return THRONG_EINVAL;
    }
    switch ((enum swarm_conn_state)conn->state) {
    case SWARM_DUE:
        tg_swarm_conn_cancel(thread, conn);
        break;
    case SWARM_CONNECTING:
        tg_swarm_conn_close(thread, conn, THRONG_ECANCELED, TG_CLOSE_ABORT);
        break;
    case SWARM_UP:
    case SWARM_FLUSHING:
    case SWARM_LINGER:
        if (abort) {
            tg_swarm_conn_close(thread, conn, THRONG_ECANCELED, TG_CLOSE_ABORT);
        } else if (conn->state == SWARM_UP) {
            tg_swarm_conn_disconnect(thread, conn);
        }
        break;
    case SWARM_CLOSING: /* on its way already */
    case SWARM_DOWN:
        break;
    }
    return 0;
}

uint64_t throng_swarm_connect_ns(const struct throng_swarm_thread *thread, uint32_t index)
{
    const struct swarm_conn *conn = tg_swarm_conn_at(thread, index);
    bool has_connected = conn != NULL && conn->state >= SWARM_UP && conn->state <= SWARM_LINGER;
    return has_connected ? conn->connect_ns : 0;
}

int throng_swarm_local_address(struct throng_swarm_thread *thread, uint32_t index,
                               struct throng_address *address)
{
    struct swarm_conn *conn = tg_swarm_conn_at(thread, index);
    if (conn == NULL || conn->state != SWARM_UP || address == NULL) {
        return THRONG_EINVAL;
    }
    return tg_port_addresses(thread->port, &conn->stream, NULL, address);
}
