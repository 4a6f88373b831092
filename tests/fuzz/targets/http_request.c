/* SPDX-License-Identifier: MIT
 * The head of an HTTP request, held against a parser that is too plain to be wrong: whole lines,
 * looked at from their ends. Same verdict in one piece, byte by byte, and in pieces that the input
 * chooses; for what is whole, the same target, headers and size. Of what is refused the plain
 * parser says only that it is: which of two faults comes first is the other's business, and each
 * split must find the same one.
 *
 *   byte 0   size of a piece, 1 to 256 bytes
 *   1 ...    the stream */
#include <string.h>

#include "codec/http_request.h"
#include "fuzz.h"

#define STREAM_MAX 9000u

/* ---- the plain parser ---- */

struct line {
    const char *at;
    size_t size;
};

static bool is_one_of(char byte, const char *set)
{
    return byte != '\0' && strchr(set, byte) != NULL;
}

static bool is_token(const char *at, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!is_one_of(at[i], "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
            return false;
        }
    }
    return size > 0;
}

static bool is_clean(const char *at, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)at[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool is_named(const char *at, size_t size, const char *name)
{
    if (strlen(name) != size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        char byte = at[i];
        byte = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
        if (byte != name[i]) {
            return false;
        }
    }
    return true;
}

static bool starts_with(const struct line *line, const char *text)
{
    return line->size >= strlen(text) && memcmp(line->at, text, strlen(text)) == 0;
}

/* The request line; *minor is HTTP/1's. */
static bool check_request_line(const struct line *line, struct line *target, int *minor)
{
    size_t method = starts_with(line, "GET ") ? 4 : starts_with(line, "HEAD ") ? 5 : 0;
    size_t tail = 9; /* " HTTP/1.x" */
    if (method == 0 || line->size < method + 1 + tail) {
        return false;
    }
    const char *version = line->at + line->size - tail;
    *minor = version[8] - '0';
    target->at = line->at + method;
    target->size = line->size - method - tail;
    for (size_t i = 0; i < target->size; i++) {
        unsigned char byte = (unsigned char)target->at[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '#') {
            return false;
        }
    }
    return memcmp(version, " HTTP/1.", 8) == 0 && (*minor == 0 || *minor == 1) &&
           target->at[0] == '/' && target->size <= TG_HTTP_TARGET_MAX;
}

struct seen {
    uint32_t hosts;
    uint32_t lengths;
    uint32_t codings;
    uint32_t headers;
    bool is_bad;
};

static void check_value(struct seen *seen, const struct line *name, const struct line *value)
{
    if (is_named(name->at, name->size, "host")) {
        seen->hosts++;
        for (size_t i = 0; i < value->size; i++) {
            unsigned char byte = (unsigned char)value->at[i];
            seen->is_bad |= byte <= ' ' || byte >= 0x7f ||
                            is_one_of((char)byte, "\"#,/<>?@\\^`{|}");
        }
    } else if (is_named(name->at, name->size, "content-length")) {
        seen->lengths++;
        seen->is_bad |= value->size == 0 || strspn(value->at, "0") < value->size;
    } else if (is_named(name->at, name->size, "transfer-encoding")) {
        seen->codings++;
    }
}

static void check_header(struct seen *seen, const struct line *line,
                         const struct tg_http_request *request, const char *head)
{
    const char *colon = memchr(line->at, ':', line->size);
    if (colon == NULL || !is_token(line->at, (size_t)(colon - line->at)) ||
        !is_clean(line->at, line->size)) {
        seen->is_bad = true;
        return;
    }
    struct line name = {line->at, (size_t)(colon - line->at)};
    struct line value = {colon + 1, line->size - name.size - 1};
    while (value.size > 0 && is_one_of(value.at[0], " \t")) {
        value.at++;
        value.size--;
    }
    while (value.size > 0 && is_one_of(value.at[value.size - 1], " \t")) {
        value.size--;
    }
    check_value(seen, &name, &value);
    if (request != NULL && seen->headers < request->header_count) {
        const struct tg_http_header *header = &request->headers[seen->headers];
        FUZZ_CHECK(header->name.len == name.size && head + header->name.at == name.at);
        FUZZ_CHECK(header->value.len == value.size);
        FUZZ_CHECK(value.size == 0 || head + header->value.at == value.at);
    }
    seen->headers++;
}

/* The line at `at`, up to its CRLF; false if there is none. */
static bool next_line(const char *at, const char *end, struct line *line)
{
    for (const char *look = at; look + 1 < end; look++) {
        if (look[0] == '\r' && look[1] == '\n') {
            *line = (struct line){at, (size_t)(look - at)};
            return true;
        }
    }
    return false;
}

/* Whether the stream begins with a whole head that may be served; `request`, if it is not NULL,
 * must say the same of it. */
static bool is_servable(const char *head, size_t size, const struct tg_http_request *request)
{
    struct line line;
    struct line target;
    struct seen seen = {0};
    int minor = 0;
    const char *end = head + (size < TG_HTTP_HEAD_MAX ? size : TG_HTTP_HEAD_MAX);
    if (!next_line(head, end, &line) || !check_request_line(&line, &target, &minor)) {
        return false;
    }
    const char *at = line.at + line.size + 2;
    while (next_line(at, end, &line) && line.size > 0) {
        check_header(&seen, &line, request, head);
        at = line.at + line.size + 2;
    }
    bool is_whole = next_line(at, end, &line); /* the empty one */
    if (request != NULL) {
        FUZZ_CHECK(request->header_count == seen.headers && request->minor == minor);
        FUZZ_CHECK(head + request->target.at == target.at && request->target.len == target.size);
        FUZZ_CHECK(request->size == (size_t)(at + 2 - head));
        FUZZ_CHECK(request->is_head == starts_with(&(struct line){head, 4}, "HEAD"));
    }
    return is_whole && !seen.is_bad && seen.headers <= TG_HTTP_HEADERS_MAX && seen.hosts <= 1 &&
           (minor == 0 || seen.hosts == 1) && seen.lengths <= 1 && seen.codings == 0;
}

/* ---- ours ---- */

static int read_pieces(struct tg_http_request *request, const char *head, size_t size, size_t piece)
{
    int result = TG_HTTP_PARTIAL;
    tg_http_request_init(request);
    for (size_t have = 0; have < size && result == TG_HTTP_PARTIAL;) {
        have += piece < size - have ? piece : size - have;
        result = tg_http_request_read(request, head, have);
    }
    return result;
}

static void check_lookups(const struct tg_http_request *request, const char *head)
{
    struct tg_http_span value;
    FUZZ_CHECK(tg_http_find(request, head, "hoSt", 0, &value) == request->host_seen);
    FUZZ_CHECK(!tg_http_find(request, head, "host", 1, &value));
    FUZZ_CHECK(!tg_http_has_token(request, head, "connection", "a,b"));
    (void)tg_http_has_token(request, head, "Connection", "upgrade");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tg_http_request whole;
    static struct tg_http_request other;
    if (size < 1 || size > STREAM_MAX) {
        return 0;
    }
    const char *head = (const char *)data + 1;
    size--;
    int result = read_pieces(&whole, head, size, size);
    FUZZ_CHECK(read_pieces(&other, head, size, 1) == result);
    FUZZ_CHECK(memcmp(&whole, &other, sizeof(whole)) == 0);
    FUZZ_CHECK(read_pieces(&other, head, size, data[0] + 1u) == result);
    FUZZ_CHECK(memcmp(&whole, &other, sizeof(whole)) == 0);
    bool is_whole = result == TG_HTTP_WHOLE;
    FUZZ_CHECK(is_whole || result == TG_HTTP_PARTIAL || (result >= 400 && result <= 505));
    FUZZ_CHECK(is_servable(head, size, is_whole ? &whole : NULL) == is_whole);
    if (is_whole) {
        check_lookups(&whole, head);
    }
    return 0;
}
