/* SPDX-License-Identifier: MIT
 * The game's handlers without a server: the functions of throng that they call are here, and hand
 * each message to a view, as tools/game has it. So what is rare in a real server (a refused
 * broadcast, a full queue) is said in a line. */
#include <string.h>

#include "check.h"

#include "../../server/examples/game/handlers.h"
#include "../../tools/game/view.h"

#define PEERS 4

/* A connection, and the client behind it. Connection id i is peer i - 1. */
struct peer {
    void *user;
    struct view view;
    uint32_t player;
    uint32_t welcomes;
    uint32_t wholes;
    uint32_t deltas;
    uint32_t unusable; /* snapshots that it could not apply */
    uint8_t refusal;
    bool is_member;
    bool is_gone;
    bool has_no_room; /* its queue is full */
};

static struct peer peers[PEERS];
static bool has_no_memory; /* a broadcast is refused */
static uint32_t rate_hz;
static struct game game;

static struct peer *peer_of(throng_conn conn)
{
    assert_in_range(conn.id, 1, PEERS);
    return &peers[conn.id - 1];
}

static void hear(struct peer *peer, const uint8_t *data, size_t size)
{
    if (data[0] == GAME_WELCOME) {
        assert_int_equal(size, GAME_WELCOME_BYTES);
        peer->welcomes++;
        peer->player = game_get_u16(data + 2);
        view_init(&peer->view, game_get_u16(data + 6), game_get_u16(data + 10));
    } else if (data[0] == GAME_REFUSED) {
        peer->refusal = data[1];
    } else if (view_apply(&peer->view, data, size) != VIEW_APPLIED) {
        peer->unusable++;
    } else if (game_get_u32(data + 5) == 0) {
        peer->wholes++;
    } else {
        peer->deltas++;
    }
}

/* ---- throng ---- */

int throng_get_user(struct throng_server *server, throng_conn conn, void **user)
{
    (void)server;
    *user = peer_of(conn)->user;
    return 0;
}

int throng_set_user(struct throng_server *server, throng_conn conn, void *user)
{
    (void)server;
    peer_of(conn)->user = user;
    return 0;
}

int throng_write_data(struct throng_server *server, throng_conn conn, const void *data, size_t size)
{
    (void)server;
    struct peer *peer = peer_of(conn);
    if (peer->is_gone) {
        return THRONG_ECLOSING;
    }
    if (peer->has_no_room) {
        return THRONG_EAGAIN;
    }
    hear(peer, data, size);
    return 0;
}

int throng_close(struct throng_server *server, throng_conn conn)
{
    (void)server;
    peer_of(conn)->is_gone = true;
    return 0;
}

int throng_abort(struct throng_server *server, throng_conn conn)
{
    return throng_close(server, conn);
}

int throng_room_create(struct throng_server *server, throng_room *room)
{
    (void)server;
    room->id = 1;
    return 0;
}

int throng_room_join(struct throng_server *server, throng_room room, throng_conn conn)
{
    (void)server;
    assert_int_equal(room.id, 1);
    peer_of(conn)->is_member = true;
    return 0;
}

int throng_room_broadcast(struct throng_server *server, throng_room room, const void *data,
                          size_t size, throng_conn except)
{
    (void)server;
    assert_int_equal(room.id, 1);
    assert_int_equal(except.id, 0);
    for (size_t i = 0; !has_no_memory && i < PEERS; i++) {
        if (peers[i].is_member && !peers[i].is_gone && !peers[i].has_no_room) {
            hear(&peers[i], data, size);
        }
    }
    return has_no_memory ? THRONG_EAGAIN : 0;
}

int throng_room_get_info(struct throng_server *server, throng_room room,
                         struct throng_room_info *info)
{
    (void)server;
    (void)room;
    (void)info;
    return 0;
}

int throng_tick(struct throng_server *server, uint32_t hz)
{
    (void)server;
    rate_hz = hz;
    return 0;
}

/* ---- what happens ---- */

static int open_game(void **state)
{
    (void)state;
    static const struct game_settings settings = {
        .rate_hz = 20, .side_units = 100, .pellet_count = 10, .seed = 3};
    memset(peers, 0, sizeof(peers));
    has_no_memory = false;
    assert_int_equal(game_open(&game, NULL, &settings), 0);
    assert_int_equal(rate_hz, 20);
    return 0;
}

static void say(uint32_t peer, const char *bytes, size_t size)
{
    struct throng_event event = {
        .type = THRONG_EVENT_MESSAGE, .conn = {peer + 1}, .data = bytes, .size = size};
    game_handle(&game, &event);
}

static void join(uint32_t peer)
{
    say(peer, "\1\1", 2);
    assert_int_equal(peers[peer].welcomes, 1);
}

static void leave(uint32_t peer)
{
    struct throng_event event = {.type = THRONG_EVENT_CLOSED, .conn = {peer + 1}};
    peers[peer].is_gone = true;
    game_handle(&game, &event);
}

static void tick(uint32_t missed)
{
    struct throng_event event = {.type = THRONG_EVENT_TICK, .missed = missed};
    game_handle(&game, &event);
}

/* The peer's world is the server's. */
static void assert_synced(uint32_t peer)
{
    assert_true(peers[peer].view.is_synced);
    assert_int_equal(peers[peer].view.state.tick, game.world.state.tick);
    assert_int_equal(game_checksum(&peers[peer].view.state), game_checksum(&game.world.state));
    assert_int_equal(peers[peer].unusable, 0);
}

static bool sees(uint32_t peer, uint32_t other)
{
    return peers[peer].view.state.players[peers[other].player].is_here;
}

static void a_newcomer_gets_a_whole_snapshot_with_the_next_tick_and_then_deltas(void **state)
{
    (void)state;
    join(0);
    assert_int_equal(peers[0].wholes, 0);
    tick(0);
    assert_int_equal(peers[0].wholes, 1);
    assert_int_equal(peers[0].deltas, 0);
    assert_true(sees(0, 0));
    join(1);
    tick(0);
    tick(0);
    assert_int_equal(peers[0].wholes, 1);
    assert_int_equal(peers[0].deltas, 2);
    assert_int_equal(peers[1].wholes, 1);
    assert_int_equal(peers[1].deltas, 1);
    assert_true(sees(0, 1) && sees(1, 0));
    assert_synced(0);
    assert_synced(1);
}

static void a_refused_broadcast_is_made_good_by_the_next_delta(void **state)
{
    (void)state;
    join(0);
    tick(0);
    has_no_memory = true;
    join(1); /* whose whole snapshot is what the others have seen, not what they have not */
    tick(0);
    tick(0);
    assert_int_equal(peers[0].deltas, 0);
    assert_int_equal(peers[1].wholes, 1);
    assert_int_equal(peers[1].view.state.tick, 1);
    assert_false(sees(1, 1));
    has_no_memory = false;
    tick(0);
    assert_int_equal(peers[0].deltas, 1);
    assert_int_equal(peers[1].deltas, 1);
    assert_true(sees(0, 1) && sees(1, 1));
    assert_synced(0);
    assert_synced(1);
    assert_int_equal(game.counts.broadcasts_refused, 2);
}

static void nobody_gets_a_state_before_there_was_one(void **state)
{
    (void)state;
    has_no_memory = true;
    join(0);
    tick(0);
    assert_int_equal(peers[0].wholes + peers[0].unusable, 0);
    has_no_memory = false;
    tick(0);
    assert_int_equal(peers[0].wholes, 1);
    assert_synced(0);
}

static void a_refused_whole_snapshot_comes_with_a_later_tick(void **state)
{
    (void)state;
    join(0);
    peers[0].has_no_room = true;
    tick(0);
    tick(0);
    assert_false(peers[0].is_member);
    peers[0].has_no_room = false;
    tick(0);
    assert_int_equal(peers[0].wholes, 1);
    tick(0);
    assert_int_equal(peers[0].deltas, 1);
    assert_synced(0);
}

static void who_missed_something_asks_and_gets_a_whole_one(void **state)
{
    (void)state;
    join(0);
    for (uint32_t i = 0; i < 20; i++) {
        tick(0);
    }
    peers[0].has_no_room = true;
    tick(0);
    peers[0].has_no_room = false;
    tick(0);
    assert_int_equal(peers[0].unusable, 1);
    assert_false(peers[0].view.is_synced);
    peers[0].unusable = 0;
    say(0, "\3", 1);
    tick(0); /* the delta, which is of no use; then the whole one */
    assert_int_equal(peers[0].unusable, 1);
    assert_int_equal(peers[0].wholes, 2);
    peers[0].unusable = 0;
    tick(0);
    assert_synced(0);
}

static void whole_snapshots_are_rationed(void **state)
{
    (void)state;
    join(0);
    for (uint32_t i = 0; i < 100; i++) {
        tick(0);
        say(0, "\3", 1);
    }
    assert_int_equal(peers[0].wholes, 10);
    assert_synced(0);
}

static void missed_ticks_are_made_up_to_a_limit(void **state)
{
    (void)state;
    join(0);
    tick(0);
    tick(2);
    assert_int_equal(game.world.state.tick, 4);
    assert_int_equal(peers[0].deltas, 1);
    tick(4);
    assert_int_equal(game.world.state.tick, 9);
    tick(1000);
    assert_int_equal(game.world.state.tick, 14);
    assert_int_equal(game.counts.ticks_caught_up, 10);
    assert_int_equal(game.counts.ticks_lost, 996);
    assert_synced(0);
}

static void an_input_leads_where_it_says_and_comes_back_acknowledged(void **state)
{
    (void)state;
    join(0);
    say(0, "\2\5\0\0\0\0\x7f", 7); /* in the batch of the JOIN */
    say(0, "\2\5\0\0\0\0\0", 7);
    say(0, "\2\6\0\0\0\x80\x80", 7);
    tick(0);
    const struct game_player *me = &peers[0].view.state.players[peers[0].player];
    assert_int_equal(me->ack, 6);
    assert_true(me->dx < 0 && me->dx == me->dy);
    assert_int_equal(game.counts.inputs[WORLD_TAKEN], 1);
    assert_int_equal(game.counts.inputs[WORLD_STALE], 1);
    assert_int_equal(game.counts.inputs[WORLD_SHORTENED], 1);
    assert_false(peers[0].is_gone);
}

static void who_leaves_is_gone_for_the_others(void **state)
{
    (void)state;
    join(0);
    join(1);
    tick(0);
    assert_true(sees(0, 1));
    leave(1);
    tick(0);
    assert_false(sees(0, 1));
    assert_synced(0);
    leave(2); /* who never joined */
    tick(0);
    assert_synced(0);
}

static void who_does_not_speak_the_protocol_has_to_go(void **state)
{
    (void)state;
    say(0, "\2\1\0\0\0\0\0", 7); /* before a JOIN */
    assert_true(peers[0].is_gone);
    say(1, "", 0);
    assert_true(peers[1].is_gone);
    join(2);
    say(2, "\1\1", 2); /* again */
    assert_true(peers[2].is_gone);
    assert_int_equal(game.counts.bad_messages, 3);
    say(3, "\1\2", 2); /* another version */
    assert_true(peers[3].is_gone);
    assert_int_equal(peers[3].refusal, GAME_REFUSED_VERSION);
}

static void a_full_game_takes_nobody(void **state)
{
    (void)state;
    while (world_join(&game.world) != WORLD_NO_PLAYER) {
        /* the field fills */
    }
    say(0, "\1\1", 2);
    assert_int_equal(peers[0].refusal, GAME_REFUSED_FULL);
    assert_true(peers[0].is_gone);
    world_leave(&game.world, 77);
    join(1);
    assert_int_equal(peers[1].player, 77);
}

static void no_tick_comes_after_the_end(void **state)
{
    (void)state;
    game_end(&game);
    assert_int_equal(rate_hz, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_newcomer_gets_a_whole_snapshot_with_the_next_tick_and_then_deltas,
                               open_game),
        cmocka_unit_test_setup(a_refused_broadcast_is_made_good_by_the_next_delta, open_game),
        cmocka_unit_test_setup(nobody_gets_a_state_before_there_was_one, open_game),
        cmocka_unit_test_setup(a_refused_whole_snapshot_comes_with_a_later_tick, open_game),
        cmocka_unit_test_setup(who_missed_something_asks_and_gets_a_whole_one, open_game),
        cmocka_unit_test_setup(whole_snapshots_are_rationed, open_game),
        cmocka_unit_test_setup(missed_ticks_are_made_up_to_a_limit, open_game),
        cmocka_unit_test_setup(an_input_leads_where_it_says_and_comes_back_acknowledged, open_game),
        cmocka_unit_test_setup(who_leaves_is_gone_for_the_others, open_game),
        cmocka_unit_test_setup(who_does_not_speak_the_protocol_has_to_go, open_game),
        cmocka_unit_test_setup(a_full_game_takes_nobody, open_game),
        cmocka_unit_test_setup(no_tick_comes_after_the_end, open_game),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
