/* SPDX-License-Identifier: MIT
 * One run, planned from its seed: the server's options (often as small as they may be), the
 * network, the faults, the peers and their habits, the game's habits, and how it ends. A failing
 * seed prints its plan. */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/options.h>

#include "sim/sim.h"

/* What a peer is like. X(name, weight, text) */
#define PLAN_KIND_MAP(X)                                                                           \
    X(polite, 30, "sends, ends its direction, reads to the end")                                   \
    X(trickle, 6, "likewise, byte by byte")                                                        \
    X(slow, 8, "likewise, and reads slowly")                                                       \
    X(silent, 5, "says nothing for long, then ends")                                               \
    X(pauser, 6, "stops in the middle of a message for long, then goes on")                        \
    X(deaf, 5, "sends and never reads")                                                            \
    X(closer, 8, "sends and closes at once, unread answers or not")                                \
    X(cutter, 8, "ends inside a message or a header")                                              \
    X(liar, 6, "announces more than is allowed")                                                   \
    X(resetter, 8, "resets: at once, or in the middle")                                            \
    X(stormer, 10, "connects, goes, and connects again")                                           \
    X(dripper, 5, "polite, but a message drips for ever")                                          \
    X(flooder, 5, "polite, but writes without a pause")                                            \
    X(idler, 6, "polite, but stays for long without a word")                                       \
    X(sipper, 5, "polite, but reads a byte now and then")

enum plan_kind {
#define PLAN_KIND_ENUM(name, weight, text) PLAN_KIND_##name,
    PLAN_KIND_MAP(PLAN_KIND_ENUM)
#undef PLAN_KIND_ENUM
    PLAN_KIND_COUNT,
    PLAN_KIND_LIMITED = PLAN_KIND_dripper, /* from here on: only where there are limits */
    PLAN_KIND_swarm = PLAN_KIND_COUNT,     /* our own clients are no raw peers */
    PLAN_KIND_client,
};

/* How a server's life ends. */
enum plan_end {
    PLAN_END_QUIET, /* everybody leaves, all comes to rest, then stop */
    PLAN_END_DRAIN,
    PLAN_END_STOP, /* in the middle */
};

#define PLAN_PEERS_MAX 4096u
#define PLAN_ROUNDS_MAX 3u
#define PLAN_SWARM_MAX 32u
#define PLAN_CLIENTS_MAX 8u
#define PLAN_TIMERS_MAX 64u
#define PLAN_POSTERS_MAX 3u

/* Numbers of the plan, in the order in which they are printed. X(name, unit or text) */
#define PLAN_NUMBER_MAP(X)                                                                         \
    X(completions, "completions until the faults end")                                             \
    X(faulty_ms, "ms until the faults end at the latest")                                          \
    X(delay_ns, "longest way of a byte")                                                           \
    X(pipe_bytes, "bytes that a direction holds")                                                  \
    X(sockets_max, "sockets at once")                                                              \
    X(rounds, "servers, one after the other")                                                      \
    X(peers, "raw peers")                                                                          \
    X(lives, "connections that a raw peer makes at most")                                          \
    X(messages, "messages of a life at most")                                                      \
    X(think_ns, "longest pause of a peer between two steps")                                       \
    X(write_bytes, "most bytes that a peer writes at once")                                        \
    X(long_parts, "of 256 messages are long ones")                                                 \
    X(swarm, "connections of a swarm")                                                             \
    X(swarm_threads, "its threads")                                                                \
    X(clients, "non-blocking clients")                                                             \
    X(take, "events taken at once at most")                                                        \
    X(answers, "answers to a message at most")                                                     \
    X(hold, "events held at most")                                                                 \
    X(hold_parts, "of 256 events are held")                                                        \
    X(write_parts, "of 256 events: a write to somebody else")                                      \
    X(greet_parts, "of 256 OPENs: the server speaks first")                                        \
    X(close_parts, "of 256 events: a close")                                                       \
    X(abort_parts, "of 256 events: an abort")                                                      \
    X(stale_parts, "of 256 events: use of a dead id")                                              \
    X(flush_parts, "of 256 events: a flush")                                                       \
    X(stall_parts, "of 65,536 turns: the game stands still")                                       \
    X(stall_ms, "for so long at most")                                                             \
    X(wake_ns, "longest pause between two wakes from another thread")                              \
    X(drain_ms, "deadline of a drain")                                                             \
    X(start_tries, "starts under faults")                                                          \
    X(limit_parts, "of 256 events: another limit or policy for a connection")                      \
    X(retry_parts, "of 256 WRITABLEs: the write is tried again")                                   \
    X(addresses, "addresses that raw peers share; 0: each its own")                                \
    X(client_beat_ms, "heartbeats of our own clients")                                             \
    X(drip_ms, "longest pause of a dripper")                                                       \
    X(idle_ms, "longest pause of an idler")                                                        \
    X(sip_ns, "longest pause of a sipper")                                                         \
    X(fed_bytes, "that wait for who has some waiting: the game writes more; 0: it does not")       \
    X(timer_parts, "of 256 turns: a timer is started or stopped")                                  \
    X(timer_ms, "longest delay of a timer")                                                        \
    X(tick_hz, "highest rate of the tick")                                                         \
    X(posters, "threads that post")                                                                \
    X(post_ns, "longest pause between two of their bursts")                                        \
    X(post_burst, "posts of a burst at most")                                                      \
    X(room_parts, "of 256 events: something with a room")

struct plan {
    uint64_t seed;
#define PLAN_NUMBER_FIELD(name, text) uint32_t name;
    PLAN_NUMBER_MAP(PLAN_NUMBER_FIELD)
#undef PLAN_NUMBER_FIELD
    uint32_t kind_weight[PLAN_KIND_COUNT];
    enum plan_end ends[PLAN_ROUNDS_MAX];
    bool ipv6;          /* a second listener, and peers that use it */
    bool waits_forever; /* the game waits without a limit: only a wake-up ends it */
    bool is_calm;       /* no fault at all */
    bool is_sound;      /* none that breaks a connection */
    bool has_limits;    /* deadlines, rates, policies: what a peer must keep to */
    bool is_numbered;   /* messages downward have numbers, so that some may be dropped */
    uint32_t faults[TG_SIM_FAULT_COUNT];
    uint32_t start_faults[TG_SIM_FAULT_COUNT];
    struct throng_server_options server;
};

/* The plan of a seed; `scale` is the percentage of the full number of completions. */
void plan_make(struct plan *plan, uint64_t seed, uint32_t scale);

/* After its faults were changed by hand. */
void plan_judge_faults(struct plan *plan);

/* Writes the plan as text, cut at `size`. */
void plan_print(const struct plan *plan, char *text, size_t size);

const char *plan_kind_name(uint32_t kind);

#endif
