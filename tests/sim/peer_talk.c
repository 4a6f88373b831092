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
        TG_SIM_RULE(peer->down.at == 0, "the server has ended its stream inside a message");
    }
    peer_go(peer, false);
}

/* At most `most` bytes; what it answers is as of tg_net_read. */
static int read_some(struct peer *peer, uint32_t most)
{
    int got = tg_net_read(peer->sock, scratch, most < SCRATCH_BYTES ? most : SCRATCH_BYTES);
    if (got > 0) {
        TG_SIM_RULE(script_cursor_check(&peer->down, scratch, (uint32_t)got),
                    "bytes came down that nobody wrote, or in another order");
        peer->life->down_seen = peer->down.message;
        TG_SIM_RULE(peer->life->down_seen <= peer->life->down_accepted,
                    "a message came down that was not accepted");
    }
    return got;
}

void peer_read(struct peer *peer)
{
    if (peer->kind == PLAN_KIND_deaf) {
        return; /* an error comes to its notice when it leaves */
    }
    bool is_slow = peer->kind == PLAN_KIND_slow && !peers_world.is_finishing;
    int got;
    do {
        got = read_some(peer, is_slow ? 1 + tg_sim_below(64) : SCRATCH_BYTES);
    } while (got > 0 && !is_slow);
    if (got < 0 && got != THRONG_EAGAIN) {
        on_end_or_error(peer, got);
    } else if (is_slow && got > 0) {
        peer_read_in(peer, peer_pause(peer));
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
    return peer->up.message == peer->goal_message && peer->up.at == peer->goal_at;
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
    return peer->kind == PLAN_KIND_trickle ? pause / 64 : pause;
}

void peer_write(struct peer *peer)
{
    uint32_t most = peers_world.plan->write_bytes;
    bool is_trickle = peer->kind == PLAN_KIND_trickle && !peers_world.is_finishing;
    if (is_trickle) {
        most = peer->up.size <= 512 ? 1 : 16; /* or a long message takes all of the run */
    }
    most = 1 + tg_sim_below(most);
    peer->is_blocked = false;
    uint32_t size = fill(peer, most);
    if (size > 0) {
        int written = tg_net_write(peer->sock, scratch, size);
        if (written == THRONG_EAGAIN) {
            peer->is_blocked = true;
            peer_hurry_deaf(peer);
            return;
        }
        if (written < 0) {
            on_write_error(peer);
            return;
        }
        script_cursor_skip(&peer->up, (uint32_t)written);
        peer->life->up_sent = peer->up.message;
        peer->life->up_begun = peer->up.at;
    }
    if (is_at_goal(peer)) {
        peer_end(peer);
    } else {
        peer_write_in(peer, pause_before_next(peer));
    }
}
