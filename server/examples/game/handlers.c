/* SPDX-License-Identifier: MIT
 * See handlers.h. A function for each thing that can happen, in the order in which a player meets
 * them. */
#include "handlers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../program/clock.h"
#include "request.h"

/* 10 units a second. */
#define SPEED (10u * GAME_UNIT)

/* A late server makes at most so many ticks at once. What is beyond that is lost: the world is slow
 * for a moment, instead of ever busier with what it has missed. */
#define CATCH_UP_MAX 4u

/* Ticks between two whole snapshots to one player: a request of one byte has an answer of
 * thousands. */
#define WHOLE_SPACING 10u

static uint32_t player_of(const struct game *game, const struct session *session)
{
    return (uint32_t)(session - game->sessions);
}

/* The connection's session, NULL before its JOIN. Not event->user: a batch of events may hold a
 * JOIN and what follows it. */
static struct session *find_session(struct game *game, throng_conn conn)
{
    void *user = NULL;
    (void)throng_get_user(game->server, conn, &user);
    return user;
}

/* ---- messages ---- */

static void write_welcome(struct game *game, throng_conn conn, uint32_t player)
{
    const struct world_rules *rules = &game->world.rules;
    uint8_t bytes[GAME_WELCOME_BYTES];
    uint8_t *at = game_put_u8(bytes, GAME_WELCOME);
    at = game_put_u8(at, GAME_VERSION);
    at = game_put_u16(at, player);
    at = game_put_u16(at, game->settings.rate_hz);
    at = game_put_u16(at, rules->side);
    at = game_put_u16(at, rules->speed);
    (void)game_put_u16(at, rules->pellet_count);
    if (throng_write_data(game->server, conn, bytes, sizeof(bytes)) == THRONG_EAGAIN) {
        (void)throng_abort(game->server, conn); /* no send memory: it would wait in vain */
    }
}

static void turn_away(struct game *game, throng_conn conn, enum game_refusal reason)
{
    const uint8_t bytes[GAME_REFUSED_BYTES] = {GAME_REFUSED, (uint8_t)reason};
    (void)throng_write_data(game->server, conn, bytes, sizeof(bytes));
    (void)throng_close(game->server, conn);
    game->counts.turned_away++;
}

/* The newcomer hears nothing until the next tick: then a whole snapshot, and from there on
 * deltas. */
static void on_join(struct game *game, throng_conn conn, uint32_t version)
{
    if (version != GAME_VERSION) {
        turn_away(game, conn, GAME_REFUSED_VERSION);
        return;
    }
    uint32_t player = world_join(&game->world);
    if (player == WORLD_NO_PLAYER) {
        turn_away(game, conn, GAME_REFUSED_FULL);
        return;
    }
    struct session *session = &game->sessions[player];
    *session = (struct session){.conn = conn, .wants_whole = true};
    (void)throng_set_user(game->server, conn, session);
    write_welcome(game, conn, player);
    game->counts.joined++;
}

static void on_input(struct game *game, const struct session *session,
                     const struct request *request)
{
    enum world_verdict verdict = world_input(&game->world, player_of(game, session),
                                             request->sequence, request->dx, request->dy);
    game->counts.inputs[verdict]++;
}

/* Who cheats is counted and gains nothing; who does not even speak the language has to go. */
static void on_bad_message(struct game *game, throng_conn conn)
{
    game->counts.bad_messages++;
    (void)throng_abort(game->server, conn);
}

static void on_message(struct game *game, const struct throng_event *event)
{
    struct request request = {0};
    struct session *session = find_session(game, event->conn);
    if (!request_read(&request, event->data, event->size) ||
        (request.kind == GAME_JOIN) != (session == NULL)) {
        on_bad_message(game, event->conn);
    } else if (session == NULL) {
        on_join(game, event->conn, request.version);
    } else if (request.kind == GAME_INPUT) {
        on_input(game, session, &request);
    } else {
        session->wants_whole = true;
    }
}

static void on_closed(struct game *game, throng_conn conn)
{
    struct session *session = find_session(game, conn);
    if (session != NULL) {
        world_leave(&game->world, player_of(game, session));
        *session = (struct session){0};
    }
}

/* ---- ticks ---- */

static void step(struct game *game, uint32_t missed)
{
    uint32_t late = missed < CATCH_UP_MAX ? missed : CATCH_UP_MAX;
    game->counts.ticks++;
    game->counts.ticks_caught_up += late;
    game->counts.ticks_lost += missed - late;
    for (uint32_t i = 0; i <= late; i++) {
        world_step(&game->world);
    }
}

/* To all at once. If it is refused for want of memory nobody has got it, and the next delta begins
 * where this one would have. */
static void broadcast(struct game *game, size_t size)
{
    if (throng_room_broadcast(game->server, game->room, game->message, size, THRONG_NOBODY) < 0) {
        game->counts.broadcasts_refused++;
        return;
    }
    game->counts.delta_bytes += size;
    game->shown = game->world.state;
}

/* True unless there was no room for it now. */
static bool write_whole(struct game *game, struct session *session, size_t size)
{
    if (throng_write_data(game->server, session->conn, game->message, size) == THRONG_EAGAIN) {
        return false;
    }
    session->wants_whole = false;
    session->whole_at = game->shown.tick;
    game->counts.whole_snapshots++;
    if (!session->is_member) {
        int result = throng_room_join(game->server, game->room, session->conn);
        session->is_member = result == 0;
        if (result == THRONG_EAGAIN) {
            (void)throng_abort(game->server, session->conn); /* it would never hear of anything */
        }
    }
    return true;
}

/* The state that was last broadcast, whole, to newcomers and to those that have missed something;
 * encoded once for all of them. Whatever is broadcast next comes after it, and builds on it. */
static void write_wholes(struct game *game)
{
    size_t size = 0;
    for (uint32_t i = 0; game->shown.tick > 0 && i < GAME_PLAYERS_MAX; i++) {
        struct session *session = &game->sessions[i];
        if (!session->wants_whole ||
            (session->is_member && game->shown.tick - session->whole_at < WHOLE_SPACING)) {
            continue;
        }
        if (size == 0) {
            size = snapshot_encode(NULL, &game->shown, game->message);
        }
        (void)write_whole(game, session, size); /* refused: with a later tick */
    }
}

static void on_tick(struct game *game, uint32_t missed)
{
    struct game_counts *counts = &game->counts;
    uint64_t start_ns = program_clock_ns();
    step(game, missed);
    uint64_t stepped_ns = program_clock_ns();
    size_t size = snapshot_encode(&game->shown, &game->world.state, game->message);
    uint64_t encoded_ns = program_clock_ns();
    broadcast(game, size);
    write_wholes(game);
    uint64_t end_ns = program_clock_ns();
    counts->step_ns += stepped_ns - start_ns;
    counts->encode_ns += encoded_ns - stepped_ns;
    counts->send_ns += end_ns - encoded_ns;
    if (end_ns - start_ns > counts->tick_ns_max) {
        counts->tick_ns_max = end_ns - start_ns;
    }
}

/* ---- the game ---- */

int game_open(struct game *game, struct throng_server *server, const struct game_settings *settings)
{
    memset(game, 0, sizeof(*game));
    game->server = server;
    game->settings = *settings;
    struct world_rules rules = {.seed = settings->seed,
                                .side = settings->side_units * GAME_UNIT,
                                .speed = SPEED,
                                .rate_hz = settings->rate_hz,
                                .pellet_count = settings->pellet_count};
    world_init(&game->world, &rules);
    int result = throng_room_create(server, &game->room);
    return result < 0 ? result : throng_tick(server, settings->rate_hz);
}

void game_handle(struct game *game, const struct throng_event *event)
{
    switch (event->type) {
    case THRONG_EVENT_MESSAGE:
        on_message(game, event);
        break;
    case THRONG_EVENT_CLOSED:
        on_closed(game, event->conn);
        break;
    case THRONG_EVENT_TICK:
        on_tick(game, event->missed);
        break;
    default: /* OPEN: who does not join in time is sent away by throng; WRITABLE: see write_wholes */
        break;
    }
}

void game_end(struct game *game)
{
    (void)throng_tick(game->server, 0);
}

void game_report(const struct game *game)
{
    const struct game_counts *counts = &game->counts;
    struct throng_room_info info = {0};
    uint64_t ticks = counts->ticks > 0 ? counts->ticks : 1;
    (void)throng_room_get_info(game->server, game->room, &info);
    fprintf(stderr,
            "players: joined %" PRIu64 ", turned away %" PRIu64 ", inputs %" PRIu64
            ", shortened %" PRIu64 ", stale %" PRIu64 ", too many %" PRIu64
            ", bad messages %" PRIu64 "\n",
            counts->joined, counts->turned_away, counts->inputs[WORLD_TAKEN],
            counts->inputs[WORLD_SHORTENED], counts->inputs[WORLD_STALE],
            counts->inputs[WORLD_TOO_MANY], counts->bad_messages);
    fprintf(stderr,
            "snapshots: ticks %" PRIu64 ", caught up %" PRIu64 ", lost %" PRIu64
            ", bytes of a delta %" PRIu64 ", whole ones %" PRIu64 ", refused %" PRIu64
            ", dropped %" PRIu64 "\n",
            counts->ticks, counts->ticks_caught_up, counts->ticks_lost, counts->delta_bytes / ticks,
            counts->whole_snapshots, counts->broadcasts_refused, info.dropped);
    fprintf(stderr,
            "a tick: step %" PRIu64 " ns, encode %" PRIu64 " ns, send %" PRIu64
            " ns; the longest %" PRIu64 " ns\n",
            counts->step_ns / ticks, counts->encode_ns / ticks, counts->send_ns / ticks,
            counts->tick_ns_max);
}
