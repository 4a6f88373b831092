/* SPDX-License-Identifier: MIT
 * See page.h: what the page shows. */
#include "page.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- numbers ---- */

static struct page_row *add_row(struct page *page, const char *name)
{
    static struct page_row beyond; /* rows that a later change adds and forgets to make room for */
    struct page_row *row = page->row_count < PAGE_ROWS_MAX ? &page->rows[page->row_count++]
                                                           : &beyond;
    row->name = name;
    return row;
}

static void add_count(struct page *page, const char *name, uint64_t count)
{
    struct page_row *row = add_row(page, name);
    (void)snprintf(row->value, sizeof(row->value), "%" PRIu64, count);
}

static void add_wrong(struct page *page, const char *name, uint64_t count)
{
    struct page_row *row = add_row(page, name);
    (void)snprintf(row->value, sizeof(row->value), "%" PRIu64, count);
    row->bad = count > 0;
}

static void add_number(struct page *page, const char *name, double number, enum svg_unit unit)
{
    struct page_row *row = add_row(page, name);
    char label[SVG_LABEL_SIZE];
    svg_label(label, number, unit);
    (void)snprintf(row->value, sizeof(row->value), "%s", label);
}

static void add_tile(struct page *page, const char *name, double number, enum svg_unit unit)
{
    struct page_row *tile = &page->tiles[page->tile_count++];
    char label[SVG_LABEL_SIZE];
    svg_label(label, number, unit);
    tile->name = name;
    (void)snprintf(tile->value, sizeof(tile->value), "%s", label);
}

static bool has_rooms(const struct stress_options *options)
{
    return options->scenario == SCENARIO_ROOMS || options->scenario == SCENARIO_CHAT;
}

static const char *answers_of(const struct stress_options *options)
{
    return has_rooms(options) ? "deliveries/s" : "messages/s";
}

static double rate_of(uint64_t count, double seconds)
{
    return seconds > 0 ? (double)count / seconds : 0;
}

static void collect_tiles(struct page *page, const struct stress_options *options,
                          const struct outcome *outcome)
{
    struct page_row *status = &page->tiles[page->tile_count++];
    status->name = outcome->errors == 0 ? "no errors" : "errors";
    status->bad = outcome->errors > 0;
    status->good = outcome->errors == 0;
    if (outcome->errors == 0) {
        (void)snprintf(status->value, sizeof(status->value), "all right");
    } else {
        (void)snprintf(status->value, sizeof(status->value), "%" PRIu64, outcome->errors);
    }
    add_tile(page, "connections at once", outcome->peak, SVG_COUNT);
    if (options->scenario == SCENARIO_CHURN) {
        add_tile(page, "connections/s", rate_of(outcome->totals.verified, outcome->talk_seconds),
                 SVG_COUNT);
    }
    add_tile(page, answers_of(options), rate_of(outcome->totals.received, outcome->talk_seconds),
             SVG_COUNT);
    add_tile(page, "p50", (double)histogram_at(&outcome->latency, 500000), SVG_NANOSECONDS);
    add_tile(page, "p99", (double)histogram_at(&outcome->latency, 990000), SVG_NANOSECONDS);
    add_tile(page, "p99.9", (double)histogram_at(&outcome->latency, 999000), SVG_NANOSECONDS);
    add_tile(page, "max", (double)outcome->latency.max, SVG_NANOSECONDS);
}

static void collect_scenario(struct page *page, const struct stress_options *options,
                             const struct outcome *outcome)
{
    const struct totals *totals = &outcome->totals;
    if (options->scenario == SCENARIO_CHURN) {
        add_count(page, "lives begun", totals->lives);
        add_count(page, "lives verified", totals->verified);
        add_number(page, "first answer p99", (double)histogram_at(&outcome->first_reply, 990000),
                   SVG_NANOSECONDS);
    }
    if (has_rooms(options)) {
        add_count(page, "rooms", options->rooms);
        add_count(page, "members of each", options->room_size);
        add_wrong(page, "not let in", outcome->unready);
        add_count(page, "lines said", totals->sent);
        add_count(page, "deliveries due", totals->expected);
    } else {
        add_count(page, "messages sent", totals->sent);
    }
    add_count(page, has_rooms(options) ? "deliveries right" : "answered right", totals->received);
}

static void collect_rows(struct page *page, const struct stress_options *options,
                         const struct outcome *outcome)
{
    const struct totals *totals = &outcome->totals;
    add_count(page, "connections asked for", options->connections);
    add_count(page, "connected", totals->opened);
    add_count(page, "alive at the end", outcome->alive);
    add_number(page, "connecting took", outcome->connect_seconds, SVG_SECONDS);
    add_number(page, "connect p99", (double)histogram_at(&outcome->connect, 990000),
               SVG_NANOSECONDS);
    collect_scenario(page, options, outcome);
    add_wrong(page, "failed", outcome->failed);
    add_wrong(page, "reset by the server", totals->reset);
    add_wrong(page, "closed by the server", totals->ended);
    add_wrong(page, "broken otherwise", totals->broken);
    add_wrong(page, "unanswered", outcome->unanswered);
    add_wrong(page, "lost", totals->lost);
    add_wrong(page, "duplicated", totals->duplicated);
    add_wrong(page, "reordered", totals->reordered);
    add_wrong(page, "corrupted", totals->corrupted);
    add_wrong(page, "foreign", totals->foreign);
    if (options->rate > 0) {
        add_count(page, "sent late", totals->late);
        add_count(page, "due, but never sent", totals->unsent);
    }
    if (outcome->has_server) {
        add_number(page, "server's memory", (double)outcome->server_end.rss_bytes, SVG_BYTES);
        add_number(page, "server's CPU",
                   outcome->server_end.cpu_seconds - outcome->server_begin.cpu_seconds,
                   SVG_SECONDS);
    }
    add_number(page, "client's memory", (double)outcome->usage.peak_rss_bytes, SVG_BYTES);
    add_number(page, "client's CPU", outcome->usage.user_seconds + outcome->usage.system_seconds,
               SVG_SECONDS);
    add_count(page, "client's threads", outcome->threads);
    (void)snprintf(add_row(page, "client's backend")->value, sizeof(page->rows[0].value), "%s",
                   outcome->backend);
}

/* ---- charts ---- */

enum {
    P50,
    P90,
    P99,
    SLOWEST,
    ANSWERS,
    OPENED,
    UP,
    ERRORS,
    MEMORY,
    PROCESSORS
};

static void fill_values(struct page *page, const struct outcome *outcome)
{
    const struct timeline *timeline = outcome->timeline;
    double step = timeline_step(timeline);
    double cpu = outcome->server_begin.cpu_seconds;
    double up = 0;
    double errors = 0;
    for (uint32_t i = 0; i < timeline->count; i++) {
        const struct timeline_point *point = &timeline->points[i];
        bool any = point->answers > 0;
        page->values[P50][i] = any ? (double)timeline_latency(point, 500000) : -1;
        page->values[P90][i] = any ? (double)timeline_latency(point, 900000) : -1;
        page->values[P99][i] = any ? (double)timeline_latency(point, 990000) : -1;
        page->values[SLOWEST][i] = any ? (double)point->latency_max_ns : -1;
        page->values[ANSWERS][i] = (double)point->answers / step;
        page->values[OPENED][i] = (double)point->opened / step;
        up = point->looked ? point->up : up;
        errors = point->looked ? (double)point->errors : errors;
        page->values[UP][i] = up;
        page->values[ERRORS][i] = errors;
        page->values[MEMORY][i] = (double)point->server_rss_bytes;
        double spent = point->looked ? point->server_cpu_seconds - cpu : 0;
        page->values[PROCESSORS][i] = spent / step;
        cpu += spent;
    }
}

static struct svg_lines *add_chart(struct page *page, const struct outcome *outcome,
                                   const char *title, unsigned colour, enum svg_unit unit)
{
    struct svg_lines *chart = &page->charts[page->chart_count++];
    *chart = (struct svg_lines){.title = title,
                                .unit = unit,
                                .area = true,
                                .x_step = timeline_step(outcome->timeline),
                                .count = outcome->timeline->count,
                                .first_colour = colour};
    return chart;
}

static void add_series(struct page *page, struct svg_lines *chart, const char *name, int values)
{
    chart->series[chart->series_count++] = (struct svg_series){name, page->values[values]};
}

static void collect_charts(struct page *page, const struct stress_options *options,
                           const struct outcome *outcome)
{
    fill_values(page, outcome);
    struct svg_lines *chart = add_chart(page, outcome, "Latency", 0, SVG_NANOSECONDS);
    bool intended = options->rate > 0 && options->scenario != SCENARIO_CHURN;
    chart->note = intended ? "from the intended send time, a logarithmic axis"
                           : "from the send, a logarithmic axis";
    chart->log = true;
    chart->area = false;
    add_series(page, chart, "p50", P50);
    add_series(page, chart, "p90", P90);
    add_series(page, chart, "p99", P99);
    add_series(page, chart, "max", SLOWEST);
    chart = add_chart(page, outcome, "Rate", 0, SVG_COUNT);
    add_series(page, chart, answers_of(options), ANSWERS);
    add_series(page, chart, "connects/s", OPENED);
    chart = add_chart(page, outcome, "Connections", 1, SVG_COUNT);
    add_series(page, chart, "up", UP);
    if (outcome->errors > 0) {
        chart = add_chart(page, outcome, "Errors so far", 3, SVG_COUNT);
        add_series(page, chart, "errors", ERRORS);
    }
    if (outcome->has_server) {
        chart = add_chart(page, outcome, "The server's memory", 2, SVG_BYTES);
        add_series(page, chart, "resident", MEMORY);
        chart = add_chart(page, outcome, "The server's processors", 2, SVG_COUNT);
        add_series(page, chart, "busy", PROCESSORS);
    }
}

/* Bars of a tenth of a decade, from the power of ten before the first value to the largest. */
static void collect_bars(struct page *page, const struct outcome *outcome)
{
    static const uint32_t marks[] = {500000, 990000, 999000};
    static const char *const mark_names[] = {"p50", "p99", "p99.9"};
    struct svg_bars *bars = &page->bars;
    *bars = (struct svg_bars){.title = "Distribution of latencies",
                              .note = "how many answers took how long, both axes logarithmic",
                              .first = 1000,
                              .ratio = pow(10, 0.1),
                              .counts = page->bar_counts};
    while (histogram_count_to(&outcome->latency, (uint64_t)bars->first * 10) == 0 &&
           bars->first * 10 < (double)outcome->latency.max) {
        bars->first *= 10;
    }
    uint64_t below = histogram_count_to(&outcome->latency, (uint64_t)bars->first);
    double end = bars->first;
    while (bars->count < PAGE_BARS && (end <= (double)outcome->latency.max || bars->count < 20)) {
        end *= bars->ratio;
        uint64_t count = histogram_count_to(&outcome->latency, (uint64_t)end);
        page->bar_counts[bars->count++] = count - below;
        below = count;
    }
    for (unsigned i = 0; i < 3 && outcome->latency.count > 0; i++) {
        bars->marks[i] = (double)histogram_at(&outcome->latency, marks[i]);
        bars->mark_names[i] = mark_names[i];
        bars->mark_count++;
    }
}

void page_collect(struct page *page, const struct stress_options *options,
                  const struct outcome *outcome, int argc, char *const *argv)
{
    page->scenario = stress_scenario_name(options->scenario);
    page->first_wrong = outcome->first_wrong;
    size_t len = 0;
    for (int i = 1; i < argc && len < sizeof(page->command); i++) {
        int more = snprintf(page->command + len, sizeof(page->command) - len, " %s", argv[i]);
        len += more > 0 ? (size_t)more : 0;
    }
    collect_tiles(page, options, outcome);
    collect_rows(page, options, outcome);
    collect_charts(page, options, outcome);
    collect_bars(page, outcome);
}
