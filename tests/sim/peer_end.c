/* SPDX-License-Identifier: MIT
 * How a raw peer comes to its end, by its kind. */
#include "peer.h"

/* How long a deaf one stays, ns. */
#define STUBBORN_NS UINT64_C(16000000000)

void peer_choose_goal(struct peer *peer)
{
    peer->goal_message = tg_sim_below(peers_world.plan->messages + 1);
    peer->goal_at = 0;
    switch ((enum plan_kind)peer->kind) {
    case PLAN_KIND_silent:
        peer->goal_message = 0;
        break;
    case PLAN_KIND_cutter:
    case PLAN_KIND_resetter:
        if (peer->kind == PLAN_KIND_cutter || tg_sim_below(2) == 0) {
            uint32_t frame = 4 + script_size(peer->life->number, peer->goal_message, SCRIPT_UP);
            peer->goal_at = tg_sim_below(2) == 0 ? 1 + tg_sim_below(3)
                                                 : 1 + tg_sim_below(frame - 1);
        }
        break;
    case PLAN_KIND_stormer:
        peer->goal_message = tg_sim_below(3);
        break;
    default:
        break;
    }
}

/* Ends its direction; it goes on reading. */
static void half_close(struct peer *peer, uint32_t flag)
{
    peer->life->flags |= flag;
    peer->state = PEER_LISTENS;
    tg_net_shutdown(peer->sock);
}

/* Goes in a while. One that is deaf stays for longer than the server should have patience. */
static void leave(struct peer *peer)
{
    uint64_t pause = tg_sim_random() % (peers_world.is_finishing ? 1000000u : UINT64_C(3000000000));
    if (peer->kind == PLAN_KIND_deaf && (peers_world.is_finishing || tg_sim_below(2) == 0)) {
        pause += STUBBORN_NS;
    }
    peer->state = PEER_LEAVES;
    peer_write_in(peer, pause);
}

void peer_hurry_deaf(struct peer *peer)
{
    if (peers_world.is_finishing && peer->kind == PLAN_KIND_deaf && peer->is_blocked) {
        leave(peer);
    }
}

void peer_hurry(struct peer *peer)
{
    if (peer->goal_at == 0 && peer->up.message < peer->goal_message) {
        peer->goal_message = peer->up.message + (peer->up.at > 0 ? 1 : 0);
    }
    if (peer->state == PEER_TALKS && !peer->is_blocked) {
        peer_write_in(peer, peer_pause(peer));
    } else if (peer->state == PEER_LEAVES) {
        leave(peer);
    }
    if (peer->state >= PEER_TALKS &&
        (peer->kind == PLAN_KIND_slow || peer->kind == PLAN_KIND_sipper)) {
        peer_read_in(peer, 0);
    }
    peer_hurry_deaf(peer);
}

static void choose_lie(struct peer *peer)
{
    static const uint32_t lies[] = {0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, 0xffff0000};
    uint32_t pick = tg_sim_below(8);
    uint32_t above = peers_world.plan->server.message_bytes_max + 1;
    script_header(peer->lie, pick < 5 ? lies[pick] : above + (pick == 5 ? 0 : tg_sim_below(1000)));
}

static void tell_lie(struct peer *peer)
{
    if (peer->lie_at == 0) {
        choose_lie(peer);
    }
    int written = tg_net_write(peer->sock, peer->lie + peer->lie_at, 4u - peer->lie_at);
    if (written > 0) {
        peer->lie_at = (uint8_t)(peer->lie_at + written);
        peer->life->up_begun = peer->lie_at;
    }
    if (peer->lie_at == 4) {
        peer->life->flags |= LIFE_LIED;
        leave(peer);
    } else if (written == THRONG_EAGAIN) {
        peer->is_blocked = true;
    } else if (written < 0) {
        peer->life->flags |= LIFE_BROKEN;
        leave(peer);
    } else {
        peer_write_in(peer, peer_pause(peer));
    }
}

void peer_end(struct peer *peer)
{
    switch ((enum plan_kind)peer->kind) {
    case PLAN_KIND_polite:
    case PLAN_KIND_trickle:
    case PLAN_KIND_slow:
    case PLAN_KIND_silent:
    case PLAN_KIND_pauser:
    case PLAN_KIND_dripper:
    case PLAN_KIND_flooder:
    case PLAN_KIND_idler:
    case PLAN_KIND_sipper:
        half_close(peer, LIFE_FIN);
        return;
    case PLAN_KIND_deaf:
        if (tg_sim_below(3) == 0) {
            half_close(peer, LIFE_FIN);
        }
        leave(peer);
        return;
    case PLAN_KIND_closer:
        peer_go(peer, false);
        return;
    case PLAN_KIND_cutter:
        if (tg_sim_below(2) == 0) {
            half_close(peer, LIFE_CUT);
        } else {
            peer_go(peer, false);
        }
        return;
    case PLAN_KIND_liar:
        tell_lie(peer);
        return;
    case PLAN_KIND_resetter:
        peer_go(peer, true);
        return;
    case PLAN_KIND_stormer:
        peer_go(peer, tg_sim_below(2) == 0);
        return;
    case PLAN_KIND_swarm:
    case PLAN_KIND_client:
        break;
    }
    TG_UNREACHABLE("a kind that no raw peer has");
}
