/* SPDX-License-Identifier: MIT
 * The memory for messages in pieces: who waits for it goes on, and what happens when nobody does.
 * codec/intake.h has the rules. Worker thread. */
#include "event/log_queue.h"
#include "worker/worker.h"

static struct tg_slot *slot_of(struct tg_reader *reader)
{
    return TG_CONTAINER_OF(reader, struct tg_slot, reader);
}

void tg_worker_give_turns(struct tg_worker *worker)
{
    struct tg_reader *reader;
    while (worker->events_out < worker->events_max &&
           (reader = tg_intake_next_turn(&worker->intake)) != NULL) {
        tg_slot_progress(worker, slot_of(reader));
    }
    while ((reader = tg_intake_next_to_stop(&worker->intake)) != NULL) {
        tg_slot_stop_reading(worker, slot_of(reader));
    }
    if (tg_intake_needs_ticks(&worker->intake) && !tg_timer_is_running(&worker->intake_timer)) {
        tg_worker_renew_time(worker);
        tg_timer_start(&worker->wheel, &worker->intake_timer, worker->now_ms + TG_INTAKE_TICK_MS);
    }
}

/* Whether it is the logic thread that everybody waits for: it gave nothing back lately, and what it
 * has may be half of the receive buffers. No peer is to blame for that. */
static bool logic_rests(struct tg_worker *worker)
{
    bool released = worker->released;
    worker->released = false;
    return !released && worker->events_out >= worker->recv_pool.count / 2;
}

void tg_worker_intake_tick(struct tg_worker *worker)
{
    struct tg_reader *reader = logic_rests(worker) ? NULL : tg_intake_tick(&worker->intake);
    if (reader == NULL) {
        return;
    }
    if (tg_worker_may_log_peer(worker)) {
        tg_log_queue_push(&worker->log, THRONG_LOG_WARNING,
                          "unfinished messages fill assembly_bytes (%zu bytes in use) and others "
                          "wait: the connection that stands still for longest is closed",
                          tg_message_pool_used_bytes(&worker->message_pool));
    }
    tg_slot_close(worker, slot_of(reader), THRONG_CLOSE_NO_MEMORY, TG_CLOSE_ABORT);
}
