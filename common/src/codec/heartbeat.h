/* SPDX-License-Identifier: MIT
 * The heartbeats of one end of a connection: when an empty message is due, what one that came
 * means, and when the peer is given up. common/PROTOCOL.md has the rule and says why it cannot
 * storm. Pure: the time, in whatever unit, is an argument; on the thread that owns the
 * connection. */
#ifndef TG_CODEC_HEARTBEAT_H
#define TG_CODEC_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>

/* Intervals without anything from the peer until it is given up. */
#define TG_HEARTBEAT_PATIENCE 3u

/* Longest interval that the options take: a day. */
#define TG_HEARTBEAT_MS_MAX 86400000u

struct tg_heartbeat {
    uint64_t interval; /* 0: no heartbeats, and nothing below means anything */
    uint64_t sent;     /* when the system last took bytes of ours */
    uint64_t received; /* when bytes of the peer's last came */

    /* Heartbeats of ours to which no empty message came yet. Counted, for one that is taken for a
     * question by mistake would be answered, and the answer as well, for ever. */
    uint32_t unanswered;

    /* The peer asked. However often it did meanwhile: one answer is enough, so a flood has nothing
     * to pile up. */
    bool owes_answer;
};

/* The connection is up. */
static inline void tg_heartbeat_begin(struct tg_heartbeat *beat, uint64_t interval, uint64_t now)
{
    *beat = (struct tg_heartbeat){.interval = interval, .sent = now, .received = now};
}

static inline bool tg_heartbeat_is_on(const struct tg_heartbeat *beat)
{
    return beat->interval > 0;
}

/* An empty message came: the answer to ours, or a question. */
static inline void tg_heartbeat_take(struct tg_heartbeat *beat)
{
    if (beat->unanswered > 0) {
        beat->unanswered--;
    } else {
        beat->owes_answer = true;
    }
}

/* When an empty message is due, if nothing is sent before. It may only be sent while no message
 * waits: those say as much, and a peer that takes nothing must not be sent more. */
static inline uint64_t tg_heartbeat_due_at(const struct tg_heartbeat *beat)
{
    return beat->owes_answer ? beat->sent : beat->sent + beat->interval;
}

static inline bool tg_heartbeat_is_due(const struct tg_heartbeat *beat, uint64_t now)
{
    return beat->owes_answer || now >= tg_heartbeat_due_at(beat);
}

/* The one that is due goes out. */
static inline void tg_heartbeat_give(struct tg_heartbeat *beat, uint64_t now)
{
    if (beat->owes_answer) {
        beat->owes_answer = false;
    } else if (beat->unanswered < UINT32_MAX) {
        beat->unanswered++;
    }
    beat->sent = now;
}

/* When the peer is given up, if nothing comes before. Look for input once more then: who was away
 * himself has not looked. */
static inline uint64_t tg_heartbeat_silent_at(const struct tg_heartbeat *beat)
{
    return beat->received + TG_HEARTBEAT_PATIENCE * beat->interval;
}

static inline bool tg_heartbeat_is_silent(const struct tg_heartbeat *beat, uint64_t now)
{
    return now >= tg_heartbeat_silent_at(beat);
}

#endif
