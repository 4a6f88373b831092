/* SPDX-License-Identifier: MIT
 * The head of an HTTP/1 request, byte by byte: each state is a function that takes one byte. Pure;
 * any thread. RFC 9110 and RFC 9112 say what may stand where. */
#include "codec/http_request.h"

#include <string.h>

#include "base/assert.h"

_Static_assert(TG_HTTP_HEAD_MAX <= UINT16_MAX, "a span has 16 bits");

enum state {
    IN_METHOD,
    IN_TARGET,
    IN_VERSION,
    AT_LINE_END, /* CR was read behind the version or a value */
    AT_LINE,     /* the first byte of a header, or of the empty line */
    IN_NAME,
    BEFORE_VALUE, /* blanks */
    IN_VALUE,
    AT_HEAD_END, /* CR of the empty line was read */
};

#define VERSION_BYTES 8u /* "HTTP/1.1" */

/* ---- bytes ---- */

/* token = 1*tchar */
static bool is_token_byte(unsigned char byte)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
        (byte >= '0' && byte <= '9')) {
        return true;
    }
    return byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

static bool is_blank(unsigned char byte)
{
    return byte == ' ' || byte == '\t';
}

/* field-vchar, and the blanks between them */
static bool is_value_byte(unsigned char byte)
{
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

static unsigned char lower(char byte)
{
    return (unsigned char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
}

static bool is_same_word(const char *bytes, size_t len, const char *word)
{
    if (strlen(word) != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (lower(bytes[i]) != lower(word[i])) {
            return false;
        }
    }
    return true;
}

bool tg_http_is(const char *head, struct tg_http_span span, const char *text)
{
    return strlen(text) == span.len && memcmp(head + span.at, text, span.len) == 0;
}

/* ---- the request line ---- */

static int end_method(struct tg_http_request *request, const char *head)
{
    struct tg_http_span method = {0, request->looked};
    request->is_head = tg_http_is(head, method, "HEAD");
    if (!request->is_head && !tg_http_is(head, method, "GET")) {
        return method.len == 0 ? 400 : 405;
    }
    request->state = IN_TARGET;
    request->begin = (uint16_t)(request->looked + 1);
    return TG_HTTP_PARTIAL;
}

static int take_method(struct tg_http_request *request, const char *head, unsigned char byte)
{
    if (byte == ' ') {
        return end_method(request, head);
    }
    return is_token_byte(byte) ? TG_HTTP_PARTIAL : 400;
}

/* Only the form that begins with a slash: the others are for proxies and for OPTIONS. */
static int take_target(struct tg_http_request *request, unsigned char byte)
{
    uint32_t len = (uint32_t)(request->looked - request->begin);
    if (byte == ' ' && len > 0) {
        request->target = (struct tg_http_span){request->begin, (uint16_t)len};
        request->state = IN_VERSION;
        request->begin = (uint16_t)(request->looked + 1);
        return TG_HTTP_PARTIAL;
    }
    if (len == 0 && byte != '/') {
        return 400;
    }
    /* A fragment is the client's own business and not sent. */
    if (byte <= ' ' || byte >= 0x7f || byte == '#') {
        return 400;
    }
    return len < TG_HTTP_TARGET_MAX ? TG_HTTP_PARTIAL : 414;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static int end_version(struct tg_http_request *request, const char *version)
{
    if (memcmp(version, "HTTP/", 5) != 0 || !is_digit(version[5]) || version[6] != '.' ||
        !is_digit(version[7])) {
        return 400;
    }
    if (version[5] != '1' || version[7] > '1') {
        return 505;
    }
    request->minor = (uint8_t)(version[7] - '0');
    request->state = AT_LINE_END;
    return TG_HTTP_PARTIAL;
}

static int take_version(struct tg_http_request *request, const char *head, unsigned char byte)
{
    if (request->looked - request->begin < (int)VERSION_BYTES) {
        return byte > ' ' && byte < 0x7f ? TG_HTTP_PARTIAL : 400;
    }
    return byte == '\r' ? end_version(request, head + request->begin) : 400;
}

/* ---- headers ---- */

static int take_line(struct tg_http_request *request, unsigned char byte)
{
    if (byte == '\r') {
        request->state = AT_HEAD_END;
        return TG_HTTP_PARTIAL;
    }
    /* A blank would fold the line into the one before; a colon would have no name before it. */
    if (!is_token_byte(byte)) {
        return 400;
    }
    if (request->header_count == TG_HTTP_HEADERS_MAX) {
        return 431;
    }
    request->state = IN_NAME;
    request->begin = request->looked;
    return TG_HTTP_PARTIAL;
}

static int take_name(struct tg_http_request *request, unsigned char byte)
{
    if (byte == ':') {
        request->headers[request->header_count].name =
            (struct tg_http_span){request->begin, (uint16_t)(request->looked - request->begin)};
        request->state = BEFORE_VALUE;
        return TG_HTTP_PARTIAL;
    }
    return is_token_byte(byte) ? TG_HTTP_PARTIAL : 400;
}

/* Host is a name or an address, and perhaps a port. */
static bool is_host(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte <= ' ' || byte >= 0x7f || strchr("\"#,/<>?@\\^`{|}", byte) != NULL) {
            return false;
        }
    }
    return true;
}

static int check_host(struct tg_http_request *request, const char *value, size_t len)
{
    if (request->host_seen || !is_host(value, len)) {
        return 400;
    }
    request->host_seen = true;
    return TG_HTTP_PARTIAL;
}

/* Said twice it is ambiguous, also if both times it says the same. */
static int check_length(struct tg_http_request *request, const char *value, size_t len)
{
    size_t zeros = 0;
    if (request->length_seen || len == 0) {
        return 400;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(value[i])) {
            return 400;
        }
        zeros += value[i] == '0';
    }
    request->length_seen = true;
    return zeros == len ? TG_HTTP_PARTIAL : 413;
}

/* The headers that say where the request ends, and for whom it is. */
static int check_header(struct tg_http_request *request, const char *head,
                        const struct tg_http_header *header)
{
    const char *name = head + header->name.at;
    const char *value = head + header->value.at;
    if (is_same_word(name, header->name.len, "Host")) {
        return check_host(request, value, header->value.len);
    }
    if (is_same_word(name, header->name.len, "Content-Length")) {
        return check_length(request, value, header->value.len);
    }
    request->coding_seen |= is_same_word(name, header->name.len, "Transfer-Encoding");
    return TG_HTTP_PARTIAL;
}

static int end_value(struct tg_http_request *request, const char *head)
{
    struct tg_http_header *header = &request->headers[request->header_count++];
    header->value =
        (struct tg_http_span){request->begin, (uint16_t)(request->value_end - request->begin)};
    request->state = AT_LINE_END;
    return check_header(request, head, header);
}

static int take_value(struct tg_http_request *request, const char *head, unsigned char byte)
{
    if (request->state == BEFORE_VALUE) {
        if (is_blank(byte)) {
            return TG_HTTP_PARTIAL;
        }
        request->state = IN_VALUE;
        request->begin = request->looked;
        request->value_end = request->looked;
    }
    if (byte == '\r') {
        return end_value(request, head);
    }
    if (!is_value_byte(byte)) {
        return 400;
    }
    if (!is_blank(byte)) {
        request->value_end = (uint16_t)(request->looked + 1);
    }
    return TG_HTTP_PARTIAL;
}

/* ---- the whole ---- */

static int end_head(struct tg_http_request *request)
{
    if (request->minor == 1 && !request->host_seen) {
        return 400;
    }
    if (request->coding_seen) {
        /* A length as well, or a version that knows no codings: that is how requests are
         * smuggled. */
        return request->length_seen || request->minor == 0 ? 400 : 413;
    }
    request->size = request->looked + 1u;
    return TG_HTTP_WHOLE;
}

static int take(struct tg_http_request *request, const char *head, unsigned char byte)
{
    switch ((enum state)request->state) {
    case IN_METHOD:
        return take_method(request, head, byte);
    case IN_TARGET:
        return take_target(request, byte);
    case IN_VERSION:
        return take_version(request, head, byte);
    case AT_LINE_END:
        request->state = AT_LINE;
        return byte == '\n' ? TG_HTTP_PARTIAL : 400;
    case AT_LINE:
        return take_line(request, byte);
    case IN_NAME:
        return take_name(request, byte);
    case BEFORE_VALUE:
    case IN_VALUE:
        return take_value(request, head, byte);
    case AT_HEAD_END:
        return byte == '\n' ? end_head(request) : 400;
    }
    TG_UNREACHABLE("a state that nobody sets");
}

void tg_http_request_init(struct tg_http_request *request)
{
    memset(request, 0, sizeof(*request));
}

int tg_http_request_read(struct tg_http_request *request, const char *head, size_t size)
{
    TG_REQUIRE(size >= request->looked);
    while (request->looked < size) {
        int result = take(request, head, (unsigned char)head[request->looked]);
        if (result != TG_HTTP_PARTIAL) {
            return result;
        }
        request->looked++;
        if (request->looked == TG_HTTP_HEAD_MAX) {
            return 431;
        }
    }
    return TG_HTTP_PARTIAL;
}

bool tg_http_find(const struct tg_http_request *request, const char *head, const char *name,
                  uint32_t index, struct tg_http_span *value)
{
    for (uint32_t i = 0; i < request->header_count; i++) {
        const struct tg_http_header *header = &request->headers[i];
        if (is_same_word(head + header->name.at, header->name.len, name) && index-- == 0) {
            *value = header->value;
            return true;
        }
    }
    return false;
}

/* Whether one of the list's members is the token. */
static bool list_has(const char *list, size_t len, const char *token)
{
    size_t at = 0;
    while (at < len) {
        size_t begin = at;
        while (at < len && list[at] != ',') {
            at++;
        }
        size_t end = at;
        while (begin < end && is_blank((unsigned char)list[begin])) {
            begin++;
        }
        while (end > begin && is_blank((unsigned char)list[end - 1])) {
            end--;
        }
        if (is_same_word(list + begin, end - begin, token)) {
            return true;
        }
        at++;
    }
    return false;
}

bool tg_http_has_token(const struct tg_http_request *request, const char *head, const char *name,
                       const char *token)
{
    struct tg_http_span value;
    for (uint32_t i = 0; tg_http_find(request, head, name, i, &value); i++) {
        if (list_has(head + value.at, value.len, token)) {
            return true;
        }
    }
    return false;
}
