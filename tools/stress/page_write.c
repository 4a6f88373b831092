/* SPDX-License-Identifier: MIT
 * See page.h: the page's markup. Nothing in it asks the network for anything. */
#include "page.h"

#include <throng/version.h>

#define CHART_WIDTH 720.0
#define CHART_HEIGHT 280.0
#define GAP 16.0

static const char page_style[] =
    ":root{--ink:#1f2933;--soft:#667085;--grid:#e4e7ec;--card:#fff;--page:#f5f6f8;"
    "--good:#15803d;--bad:#dc2626}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#98a2b3;--grid:#323a46;"
    "--card:#1b212b;--page:#12161d;--good:#4ade80;--bad:#ff7b72}}"
    "*{box-sizing:border-box}body{margin:0;padding:24px;background:var(--page);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    "main{max-width:1480px;margin:0 auto}h1{font-size:22px;margin:0}"
    ".cmd{font:13px ui-monospace,Consolas,monospace;color:var(--soft);overflow-wrap:anywhere}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:16px;margin:"
    "20px 0}"
    ".tile{background:var(--card);border:1px solid var(--grid);border-radius:8px;padding:12px "
    "16px}"
    ".tile b{display:block;font-size:22px;font-weight:650}.tile span{color:var(--soft)}"
    ".tile.good b{color:var(--good)}.bad,.tile.bad b{color:var(--bad)}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,560px),1fr));gap:"
    "16px}"
    ".charts>svg{width:100%;height:auto}"
    ".rows{columns:3 320px;column-gap:16px;margin:16px 0;background:var(--card);border:1px solid "
    "var(--grid);border-radius:8px;padding:12px 16px}"
    ".rows div{display:flex;justify-content:space-between;border-bottom:1px solid "
    "var(--grid);padding:3px 0;break-inside:avoid}"
    ".rows span{color:var(--soft)}.rows .bad span,.rows .bad b{color:var(--bad)}.rows "
    "b{font-weight:500;"
    "font-variant-numeric:tabular-nums}footer{color:var(--soft);font-size:13px;margin-top:16px}";

static const char *class_of(const struct page_row *row)
{
    return row->bad ? "bad" : row->good ? "good" : "";
}

static void write_tiles(FILE *file, const struct page *page)
{
    fputs("<div class=\"tiles\">", file);
    for (unsigned i = 0; i < page->tile_count; i++) {
        fprintf(file, "<div class=\"tile %s\"><b>", class_of(&page->tiles[i]));
        svg_text(file, page->tiles[i].value);
        fputs("</b><span>", file);
        svg_text(file, page->tiles[i].name);
        fputs("</span></div>\n", file);
    }
    fputs("</div>\n", file);
}

static void write_rows(FILE *file, const struct page *page)
{
    fputs("<div class=\"rows\">", file);
    for (unsigned i = 0; i < page->row_count; i++) {
        fprintf(file, "<div class=\"%s\"><span>", class_of(&page->rows[i]));
        svg_text(file, page->rows[i].name);
        fputs("</span><b>", file);
        svg_text(file, page->rows[i].value);
        fputs("</b></div>\n", file);
    }
    fputs("</div>\n", file);
}

void page_write_html(FILE *file, const struct page *page)
{
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
          "<meta name=\"color-scheme\" content=\"light dark\"><title>throng-stress: ",
          file);
    fprintf(file, "%s</title><style>", page->scenario);
    svg_style(file);
    fprintf(file, "%s</style></head>\n<body><main><h1>throng-stress: %s</h1><div class=\"cmd\">",
            page_style, page->scenario);
    svg_text(file, "throng-stress");
    svg_text(file, page->command);
    fputs("</div>\n", file);
    write_tiles(file, page);
    if (page->first_wrong[0] != '\0') {
        fputs("<p class=\"bad\">The first that was wrong: ", file);
        svg_text(file, page->first_wrong);
        fputs("</p>\n", file);
    }
    fputs("<div class=\"charts\">\n", file);
    for (unsigned i = 0; i < page->chart_count; i++) {
        svg_lines(file, &page->charts[i], 0, 0, CHART_WIDTH, CHART_HEIGHT);
    }
    svg_bars(file, &page->bars, 0, 0, CHART_WIDTH, CHART_HEIGHT);
    fputs("</div>\n", file);
    write_rows(file, page);
    fprintf(file, "<footer>throng-stress %s. One point is %.0f s.</footer></main></body></html>\n",
            throng_version(), page->charts[0].x_step);
}

/* ---- one picture ---- */

static void write_tile_svg(FILE *file, const struct page_row *tile, double x, double y,
                           double width)
{
    fprintf(file,
            "<g transform=\"translate(%.1f %.1f)\"><rect class=\"card\" width=\"%.1f\" "
            "height=\"64\" rx=\"8\"/><text class=\"big %s\" x=\"14\" y=\"32\">",
            x, y, width, class_of(tile));
    svg_text(file, tile->value);
    fputs("</text><text class=\"note\" x=\"14\" y=\"52\">", file);
    svg_text(file, tile->name);
    fputs("</text></g>\n", file);
}

void page_write_svg(FILE *file, const struct page *page)
{
    unsigned charts = page->chart_count + 1;
    double width = 2 * CHART_WIDTH + 3 * GAP;
    double first = 156;
    unsigned rows = (charts + 1) / 2;
    double height = first + (CHART_HEIGHT + GAP) * rows;
    double tile = (width - GAP) / page->tile_count;
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
            "height=\"%.0f\"><title>throng-stress: %s</title><style>",
            width, height, width, height, page->scenario);
    svg_style(file);
    fprintf(file,
            "</style><rect class=\"back\" width=\"100%%\" height=\"100%%\"/>"
            "<text class=\"big\" x=\"16\" y=\"34\">throng-stress: %s</text>"
            "<text class=\"note\" x=\"16\" y=\"54\">throng-stress",
            page->scenario);
    svg_text(file, page->command);
    fputs("</text>\n", file);
    for (unsigned i = 0; i < page->tile_count; i++) {
        write_tile_svg(file, &page->tiles[i], GAP + tile * i, 72, tile - GAP);
    }
    for (unsigned i = 0; i < charts; i++) {
        double x = GAP + (CHART_WIDTH + GAP) * (i % 2);
        unsigned row = i / 2;
        double y = first + (CHART_HEIGHT + GAP) * row;
        if (i < page->chart_count) {
            svg_lines(file, &page->charts[i], x, y, CHART_WIDTH, CHART_HEIGHT);
        } else {
            svg_bars(file, &page->bars, x, y, CHART_WIDTH, CHART_HEIGHT);
        }
    }
    fputs("</svg>\n", file);
}
