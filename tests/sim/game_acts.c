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

void game_set_refused(struct game_conn *conn, bool is_refused)
{
    game.waiting += (uint32_t)is_refused - (uint32_t)conn->is_refused;
    conn->is_refused = is_refused;
}

static void on_accepted(struct game_conn *conn, uint32_t size, const struct oracle_write *before)
{
    conn->life->down_accepted++;
    game.accepted++;
    game.accepted_bytes += 4 + (uint64_t)size;
    game_set_refused(conn, false);
    oracle_check_accepted(conn, size, before);
}

/* The policy is CLOSE, and there was no room. */
static void on_cut(struct game_conn *conn)
{
    TG_SIM_RULE(conn->policy == THRONG_WHEN_SEND_FULL_CLOSE, "a write closes, and may not");
    conn->is_aborting = true;
    conn->close_turn = game.turn;
    conn->life->flags |= LIFE_GAME_CUT;
    game_set_refused(conn, false);
    game.has_closed = true;
}

void game_write(struct game_conn *conn)
{
    struct life *life = conn->life;
    uint32_t size = script_size(life->number, life->down_accepted, SCRIPT_DOWN);
    const uint8_t *payload = script_payload(life->number, life->down_accepted, SCRIPT_DOWN);
    bool as_null = size == 0 && tg_sim_below(2) == 0;
    struct oracle_write before;
    oracle_note_write(conn, &before);
    int result = throng_write_data(game.server, conn->id, as_null ? NULL : payload, size);
    if (conn->is_gone) {
        TG_SIM_RULE(result == THRONG_ESTALE, "a write after CLOSED is not refused as stale");
        game.stale++;
    } else if (conn->is_closing || conn->is_aborting) {
        TG_SIM_RULE(result == THRONG_ECLOSING, "a write after our close is not refused");
    } else if (result == 0) {
        on_accepted(conn, size, &before);
    } else if (result == THRONG_ECLOSING) {
        on_cut(conn);
    } else {
        TG_SIM_RULE(result == THRONG_EAGAIN, "a write fails");
        game.refused++;
        game_set_refused(conn, true);
        oracle_check_refusal(conn, size);
    }
}

void game_feed(void)
{
    for (uint32_t i = 0; i < game.plan->server.max_connections; i++) {
        struct game_conn *conn = &game.conns[i];
        size_t queued = 0;
        if (conn->id.id != 0 && !conn->is_gone && !conn->is_closing && !conn->is_aborting &&
            throng_queued_bytes(game.server, conn->id, &queued) == 0 && queued > 0 &&
            queued < game.plan->fed_bytes) {
            game_write(conn);
        }
    }
}

/* ---- limits ---- */

static void change_policy(struct game_conn *conn)
{
    static const enum throng_when_send_full policies[] = {THRONG_WHEN_SEND_FULL_REFUSE,
                                                          THRONG_WHEN_SEND_FULL_CLOSE,
                                                          THRONG_WHEN_SEND_FULL_DROP_OLDEST};
    enum throng_when_send_full policy = policies[tg_sim_below(game.plan->is_numbered ? 3 : 2)];
    int result = throng_set_send_policy(game.server, conn->id, policy);
    TG_SIM_RULE(result == (conn->is_gone ? THRONG_ESTALE : 0), "a policy cannot be set");
    game.stale += conn->is_gone;
    if (result == 0) {
        conn->policy = (uint8_t)policy;
        conn->life->flags |= policy == THRONG_WHEN_SEND_FULL_DROP_OLDEST ? (uint32_t)LIFE_GAME_DROP
                             : policy == THRONG_WHEN_SEND_FULL_CLOSE ? (uint32_t)LIFE_GAME_MAY_CUT
                                                                     : 0;
    }
}

static void change_limit(struct game_conn *conn)
{
    size_t bytes = game.plan->server.send_queue_bytes_max;
    bytes = bytes * (1 + tg_sim_below(8)) + tg_sim_below(512);
    if (tg_sim_below(8) == 0) {
        bytes = tg_sim_below(2) == 0 ? game.plan->server.message_bytes_max + 3 : (SIZE_MAX >> 2);
    }
    bool is_wrong = bytes < game.plan->server.message_bytes_max + 4 || bytes > UINT32_MAX / 2 + 1;
    int result = throng_set_send_limit(game.server, conn->id, bytes);
    TG_SIM_RULE(result == (conn->is_gone ? THRONG_ESTALE
                           : is_wrong    ? THRONG_EINVAL
                                         : 0),
                "a limit cannot be set, or a wrong one can");
    game.stale += conn->is_gone;
}

void game_change_limits(struct game_conn *conn)
{
    if (tg_sim_below(2) == 0) {
        change_policy(conn);
    } else {
        change_limit(conn);
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
        game_set_refused(conn, false);
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
        game_set_refused(conn, false);
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
    TG_SIM_RULE(throng_set_send_limit(server, conn, 1 << 20) == THRONG_ESTALE, "limit: a dead id");
    TG_SIM_RULE(throng_set_send_policy(server, conn, THRONG_WHEN_SEND_FULL_CLOSE) == THRONG_ESTALE,
                "policy: a dead id");
    game.stale += 10;
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
