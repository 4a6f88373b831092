/* SPDX-License-Identifier: MIT
 * The head of an HTTP/1 request that has no body: a request line and headers, in at most 8 KiB. The
 * admin listener reads it, and a WebSocket handshake can. Pure: bytes in, spans of them out; no
 * allocation.
 *
 * Strict where servers in a row may read a request differently (RFC 9112, section 11.2): each line
 * ends in CRLF, a name ends at its colon, no line is folded, and what says how long a body is must
 * not be said twice. Nothing is decoded. An unusable request is refused at the byte that makes it
 * so; nothing behind it can be read then, and the connection is to be closed.
 *
 *   METHOD --SP--> TARGET --SP--> VERSION --CRLF--> NAME --":"--> VALUE --CRLF--+
 *                                                    ^ |                        |
 *                                                    | +--CRLF--> the end       |
 *                                                    +--------------------------+
 */
#ifndef TG_CODEC_HTTP_REQUEST_H
#define TG_CODEC_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a whole head, with the empty line that ends it; of a target; headers. */
#define TG_HTTP_HEAD_MAX 8192u
#define TG_HTTP_TARGET_MAX 2048u
#define TG_HTTP_HEADERS_MAX 64u

/* Bytes of the caller's head, counted from its start. */
struct tg_http_span {
    uint16_t at;
    uint16_t len;
};

struct tg_http_header {
    struct tg_http_span name;
    struct tg_http_span value; /* without the blanks around it */
};

/* What tg_http_request_read answers besides a status to refuse with. */
#define TG_HTTP_PARTIAL 0 /* more bytes are needed */
#define TG_HTTP_WHOLE 1

/* Statuses: 400 not HTTP, or ambiguous; 405 neither GET nor HEAD; 413 it has a body; 414 the target
 * is too long; 431 the head is, or has too many headers; 505 another version. */
struct tg_http_request {
    struct tg_http_span target;
    uint32_t size; /* WHOLE: of the head, with its empty line; the next request begins there */
    bool is_head;  /* the method: HEAD, else GET */
    uint8_t minor; /* HTTP/1.minor: 0 or 1 */
    bool host_seen;
    bool length_seen;   /* Content-Length, which was 0 */
    bool coding_seen;   /* Transfer-Encoding */
    uint8_t state;      /* private */
    uint16_t looked;    /* private: bytes that were looked at */
    uint16_t begin;     /* private: of the token at hand */
    uint16_t value_end; /* private: behind the last byte of the value that is no blank */
    uint32_t header_count;
    struct tg_http_header headers[TG_HTTP_HEADERS_MAX];
};

void tg_http_request_init(struct tg_http_request *request);

/* Reads on in head[0..size), of which earlier calls have seen a part: the same bytes, and the new
 * ones behind them; they may have moved. TG_HTTP_PARTIAL, TG_HTTP_WHOLE (what is behind
 * request->size was not looked at), or a status. After one of the latter two only
 * tg_http_request_init is allowed. */
int tg_http_request_read(struct tg_http_request *request, const char *head, size_t size);

/* Value `index`, counted from 0, of those headers that have this name, in whatever case. False if
 * there are not so many. */
bool tg_http_find(const struct tg_http_request *request, const char *head, const char *name,
                  uint32_t index, struct tg_http_span *value);

/* Whether the comma-separated lists under this name, all of them together, have the token, in
 * whatever case: "Connection", "upgrade". */
bool tg_http_has_token(const struct tg_http_request *request, const char *head, const char *name,
                       const char *token);

/* Whether the span is exactly this text. */
bool tg_http_is(const char *head, struct tg_http_span span, const char *text);

#endif
