/* SPDX-License-Identifier: MIT
 * Whether the logic thread takes its events: how long it has been stuck, and over which event.
 * Worker thread.
 *
 * A thread that is stuck can be told nothing, and it is the one that would call the log sink. So
 * the line comes when it is back; meanwhile the gauge logic_stalled_ms, which any thread may read,
 * says how long it takes already. */
#include "worker/worker.h"

#include <inttypes.h>

/* The first part of logic_stall_ms goes by unseen, which is a timer's precision. */
static uint32_t tick_ms(const struct tg_worker *worker)
{
    uint32_t quarter = worker->shared->limits.logic_stall_ms / 4;
    return quarter < 1 ? 1 : quarter < TG_WATCH_TICK_MS ? quarter : TG_WATCH_TICK_MS;
}

static void log_return(struct tg_worker *worker, uint64_t away_ms)
{
    static const char *const names[] = {
        [0] = "nothing",
        [THRONG_EVENT_OPEN] = "OPEN",
        [THRONG_EVENT_MESSAGE] = "MESSAGE",
        [THRONG_EVENT_CLOSED] = "CLOSED",
        [THRONG_EVENT_WRITABLE] = "WRITABLE",
        [THRONG_EVENT_TIMER] = "TIMER",
        [THRONG_EVENT_TICK] = "TICK",
        [THRONG_EVENT_POSTED] = "POSTED",
    };
    struct tg_worker_shared *shared = worker->shared;
    uint32_t type = atomic_load_explicit(&shared->logic_type, memory_order_relaxed);
    uint64_t conn = atomic_load_explicit(&shared->logic_conn, memory_order_relaxed);
    tg_log_queue_push(&worker->log, THRONG_LOG_WARNING,
                      "the logic thread took no event for %" PRIu64
                      " ms; the last one that it took "
                      "was %s of connection %" PRIx64,
                      away_ms, names[type], conn);
}

static void note_stall(struct tg_worker *worker, uint64_t away_ms)
{
    uint64_t gauge = 0;
    if (!worker->logic_stalled) {
        worker->logic_stalled = true;
        /* The first worker that notices counts it. */
        if (atomic_compare_exchange_strong_explicit(&worker->shared->logic_stalled_ms, &gauge,
                                                    away_ms, memory_order_relaxed,
                                                    memory_order_relaxed)) {
            tg_count(&worker->counters.logic_stalls, 1);
            worker->logic_mine = true;
        }
    } else if (worker->logic_mine) {
        atomic_store_explicit(&worker->shared->logic_stalled_ms, away_ms, memory_order_relaxed);
    }
}

static void note_return(struct tg_worker *worker, uint64_t away_ms)
{
    if (worker->logic_mine) {
        log_return(worker, away_ms);
        atomic_store_explicit(&worker->shared->logic_stalled_ms, 0, memory_order_relaxed);
    }
    worker->logic_stalled = false;
    worker->logic_mine = false;
}

void tg_worker_watch_logic(struct tg_worker *worker)
{
    if (worker->shared->limits.logic_stall_ms != 0 && !tg_timer_is_running(&worker->logic_timer)) {
        worker->logic_calls =
            atomic_load_explicit(&worker->shared->logic_calls, memory_order_relaxed);
        worker->logic_since_ms = worker->served_ms;
        tg_timer_start(&worker->wheel, &worker->logic_timer, worker->now_ms + tick_ms(worker));
    }
}

void tg_worker_logic_tick(struct tg_worker *worker)
{
    uint64_t calls = atomic_load_explicit(&worker->shared->logic_calls, memory_order_relaxed);
    uint32_t away_ms = worker->served_ms - worker->logic_since_ms;
    bool moved = calls != worker->logic_calls;
    if (moved && worker->logic_stalled) {
        note_return(worker, away_ms);
    }
    if (!worker->logic_stalled && tg_ring_is_consumed(&worker->events)) {
        return; /* it may sleep; the next event starts the timer again */
    }
    if (moved) {
        worker->logic_calls = calls;
        worker->logic_since_ms = worker->served_ms;
    } else if (away_ms >= worker->shared->limits.logic_stall_ms) {
        note_stall(worker, away_ms);
    }
    tg_timer_start(&worker->wheel, &worker->logic_timer, worker->now_ms + tick_ms(worker));
}

void tg_worker_logic_returned(struct tg_worker *worker, uint64_t away_ms)
{
    uint32_t limit_ms = worker->shared->limits.logic_stall_ms;
    if (limit_ms == 0 || away_ms < limit_ms) {
        return;
    }
    tg_count(&worker->counters.logic_stalls, 1);
    if (worker->now_ms >= worker->logic_log_due_ms) {
        worker->logic_log_due_ms = worker->now_ms + TG_PEER_LOG_REST_MS;
        log_return(worker, away_ms);
    }
}
