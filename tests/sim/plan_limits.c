/* SPDX-License-Identifier: MIT
 * Limits: deadlines, heartbeats, rates, policies, and the peers that meet them; and the game's
 * timers and posts. They are drawn by generators of their own, so that the rest of a seed's plan
 * stays what it was before there were any. */
#include "plan_chance.h"
#include "script.h"

#define FED_MEMORY_BYTES ((size_t)512 * 1024)

const uint32_t plan_kind_weights[PLAN_KIND_COUNT] = {
#define KIND_WEIGHT(name, weight, text) weight,
    PLAN_KIND_MAP(KIND_WEIGHT)
#undef KIND_WEIGHT
};

void plan_switch_off(struct throng_server_options *server)
{
    server->first_message_timeout_ms = THRONG_OFF;
    server->message_timeout_ms = THRONG_OFF;
    server->write_timeout_ms = THRONG_OFF;
    server->evict_silent_ms = THRONG_OFF;
    server->send_reserve_percent = 1;
}

/* Off, a little, or as users have it. */
static uint32_t deadline(struct tg_prng *prng, uint32_t off, uint32_t most)
{
    switch (below(prng, 5)) {
    case 0:
    case 1:
        return off;
    case 2:
        return spread(prng, 1, most);
    default:
        return between(prng, most / 16, most);
    }
}

static void choose_deadlines(struct plan *plan, struct tg_prng *prng)
{
    struct throng_server_options *server = &plan->server;
    server->first_message_timeout_ms = deadline(prng, THRONG_OFF, 6000);
    server->message_timeout_ms = deadline(prng, THRONG_OFF, 6000);
    server->idle_timeout_ms = deadline(prng, 0, 6000);
    server->write_timeout_ms = deadline(prng, THRONG_OFF, 6000);
    server->reader_rate_min = one_in(prng, 2) ? 1 : spread(prng, 1, 8192);
    server->logic_stall_ms = deadline(prng, THRONG_OFF, 2000);
    server->evict_silent_ms = deadline(prng, THRONG_OFF, 3000);
    server->heartbeat_ms[0] = one_in(prng, 2) ? 0 : spread(prng, 2, 4000);
    server->heartbeat_ms[1] = one_in(prng, 2) ? 0 : spread(prng, 2, 4000);
    plan->client_beat_ms =
        one_in(prng, 3) || server->heartbeat_ms[0] == 0 ? 0 : server->heartbeat_ms[0];
}

static void choose_rates(struct plan *plan, struct tg_prng *prng)
{
    struct throng_server_options *server = &plan->server;
    server->turn_messages = one_in(prng, 2) ? spread(prng, 1, 16) : 256;
    server->when_over_rate = one_in(prng, 2) ? THRONG_WHEN_OVER_RATE_SLOW
                                             : THRONG_WHEN_OVER_RATE_CLOSE;
    if (one_in(prng, 3)) {
        server->messages_per_s = spread(prng, 4, 4096);
        server->messages_burst = one_in(prng, 2) ? 0 : spread(prng, 1, 256);
    }
    if (one_in(prng, 3)) {
        uint32_t frame = server->message_bytes_max + THRONG_FRAME_HEADER_BYTES;
        server->bytes_per_s = spread(prng, 2000, 1000000) + frame;
        server->bytes_burst = one_in(prng, 2) ? 0 : frame + spread(prng, 1, 100000);
    }
    if (one_in(prng, 4)) {
        server->connections_per_address = spread(prng, 1, 16);
        plan->addresses = between(prng, 1, 1 + plan->peers / 4);
    }
}

static void choose_send_limits(struct plan *plan, struct tg_prng *prng)
{
    struct throng_server_options *server = &plan->server;
    server->send_reserve_percent = one_in(prng, 4) ? 1 : between(prng, 1, 90);
    plan->is_numbered = server->message_bytes_max >= 2 * SCRIPT_NUMBER_BYTES && one_in(prng, 2);
    uint32_t policies = plan->is_numbered ? 3 : 2;
    server->when_send_full = (enum throng_when_send_full)below(prng, policies);
    plan->limit_parts = one_in(prng, 2) ? 0 : spread(prng, 1, 64);
    plan->retry_parts = one_in(prng, 4) ? 0 : between(prng, 64, 256);
}

static void choose_limited_peers(struct plan *plan, struct tg_prng *prng)
{
    for (uint32_t i = PLAN_KIND_LIMITED; i < PLAN_KIND_COUNT; i++) {
        plan->kind_weight[i] = one_in(prng, 2) ? 0 : plan_kind_weights[i];
    }
    plan->drip_ms = between(prng, 20, 2000);
    plan->idle_ms = spread(prng, 100, 20000);
    plan->sip_ns = spread(prng, 1000000, 500000000);
}

void plan_choose_limits(struct plan *plan, uint64_t seed)
{
    struct tg_prng prng = {(seed + 1977) * 0x9e3779b97f4a7c15u};
    plan->has_limits = one_in(&prng, 2);
    if (plan->has_limits) {
        choose_deadlines(plan, &prng);
        choose_rates(plan, &prng);
        choose_send_limits(plan, &prng);
        choose_limited_peers(plan, &prng);
    }
}

/* A few worlds in which nobody is as fast as the least rate asks, and what waits never ends:
 * whoever takes all that waited when his span began must stay all the same. */
void plan_choose_feeding(struct plan *plan, uint64_t seed)
{
    struct tg_prng prng = {(seed + 31) * 0xe7037ed1a0b428dbu};
    if (!plan->has_limits || plan->server.max_connections > 100 || !one_in(&prng, 8)) {
        return;
    }
    /* As thin and as short as choose_network has it for long messages. */
    const uint32_t thinnest = 64 + plan->server.message_bytes_max / 16;
    plan->pipe_bytes = plan->pipe_bytes < thinnest ? plan->pipe_bytes : thinnest;
    plan->delay_ns = plan->delay_ns < 200000 ? plan->delay_ns : 200000;
    /* Or shortage judges them, by another rule. */
    if (plan->server.send_small_bytes < FED_MEMORY_BYTES) {
        plan->server.send_small_bytes = FED_MEMORY_BYTES;
    }
    plan->greet_parts = 256;
    plan->close_parts = 0;
    plan->abort_parts = 0;
    plan->server.write_timeout_ms = between(&prng, 100, 400);
    plan->server.reader_rate_min = spread(&prng, 65536, 1u << 30);
    plan->kind_weight[PLAN_KIND_slow] = 60;
    plan->messages = between(&prng, 120, 480);
    plan->think_ns = between(&prng, 1000000, 8000000);
    plan->wake_ns = between(&prng, 500000, 2000000);
    plan->answers = between(&prng, 1, 3);
    plan->long_parts = 0;
    plan->fed_bytes = spread(&prng, 16, 128);
}

/* With a generator of its own as well. Seldom more than a hundred events a second: a run is to be
 * about connections too, and each of these wakes a world that would have slept. */
void plan_choose_time(struct plan *plan, uint64_t seed)
{
    struct tg_prng prng = {(seed + 7) * 0x8cb92ba72f3d8dd7u};
    plan->server.timers_max = spread(&prng, 1, PLAN_TIMERS_MAX);
    plan->server.posts_max = spread(&prng, 1, 64);
    if (one_in(&prng, 2)) {
        plan->timer_parts = spread(&prng, 1, 64);
        plan->timer_ms = spread(&prng, 1, 4000);
    }
    if (one_in(&prng, 3)) {
        plan->tick_hz = one_in(&prng, 32) ? 1000 : spread(&prng, 1, 60);
    }
    plan->post_ns = 1; /* where there is nobody */
    plan->post_burst = 1;
    if (one_in(&prng, 3)) {
        plan->posters = between(&prng, 1, PLAN_POSTERS_MAX);
        plan->post_burst = spread(&prng, 1, 100);
        plan->post_ns = plan->post_burst * spread(&prng, 4000000, 40000000);
    }
}
