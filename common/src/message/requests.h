/* SPDX-License-Identifier: MIT
 * The requests that wait for their replies: found by connection and id, by connection, and by time.
 * All memory is the caller's; time is an argument. One thread at a time.
 *
 * Ids count up through all connections, past those that are still outstanding, so an id comes again
 * only after two thousand million others: a late reply finds nothing. */
#ifndef TG_MESSAGE_REQUESTS_H
#define TG_MESSAGE_REQUESTS_H

#include <throng/message.h>

#include "base/list.h"
#include "timer/timer_wheel.h"

#define TG_REQUESTS_MOST (1024u * 1024u)

struct tg_request {
    struct tg_list by_id;   /* in a bucket of `ids`; or free */
    struct tg_list by_conn; /* in a bucket of `conns` */
    struct tg_timer timer;
    throng_conn conn;
    throng_request_done *done;
    void *context;
    int32_t id;
};

struct tg_requests {
    struct tg_request *table;
    struct tg_list *ids; /* bucket_count each, a power of two */
    struct tg_list *conns;
    struct tg_list free;
    struct tg_timer_wheel wheel;
    uint32_t bucket_count;
    uint32_t capacity;
    uint32_t count;
    int32_t last_id;
    bool has_time; /* the wheel was told the time */
};

/* Memory for `capacity` requests (may be 0), aligned as for a pointer. */
size_t tg_requests_bytes(uint32_t capacity);
void tg_requests_init(struct tg_requests *requests, void *memory, uint32_t capacity);

/* NULL: all are outstanding. */
struct tg_request *tg_requests_begin(struct tg_requests *requests, throng_conn conn,
                                     uint64_t now_ms, uint32_t timeout_ms);

/* The request of this connection with this id, or NULL. */
struct tg_request *tg_requests_find(struct tg_requests *requests, throng_conn conn, int32_t id);

/* Any request of the connection, or NULL. */
struct tg_request *tg_requests_find_any(struct tg_requests *requests, throng_conn conn);

/* One that is overdue, or NULL. It is still outstanding. */
struct tg_request *tg_requests_overdue(struct tg_requests *requests, uint64_t now_ms);

/* It waits no longer. What it was is answered: its place may be taken anew at once. */
struct tg_request tg_requests_end(struct tg_requests *requests, struct tg_request *request);

#endif
