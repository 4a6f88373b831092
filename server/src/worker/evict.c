/* SPDX-License-Identifier: MIT
 * A place for the newcomer: while every slot is taken, connections that have never said anything go
 * first. Worker thread.
 *
 * A worker knows its own connections only. The one at which somebody knocks resets its own silent
 * ones and asks the others to do the same; those that sleep are woken by the logic thread, for a
 * worker cannot wake another (on_accept.c). */
#include "worker/worker.h"

#include "base/yield.h"

struct silent {
    uint32_t slots[TG_EVICT_MAX];
    uint32_t ages_ms[TG_EVICT_MAX]; /* the oldest first */
    uint32_t count;
};

static void note_silent(struct silent *silent, uint32_t slot, uint32_t age_ms)
{
    uint32_t place = silent->count;
    if (place == TG_EVICT_MAX) {
        place--; /* the youngest one makes room, unless the new one is younger */
        if (silent->ages_ms[place] >= age_ms) {
            return;
        }
    } else {
        silent->count++;
    }
    for (; place > 0 && silent->ages_ms[place - 1] < age_ms; place--) {
        silent->slots[place] = silent->slots[place - 1];
        silent->ages_ms[place] = silent->ages_ms[place - 1];
    }
    silent->slots[place] = slot;
    silent->ages_ms[place] = age_ms;
}

/* Whether not a byte has come of it. Of whom we do not read we do not know. */
static bool is_silent(const struct tg_slot *slot)
{
    return slot->state == TG_SLOT_OPEN && !slot->heard && !tg_stream_is_queued(&slot->stream) &&
           (slot->flags & (TG_SLOT_OPEN_DUE | TG_SLOT_PAUSED)) == 0;
}

/* The oldest ones, at most `most`, into what holds none yet. */
static void find_silent(const struct tg_worker *worker, struct silent *silent, uint32_t most)
{
    for (uint32_t i = 0; i < worker->shared->arena->capacity; i++) {
        const struct tg_slot *slot = tg_worker_slot(worker, i);
        if (tg_worker_owns(worker, i) && is_silent(slot) &&
            worker->served_ms - slot->opened_ms >= worker->shared->limits.evict_silent_ms) {
            note_silent(silent, i, worker->served_ms - slot->opened_ms);
        }
    }
    silent->count = silent->count < most ? silent->count : most;
}

/* Takes as many knocks upon itself as it can, at most `most`; another worker may have been
 * faster. */
static uint32_t answer_knocks(struct tg_worker_shared *shared, uint32_t most)
{
    uint32_t knocks = atomic_load_explicit(&shared->knocks, memory_order_relaxed);
    uint32_t taken;
    do {
        taken = knocks < most ? knocks : most;
    } while (!atomic_compare_exchange_weak_explicit(&shared->knocks, &knocks, knocks - taken,
                                                    memory_order_relaxed, memory_order_relaxed));
    return taken;
}

/* One for each newcomer. */
static void reset_silent(struct tg_worker *worker)
{
    struct tg_worker_shared *shared = worker->shared;
    uint32_t knocks = atomic_load_explicit(&shared->knocks, memory_order_relaxed);
    if (knocks == 0 || worker->now_ms < worker->evict_due_ms) {
        return;
    }
    worker->evict_due_ms = worker->now_ms + TG_EVICT_REST_MS;
    struct silent silent = {.count = 0};
    find_silent(worker, &silent, knocks);
    uint32_t count = answer_knocks(shared, silent.count);
    for (uint32_t i = 0; i < count; i++) {
        tg_count(&worker->counters.evicted, 1);
        atomic_store_explicit(&shared->evicted_ms, worker->now_ms, memory_order_relaxed);
        tg_slot_close(worker, tg_worker_slot(worker, silent.slots[i]), THRONG_CLOSE_EVICTED,
                      TG_CLOSE_ABORT);
    }
}

/* Counts a newcomer. Those of a moment ago, for whom nobody was found, have gone or knock again. */
static void knock(struct tg_worker *worker)
{
    struct tg_worker_shared *shared = worker->shared;
    if (worker->now_ms >= atomic_load_explicit(&shared->evict_until_ms, memory_order_relaxed)) {
        atomic_store_explicit(&shared->evict_until_ms, worker->now_ms + 2 * TG_EVICT_REST_MS,
                              memory_order_relaxed);
        atomic_store_explicit(&shared->knocks, 1, memory_order_relaxed);
    } else {
        atomic_fetch_add_explicit(&shared->knocks, 1, memory_order_relaxed);
    }
}

void tg_worker_evict_silent(struct tg_worker *worker)
{
    if (worker->shared->limits.evict_silent_ms != 0) {
        knock(worker);
        worker->knocked = true;
    }
}

void tg_worker_answer_knocks(struct tg_worker *worker)
{
    struct tg_worker_shared *shared = worker->shared;
    if (worker->now_ms >= atomic_load_explicit(&shared->evict_until_ms, memory_order_relaxed) ||
        (worker->full_batches > 0 && worker->full_batches < TG_FULL_BATCHES_MAX)) {
        return; /* in the second case not everybody has been heard */
    }
    if (tg_arena_has_free(shared->arena)) {
        return; /* somebody has left meanwhile */
    }
    reset_silent(worker);
    if (worker->knocked && shared->logic != NULL &&
        atomic_load_explicit(&shared->knocks, memory_order_relaxed) > 0) {
        atomic_store_explicit(&shared->slot_freed_for_waiter, true, memory_order_relaxed);
        tg_yield();
        (void)tg_parker_wake(shared->logic);
    }
    worker->knocked = false;
}

void tg_worker_evict_again(struct tg_worker *worker)
{
    if (!worker->waiting_for_slots) {
        return;
    }
    /* Whoever was reset for somebody's sake is on his way out. */
    if (worker->now_ms >=
        atomic_load_explicit(&worker->shared->evicted_ms, memory_order_relaxed) + TG_EVICTION_MS) {
        tg_worker_evict_silent(worker);
    }
    tg_timer_start(&worker->wheel, &worker->evict_timer, worker->now_ms + TG_EVICT_REST_MS);
}
