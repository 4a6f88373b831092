/* SPDX-License-Identifier: MIT
 * See svg.h: the charts. Coordinates are pixels, y downwards. */
#include "svg.h"

#include <math.h>
#include <string.h>

/* Around the plot, for title, note, legend and labels. */
#define MARGIN_LEFT 70.0
#define MARGIN_RIGHT 16.0
#define MARGIN_TOP 48.0
#define MARGIN_BOTTOM 32.0

struct axis {
    bool log;
    enum svg_unit unit;
    double from; /* pixel of `first` */
    double to;   /* and of `last` */
    double first;
    double last;
    unsigned tick_count;
    double ticks[SVG_TICKS_MAX];
};

struct plot {
    FILE *file;
    struct axis x;
    struct axis y;
};

/* Colours in two sets of plain rules, for not every viewer of pictures knows var(). */
void svg_style(FILE *file)
{
    fputs("svg{font:12px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
          ".title{font-size:15px;font-weight:600}.tick{font-size:11px}"
          ".big{font-size:22px;font-weight:650}.grid{stroke-width:1}"
          ".line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}"
          ".area{opacity:.14}.bar{opacity:.85}.mark{stroke-dasharray:4 3;stroke-width:1.4}"
          ".back{fill:#f5f6f8}.card{fill:#fff;stroke:#e4e7ec}.grid{stroke:#e4e7ec}"
          ".title,.big{fill:#1f2933}.tick,.note{fill:#667085}"
          ".s0{stroke:#2563eb}.s1{stroke:#0d9488}.s2{stroke:#d97706}.s3{stroke:#dc2626}"
          ".f0{fill:#2563eb}.f1{fill:#0d9488}.f2{fill:#d97706}.f3{fill:#dc2626}"
          ".big.good{fill:#15803d}.big.bad{fill:#dc2626}"
          "@media(prefers-color-scheme:dark){"
          ".back{fill:#12161d}.card{fill:#1b212b;stroke:#323a46}.grid{stroke:#323a46}"
          ".title,.big{fill:#e6e9ee}.tick,.note{fill:#98a2b3}"
          ".s0{stroke:#6aa5ff}.s1{stroke:#3fd0bd}.s2{stroke:#f5b14c}.s3{stroke:#ff7b72}"
          ".f0{fill:#6aa5ff}.f1{fill:#3fd0bd}.f2{fill:#f5b14c}.f3{fill:#ff7b72}"
          ".big.good{fill:#4ade80}.big.bad{fill:#ff7b72}}",
          file);
}

/* The pixel of a value; what lies outside is drawn at the border. */
static double position(const struct axis *axis, double value)
{
    double share = (value - axis->first) / (axis->last - axis->first);
    if (axis->log) {
        share = value <= axis->first ? 0 : log(value / axis->first) / log(axis->last / axis->first);
    }
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return axis->from + share * (axis->to - axis->from);
}

static void write_text(FILE *file, const char *class, const char *anchor, double x, double y,
                       const char *text)
{
    fprintf(file, "<text class=\"%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, anchor, x,
            y);
    svg_text(file, text);
    fputs("</text>", file);
}

static struct plot open_chart(FILE *file, const char *title, const char *note, double x, double y,
                              double width, double height)
{
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" "
            "height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" role=\"img\"><title>",
            x, y, width, height, width, height);
    svg_text(file, title);
    fprintf(file,
            "</title><rect class=\"card\" x=\".5\" y=\".5\" width=\"%.0f\" height=\"%.0f\" "
            "rx=\"8\"/>",
            width - 1, height - 1);
    write_text(file, "title", "start", 16, 22, title);
    if (note != NULL) {
        write_text(file, "note", "start", 16, 38, note);
    }
    return (struct plot){
        .file = file,
        .x = {.from = MARGIN_LEFT, .to = width - MARGIN_RIGHT},
        .y = {.from = height - MARGIN_BOTTOM, .to = MARGIN_TOP},
    };
}

/* From the first tick to the last. */
static void span_ticks(struct axis *axis)
{
    axis->first = axis->ticks[0];
    axis->last = axis->ticks[axis->tick_count - 1];
}

/* Seconds from 0 to exactly `last`. */
static void span_seconds(struct axis *axis, double last)
{
    axis->unit = SVG_SECONDS;
    axis->tick_count = svg_ticks(last, SVG_SECONDS, axis->ticks);
    axis->first = 0;
    axis->last = last > 0 ? last : 1;
    while (axis->tick_count > 1 && axis->ticks[axis->tick_count - 1] > axis->last) {
        axis->tick_count--;
    }
}

static void draw_grid(const struct plot *plot)
{
    char label[SVG_LABEL_SIZE];
    for (unsigned i = 0; i < plot->y.tick_count; i++) {
        double y = position(&plot->y, plot->y.ticks[i]);
        fprintf(plot->file, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", plot->x.from, y,
                plot->x.to);
        svg_label(label, plot->y.ticks[i], plot->y.unit);
        write_text(plot->file, "tick", "end", plot->x.from - 8, y + 4, label);
    }
    for (unsigned i = 0; i < plot->x.tick_count; i++) {
        double x = position(&plot->x, plot->x.ticks[i]);
        bool last = x > plot->x.to - 16;
        svg_label(label, plot->x.ticks[i], plot->x.unit);
        write_text(plot->file, "tick", last ? "end" : "middle", x + (last ? 8 : 0),
                   plot->y.from + 18, label);
    }
}

/* Right of the title, from right to left. */
static void draw_legend(const struct plot *plot, const char *const *names, unsigned count,
                        unsigned first_colour)
{
    double x = plot->x.to;
    for (unsigned i = count; i-- > 0;) {
        write_text(plot->file, "note", "end", x, 22, names[i]);
        x -= 6.6 * (double)strlen(names[i]) + 8; /* some 6.6 pixels a letter */
        fprintf(plot->file, "<path class=\"line s%u\" d=\"M%.1f 18h-14\"/>",
                (i + first_colour) % SVG_SERIES_MAX, x);
        x -= 28;
    }
}

static double x_of(const struct plot *plot, const struct svg_lines *chart, uint32_t index)
{
    return position(&plot->x, (index + 1) * chart->x_step);
}

static void draw_line(const struct plot *plot, const struct svg_lines *chart, unsigned series)
{
    const double *values = chart->series[series].values;
    bool pen_down = false;
    fprintf(plot->file, "<path class=\"line s%u\" d=\"",
            (series + chart->first_colour) % SVG_SERIES_MAX);
    for (uint32_t i = 0; i < chart->count; i++) {
        if (values[i] < 0) {
            pen_down = false;
            continue;
        }
        double x = x_of(plot, chart, i);
        double y = position(&plot->y, values[i]);
        fprintf(plot->file, "%c%.1f %.1f", pen_down ? 'L' : 'M', x, y);
        /* A point with gaps on both sides would not be seen: round ends make a dot of it. */
        if (!pen_down && (i + 1 == chart->count || values[i + 1] < 0)) {
            fputs("h0", plot->file);
        }
        pen_down = true;
    }
    fputs("\"/>", plot->file);
}

static void draw_area(const struct plot *plot, const struct svg_lines *chart)
{
    if (!chart->area || chart->count == 0) {
        return;
    }
    fprintf(plot->file, "<path class=\"area f%u\" d=\"M%.1f %.1f", chart->first_colour,
            x_of(plot, chart, 0), plot->y.from);
    for (uint32_t i = 0; i < chart->count; i++) {
        double value = chart->series[0].values[i];
        fprintf(plot->file, "L%.1f %.1f", x_of(plot, chart, i),
                position(&plot->y, value < 0 ? 0 : value));
    }
    fprintf(plot->file, "V%.1fZ\"/>", plot->y.from);
}

/* The smallest above 0 and the largest of all values; 1 and 1 if there are none. */
static void find_range(const struct svg_lines *chart, double *least, double *most)
{
    *least = 0;
    *most = 0;
    for (unsigned s = 0; s < chart->series_count; s++) {
        for (uint32_t i = 0; i < chart->count; i++) {
            double value = chart->series[s].values[i];
            *most = value > *most ? value : *most;
            if (value > 0 && (*least == 0 || value < *least)) {
                *least = value;
            }
        }
    }
    if (*most == 0) {
        *least = 1;
        *most = 1;
    }
}

void svg_lines(FILE *file, const struct svg_lines *chart, double x, double y, double width,
               double height)
{
    double least;
    double most;
    struct plot plot = open_chart(file, chart->title, chart->note, x, y, width, height);
    find_range(chart, &least, &most);
    plot.y.unit = chart->unit;
    plot.y.log = chart->log;
    plot.y.tick_count = chart->log ? svg_log_ticks(least, most, plot.y.ticks)
                                   : svg_ticks(most, chart->unit, plot.y.ticks);
    span_ticks(&plot.y);
    span_seconds(&plot.x, chart->count * chart->x_step);
    const char *names[SVG_SERIES_MAX] = {NULL};
    for (unsigned i = 0; i < chart->series_count; i++) {
        names[i] = chart->series[i].name;
    }
    draw_grid(&plot);
    draw_legend(&plot, names, chart->series_count, chart->first_colour);
    draw_area(&plot, chart);
    for (unsigned i = 0; i < chart->series_count; i++) {
        draw_line(&plot, chart, i);
    }
    fputs("</svg>\n", file);
}

static void draw_bars(const struct plot *plot, const struct svg_bars *chart)
{
    fputs("<path class=\"bar f0\" d=\"", plot->file);
    for (uint32_t i = 0; i < chart->count; i++) {
        if (chart->counts[i] > 0) {
            double left = position(&plot->x, chart->first * pow(chart->ratio, i));
            double right = position(&plot->x, chart->first * pow(chart->ratio, i + 1.0));
            /* One of a kind has to be seen: half an octave below the axis' first tick, which is
             * 1. */
            double top = position(&plot->y, (double)chart->counts[i]);
            fprintf(plot->file, "M%.1f %.1fV%.1fH%.1fV%.1fZ", left, plot->y.from,
                    top < plot->y.from - 2 ? top : plot->y.from - 2, right - 0.6, plot->y.from);
        }
    }
    fputs("\"/>", plot->file);
}

void svg_bars(FILE *file, const struct svg_bars *chart, double x, double y, double width,
              double height)
{
    struct plot plot = open_chart(file, chart->title, chart->note, x, y, width, height);
    uint64_t most = 1;
    for (uint32_t i = 0; i < chart->count; i++) {
        most = chart->counts[i] > most ? chart->counts[i] : most;
    }
    plot.y.log = true;
    plot.y.tick_count = svg_log_ticks(1, (double)most, plot.y.ticks);
    plot.x.log = true;
    plot.x.unit = SVG_NANOSECONDS;
    plot.x.tick_count =
        svg_log_ticks(chart->first, chart->first * pow(chart->ratio, chart->count), plot.x.ticks);
    span_ticks(&plot.x);
    span_ticks(&plot.y);
    draw_grid(&plot);
    draw_bars(&plot, chart);
    draw_legend(&plot, chart->mark_names, chart->mark_count, 1);
    for (unsigned i = 0; i < chart->mark_count; i++) {
        double at = position(&plot.x, chart->marks[i]);
        unsigned colour = (i + 1) % SVG_SERIES_MAX;
        fprintf(file, "<path class=\"line mark s%u\" d=\"M%.1f %.1fV%.1f\"/>", colour, at,
                plot.y.from, plot.y.to);
    }
    fputs("</svg>\n", file);
}
