/* SPDX-License-Identifier: MIT
 * The raw peers' lives: connect, come up, go, and after a while again. */
#include "peers.h"

#include <stdio.h>
#include <string.h>

#include "peer.h"

struct peers_world peers_world;

static struct peer peers[PLAN_PEERS_MAX];
static uint32_t peers_count;

static struct peer *of_reads(struct tg_sim_action *action)
{
    return TG_CONTAINER_OF(action, struct peer, reads);
}

static struct peer *of_writes(struct tg_sim_action *action)
{
    return TG_CONTAINER_OF(action, struct peer, writes);
}

/* ---- going ---- */

/* How the server can see this end: what the network makes of a close depends on what was read. */
static uint32_t flags_of_close(const struct peer *peer, bool abort)
{
    uint32_t flags = peer->life->flags;
    if (abort || tg_net_readable(peer->sock) > 0) {
        return LIFE_RESET | LIFE_CLOSED;
    }
    if ((flags & (LIFE_FIN | LIFE_CUT | LIFE_LIED | LIFE_BROKEN)) != 0) {
        return LIFE_CLOSED;
    }
    bool is_between = peer->up.at == 0 && peer->lie_at == 0 && peer->beat_left == 0;
    return LIFE_CLOSED | (is_between ? LIFE_FIN : LIFE_CUT);
}

static void rest(struct peer *peer)
{
    peer->state = PEER_RESTS;
    peer->life = NULL;
    peers_world.busy--;
    tg_sim_act_not(&peer->reads);
    tg_sim_act_not(&peer->writes);
    if (!peers_world.is_finishing && peer->lives_left > 0) {
        peer_write_in(peer, peer_pause(peer) * (peer->kind == PLAN_KIND_stormer ? 1 : 8));
    }
}

void peer_go(struct peer *peer, bool abort)
{
    struct life *life = peer->life;
    tg_sim_note(TG_SIM_NOTE_peer, peer->number, abort ? -2 : -1);
    life->flags |= flags_of_close(peer, abort);
    tg_net_watch(peer->sock, NULL);
    tg_net_close_socket(peer->sock, abort);
    peer->sock = TG_NET_NONE;
    ledger_peer_done(life);
    rest(peer);
}

/* ---- coming ---- */

static void notify(struct tg_net_watcher *watcher)
{
    struct peer *peer = TG_CONTAINER_OF(watcher, struct peer, watcher);
    bool is_deaf = peer->kind == PLAN_KIND_deaf && peer->state == PEER_TALKS;
    if (!tg_sim_is_set(&peer->reads) && !is_deaf) {
        peer_read_in(peer, peer_read_pause(peer));
    }
    if (peer->is_blocked && !tg_sim_is_set(&peer->writes)) {
        peer_write_in(peer, 0);
    }
}

static void connect_now(struct peer *peer, uint32_t sock)
{
    struct throng_address address;
    peer->sock = sock;
    ledger_address(peer->life, peer->ipv6, &address);
    TG_SIM_RULE(tg_net_bind(sock, &address) == 0, "a peer's address must be free");
    memset(&address, 0, sizeof address);
    address.family = peer->ipv6 ? THRONG_ADDRESS_IPV6 : THRONG_ADDRESS_IPV4;
    address.port = peer->ipv6 ? 7001 : 7000;
    address.bytes[peer->ipv6 ? 15 : 3] = 1;
    address.bytes[0] = peer->ipv6 ? 0 : 127;
    tg_net_watch(sock, &peer->watcher);
    (void)tg_net_connect(sock, &address);
    peer_read_in(peer, 0);
}

static void begin_life(struct peer *peer)
{
    int sock = tg_net_socket();
    peers_world.busy++;
    peer->lives_left--;
    peer->life = sock < 0 ? NULL : ledger_add(peer->kind, peer->number);
    if (peer->life == NULL) {
        if (sock >= 0) {
            tg_net_close_socket((uint32_t)sock, false);
            peer->lives_left = 0; /* the ledger is full */
        }
        rest(peer);
        return;
    }
    peer->state = PEER_CONNECTS;
    peer->is_blocked = false;
    peer->has_paused = false;
    peer->lie_at = 0;
    script_cursor_start(&peer->up, peer->life->number, SCRIPT_UP);
    script_reader_start(&peer->down, peer->life->number);
    peer->beat_left = 0;
    peer->beats_owed = 0;
    peer->beats_seen = 0;
    if (peers_world.plan->server.heartbeat_ms[peer->ipv6 ? 1 : 0] != 0) {
        peer->beat_habit = (uint8_t)tg_sim_below(PEER_BEATS_HABITS);
        peer->beats_owed = peer->beat_habit == PEER_BEATS_ASKS ? tg_sim_below(8) : 0;
    }
    peer_choose_goal(peer);
    tg_sim_note(TG_SIM_NOTE_peer, peer->number, peer->life->number);
    connect_now(peer, (uint32_t)sock);
    if (peer->kind == PLAN_KIND_stormer && tg_sim_below(8) == 0) {
        peer_write_in(peer, peer_pause(peer)); /* it may have gone before it has come */
    }
}

static void look_whether_connected(struct peer *peer)
{
    int connected = tg_net_is_connected(peer->sock);
    if (connected < 0) {
        peer->life->flags |= LIFE_BROKEN;
        peer_go(peer, false);
    } else if (connected > 0) {
        peer->life->flags |= LIFE_UP;
        peer->state = PEER_TALKS;
        peer_come_up(peer);
    }
}

/* ---- steps ---- */

static void on_reads(struct tg_sim_action *action)
{
    struct peer *peer = of_reads(action);
    if (peer->state == PEER_CONNECTS) {
        look_whether_connected(peer);
    }
    if (peer->state >= PEER_TALKS) {
        peer_read(peer);
    }
}

static void on_writes(struct tg_sim_action *action)
{
    struct peer *peer = of_writes(action);
    switch ((enum peer_state)peer->state) {
    case PEER_RESTS:
        begin_life(peer);
        break;
    case PEER_TALKS:
        peer_write(peer);
        break;
    case PEER_CONNECTS:
    case PEER_LEAVES:
        peer_go(peer, tg_sim_below(4) == 0);
        break;
    case PEER_LISTENS:
        break;
    }
}

void peer_read_in(struct peer *peer, uint64_t delay_ns)
{
    tg_sim_act(&peer->reads, on_reads, delay_ns);
}

void peer_write_in(struct peer *peer, uint64_t delay_ns)
{
    tg_sim_act(&peer->writes, on_writes, delay_ns);
}

uint64_t peer_pause(const struct peer *peer)
{
    (void)peer;
    return peers_world.is_finishing ? tg_sim_below(1000) : tg_sim_below(peers_world.plan->think_ns);
}

uint64_t peer_read_pause(const struct peer *peer)
{
    if (peers_world.is_finishing) {
        return 0;
    }
    return peer->kind == PLAN_KIND_slow     ? peer_pause(peer)
           : peer->kind == PLAN_KIND_sipper ? tg_sim_below(peers_world.plan->sip_ns)
                                            : 0;
}

/* ---- all of them ---- */

static uint8_t choose_kind(const struct plan *plan)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < PLAN_KIND_COUNT; i++) {
        sum += plan->kind_weight[i];
    }
    uint32_t pick = tg_sim_below(sum);
    uint8_t kind = 0;
    while (pick >= plan->kind_weight[kind]) {
        pick -= plan->kind_weight[kind++];
    }
    return kind;
}

void peers_begin(const struct plan *plan)
{
    peers_world = (struct peers_world){.plan = plan};
    peers_count = plan->peers;
    memset(peers, 0, peers_count * sizeof peers[0]);
    for (uint32_t i = 0; i < peers_count; i++) {
        struct peer *peer = &peers[i];
        peer->watcher.notify = notify;
        peer->number = i;
        peer->sock = TG_NET_NONE;
        peer->kind = choose_kind(plan);
        peer->ipv6 = plan->ipv6 && tg_sim_below(2) == 0;
        peer->lives_left = plan->lives;
    }
}

void peers_start(void)
{
    for (uint32_t i = 0; i < peers_count; i++) {
        peer_write_in(&peers[i], peer_pause(&peers[i]));
    }
}

void peers_finish(void)
{
    peers_world.is_finishing = true;
    for (uint32_t i = 0; i < peers_count; i++) {
        struct peer *peer = &peers[i];
        if (peer->state == PEER_RESTS) {
            tg_sim_act_not(&peer->writes);
        } else {
            peer_hurry(peer);
        }
    }
}

uint32_t peers_busy(void)
{
    return peers_world.busy;
}

void peers_print(void)
{
    static const char *const names[] = {"rests", "connects", "talks", "listens", "leaves"};
    for (uint32_t i = 0; i < peers_count; i++) {
        const struct peer *peer = &peers[i];
        if (peer->life != NULL) {
            const struct life *life = peer->life;
            (void)fprintf(stderr,
                          "peer %u (%s) %s: life %u, flags %x, reason %u, up %u sent %u taken, "
                          "down %u accepted %u promised %u seen, socket %u%s\n",
                          i, plan_kind_name(peer->kind), names[peer->state], life->number,
                          life->flags, life->reason, life->up_sent, life->up_taken,
                          life->down_accepted, life->down_promised, life->down_seen, peer->sock,
                          peer->is_blocked ? ", blocked" : "");
        }
    }
}
