/* SPDX-License-Identifier: MIT
 * One raw peer, as peers.c (its lives), peer_talk.c (its reading and writing) and peer_end.c (its
 * ways to end) share it. */
#ifndef SIM_PEER_H
#define SIM_PEER_H

#include "ledger.h"
#include "script.h"
#include "sim/net.h"

enum peer_state {
    PEER_RESTS = 0,
    PEER_CONNECTS,
    PEER_TALKS,
    PEER_LISTENS, /* has ended its direction, or cannot write any more, and reads to the end */
    PEER_LEAVES,  /* closes with its next step */
};

struct peer {
    struct tg_net_watcher watcher;
    struct tg_sim_action reads;
    struct tg_sim_action writes; /* also: begins the next life */
    struct life *life;           /* NULL while it rests */
    uint32_t number;
    uint32_t sock;
    uint8_t kind;
    uint8_t state;
    bool is_blocked; /* waits for room to write */
    bool has_paused;
    bool ipv6;
    uint8_t lie_at; /* bytes of the lie that are written */
    uint8_t lie[4];
    uint32_t lives_left;
    uint32_t goal_message; /* where it ends: before this message, */
    uint32_t goal_at;      /* or so many bytes into its frame */
    struct script_cursor up;
    struct script_reader down;
    uint8_t beat_left;   /* bytes of a heartbeat that are still to be written */
    uint8_t beat_habit;  /* enum peer_beats */
    uint32_t beats_owed; /* heartbeats to write before the next message */
    uint32_t beats_seen; /* of `down`, that were thought about */
};

/* What a peer does about heartbeats. */
enum peer_beats {
    PEER_BEATS_NEVER = 0,
    PEER_BEATS_ANSWERS,
    PEER_BEATS_ANSWERS_TWICE,
    PEER_BEATS_ASKS, /* and answers */
    PEER_BEATS_HABITS,
};

struct peers_world {
    const struct plan *plan;
    bool is_finishing;
    uint32_t busy;
};

extern struct peers_world peers_world;

/* peers.c: the life is over; closes. */
void peer_go(struct peer *peer, bool abort);

/* peer_talk.c */
void peer_come_up(struct peer *peer);
void peer_read(struct peer *peer);
void peer_write(struct peer *peer);

/* peer_end.c: it has said all that it wanted to. */
void peer_end(struct peer *peer);
/* What it does about the heartbeats that came. */
void peer_note_beats(struct peer *peer);
/* What its next life is to be like. */
void peer_choose_goal(struct peer *peer);
/* A goal that is near. */
void peer_hurry(struct peer *peer);
/* One that does not read, and cannot write: when all come to an end, nobody else would end it. */
void peer_hurry_deaf(struct peer *peer);

/* A pause between two steps, ns; between two looks at what came. */
uint64_t peer_pause(const struct peer *peer);
uint64_t peer_read_pause(const struct peer *peer);

/* Its next step, so much later. peers.c */
void peer_read_in(struct peer *peer, uint64_t delay_ns);
void peer_write_in(struct peer *peer, uint64_t delay_ns);

#endif
