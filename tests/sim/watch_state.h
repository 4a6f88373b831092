/* SPDX-License-Identifier: MIT
 * The watch's records, as its files share them: watch.c (notes, turns), watch_stream.c (what comes
 * and goes), watch_rules.c (who is reset, and who should be). */
#ifndef SIM_WATCH_STATE_H
#define SIM_WATCH_STATE_H

#include "state.h"
#include "watch.h"
#include "watch_time.h"

#define WATCH_WORKERS_MAX 4u
#define WATCH_SLOTS_MAX 4096u

/* A deadline's precision: the worker counts milliseconds, and looks after what came late. */
#define WATCH_EARLY_NS (3 * WATCH_MS)
#define WATCH_LATE_NS (700 * WATCH_MS)
/* Inline: a logic thread that stands still for not quite an absence has its worker look at the
 * deadlines with the new time before it counts that, and then once more when they would have been
 * due (seed 665). */
#define WATCH_LATE_INLINE_NS (500 * WATCH_MS)

/* Intervals of silence until a peer that should answer heartbeats is given up. */
#define WATCH_SILENT_BEATS 3u

/* Parts of a span in which bytes taken are summed. */
#define WATCH_SPAN_PARTS 8u
#define WATCH_SPANS 16u
#define WATCH_SPAN_LEAST_MS 100u /* of shorter ones a worker's milliseconds leave too little */

struct watch_bucket {
    bool is_used; /* there is a rate */
    double tokens;
    uint64_t filled_ns;
};

struct watch_peer {
    uint64_t id; /* 0: not known */
    struct watch_stamp opened;
    struct watch_stamp heard;
    struct watch_stamp begun;  /* the first byte of the message that is not complete */
    struct watch_stamp reads;  /* reading began, or went on */
    struct watch_stamp waited; /* bytes wait to be sent since then */
    struct watch_stamp sent;   /* the last byte */
    struct watch_stamp silent; /* and the one before the frame that goes out */
    uint64_t adopted_ns;
    uint64_t received;     /* bytes */
    uint64_t received_now; /* of them, in the worker's last wait */
    uint32_t messages;     /* whole ones, heartbeats included */
    uint32_t header_have;  /* of the frame that comes in */
    uint32_t left;
    uint8_t header[4];
    bool has_spoken; /* a whole message has come; a heartbeat is none */
    bool is_lost;    /* it said what is no frame */
    bool is_inside;
    bool has_begun; /* in this wait */
    bool has_heard;
    bool has_taken;
    bool is_reading;
    bool has_paused; /* reading has rested since it began */
    bool is_sending;
    bool is_waiting;
    bool is_touched;
    uint32_t down_have; /* of the frame that goes out */
    uint32_t down_left;
    uint8_t down_header[4];
    uint32_t questions; /* heartbeats of the peer that may be answered */
    bool is_unclear;    /* which of them were answers */
    bool has_held; /* it had a kept block of message memory: it reads to the end of that message */
    bool owes_answer;    /* and none was since the last one */
    uint32_t unanswered; /* of ours */
    uint64_t taken[WATCH_SPANS];
    uint64_t taken_in[WATCH_SPANS];
    uint64_t taken_all;            /* since it was adopted */
    uint64_t owed;                 /* that, and what waits: the most there was */
    uint64_t owed_at[WATCH_SPANS]; /* when it was first looked at in a part */
    uint64_t owed_in[WATCH_SPANS];
    struct watch_bucket message_bucket;
    struct watch_bucket byte_bucket;
};

struct watch_worker {
    const void *port;
    struct watch_time time;
    uint32_t touched_count;
    uint16_t touched[WATCH_SLOTS_MAX];
    uint64_t messages_most; /* that the turn may hand up */
    bool is_blind;          /* there are connections that are not known */
    uint64_t deaf_ns;       /* when no receive buffer was free, last */
};

extern struct watch_world {
    const struct plan *plan;
    struct watch_peer peers[WATCH_SLOTS_MAX];
    struct watch_worker workers[WATCH_WORKERS_MAX];
    bool memory_was_short;
    uint64_t full_ns; /* when every slot was taken, last */
} watch_world;

/* watch.c; the worker's served time now, and of something that happens now */
struct watch_stamp watch_now(const struct watch_worker *worker);
struct watch_stamp watch_stamp_now(const struct watch_worker *worker);
uint32_t watch_place(const struct tg_slot *slot);
void watch_touch(struct watch_worker *worker, struct watch_peer *peer);
/* The server's worker with this port; NULL: it is a client's. */
struct watch_worker *watch_worker_of(const void *port);

/* watch_rules.c */
bool watch_has_passed(struct watch_stamp now, struct watch_stamp from, uint32_t limit_ms);
bool watch_has_passed_unheard(const struct watch_worker *worker, struct watch_stamp from,
                              uint32_t limit_ms);
bool watch_can_have_passed(struct watch_stamp now, struct watch_stamp from, uint32_t limit_ms);
struct watch_stamp watch_later(struct watch_stamp a, struct watch_stamp b);
/* The connection is reset, or closed. */
void watch_check_close(const struct watch_worker *worker, const struct watch_peer *peer,
                       const struct tg_slot *slot);

void watch_check_refused(const struct tg_slot *slot);

/* watch_stream.c */
void watch_begin_bucket(struct watch_bucket *bucket, uint32_t per_s, uint32_t burst);
bool watch_is_near_empty(const struct watch_bucket *bucket, uint32_t per_s);
void watch_on_received(struct watch_worker *worker, struct watch_peer *peer,
                       const struct tg_slot *slot, const struct tg_sim_port_note *note);
void watch_on_sent(struct watch_worker *worker, struct watch_peer *peer, const struct tg_slot *slot,
                   const struct tg_sim_port_note *note);
void watch_on_pends(struct watch_worker *worker, struct watch_peer *peer);
/* The part of a span that runs. */
uint64_t watch_part(const struct watch_worker *worker);
/* A turn is over: so much is owed to the peer. */
void watch_note_owed(const struct watch_worker *worker, struct watch_peer *peer,
                     const struct tg_slot *slot);

#endif
