/* SPDX-License-Identifier: MIT
 * How a raw peer reads and writes. */
#include "peer.h"

#define SCRATCH_BYTES 4096u

static uint8_t scratch[SCRATCH_BYTES];

void peer_come_up(struct peer *peer)
{
    if (peer->kind == PLAN_KIND_deaf) {
        peer->life->flags |= LIFE_DEAF;
    }
    bool at_once = peer->kind == PLAN_KIND_stormer || peer->kind == PLAN_KIND_resetter;
    if (at_once && tg_sim_below(3) == 0) {
        peer_end(peer);
        return;
    }
    uint64_t pause = peer_pause(peer);
    if (peer->kind == PLAN_KIND_silent && !peers_world.is_finishing) {
        pause = tg_sim_random() % (1 + (uint64_t)peers_world.plan->faulty_ms * 1000000u);
    }
    peer_write_in(peer, pause);
}

/* ---- reading ---- */

static void on_end_or_error(struct peer *peer, int error)
{
    peer->life->flags |= error == THRONG_EEOF ? LIFE_EOF : LIFE_BROKEN;
    if (error == THRONG_EEOF) {
        TG_SIM_RULE(!script_reader_is_inside(&peer->down),
                    "the server has ended its stream inside a message");
    }
    peer_go(peer, false);
}

/* At most `most` bytes; what it answers is as of tg_net_read. */
static int read_some(struct peer *peer, uint32_t most)
{
    int got = tg_net_read(peer->sock, scratch, most < SCRATCH_BYTES ? most : SCRATCH_BYTES);
    if (got > 0) {
        TG_SIM_RULE(script_reader_take(&peer->down, scratch, (uint32_t)got),
                    "bytes came down that nobody wrote, or in another order");
        ledger_note_down(peer->life, script_reader_next(&peer->down), peer->down.missed);
        peer_note_beats(peer);
    }
    return got;
}

/* Bytes that it takes at once. */
static uint32_t appetite(const struct peer *peer)
{
    if (peers_world.is_finishing) {
        return SCRATCH_BYTES;
    }
    return peer->kind == PLAN_KIND_slow     ? 1 + tg_sim_below(64)
           : peer->kind == PLAN_KIND_sipper ? 1
                                            : SCRATCH_BYTES;
}

void peer_read(struct peer *peer)
{
    if (peer->kind == PLAN_KIND_deaf) {
        return; /* an error comes to its notice when it leaves */
    }
    uint32_t most = appetite(peer);
    bool is_slow = most < SCRATCH_BYTES;
    int got;
    do {
        got = read_some(peer, most);
    } while (got > 0 && !is_slow);
    if (got < 0 && got != THRONG_EAGAIN) {
        on_end_or_error(peer, got);
    } else if (is_slow && got > 0) {
        peer_read_in(peer, peer_read_pause(peer));
    }
}

/* ---- writing ---- */

/* Bytes of the script up to the goal, at most `most` and as far as the scratch reaches. */
static uint32_t fill(struct peer *peer, uint32_t most)
{
    struct script_cursor cursor = peer->up;
    uint32_t size = 0;
    most = most < SCRATCH_BYTES ? most : SCRATCH_BYTES;
    while (size < most) {
        uint32_t left = script_cursor_left(&cursor);
        if (cursor.message == peer->goal_message) {
            left = peer->goal_at - cursor.at;
        }
        if (left == 0) {
            break;
        }
        left = left < most - size ? left : most - size;
        script_cursor_fill(&cursor, scratch + size, left);
        size += left;
    }
    return size;
}

static bool is_at_goal(const struct peer *peer)
{
    return peer->up.message == peer->goal_message && peer->up.at == peer->goal_at &&
           peer->beat_left == 0;
}

/* It cannot write any more: whoever reads finds out why, whoever does not, goes. */
static void on_write_error(struct peer *peer)
{
    if (peer->kind == PLAN_KIND_deaf) {
        peer->life->flags |= LIFE_BROKEN;
        peer_go(peer, false);
        return;
    }
    peer->state = PEER_LISTENS;
    peer->life->flags |= LIFE_BROKEN;
    peer_read_in(peer, 0);
}

static uint64_t pause_before_next(struct peer *peer)
{
    uint64_t pause = peer_pause(peer);
    if (peer->kind == PLAN_KIND_pauser && !peer->has_paused && peer->up.at > 0 &&
        !peers_world.is_finishing) {
        peer->has_paused = true;
        pause += tg_sim_random() % UINT64_C(4000000000);
    }
    if (peer->kind == PLAN_KIND_dripper && !peers_world.is_finishing) {
        return tg_sim_random() % (1 + (uint64_t)peers_world.plan->drip_ms * 1000000u);
    }
    return peer->kind == PLAN_KIND_trickle   ? pause / 64
           : peer->kind == PLAN_KIND_flooder ? pause / 1024
                                             : pause;
}

/* Bytes that it writes at once at most. */
static uint32_t write_most(const struct peer *peer)
{
    bool is_trickle = peer->kind == PLAN_KIND_trickle && !peers_world.is_finishing;
    bool is_dripper = peer->kind == PLAN_KIND_dripper && !peers_world.is_finishing;
    /* Not less for a long message, or it takes all of the run. */
    uint32_t most = is_trickle   ? (peer->up.size <= 512 ? 1 : 16)
                    : is_dripper ? 1 + peer->up.size / 16
                                 : peers_world.plan->write_bytes;
    return 1 + tg_sim_below(most);
}

/* The network's answer to a write. Whether it took anything. */
static bool has_written(struct peer *peer, int written)
{
    if (written == THRONG_EAGAIN) {
        peer->is_blocked = true;
        peer_hurry_deaf(peer);
    } else if (written < 0) {
        on_write_error(peer);
    }
    return written > 0;
}

/* A heartbeat between two messages, in one piece or several. */
static bool write_beat(struct peer *peer)
{
    static const uint8_t beat[4];
    int written = tg_net_write(peer->sock, beat, 1 + tg_sim_below(peer->beat_left));
    if (!has_written(peer, written)) {
        return false;
    }
    peer->beat_left = (uint8_t)(peer->beat_left - written);
    peer->life->up_begun = peer->beat_left == 0 ? 0 : 4u - peer->beat_left;
    return true;
}

static bool write_script(struct peer *peer)
{
    uint32_t size = fill(peer, write_most(peer));
    if (size == 0) {
        return true;
    }
    int written = tg_net_write(peer->sock, scratch, size);
    if (!has_written(peer, written)) {
        return false;
    }
    script_cursor_skip(&peer->up, (uint32_t)written);
    peer->life->up_sent = peer->up.message;
    peer->life->up_begun = peer->up.at;
    return true;
}

/* It has said all, and stays for a while: what a player does who is away. */
static bool is_idling(struct peer *peer)
{
    if (peer->kind != PLAN_KIND_idler || peers_world.is_finishing || peer->has_paused) {
        return false;
    }
    peer->has_paused = true;
    peer_write_in(peer, tg_sim_random() % (1 + (uint64_t)peers_world.plan->idle_ms * 1000000u));
    return true;
}

void peer_write(struct peer *peer)
{
    peer->is_blocked = false;
    if (peer->beat_left == 0 && peer->beats_owed > 0 && peer->up.at == 0 && peer->lie_at == 0) {
        peer->beats_owed--;
        peer->beat_left = 4;
    }
    if (!(peer->beat_left > 0 ? write_beat(peer) : write_script(peer))) {
        return;
    }
    if (!is_at_goal(peer)) {
        peer_write_in(peer, pause_before_next(peer));
    } else if (!is_idling(peer)) {
        peer_end(peer);
    }
}

/* ---- heartbeats ---- */

void peer_note_beats(struct peer *peer)
{
    uint32_t came = peer->down.beats - peer->beats_seen;
    peer->beats_seen = peer->down.beats;
    TG_SIM_RULE(came == 0 || peers_world.plan->server.heartbeat_ms[peer->ipv6 ? 1 : 0] != 0,
                "a heartbeat came down, and there are none");
    if (came == 0 || peer->state != PEER_TALKS) {
        return;
    }
    if (peer->beat_habit == PEER_BEATS_NEVER) {
        return;
    }
    peer->beats_owed += peer->beat_habit == PEER_BEATS_ANSWERS_TWICE ? 2 * came : came;
    /* An idle one must come back to say it; whoever is about to write does so then. */
    if (!peer->is_blocked && peer->kind == PLAN_KIND_idler) {
        peer->has_paused = false;
        peer_write_in(peer, 0);
    }
}
