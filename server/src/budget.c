/* SPDX-License-Identifier: MIT
 * The memory budget: sizes, reservation, and the table that users read. Any thread. */
#include "budget.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "admin/admin.h"
#include "base/failure.h"
#include "base/format.h"
#include "os/memory.h"
#include "state.h"

/* An idle TCP socket in the kernel: about 3.6 KB of slab objects and epoll's 0.3 KB, measured on
 * Linux 6.18 by the Slab figure of /proc/meminfo over 65,000 idle connections. */
#define TG_KERNEL_SOCKET_BYTES 4000u

/* What an idle connection makes resident, without options that ask for more; server/DESIGN.md has
 * the sum. Windows' stream has 96 bytes more. */
#define IDLE_CONNECTION_BYTES                                                                      \
    (sizeof(struct tg_slot) + sizeof(struct tg_timer) + sizeof(struct tg_seat) +                   \
     sizeof(struct tg_ends_narrow))

_Static_assert(IDLE_CONNECTION_BYTES <= 228 - 32 + sizeof(struct tg_stream),
               "with the rings that OPEN events go through, 256 bytes at 65,000 connections");

/* Parts of different workers begin on pages of their own. */
static size_t page_round(size_t bytes)
{
    return (bytes + 4095u) & ~(size_t)4095u;
}

struct tg_room_sizes tg_memory_room_sizes(const struct tg_config *config)
{
    const struct throng_server_options *options = &config->options;
    return (struct tg_room_sizes){.rooms = options->rooms_max,
                                  .members = options->room_members_max,
                                  .per_connection = options->rooms_per_connection,
                                  .connections = options->max_connections,
                                  .workers = config->worker_count};
}

/* What its descriptor table holds, and beyond it what may come while it is told to stop: one accept
 * and the parked connections of each listener. */
uint32_t tg_memory_worker_slots(const struct tg_config *config)
{
    uint32_t most = config->connections_per_worker + TG_WORKER_SPARE_CONNECTIONS +
                    THRONG_LISTENERS_MAX * (1 + TG_PARKED_MAX);
    return most < config->options.max_connections ? most : config->options.max_connections;
}

static size_t block_count(const struct tg_config *config)
{
    return (size_t)config->send_small_blocks + config->send_large_blocks;
}

static void plan_rooms(struct tg_memory *memory, const struct tg_config *config)
{
    const struct throng_server_options *options = &config->options;
    const struct tg_room_sizes sizes = tg_memory_room_sizes(config);
    size_t *bytes = memory->bytes;
    bytes[TG_REGION_ROOMS] = tg_room_table_rooms_bytes(&sizes);
    bytes[TG_REGION_ROOM_MEMBERS] = tg_room_table_members_bytes(&sizes);
    bytes[TG_REGION_ROOM_CONNS] = tg_room_table_conns_bytes(&sizes);
    bytes[TG_REGION_ROOM_LINKS] = options->room_members_max * sizeof(struct tg_member_link);
    bytes[TG_REGION_ROOM_SLOTS] = options->max_connections * sizeof(struct tg_slot_rooms);
    bytes[TG_REGION_SEND_LIMITS] = options->max_connections * sizeof(uint32_t);
    bytes[TG_REGION_BROADCASTS] = block_count(config) * sizeof(uint32_t);
    memory->per_worker[TG_REGION_ROOM_PARTS] = options->rooms_max * sizeof(struct tg_room_part);
    memory->per_worker[TG_REGION_REFERENCES] = block_count(config) * sizeof(uint32_t);
}

static void plan_shared(struct tg_memory *memory, const struct tg_config *config)
{
    uint32_t connections = config->options.max_connections;
    size_t *bytes = memory->bytes;
    bytes[TG_REGION_SERVER] = sizeof(struct throng_server);
    bytes[TG_REGION_SLOTS] = tg_arena_slots_bytes(connections);
    bytes[TG_REGION_SLOT_TIMERS] = tg_arena_timers_bytes(connections);
    bytes[TG_REGION_SEATS] = (size_t)connections * sizeof(struct tg_seat);
    bytes[TG_REGION_ADDRESSES] = tg_ends_narrow_bytes(connections);
    bytes[TG_REGION_WIDE_ADDRESSES] = tg_ends_wide_bytes(connections);
    bytes[TG_REGION_LINKS] = tg_arena_links_bytes(connections);
    if (config->options.connections_per_address > 0) {
        bytes[TG_REGION_ADDRESS_COUNTS] =
            tg_address_table_bytes(connections, config->options.connections_per_address) +
            (size_t)connections * sizeof(uint32_t);
    }
    if (config->options.messages_per_s > 0 || config->options.bytes_per_s > 0) {
        bytes[TG_REGION_RATES] = (size_t)connections * sizeof(struct tg_slot_rates);
    }
    if (config->admin) {
        bytes[TG_REGION_ADMIN] = tg_admin_bytes(config->backend);
    }
    bytes[TG_REGION_SEND_TABLES] =
        tg_block_pool_table_bytes(config->send_small_blocks, config->send_large_blocks,
                                  config->options.room_references_max * config->worker_count);
    bytes[TG_REGION_TIMERS] = tg_logic_time_bytes(config->options.timers_max);
    bytes[TG_REGION_POSTS] = tg_post_queue_bytes(tg_ring_capacity_for(config->options.posts_max));
    bytes[TG_REGION_SEND_SMALL] = tg_block_pool_small_bytes(config->send_small_blocks);
    bytes[TG_REGION_SEND_LARGE] = tg_block_pool_large_bytes(config->send_large_blocks);
}

static void plan_workers(struct tg_memory *memory, const struct tg_config *config)
{
    const struct throng_server_options *options = &config->options;
    size_t *part = memory->per_worker;
    uint32_t events = tg_ring_capacity_for(options->events_max);
    struct tg_port_options port = {.streams_max = config->connections_per_worker,
                                   .buffers_max = options->receive_buffers,
                                   .listeners_max = config->listener_count,
                                   .accept_pool = tg_config_accept_pool(config)};
    part[TG_REGION_WORKERS] = sizeof(struct tg_worker);
    part[TG_REGION_OWNED] = ((size_t)options->max_connections + 63) / 64 * sizeof(uint64_t);
    part[TG_REGION_ASSEMBLY] = options->assembly_bytes;
    part[TG_REGION_ASSEMBLY_TABLES] = tg_message_pool_table_bytes(options->assembly_bytes);
    part[TG_REGION_PIECES] = tg_intake_pieces_bytes(tg_memory_worker_slots(config));
    part[TG_REGION_RECEIVE] = (size_t)options->receive_buffers * options->receive_buffer_bytes;
    part[TG_REGION_RECEIVE_TABLES] = tg_recv_pool_table_bytes(options->receive_buffers);
    part[TG_REGION_EVENTS] = tg_ring_storage_bytes(events, sizeof(struct tg_event_entry));
    part[TG_REGION_RELEASES] = tg_ring_storage_bytes(events, sizeof(struct tg_release_entry));
    part[TG_REGION_COMMANDS] = tg_ring_storage_bytes(TG_COMMANDS_MAX, sizeof(struct tg_command));
    part[TG_REGION_LOG] = tg_log_queue_bytes();
    part[TG_REGION_PORTS] = tg_port_memory_bytes(config->backend, &port);
    for (int i = 0; i < TG_REGION_COUNT; i++) {
        if (part[i] == 0) {
            continue;
        }
        if (i != TG_REGION_WORKERS) { /* the workers are an array */
            part[i] = page_round(part[i]);
        }
        memory->bytes[i] = part[i] * config->worker_count;
    }
}

void tg_memory_plan(struct tg_memory *memory, const struct tg_config *config)
{
    memset(memory, 0, sizeof(*memory));
    plan_shared(memory, config);
    plan_rooms(memory, config);
    plan_workers(memory, config);
    for (int i = 0; i < TG_REGION_COUNT; i++) {
        memory->bytes[i] = page_round(memory->bytes[i]);
    }
}

static const char *const region_names[TG_REGION_COUNT] = {
#define TG_REGION_NAME(id, name, reason) name,
    TG_REGION_MAP(TG_REGION_NAME)
#undef TG_REGION_NAME
};

static const char *const region_reasons[TG_REGION_COUNT] = {
#define TG_REGION_REASON(id, name, reason) reason,
    TG_REGION_MAP(TG_REGION_REASON)
#undef TG_REGION_REASON
};

_Static_assert(TG_REGION_COUNT <= THRONG_BUDGET_TERMS_MAX, "every region is a budget term");

int tg_memory_take(struct tg_memory *memory, struct throng_error *error)
{
    for (int i = 0; i < TG_REGION_COUNT; i++) {
        if (memory->bytes[i] == 0) {
            continue; /* what an option has switched off */
        }
        memory->at[i] = tg_memory_reserve(memory->bytes[i]);
        if (memory->at[i] == NULL) {
            tg_memory_give(memory);
            return tg_failure(error, THRONG_ENOMEM,
                              "the system has no %zu bytes for %s (%s); throng_server_budget "
                              "lists all memory",
                              memory->bytes[i], region_names[i], region_reasons[i]);
        }
    }
    return 0;
}

void tg_memory_give(struct tg_memory *memory)
{
    for (int i = 0; i < TG_REGION_COUNT; i++) {
        tg_memory_release(memory->at[i], memory->bytes[i]);
        memory->at[i] = NULL;
    }
}

int throng_server_budget(const struct throng_server_options *options, struct throng_budget *budget,
                         struct throng_error *error)
{
    struct tg_config config;
    if (budget == NULL) {
        return tg_failure(error, THRONG_EINVAL, "budget is NULL");
    }
    int result = tg_config_check(&config, options, error);
    if (result < 0) {
        return result;
    }
    struct tg_memory memory;
    tg_memory_plan(&memory, &config);
    memset(budget, 0, sizeof(*budget));
    budget->term_count = TG_REGION_COUNT;
    budget->io_threads = config.inline_mode ? 0 : config.worker_count;
    for (int i = 0; i < TG_REGION_COUNT; i++) {
        budget->terms[i].name = region_names[i];
        budget->terms[i].reason = region_reasons[i];
        budget->terms[i].bytes = memory.bytes[i];
        budget->total_bytes += memory.bytes[i];
    }
    budget->per_connection_bytes = IDLE_CONNECTION_BYTES;
    budget->kernel_per_connection_bytes = TG_KERNEL_SOCKET_BYTES;
    return 0;
}

/* Appends to a text of limited size, counting what did not fit. */
TG_FORMAT(4, 5)
static size_t append(char *text, size_t size, size_t length, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool fits = length < size;
    int added = vsnprintf(fits ? text + length : NULL, fits ? size - length : 0, format, arguments);
    va_end(arguments);
    return length + (added > 0 ? (size_t)added : 0);
}

size_t throng_budget_text(const struct throng_budget *budget, char *text, size_t size)
{
    size_t length = append(text, size, 0, "%-20s %14s  %s\n", "memory", "bytes", "what it is");
    for (uint32_t i = 0; i < budget->term_count; i++) {
        length = append(text, size, length, "%-20s %14zu  %s\n", budget->terms[i].name,
                        budget->terms[i].bytes, budget->terms[i].reason);
    }
    length = append(text, size, length,
                    "%-20s %14zu  reserved at start; pages are touched by use\n", "total",
                    budget->total_bytes);
    length = append(text, size, length,
                    "An idle connection touches %zu bytes of it; the kernel keeps about %zu more "
                    "for its socket (estimate).\n",
                    budget->per_connection_bytes, budget->kernel_per_connection_bytes);
    return append(text, size, length, "I/O threads: %u%s\n", budget->io_threads,
                  budget->io_threads == 0 ? " (inline)" : "");
}
