/* SPDX-License-Identifier: MIT
 * See json.h. */
#include "json.h"

#include <math.h>

#include "../terminal/text.h"

static const char *const rate_keys[RATE_COUNT] = {
#define RATE_KEY(name, metric, key, label, bytes) key,
    DASHBOARD_RATE_MAP(RATE_KEY)
#undef RATE_KEY
};

/* A label may hold anything, and JSON is UTF-8. */
static void put_text(FILE *file, const char *text)
{
    char safe[512];
    size_t size = 0;
    while (size < sizeof(safe) && text[size] != '\0') {
        size++;
    }
    size = text_escape(safe, sizeof(safe), text, size);
    fputc('"', file);
    for (size_t i = 0; i < size; i++) {
        if (safe[i] == '"' || safe[i] == '\\') {
            fputc('\\', file);
        }
        fputc(safe[i], file);
    }
    fputc('"', file);
}

static void put_number(FILE *file, double number)
{
    if (!prometheus_is_finite(number) || number < 0) {
        fputs("null", file);
    } else if (number == floor(number) && number < 1e15) {
        fprintf(file, "%.0f", number);
    } else {
        fprintf(file, "%.9g", number);
    }
}

static void put_member(FILE *file, const char *key, double number)
{
    fprintf(file, ", \"%s\": ", key);
    put_number(file, number);
}

static void put_rates(FILE *file, const char *key, const double values[RATE_COUNT])
{
    fprintf(file, ", \"%s\": {", key);
    for (int i = 0; i < RATE_COUNT; i++) {
        fprintf(file, "%s\"%s\": ", i > 0 ? ", " : "", rate_keys[i]);
        put_number(file, values[i]);
    }
    fputc('}', file);
}

static void put_levels(FILE *file, const char *key, const struct dashboard_level *levels,
                       size_t count)
{
    fprintf(file, ", \"%s\": [", key);
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "%s{\"name\": ", i > 0 ? ", " : "");
        put_text(file, levels[i].name);
        put_member(file, "used", levels[i].used);
        put_member(file, "total", levels[i].total > 0 ? levels[i].total : -1);
        fputc('}', file);
    }
    fputc(']', file);
}

static void put_counts(FILE *file, const char *key, const struct dashboard_count *counts,
                       size_t count)
{
    fprintf(file, ", \"%s\": [", key);
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "%s{\"name\": ", i > 0 ? ", " : "");
        put_text(file, counts[i].name);
        put_member(file, "total", counts[i].total);
        put_member(file, "per_s", counts[i].per_s);
        fputc('}', file);
    }
    fputc(']', file);
}

static void put_latency(FILE *file, const struct latency *latency)
{
    bool known = latency->samples > 0;
    fputs(", \"event_latency_s\": {\"samples\": ", file);
    put_number(file, latency->samples);
    put_member(file, "p50", known ? latency->p50 : -1);
    put_member(file, "p90", known ? latency->p90 : -1);
    put_member(file, "p99", known ? latency->p99 : -1);
    put_member(file, "most", known ? latency->most : -1);
    fputc('}', file);
}

void json_dashboard(FILE *file, const struct dashboard *dashboard, const char *endpoint)
{
    fputs("{\"endpoint\": ", file);
    put_text(file, endpoint);
    fprintf(file, ", \"reachable\": %s", dashboard->reachable ? "true" : "false");
    put_member(file, "restarts", dashboard->restarts);
    if (dashboard->known) {
        fputs(", \"version\": ", file);
        put_text(file, dashboard->version);
        fputs(", \"backend\": ", file);
        put_text(file, dashboard->backend);
        fprintf(file, ", \"draining\": %s", dashboard->draining ? "true" : "false");
        put_member(file, "uptime_s", dashboard->uptime_s);
        put_member(file, "io_threads", dashboard->io_threads);
        put_member(file, "bad_lines", dashboard->bad_lines);
        put_member(file, "connections", dashboard->connections);
        put_member(file, "connections_max", dashboard->connections_max);
        put_member(file, "slots_peak", dashboard->slots_peak);
        put_member(file, "rooms", dashboard->rooms);
        put_member(file, "room_members", dashboard->room_members);
        put_rates(file, "per_s", dashboard->per_s);
        put_rates(file, "total", dashboard->total);
        put_levels(file, "pools", dashboard->pools, dashboard->pool_count);
        put_levels(file, "queues", dashboard->queues, dashboard->queue_count);
        put_counts(file, "ends", dashboard->ends, dashboard->end_count);
        put_counts(file, "troubles", dashboard->troubles, dashboard->trouble_count);
        put_latency(file, &dashboard->latency);
        put_member(file, "logic_stalled_s", dashboard->stalled_s);
        put_member(file, "logic_stalls", dashboard->stalls);
        put_member(file, "events_unreleased", dashboard->events_unreleased);
    }
    fputs("}\n", file);
}
