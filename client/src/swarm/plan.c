/* SPDX-License-Identifier: MIT
 * The swarm's options: defaults, limits, and how many threads and source addresses they ask for. At
 * start. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "os/descriptor_plan.h"
#include "os/port_range.h"
#include "swarm/state.h"

#define KIB 1024u
#define MIB (1024u * 1024u)
#define MEMORY_MOST ((size_t)64 * 1024 * MIB)

void throng_swarm_options_init(struct throng_swarm_options *options)
{
    memset(options, 0, sizeof(*options));
    options->struct_size = sizeof(*options);
    options->connections = 1;
    options->message_bytes_max = THRONG_MESSAGE_BYTES_DEFAULT;
    options->connects_in_flight = 256;
    options->connect_timeout_ms = 30000;
}

int tg_swarm_fail(struct throng_error *error, int code, const char *format, ...)
{
    if (error != NULL) {
        error->code = code;
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
        va_end(arguments);
    }
    return code;
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
        {"message_bytes_max", &options->message_bytes_max, THRONG_MESSAGE_BYTES_DEFAULT, 1,
         THRONG_MESSAGE_BYTES_LIMIT},
        {"connects_in_flight", &options->connects_in_flight, 256, 1, 65536},
        {"connect_timeout_ms", &options->connect_timeout_ms, 30000, 1, 3600000},
        {"source_count", &options->source_count, 1, 1, 65536},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const struct number *number = &numbers[i];
        if (*number->value == 0) {
            *number->value = number->fallback;
        }
        if (*number->value < number->least || *number->value > number->most) {
            return tg_swarm_fail(error, THRONG_EINVAL, "%s is %u; it must be %u..%u", number->name,
                                 *number->value, number->least, number->most);
        }
    }
    if ((uint32_t)options->byte_order > THRONG_BYTE_ORDER_LITTLE) {
        return tg_swarm_fail(error, THRONG_EINVAL, "byte_order is %d; it must be 0 or 1",
                             (int)options->byte_order);
    }
    if (options->handler.on_message == NULL || options->handler.on_open == NULL ||
        options->handler.on_closed == NULL) {
        return tg_swarm_fail(error, THRONG_EINVAL,
                             "the handler needs on_open, on_message and on_closed");
    }
    return 0;
}

static int check_size(const char *name, size_t value, size_t least, struct throng_error *error)
{
    if (value < least || value > MEMORY_MOST) {
        return tg_swarm_fail(error, THRONG_EINVAL, "%s is %zu; it must be %zu..%zu bytes", name,
                             value, least, MEMORY_MOST);
    }
    return 0;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int check_sizes(struct swarm_plan *plan, struct throng_error *error)
{
    struct throng_swarm_options *options = &plan->options;
    size_t frame = (size_t)options->message_bytes_max + THRONG_FRAME_HEADER_BYTES;
    frame = (frame + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES * TG_BLOCK_BYTES;
    if (options->send_queue_bytes_max == 0) {
        options->send_queue_bytes_max = (uint32_t)larger(256 * KIB, 2 * frame);
    }
    if (options->send_bytes == 0) {
        options->send_bytes = larger(16 * (size_t)MIB, 2 * frame);
    }
    if (options->assembly_bytes == 0) {
        options->assembly_bytes = larger(8 * (size_t)MIB, 4 * frame);
    }
    int result = check_size("send_queue_bytes_max", options->send_queue_bytes_max, frame, error);
    if (result == 0) {
        result = check_size("send_bytes", options->send_bytes, frame, error);
    }
    if (result == 0) {
        result = check_size("assembly_bytes", options->assembly_bytes, 2 * frame, error);
    }
    options->assembly_bytes -= options->assembly_bytes % TG_MESSAGE_UNIT_BYTES;
    plan->send_units_max = (options->send_queue_bytes_max + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES;
    plan->rules.message_bytes_max = options->message_bytes_max;
    plan->rules.byte_order = options->byte_order;
    return result;
}

static int resolve_targets(struct swarm_plan *plan, struct throng_error *error)
{
    const char *const *targets = plan->options.targets;
    while (plan->target_count < THRONG_SWARM_TARGETS_MAX && targets[plan->target_count] != NULL) {
        char host[TG_ENDPOINT_TEXT_SIZE];
        uint16_t port;
        const char *text = targets[plan->target_count];
        int result = tg_endpoint_parse(text, host, &port, error);
        if (result < 0) {
            return result;
        }
        result = tg_address_resolve(host, port, &plan->targets[plan->target_count], 1);
        if (result < 0) {
            return tg_swarm_fail(error, result, "cannot connect to %s: %s", text,
                                 throng_error_text(result));
        }
        plan->target_count++;
    }
    if (plan->target_count == 0) {
        return tg_swarm_fail(error, THRONG_EINVAL,
                             "targets[0] is NULL; at least one address to connect to is needed");
    }
    memset(plan->options.targets, 0, sizeof(plan->options.targets)); /* the caller's strings */
    return 0;
}

static int plan_threads(struct swarm_plan *plan, struct throng_error *error)
{
    struct tg_descriptor_plan descriptors;
    uint32_t connections = plan->options.connections;
    if (!tg_descriptor_plan_make(&descriptors, connections, tg_descriptor_count(),
                                 THRONG_SWARM_THREADS_LIMIT)) {
        return tg_swarm_fail(
            error, THRONG_EDESCRIPTORLIMIT,
            "connections is %u, but the descriptor limit (RLIMIT_NOFILE) is %u: it allows %u "
            "connections per thread, so %llu with the most threads (%u)",
            connections, descriptors.limit, descriptors.per_table,
            (unsigned long long)descriptors.per_table * THRONG_SWARM_THREADS_LIMIT,
            THRONG_SWARM_THREADS_LIMIT);
    }
    uint32_t asked = plan->options.threads;
    plan->thread_count = asked > descriptors.threads ? asked : descriptors.threads;
    plan->own_descriptors = descriptors.own_tables;
    plan->descriptor_limit = descriptors.limit;
    if (plan->options.connects_per_second > 0) {
        plan->connect_interval_ns = UINT64_C(1000000000) * plan->thread_count /
                                    plan->options.connects_per_second;
    }
    return 0;
}

static bool is_loopback_ipv4(const struct throng_address *address)
{
    return address->family == THRONG_ADDRESS_IPV4 && address->bytes[0] == 127;
}

/* Each port of a source address serves one connection to a target. Of the range only two fifths are
 * used if there is a choice: Linux tries the ports of one parity first, so from half of the range on
 * each connect walks over all of that half (180 us instead of 15, measured on 6.18); and some ports
 * are taken by connections that others make or that have just ended (TIME_WAIT). */
static int plan_sources(struct swarm_plan *plan, struct throng_error *error)
{
    struct throng_swarm_options *options = &plan->options;
    uint32_t ports = tg_port_range_count();
    uint32_t per_target = (options->connections + plan->target_count - 1) / plan->target_count;
    uint32_t comfortable = ports < 5 ? 1 : ports / 5 * 2;
    plan->ports_per_source = comfortable;
    bool spread = true;
    for (uint32_t i = 0; i < plan->target_count; i++) {
        spread = spread && is_loopback_ipv4(&plan->targets[i]);
    }
    plan->has_source = options->source.family != THRONG_ADDRESS_NONE;
    if (!plan->has_source) {
        options->source_count = 1;
        if (per_target > comfortable && spread) {
            plan->has_source = true;
            options->source =
                (struct throng_address){.family = THRONG_ADDRESS_IPV4, .bytes = {127, 0, 0, 1}};
            options->source_count = (per_target + comfortable - 1) / comfortable;
        }
    }
    if ((uint64_t)options->source_count * ports < per_target) {
        return tg_swarm_fail(
            error, THRONG_EADDRNOTAVAIL,
            "connections is %u, %u to each target, but %u source address%s with %u "
            "ports (ip_local_port_range) allow%s %u; %u source addresses would do",
            options->connections, per_target, options->source_count,
            options->source_count == 1 ? "" : "es", ports, options->source_count == 1 ? "s" : "",
            options->source_count * ports, (per_target + comfortable - 1) / comfortable);
    }
    if ((uint64_t)options->source_count * comfortable < per_target) {
        plan->ports_per_source = (per_target + options->source_count - 1) / options->source_count;
    }
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

int tg_swarm_plan_make(struct swarm_plan *plan, const struct throng_swarm_options *options,
                       struct throng_error *error)
{
    memset(plan, 0, sizeof(*plan));
    if (options == NULL || options->struct_size < sizeof(size_t) ||
        options->struct_size > sizeof(*options)) {
        return tg_swarm_fail(
            error, THRONG_EINVAL,
            "struct_size is %zu; call throng_swarm_options_init, whose options have "
            "%zu bytes in this library",
            options == NULL ? (size_t)0 : options->struct_size, sizeof(*options));
    }
    throng_swarm_options_init(&plan->options);
    memcpy(&plan->options, options, options->struct_size);
    const char *backend = plan->options.backend != NULL ? plan->options.backend : "auto";
    plan->backend = tg_port_backend_find(backend);
    if (plan->backend == NULL) {
        return tg_swarm_fail(error, THRONG_EINVAL, "backend is \"%s\"; this build has auto, %s",
                             backend, tg_port_backend_names());
    }
    int result = check_numbers(&plan->options, error);
    if (result == 0) {
        result = check_sizes(plan, error);
    }
    if (result == 0) {
        result = resolve_targets(plan, error);
    }
    if (result == 0) {
        result = plan_threads(plan, error);
    }
    if (result == 0) {
        result = plan_sources(plan, error);
    }
    return result;
}
