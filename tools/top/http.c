/* SPDX-License-Identifier: MIT
 * See http.h. */
#include "http.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* An answer's head longer than this is no answer of throng's. */
#define HEAD_BYTES_MAX 8192
#define BODY_BYTES_MAX (64u * 1024u * 1024u)

size_t http_request(char *text, size_t size, const char *host, const char *path)
{
    int length = snprintf(text, size,
                          "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: throng-top\r\n"
                          "Accept: text/plain\r\nConnection: close\r\n\r\n",
                          path, host);
    return length > 0 && (size_t)length < size ? (size_t)length : 0;
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

/* Whether a line of the head is "name:", in any case; answers its value, NULL if not. */
static const char *value_of(const char *line, const char *end, const char *name)
{
    size_t size = strlen(name);
    if ((size_t)(end - line) <= size || line[size] != ':') {
        return NULL;
    }
    for (size_t i = 0; i < size; i++) {
        if (lower(line[i]) != name[i]) {
            return NULL;
        }
    }
    for (line += size + 1; line < end && (*line == ' ' || *line == '\t'); line++) {
    }
    return line;
}

/* The line's end, without "\r\n"; *next is where the next one begins. NULL: not whole yet. */
static const char *end_of_line(const char *from, const char *end, const char **next)
{
    const char *newline = memchr(from, '\n', (size_t)(end - from));
    if (newline == NULL) {
        return NULL;
    }
    *next = newline + 1;
    return newline > from && newline[-1] == '\r' ? newline - 1 : newline;
}

/* Digits up to the end of the line; false if it is something else, or too much. */
static bool read_length(const char *at, const char *end, size_t *length)
{
    size_t sum = 0;
    const char *start = at;
    for (; at < end && *at >= '0' && *at <= '9' && sum <= BODY_BYTES_MAX; at++) {
        sum = sum * 10 + (size_t)(*at - '0');
    }
    *length = sum;
    return at > start && at == end && sum <= BODY_BYTES_MAX;
}

/* "HTTP/1.1 200 OK" */
static bool read_status(const char *line, size_t size, unsigned *status)
{
    if (size < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ') {
        return false;
    }
    unsigned sum = 0;
    for (int i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9') {
            return false;
        }
        sum = sum * 10 + (unsigned)(line[i] - '0');
    }
    *status = sum;
    return size == 12 || line[12] == ' ';
}

enum http_progress http_read(struct http_answer *answer, const char *bytes, size_t size)
{
    const char *end = bytes + size, *next = bytes;
    size_t length = 0;
    bool has_length = false;
    const char *line_end = end_of_line(bytes, end, &next);
    if (line_end == NULL) {
        return size > HEAD_BYTES_MAX ? HTTP_BAD : HTTP_MORE;
    }
    if (!read_status(bytes, (size_t)(line_end - bytes), &answer->status)) {
        return HTTP_BAD;
    }
    for (const char *line = next; (line_end = end_of_line(line, end, &next)) != NULL; line = next) {
        if (line_end == line) { /* the empty line: the body begins */
            answer->body = next;
            answer->body_size = (size_t)(end - next);
            if (!has_length) {
                return HTTP_TO_THE_END;
            }
            if (answer->body_size < length) {
                return HTTP_MORE;
            }
            answer->body_size = length;
            return HTTP_WHOLE;
        }
        const char *value = value_of(line, line_end, "content-length");
        if (value != NULL) {
            if (has_length || !read_length(value, line_end, &length)) {
                return HTTP_BAD;
            }
            has_length = true;
        }
        if (value_of(line, line_end, "transfer-encoding") != NULL) {
            return HTTP_BAD;
        }
        if (next - bytes > HEAD_BYTES_MAX) {
            return HTTP_BAD;
        }
    }
    return size > HEAD_BYTES_MAX ? HTTP_BAD : HTTP_MORE;
}
