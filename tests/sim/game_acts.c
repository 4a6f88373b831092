/* SPDX-License-Identifier: MIT
 * What the game asks of the server, and what must come of it. */
#include "game.h"
#include "oracle.h"
#include "script.h"

struct game_conn *game_somebody(void)
{
    for (int tries = 0; tries < 4; tries++) {
        struct game_conn *conn = &game.conns[tg_sim_below(game.plan->server.max_connections)];
        if (conn->id.id != 0) {
            return conn;
        }
    }
    return NULL;
}

/* ---- writing ---- */

static void on_accepted(struct game_conn *conn, uint32_t size)
{
    size_t queued = 0;
    conn->life->down_accepted++;
    game.accepted++;
    game.accepted_bytes += 4 + (uint64_t)size;
    TG_SIM_RULE(throng_queued_bytes(game.server, conn->id, &queued) == 0, "no queue to look at");
    oracle_check_queue(queued);
}

void game_write(struct game_conn *conn)
{
    struct life *life = conn->life;
    uint32_t size = script_size(life->number, life->down_accepted, SCRIPT_DOWN);
    const uint8_t *payload = script_payload(life->number, life->down_accepted, SCRIPT_DOWN);
    bool as_null = size == 0 && tg_sim_below(2) == 0;
    int result = throng_write_data(game.server, conn->id, as_null ? NULL : payload, size);
    if (conn->is_gone) {
        TG_SIM_RULE(result == THRONG_ESTALE, "a write after CLOSED is not refused as stale");
        game.stale++;
    } else if (conn->is_closing || conn->is_aborting) {
        TG_SIM_RULE(result == THRONG_ECLOSING, "a write after our close is not refused");
    } else if (result == 0) {
        on_accepted(conn, size);
    } else {
        TG_SIM_RULE(result == THRONG_EAGAIN, "a write fails");
        game.refused++;
        oracle_check_refusal(conn, size);
    }
}

/* ---- closing ---- */

void game_close(struct game_conn *conn)
{
    int result = throng_close(game.server, conn->id);
    if (conn->is_gone) {
        TG_SIM_RULE(result == THRONG_ESTALE, "a close after CLOSED is not refused as stale");
        game.stale++;
    } else if (conn->is_closing || conn->is_aborting) {
        TG_SIM_RULE(result == THRONG_ECLOSING, "a second close is not refused");
    } else {
        TG_SIM_RULE(result == 0, "a close fails");
        conn->is_closing = true;
        conn->close_ns = tg_sim_now_ns();
        conn->close_turn = game.turn;
        conn->life->flags |= LIFE_GAME_CLOSE;
        game.has_closed = true;
    }
}

void game_abort(struct game_conn *conn)
{
    if (conn == NULL) {
        return;
    }
    int result = throng_abort(game.server, conn->id);
    if (conn->is_gone) {
        TG_SIM_RULE(result == THRONG_ESTALE, "an abort after CLOSED is not refused as stale");
        game.stale++;
    } else {
        TG_SIM_RULE(result == 0, "an abort fails");
        conn->close_turn = conn->is_closing || conn->is_aborting ? conn->close_turn : game.turn;
        conn->is_aborting = true;
        conn->life->flags |= LIFE_GAME_ABORT;
        game.has_closed = true;
    }
}

/* ---- mistakes ---- */

/* An id that is nobody's: of the past, made up, or out of the table. */
static throng_conn dead_id(void)
{
    throng_conn conn = {0};
    uint32_t pick = tg_sim_below(8);
    if (pick < 4 && game.past_count > 0) {
        uint32_t known = game.past_count < GAME_PAST_MAX ? game.past_count : GAME_PAST_MAX;
        return game.past[tg_sim_below(known)];
    }
    uint64_t slot = tg_sim_below(game.plan->server.max_connections);
    if (pick < 6) {
        conn.id = game.conns[slot].id.id ^ (UINT64_C(1) << (20 + tg_sim_below(40)));
    } else if (pick == 6) {
        conn.id = UINT64_C(77) << 20 | (game.plan->server.max_connections + tg_sim_below(1000));
    }
    return conn;
}

void game_use_dead_id(void)
{
    throng_conn conn = dead_id();
    if (game_conn_of(conn)->id.id == conn.id && conn.id != 0) {
        return; /* it is alive again by the chance of the made-up bits */
    }
    char byte = 1;
    char mark;
    void *user = &mark;
    size_t queued = 4711;
    struct throng_address address = {.port = 4711};
    struct throng_server *server = game.server;
    TG_SIM_RULE(throng_write_data(server, conn, &byte, 1) == THRONG_ESTALE, "write: a dead id");
    TG_SIM_RULE(throng_close(server, conn) == THRONG_ESTALE, "close: a dead id");
    TG_SIM_RULE(throng_abort(server, conn) == THRONG_ESTALE, "abort: a dead id");
    TG_SIM_RULE(throng_set_user(server, conn, &byte) == THRONG_ESTALE, "set_user: a dead id");
    TG_SIM_RULE(throng_get_user(server, conn, &user) == THRONG_ESTALE && user == &mark,
                "get_user: a dead id");
    TG_SIM_RULE(throng_peer_address(server, conn, &address) == THRONG_ESTALE &&
                    throng_local_address(server, conn, &address) == THRONG_ESTALE &&
                    address.port == 4711,
                "addresses: a dead id");
    TG_SIM_RULE(throng_queued_bytes(server, conn, &queued) == THRONG_ESTALE && queued == 4711,
                "queued_bytes: a dead id");
    game.stale += 8;
}

void game_use_gone(struct game_conn *conn)
{
    void *user = NULL;
    struct throng_address peer;
    game_write(conn);
    game_close(conn);
    game_abort(conn);
    TG_SIM_RULE(throng_get_user(game.server, conn->id, &user) == 0 && user == conn->user,
                "the user pointer goes before CLOSED is released");
    TG_SIM_RULE(throng_peer_address(game.server, conn->id, &peer) == 0 &&
                    (conn->life->kind >= PLAN_KIND_COUNT || ledger_find(&peer) == conn->life),
                "the address goes before CLOSED is released");
}

void game_misuse(struct game_conn *conn)
{
    static uint8_t byte;
    void *user = NULL;
    TG_SIM_RULE(throng_get_user(game.server, conn->id, &user) == 0 && user == conn->user,
                "the user pointer is another");
    if (!conn->is_gone && !conn->is_closing && !conn->is_aborting) {
        uint32_t size = game.plan->server.message_bytes_max + 1;
        TG_SIM_RULE(throng_write_data(game.server, conn->id, &byte, size) == THRONG_ETOOBIG,
                    "a message over the limit is not refused");
        TG_SIM_RULE(throng_write_data(game.server, conn->id, NULL, 1) == THRONG_EINVAL,
                    "no data of one byte is not refused");
    }
}
