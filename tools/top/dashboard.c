/* SPDX-License-Identifier: MIT
 * See dashboard.h. */
#include "dashboard.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATENCY "throng_event_latency_seconds"
#define NOT_KNOWN (-1.0)

static const char *const rate_metrics[RATE_COUNT] = {
#define RATE_METRIC(name, metric, key, label, bytes) metric,
    DASHBOARD_RATE_MAP(RATE_METRIC)
#undef RATE_METRIC
};

/* Counters of what a healthy server has little of, and the label that tells their samples apart. */
static const struct {
    const char *metric;
    const char *name;
    const char *label;
} troubles[] = {
    {"throng_connections_refused_total", "connections refused", "reason"},
    {"throng_connections_evicted_total", "connections evicted", NULL},
    {"throng_accepts_dead_total", "dead before accepted", NULL},
    {"throng_accept_pauses_total", "accepting paused", NULL},
    {"throng_writes_refused_total", "writes refused", NULL},
    {"throng_broadcasts_refused_total", "broadcasts refused", NULL},
    {"throng_posts_refused_total", "posts refused", NULL},
    {"throng_ticks_missed_total", "ticks missed", NULL},
    {"throng_messages_dropped_total", "messages dropped", "reason"},
    {"throng_dropped_bytes_total", "bytes dropped", "reason"},
    {"throng_commands_dropped_total", "commands dropped", "reason"},
    {"throng_log_lines_dropped_total", "log lines dropped", NULL},
    {"throng_read_pauses_total", "reading paused", "reason"},
    {"throng_receive_buffers_missed_total", "no receive buffer", NULL},
    {"throng_send_queue_doublings_total", "send queues doubled", NULL},
};

/* A counter's growth a second; NOT_KNOWN without a page before. Counters that went back were set to
 * 0 by a restart, and what they have now came after it. */
static double rate(double now, double before, double seconds)
{
    if (!(seconds > 0) || !prometheus_is_finite(now) || !prometheus_is_finite(before)) {
        return NOT_KNOWN;
    }
    return (now >= before ? now - before : now) / seconds;
}

static bool is_restart(const struct page *now, const struct page *before)
{
    const char *name = "throng_start_time_seconds";
    /* The start, as the server says it; half a second is what a corrected clock may move it. */
    return fabs(page_sum(now, name, 0) - page_sum(before, name, 0)) > 0.5 ||
           page_sum(now, rate_metrics[RATE_ACCEPTED], 0) <
               page_sum(before, rate_metrics[RATE_ACCEPTED], 0);
}

/* ---- rates ---- */

static void remember(struct dashboard *dashboard)
{
    if (dashboard->history_count == DASHBOARD_HISTORY) {
        for (int i = 0; i < RATE_COUNT; i++) {
            memmove(&dashboard->history[i][0], &dashboard->history[i][1],
                    sizeof(dashboard->history[i]) - sizeof(dashboard->history[i][0]));
        }
        dashboard->history_count--;
    }
    for (int i = 0; i < RATE_COUNT; i++) {
        double value = dashboard->per_s[i];
        dashboard->history[i][dashboard->history_count] = value > 0 ? value : 0;
    }
    dashboard->history_count++;
}

static void update_rates(struct dashboard *dashboard, const struct page *now,
                         const struct page *before, double seconds)
{
    for (int i = 0; i < RATE_COUNT; i++) {
        dashboard->total[i] = page_sum(now, rate_metrics[i], 0);
        dashboard->per_s[i] = before == NULL ? NOT_KNOWN
                                             : rate(dashboard->total[i],
                                                    page_sum(before, rate_metrics[i], 0), seconds);
    }
    if (before != NULL) {
        remember(dashboard);
    }
}

/* ---- levels ---- */

static double fullness(const struct dashboard_level *level)
{
    return level->total > 0 ? level->used / level->total : 0;
}

static int by_fullness(const void *left, const void *right)
{
    const struct dashboard_level *a = left, *b = right;
    if (fullness(a) != fullness(b)) {
        return fullness(a) < fullness(b) ? 1 : -1;
    }
    return strcmp(a->name, b->name);
}

/* A level, unless there are too many, or its numbers say nothing: NULL then. */
static struct dashboard_level *add_level(struct dashboard_level *levels, size_t *count, double used,
                                         double total)
{
    bool nothing = !(used > 0) && !(total > 0);
    if (*count == DASHBOARD_LEVELS_MAX || !prometheus_is_finite(used) ||
        !prometheus_is_finite(total) || nothing) {
        return NULL;
    }
    struct dashboard_level *level = &levels[(*count)++];
    memset(level, 0, sizeof(*level));
    level->used = used > 0 ? used : 0;
    level->total = total > 0 ? total : 0;
    return level;
}

static void add_pool(struct dashboard *dashboard, const char *name, double used, double total,
                     bool bytes)
{
    struct dashboard_level *level =
        add_level(dashboard->pools, &dashboard->pool_count, used, total);
    if (level != NULL) {
        (void)snprintf(level->name, sizeof(level->name), "%s", name);
        level->bytes = bytes;
    }
}

static void update_pools(struct dashboard *dashboard, const struct page *page)
{
    dashboard->pool_count = 0;
    add_pool(dashboard, "slots", page_sum(page, "throng_slots_taken", 0),
             dashboard->connections_max, false);
    double total = page_sum(page, "throng_send_memory_bytes", 0);
    add_pool(dashboard, "send memory",
             total - page_sum(page, "throng_send_memory_free_bytes", total), total, true);
    add_pool(dashboard, "assembly", page_sum(page, "throng_assembly_used_bytes", 0),
             page_sum(page, "throng_assembly_bytes", 0), true);
    const struct prometheus_sample *sample;
    size_t from = 0;
    total = page_sum(page, "throng_receive_buffers", 0);
    while ((sample = page_next(page, "throng_receive_buffers_free", &from)) != NULL) {
        char thread[16], name[DASHBOARD_NAME_SIZE];
        page_label(sample, "io_thread", thread, sizeof(thread));
        (void)snprintf(name, sizeof(name), "receive buffers %s", thread);
        add_pool(dashboard, name, total - sample->value, total, false);
    }
    qsort(dashboard->pools, dashboard->pool_count, sizeof(dashboard->pools[0]), by_fullness);
}

static double queue_capacity(const struct page *page, const char *queue)
{
    const struct prometheus_sample *sample;
    size_t from = 0;
    while ((sample = page_next(page, "throng_queue_capacity", &from)) != NULL) {
        char name[32];
        page_label(sample, "queue", name, sizeof(name));
        if (strcmp(name, queue) == 0) {
            return sample->value;
        }
    }
    return 0;
}

static void update_queues(struct dashboard *dashboard, const struct page *page)
{
    const struct prometheus_sample *sample;
    size_t from = 0;
    dashboard->queue_count = 0;
    while ((sample = page_next(page, "throng_queue_depth", &from)) != NULL) {
        char queue[32], thread[16];
        page_label(sample, "queue", queue, sizeof(queue));
        page_label(sample, "io_thread", thread, sizeof(thread));
        struct dashboard_level *level = add_level(dashboard->queues, &dashboard->queue_count,
                                                  sample->value, queue_capacity(page, queue));
        if (level != NULL) {
            (void)snprintf(level->name, sizeof(level->name), "%s %s", queue, thread);
        }
    }
    qsort(dashboard->queues, dashboard->queue_count, sizeof(dashboard->queues[0]), by_fullness);
}

/* ---- counts ---- */

static int by_rate(const void *left, const void *right)
{
    const struct dashboard_count *a = left, *b = right;
    if (a->per_s != b->per_s) {
        return a->per_s < b->per_s ? 1 : -1;
    }
    if (a->total != b->total) {
        return a->total < b->total ? 1 : -1;
    }
    return strcmp(a->name, b->name);
}

/* Adds a row for each sample of a metric that is not 0: "NAME LABEL". */
static void add_counts(struct dashboard_count *counts, size_t *count, const char *metric,
                       const char *name, const char *label, const struct page *const pages[2],
                       double seconds)
{
    const struct prometheus_sample *sample;
    size_t from = 0;
    while (*count < DASHBOARD_COUNTS_MAX && (sample = page_next(pages[0], metric, &from)) != NULL) {
        if (!prometheus_is_finite(sample->value) || sample->value <= 0) {
            continue;
        }
        struct dashboard_count *row = &counts[(*count)++];
        const struct prometheus_sample *old = pages[1] != NULL ? page_same(pages[1], sample) : NULL;
        char value[40] = "";
        if (label != NULL) {
            page_label(sample, label, value, sizeof(value));
        }
        const char *separator = name[0] != '\0' && value[0] != '\0' ? ", " : "";
        (void)snprintf(row->name, sizeof(row->name), "%.36s%s%.39s", name, separator, value);
        row->total = sample->value;
        row->per_s = pages[1] == NULL ? NOT_KNOWN
                                      : rate(sample->value, old != NULL ? old->value : 0, seconds);
    }
    qsort(counts, *count, sizeof(counts[0]), by_rate);
}

static void update_counts(struct dashboard *dashboard, const struct page *const pages[2],
                          double seconds)
{
    dashboard->end_count = 0;
    add_counts(dashboard->ends, &dashboard->end_count, "throng_connections_closed_total", "",
               "reason", pages, seconds);
    dashboard->trouble_count = 0;
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
        add_counts(dashboard->troubles, &dashboard->trouble_count, troubles[i].metric,
                   troubles[i].name, troubles[i].label, pages, seconds);
    }
}

/* ---- the whole ---- */

static void update_facts(struct dashboard *dashboard, const struct page *page)
{
    size_t from = 0;
    const struct prometheus_sample *info = page_next(page, "throng_build_info", &from);
    if (info != NULL) {
        page_label(info, "version", dashboard->version, sizeof(dashboard->version));
        page_label(info, "backend", dashboard->backend, sizeof(dashboard->backend));
    }
    dashboard->uptime_s = page_sum(page, "throng_uptime_seconds", 0);
    dashboard->io_threads = page_sum(page, "throng_io_threads", 0);
    dashboard->draining = page_sum(page, "throng_draining", 0) > 0;
    dashboard->bad_lines = page->bad_lines;
    dashboard->connections = page_sum(page, "throng_connections", 0);
    dashboard->connections_max = page_sum(page, "throng_connections_max", 0);
    dashboard->slots_peak = page_sum(page, "throng_slots_taken_peak", 0);
    dashboard->rooms = page_sum(page, "throng_rooms", 0);
    dashboard->room_members = page_sum(page, "throng_room_members", 0);
    dashboard->stalled_s = page_sum(page, "throng_logic_stalled_seconds", 0);
    dashboard->stalls = page_sum(page, "throng_logic_stalls_total", 0);
    dashboard->events_unreleased = page_sum(page, "throng_events_unreleased", 0);
}

void dashboard_update(struct dashboard *dashboard, const struct page *now,
                      const struct page *before)
{
    if (before != NULL && is_restart(now, before)) {
        dashboard->restarts++;
        before = NULL;
    }
    const struct page *pages[2] = {now, before};
    double seconds = before != NULL ? (double)(now->at_ms - before->at_ms) / 1000 : 0;
    dashboard->known = true;
    dashboard->reachable = true;
    dashboard->at_ms = now->at_ms;
    update_facts(dashboard, now);
    update_rates(dashboard, now, before, seconds);
    update_pools(dashboard, now);
    update_queues(dashboard, now);
    update_counts(dashboard, pages, seconds);
    latency_read(&dashboard->latency, now, before, LATENCY);
    dashboard->latency_is_recent = before != NULL && dashboard->latency.samples > 0;
    if (dashboard->latency.samples == 0 && before != NULL) {
        latency_read(&dashboard->latency, now, NULL, LATENCY);
    }
}

void dashboard_lost(struct dashboard *dashboard)
{
    dashboard->reachable = false;
    for (int i = 0; i < RATE_COUNT; i++) {
        dashboard->per_s[i] = NOT_KNOWN;
    }
    if (dashboard->known) {
        remember(dashboard);
    }
}
