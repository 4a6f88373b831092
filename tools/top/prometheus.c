/* SPDX-License-Identifier: MIT
 * See prometheus.h. */
#include "prometheus.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* Far beyond what a double holds; more digits of an exponent say nothing new. */
#define EXPONENT_MAX 1000

void prometheus_begin(struct prometheus_reader *reader, const char *page, size_t size)
{
    reader->at = page;
    reader->end = page + size;
    reader->bad_lines = 0;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at)) {
        at++;
    }
    return at;
}

static bool is_name(char byte, bool first)
{
    bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
                  byte == ':';
    return letter || (!first && byte >= '0' && byte <= '9');
}

static const char *skip_name(const char *at, const char *end)
{
    const char *start = at;
    while (at < end && is_name(*at, at == start)) {
        at++;
    }
    return at;
}

/* ---- numbers ---- */

static bool is_word(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && memcmp(text, word, size) == 0;
}

/* Up to 19 digits count; what follows them only moves the point. Answers how many digits there
 * were. */
static size_t read_digits(const char **at, const char *end, uint64_t *sum, int *shift, int step)
{
    const char *start = *at;
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        if (*sum < UINT64_C(100000000000000000)) {
            *sum = *sum * 10 + (uint64_t)(**at - '0');
            *shift += step;
        } else if (step == 0 && *shift < EXPONENT_MAX) {
            ++*shift;
        }
    }
    return (size_t)(*at - start);
}

/* "e-05": false if there are no digits. */
static bool read_exponent(const char **at, const char *end, int *exponent)
{
    int sign = 1;
    if (*at < end && (**at == '+' || **at == '-')) {
        sign = **at == '-' ? -1 : 1;
        ++*at;
    }
    const char *start = *at;
    int sum = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        sum = sum < EXPONENT_MAX ? sum * 10 + (**at - '0') : sum;
    }
    *exponent += sign * sum;
    return *at > start;
}

bool prometheus_number(const char *text, size_t size, double *number)
{
    const char *at = text, *end = text + size;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '+' || *at == '-')) {
        at++;
    }
    if (is_word(at, (size_t)(end - at), "Inf")) {
        *number = negative ? -INFINITY : INFINITY;
        return true;
    }
    uint64_t sum = 0;
    int exponent = 0;
    size_t digits = read_digits(&at, end, &sum, &exponent, 0);
    if (at < end && *at == '.') {
        at++;
        digits += read_digits(&at, end, &sum, &exponent, -1);
    }
    if (digits == 0) {
        return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (!read_exponent(&at, end, &exponent)) {
            return false;
        }
    }
    if (at != end) {
        return false;
    }
    /* Divided, for 10^-5 is no double but 10^5 is; and 0 x 10^1000 would be no number. */
    double scaled = sum == 0       ? 0
                    : exponent < 0 ? (double)sum / pow(10.0, -exponent)
                                   : (double)sum * pow(10.0, exponent);
    *number = negative ? -scaled : scaled;
    return true;
}

bool prometheus_is_finite(double number)
{
    return number >= -DBL_MAX && number <= DBL_MAX;
}

/* ---- labels ---- */

/* From behind the opening quote: the closing one, or NULL. */
static const char *find_quote(const char *at, const char *end)
{
    for (; at < end && *at != '"'; at++) {
        if (*at == '\\' && ++at == end) {
            return NULL;
        }
    }
    return at < end ? at : NULL;
}

static void unescape(char *value, size_t value_size, const char *at, const char *end)
{
    size_t used = 0;
    for (; at < end && used + 1 < value_size; at++) {
        if (*at == '\\' && at + 1 < end) {
            at++;
            value[used++] = *at;
            if (*at == 'n') {
                value[used - 1] = '\n';
            }
        } else {
            value[used++] = *at;
        }
    }
    value[used] = '\0';
}

/* One label, and the comma behind it. Answers where the next begins, NULL if it is none. */
static const char *read_label(const char *at, const char *end, const char **name_end,
                              const char **value, const char **value_end)
{
    *name_end = skip_name(at, end);
    const char *equals = skip_blanks(*name_end, end);
    if (*name_end == at || equals == end || *equals != '=') {
        return NULL;
    }
    const char *quote = skip_blanks(equals + 1, end);
    if (quote == end || *quote != '"') {
        return NULL;
    }
    *value = quote + 1;
    *value_end = find_quote(*value, end);
    if (*value_end == NULL) {
        return NULL;
    }
    at = skip_blanks(*value_end + 1, end);
    if (at < end && *at == ',') {
        return skip_blanks(at + 1, end);
    }
    return at == end || *at == '}' ? at : NULL;
}

bool prometheus_label(const char *labels, size_t labels_size, const char *key, char *value,
                      size_t value_size)
{
    const char *end = labels + labels_size;
    const char *at = skip_blanks(labels, end);
    while (at != NULL && at < end) {
        const char *name_end, *from, *to;
        const char *next = read_label(at, end, &name_end, &from, &to);
        if (next != NULL && is_word(at, (size_t)(name_end - at), key)) {
            unescape(value, value_size, from, to);
            return true;
        }
        at = next;
    }
    return false;
}

/* The closing brace of the labels that begin at `at`; NULL if they are none. */
static const char *skip_labels(const char *at, const char *end)
{
    at = skip_blanks(at, end);
    while (at != NULL && at < end && *at != '}') {
        const char *name_end, *from, *to;
        at = read_label(at, end, &name_end, &from, &to);
    }
    return at != NULL && at < end ? at : NULL;
}

/* ---- lines ---- */

static bool read_line(const char *at, const char *end, struct prometheus_sample *sample)
{
    const char *name_end = skip_name(at, end);
    sample->name = at;
    sample->name_size = (size_t)(name_end - at);
    sample->labels = name_end;
    sample->labels_size = 0;
    at = skip_blanks(name_end, end);
    if (sample->name_size == 0) {
        return false;
    }
    if (at < end && *at == '{') {
        sample->labels = at + 1;
        at = skip_labels(at + 1, end);
        if (at == NULL) {
            return false;
        }
        sample->labels_size = (size_t)(at - sample->labels);
        at++;
    } else if (at == name_end) {
        return false; /* a blank is between a name and its value */
    }
    at = skip_blanks(at, end);
    const char *value_end = at;
    while (value_end < end && !is_blank(*value_end)) {
        value_end++;
    }
    /* A time stamp may follow, which is of no interest here. */
    return prometheus_number(at, (size_t)(value_end - at), &sample->value);
}

bool prometheus_next(struct prometheus_reader *reader, struct prometheus_sample *sample)
{
    while (reader->at < reader->end) {
        const char *at = reader->at;
        const char *end = memchr(at, '\n', (size_t)(reader->end - at));
        reader->at = end != NULL ? end + 1 : reader->end;
        end = end != NULL ? end : reader->end;
        if (end > at && end[-1] == '\r') {
            end--;
        }
        at = skip_blanks(at, end);
        if (at == end || *at == '#') {
            continue;
        }
        if (read_line(at, end, sample)) {
            return true;
        }
        reader->bad_lines++;
    }
    return false;
}
