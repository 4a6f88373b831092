/* SPDX-License-Identifier: MIT
 * The text of /metrics: Prometheus' text format 0.0.4, a row of metric_table.h after the other.
 * Pure. */
#include "admin/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include <throng/version.h>

#include "admin/metric_table.h"
#include "base/format.h"
#include "buffer/block_pool.h"

/* ---- writing ---- */

struct text {
    char *bytes;
    size_t size;
    size_t length;
    bool cut;         /* it did not fit */
    const char *name; /* of the family at hand */
};

TG_FORMAT(2, 3) static void put(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = text->size - text->length;
    int length = vsnprintf(text->bytes + text->length, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room) {
        text->cut = true;
    } else {
        text->length += (size_t)length;
    }
}

/* A sample of the family at hand; `labels` is what stands between the braces, or "". */
static void put_number(struct text *text, const char *labels, uint64_t number)
{
    bool has_labels = labels[0] != '\0';
    put(text, "%s%s%s%s %" PRIu64 "\n", text->name, has_labels ? "{" : "", labels,
        has_labels ? "}" : "", number);
}

static void put_milliseconds(struct text *text, const char *labels, uint64_t ms)
{
    bool has_labels = labels[0] != '\0';
    put(text, "%s%s%s%s %" PRIu64 ".%03u\n", text->name, has_labels ? "{" : "", labels,
        has_labels ? "}" : "", ms / 1000, (unsigned)(ms % 1000));
}

/* One label with a value of which the table has the enum's name. */
static void put_named(struct text *text, const char *label, const char *name, uint64_t number)
{
    char labels[80];
    char small[40];
    size_t at = 0;
    for (; name[at] != '\0' && at + 1 < sizeof(small); at++) {
        small[at] = (char)(name[at] >= 'A' && name[at] <= 'Z' ? name[at] + ('a' - 'A') : name[at]);
    }
    small[at] = '\0';
    (void)snprintf(labels, sizeof(labels), "%s=\"%s\"", label, small);
    put_number(text, labels, number);
}

/* ---- what is no field of the counters ---- */

static void put_build_info(struct text *text, const struct tg_metrics *metrics)
{
    char labels[80];
    (void)snprintf(labels, sizeof(labels), "version=\"%s\",backend=\"%s\"", throng_version(),
                   metrics->backend);
    put_number(text, labels, 1);
}

static void put_start_time(struct text *text, const struct tg_metrics *metrics)
{
    put_milliseconds(text, "", metrics->start_unix_ms);
}

static void put_uptime(struct text *text, const struct tg_metrics *metrics)
{
    put_milliseconds(text, "", metrics->uptime_ms);
}

static void put_io_threads(struct text *text, const struct tg_metrics *metrics)
{
    put_number(text, "", metrics->io_threads);
}

static void put_draining(struct text *text, const struct tg_metrics *metrics)
{
    put_number(text, "", metrics->draining);
}

static void put_memory(struct text *text, const struct tg_metrics *metrics)
{
    static const char *const names[TG_REGION_COUNT] = {
#define TG_REGION_LABEL(id, name, reason) #id,
        TG_REGION_MAP(TG_REGION_LABEL)
#undef TG_REGION_LABEL
    };
    for (uint32_t region = 0; region < TG_REGION_COUNT; region++) {
        put_named(text, "region", names[region], metrics->memory[region]);
    }
}

static void put_states(struct text *text, const struct tg_metrics *metrics)
{
    static const char *const names[] = {
        [TG_SLOT_OPEN] = "open",         [TG_SLOT_PEER_ENDED] = "peer_ended",
        [TG_SLOT_DRAINING] = "draining", [TG_SLOT_FLUSHING] = "flushing",
        [TG_SLOT_LINGER] = "linger",     [TG_SLOT_CLOSING] = "closing",
        [TG_SLOT_CLOSED] = "closed",
    };
    for (uint32_t state = TG_SLOT_OPEN; state <= TG_SLOT_CLOSED; state++) {
        put_named(text, "state", names[state], metrics->states[state]);
    }
}

static void put_connections_max(struct text *text, const struct tg_metrics *metrics)
{
    put_number(text, "", metrics->connections_max);
}

static void put_close_reasons(struct text *text, const struct tg_metrics *metrics)
{
#define TG_PUT_REASON(name, sentence)                                                              \
    put_named(text, "reason", #name, metrics->closed_by[THRONG_CLOSE_##name]);
    THRONG_CLOSE_REASON_MAP(TG_PUT_REASON)
#undef TG_PUT_REASON
}

static const char *const queue_names[TG_QUEUE_COUNT] = {
#define TG_QUEUE_NAME(name) #name,
    TG_QUEUE_MAP(TG_QUEUE_NAME)
#undef TG_QUEUE_NAME
};

static void put_queue_depths(struct text *text, const struct tg_metrics *metrics)
{
    for (uint32_t queue = 0; queue < TG_QUEUE_COUNT; queue++) {
        for (uint32_t i = 0; i < metrics->worker_count; i++) {
            char labels[80];
            (void)snprintf(labels, sizeof(labels), "queue=\"%s\",io_thread=\"%u\"",
                           queue_names[queue], i);
            put_number(text, labels, metrics->workers[i].queue_depths[queue]);
        }
    }
}

static void put_queue_capacities(struct text *text, const struct tg_metrics *metrics)
{
    for (uint32_t queue = 0; queue < TG_QUEUE_COUNT; queue++) {
        put_named(text, "queue", queue_names[queue], metrics->queue_capacities[queue]);
    }
}

static void put_assembly_bytes(struct text *text, const struct tg_metrics *metrics)
{
    put_number(text, "", metrics->assembly_bytes);
}

static void put_receive_buffers_free(struct text *text, const struct tg_metrics *metrics)
{
    for (uint32_t i = 0; i < metrics->worker_count; i++) {
        char labels[40];
        (void)snprintf(labels, sizeof(labels), "io_thread=\"%u\"", i);
        put_number(text, labels, metrics->workers[i].receive_buffers_free);
    }
}

static void put_receive_buffers(struct text *text, const struct tg_metrics *metrics)
{
    put_number(text, "", metrics->receive_buffers);
}

static void put_receive_buffers_missed(struct text *text, const struct tg_metrics *metrics)
{
    put_number(text, "", metrics->receive_buffers_missed);
}

/* Each bucket counts what is in those before it too, and the last one is the count: from one
 * reading, so that they agree. */
static void put_event_latency(struct text *text, const struct tg_metrics *metrics)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < TG_LATENCY_BUCKETS; i++) {
        uint64_t bound_ns = UINT64_C(1) << (TG_LATENCY_FIRST + i);
        count += metrics->latency_buckets[i];
        put(text, "%s_bucket{le=\"%" PRIu64 ".%09" PRIu64 "\"} %" PRIu64 "\n", text->name,
            bound_ns / 1000000000u, bound_ns % 1000000000u, count);
    }
    count += metrics->latency_buckets[TG_LATENCY_BUCKETS];
    put(text, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", text->name, count);
    put(text, "%s_sum %" PRIu64 ".%09" PRIu64 "\n", text->name,
        metrics->latency_sum_ns / 1000000000u, metrics->latency_sum_ns % 1000000000u);
    put(text, "%s_count %" PRIu64 "\n", text->name, count);
}

static void put_admin_connections(struct text *text, const struct tg_metrics *metrics)
{
    put_number(text, "", metrics->admin_connections);
}

static void put_admin_requests(struct text *text, const struct tg_metrics *metrics)
{
    put_number(text, "class=\"2xx\"", metrics->admin_requests[2]);
    put_number(text, "class=\"4xx\"", metrics->admin_requests[4]);
    put_number(text, "class=\"5xx\"", metrics->admin_requests[5]);
}

/* ---- the table ---- */

enum row_kind {
    ROW_FAMILY,
    ROW_FIELD,
    ROW_GROUP
};

enum unit {
    UNIT_ONE,
    UNIT_BLOCKS,
    UNIT_MILLISECONDS
};

struct row {
    enum row_kind kind;
    const char *name; /* FAMILY; FIELD: the labels */
    const char *type; /* FAMILY */
    const char *help;
    size_t offset; /* FIELD: in struct throng_counters */
    enum unit unit;
    void (*put)(struct text *text, const struct tg_metrics *metrics);
};

#define TG_TYPE_COUNTER "counter"
#define TG_TYPE_GAUGE "gauge"
#define TG_TYPE_HISTOGRAM "histogram"

static const struct row rows[] = {
#define TG_ROW_FAMILY(title, kind_of, text)                                                        \
    {.kind = ROW_FAMILY, .name = (title), .type = TG_TYPE_##kind_of, .help = (text)},
#define TG_ROW_FIELD(field, labels, measure)                                                       \
    {.kind = ROW_FIELD,                                                                            \
     .name = (labels),                                                                             \
     .offset = offsetof(struct throng_counters, field),                                            \
     .unit = UNIT_##measure},
#define TG_ROW_GROUP(function, labels) {.kind = ROW_GROUP, .put = put_##function},
    TG_METRIC_TABLE(TG_ROW_FAMILY, TG_ROW_FIELD, TG_ROW_GROUP)
#undef TG_ROW_GROUP
#undef TG_ROW_FIELD
#undef TG_ROW_FAMILY
};

/* Each field of the counters stands in the table: twice would be one name twice in this enum, and
 * one that is missing would make it shorter than the counters. */
enum field_once {
#define TG_NOTHING(...)
#define TG_FIELD_ONCE(field, labels, measure) FIELD_ONCE_##field,
    TG_METRIC_TABLE(TG_NOTHING, TG_FIELD_ONCE, TG_NOTHING)
#undef TG_FIELD_ONCE
#undef TG_NOTHING
    FIELDS
};

_Static_assert(FIELDS == sizeof(struct throng_counters) / sizeof(uint64_t),
               "a row of THRONG_COUNTER_MAP has no FIELD in admin/metric_table.h");

static void put_field(struct text *text, const struct row *row, const struct tg_metrics *metrics)
{
    const uint64_t *numbers = (const uint64_t *)&metrics->counters;
    uint64_t number = numbers[row->offset / sizeof(uint64_t)];
    switch (row->unit) {
    case UNIT_ONE:
        put_number(text, row->name, number);
        return;
    case UNIT_BLOCKS:
        put_number(text, row->name, number * TG_BLOCK_BYTES);
        return;
    case UNIT_MILLISECONDS:
        put_milliseconds(text, row->name, number);
        return;
    }
}

size_t tg_metrics_write(const struct tg_metrics *metrics, char *text, size_t size)
{
    struct text out = {0};
    out.bytes = text;
    out.size = size;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !out.cut; i++) {
        switch (rows[i].kind) {
        case ROW_FAMILY:
            out.name = rows[i].name;
            put(&out, "# HELP %s %s\n# TYPE %s %s\n", out.name, rows[i].help, out.name,
                rows[i].type);
            break;
        case ROW_FIELD:
            put_field(&out, &rows[i], metrics);
            break;
        case ROW_GROUP:
            rows[i].put(&out, metrics);
            break;
        }
    }
    return out.cut ? 0 : out.length;
}
