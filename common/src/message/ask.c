/* SPDX-License-Identifier: MIT
 * Requests as the user begins, gives up and ends them. Replies come in dispatch.c. One thread at a
 * time. */
#include "message/messages.h"

#define TIMEOUT_MS_MOST 86400000u

int throng_request_begin(struct throng_messages *messages, throng_conn conn, uint64_t now_ms,
                         uint32_t timeout_ms, throng_request_done *done, void *context, int32_t *id)
{
    if (messages == NULL || done == NULL || id == NULL || timeout_ms == 0 ||
        timeout_ms > TIMEOUT_MS_MOST) {
        return THRONG_EINVAL;
    }
    struct tg_request *request = tg_requests_begin(&messages->requests, conn, now_ms, timeout_ms);
    if (request == NULL) {
        return THRONG_EAGAIN;
    }
    request->done = done;
    request->context = context;
    messages->counters.requests++;
    *id = request->id;
    return 0;
}

int throng_request_cancel(struct throng_messages *messages, throng_conn conn, int32_t id)
{
    struct tg_request *request = tg_requests_find(&messages->requests, conn, id);
    if (request == NULL) {
        return THRONG_ESTALE;
    }
    (void)tg_requests_end(&messages->requests, request);
    return 0;
}

void tg_messages_end_request(struct throng_messages *messages, struct tg_request *request,
                             int result, struct throng_message *reply)
{
    const struct tg_request ended = tg_requests_end(&messages->requests, request);
    ended.done(ended.context, ended.conn, result, reply);
}

uint32_t throng_messages_update(struct throng_messages *messages, uint64_t now_ms)
{
    /* Those that a callback begins are not overdue: time stands still meanwhile. */
    uint32_t count = 0;
    struct tg_request *request;
    while ((request = tg_requests_overdue(&messages->requests, now_ms)) != NULL) {
        messages->counters.timeouts++;
        tg_messages_end_request(messages, request, THRONG_ETIMEDOUT, NULL);
        count++;
    }
    return count;
}

int throng_messages_wait_ms(const struct throng_messages *messages, uint64_t now_ms)
{
    const int64_t wait_ms = tg_timer_wheel_wait_ms(&messages->requests.wheel, now_ms);
    return (int)wait_ms; /* at most a day */
}

uint32_t throng_messages_closed(struct throng_messages *messages, throng_conn conn)
{
    /* A callback may begin another one to the same connection, which has ended as well. So not more
     * than there were: the others' time-outs are their end. */
    const uint32_t most = messages->requests.count;
    uint32_t count = 0;
    struct tg_request *request;
    while (count < most && (request = tg_requests_find_any(&messages->requests, conn)) != NULL) {
        tg_messages_end_request(messages, request, THRONG_ESTALE, NULL);
        count++;
    }
    return count;
}
