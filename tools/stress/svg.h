/* SPDX-License-Identifier: MIT
 * Charts as SVG, for --report: lines over time and histograms, with axes, grid and legend, in a few
 * elements without scripts. Colours are classes (svg_style), so that a page follows light and dark.
 * Pure but for the FILE; main thread. */
#ifndef STRESS_SVG_H
#define STRESS_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SVG_SERIES_MAX 4
#define SVG_TICKS_MAX 16
#define SVG_LABEL_SIZE 24

/* What a number is, and so how it is written: 1200000 is "1.2M", "1.2 ms", "1.1 MiB", "1200000 s",
 * 1.2e8 %. */
enum svg_unit {
    SVG_COUNT = 0,
    SVG_NANOSECONDS,
    SVG_BYTES,
    SVG_SECONDS,
};

struct svg_series {
    const char *name;
    const double *values; /* `count` of the chart; below 0: none, the line has a gap */
};

/* Values over time. Series i has the colour of class s(i + first_colour). */
struct svg_lines {
    const char *title;
    const char *note; /* a line below the title; may be NULL */
    enum svg_unit unit;
    bool log;      /* both ends of the axis are powers of ten */
    bool area;     /* the first series is filled */
    double x_step; /* seconds between two values; the first is at one step */
    uint32_t count;
    unsigned first_colour;
    unsigned series_count;
    struct svg_series series[SVG_SERIES_MAX];
};

/* How many values lie where: bars of equal width over a logarithmic axis. Mark i has
 * the colour of class s(i + 1). */
struct svg_bars {
    const char *title;
    const char *note;
    double first; /* where the first bar begins, nanoseconds, > 0 */
    double ratio; /* how much larger the end of a bar is than its beginning */
    const uint64_t *counts;
    uint32_t count;
    unsigned mark_count; /* lines across, as for percentiles */
    double marks[SVG_SERIES_MAX];
    const char *mark_names[SVG_SERIES_MAX];
};

/* A number with its unit. */
void svg_label(char label[SVG_LABEL_SIZE], double value, enum svg_unit unit);

/* Where the lines of a grid lie: 0, step, ... at least up to `most`, steps of 1, 2 or 5 times a
 * power of ten, of bytes of two. Answers how many; the last one is the axis' end. */
unsigned svg_ticks(double most, enum svg_unit unit, double ticks[SVG_TICKS_MAX]);

/* Powers of ten around least..most (> 0): the first and the last are the axis' ends. */
unsigned svg_log_ticks(double least, double most, double ticks[SVG_TICKS_MAX]);

/* Text with what XML would misread replaced; bytes that no text may have become '?'. */
void svg_text(FILE *file, const char *text);

/* The style sheet that the charts' classes need, without its <style> element. */
void svg_style(FILE *file);

/* An <svg> element, width x height, at x, y of the one around it (0, 0 in a page). */
void svg_lines(FILE *file, const struct svg_lines *chart, double x, double y, double width,
               double height);
void svg_bars(FILE *file, const struct svg_bars *chart, double x, double y, double width,
              double height);

#endif
