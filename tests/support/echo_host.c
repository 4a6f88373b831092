/* SPDX-License-Identifier: MIT
 * The plain echo server: one thread, and a watch that tells it which of its connections can go
 * on. */
#include "echo_host.h"

#include <stdlib.h>
#include <string.h>

#include "stopwatch.h"
#include "watch.h"

#define CONNS_MAX 16384u
#define LISTENER CONNS_MAX /* its place in the watch */
#define BATCH 64
#define READ_BYTES 65536u

struct echo_conn {
    struct peer peer;
    uint8_t *backlog; /* read, not yet sent back; NULL: none */
    uint32_t backlog_size;
    uint32_t next_free; /* of a closed one: the next place that is free; 0 = none */
    bool is_open;
    bool is_ending; /* to be closed once the backlog is sent */
};

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void count(_Atomic uint32_t *counter, int change)
{
    atomic_fetch_add(counter, (uint32_t)change);
}

/* A conn that nobody has. Place 0 stays empty. */
static struct echo_conn *take_place(struct echo_host *echo)
{
    uint32_t place = echo->free;
    if (place != 0) {
        echo->free = echo->conns[place].next_free;
    } else {
        place = ++echo->places_used;
        require(place < CONNS_MAX);
    }
    echo->conns[place] = (struct echo_conn){.is_open = true};
    return &echo->conns[place];
}

static uint32_t place_of(const struct echo_host *echo, const struct echo_conn *conn)
{
    return (uint32_t)(conn - echo->conns);
}

/* Hear about what matters, given the mood and what is left to send. */
static void listen_to(struct echo_host *echo, const struct echo_conn *conn)
{
    bool has_backlog = conn->backlog != NULL;
    bool input = !has_backlog && atomic_load(&echo->mood) != ECHO_DEAF;
    watch_change(echo->watch, place_of(echo, conn), input, has_backlog);
}

static void end(struct echo_host *echo, struct echo_conn *conn, bool reset)
{
    watch_remove(echo->watch, place_of(echo, conn));
    if (reset) {
        peer_reset(&conn->peer);
    } else {
        peer_close(&conn->peer);
    }
    free(conn->backlog);
    *conn = (struct echo_conn){.next_free = echo->free};
    echo->free = place_of(echo, conn);
    count(&echo->open, -1);
}

static void on_accept(struct echo_host *echo)
{
    struct peer peer;
    if (!host_accept(&echo->host, &peer, 0)) {
        return;
    }
    struct echo_conn *conn = take_place(echo);
    conn->peer = peer;
    watch_add(echo->watch, place_of(echo, conn), peer.descriptor, true, false);
    listen_to(echo, conn);
    count(&echo->open, 1);
    count(&echo->accepted, 1);
}

/* Sends as much as goes; the rest becomes the backlog. False if the connection is dead. */
static bool send_back(struct echo_host *echo, struct echo_conn *conn, const uint8_t *data,
                      size_t size)
{
    ptrdiff_t sent = peer_send(&conn->peer, data, size);
    if (sent < 0 && sent != PEER_WOULD_BLOCK) {
        return false;
    }
    size_t done = sent < 0 ? 0 : (size_t)sent;
    uint8_t *old = conn->backlog;
    uint8_t *rest = NULL;
    if (done < size) {
        rest = malloc(size - done);
        if (rest == NULL) {
            abort();
        }
        memcpy(rest, data + done, size - done);
    }
    conn->backlog = rest;
    conn->backlog_size = (uint32_t)(size - done);
    bool changed = (old != NULL) != (rest != NULL);
    free(old);
    if (changed) {
        listen_to(echo, conn);
    }
    return true;
}

/* Sends this back; what must end then does. */
static void answer(struct echo_host *echo, struct echo_conn *conn, const uint8_t *data, size_t size)
{
    if (!send_back(echo, conn, data, size)) {
        count(&echo->resets, 1);
        end(echo, conn, false);
    } else if (conn->is_ending && conn->backlog == NULL) {
        end(echo, conn, false);
    }
}

static void on_input(struct echo_host *echo, struct echo_conn *conn)
{
    static _Thread_local uint8_t data[READ_BYTES]; /* there may be several hosts */
    ptrdiff_t got = peer_receive(&conn->peer, data, sizeof(data));
    if (got == PEER_WOULD_BLOCK) {
        return;
    }
    if (got <= 0) {
        count(got == PEER_END ? &echo->ends : &echo->resets, 1);
        end(echo, conn, false);
        return;
    }
    atomic_fetch_add(&echo->bytes, (uint64_t)got);
    int mood = atomic_load(&echo->mood);
    conn->is_ending = mood == ECHO_FINISHES;
    if (mood != ECHO_SILENT) {
        answer(echo, conn, data, (size_t)got);
    }
}

static void on_conn(struct echo_host *echo, struct echo_conn *conn, const struct watch_event *event)
{
    if (event->room && conn->backlog != NULL) {
        answer(echo, conn, conn->backlog, conn->backlog_size);
    } else if (event->input) {
        on_input(echo, conn);
    } else if (event->broken) {
        count(&echo->resets, 1);
        end(echo, conn, false);
    }
}

/* A wake: the mood is another one, or the host dies. False in that case. */
static bool on_wake(struct echo_host *echo)
{
    bool dies = atomic_load(&echo->is_dying);
    for (uint32_t i = 1; i <= echo->places_used; i++) {
        struct echo_conn *conn = &echo->conns[i];
        if (conn->is_open && dies) {
            end(echo, conn, true);
        } else if (conn->is_open) {
            listen_to(echo, conn);
        }
    }
    return !dies;
}

static void serve(void *argument)
{
    struct echo_host *echo = argument;
    struct watch_event events[BATCH];
    for (;;) {
        size_t ready = watch_wait(echo->watch, events, BATCH);
        if (ready == 0 && !on_wake(echo)) {
            return;
        }
        for (size_t i = 0; i < ready; i++) {
            struct echo_conn *conn = &echo->conns[events[i].place];
            if (events[i].place == LISTENER) {
                on_accept(echo);
            } else if (conn->is_open) {
                on_conn(echo, conn, &events[i]);
            }
        }
    }
}

bool echo_host_start(struct echo_host *echo, enum throng_address_family family)
{
    memset(echo, 0, sizeof(*echo));
    if (!host_open(&echo->host, family)) {
        return false;
    }
    echo->conns = calloc(CONNS_MAX, sizeof(struct echo_conn));
    require(echo->conns != NULL);
    echo->watch = watch_open(CONNS_MAX + 1);
    watch_add(echo->watch, LISTENER, echo->host.descriptor, true, false);
    require(test_thread_start(&echo->thread, serve, echo));
    return true;
}

void echo_host_set_mood(struct echo_host *echo, enum echo_mood mood)
{
    atomic_store(&echo->mood, (int)mood);
    watch_wake(echo->watch);
}

void echo_host_die(struct echo_host *echo)
{
    atomic_store(&echo->is_dying, true);
    watch_wake(echo->watch);
    require(test_thread_join(&echo->thread));
    watch_close(echo->watch);
    host_close(&echo->host);
    free(echo->conns);
    echo->conns = NULL;
}

void echo_host_stop(struct echo_host *echo)
{
    if (echo->conns != NULL) {
        echo_host_die(echo);
    }
}

bool echo_host_await(const _Atomic uint32_t *counter, uint32_t value)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (atomic_load(counter) != value) {
        if (test_now_ms() > deadline_ms) {
            return false;
        }
        test_pause_us(200);
    }
    return true;
}

bool echo_host_settle(struct echo_host *echo)
{
    struct peer last;
    uint8_t byte = 0;
    /* The system hands connections over in order: who is answered was accepted after all others. */
    bool is_last = peer_connect(&last, &echo->host.address, NULL) &&
                   peer_send_all(&last, &byte, 1, test_deadline_ms()) &&
                   peer_receive_all(&last, &byte, 1, test_deadline_ms());
    peer_close(&last);
    return is_last && echo_host_await(&echo->open, 0);
}
