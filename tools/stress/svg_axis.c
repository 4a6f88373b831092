/* SPDX-License-Identifier: MIT
 * See svg.h: numbers in words, and where grids have their lines. */
#include "svg.h"

#include <math.h>
#include <string.h>

struct prefix {
    double factor;
    const char *name;
};

/* Largest first; the last one is for everything below. */
static const struct prefix counts[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}};
static const struct prefix nanoseconds[] = {{1e9, " s"}, {1e6, " ms"}, {1e3, " us"}, {1, " ns"}};
static const struct prefix bytes[] = {
    {1073741824, " GiB"}, {1048576, " MiB"}, {1024, " KiB"}, {1, " B"}};
static const struct prefix seconds[] = {{1, " s"}, {1, " s"}, {1, " s"}, {1, " s"}};

static const struct prefix *prefixes_of(enum svg_unit unit)
{
    switch (unit) {
    case SVG_NANOSECONDS:
        return nanoseconds;
    case SVG_BYTES:
        return bytes;
    case SVG_SECONDS:
        return seconds;
    default:
        return counts;
    }
}

void svg_label(char label[SVG_LABEL_SIZE], double value, enum svg_unit unit)
{
    const struct prefix *prefix = prefixes_of(unit);
    if (value == 0) {
        (void)snprintf(label, SVG_LABEL_SIZE, "0");
        return;
    }
    for (int i = 0; i < 3 && fabs(value) < prefix->factor; i++) {
        prefix++;
    }
    double scaled = value / prefix->factor;
    /* Three digits, or all there are before the point; no zeros behind it. */
    (void)snprintf(label, SVG_LABEL_SIZE, "%.*f", scaled < 10 ? 2 : scaled < 100 ? 1 : 0, scaled);
    if (strchr(label, '.') != NULL) {
        size_t len = strlen(label);
        while (label[len - 1] == '0') {
            label[--len] = '\0';
        }
        if (label[len - 1] == '.') {
            label[len - 1] = '\0';
        }
    }
    size_t len = strlen(label);
    (void)snprintf(label + len, SVG_LABEL_SIZE - len, "%s", prefix->name);
}

/* The smallest round number from `least` on. */
static double round_step(double least, enum svg_unit unit)
{
    double base = unit == SVG_BYTES ? 2 : 10;
    double power = pow(base, floor(log(least) / log(base)));
    if (unit == SVG_BYTES) {
        return power < least ? power * 2 : power;
    }
    double step = least / power;
    return power * (step <= 1 ? 1 : step <= 2 ? 2 : step <= 5 ? 5 : 10);
}

unsigned svg_ticks(double most, enum svg_unit unit, double ticks[SVG_TICKS_MAX])
{
    double step = round_step(most > 0 ? most / 5 : 0.2, unit);
    if (unit == SVG_COUNT && step < 1 && most > 2) {
        step = 1;
    }
    unsigned count = 0;
    do {
        ticks[count] = step * count;
        count++;
    } while ((count < 2 || ticks[count - 1] < most) && count < SVG_TICKS_MAX);
    return count;
}

unsigned svg_log_ticks(double least, double most, double ticks[SVG_TICKS_MAX])
{
    /* A hair of tolerance: log10 of a power of ten need not be whole. */
    int first = (int)floor(log10(least) + 1e-9);
    int last = (int)ceil(log10(most) - 1e-9);
    if (last <= first) {
        last = first + 1;
    }
    unsigned count = 0;
    for (int power = first; power <= last && count < SVG_TICKS_MAX; power++) {
        ticks[count++] = pow(10, power);
    }
    return count;
}

void svg_text(FILE *file, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        switch (*at) {
        case '<':
            fputs("&lt;", file);
            break;
        case '>':
            fputs("&gt;", file);
            break;
        case '&':
            fputs("&amp;", file);
            break;
        case '"':
            fputs("&quot;", file);
            break;
        default:
            fputc((unsigned char)*at < ' ' || (unsigned char)*at > '~' ? '?' : *at, file);
            break;
        }
    }
}
