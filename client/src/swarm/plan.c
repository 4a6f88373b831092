/* SPDX-License-Identifier: MIT
 * The swarm's options: defaults, limits, and how many threads and source addresses they ask for. At
 * start. */
#include <string.h>

#include "base/failure.h"
#include "dial.h"
#include "os/descriptor_plan.h"
#include "os/port_range.h"
#include "os/thread.h"
#include "settings.h"
#include "swarm/state.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
#define MEMORY_MOST (64 * 1024 * MIB)

/* What the default of assembly_bytes grows to with the number of connections. */
#define ASSEMBLY_MODEST (64 * MIB)

/* Addresses of a target's name that are looked at. */
#define ADDRESSES_MAX 16

void throng_swarm_options_init(struct throng_swarm_options *options)
{
    memset(options, 0, sizeof(*options));
    options->struct_size = sizeof(*options);
    options->connections = 1;
    options->message_bytes_max = THRONG_MESSAGE_BYTES_DEFAULT;
    options->connects_in_flight = 256;
    options->connect_timeout_ms = 30000;
}

struct number {
    const char *name;
    uint32_t *value;
    uint32_t fallback; /* for 0 */
    uint32_t least;
    uint32_t most;
};

static int check_numbers(struct throng_swarm_options *options, struct throng_error *error)
{
    const struct number numbers[] = {
        {"connections", &options->connections, 1, 1, THRONG_SWARM_CONNECTIONS_LIMIT},
        {"threads", &options->threads, 1, 1, THRONG_SWARM_THREADS_LIMIT},
        {"connects_in_flight", &options->connects_in_flight, 256, 1, 65536},
        {"connect_timeout_ms", &options->connect_timeout_ms, 30000, 1, 3600000},
        {"source_count", &options->source_count, 1, 1, 65536},
        {"heartbeat_ms", &options->heartbeat_ms, 0, 0, TG_HEARTBEAT_MS_MAX},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const struct number *number = &numbers[i];
        if (*number->value == 0) {
            *number->value = number->fallback;
        }
        if (*number->value < number->least || *number->value > number->most) {
            return tg_failure(error, THRONG_EINVAL, "%s is %u; it must be %u..%u", number->name,
                              *number->value, number->least, number->most);
        }
    }
    if (options->handler.on_message == NULL || options->handler.on_open == NULL ||
        options->handler.on_closed == NULL) {
        return tg_failure(error, THRONG_EINVAL,
                          "the handler needs on_open, on_message and on_closed");
    }
    return 0;
}

static int check_size(const char *name, size_t value, size_t least, struct throng_error *error)
{
    if (value < least || value > MEMORY_MOST) {
        return tg_failure(error, THRONG_EINVAL, "%s is %zu; it must be %zu..%zu bytes", name, value,
                          least, MEMORY_MOST);
    }
    return 0;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The block of the message pool that a message of that size ends in. */
static size_t block_bytes_for(uint32_t message_bytes)
{
    size_t bytes = TG_MESSAGE_UNIT_BYTES;
    while (bytes < message_bytes) {
        bytes *= 2;
    }
    return bytes;
}

/* Memory for messages in pieces: a block of its own for each connection, as far as that is modest.
 * Pages that are not needed are never touched. */
static size_t default_assembly_bytes(const struct swarm_plan *plan, size_t block)
{
    size_t wanted = block * plan->options.connections;
    size_t modest = wanted < ASSEMBLY_MODEST ? wanted : ASSEMBLY_MODEST;
    return larger(larger(8 * MIB, 4 * block), modest);
}

static int check_sizes(struct swarm_plan *plan, struct throng_error *error)
{
    struct throng_swarm_options *options = &plan->options;
    size_t frame = (size_t)plan->rules.message_bytes_max + THRONG_FRAME_HEADER_BYTES;
    frame = (frame + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES * TG_BLOCK_BYTES;
    size_t block = block_bytes_for(plan->rules.message_bytes_max);
    if (options->send_queue_bytes_max == 0) {
        options->send_queue_bytes_max = (uint32_t)larger(256 * KIB, 2 * frame);
    }
    if (options->send_bytes == 0) {
        options->send_bytes = larger(16 * MIB, 2 * frame);
    }
    if (options->assembly_bytes == 0) {
        options->assembly_bytes = default_assembly_bytes(plan, block);
    }
    int result = check_size("send_queue_bytes_max", options->send_queue_bytes_max, frame, error);
    if (result == 0) {
        result = check_size("send_bytes", options->send_bytes, frame, error);
    }
    if (result == 0) {
        /* A message that grows moves from a block of half the size. */
        result = check_size("assembly_bytes", options->assembly_bytes, 2 * block, error);
    }
    options->assembly_bytes -= options->assembly_bytes % TG_MESSAGE_UNIT_BYTES;
    plan->send_units_max = (options->send_queue_bytes_max + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES;
    return result;
}

static int find_backend(struct swarm_plan *plan, struct throng_error *error)
{
    const char *name = plan->options.backend != NULL ? plan->options.backend : "auto";
    plan->backend = tg_port_backend_find(name);
    plan->options.backend = NULL; /* the caller's string */
    if (plan->backend == NULL) {
        return tg_failure(error, THRONG_EINVAL, "backend is \"%.40s\"; this build has auto, %s",
                          name, tg_port_backend_names());
    }
    char reason[TG_PORT_REASON_BYTES];
    int result = tg_port_backend_check(plan->backend, reason);
    return result == 0
               ? 0
               : tg_failure(error, result, "backend %s cannot be used here (%s)", name, reason);
}

/* Looks a target up: of a name's addresses the first that the source, if there is one, can
 * reach. */
static int resolve_target(const struct swarm_plan *plan, const char *text,
                          struct throng_address *target, struct throng_error *error)
{
    char host[TG_ENDPOINT_TEXT_SIZE];
    struct throng_address addresses[ADDRESSES_MAX];
    uint16_t port;
    int result = tg_dial_parse(text, host, &port, error);
    if (result < 0) {
        return result;
    }
    int count = tg_address_resolve(host, port, addresses, ADDRESSES_MAX);
    if (count < 0) {
        return tg_failure(error, count, "cannot connect to %.200s: %s", text,
                          throng_error_text(count));
    }
    *target = addresses[0];
    for (int i = count - 1; i >= 0; i--) {
        if (addresses[i].family == plan->options.source.family) {
            *target = addresses[i];
        }
    }
    return 0;
}

static int resolve_targets(struct swarm_plan *plan, struct throng_error *error)
{
    const char *const *targets = plan->options.targets;
    while (plan->target_count < THRONG_SWARM_TARGETS_MAX && targets[plan->target_count] != NULL) {
        int result = resolve_target(plan, targets[plan->target_count],
                                    &plan->targets[plan->target_count], error);
        if (result < 0) {
            return result;
        }
        plan->target_count++;
    }
    if (plan->target_count == 0) {
        return tg_failure(error, THRONG_EINVAL,
                          "targets[0] is NULL; at least one address to connect to is needed");
    }
    memset(plan->options.targets, 0, sizeof(plan->options.targets)); /* the caller's strings */
    return 0;
}

static int plan_threads(struct swarm_plan *plan, struct throng_error *error)
{
    struct tg_descriptor_plan descriptors;
    uint32_t connections = plan->options.connections;
    uint32_t asked = plan->options.threads;
    uint32_t open = tg_descriptor_count() + asked * TG_PORT_DESCRIPTORS_MAX;
    bool own_table = tg_port_has_own_table(plan->backend);
    if (own_table) {
        open = 0; /* the process's table holds none of the connections */
    }
    if (!tg_descriptor_plan_make(&descriptors, connections, open, THRONG_SWARM_THREADS_LIMIT)) {
        return tg_failure(
            error, THRONG_EDESCRIPTORLIMIT,
            "connections is %u, but the descriptor limit (RLIMIT_NOFILE) is %u: it allows %u "
            "connections per thread, so %llu with the most threads (%u)",
            connections, descriptors.limit, descriptors.per_table,
            (unsigned long long)descriptors.per_table * THRONG_SWARM_THREADS_LIMIT,
            THRONG_SWARM_THREADS_LIMIT);
    }
    plan->thread_count = asked > descriptors.threads ? asked : descriptors.threads;
    plan->own_descriptors = descriptors.own_tables && !own_table;
    plan->descriptor_limit = descriptors.limit;
    uint32_t rate = plan->options.connects_per_second;
    if (rate > 0) {
        /* Rounded up: never faster than asked for. */
        plan->connect_interval_ns = (UINT64_C(1000000000) * plan->thread_count + rate - 1) / rate;
    }
    return 0;
}

int tg_swarm_plan_make(struct swarm_plan *plan, const struct throng_swarm_options *given,
                       struct throng_error *error)
{
    if (given == NULL) {
        return tg_failure(error, THRONG_EINVAL, "options is NULL");
    }
    memset(plan, 0, sizeof(*plan));
    throng_swarm_options_init(&plan->options);
    int result =
        tg_settings_copy(&plan->options, sizeof(plan->options), given, given->struct_size, error);
    if (result == 0) {
        result = find_backend(plan, error);
    }
    if (result == 0) {
        result = check_numbers(&plan->options, error);
    }
    if (result == 0) {
        result = tg_settings_frame_rules(&plan->rules, plan->options.message_bytes_max,
                                         plan->options.byte_order, error);
    }
    if (result == 0) {
        result = check_sizes(plan, error);
    }
    if (result == 0) {
        result = tg_settings_source(&plan->options.source, error);
    }
    if (result == 0) {
        result = resolve_targets(plan, error);
    }
    if (result == 0) {
        result = plan_threads(plan, error);
    }
    if (result == 0) {
        result = tg_swarm_plan_sources(plan, tg_port_range_count(), error);
    }
    return result;
}
