/* SPDX-License-Identifier: MIT
 * What the server encodes, the client reads: the server's snapshot.c against the view of
 * tools/game, which was written from the layout. And what no server sends is refused. */
#include <string.h>

#include "check.h"
#include "guard.h"

#include "../../server/examples/game/snapshot.h"
#include "../../tools/game/view.h"

#define SIDE 10240u
#define PELLETS 200u

static struct game_state base;
static struct game_state now;
static struct view view;
static uint8_t message[GAME_SNAPSHOT_BYTES_MAX];

static bool is_same_state(const struct game_state *a, const struct game_state *b)
{
    bool is_same = a->tick == b->tick;
    for (uint32_t i = 0; i < GAME_PLAYERS_MAX; i++) {
        const struct game_player *p = &a->players[i];
        const struct game_player *q = &b->players[i];
        is_same = is_same && p->is_here == q->is_here && p->ack == q->ack && p->x == q->x &&
                  p->y == q->y && p->score == q->score && p->dx == q->dx && p->dy == q->dy;
    }
    for (uint32_t i = 0; i < GAME_PELLETS_MAX; i++) {
        is_same = is_same && a->pellets[i].x == b->pellets[i].x &&
                  a->pellets[i].y == b->pellets[i].y;
    }
    return is_same;
}

/* ---- worlds by chance ---- */

static uint64_t chance;

static uint32_t below(uint32_t count)
{
    chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((chance >> 32) * count >> 32);
}

static void invent_player(struct game_player *player)
{
    *player =
        (struct game_player){.ack = below(4) == 0 ? UINT32_MAX - below(300) : below(1000),
                             .x = (uint16_t)below(SIDE),
                             .y = (uint16_t)below(SIDE),
                             .score = (uint16_t)(below(4) == 0 ? 65535 - below(300) : below(9)),
                             .dx = (int8_t)((int)below(180) - 90),
                             .dy = (int8_t)((int)below(178) - 89),
                             .is_here = true};
}

/* A little of each field, up to and over what a step can say. */
static void nudge(struct game_player *player)
{
    if (below(2) == 0) {
        uint32_t x = player->x + below(261) - 130;
        player->x = (uint16_t)(x < SIDE ? x : player->x);
    }
    if (below(4) == 0) {
        player->dy = (int8_t)((int)below(178) - 89);
    }
    if (below(4) == 0) {
        player->score = (uint16_t)(player->score < 65000 ? player->score + below(258) : 65535);
    }
    if (below(2) == 0) {
        player->ack = player->ack < UINT32_MAX - 300 ? player->ack + below(258) : UINT32_MAX;
    }
}

/* The next state: some move a little, some are new, some leave. */
static void go_on(struct game_state *state, uint32_t players)
{
    state->tick += 1 + below(3);
    for (uint32_t i = 0; i < players; i++) {
        struct game_player *player = &state->players[i];
        uint32_t what = below(10);
        if (what == 0) {
            invent_player(player);
        } else if (what == 1) {
            *player = (struct game_player){0};
        } else if (player->is_here && what < 8) {
            nudge(player);
        }
    }
    for (uint32_t i = below(20); i > 0; i--) {
        state->pellets[below(PELLETS)] =
            (struct game_pellet){(uint16_t)below(SIDE), (uint16_t)below(SIDE)};
    }
}

static void random_worlds_arrive_as_they_were_sent(void **state)
{
    (void)state;
    chance = test_seed();
    struct test_guard guard;
    test_guard_open(&guard, GAME_SNAPSHOT_BYTES_MAX);
    for (uint32_t game = test_scaled(300); game > 0; game--) {
        uint32_t players = below(4) == 0 ? GAME_PLAYERS_MAX : below(50);
        memset(&now, 0, sizeof(now));
        view_init(&view, SIDE, PELLETS);
        for (uint32_t tick = 0; tick < 12; tick++) {
            base = now;
            go_on(&now, players);
            /* Now and then one that anybody can read, in between. */
            size_t size = snapshot_encode(below(5) == 0 ? NULL : &base, &now, message);
            assert_true(size <= GAME_SNAPSHOT_BYTES_MAX);
            const uint8_t *copy = test_guard_copy(&guard, message, size);
            assert_int_equal(view_apply(&view, copy, size), VIEW_APPLIED);
            assert_true(is_same_state(&view.state, &now));
        }
    }
    test_guard_close(&guard);
}

/* ---- sizes and bytes ---- */

static void the_longest_snapshot_has_exactly_the_longest_size(void **state)
{
    (void)state;
    memset(&now, 0, sizeof(now));
    now.tick = 1;
    for (uint32_t i = 0; i < GAME_PLAYERS_MAX; i++) {
        now.players[i].is_here = true;
    }
    for (uint32_t i = 0; i < GAME_PELLETS_MAX; i++) {
        now.pellets[i].x = 1;
    }
    assert_int_equal(snapshot_encode(NULL, &now, message), 14993);
    assert_int_equal(GAME_SNAPSHOT_BYTES_MAX, 14993);
}

/* The layout, byte by byte, as protocol.h draws it. */
static void a_snapshot_looks_as_the_protocol_says(void **state)
{
    (void)state;
    memset(&base, 0, sizeof(base));
    base.tick = 0x01020304;
    base.players[0] = (struct game_player){.ack = 9, .x = 100, .y = 100, .is_here = true};
    base.players[1] = base.players[0];
    base.players[9] = base.players[0];
    now = base;
    now.tick = 0x01020305;
    now.players[0].x = 98;
    now.players[0].y = 101;
    now.players[0].dx = -3;
    now.players[0].score = 2;
    now.players[0].ack = 10;
    now.players[1] = (struct game_player){0};
    now.players[9].x = 0x1234;
    now.pellets[5] = (struct game_pellet){7, 0x0908};
    uint32_t sum = game_checksum(&now);
    const uint8_t expected[] = {66,
                                5,
                                3,
                                2,
                                1,
                                4,
                                3,
                                2,
                                1, /* tick, base */
                                sum & 255,
                                sum >> 8 & 255,
                                sum >> 16 & 255,
                                (uint8_t)(sum >> 24),
                                10,
                                0,
                                0x03,
                                0x02, /* players 0, 1, 9 */
                                60,
                                0xfe,
                                1,
                                0xfd,
                                0,
                                2,
                                1, /* 0: a step */
                                2, /* 1: gone */
                                1,
                                9,
                                0,
                                0,
                                0,
                                0x34,
                                0x12,
                                100,
                                0,
                                0,
                                0,
                                0,
                                0, /* 9: too far */
                                1,
                                0,
                                5,
                                0,
                                7,
                                0,
                                8,
                                9};
    size_t size = snapshot_encode(&base, &now, message);
    assert_int_equal(size, sizeof(expected));
    assert_memory_equal(message, expected, sizeof(expected));
}

static void nothing_changed_is_a_short_message(void **state)
{
    (void)state;
    memset(&base, 0, sizeof(base));
    base.tick = 5;
    now = base;
    now.tick = 6;
    assert_int_equal(snapshot_encode(&base, &now, message), 17);
}

/* ---- gaps and lies ---- */

/* A view that has the state `base`, and in `message` the way from there to `now`; its size. */
static size_t prepare(void)
{
    chance = 11;
    memset(&base, 0, sizeof(base));
    for (int i = 0; i < 5; i++) {
        go_on(&base, 20);
    }
    view_init(&view, SIDE, PELLETS);
    size_t size = snapshot_encode(NULL, &base, message);
    assert_int_equal(view_apply(&view, message, size), VIEW_APPLIED);
    now = base;
    go_on(&now, 20);
    return snapshot_encode(&base, &now, message);
}

static void who_missed_a_snapshot_notices_and_a_whole_one_helps(void **state)
{
    (void)state;
    (void)prepare();
    struct game_state later = now;
    go_on(&later, 20);
    size_t size = snapshot_encode(&now, &later, message);
    assert_int_equal(view_apply(&view, message, size), VIEW_GAP);
    assert_false(view.is_synced);
    assert_true(is_same_state(&view.state, &base));
    size = snapshot_encode(NULL, &later, message);
    assert_int_equal(view_apply(&view, message, size), VIEW_APPLIED);
    assert_true(view.is_synced && is_same_state(&view.state, &later));
}

static void a_new_view_waits_for_a_whole_snapshot(void **state)
{
    (void)state;
    size_t size = prepare();
    view_init(&view, SIDE, PELLETS);
    assert_int_equal(view_apply(&view, message, size), VIEW_GAP);
    size = snapshot_encode(NULL, &now, message);
    assert_int_equal(view_apply(&view, message, size), VIEW_APPLIED);
}

static void a_snapshot_cut_anywhere_or_with_a_byte_more_is_bad(void **state)
{
    (void)state;
    struct test_guard guard;
    test_guard_open(&guard, GAME_SNAPSHOT_BYTES_MAX);
    size_t size = prepare();
    uint8_t bytes[GAME_SNAPSHOT_BYTES_MAX];
    for (size_t cut = 0; cut < size; cut++) {
        size = prepare();
        memcpy(bytes, message, size);
        const uint8_t *copy = test_guard_copy(&guard, bytes, cut);
        assert_int_equal(view_apply(&view, copy, cut), VIEW_BAD);
        assert_false(view.is_synced);
    }
    size = prepare();
    message[size] = 0;
    assert_int_equal(view_apply(&view, message, size + 1), VIEW_BAD);
}

static void a_damaged_byte_never_passes(void **state)
{
    (void)state;
    size_t size = prepare();
    for (size_t at = 0; at < size; at++) {
        size = prepare();
        message[at] ^= 0x10;
        assert_int_not_equal(view_apply(&view, message, size), VIEW_APPLIED);
    }
}

/* A snapshot of one player with this record, that the view must not take. The checksum is that of
 * what it would say, so it is not what saves us. */
static void refuse_record(const uint8_t *record, size_t size, bool is_here)
{
    memset(&base, 0, sizeof(base));
    base.tick = 1;
    base.players[0] = (struct game_player){
        .ack = UINT32_MAX - 1, .x = 1, .y = SIDE - 2, .score = 65534, .is_here = true};
    base.players[0] = is_here ? base.players[0] : (struct game_player){0};
    view_init(&view, SIDE, PELLETS);
    size_t whole = snapshot_encode(NULL, &base, message);
    assert_int_equal(view_apply(&view, message, whole), VIEW_APPLIED);
    uint8_t *at = message;
    *at++ = GAME_SNAPSHOT;
    at = game_put_u32(at, 2);
    at = game_put_u32(at, 1);
    at = game_put_u32(at, 0);
    at = game_put_u16(at, 1);
    *at++ = 1;
    memcpy(at, record, size);
    at = game_put_u16(at + size, 0);
    assert_int_equal(view_apply(&view, message, (size_t)(at - message)), VIEW_BAD);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[13];
        uint8_t size;
        bool is_here;
    } records[] = {
        {{0}, 1, true},                                          /* no record */
        {{64}, 1, true},                                         /* no such flag */
        {{GAME_GONE | GAME_MOVED, 0, 0}, 3, true},               /* gone stands alone */
        {{GAME_WHOLE | GAME_GONE}, 1, true},                     /* so does whole */
        {{GAME_GONE}, 1, false},                                 /* who? */
        {{GAME_ACKED, 1}, 2, false},                             /* who? */
        {{GAME_MOVED, 0xfe, 0}, 3, true},                        /* through a wall */
        {{GAME_MOVED, 0, 2}, 3, true},                           /* through another */
        {{GAME_TURNED, 127, 1}, 3, true},                        /* faster than allowed */
        {{GAME_SCORED, 2}, 2, true},                             /* more than its field holds */
        {{GAME_ACKED, 2}, 2, true},                              /* more than its field holds */
        {{GAME_WHOLE, 0, 0, 0, 0, 0, 0x28}, 13, false},          /* x is `side` */
        {{GAME_WHOLE, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 13, false}, /* y */
        {{GAME_WHOLE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128}, 13, false}, /* -128 is too fast */
    };
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        refuse_record(records[i].bytes, records[i].size, records[i].is_here);
    }
}

/* The end of a snapshot of nobody: bitmap and pellets. */
static void refuse_end(uint32_t slot_count, uint8_t bits, const uint8_t *pellets, size_t size)
{
    view_init(&view, SIDE, PELLETS);
    memset(message, 0, sizeof(message));
    message[0] = GAME_SNAPSHOT;
    message[1] = 1;
    uint8_t *at = game_put_u16(message + 13, slot_count);
    memset(at, bits, (slot_count + 7) / 8);
    at += (slot_count + 7) / 8;
    memcpy(at, pellets, size);
    assert_int_equal(view_apply(&view, message, (size_t)(at - message) + size), VIEW_BAD);
}

static void slots_and_pellets_that_there_are_not_are_refused(void **state)
{
    (void)state;
    static const uint8_t none[2] = {0};
    static const uint8_t high[] = {1, 0, PELLETS, 0, 1, 0, 1, 0};
    static const uint8_t twice[] = {2, 0, 3, 0, 1, 0, 1, 0, 3, 0, 1, 0, 1, 0};
    static const uint8_t outside[] = {1, 0, 3, 0, 1, 0, 0, 0x28};
    static const uint8_t many[] = {PELLETS + 1, 0};
    refuse_end(GAME_PLAYERS_MAX + 1, 0, none, 2);
    refuse_end(4, 0x10, none, 2);
    refuse_end(0, 0, high, sizeof(high));
    refuse_end(0, 0, twice, sizeof(twice));
    refuse_end(0, 0, outside, sizeof(outside));
    refuse_end(0, 0, many, sizeof(many));
}

static void a_base_lies_before_its_tick(void **state)
{
    (void)state;
    size_t size = prepare();
    (void)game_put_u32(message + 1, view.state.tick);
    assert_int_equal(view_apply(&view, message, size), VIEW_BAD);
}

static void a_wrong_checksum_is_told(void **state)
{
    (void)state;
    size_t size = prepare();
    message[9] ^= 1;
    assert_int_equal(view_apply(&view, message, size), VIEW_WRONG_SUM);
    assert_false(view.is_synced);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_worlds_arrive_as_they_were_sent),
        cmocka_unit_test(the_longest_snapshot_has_exactly_the_longest_size),
        cmocka_unit_test(a_snapshot_looks_as_the_protocol_says),
        cmocka_unit_test(nothing_changed_is_a_short_message),
        cmocka_unit_test(who_missed_a_snapshot_notices_and_a_whole_one_helps),
        cmocka_unit_test(a_new_view_waits_for_a_whole_snapshot),
        cmocka_unit_test(a_snapshot_cut_anywhere_or_with_a_byte_more_is_bad),
        cmocka_unit_test(a_damaged_byte_never_passes),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(slots_and_pellets_that_there_are_not_are_refused),
        cmocka_unit_test(a_base_lies_before_its_tick),
        cmocka_unit_test(a_wrong_checksum_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
