/* SPDX-License-Identifier: MIT
 * What the watchdog and its parts share: served time, and a slot's one timer. Worker thread. */
#ifndef TG_WORKER_WATCH_H
#define TG_WORKER_WATCH_H

#include "worker/worker.h"

/* Nothing is due. */
#define TG_WATCH_NEVER UINT32_MAX

/* A span may begin in time that is not counted yet (tg_worker_uncounted_ms): nothing of it has
 * passed. */
static inline uint32_t tg_watch_passed_ms(const struct tg_worker *worker, uint32_t since_ms)
{
    uint32_t passed_ms = worker->served_ms - since_ms;
    return passed_ms <= INT32_MAX ? passed_ms : 0;
}

/* What is left of `limit_ms` (0: no limit) since then. */
static inline uint32_t tg_watch_left_ms(const struct tg_worker *worker, uint32_t since_ms,
                                        uint32_t limit_ms)
{
    uint32_t passed = tg_watch_passed_ms(worker, since_ms);
    return limit_ms == 0 ? TG_WATCH_NEVER : passed >= limit_ms ? 0 : limit_ms - passed;
}

static inline uint32_t tg_watch_earlier(uint32_t a_ms, uint32_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

/* The interval of the slot's heartbeats; 0: none. */
static inline uint32_t tg_slot_beat_ms(const struct tg_worker *worker, const struct tg_slot *slot)
{
    return worker->shared->limits.heartbeat_ms[slot->listener];
}

/* Lets the slot's timer come in `left` ms at the latest. */
void tg_slot_wake_in(struct tg_worker *worker, struct tg_slot *slot, uint32_t left);

/* heartbeat.c: sends a heartbeat, or an answer, if it is time. Answers when the next one is. While
 * there is something to send anyway, there is no need of one. One that is unanswered does not hold
 * the next one up: the answer may lie behind messages that we read slowly, and the peer wants to
 * hear of us meanwhile. They are counted, for an answer that was taken for a question would be
 * answered without end. */
uint32_t tg_slot_keep_beating(struct tg_worker *worker, struct tg_slot *slot);

/* slow_reader.c: what waits from here on is to be taken: a span begins. */
void tg_slot_begin_span(const struct tg_worker *worker, struct tg_slot *slot);

/* Judges a span of `limit_ms` if it is over: who has kept up begins the next one. Answers
 * what is left of it; 0 if the reader was too slow. */
uint32_t tg_slot_judge_reader(struct tg_worker *worker, struct tg_slot *slot, uint32_t limit_ms);
void tg_slot_reset_slow_reader(struct tg_worker *worker, struct tg_slot *slot);

#endif
