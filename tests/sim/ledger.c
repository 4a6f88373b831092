/* SPDX-License-Identifier: MIT
 * The ledger's records, addresses and sums. */
#include "ledger.h"

#include <stdio.h>
#include <string.h>

#include <throng/server.h>

#include "judge.h"
#include "room_ledger.h"
#include "script.h"

/* Clients' addresses begin at 127.1.0.0, raw peers' lives at 127.16.0.0. */
#define CLIENT_NET 1u
#define LIFE_NET 16u
#define CLIENTS_TOGETHER (PLAN_SWARM_MAX + PLAN_CLIENTS_MAX)

struct ledger_sums ledger_sums;

static struct life lives[LEDGER_LIVES_MAX];
static uint32_t lives_count;
static uint32_t addresses; /* IPv4 addresses that raw peers share; 0: each life has its own */
static uint32_t newest_of_client[CLIENTS_TOGETHER];
static const struct life *judged;

void ledger_begin(const struct plan *plan)
{
    memset(lives, 0, lives_count * sizeof lives[0]);
    memset(&ledger_sums, 0, sizeof ledger_sums);
    memset(newest_of_client, 0xff, sizeof newest_of_client);
    lives_count = 0;
    addresses = plan->addresses;
    judge_begin(plan);
}

struct life *ledger_add(uint32_t kind, uint32_t owner)
{
    /* Our own clients ask for a record when they are up already: the last ones are for them. */
    uint32_t most = kind < PLAN_KIND_COUNT ? LEDGER_LIVES_MAX - 10000u : LEDGER_LIVES_MAX;
    if (lives_count >= most) {
        return NULL;
    }
    struct life *life = &lives[lives_count];
    life->number = lives_count++;
    life->kind = (uint8_t)kind;
    life->owner = owner;
    life->older = LEDGER_NOBODY;
    return life;
}

struct life *ledger_at(uint32_t number)
{
    TG_REQUIRE(number < lives_count);
    return &lives[number];
}

uint32_t ledger_count(void)
{
    return lives_count;
}

void ledger_address(const struct life *life, bool ipv6, struct throng_address *address)
{
    uint32_t number = life->number;
    memset(address, 0, sizeof *address);
    address->port = (uint16_t)(1 + number);
    if (ipv6) {
        address->family = THRONG_ADDRESS_IPV6;
        address->bytes[15] = 1;
        return;
    }
    address->family = THRONG_ADDRESS_IPV4;
    address->bytes[0] = 127;
    address->bytes[1] = LIFE_NET;
    if (addresses > 0) {
        number %= addresses; /* the port names the life */
    }
    address->bytes[2] = (uint8_t)(number >> 8);
    address->bytes[3] = (uint8_t)number;
}

void ledger_client_address(uint32_t client, struct throng_address *address)
{
    memset(address, 0, sizeof *address);
    address->family = THRONG_ADDRESS_IPV4;
    address->bytes[0] = 127;
    address->bytes[1] = CLIENT_NET;
    address->bytes[3] = (uint8_t)client;
}

struct life *ledger_find_client(uint32_t client, uint16_t port, uint32_t mine)
{
    TG_REQUIRE(client < CLIENTS_TOGETHER);
    uint32_t at = newest_of_client[client];
    while (at != LEDGER_NOBODY) {
        struct life *life = &lives[at];
        if (life->port == port && (life->flags & mine) == 0) {
            return life;
        }
        if (life->port == port) {
            break; /* the port was given anew since */
        }
        at = life->older;
    }
    uint32_t kind = client < PLAN_SWARM_MAX ? PLAN_KIND_swarm : PLAN_KIND_client;
    struct life *life = ledger_add(kind, client);
    if (life != NULL) {
        life->port = port;
        life->older = newest_of_client[client];
        newest_of_client[client] = life->number;
    }
    return life;
}

struct life *ledger_find(const struct throng_address *address)
{
    uint32_t number = (uint32_t)address->port - 1;
    struct throng_address known;
    if (address->family == THRONG_ADDRESS_IPV4 && address->bytes[1] == CLIENT_NET) {
        uint32_t client = address->bytes[3];
        return client < CLIENTS_TOGETHER ? ledger_find_client(client, address->port, LIFE_OPEN)
                                         : NULL;
    }
    if (number >= lives_count) {
        return NULL;
    }
    ledger_address(&lives[number], address->family == THRONG_ADDRESS_IPV6, &known);
    return memcmp(&known, address, sizeof known) == 0 ? &lives[number] : NULL;
}

/* ---- the two sides ---- */

static void judge_if_done(struct life *life)
{
    const uint32_t done = LIFE_PEER_DONE | LIFE_GAME_DONE;
    if ((life->flags & done) == done && (life->flags & LIFE_JUDGED) == 0) {
        life->flags |= LIFE_JUDGED;
        judged = life;
        judge_both(life);
        room_ledger_end(life->number, (life->flags & LIFE_EOF) != 0 &&
                                          (life->flags & (LIFE_DEAF | LIFE_STOPPED)) == 0 &&
                                          life->reason == THRONG_CLOSE_LOCAL);
        judged = NULL;
        ledger_sums.judged++;
        ledger_sums.messages_up += life->up_taken;
        ledger_sums.messages_down += life->down_seen - life->down_missed;
        ledger_sums.messages_missed += life->down_missed;
    }
}

void ledger_note_down(struct life *life, uint32_t seen, uint32_t missed)
{
    life->down_seen = seen;
    life->down_missed = missed;
    TG_SIM_RULE(seen <= life->down_accepted, "a message came down that was not accepted");
    TG_SIM_RULE(missed == 0 || (life->flags & LIFE_GAME_DROP) != 0,
                "a message was dropped, and the policy is another");
}

void ledger_take_down(struct life *life, const void *data, size_t size)
{
    if (size == 0 && script_has_beats()) {
        return;
    }
    uint32_t number = script_number(data, size, life->down_seen);
    if (number >= SCRIPT_ROOM_FIRST) {
        uint32_t next = life->down_seen;
        TG_SIM_RULE(room_ledger_hear(life->number, number, &next) &&
                        script_is(SCRIPT_ROOM_LIFE, number, SCRIPT_DOWN, data, size),
                    "a client hears what was not broadcast to it, or not then");
        ledger_note_down(life, next, life->down_missed + next - life->down_seen);
        return;
    }
    room_ledger_pass(life->number, number);
    TG_SIM_RULE(number >= life->down_seen &&
                    script_is(life->number, number, SCRIPT_DOWN, data, size),
                "a client's message is not what was written");
    ledger_note_down(life, number + 1, life->down_missed + number - life->down_seen);
}

void ledger_closed(struct life *life, uint32_t reason)
{
    life->flags |= LIFE_GONE;
    life->reason = (uint8_t)reason;
    TG_REQUIRE(reason < LEDGER_REASONS);
    ledger_sums.reasons[reason]++;
    judged = life;
    judge_reason(life);
    judged = NULL;
}

void ledger_print_judged(void)
{
    if (judged != NULL) {
        (void)fprintf(stderr,
                      "life %u (%s %u): flags %x, reason %u, up %u sent and %u bytes, %u taken, "
                      "down %u accepted, %u promised, %u seen, %u missed\n",
                      judged->number, plan_kind_name(judged->kind), judged->owner, judged->flags,
                      judged->reason, judged->up_sent, judged->up_begun, judged->up_taken,
                      judged->down_accepted, judged->down_promised, judged->down_seen,
                      judged->down_missed);
    }
}

void ledger_peer_done(struct life *life)
{
    TG_SIM_RULE((life->flags & LIFE_PEER_DONE) == 0, "a peer is done with a life twice");
    life->flags |= LIFE_PEER_DONE;
    judge_if_done(life);
}

void ledger_game_done(struct life *life)
{
    TG_SIM_RULE((life->flags & LIFE_GAME_DONE) == 0, "the game is done with a life twice");
    life->flags |= LIFE_GAME_DONE;
    judge_if_done(life);
}

void ledger_end(void)
{
    for (uint32_t i = 0; i < lives_count; i++) {
        struct life *life = &lives[i];
        bool is_raw = life->kind < PLAN_KIND_COUNT;
        TG_SIM_RULE(!is_raw || (life->flags & LIFE_PEER_DONE) != 0, "a peer is not done");
        TG_SIM_RULE((life->flags & LIFE_OPEN) == 0 || (life->flags & LIFE_GAME_DONE) != 0,
                    "a connection that was opened has not ended");
        judge_end(life);
    }
    judge_sums();
}
