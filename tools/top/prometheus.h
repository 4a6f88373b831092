/* SPDX-License-Identifier: MIT
 * Reads Prometheus' text format 0.0.4, a sample at a time. Pure: nothing is copied, samples point
 * into the page. What is no sample is passed over and counted, for one bad line must not hide the
 * others. */
#ifndef TOP_PROMETHEUS_H
#define TOP_PROMETHEUS_H

#include <stdbool.h>
#include <stddef.h>

struct prometheus_reader {
    const char *at;
    const char *end;
    unsigned bad_lines; /* neither samples nor comments */
};

struct prometheus_sample {
    const char *name; /* not NUL-terminated */
    size_t name_size;
    const char *labels; /* between the braces; size 0: none */
    size_t labels_size;
    double value; /* may be infinite; NaN is passed over as bad */
};

void prometheus_begin(struct prometheus_reader *reader, const char *page, size_t size);

/* The next sample; false at the end of the page. */
bool prometheus_next(struct prometheus_reader *reader, struct prometheus_sample *sample);

/* Copies the value of a label, unescaped and NUL-terminated, cut if it does not fit. False if the
 * sample has no such label. */
bool prometheus_label(const char *labels, size_t labels_size, const char *key, char *value,
                      size_t value_size);

/* Reads a number as the format has them: decimal, with an exponent, +Inf, -Inf. Not strtod, which
 * obeys the locale and reads beyond an end. False for NaN and what is none. */
bool prometheus_number(const char *text, size_t size, double *number);

/* Neither infinite nor NaN (mingw-w64's isfinite warns of its own conversions). */
bool prometheus_is_finite(double number);

#endif
