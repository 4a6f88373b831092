/* SPDX-License-Identifier: MIT
 * Heartbeats of the swarm (codec/heartbeat.h has the rule). The connection's own thread.
 *
 * While a connection is UP its timer runs for them, lazily: it is not moved when bytes come or go,
 * but looks at the times when it fires, and starts anew for what is next. */
#include "base/assert.h"
#include "codec/frame.h"
#include "codec/heartbeat.h"
#include "swarm/state.h"

static void start_timer(struct throng_swarm_thread *thread, struct swarm_conn *conn, uint64_t at_ns)
{
    /* Rounded up: a tick before its time would find nothing to do, again and again. */
    tg_timer_start(&thread->wheel, &conn->timer, at_ns / 1000000u + 1);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void await_next(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    const struct tg_heartbeat *beat = &conn->heartbeat;
    uint64_t at_ns = beat->sent + beat->interval;
    if (at_ns <= thread->now_ns) {
        at_ns = thread->now_ns + beat->interval; /* something waits to be sent, or no memory does */
    }
    start_timer(thread, conn, earlier(at_ns, tg_heartbeat_silent_at(beat)));
}

void tg_swarm_conn_begin_beats(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    uint64_t interval_ns = thread->swarm->plan.options.heartbeat_ms * UINT64_C(1000000);
    tg_heartbeat_begin(&conn->heartbeat, interval_ns, thread->now_ns);
    conn->suspected = false;
    if (interval_ns > 0) {
        await_next(thread, conn);
    }
}

void tg_swarm_conn_heard(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    conn->heartbeat.received = thread->now_ns;
    conn->suspected = false;
}

void tg_swarm_conn_said(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    conn->heartbeat.sent = thread->now_ns;
}

void tg_swarm_conn_take_beat(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    tg_heartbeat_take(&conn->heartbeat);
    if (conn->heartbeat.owes_answer && !tg_list_is_linked(&conn->link)) {
        tg_list_push_back(&thread->dirty, &conn->link);
    }
}

bool tg_swarm_conn_put_beat(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    TG_REQUIRE(tg_chain_is_empty(&conn->queue));
    if (!tg_heartbeat_is_on(&conn->heartbeat) || conn->state != SWARM_UP ||
        !tg_heartbeat_is_due(&conn->heartbeat, thread->now_ns)) {
        return false;
    }
    uint8_t header[THRONG_FRAME_HEADER_BYTES];
    tg_frame_length_write(header, 0, thread->swarm->plan.rules.byte_order);
    if (!tg_chain_append(&conn->queue, &thread->blocks, tg_swarm_conn_index(thread, conn),
                         thread->swarm->plan.send_units_max, header, sizeof(header), NULL, 0)) {
        return false; /* the timer tries again; others have the memory, and give it back */
    }
    tg_heartbeat_give(&conn->heartbeat, thread->now_ns);
    return true;
}

/* Whether nothing came for too long, and nothing was there either when the thread looked once more:
 * one that was away itself finds the silence first, and the input that ends it afterwards. */
static bool is_gone(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    if (conn->paused || !tg_heartbeat_is_silent(&conn->heartbeat, thread->now_ns)) {
        return false;
    }
    bool was_suspected = conn->suspected;
    conn->suspected = true;
    return was_suspected;
}

void tg_swarm_conn_beat_tick(struct throng_swarm_thread *thread, struct swarm_conn *conn)
{
    if (is_gone(thread, conn)) {
        tg_swarm_conn_close(thread, conn, THRONG_ETIMEDOUT, TG_CLOSE_ABORT);
        return;
    }
    if (conn->paused) {
        tg_swarm_conn_heard(thread, conn); /* it is not listened to, so its silence says nothing */
    }
    if (conn->suspected) {
        start_timer(thread, conn, thread->now_ns + conn->heartbeat.interval / 2);
    } else {
        await_next(thread, conn);
    }
    /* The last: a send may find the connection broken, and close it. */
    tg_swarm_conn_send(thread, conn);
}
