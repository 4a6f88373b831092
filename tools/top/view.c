/* SPDX-License-Identifier: MIT
 * See view.h. */
#include "view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../terminal/text.h"
#include "format.h"

#define PIECE_SIZE 1024
#define LEVELS_SHOWN 6

/* gcc takes "printf" for the system's own; a C library that brings one of C11 beside it names
 * that. */
#if defined(__MINGW_PRINTF_FORMAT)
#define CHECKED_FORMAT(text, first) __attribute__((format(__MINGW_PRINTF_FORMAT, text, first)))
#else
#define CHECKED_FORMAT(text, first) __attribute__((format(printf, text, first)))
#endif

static const struct {
    const char *label;
    bool bytes;
} rates[RATE_COUNT] = {
#define RATE_ROW(name, metric, key, label, bytes) {label, bytes},
    DASHBOARD_RATE_MAP(RATE_ROW)
#undef RATE_ROW
};

/* One page on its way out. */
struct paint {
    const struct view_target *target;
    size_t column;
    size_t row;
};

/* Adds a piece to the line, cut at the screen's edge. */
CHECKED_FORMAT(3, 4)
static void put(struct paint *paint, enum view_style style, const char *format, ...)
{
    char text[PIECE_SIZE] = "", safe[PIECE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    /* clang 14 overlooks the va_start above: NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (paint->row >= paint->target->rows) {
        return;
    }
    size_t size = text_escape(safe, sizeof(safe), text, strlen(text));
    size = text_fit(safe, size, paint->target->columns - paint->column);
    safe[size] = '\0';
    paint->column += text_columns(safe, size);
    paint->target->piece(paint->target->context, style, safe);
}

static void end_line(struct paint *paint)
{
    if (paint->row < paint->target->rows) {
        paint->target->end_line(paint->target->context);
        paint->row++;
    }
    paint->column = 0;
}

/* Blanks up to a column. */
static void pad(struct paint *paint, size_t column)
{
    if (column > paint->column) {
        put(paint, VIEW_NORMAL, "%*s", (int)(column - paint->column), "");
    }
}

static enum view_style level_style(const struct dashboard_level *level)
{
    double part = level->total > 0 ? level->used / level->total : 0;
    return part >= 0.9 ? VIEW_BAD : part >= 0.5 ? VIEW_WARN : VIEW_GOOD;
}

/* ---- the parts, from top to bottom ---- */

static void view_head(struct paint *paint, const struct dashboard *dashboard, const char *endpoint,
                      uint64_t now_ms)
{
    char age[FORMAT_SIZE];
    put(paint, VIEW_TITLE, "throng-top");
    put(paint, VIEW_NORMAL, "  %s", endpoint);
    if (!dashboard->known) {
        put(paint, VIEW_BAD, "  not reachable");
        end_line(paint);
        return;
    }
    put(paint, VIEW_NORMAL, "  throng %s, %s, %.0f I/O threads, up %s", dashboard->version,
        dashboard->backend, dashboard->io_threads, format_age(age, dashboard->uptime_s));
    end_line(paint);
    if (!dashboard->reachable) {
        double seconds = (double)(now_ms - dashboard->at_ms) / 1000;
        put(paint, VIEW_BAD, "not reachable; what follows is %s old", format_age(age, seconds));
    } else if (dashboard->draining) {
        put(paint, VIEW_WARN, "the server drains: it takes no connections and ends");
    }
    if (dashboard->restarts > 0) {
        put(paint, VIEW_WARN, "%sstarted anew %u time%s while watched",
            paint->column > 0 ? "; " : "", dashboard->restarts,
            dashboard->restarts == 1 ? "" : "s");
    }
    if (dashboard->bad_lines > 0) {
        put(paint, VIEW_WARN, "%s%u lines not understood", paint->column > 0 ? "; " : "",
            dashboard->bad_lines);
    }
    end_line(paint);
}

static void view_connections(struct paint *paint, const struct dashboard *dashboard)
{
    char now[FORMAT_SIZE], most[FORMAT_SIZE], peak[FORMAT_SIZE];
    put(paint, VIEW_TITLE, "connections ");
    put(paint, VIEW_NORMAL, "%10s", format_count(now, dashboard->connections));
    put(paint, VIEW_DIM, " of %s, most slots in use at once: %s",
        format_count(most, dashboard->connections_max), format_count(peak, dashboard->slots_peak));
    end_line(paint);
    if (dashboard->rooms > 0) {
        put(paint, VIEW_TITLE, "rooms       ");
        put(paint, VIEW_NORMAL, "%10s", format_count(now, dashboard->rooms));
        put(paint, VIEW_DIM, " with %s members", format_count(most, dashboard->room_members));
        end_line(paint);
    }
}

static void view_rates(struct paint *paint, const struct dashboard *dashboard)
{
    end_line(paint);
    put(paint, VIEW_TITLE, "%-14s%12s%12s", "", "a second", "total");
    end_line(paint);
    for (size_t i = 0; i < RATE_COUNT; i++) {
        char per_s[FORMAT_SIZE], total[FORMAT_SIZE], line[DASHBOARD_HISTORY * 3 + 1];
        const char *(*format)(char *, double) = rates[i].bytes ? format_bytes : format_count;
        if ((i == RATE_BROADCASTS || i == RATE_DELIVERIES) && !(dashboard->total[i] > 0)) {
            continue; /* a server without rooms */
        }
        size_t width = paint->target->columns > 42 ? paint->target->columns - 42 : 0;
        width = width < DASHBOARD_HISTORY ? width : DASHBOARD_HISTORY;
        format_sparkline(line, sizeof(line), dashboard->history[i], dashboard->history_count,
                         width);
        put(paint, VIEW_DIM, "%-14s", rates[i].label);
        put(paint, VIEW_NORMAL, "%12s", format(per_s, dashboard->per_s[i]));
        put(paint, VIEW_DIM, "%14s  ", format(total, dashboard->total[i]));
        put(paint, VIEW_GOOD, "%s", line);
        end_line(paint);
    }
}

static void view_level(struct paint *paint, const struct dashboard_level *level)
{
    char used[FORMAT_SIZE], total[FORMAT_SIZE], bar[64];
    const char *(*format)(char *, double) = level->bytes ? format_bytes : format_count;
    put(paint, VIEW_DIM, "%-20.20s", level->name);
    pad(paint, 20);
    put(paint, VIEW_NORMAL, "%11s", format(used, level->used));
    if (level->total > 0) {
        format_bar(bar, sizeof(bar), level->used, level->total, 16);
        put(paint, VIEW_DIM, " of %10s  ", format(total, level->total));
        put(paint, level_style(level), "%s %3.0f %%", bar, 100 * level->used / level->total);
    }
    end_line(paint);
}

static void view_levels(struct paint *paint, const char *title,
                        const struct dashboard_level *levels, size_t count)
{
    end_line(paint);
    put(paint, VIEW_TITLE, "%s", title);
    put(paint, VIEW_DIM, "  fullest first");
    if (count > LEVELS_SHOWN) {
        put(paint, VIEW_DIM, ", %d of %zu", LEVELS_SHOWN, count);
    }
    end_line(paint);
    for (size_t i = 0; i < count && i < LEVELS_SHOWN; i++) {
        view_level(paint, &levels[i]);
    }
}

static void view_threads(struct paint *paint, const struct dashboard *dashboard)
{
    char a[FORMAT_SIZE], b[FORMAT_SIZE], c[FORMAT_SIZE], d[FORMAT_SIZE];
    const struct latency *latency = &dashboard->latency;
    end_line(paint);
    put(paint, VIEW_TITLE, "events waited");
    if (latency->samples > 0) {
        put(paint, VIEW_NORMAL, "  p50 %s  p90 %s  p99 %s  most %s%s",
            format_seconds(a, latency->p50), format_seconds(b, latency->p90),
            format_seconds(c, latency->p99),
            prometheus_is_finite(latency->most) ? "" : "beyond the buckets",
            prometheus_is_finite(latency->most) ? format_seconds(d, latency->most) : "");
        put(paint, VIEW_DIM, "  of %s%s", format_count(a, latency->samples),
            dashboard->latency_is_recent ? "" : " since the start");
    } else {
        put(paint, VIEW_DIM, "  none measured yet");
    }
    end_line(paint);
    put(paint, VIEW_TITLE, "logic thread ");
    if (dashboard->stalled_s > 0) {
        put(paint, VIEW_BAD, "  STUCK for %s", format_seconds(a, dashboard->stalled_s));
    } else {
        put(paint, VIEW_GOOD, "  takes events");
    }
    put(paint, dashboard->stalls > 0 ? VIEW_WARN : VIEW_DIM, "; stalls so far: %s",
        format_count(b, dashboard->stalls));
    put(paint, VIEW_DIM, "; events not released: %s",
        format_count(c, dashboard->events_unreleased));
    end_line(paint);
}

/* One cell of the two columns at the bottom. */
static void view_count(struct paint *paint, const struct dashboard_count *row, size_t width,
                       enum view_style style)
{
    char total[FORMAT_SIZE], per_s[FORMAT_SIZE], name[DASHBOARD_NAME_SIZE];
    size_t name_width = width > 21 ? width - 21 : 0;
    size_t start = paint->column;
    size_t size = text_fit(row->name, strlen(row->name), name_width);
    (void)snprintf(name, sizeof(name), "%.*s", (int)size, row->name);
    put(paint, VIEW_DIM, "%s", name);
    pad(paint, start + name_width);
    put(paint, VIEW_NORMAL, "%11s", format_count(total, row->total));
    put(paint, row->per_s > 0 ? style : VIEW_DIM, "%7s/s ", format_count(per_s, row->per_s));
}

static void view_counts(struct paint *paint, const struct dashboard *dashboard)
{
    size_t width = paint->target->columns / 2;
    size_t count = dashboard->end_count > dashboard->trouble_count ? dashboard->end_count
                                                                   : dashboard->trouble_count;
    end_line(paint);
    put(paint, VIEW_TITLE, "connections ended");
    pad(paint, width);
    put(paint, VIEW_TITLE, "refused, dropped, put off");
    end_line(paint);
    if (count == 0) {
        put(paint, VIEW_DIM, "none");
        pad(paint, width);
        put(paint, VIEW_DIM, "none");
        end_line(paint);
    }
    for (size_t i = 0; i < count; i++) {
        if (i < dashboard->end_count) {
            view_count(paint, &dashboard->ends[i], width, VIEW_NORMAL);
        }
        if (i < dashboard->trouble_count) {
            pad(paint, width);
            view_count(paint, &dashboard->troubles[i], width, VIEW_WARN);
        }
        end_line(paint);
    }
}

void view_dashboard(const struct view_target *target, const struct dashboard *dashboard,
                    const char *endpoint, uint64_t now_ms, const char *note)
{
    struct paint paint = {.target = target};
    view_head(&paint, dashboard, endpoint, now_ms);
    if (dashboard->known) {
        view_connections(&paint, dashboard);
        view_rates(&paint, dashboard);
        view_levels(&paint, "pools ", dashboard->pools, dashboard->pool_count);
        view_levels(&paint, "queues", dashboard->queues, dashboard->queue_count);
        view_threads(&paint, dashboard);
        view_counts(&paint, dashboard);
    }
    if (note[0] != '\0') {
        put(&paint, VIEW_WARN, "%s", note);
        end_line(&paint);
    }
}
