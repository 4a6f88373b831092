/* SPDX-License-Identifier: MIT
 * What the admin listener answers: /metrics, /healthz, a page that names both, and refusals. The
 * admin thread. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <throng/version.h>

#include "admin/record.h"
#include "base/assert.h"
#include "base/format.h"
#include "os/clock.h"
#include "state.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"
#define TEXT_METRICS "text/plain; version=0.0.4; charset=utf-8"

/* ---- statuses ---- */

static const struct status {
    int number;
    const char *phrase;
    const char *why; /* of a refusal: its body */
} statuses[] = {
    {200, "OK", ""},
    {400, "Bad Request", "this is not a request of HTTP/1.1 that can be read in one way only"},
    {404, "Not Found", "there are /metrics and /healthz"},
    {405, "Method Not Allowed", "only GET and HEAD"},
    {408, "Request Timeout", "the request was not complete in time"},
    {413, "Content Too Large", "a request must have no body"},
    {414, "URI Too Long", "the target is longer than 2048 bytes"},
    {431, "Request Header Fields Too Large", "the head has more than 8192 bytes or 64 headers"},
    {503, "Service Unavailable", ""},
    {505, "HTTP Version Not Supported", "only HTTP/1.0 and HTTP/1.1"},
};

static const struct status *find_status(int number)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i].number == number) {
            return &statuses[i];
        }
    }
    TG_UNREACHABLE("a status that the table lacks");
}

/* ---- bodies ---- */

struct page {
    int status;
    const char *type;
    char *body;
    size_t length;
};

TG_FORMAT(2, 3) static void say(struct page *page, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(page->body, TG_METRICS_TEXT_MAX, format, arguments);
    va_end(arguments);
    TG_ENSURE(length >= 0 && (size_t)length < TG_METRICS_TEXT_MAX);
    page->length = (size_t)length;
}

static void refuse(struct page *page, int status)
{
    page->status = status;
    say(page, "%d %s: %s\n", status, find_status(status)->phrase, find_status(status)->why);
}

static void show_metrics(struct tg_admin *admin, struct page *page)
{
    struct tg_metrics *metrics = &admin->metrics;
    tg_metrics_gather(metrics, admin->server);
    metrics->start_unix_ms = admin->start_unix_ms;
    metrics->uptime_ms = (tg_clock_ns() - admin->start_ns) / 1000000u;
    metrics->admin_connections = admin->streams_open;
    memcpy(metrics->admin_requests, admin->requests, sizeof(metrics->admin_requests));
    /* In inline mode, and where no event waits, nobody else notices. */
    uint64_t stalled_ms = tg_admin_stalled_ms(admin);
    if (metrics->counters.logic_stalled_ms < stalled_ms) {
        metrics->counters.logic_stalled_ms = stalled_ms;
    }
    page->type = TEXT_METRICS;
    page->length = tg_metrics_write(metrics, page->body, TG_METRICS_TEXT_MAX);
    TG_ENSURE(page->length > 0); /* the longest one there can be has room */
}

static void show_health(const struct tg_admin *admin, struct page *page)
{
    const struct tg_worker_shared *shared = &admin->server->shared;
    uint64_t stalled_ms = tg_admin_stalled_ms(admin);
    page->status = 503;
    if (atomic_load_explicit(&shared->draining, memory_order_relaxed)) {
        say(page, "draining: the server takes no new connections\n");
    } else if (stalled_ms > 0) {
        say(page, "stuck: the logic thread has asked for no event for %" PRIu64 " ms\n",
            stalled_ms);
    } else {
        page->status = 200;
        say(page, "ok\n");
    }
}

static bool is_path(const char *target, size_t length, const char *path)
{
    return strlen(path) == length && memcmp(target, path, length) == 0;
}

static void show_path(struct tg_admin *admin, const struct tg_admin_conn *conn, struct page *page)
{
    const char *target = conn->head + conn->request.target.at;
    const char *query = memchr(target, '?', conn->request.target.len);
    size_t length = query != NULL ? (size_t)(query - target) : conn->request.target.len;
    if (is_path(target, length, "/metrics")) {
        show_metrics(admin, page);
    } else if (is_path(target, length, "/healthz")) {
        show_health(admin, page);
    } else if (is_path(target, length, "/")) {
        say(page,
            "throng %s\n/metrics  numbers, in Prometheus' text format\n"
            "/healthz  200 while the logic thread takes events, else 503\n",
            throng_version());
    } else {
        refuse(page, 404);
    }
}

/* ---- the whole ---- */

/* Puts the head right before the body, which lies behind the room for it. */
static void write_head(struct tg_admin_conn *conn, const struct page *page)
{
    char head[TG_ADMIN_HEAD_ROOM];
    int length = snprintf(
        head, sizeof(head),
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%sConnection: %s\r\n\r\n",
        page->status, find_status(page->status)->phrase, page->type, page->length,
        page->status == 405 ? "Allow: GET, HEAD\r\n" : "", conn->keep ? "keep-alive" : "close");
    TG_ENSURE(length > 0 && (size_t)length < sizeof(head));
    conn->begin = TG_ADMIN_HEAD_ROOM - (uint32_t)length;
    memcpy(conn->answer + conn->begin, head, (size_t)length);
    conn->end = TG_ADMIN_HEAD_ROOM;
}

void tg_admin_write_answer(struct tg_admin *admin, struct tg_admin_conn *conn, int status)
{
    struct page page = {
        .status = 200, .type = TEXT_PLAIN, .body = conn->answer + TG_ADMIN_HEAD_ROOM};
    bool is_head = status == 200 && conn->request.is_head;
    if (status == 200) {
        show_path(admin, conn, &page);
    } else {
        refuse(&page, status);
    }
    admin->requests[page.status / 100]++;
    write_head(conn, &page);
    if (!is_head) {
        conn->end += (uint32_t)page.length;
    }
}
