/* SPDX-License-Identifier: MIT
 * See fetch.h. */
#include "fetch.h"

#include <stdio.h>
#include <string.h>

#include "../terminal/stream.h"
#include "../terminal/system.h"
#include "http.h"

/* One exchange. The page's own bytes hold the whole answer until its body is moved to their
 * start. */
struct fetch {
    struct page *page;
    intptr_t stream;
    uint64_t deadline_ms;
    char *complaint;
};

static bool fail(const struct fetch *fetch, const char *text)
{
    (void)snprintf(fetch->complaint, FETCH_COMPLAINT_SIZE, "%s", text);
    return false;
}

/* Waits for the stream; false when the time is over. */
static bool wait(const struct fetch *fetch, bool write)
{
    uint64_t now = system_now_ms();
    int left = now < fetch->deadline_ms ? (int)(fetch->deadline_ms - now) : 0;
    return stream_wait(fetch->stream, write, left);
}

static bool send_request(const struct fetch *fetch, const char *host)
{
    char text[512];
    size_t size = http_request(text, sizeof(text), host, "/metrics");
    for (size_t sent = 0; sent < size;) {
        if (!wait(fetch, true)) {
            return fail(fetch, "no connection in time");
        }
        int count = stream_send(fetch->stream, text + sent, size - sent);
        if (count == STREAM_FAILED) {
            return fail(fetch, "cannot connect: nobody listens there");
        }
        sent += count > 0 ? (size_t)count : 0;
    }
    return size > 0 || fail(fetch, "the host's name is too long");
}

/* Receives until the answer is whole. */
static bool receive_answer(const struct fetch *fetch, struct http_answer *answer)
{
    struct page *page = fetch->page;
    for (page->size = 0;;) {
        if (!wait(fetch, false)) {
            return fail(fetch, "no answer in time");
        }
        int count = stream_receive(fetch->stream, page->bytes + page->size,
                                   sizeof(page->bytes) - page->size);
        if (count == STREAM_FAILED) {
            return fail(fetch, "cannot connect, or the connection was reset");
        }
        if (count > 0) {
            page->size += (size_t)count;
        }
        enum http_progress progress = http_read(answer, page->bytes, page->size);
        if (progress == HTTP_WHOLE || (progress == HTTP_TO_THE_END && count == 0)) {
            return true;
        }
        if (progress == HTTP_BAD || count == 0) {
            return fail(fetch, count == 0 ? "the answer was cut off" : "the answer is no HTTP");
        }
        if (page->size == sizeof(page->bytes)) {
            return fail(fetch, "the answer is too long");
        }
    }
}

static bool take_answer(const struct fetch *fetch, const struct http_answer *answer)
{
    if (answer->status != 200) {
        (void)snprintf(fetch->complaint, FETCH_COMPLAINT_SIZE,
                       "GET /metrics was answered with status %u", answer->status);
        return false;
    }
    memmove(fetch->page->bytes, answer->body, answer->body_size);
    fetch->page->size = answer->body_size;
    page_read(fetch->page);
    fetch->page->at_ms = system_now_ms();
    return fetch->page->count > 0 || fail(fetch, "the answer has no metrics");
}

bool fetch_page(struct page *page, const char *endpoint, const struct throng_address *address,
                uint32_t timeout_ms, char complaint[FETCH_COMPLAINT_SIZE])
{
    const char *host = strncmp(endpoint, "tcp://", 6) == 0 ? endpoint + 6 : endpoint;
    struct http_answer answer = {0};
    struct fetch fetch = {.page = page, .deadline_ms = system_now_ms() + timeout_ms};
    fetch.complaint = complaint;
    fetch.stream = stream_open(address);
    if (fetch.stream < 0) {
        return fail(&fetch, "cannot connect");
    }
    bool done = send_request(&fetch, host) && receive_answer(&fetch, &answer) &&
                take_answer(&fetch, &answer);
    stream_close(fetch.stream);
    return done;
}
