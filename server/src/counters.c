/* SPDX-License-Identifier: MIT
 * The counters' snapshot, gathered from the workers, their ports and the logic thread. Any thread.
 * */
#include <string.h>

#include "state.h"

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_worker(struct throng_counters *sum, const struct tg_worker *worker)
{
#define TG_ADD(name) sum->name += read_counter(&worker->counters.name);
    TG_WORKER_COUNTERS(TG_ADD)
#undef TG_ADD
    sum->log_lines_dropped += read_counter(&worker->log.dropped);
    if (worker->port != NULL) {
        const struct tg_port_counters *port = &worker->port->counters;
        sum->accepts_dead += read_counter(&port->accepts_dead);
        sum->accept_pauses += read_counter(&port->accept_pauses);
        sum->system_waits += read_counter(&port->waits);
        sum->system_receives += read_counter(&port->receives);
        sum->system_sends += read_counter(&port->sends);
        sum->wakes_io += read_counter(&port->wakes);
    }
}

void throng_server_counters(const struct throng_server *server, struct throng_counters *counters)
{
    memset(counters, 0, sizeof(*counters));
    if (server == NULL) {
        return;
    }
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        add_worker(counters, &server->workers[i]);
    }
    counters->slots_taken = atomic_load_explicit(&server->shared.slots_taken, memory_order_relaxed);
    counters->connections_peak =
        atomic_load_explicit(&server->shared.connections_peak, memory_order_relaxed);
    counters->logic_stalled_ms = read_counter(&server->shared.logic_stalled_ms);
    counters->messages_written = read_counter(&server->counters.messages_written);
    counters->writes_refused = read_counter(&server->counters.writes_refused);
    counters->writes_stale = read_counter(&server->counters.writes_stale);
    counters->bytes_dropped += read_counter(&server->counters.bytes_dropped);
    counters->events_unreleased = read_counter(&server->counters.events_unreleased);
    counters->queue_doublings = read_counter(&server->counters.queue_doublings);
    counters->queue_bytes_peak = read_counter(&server->counters.queue_bytes_peak);
    counters->rooms = read_counter(&server->counters.rooms);
    counters->room_members = read_counter(&server->counters.room_members);
    counters->broadcasts = read_counter(&server->counters.broadcasts);
    counters->broadcasts_refused = read_counter(&server->counters.broadcasts_refused);
    counters->messages_dropped += read_counter(&server->counters.messages_dropped);
    counters->writable_events = read_counter(&server->counters.writable_events);
    counters->send_units_free = read_counter(&server->counters.send_units_free);
    counters->timers_running = read_counter(&server->time->timers_running);
    counters->ticks_missed = read_counter(&server->time->ticks_missed);
    counters->posts_refused = read_counter(&server->time->posts_refused);
    counters->send_units_total = tg_block_pool_total_units(&server->blocks);
}

uint64_t throng_server_closed_count(const struct throng_server *server,
                                    enum throng_close_reason reason)
{
    uint64_t sum = 0;
    if (server != NULL && (uint32_t)reason < TG_CLOSE_REASONS) {
        for (uint32_t i = 0; i < server->config.worker_count; i++) {
            sum += read_counter(&server->workers[i].counters.closed_by[reason]);
        }
    }
    return sum;
}

const char *throng_close_reason_text(enum throng_close_reason reason)
{
    switch (reason) {
#define TG_REASON_CASE(name, text)                                                                 \
    case THRONG_CLOSE_##name:                                                                      \
        return text;
        THRONG_CLOSE_REASON_MAP(TG_REASON_CASE)
#undef TG_REASON_CASE
    case THRONG_CLOSE_NONE:
        break;
    }
    return "not closed";
}
