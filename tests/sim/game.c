/* SPDX-License-Identifier: MIT
 * The game's loop and its look at each event. */
#include "game.h"

#include <string.h>

#include "game_room.h"
#include "game_time.h"
#include "oracle.h"
#include "poster.h"
#include "script.h"
#include "watch.h"

struct game_world game;

void game_begin(const struct plan *plan)
{
    TG_REQUIRE(plan->server.max_connections <= GAME_CONNS_MAX);
    memset(&game, 0, sizeof game);
    game.plan = plan;
}

void game_serve(struct throng_server *server)
{
    const struct plan *plan = game.plan;
    uint32_t past_count = game.past_count;
    throng_conn past[GAME_PAST_MAX];
    memcpy(past, game.past, sizeof past);
    uint64_t missed = game.missed_before + game.dropped;
    memset(&game, 0, sizeof game);
    game.missed_before = missed;
    game.plan = plan;
    game.server = server;
    /* Ids of an earlier server are as dead as any. */
    memcpy(game.past, past, sizeof past);
    game.past_count = past_count;
    game_time_begin(plan, server);
    game_room_begin(plan, server);
    watch_serve();
}

void game_forget(void)
{
    for (uint32_t i = 0; i < game.plan->server.max_connections; i++) {
        struct game_conn *conn = &game.conns[i];
        if (conn->id.id != 0) {
            conn->life->flags |= conn->has_closed ? 0 : (uint32_t)LIFE_STOPPED;
            ledger_game_done(conn->life);
        }
    }
    game.server = NULL;
}

/* ---- giving back ---- */

static void on_closed_released(struct game_conn *conn)
{
    struct life *life = conn->life;
    game.past[game.past_count++ % GAME_PAST_MAX] = conn->id;
    game_set_refused(conn, false);
    game_room_gone(conn->id);
    conn->id.id = 0;
    conn->life = NULL;
    ledger_game_done(life);
}

static bool has_no_connection(const struct throng_event *event)
{
    return event->type >= THRONG_EVENT_TIMER && event->type <= THRONG_EVENT_POSTED;
}

static void count_release(const struct throng_event *event)
{
    if (has_no_connection(event)) {
        game_time_release();
    } else if (event->type == THRONG_EVENT_WRITABLE) {
        game.writables_out--;
    } else {
        game.out[event->private_worker]--;
    }
}

static void release(struct throng_event *event, uint32_t message)
{
    struct game_conn *conn = game_conn_of(event->conn);
    struct throng_event copy = *event;
    if (event->type == THRONG_EVENT_MESSAGE) {
        /* The slot cannot have another owner while a message of it is held. */
        TG_SIM_RULE(conn->life == NULL || conn->life->id == event->conn.id ||
                        conn->id.id != event->conn.id,
                    "a slot was given away while a message of it was held");
        if (conn->id.id == event->conn.id) {
            TG_REQUIRE(conn->life != NULL); /* it has an id */
            TG_SIM_RULE(script_is(conn->life->number, message, SCRIPT_UP, event->data, event->size),
                        "a message's bytes have changed before its release");
            if (!conn->is_gone) {
                conn->life->down_promised = conn->life->down_accepted;
            }
        }
    }
    count_release(event);
    throng_release_event(game.server, event);
    TG_SIM_RULE(event->type == 0, "a released event still looks like one");
    if (copy.type == THRONG_EVENT_CLOSED) {
        on_closed_released(conn);
    }
}

static void release_held(uint32_t at)
{
    struct game_held held = game.held[at];
    game.held[at] = game.held[--game.held_count];
    release(&held.event, held.message);
}

void game_release_all(void)
{
    while (game.held_count > 0) {
        release_held(tg_sim_below(game.held_count));
    }
}

static void hold_or_release(struct throng_event *event, uint32_t message)
{
    bool holds = !game.is_ending && game.held_count < game.plan->hold &&
                 game_chance(game.plan->hold_parts);
    if (holds) {
        game.held[game.held_count++] = (struct game_held){*event, message};
    } else {
        release(event, message);
    }
}

/* ---- events ---- */

/* `is_gone`: its CLOSED was taken together with it. */
static void on_open(const struct throng_event *event, bool is_gone)
{
    struct game_conn *conn = game_conn_of(event->conn);
    struct throng_address peer;
    struct throng_address local;
    TG_SIM_RULE((event->conn.id & 0xfffffu) < game.plan->server.max_connections,
                "an id names a slot that does not exist");
    TG_SIM_RULE(conn->id.id == 0, "a slot was given anew before its CLOSED was released");
    TG_SIM_RULE(event->user == NULL, "a new connection has a user pointer");
    oracle_note_id(event->conn.id);
    TG_SIM_RULE(throng_peer_address(game.server, event->conn, &peer) == 0 &&
                    throng_local_address(game.server, event->conn, &local) == 0,
                "an open connection has no addresses");
    struct life *life = ledger_find(&peer);
    TG_SIM_RULE(life != NULL && (life->flags & LIFE_OPEN) == 0,
                "OPEN names a peer that is not there, or again");
    TG_SIM_RULE(local.port == 7000 + event->listener, "OPEN names the wrong listener");
    *conn = (struct game_conn){.id = event->conn,
                               .life = life,
                               .is_gone = is_gone,
                               .policy = (uint8_t)game.plan->server.when_send_full};
    if (conn->policy == THRONG_WHEN_SEND_FULL_DROP_OLDEST) {
        life->flags |= LIFE_GAME_DROP;
    }
    if (conn->policy == THRONG_WHEN_SEND_FULL_CLOSE) {
        life->flags |= LIFE_GAME_MAY_CUT;
    }
    life->flags |= LIFE_OPEN | (game.is_draining ? (uint32_t)LIFE_DRAIN : 0);
    life->id = event->conn.id;
    life->listener = (uint8_t)event->listener;
    ledger_sums.opened++;
    game.opened++;
    game.open++;
    if (tg_sim_below(4) != 0) {
        conn->user = life;
        conn->user_turn = game.turn;
        TG_SIM_RULE(throng_set_user(game.server, event->conn, life) == 0, "no user pointer");
    }
    if (game_chance(game.plan->greet_parts)) {
        game_write(conn);
    }
}

static void on_message(const struct throng_event *event)
{
    struct game_conn *conn = game_conn_of(event->conn);
    struct life *life = conn->life;
    TG_SIM_RULE((!conn->is_closing && !conn->is_aborting) || conn->close_turn == game.turn,
                "a MESSAGE after our close");
    TG_SIM_RULE(script_is(life->number, life->up_taken, SCRIPT_UP, event->data, event->size),
                "a MESSAGE is not what was sent, or out of order");
    life->up_taken++;
    TG_SIM_RULE(life->up_taken <= life->up_sent, "a MESSAGE came that was not sent whole");
    game.taken++;
    uint32_t answers = tg_sim_below(game.plan->answers + 1);
    while (answers-- > 0) {
        game_write(conn);
    }
}

/* A close ends with linger_ms; the game may come to hear of it later, because it holds events or
 * stands still: at worst at each of those that come before, which one that takes an event a turn,
 * and ticks between them, may have of every connection. Where time itself jumps, nothing is to be
 * said. */
static uint64_t longest_close_ns(void)
{
    const struct plan *plan = game.plan;
    if (plan->faults[TG_SIM_FAULT_clock_jump] != 0) {
        return UINT64_MAX / 2;
    }
    const uint64_t before = 4 * (uint64_t)plan->server.max_connections +
                            16 * (uint64_t)plan->server.events_max;
    const uint64_t stalls_ms = plan->stall_parts == 0 ? 0
                                                      : (4 + before * plan->stall_parts / 65536) *
                                                            (uint64_t)plan->stall_ms;
    return (plan->server.linger_ms + stalls_ms + 8000) * 1000000u;
}

static void on_closed(const struct throng_event *event)
{
    struct game_conn *conn = game_conn_of(event->conn);
    conn->has_closed = true;
    TG_SIM_RULE(conn->close_ns == 0 || tg_sim_now_ns() < conn->close_ns + longest_close_ns(),
                "a close has taken longer than linger_ms");
    game.closed++;
    game.closed_by[event->reason]++;
    game.open--;
    ledger_closed(conn->life, event->reason);
    if (game_chance(64)) {
        game_use_gone(conn);
    }
    if (game_chance(game.is_draining ? 192 : 32)) {
        posters_post_from_game(game.server); /* the last CLOSED of a drain may be this one */
    }
}

/* What may happen to a connection besides, whatever its event was. */
static void act_on(struct game_conn *conn)
{
    const struct plan *plan = game.plan;
    if (conn->id.id == 0 || game.is_ending) {
        return;
    }
    if (game_chance(plan->write_parts)) {
        struct game_conn *other = game_somebody();
        if (other != NULL) {
            game_write(other);
        }
    }
    if (game_chance(plan->close_parts)) {
        game_close(conn);
    }
    if (game_chance(plan->abort_parts)) {
        game_abort(tg_sim_below(2) == 0 ? conn : game_somebody());
    }
    if (game_chance(plan->stale_parts)) {
        game_use_dead_id();
        game_misuse(conn);
    }
    if (game_chance(plan->limit_parts)) {
        game_change_limits(conn);
    }
    game_room_act(conn);
    if (game_chance(plan->flush_parts)) {
        throng_flush(game.server);
    }
}

/* There is room again. Some try once more, some have forgotten what they wanted to say. Who tries
 * at once, before anybody else has written, is not refused again. */
static void on_writable(const struct throng_event *event, bool is_first)
{
    struct game_conn *conn = game_conn_of(event->conn);
    TG_SIM_RULE(event->data == NULL && event->size == 0 && event->reason == 0,
                "a WRITABLE has what only others have");
    if (game_chance(game.plan->retry_parts)) {
        bool may_write = !conn->is_gone && !conn->is_closing && !conn->is_aborting;
        uint64_t accepted = game.accepted;
        game_write(conn);
        TG_SIM_RULE(!is_first || !may_write || game.accepted > accepted,
                    "a write is refused though WRITABLE has come for it");
    }
}

/* A connection is gone for the server as soon as its CLOSED was taken, also if the game comes to it
 * later in its turn. */
static bool closes_later(const struct throng_event *events, int from, int count, throng_conn conn)
{
    for (int i = from; i < count; i++) {
        if (events[i].type == THRONG_EVENT_CLOSED && events[i].conn.id == conn.id) {
            return true;
        }
    }
    return false;
}

static bool is_right_user(const struct game_conn *conn, const struct throng_event *event)
{
    return event->user == conn->user || (event->user == NULL && conn->user_turn == game.turn);
}

/* Something is due, or was posted: a game thinks of somebody then. What it is was judged when it
 * was taken. */
static void on_unconnected(struct throng_event *event)
{
    struct game_conn *conn = game_somebody();
    tg_sim_note(TG_SIM_NOTE_game, event->number, (int64_t)event->type);
    if (conn != NULL && !game.is_ending && game_chance(game.plan->write_parts)) {
        game_write(conn);
    }
    hold_or_release(event, 0);
}

static void handle(struct throng_event *events, int at, int count)
{
    struct throng_event *event = &events[at];
    if (has_no_connection(event)) {
        on_unconnected(event);
        return;
    }
    struct game_conn *conn = game_conn_of(event->conn);
    uint32_t message = 0;
    if (event->type == THRONG_EVENT_OPEN) {
        on_open(event, closes_later(events, at, count, event->conn));
    } else {
        TG_SIM_RULE(conn->id.id == event->conn.id, "an event of a connection that is not open");
        TG_SIM_RULE(!conn->has_closed, "an event after CLOSED");
        TG_SIM_RULE(is_right_user(conn, event), "the user pointer is not the connection's");
        message = conn->life->up_taken;
        switch ((enum throng_event_type)event->type) {
        case THRONG_EVENT_MESSAGE:
            on_message(event);
            break;
        case THRONG_EVENT_WRITABLE:
            on_writable(event,
                        count == 1); /* an OPEN beside it makes the shares of the reserve smaller */
            break;
        case THRONG_EVENT_CLOSED:
            on_closed(event);
            break;
        case THRONG_EVENT_OPEN:
        case THRONG_EVENT_TIMER:
        case THRONG_EVENT_TICK:
        case THRONG_EVENT_POSTED:
            break;
        }
    }
    tg_sim_note(TG_SIM_NOTE_game, conn->life->number, (int64_t)event->type);
    act_on(conn);
    hold_or_release(event, message);
}

/* ---- the loop ---- */

static void act(void)
{
    const struct plan *plan = game.plan;
    game_time_act();
    if (plan->fed_bytes > 0) {
        game_feed();
    }
    uint32_t back = tg_sim_below(4) == 0 ? tg_sim_below(game.held_count + 1) : game.held_count > 0;
    while (back-- > 0) {
        release_held(tg_sim_below(game.held_count));
    }
    if (plan->stall_parts > 0 && tg_sim_below(65536) < plan->stall_parts) {
        uint64_t stall_ns = tg_sim_random() % (1 + (uint64_t)plan->stall_ms * 1000000u);
        bool is_noticed = oracle_begin_stall(stall_ns);
        tg_sim_thread_stand(stall_ns);
        oracle_end_stall(is_noticed);
    }
}

/* As it was when the event was made: nothing was written since. */
static void take_writable(struct game_conn *conn, throng_conn id)
{
    TG_SIM_RULE(conn->id.id == id.id && !conn->is_gone, "a WRITABLE without a connection");
    TG_SIM_RULE(conn->is_refused, "a WRITABLE without a refusal, or a second one");
    TG_SIM_RULE(!conn->is_closing && !conn->is_aborting, "a WRITABLE after our close");
    oracle_check_writable(conn);
    game_set_refused(conn, false);
    game.writables++;
    game.writables_out++;
}

/* The kinds of one batch come in this order. */
static uint32_t rank_of(const struct throng_event *event)
{
    static const uint8_t ranks[] = {
        [THRONG_EVENT_TICK] = 1,     [THRONG_EVENT_TIMER] = 2, [THRONG_EVENT_POSTED] = 3,
        [THRONG_EVENT_WRITABLE] = 4, [THRONG_EVENT_OPEN] = 5,  [THRONG_EVENT_MESSAGE] = 5,
        [THRONG_EVENT_CLOSED] = 5};
    TG_SIM_RULE(event->type >= THRONG_EVENT_OPEN && event->type <= THRONG_EVENT_POSTED,
                "an event of a type that does not exist");
    return ranks[event->type];
}

static void take_batch(const struct throng_event *events, int count)
{
    game.turn++;
    for (int i = 0; i < count; i++) {
        TG_SIM_RULE(i == 0 || rank_of(&events[i]) >= rank_of(&events[i - 1]),
                    "the kinds of events come in another order");
        if (has_no_connection(&events[i])) {
            game_time_take(&events[i]);
            continue;
        }
        struct game_conn *conn = game_conn_of(events[i].conn);
        if (events[i].type == THRONG_EVENT_WRITABLE) {
            take_writable(conn, events[i].conn);
            continue;
        }
        game.out[events[i].private_worker]++;
        if (events[i].type == THRONG_EVENT_CLOSED && conn->id.id == events[i].conn.id) {
            conn->is_gone = true;
            game_set_refused(conn, false);
        }
    }
}

int game_turn(int timeout_ms)
{
    struct throng_event events[GAME_TAKE_MAX];
    uint32_t take = game.plan->take == 1 ? 1 : 1 + tg_sim_below(game.plan->take);
    game.is_waiting = true;
    int count = throng_get_events(game.server, events, take, timeout_ms);
    game.is_waiting = false;
    TG_SIM_RULE(count >= 0 || (count == THRONG_ESTOPPED && game.is_draining),
                "throng_get_events fails");
    TG_SIM_RULE(count <= (int)take, "more events than asked for");
    TG_SIM_RULE(count != THRONG_ESTOPPED || posters_are_done(),
                "a drain ends while posts wait to be taken");
    take_batch(events, count);
    for (int i = 0; i < count; i++) {
        handle(events, i, count);
    }
    if (game.is_ending) {
        game_release_all();
    } else {
        act();
    }
    oracle_turn();
    return count;
}

void game_drain(uint32_t deadline_ms)
{
    for (uint32_t i = 0; i < game.plan->server.max_connections; i++) {
        if (game.conns[i].id.id != 0) {
            game.conns[i].life->flags |= LIFE_DRAIN;
        }
    }
    game.is_draining = true;
    throng_server_drain(game.server, deadline_ms);
}
