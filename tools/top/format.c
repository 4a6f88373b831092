/* SPDX-License-Identifier: MIT
 * See format.h. */
#include "format.h"

#include <stdio.h>
#include <string.h>

#include "prometheus.h"

#define BLOCK_BYTES 3

/* U+2581 to U+2588: an eighth, to the whole height. */
static const char heights[8][BLOCK_BYTES + 1] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
/* U+258F to U+2588: an eighth, to the whole width. */
static const char widths[8][BLOCK_BYTES + 1] = {"▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
static const char shade[BLOCK_BYTES + 1] = "░";

static const char *not_known(char text[FORMAT_SIZE])
{
    memcpy(text, "-", 2);
    return text;
}

static bool is_known(double number)
{
    return prometheus_is_finite(number) && number >= 0;
}

const char *format_count(char text[FORMAT_SIZE], double number)
{
    char digits[FORMAT_SIZE];
    if (!is_known(number)) {
        return not_known(text);
    }
    if (number >= 1e15) { /* more would not fit, and a double does not know its digits */
        (void)snprintf(text, FORMAT_SIZE, "%.3g", number);
        return text;
    }
    int length = snprintf(digits, sizeof(digits), "%.0f", number);
    size_t used = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            text[used++] = ',';
        }
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}

const char *format_bytes(char text[FORMAT_SIZE], double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    if (!is_known(bytes)) {
        return not_known(text);
    }
    for (; bytes >= 1023.5 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++) {
        bytes /= 1024;
    }
    (void)snprintf(text, FORMAT_SIZE, unit == 0 || bytes >= 99.95 ? "%.0f %s" : "%.1f %s",
                   bytes < 1e9 ? bytes : 1e9, units[unit]);
    return text;
}

const char *format_seconds(char text[FORMAT_SIZE], double seconds)
{
    if (!is_known(seconds)) {
        return not_known(text);
    }
    if (seconds < 0.0009995) {
        (void)snprintf(text, FORMAT_SIZE, "%.1f us", seconds * 1e6);
    } else if (seconds < 0.9995) {
        (void)snprintf(text, FORMAT_SIZE, "%.1f ms", seconds * 1e3);
    } else {
        (void)snprintf(text, FORMAT_SIZE, "%.2f s", seconds < 1e9 ? seconds : 1e9);
    }
    return text;
}

const char *format_age(char text[FORMAT_SIZE], double seconds)
{
    if (!is_known(seconds)) {
        return not_known(text);
    }
    long long s = (long long)(seconds < 1e12 ? seconds : 1e12);
    if (s < 60) {
        (void)snprintf(text, FORMAT_SIZE, "%lld s", s);
    } else if (s < 3600) {
        (void)snprintf(text, FORMAT_SIZE, "%lld min", s / 60);
    } else if (s < 86400) {
        (void)snprintf(text, FORMAT_SIZE, "%lld h %lld min", s / 3600, s / 60 % 60);
    } else {
        (void)snprintf(text, FORMAT_SIZE, "%lld d %lld h", s / 86400, s / 3600 % 24);
    }
    return text;
}

/* Adds a character if it fits with the NUL. */
static void add(char *text, size_t size, size_t *used, const char *character)
{
    size_t length = strlen(character);
    if (*used + length < size) {
        memcpy(text + *used, character, length);
        *used += length;
        text[*used] = '\0';
    }
}

void format_bar(char *text, size_t size, double used, double total, size_t columns)
{
    double part = total > 0 && is_known(used) ? used / total : 0;
    double exact = (part < 1 ? part : 1) * (double)columns * 8;
    size_t eighths = (size_t)exact;
    if (eighths == 0 && part > 0) {
        eighths = 1;
    }
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < columns; i++) {
        size_t filled = eighths > i * 8 ? eighths - i * 8 : 0;
        add(text, size, &length, filled == 0 ? shade : widths[filled < 8 ? filled - 1 : 7]);
    }
}

void format_sparkline(char *text, size_t size, const double *values, size_t count, size_t columns)
{
    size_t first = count > columns ? count - columns : 0;
    size_t length = 0;
    double most = 0;
    for (size_t i = first; i < count; i++) {
        most = values[i] > most ? values[i] : most;
    }
    text[0] = '\0';
    for (size_t i = count - first; i < columns; i++) {
        add(text, size, &length, " ");
    }
    for (size_t i = first; i < count; i++) {
        double part = most > 0 && values[i] > 0 ? values[i] / most : 0;
        add(text, size, &length, heights[part < 1 ? (size_t)(part * 8) : 7]);
    }
}
