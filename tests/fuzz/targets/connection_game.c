/* SPDX-License-Identifier: MIT
 * Target `connection`: the game, which holds events, writes, closes, and uses ids that are
 * stale. */
#include <string.h>

#include <throng/wire.h>

#include "connection.h"
#include "fuzz.h"

#include "sim/net.h"
#include "state.h"

#define HELD_MAX 64u

static struct throng_server *server;
static struct throng_event held[HELD_MAX];
static uint32_t held_count;

void conn_game_init(struct throng_server *started)
{
    server = started;
}

static struct conn_life *life_of(const struct throng_event *event)
{
    for (uint32_t i = 0; i < conn_lives_count(); i++) {
        struct conn_life *life = conn_life_at(i);
        if (life->conn == event->conn.id) {
            /* An event that came together with OPEN does not carry it yet. */
            FUZZ_CHECK(event->user == life || event->user == NULL);
            return life;
        }
    }
    TG_UNREACHABLE("an event of a connection that was not opened");
}

/* Each id: OPEN, messages (and WRITABLEs among them), CLOSED. */
static void note(struct throng_event *event)
{
    if (event->type == THRONG_EVENT_OPEN) {
        struct throng_address peer;
        FUZZ_CHECK(event->user == NULL);
        FUZZ_CHECK(throng_peer_address(server, event->conn, &peer) == 0);
        struct conn_life *life = conn_life_of(&peer);
        FUZZ_CHECK(life->conn == 0);
        life->conn = event->conn.id;
        FUZZ_CHECK(throng_set_user(server, event->conn, life) == 0);
        return;
    }
    struct conn_life *life = life_of(event);
    FUZZ_CHECK(life->conn == event->conn.id && !life->closed);
    if (event->type == THRONG_EVENT_MESSAGE) {
        conn_life_said(life, event->data, event->size);
    } else if (event->type == THRONG_EVENT_WRITABLE) {
        FUZZ_CHECK(event->data == NULL && event->reason == THRONG_CLOSE_NONE);
    } else {
        FUZZ_CHECK(event->type == THRONG_EVENT_CLOSED);
        conn_life_closed(life, event->reason);
    }
}

void conn_take(uint32_t most)
{
    uint32_t room = HELD_MAX - held_count;
    if (room == 0) {
        return;
    }
    int count = throng_get_events(server, held + held_count, most < room ? most : room, 0);
    FUZZ_CHECK(count >= 0);
    for (int i = 0; i < count; i++) {
        note(&held[held_count++]);
    }
}

void conn_release(uint32_t which)
{
    if (held_count > 0) {
        which %= held_count;
        throng_release_event(server, &held[which]);
        memmove(&held[which], &held[which + 1], (held_count - which - 1) * sizeof(held[0]));
        held_count--;
    }
}

void conn_release_all(void)
{
    while (held_count > 0) {
        conn_release(held_count - 1);
    }
}

static void write_to(struct conn_life *life, const void *data, size_t size)
{
    size_t queued;
    if (CONN_DOWN_MAX - life->down_size < size + THRONG_FRAME_HEADER_BYTES) {
        return;
    }
    throng_conn conn = {life->conn};
    int result = throng_write_data(server, conn, data, size);
    FUZZ_CHECK(result == 0 || result == THRONG_EAGAIN || result == THRONG_ECLOSING ||
               (result == THRONG_ETOOBIG && size > CONN_MESSAGE_MAX) ||
               (result == THRONG_ESTALE && life->closed));
    if (result == 0) {
        FUZZ_CHECK(size <= CONN_MESSAGE_MAX && !life->closed);
        FUZZ_CHECK(throng_queued_bytes(server, conn, &queued) == 0 && queued <= 2048 + 512);
        conn_life_hears(life, data, size);
    }
}

void conn_write(uint32_t peer, uint32_t size)
{
    struct conn_life *life = conn_life_of_peer(peer);
    if (life == NULL || life->conn == 0) {
        return;
    }
    size %= CONN_MESSAGE_MAX + 3;
    write_to(life, conn_pattern(life->down_size * 5), size);
}

void conn_echo(uint32_t times)
{
    for (uint32_t i = 0; i < held_count; i++) {
        if (held[i].type == THRONG_EVENT_MESSAGE) {
            for (uint32_t time = 0; time <= times; time++) {
                write_to(life_of(&held[i]), held[i].data, held[i].size);
            }
            conn_release(i);
            return;
        }
    }
}

/* Whether the id is dead: CLOSED was taken and released. */
static bool is_stale(const struct conn_life *life)
{
    if (life->conn == 0 || !life->closed) {
        return false;
    }
    for (uint32_t i = 0; i < held_count; i++) {
        if (held[i].type == THRONG_EVENT_CLOSED && held[i].conn.id == life->conn) {
            return false;
        }
    }
    return true;
}

void conn_use_stale(uint32_t which, uint32_t call)
{
    struct throng_address address;
    void *user;
    size_t bytes;
    if (which >= conn_lives_count() || !is_stale(conn_life_at(which))) {
        return;
    }
    throng_conn conn = {conn_life_at(which)->conn};
    switch (call) {
    case 0:
        FUZZ_CHECK(throng_write_data(server, conn, "stale", 5) == THRONG_ESTALE);
        return;
    case 1:
        FUZZ_CHECK(throng_close(server, conn) == THRONG_ESTALE);
        FUZZ_CHECK(throng_abort(server, conn) == THRONG_ESTALE);
        return;
    case 2:
        FUZZ_CHECK(throng_set_user(server, conn, &address) == THRONG_ESTALE);
        FUZZ_CHECK(throng_get_user(server, conn, &user) == THRONG_ESTALE);
        return;
    default:
        FUZZ_CHECK(throng_peer_address(server, conn, &address) == THRONG_ESTALE);
        FUZZ_CHECK(throng_queued_bytes(server, conn, &bytes) == THRONG_ESTALE);
        return;
    }
}

void conn_close(uint32_t peer, bool abort)
{
    struct conn_life *life = conn_life_of_peer(peer);
    if (life == NULL || life->conn == 0) {
        return;
    }
    throng_conn conn = {life->conn};
    int result = abort ? throng_abort(server, conn) : throng_close(server, conn);
    FUZZ_CHECK(result == 0 || (result == THRONG_ECLOSING && !abort) ||
               (result == THRONG_ESTALE && life->closed));
    life->unheard = true;
}

/* ---- rest ---- */

bool conn_is_at_rest(void)
{
    /* throng_server_counters says so, too, but works all of them out. */
    return held_count == 0 && tg_net_open_sockets() == 1 &&
           atomic_load_explicit(&server->shared.slots_taken, memory_order_relaxed) == 0;
}

void conn_check_rest(void)
{
    struct throng_counters counters;
    throng_flush(server); /* the worker's last turn, */
    throng_flush(server); /* and what it gave back */
    throng_server_counters(server, &counters);
    const struct tg_worker *worker = &server->workers[0];
    FUZZ_CHECK(counters.events_unreleased == 0 && counters.connections == 0);
    FUZZ_CHECK(counters.accepted == counters.closed);
    FUZZ_CHECK(counters.send_units_free == counters.send_units_total);
    FUZZ_CHECK(counters.assembly_bytes_used == 0);
    /* One lies aside for pieces, and the port may fill one. */
    FUZZ_CHECK(tg_index_stack_count(&worker->recv_pool.free) + 2 >= worker->recv_pool.count);
    for (uint32_t i = 0; i < conn_lives_count(); i++) {
        FUZZ_CHECK(conn_life_at(i)->conn == 0 || conn_life_at(i)->closed);
    }
}
