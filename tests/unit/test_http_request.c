/* SPDX-License-Identifier: MIT
 * The head of an HTTP request: what is read out of it, what is refused and why, and that it makes
 * no difference where the stream was cut. Every input ends at a guard page. */
#include "codec/http_request.h"

#include <string.h>

#include "check.h"
#include "guard.h"

static struct test_guard guard;

static int open_guard(void **state)
{
    (void)state;
    test_guard_open(&guard, 2 * TG_HTTP_HEAD_MAX);
    return 0;
}

static int close_guard(void **state)
{
    (void)state;
    test_guard_close(&guard);
    return 0;
}

/* All of it at once. */
static int read_whole(struct tg_http_request *request, const char **head, const char *bytes,
                      size_t size)
{
    *head = (const char *)test_guard_copy(&guard, bytes, size);
    tg_http_request_init(request);
    return tg_http_request_read(request, *head, size);
}

/* In two pieces, each in memory of its own that ends where the bytes end. */
static int read_in_two(const char *bytes, size_t size, size_t cut, struct tg_http_request *request)
{
    tg_http_request_init(request);
    int result =
        tg_http_request_read(request, (const char *)test_guard_copy(&guard, bytes, cut), cut);
    if (result != TG_HTTP_PARTIAL) {
        return result;
    }
    return tg_http_request_read(request, (const char *)test_guard_copy(&guard, bytes, size), size);
}

static int read_by_bytes(const char *bytes, size_t size, struct tg_http_request *request)
{
    int result = TG_HTTP_PARTIAL;
    tg_http_request_init(request);
    for (size_t i = 1; i <= size && result == TG_HTTP_PARTIAL; i++) {
        result = tg_http_request_read(request, (const char *)test_guard_copy(&guard, bytes, i), i);
    }
    return result;
}

/* The answer, which must not depend on where the bytes are cut. */
static int read_every_way(const char *bytes, size_t size)
{
    struct tg_http_request whole;
    struct tg_http_request other;
    const char *head;
    int result = read_whole(&whole, &head, bytes, size);
    for (size_t cut = 0; cut <= size; cut++) {
        assert_int_equal(read_in_two(bytes, size, cut, &other), result);
        assert_memory_equal(&other, &whole, sizeof(whole));
    }
    assert_int_equal(read_by_bytes(bytes, size, &other), result);
    assert_memory_equal(&other, &whole, sizeof(whole));
    return result;
}

static void a_request_is_read_wherever_it_is_cut(void **state)
{
    (void)state;
    static const char bytes[] = "GET /metrics?a=b HTTP/1.1\r\nHost: [::1]:9100\r\nAccept:*/*\r\n"
                                "X-Empty:\r\nX-Blank: \t \r\nx:  a b\t \r\n\r\nGET /next";
    struct tg_http_request request;
    struct tg_http_span value;
    const char *head;
    assert_int_equal(read_every_way(bytes, sizeof(bytes) - 1), TG_HTTP_WHOLE);
    assert_int_equal(read_whole(&request, &head, bytes, sizeof(bytes) - 1), TG_HTTP_WHOLE);
    assert_int_equal(request.size, sizeof(bytes) - 1 - strlen("GET /next"));
    assert_true(tg_http_is(head, request.target, "/metrics?a=b"));
    assert_false(request.is_head);
    assert_int_equal(request.minor, 1);
    assert_int_equal(request.header_count, 5);
    assert_true(tg_http_find(&request, head, "host", 0, &value));
    assert_true(tg_http_is(head, value, "[::1]:9100"));
    assert_true(tg_http_find(&request, head, "ACCEPT", 0, &value));
    assert_true(tg_http_is(head, value, "*/*"));
    assert_true(tg_http_find(&request, head, "x-empty", 0, &value));
    assert_int_equal(value.len, 0);
    assert_true(tg_http_find(&request, head, "x-blank", 0, &value));
    assert_int_equal(value.len, 0);
    assert_true(tg_http_find(&request, head, "X", 0, &value));
    assert_true(tg_http_is(head, value, "a b"));
    assert_false(tg_http_find(&request, head, "x", 1, &value));
    assert_false(tg_http_find(&request, head, "", 0, &value));
}

static void the_older_version_needs_no_host(void **state)
{
    (void)state;
    struct tg_http_request request;
    const char *head;
    static const char bytes[] = "HEAD / HTTP/1.0\r\n\r\n";
    assert_int_equal(read_every_way(bytes, sizeof(bytes) - 1), TG_HTTP_WHOLE);
    assert_int_equal(read_whole(&request, &head, bytes, sizeof(bytes) - 1), TG_HTTP_WHOLE);
    assert_true(request.is_head);
    assert_int_equal(request.minor, 0);
    assert_int_equal(request.header_count, 0);
}

/* The example of RFC 6455, with its lists in several headers. */
static void a_websocket_handshake_is_read(void **state)
{
    (void)state;
    static const char bytes[] =
        "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n"
        "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Origin: http://example.com\r\nSec-WebSocket-Protocol: chat\r\n"
        "Sec-WebSocket-Protocol:\t, superchat ,,\r\nSec-WebSocket-Version: 13\r\n\r\n";
    struct tg_http_request request;
    struct tg_http_span value;
    const char *head;
    assert_int_equal(read_every_way(bytes, sizeof(bytes) - 1), TG_HTTP_WHOLE);
    assert_int_equal(read_whole(&request, &head, bytes, sizeof(bytes) - 1), TG_HTTP_WHOLE);
    assert_true(tg_http_find(&request, head, "sec-websocket-key", 0, &value));
    assert_true(tg_http_is(head, value, "dGhlIHNhbXBsZSBub25jZQ=="));
    assert_true(tg_http_has_token(&request, head, "connection", "upgrade"));
    assert_true(tg_http_has_token(&request, head, "Connection", "Keep-Alive"));
    assert_false(tg_http_has_token(&request, head, "Connection", "keep"));
    assert_false(tg_http_has_token(&request, head, "Connection", ""));
    assert_true(tg_http_find(&request, head, "Sec-WebSocket-Protocol", 0, &value));
    assert_true(tg_http_is(head, value, "chat"));
    assert_true(tg_http_find(&request, head, "Sec-WebSocket-Protocol", 1, &value));
    assert_true(tg_http_is(head, value, ", superchat ,,"));
    assert_true(tg_http_has_token(&request, head, "Sec-WebSocket-Protocol", "superchat"));
    assert_true(tg_http_has_token(&request, head, "Sec-WebSocket-Protocol", "chat"));
    assert_false(tg_http_has_token(&request, head, "Upgrade", "h2c"));
}

#define HOST "Host: a\r\n"
#define ROW(status, bytes)                                                                         \
    {                                                                                              \
        (status), (bytes), sizeof(bytes) - 1                                                       \
    }

static const struct row {
    int result;
    const char *bytes;
    size_t size;
} rows[] = {
    /* the request line */
    ROW(400, " / HTTP/1.1\r\n"),
    ROW(400, "\r\nGET / HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "\nGET / HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET\t/ HTTP/1.1\r\n"),
    ROW(400, "GET\0/ HTTP/1.1\r\n"),
    ROW(400, "G\x80T / HTTP/1.1\r\n"),
    ROW(400, "GET(/) HTTP/1.1\r\n"),
    ROW(405, "get / HTTP/1.1\r\n"),
    ROW(405, "GETT / HTTP/1.1\r\n"),
    ROW(405, "GE / HTTP/1.1\r\n"),
    ROW(405, "POST / HTTP/1.1\r\n"),
    ROW(405, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ROW(405, "OPTIONS * HTTP/1.1\r\n"),
    ROW(400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), /* TLS */
    ROW(400, "GET  / HTTP/1.1\r\n"),
    ROW(400, "GET * HTTP/1.1\r\n"),
    ROW(400, "GET a HTTP/1.1\r\n"),
    ROW(400, "GET http://a/ HTTP/1.1\r\n"),
    ROW(400, "GET /\r\n"),
    ROW(400, "GET / \r\n"),
    ROW(400, "GET /\x7f HTTP/1.1\r\n"),
    ROW(400, "GET /\x1f HTTP/1.1\r\n"),
    ROW(400, "GET /\x80 HTTP/1.1\r\n"),
    ROW(400, "GET /\0 HTTP/1.1\r\n"),
    ROW(400, "GET /a#b HTTP/1.1\r\n"),
    ROW(400, "GET /\tHTTP/1.1\r\n"),
    ROW(400, "GET / HTTP/1.1 \r\n"),
    ROW(400, "GET /  HTTP/1.1\r\n"),
    ROW(400, "GET / a HTTP/1.1\r\n"),
    ROW(400, "GET / http/1.1\r\n"),
    ROW(400, "GET / HTTP/11\r\n"),
    ROW(400, "GET / HTTP/1.10\r\n"),
    ROW(400, "GET / HTTP/x.1\r\n"),
    ROW(400, "GET / HTTP/1.x\r\n"),
    ROW(400, "GET / HTTPS1.1\r\n"),
    ROW(400, "GET / HTTP/1.1\n" HOST "\n"),
    ROW(400, "GET / HTTP/1.1\r" HOST "\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\r\n" HOST "\r\n"),
    ROW(505, "GET / HTTP/2.0\r\n"),
    ROW(505, "GET / HTTP/1.2\r\n"),
    ROW(505, "GET / HTTP/0.9\r\n"),
    ROW(505, "GET / HTTP/9.9\r\n"),
    /* headers */
    ROW(400, "GET / HTTP/1.1\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "X\0: a\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "X(: a\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "X\x80: a\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "X: a\x1b[2J\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "X:\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "\r\r\n"),
    ROW(TG_HTTP_WHOLE, "GET / HTTP/1.1\r\n" HOST "X: \x80\xff\r\n\r\n"),
    ROW(TG_HTTP_WHOLE,
        "GET / HTTP/1.1\r\n" HOST "!#$%&'*+-.^_`|~09azAZ: \"(),/:;<=>?@[\\]{}\r\n\r\n"),
    ROW(TG_HTTP_WHOLE, "GET / HTTP/1.1\r\nhOST:\r\n\r\n"),
    ROW(TG_HTTP_PARTIAL, ""),
    ROW(TG_HTTP_PARTIAL, "G"),
    ROW(TG_HTTP_PARTIAL, "GET / HTTP/1.1\r\n" HOST "\r"),
    /* for whom it is */
    ROW(400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    ROW(400, "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\nHost: \x80\r\n\r\n"),
    /* where it ends: request smuggling */
    ROW(TG_HTTP_WHOLE, "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"),
    ROW(TG_HTTP_WHOLE, "GET / HTTP/1.1\r\n" HOST "Content-Length: 00000000000000000000\r\n\r\n"),
    ROW(413, "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na"),
    ROW(413, "GET / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551616\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "Content-Length: +0\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "Content-Length: 0x0\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "Content-Length: 0, 0\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "Content-Length: 0 0\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\ncontent-length: 5\r\n\r\n"),
    ROW(413, "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW(413, "GET / HTTP/1.1\r\n" HOST "transfer-encoding: xchunked\r\n\r\n"),
    ROW(413, "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n"),
    ROW(400, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST
             "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\nGET /smuggled HTTP/1.1\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "X: a\r\n Transfer-Encoding: chunked\r\n\r\n"),
    ROW(400, "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\nTransfer-Encoding: chunked\r\n\r\n"),
};

static void each_row_has_its_answer_wherever_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int result = read_every_way(rows[i].bytes, rows[i].size);
        if (result != rows[i].result) {
            fail_msg("row %zu: %d, not %d: %.*s", i, result, rows[i].result, (int)rows[i].size,
                     rows[i].bytes);
        }
    }
}

/* A head of exactly `size` bytes: the last header is as long as that takes. */
static size_t make_head(char *bytes, size_t size)
{
    static const char end[4] = {'\r', '\n', '\r', '\n'};
    int begun = snprintf(bytes, size, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    memset(bytes + begun, 'x', size - (size_t)begun - 4);
    memcpy(bytes + size - 4, end, sizeof(end));
    return size;
}

static void a_head_has_8192_bytes_at_most(void **state)
{
    (void)state;
    static char bytes[TG_HTTP_HEAD_MAX + 1];
    struct tg_http_request request;
    const char *head;
    assert_int_equal(read_whole(&request, &head, bytes, make_head(bytes, 8191)), TG_HTTP_WHOLE);
    assert_int_equal(read_whole(&request, &head, bytes, make_head(bytes, 8192)), TG_HTTP_WHOLE);
    assert_int_equal(request.size, 8192);
    assert_int_equal(read_by_bytes(bytes, 8192, &request), TG_HTTP_WHOLE);
    assert_int_equal(read_whole(&request, &head, bytes, make_head(bytes, 8193)), 431);
    assert_int_equal(read_by_bytes(bytes, 8193, &request), 431);
    /* Byte 8192 makes it hopeless, without the next one. */
    assert_int_equal(read_whole(&request, &head, bytes, 8191), TG_HTTP_PARTIAL);
    assert_int_equal(read_whole(&request, &head, bytes, 8192), 431);
    memset(bytes, 'G', sizeof(bytes));
    assert_int_equal(read_whole(&request, &head, bytes, sizeof(bytes)), 431);
}

static int read_target(size_t target_size)
{
    static char bytes[4096];
    struct tg_http_request request;
    const char *head;
    (void)snprintf(bytes, sizeof(bytes), "GET ");
    memset(bytes + 4, '/', target_size);
    int rest = snprintf(bytes + 4 + target_size, 64, " HTTP/1.0\r\n\r\n");
    return read_whole(&request, &head, bytes, 4 + target_size + (size_t)rest);
}

static void a_target_has_2048_bytes_at_most(void **state)
{
    (void)state;
    assert_int_equal(read_target(2047), TG_HTTP_WHOLE);
    assert_int_equal(read_target(2048), TG_HTTP_WHOLE);
    assert_int_equal(read_target(2049), 414);
    assert_int_equal(read_target(0), 400);
    assert_int_equal(read_target(1), TG_HTTP_WHOLE);
}

static int read_headers(uint32_t count)
{
    static char bytes[1024];
    struct tg_http_request request;
    const char *head;
    size_t size = (size_t)snprintf(bytes, sizeof(bytes), "GET / HTTP/1.0\r\n");
    for (uint32_t i = 0; i < count; i++) {
        size += (size_t)snprintf(bytes + size, sizeof(bytes) - size, "a:b\r\n");
    }
    size += (size_t)snprintf(bytes + size, sizeof(bytes) - size, "\r\n");
    return read_whole(&request, &head, bytes, size);
}

static void there_are_64_headers_at_most(void **state)
{
    (void)state;
    assert_int_equal(read_headers(63), TG_HTTP_WHOLE);
    assert_int_equal(read_headers(64), TG_HTTP_WHOLE);
    assert_int_equal(read_headers(65), 431);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_wherever_it_is_cut),
        cmocka_unit_test(the_older_version_needs_no_host),
        cmocka_unit_test(a_websocket_handshake_is_read),
        cmocka_unit_test(each_row_has_its_answer_wherever_it_is_cut),
        cmocka_unit_test(a_head_has_8192_bytes_at_most),
        cmocka_unit_test(a_target_has_2048_bytes_at_most),
        cmocka_unit_test(there_are_64_headers_at_most),
    };
    return cmocka_run_group_tests_name("http_request", tests, open_guard, close_guard);
}
