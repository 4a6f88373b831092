/* SPDX-License-Identifier: MIT
 * The table of outstanding requests. See requests.h. */
#include "message/requests.h"

#include "base/assert.h"

static uint32_t buckets_for(uint32_t capacity)
{
    uint32_t count = 1;
    while (count < capacity) {
        count *= 2;
    }
    return count;
}

size_t tg_requests_bytes(uint32_t capacity)
{
    return capacity * sizeof(struct tg_request) +
           2 * (size_t)buckets_for(capacity) * sizeof(struct tg_list);
}

void tg_requests_init(struct tg_requests *requests, void *memory, uint32_t capacity)
{
    TG_REQUIRE(capacity <= TG_REQUESTS_MOST);
    *requests = (struct tg_requests){.capacity = capacity, .bucket_count = buckets_for(capacity)};
    requests->table = memory;
    requests->ids = (struct tg_list *)(void *)(requests->table + capacity);
    requests->conns = requests->ids + requests->bucket_count;
    for (uint32_t i = 0; i < requests->bucket_count; i++) {
        tg_list_init(&requests->ids[i]);
        tg_list_init(&requests->conns[i]);
    }
    tg_list_init(&requests->free);
    for (uint32_t i = 0; i < capacity; i++) {
        tg_list_init(&requests->table[i].by_conn);
        tg_timer_init(&requests->table[i].timer);
        tg_list_push_back(&requests->free, &requests->table[i].by_id);
    }
    tg_timer_wheel_init(&requests->wheel, 0);
}

static struct tg_list *id_bucket(struct tg_requests *requests, int32_t id)
{
    return &requests->ids[(uint32_t)id & (requests->bucket_count - 1)];
}

/* Ids of connections are the server's own, so nobody can choose them to collide; multiplied,
 * because what differs in them may lie in the upper bits. */
static struct tg_list *conn_bucket(struct tg_requests *requests, throng_conn conn)
{
    const uint64_t mixed = (conn.id ^ conn.id >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return &requests->conns[(uint32_t)(mixed >> 32) & (requests->bucket_count - 1)];
}

static bool is_outstanding(struct tg_requests *requests, int32_t id)
{
    struct tg_list *bucket = id_bucket(requests, id);
    for (struct tg_list *node = bucket->next; node != bucket; node = node->next) {
        if (TG_CONTAINER_OF(node, struct tg_request, by_id)->id == id) {
            return true;
        }
    }
    return false;
}

/* There is always one: far fewer can be outstanding than there are ids. */
static int32_t next_id(struct tg_requests *requests)
{
    do {
        requests->last_id = requests->last_id == THRONG_REQUEST_ID_MAX ? 1 : requests->last_id + 1;
    } while (is_outstanding(requests, requests->last_id));
    return requests->last_id;
}

/* The first time that is told is the wheel's origin: it is the user's, and may be any. */
static void tell_time(struct tg_requests *requests, uint64_t now_ms)
{
    if (!requests->has_time) {
        tg_timer_wheel_init(&requests->wheel, now_ms);
        requests->has_time = true;
    }
}

struct tg_request *tg_requests_begin(struct tg_requests *requests, throng_conn conn,
                                     uint64_t now_ms, uint32_t timeout_ms)
{
    struct tg_list *node = tg_list_pop_front(&requests->free);
    if (node == NULL) {
        return NULL;
    }
    struct tg_request *request = TG_CONTAINER_OF(node, struct tg_request, by_id);
    request->conn = conn;
    request->id = next_id(requests);
    tg_list_push_back(id_bucket(requests, request->id), &request->by_id);
    tg_list_push_back(conn_bucket(requests, conn), &request->by_conn);
    tell_time(requests, now_ms);
    tg_timer_start(&requests->wheel, &request->timer, now_ms + timeout_ms);
    requests->count++;
    return request;
}

struct tg_request *tg_requests_find(struct tg_requests *requests, throng_conn conn, int32_t id)
{
    struct tg_list *bucket = id_bucket(requests, id);
    for (struct tg_list *node = bucket->next; node != bucket; node = node->next) {
        struct tg_request *request = TG_CONTAINER_OF(node, struct tg_request, by_id);
        if (request->id == id && request->conn.id == conn.id) {
            return request;
        }
    }
    return NULL;
}

struct tg_request *tg_requests_find_any(struct tg_requests *requests, throng_conn conn)
{
    struct tg_list *bucket = conn_bucket(requests, conn);
    for (struct tg_list *node = bucket->next; node != bucket; node = node->next) {
        struct tg_request *request = TG_CONTAINER_OF(node, struct tg_request, by_conn);
        if (request->conn.id == conn.id) {
            return request;
        }
    }
    return NULL;
}

struct tg_request *tg_requests_overdue(struct tg_requests *requests, uint64_t now_ms)
{
    if (requests->count == 0) {
        return NULL;
    }
    struct tg_timer *timer = tg_timer_wheel_expire(&requests->wheel, now_ms);
    return timer == NULL ? NULL : TG_CONTAINER_OF(timer, struct tg_request, timer);
}

struct tg_request tg_requests_end(struct tg_requests *requests, struct tg_request *request)
{
    TG_REQUIRE(requests->count > 0);
    const struct tg_request ended = *request;
    tg_timer_stop(&requests->wheel, &request->timer);
    tg_list_remove(&request->by_id);
    tg_list_remove(&request->by_conn);
    tg_list_push_back(&requests->free, &request->by_id);
    requests->count--;
    return ended;
}
