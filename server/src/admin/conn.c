/* SPDX-License-Identifier: MIT
 * The admin listener's connections: request after request, each with its answer, and no patience
 * with whoever wants to keep a place. record.h draws the states. The admin thread. */
#include <string.h>

#include "admin/record.h"
#include "base/assert.h"

_Static_assert(sizeof(((struct tg_admin_conn *)NULL)->head) >=
                   TG_HTTP_HEAD_MAX + TG_ADMIN_TURN_BYTES,
               "what one turn brings has room behind a head that is not whole");

/* ---- states ---- */

static void enter(struct tg_admin *admin, struct tg_admin_conn *conn, enum tg_admin_state state,
                  uint32_t patience_ms)
{
    conn->state = (uint8_t)state;
    conn->since_ms = admin->now_ms;
    conn->order = ++admin->orders;
    conn->deadline_ms = admin->now_ms + patience_ms;
}

static void close_conn(struct tg_admin *admin, struct tg_admin_conn *conn, enum tg_close_mode mode)
{
    TG_REQUIRE(conn->state != TG_ADMIN_FREE && conn->state != TG_ADMIN_CLOSING);
    enter(admin, conn, TG_ADMIN_CLOSING, 0);
    tg_port_close(admin->port, &conn->stream, mode);
}

/* Our end is out. What the peer still says is thrown away until its own: closed with something
 * unread, the system would send a reset, which overtakes the answer. */
static void linger(struct tg_admin *admin, struct tg_admin_conn *conn)
{
    enter(admin, conn, TG_ADMIN_LINGERING, TG_ADMIN_LINGER_MS);
    conn->discarded = 0;
    tg_port_shutdown(admin->port, &conn->stream);
    tg_port_receive(admin->port, &conn->stream);
}

/* ---- answering ---- */

static void end_answer(struct tg_admin *admin, struct tg_admin_conn *conn)
{
    if (!conn->keep) {
        linger(admin, conn);
        return;
    }
    conn->have -= conn->request.size;
    memmove(conn->head, conn->head + conn->request.size, conn->have);
    tg_http_request_init(&conn->request);
    enter(admin, conn, TG_ADMIN_READING, conn->have > 0 ? TG_ADMIN_REQUEST_MS : TG_ADMIN_IDLE_MS);
    conn->unread = conn->have > 0;
    if (!conn->unread) {
        tg_port_receive(admin->port, &conn->stream);
    }
}

static void send_answer(struct tg_admin *admin, struct tg_admin_conn *conn)
{
    while (conn->begin < conn->end) {
        const struct tg_slice slice = {.data = (const uint8_t *)conn->answer + conn->begin,
                                       .size = conn->end - conn->begin};
        int sent = tg_port_send(admin->port, &conn->stream, &slice, 1);
        if (sent == TG_PORT_PENDING) {
            return;
        }
        if (sent < 0) {
            close_conn(admin, conn, TG_CLOSE_ABORT);
            return;
        }
        conn->begin += (uint32_t)sent;
    }
    end_answer(admin, conn);
}

/* Nothing more is read before this is answered, so nobody can pile requests up here. */
static void answer(struct tg_admin *admin, struct tg_admin_conn *conn, int status)
{
    conn->keep = status == 200 && conn->request.minor == 1 &&
                 !tg_http_has_token(&conn->request, conn->head, "Connection", "close");
    tg_admin_write_answer(admin, conn, status);
    tg_port_pause(admin->port, &conn->stream);
    enter(admin, conn, TG_ADMIN_ANSWERING, TG_ADMIN_ANSWER_MS);
    send_answer(admin, conn);
}

static void read_request(struct tg_admin *admin, struct tg_admin_conn *conn)
{
    conn->unread = false;
    int result = tg_http_request_read(&conn->request, conn->head, conn->have);
    if (result == TG_HTTP_PARTIAL) {
        tg_port_receive(admin->port, &conn->stream);
    } else {
        answer(admin, conn, result == TG_HTTP_WHOLE ? 200 : result);
    }
}

bool tg_admin_serve(struct tg_admin *admin)
{
    bool more = false;
    for (uint32_t i = 0; i < TG_ADMIN_CONNECTIONS; i++) {
        struct tg_admin_conn *conn = &admin->conns[i];
        if (conn->state == TG_ADMIN_READING && conn->unread) {
            read_request(admin, conn);
            more |= conn->state == TG_ADMIN_READING && conn->unread;
        }
    }
    return more;
}

/* ---- completions ---- */

static void take_bytes(struct tg_admin *admin, struct tg_admin_conn *conn,
                       const struct tg_completion *completion)
{
    uint32_t size = (uint32_t)completion->result;
    if (conn->state == TG_ADMIN_READING) {
        TG_REQUIRE(size <= sizeof(conn->head) - conn->have);
        if (conn->have == 0 && conn->deadline_ms > admin->now_ms + TG_ADMIN_REQUEST_MS) {
            conn->deadline_ms = admin->now_ms +
                                TG_ADMIN_REQUEST_MS; /* the next request has begun */
        }
        memcpy(conn->head + conn->have, completion->data, size);
        conn->have += size;
        conn->unread = true;
        /* Until it was looked at nothing more comes: the room behind a head is for one turn. */
        tg_port_pause(admin->port, &conn->stream);
    } else if (conn->state == TG_ADMIN_LINGERING) {
        conn->discarded += size;
        if (conn->discarded > TG_ADMIN_DISCARD_MAX) {
            close_conn(admin, conn, TG_CLOSE_ABORT);
        }
    }
}

void tg_admin_on_receive(struct tg_admin *admin, const struct tg_completion *completion)
{
    struct tg_admin_conn *conn = TG_CONTAINER_OF(completion->stream, struct tg_admin_conn, stream);
    if (completion->result > 0) {
        take_bytes(admin, conn, completion);
        tg_recv_pool_release(&admin->recv_pool, completion->buffer, 1);
    } else if (conn->state != TG_ADMIN_CLOSING) {
        /* The end, or an error. Nobody waits for an answer: while one is sent nothing is read. */
        close_conn(admin, conn, completion->result == 0 ? TG_CLOSE_NORMAL : TG_CLOSE_ABORT);
    }
}

void tg_admin_on_send(struct tg_admin *admin, const struct tg_completion *completion)
{
    struct tg_admin_conn *conn = TG_CONTAINER_OF(completion->stream, struct tg_admin_conn, stream);
    if (conn->state != TG_ADMIN_ANSWERING) {
        return; /* closed meanwhile */
    }
    if (completion->result < 0) {
        close_conn(admin, conn, TG_CLOSE_ABORT);
        return;
    }
    conn->begin += (uint32_t)completion->result;
    send_answer(admin, conn);
}

/* ---- places ---- */

static struct tg_admin_conn *find_place(struct tg_admin *admin)
{
    for (uint32_t i = 0; i < TG_ADMIN_CONNECTIONS; i++) {
        if (admin->conns[i].state == TG_ADMIN_FREE) {
            return &admin->conns[i];
        }
    }
    return NULL;
}

/* Who has waited for longest of those without a whole request, or with their answer behind them; or
 * else who takes longest over it, if he had a second. NULL if somebody is on his way out
 * already. */
static struct tg_admin_conn *find_victim(struct tg_admin *admin)
{
    struct tg_admin_conn *idle = NULL;
    struct tg_admin_conn *slow = NULL;
    for (uint32_t i = 0; i < TG_ADMIN_CONNECTIONS; i++) {
        struct tg_admin_conn *conn = &admin->conns[i];
        if (conn->state == TG_ADMIN_CLOSING) {
            return NULL;
        }
        struct tg_admin_conn **oldest = conn->state == TG_ADMIN_ANSWERING ? &slow : &idle;
        if (*oldest == NULL || conn->order < (*oldest)->order) {
            *oldest = conn;
        }
    }
    if (idle == NULL && slow != NULL && admin->now_ms < slow->since_ms + TG_ADMIN_ANSWER_LEAST_MS) {
        return NULL;
    }
    return idle != NULL ? idle : slow;
}

static void open_conn(struct tg_admin *admin, struct tg_admin_conn *conn, tg_handle accepted)
{
    memset(&conn->stream, 0, sizeof(conn->stream));
    if (tg_port_adopt(admin->port, &conn->stream, accepted) < 0) {
        return; /* it is closed */
    }
    admin->streams_open++;
    conn->have = 0;
    conn->unread = false;
    tg_http_request_init(&conn->request);
    enter(admin, conn, TG_ADMIN_READING, TG_ADMIN_REQUEST_MS);
    tg_port_receive(admin->port, &conn->stream);
}

/* Gives the newcomer a place, or begins to make one. Until he has it nobody else is accepted. */
static void place_parked(struct tg_admin *admin)
{
    struct tg_admin_conn *conn = find_place(admin);
    if (conn != NULL) {
        tg_handle accepted = admin->parked;
        admin->parked = TG_HANDLE_NONE;
        open_conn(admin, conn, accepted);
        tg_port_accept(admin->port, &admin->listener, 1);
        return;
    }
    struct tg_admin_conn *victim = find_victim(admin);
    if (victim != NULL) {
        close_conn(admin, victim, TG_CLOSE_ABORT);
    }
}

void tg_admin_on_accept(struct tg_admin *admin, const struct tg_completion *completion)
{
    if (completion->result < 0) {
        admin->accept_due_ms = admin->now_ms + TG_ADMIN_TICK_MS; /* the system has run out */
        return;
    }
    if (!admin->listening) {
        tg_port_refuse(admin->port, completion->accepted);
        return;
    }
    TG_REQUIRE(admin->parked == TG_HANDLE_NONE);
    admin->parked = completion->accepted;
    place_parked(admin);
}

void tg_admin_on_close(struct tg_admin *admin, const struct tg_completion *completion)
{
    struct tg_admin_conn *conn = TG_CONTAINER_OF(completion->stream, struct tg_admin_conn, stream);
    TG_REQUIRE(conn->state == TG_ADMIN_CLOSING && admin->streams_open > 0);
    conn->state = TG_ADMIN_FREE;
    admin->streams_open--;
    if (admin->parked != TG_HANDLE_NONE) {
        place_parked(admin);
    }
}

/* ---- time ---- */

static void expire(struct tg_admin *admin, struct tg_admin_conn *conn)
{
    switch ((enum tg_admin_state)conn->state) {
    case TG_ADMIN_READING:
        if (conn->have > 0) {
            answer(admin, conn, 408);
        } else {
            close_conn(admin, conn, TG_CLOSE_NORMAL);
        }
        return;
    case TG_ADMIN_ANSWERING:
        close_conn(admin, conn, TG_CLOSE_ABORT);
        return;
    case TG_ADMIN_LINGERING:
        close_conn(admin, conn, TG_CLOSE_NORMAL);
        return;
    case TG_ADMIN_FREE:
    case TG_ADMIN_CLOSING:
        return; /* have no deadline */
    }
}

static bool has_deadline(const struct tg_admin_conn *conn)
{
    return conn->state != TG_ADMIN_FREE && conn->state != TG_ADMIN_CLOSING;
}

void tg_admin_tick(struct tg_admin *admin)
{
    for (uint32_t i = 0; i < TG_ADMIN_CONNECTIONS; i++) {
        if (has_deadline(&admin->conns[i]) && admin->conns[i].deadline_ms <= admin->now_ms) {
            expire(admin, &admin->conns[i]);
        }
    }
    if (admin->parked != TG_HANDLE_NONE) {
        place_parked(admin);
    }
    if (admin->accept_due_ms != 0 && admin->accept_due_ms <= admin->now_ms) {
        admin->accept_due_ms = 0;
        tg_port_accept(admin->port, &admin->listener, 1);
    }
}

uint64_t tg_admin_next_deadline_ms(const struct tg_admin *admin)
{
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0; i < TG_ADMIN_CONNECTIONS; i++) {
        if (has_deadline(&admin->conns[i]) && admin->conns[i].deadline_ms < next) {
            next = admin->conns[i].deadline_ms;
        }
    }
    if (admin->parked != TG_HANDLE_NONE && admin->now_ms + TG_ADMIN_TICK_MS < next) {
        next = admin->now_ms + TG_ADMIN_TICK_MS;
    }
    if (admin->accept_due_ms != 0 && admin->accept_due_ms < next) {
        next = admin->accept_due_ms;
    }
    return next;
}

void tg_admin_close_all(struct tg_admin *admin)
{
    if (admin->listening) {
        admin->listening = false;
        tg_port_close_listener(admin->port, &admin->listener);
    }
    if (admin->parked != TG_HANDLE_NONE) {
        tg_port_refuse(admin->port, admin->parked);
        admin->parked = TG_HANDLE_NONE;
    }
    for (uint32_t i = 0; i < TG_ADMIN_CONNECTIONS; i++) {
        if (has_deadline(&admin->conns[i])) {
            close_conn(admin, &admin->conns[i], TG_CLOSE_ABORT);
        }
    }
}
