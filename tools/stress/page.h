/* SPDX-License-Identifier: MIT
 * --report: what a run was, as a page or a picture that needs nothing else: totals, charts over
 * time, the distribution of latencies. page.c collects, page_write.c writes. Main thread, after the
 * run. */
#ifndef STRESS_PAGE_H
#define STRESS_PAGE_H

#include "run.h"
#include "svg.h"

#define PAGE_TILES_MAX 8
#define PAGE_ROWS_MAX 40
#define PAGE_CHARTS_MAX 6
#define PAGE_BARS 72

/* A number with its name. */
struct page_row {
    const char *name;
    char value[48];
    bool bad;  /* it should have been 0 */
    bool good; /* the run was all right */
};

struct page {
    const char *scenario;
    char command[1024];
    const char *first_wrong; /* or "" */
    struct page_row tiles[PAGE_TILES_MAX];
    unsigned tile_count;
    struct page_row rows[PAGE_ROWS_MAX];
    unsigned row_count;
    struct svg_lines charts[PAGE_CHARTS_MAX];
    unsigned chart_count;
    struct svg_bars bars;
    uint64_t bar_counts[PAGE_BARS];
    /* What the charts' series point to. */
    double values[10][TIMELINE_POINTS];
};

/* Fills a page that is all zero; it points into `options` and `outcome`. */
void page_collect(struct page *page, const struct stress_options *options,
                  const struct outcome *outcome, int argc, char *const *argv);

/* page_write.c */
void page_write_html(FILE *file, const struct page *page);
void page_write_svg(FILE *file, const struct page *page);

#endif
