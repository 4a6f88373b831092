/* SPDX-License-Identifier: MIT
 * A plan as text, for whoever has to understand a failing seed. */
#include "plan.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const kind_names[] = {
#define KIND_NAME(name, weight, text) #name,
    PLAN_KIND_MAP(KIND_NAME)
#undef KIND_NAME
        "swarm",
    "client",
};

const char *plan_kind_name(uint32_t kind)
{
    return kind_names[kind];
}

struct page {
    char *text;
    size_t size;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct page *page, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(page->text + page->used, page->size - page->used, format, arguments);
    va_end(arguments);
    if (length > 0) {
        page->used += (size_t)length;
        page->used = page->used < page->size ? page->used : page->size - 1;
    }
}

static void add_faults(struct page *page, const char *title, const uint32_t *faults)
{
    add(page, "  %s:", title);
    for (int i = 0; i < TG_SIM_FAULT_COUNT; i++) {
        if (faults[i] != 0) {
            add(page, " %s=%u", tg_sim_fault_name((enum tg_sim_fault)i), faults[i]);
        }
    }
    add(page, "\n");
}

static void add_server(struct page *page, const struct throng_server_options *server)
{
    add(page,
        "  server: listen %s %s, io_threads %u, max_connections %u, when_full %s, backlog %u,\n"
        "    message_bytes_max %u %s, receive_buffers %u x %u, assembly %zu, events_max %u,\n"
        "    send_queue %u, send_small %zu, send_large %zu, linger_ms %u, timers_max %u, posts_max "
        "%u,\n    rooms %u, members %u, per connection %u, references %u\n",
        server->listen[0], server->listen[1] == NULL ? "" : server->listen[1], server->io_threads,
        server->max_connections,
        server->when_full == THRONG_WHEN_FULL_REFUSE ? "refuse" : "backlog", server->backlog,
        server->message_bytes_max,
        server->byte_order == THRONG_BYTE_ORDER_LITTLE ? "little" : "big", server->receive_buffers,
        server->receive_buffer_bytes, server->assembly_bytes, server->events_max,
        server->send_queue_bytes_max, server->send_small_bytes, server->send_large_bytes,
        server->linger_ms, server->timers_max, server->posts_max, server->rooms_max,
        server->room_members_max, server->rooms_per_connection, server->room_references_max);
}

static void add_limits(struct page *page, const struct throng_server_options *server)
{
    add(page,
        "    first_message %d, message %d, idle %d, write %d, rate_min %u, heartbeat %u %u,\n"
        "    logic_stall %d, when_send_full %d, reserve %u %%, turn_messages %u, messages %u/s "
        "%u,\n"
        "    bytes %u/s %u, when_over_rate %d, per_address %u, evict_silent %d\n",
        (int)server->first_message_timeout_ms, (int)server->message_timeout_ms,
        (int)server->idle_timeout_ms, (int)server->write_timeout_ms, server->reader_rate_min,
        server->heartbeat_ms[0], server->heartbeat_ms[1], (int)server->logic_stall_ms,
        (int)server->when_send_full, server->send_reserve_percent, server->turn_messages,
        server->messages_per_s, server->messages_burst, server->bytes_per_s, server->bytes_burst,
        (int)server->when_over_rate, server->connections_per_address, (int)server->evict_silent_ms);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the page writes there */
void plan_print(const struct plan *plan, char *text, size_t size)
{
    static const char *const end_names[] = {"quiet", "drain", "stop"};
    struct page page = {text, size, 0};
    add(&page, "plan of seed %llu\n", (unsigned long long)plan->seed);
    add_server(&page, &plan->server);
    if (plan->has_limits) {
        add_limits(&page, &plan->server);
    }
    add_faults(&page, "faults (of 65,536)", plan->faults);
    add_faults(&page, "faults of the start", plan->start_faults);
    add(&page, "  kinds:");
    for (uint32_t i = 0; i < PLAN_KIND_COUNT; i++) {
        if (plan->kind_weight[i] != 0) {
            add(&page, " %s=%u", kind_names[i], plan->kind_weight[i]);
        }
    }
    add(&page, "\n  ends:");
    for (uint32_t i = 0; i < plan->rounds; i++) {
        add(&page, " %s", end_names[plan->ends[i]]);
    }
    add(&page, "%s%s%s\n", plan->waits_forever ? ", waits for ever" : "",
        plan->is_calm ? ", calm" : "", plan->is_sound ? ", no connection breaks" : "");
    add(&page, "%s", plan->is_numbered ? "  messages downward have numbers\n" : "");
#define ADD_NUMBER(name, what) add(&page, "  %-14s %10u  %s\n", #name, plan->name, what);
    PLAN_NUMBER_MAP(ADD_NUMBER)
#undef ADD_NUMBER
}
