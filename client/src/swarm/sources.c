/* SPDX-License-Identifier: MIT
 * Source addresses: how many the connections need, and which one each comes from. Pure: the number
 * of ports that the system has is an argument. At start, then on the swarm's threads.
 *
 * A port of a source address serves one connection to a target, so one address reaches a target as
 * many times as there are ports. The connections of a target fill one source after the other:
 *
 *   connection   index / targets = place among those of its target
 *   source       place / ports_per_source, counted from the first address */
#include <string.h>

#include "base/assert.h"
#include "base/failure.h"
#include "swarm/state.h"

/* Linux tries the ports of one parity first, so from half of the range on each connect walks over
 * all of that half (180 us instead of 15, measured on 6.18); and some ports are taken by
 * connections that others made or that have just ended (TIME_WAIT). Where more addresses cost
 * nothing, only so much of a range is used. */
#define COMFORTABLE_FIFTHS 2u

static bool is_same(const struct throng_address *a, const struct throng_address *b)
{
    return a->family == b->family && a->port == b->port && a->scope_id == b->scope_id &&
           memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* How often the target is named that is named most often: all of its connections share the
 * ports. */
static uint32_t most_named(const struct swarm_plan *plan)
{
    uint32_t most = 1;
    for (uint32_t i = 0; i < plan->target_count; i++) {
        uint32_t named = 0;
        for (uint32_t k = 0; k < plan->target_count; k++) {
            named += is_same(&plan->targets[i], &plan->targets[k]);
        }
        most = named > most ? named : most;
    }
    return most;
}

/* All of 127.0.0.0/8 is this machine: sources there need no set-up. */
static bool all_are_loopback_ipv4(const struct swarm_plan *plan)
{
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const struct throng_address *target = &plan->targets[i];
        if (target->family != THRONG_ADDRESS_IPV4 || target->bytes[0] != 127) {
            return false;
        }
    }
    return true;
}

static uint32_t divide_up(uint32_t number, uint32_t divisor)
{
    TG_REQUIRE(divisor > 0);
    return (number + divisor - 1) / divisor;
}

static int check_families(const struct swarm_plan *plan, struct throng_error *error)
{
    for (uint32_t i = 0; i < plan->target_count; i++) {
        if (plan->targets[i].family != plan->options.source.family) {
            char target[THRONG_ADDRESS_TEXT_SIZE];
            char source[THRONG_ADDRESS_TEXT_SIZE];
            return tg_failure(error, THRONG_EINVAL,
                              "source is %s, but targets[%u] is %s: both must be IPv4 or both IPv6",
                              throng_address_text(&plan->options.source, source), i,
                              throng_address_text(&plan->targets[i], target));
        }
    }
    return 0;
}

int tg_swarm_plan_sources(struct swarm_plan *plan, uint32_t ports, struct throng_error *error)
{
    struct throng_swarm_options *options = &plan->options;
    uint32_t named = most_named(plan);
    /* Of each entry of the target list. */
    uint32_t connections = divide_up(options->connections, plan->target_count);
    uint32_t full = ports < named ? 1 : ports / named;
    uint32_t comfortable = full < 5 ? 1 : full / 5 * COMFORTABLE_FIFTHS;
    uint32_t wanted = divide_up(connections, comfortable);

    plan->has_source = options->source.family != THRONG_ADDRESS_NONE;
    if (plan->has_source) {
        int result = check_families(plan, error);
        if (result < 0) {
            return result;
        }
    } else if (options->source_count > 1) {
        return tg_failure(error, THRONG_EINVAL,
                          "source_count is %u, but source, the first address, is not set",
                          options->source_count);
    } else if (wanted > 1 && all_are_loopback_ipv4(plan)) {
        plan->has_source = true;
        options->source =
            (struct throng_address){.family = THRONG_ADDRESS_IPV4, .bytes = {127, 0, 0, 1}};
        options->source_count = wanted;
    }
    if ((uint64_t)options->source_count * full < connections) {
        return tg_failure(
            error, THRONG_EADDRNOTAVAIL,
            "connections is %u, so %u of them share a target, but %u source address%s with %u "
            "ports (ip_local_port_range) allow%s %llu; %u source addresses would do",
            options->connections, connections * named, options->source_count,
            options->source_count == 1 ? "" : "es", ports, options->source_count == 1 ? "s" : "",
            (unsigned long long)options->source_count * ports, wanted);
    }
    /* Evenly over what there is. */
    plan->ports_per_source = divide_up(connections, options->source_count);
    return 0;
}

struct throng_address tg_swarm_plan_source(const struct swarm_plan *plan, uint32_t index)
{
    struct throng_address source = plan->options.source;
    uint32_t offset = index / plan->target_count / plan->ports_per_source;
    int last = source.family == THRONG_ADDRESS_IPV4 ? 3 : 15;
    /* The address as a number, plus offset. */
    for (int i = last; i >= 0 && offset > 0; i--) {
        offset += source.bytes[i];
        source.bytes[i] = (uint8_t)offset;
        offset >>= 8;
    }
    source.port = 0;
    return source;
}
