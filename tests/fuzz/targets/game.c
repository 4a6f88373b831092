/* SPDX-License-Identifier: MIT
 * The game example: what the server reads of clients, and what clients read of the server.
 *
 *     byte 0    % 3: which of the three below; bit 7: on an empty view instead of one that knows players
 *     REQUEST   the rest is a message of a client, held against the layouts written down again
 *     HOSTILE   the rest is a snapshot behind its head: a view takes it or not, and never becomes a world
 *               that cannot be; what it took, the server can encode, and another view reads the same
 *     CHANGES   the rest is changes to a world: the server's delta takes a view from the one to the other */
#include <string.h>

#include "fuzz.h"

#include "../../../server/examples/game/request.h"
#include "../../../server/examples/game/snapshot.h"
#include "../../../tools/game/view.h"

#define SIDE 1000u
#define PELLETS 20u
#define INPUT_MAX 256u

/* Where each run begins: some players, some pellets. */
static struct view start;
static struct view view;
static struct view other;
static struct game_state now;
static uint8_t message[GAME_SNAPSHOT_BYTES_MAX];

static void prepare(void)
{
    view_init(&start, SIDE, PELLETS);
    start.state.tick = 1;
    for (uint32_t i = 0; i < 12; i += 3) {
        start.state.players[i] = (struct game_player){.ack = i * 200,
                                                      .x = (uint16_t)(i * 90),
                                                      .y = (uint16_t)(SIDE - 1 - i),
                                                      .score = (uint16_t)(65535 - i * 80),
                                                      .dx = (int8_t)i,
                                                      .dy = -90,
                                                      .is_here = true};
        start.state.pellets[i] = (struct game_pellet){(uint16_t)i, 999};
    }
    start.is_synced = true;
}

static bool is_same(const struct game_player *a, const struct game_player *b)
{
    return a->is_here == b->is_here && a->ack == b->ack && a->x == b->x && a->y == b->y &&
           a->score == b->score && a->dx == b->dx && a->dy == b->dy;
}

static void check_same(const struct game_state *a, const struct game_state *b)
{
    FUZZ_CHECK(a->tick == b->tick);
    for (uint32_t i = 0; i < GAME_PLAYERS_MAX; i++) {
        FUZZ_CHECK(is_same(&a->players[i], &b->players[i]));
    }
    FUZZ_CHECK(memcmp(a->pellets, b->pellets, sizeof(a->pellets)) == 0);
}

/* ---- requests ---- */

static void check_request(const uint8_t *data, size_t size)
{
    struct request request = {0};
    bool is_join = size == 2 && data[0] == 1;
    bool is_input = size == 7 && data[0] == 2 && (data[1] | data[2] | data[3] | data[4]) != 0;
    bool is_resync = size == 1 && data[0] == 3;
    FUZZ_CHECK(request_read(&request, data, size) == (is_join || is_input || is_resync));
    if (is_join) {
        FUZZ_CHECK(request.kind == 1 && request.version == data[1]);
    }
    if (is_input) {
        uint64_t sequence = data[1] + data[2] * 256u + data[3] * 65536u + data[4] * 16777216ull;
        FUZZ_CHECK(request.kind == 2 && request.sequence == sequence);
        FUZZ_CHECK((uint8_t)request.dx == data[5] && (uint8_t)request.dy == data[6]);
    }
}

/* ---- snapshots of a liar ---- */

static void check_world(const struct game_state *state)
{
    for (uint32_t i = 0; i < GAME_PLAYERS_MAX; i++) {
        const struct game_player *player = &state->players[i];
        FUZZ_CHECK(player->x < SIDE && player->y < SIDE);
        FUZZ_CHECK(player->dx * player->dx + player->dy * player->dy <= 127 * 127);
        FUZZ_CHECK(player->is_here || is_same(player, &(struct game_player){0}));
    }
    for (uint32_t i = 0; i < GAME_PELLETS_MAX; i++) {
        FUZZ_CHECK(state->pellets[i].x < SIDE && state->pellets[i].y < SIDE);
        FUZZ_CHECK(i < PELLETS || (state->pellets[i].x | state->pellets[i].y) == 0);
    }
}

static void check_hostile(const uint8_t *data, size_t size, bool on_empty)
{
    uint8_t *at = game_put_u8(message, GAME_SNAPSHOT);
    at = game_put_u32(at, 2);
    at = game_put_u32(at, on_empty ? 0 : 1);
    uint8_t *sum_at = at;
    at = game_put_u32(at, 0);
    memcpy(at, data, size);
    size_t message_size = (size_t)(at - message) + size;
    view = start;
    if (view_apply(&view, message, message_size) == VIEW_BAD) {
        FUZZ_CHECK(!view.is_synced);
        return;
    }
    /* Only the sum was wrong. With the right one it is taken. */
    (void)game_put_u32(sum_at, game_checksum(&view.state));
    view = start;
    FUZZ_CHECK(view_apply(&view, message, message_size) == VIEW_APPLIED);
    check_world(&view.state);
    size_t whole = snapshot_encode(NULL, &view.state, message);
    FUZZ_CHECK(view_apply(&other, message, whole) == VIEW_APPLIED);
    check_same(&view.state, &other.state);
}

/* ---- changes of a world ---- */

/* One field of one player, or all of him, or a pellet. */
static void change(struct fuzz_script *script)
{
    uint32_t what = fuzz_byte(script);
    uint32_t slot = fuzz_byte(script) % 128 * (what & 128 ? 8 : 1);
    struct game_player *player = &now.players[slot];
    uint32_t value = fuzz_byte(script);
    switch (what % 8) {
    case 0:
        *player = (struct game_player){.ack = value * value * value, .x = 1, .is_here = true};
        break;
    case 1:
        *player = (struct game_player){0};
        break;
    case 2:
        player->x = (uint16_t)(player->is_here ? value * 3 : 0);
        break;
    case 3:
        player->y = (uint16_t)(player->is_here ? (player->y + value) % SIDE : 0);
        break;
    case 4:
        player->dy = (int8_t)(player->is_here ? (int32_t)value / 3 : 0);
        break;
    case 5:
        player->score = (uint16_t)(player->is_here ? player->score + 2 * value : 0);
        break;
    case 6:
        player->ack = player->is_here ? player->ack + 2 * value : 0;
        break;
    default:
        now.pellets[slot % PELLETS].y = (uint16_t)(value * 3);
        break;
    }
}

static void check_changes(struct fuzz_script *script, bool on_empty)
{
    now = start.state;
    now.tick += 1 + fuzz_byte(script);
    while (!fuzz_is_over(script)) {
        change(script);
    }
    size_t size = snapshot_encode(on_empty ? NULL : &start.state, &now, message);
    FUZZ_CHECK(size <= GAME_SNAPSHOT_BYTES_MAX);
    view = start;
    FUZZ_CHECK(view_apply(&view, message, size) == VIEW_APPLIED);
    check_same(&view.state, &now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_MAX) {
        return 0;
    }
    if (start.side == 0) {
        prepare();
        view_init(&other, SIDE, PELLETS);
    }
    struct fuzz_script script = fuzz_script_open(data, size);
    uint32_t mode = fuzz_byte(&script);
    if (mode % 128 % 3 == 0) {
        check_request(script.at, fuzz_left(&script));
    } else if (mode % 128 % 3 == 1) {
        check_hostile(script.at, fuzz_left(&script), mode & 128);
    } else {
        check_changes(&script, mode & 128);
    }
    return 0;
}
