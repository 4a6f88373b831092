/* SPDX-License-Identifier: MIT
 * The game's world: the same calls make the same world, and nothing that a client says breaks its
 * rules. */
#include "check.h"

#include "../../server/examples/game/world.h"

#define SIDE 4096
/* 8 a tick. */
#define RATE 20
#define SPEED 160

static struct world world;
static const struct world_rules rules = {
    .seed = 7, .side = SIDE, .speed = SPEED, .rate_hz = RATE, .pellet_count = 50};
static const struct world_rules bare = {.seed = 7, .side = SIDE, .speed = SPEED, .rate_hz = RATE};

static struct game_player *player_of(uint32_t player)
{
    return &world.state.players[player];
}

/* A player alone at x, y, who has said nothing yet. */
static uint32_t put_at(uint16_t x, uint16_t y)
{
    world_init(&world, &bare);
    uint32_t player = world_join(&world);
    player_of(player)->x = x;
    player_of(player)->y = y;
    return player;
}

/* Ten players for 500 ticks; they turn, leave and come back by a fixed rule. */
static uint32_t play(uint32_t seed)
{
    struct world_rules seeded = rules;
    seeded.seed = seed;
    world_init(&world, &seeded);
    uint32_t players[10];
    for (uint32_t i = 0; i < 10; i++) {
        players[i] = world_join(&world);
    }
    for (uint32_t tick = 1; tick <= 500; tick++) {
        for (uint32_t i = 0; i < 10; i++) {
            (void)world_input(&world, players[i], player_of(players[i])->ack + 1,
                              (int8_t)(tick * (i + 3) % 255 - 127), (int8_t)(tick * i % 200 - 100));
        }
        if (tick % 50 == 0) {
            world_leave(&world, players[tick / 50 - 1]);
            players[tick / 50 - 1] = world_join(&world);
        }
        world_step(&world);
    }
    return game_checksum(&world.state);
}

static void the_same_calls_make_the_same_world_everywhere(void **state)
{
    (void)state;
    uint32_t sum = play(7);
    assert_int_equal(sum, play(7));
    assert_int_not_equal(sum, play(8));
    /* On every machine, with every compiler: a change of this number is a change of the game. */
    assert_int_equal(sum, 0x66e2d97u);
    assert_int_equal(world.state.tick, 500);
}

static void a_player_goes_where_it_says_at_full_speed_and_no_faster(void **state)
{
    (void)state;
    uint32_t player = put_at(1000, 2000);
    assert_int_equal(world_input(&world, player, 1, 127, 0), WORLD_TAKEN);
    world_step(&world);
    assert_int_equal(player_of(player)->x, 1000 + 8);
    assert_int_equal(player_of(player)->y, 2000);
    world_step(&world);
    assert_int_equal(player_of(player)->x, 1000 + 16);
    assert_int_equal(world_input(&world, player, 2, 0, 0), WORLD_TAKEN);
    world_step(&world);
    assert_int_equal(player_of(player)->x, 1000 + 16);
}

/* What is rounded away in one tick comes back in another, at every rate: nobody stands still, or is
 * slower, for being told in small steps. */
static void a_second_is_as_long_at_every_rate(void **state)
{
    (void)state;
    static const uint32_t rates[] = {1, 7, 20, 100};
    for (size_t i = 0; i < 4; i++) {
        struct world_rules rated = bare;
        rated.rate_hz = rates[i];
        world_init(&world, &rated);
        uint32_t player = world_join(&world);
        player_of(player)->x = 1000;
        player_of(player)->y = 1000;
        assert_int_equal(world_input(&world, player, 1, 66, -15), WORLD_TAKEN);
        for (uint32_t tick = 0; tick < 2 * rates[i]; tick++) {
            world_step(&world);
        }
        /* 160 * 66 / 127 * 2 is 166.3; 160 * -15 / 127 * 2 is -37.8, rounded down. */
        assert_int_equal(player_of(player)->x, 1166);
        assert_int_equal(player_of(player)->y, 1000 - 38);
    }
}

static void no_direction_is_longer_than_full_speed(void **state)
{
    (void)state;
    uint32_t player = put_at(1000, 1000);
    uint32_t sequence = 0;
    for (int dx = -128; dx <= 127; dx++) {
        for (int dy = -128; dy <= 127; dy++) {
            enum world_verdict verdict =
                world_input(&world, player, ++sequence, (int8_t)dx, (int8_t)dy);
            bool is_long = dx * dx + dy * dy > 127 * 127;
            const struct game_player *who = player_of(player);
            int square = who->dx * who->dx + who->dy * who->dy;
            assert_int_equal(verdict, is_long ? WORLD_SHORTENED : WORLD_TAKEN);
            assert_true(square <= 127 * 127);
            /* Shortened, but hardly shorter than allowed, and not turned round. */
            assert_true(is_long ? square >= 124 * 124 : who->dx == dx && who->dy == dy);
            assert_true(who->dx * dx >= 0 && who->dy * dy >= 0);
            world.input_counts[player] = 0;
        }
    }
    assert_int_equal(world_input(&world, player, ++sequence, -128, 0), WORLD_SHORTENED);
    assert_int_equal(player_of(player)->dx, -127);
}

static void the_walls_hold(void **state)
{
    (void)state;
    static const int8_t directions[][2] = {{-127, 0}, {127, 0}, {0, -127}, {0, 127}, {-90, 89}};
    static const uint16_t ends[][2] = {{0, 3}, {SIDE - 1, 3}, {3, 0}, {3, SIDE - 1}, {0, SIDE - 1}};
    for (size_t i = 0; i < 5; i++) {
        uint32_t player = put_at(3, 3);
        (void)world_input(&world, player, 1, directions[i][0], directions[i][1]);
        for (uint32_t tick = 0; tick < 2 * SIDE / 8; tick++) {
            world_step(&world);
        }
        assert_int_equal(player_of(player)->x, ends[i][0]);
        assert_int_equal(player_of(player)->y, ends[i][1]);
    }
}

static void an_input_counts_once_and_in_order(void **state)
{
    (void)state;
    uint32_t player = put_at(1000, 1000);
    assert_int_equal(world_input(&world, player, 5, 10, 0), WORLD_TAKEN);
    assert_int_equal(world_input(&world, player, 5, 20, 0), WORLD_STALE);
    assert_int_equal(world_input(&world, player, 4, 30, 0), WORLD_STALE);
    assert_int_equal(player_of(player)->ack, 5);
    assert_int_equal(player_of(player)->dx, 10);
    assert_int_equal(world_input(&world, player, UINT32_MAX, 40, 0), WORLD_TAKEN);
    assert_int_equal(world_input(&world, player, 1, 50, 0), WORLD_STALE);
    assert_int_equal(player_of(player)->dx, 40);
}

static void more_inputs_make_nobody_faster_and_the_fifth_is_refused(void **state)
{
    (void)state;
    uint32_t player = put_at(1000, 1000);
    uint32_t other = world_join(&world);
    for (uint32_t i = 1; i <= GAME_INPUTS_PER_TICK; i++) {
        assert_int_equal(world_input(&world, player, i, 127, 0), WORLD_TAKEN);
    }
    assert_int_equal(world_input(&world, player, 5, -127, 0), WORLD_TOO_MANY);
    assert_int_equal(world_input(&world, other, 1, -127, 0), WORLD_TAKEN);
    world_step(&world);
    assert_int_equal(player_of(player)->x, 1000 + 8);
    assert_int_equal(player_of(player)->ack, 4);
    assert_int_equal(world_input(&world, player, 5, -127, 0), WORLD_TAKEN);
}

static void a_pellet_is_collected_in_reach_and_comes_up_elsewhere(void **state)
{
    (void)state;
    struct world_rules one = bare;
    one.pellet_count = 1;
    /* How far, and whether that is near enough. */
    static const struct {
        int x, y;
        bool is_near;
    } places[] = {{24, 24, true}, {-24, -24, true}, {25, 0, false}, {0, -25, false}};
    for (size_t i = 0; i < 4; i++) {
        world_init(&world, &one);
        uint32_t player = world_join(&world);
        world.state.pellets[0] = (struct game_pellet){2000, 2000};
        player_of(player)->x = (uint16_t)(2000 + places[i].x);
        player_of(player)->y = (uint16_t)(2000 + places[i].y);
        world_step(&world);
        assert_int_equal(player_of(player)->score, places[i].is_near ? 1 : 0);
        assert_int_equal(world.state.pellets[0].x == 2000, !places[i].is_near);
        assert_true(world.state.pellets[0].x < SIDE && world.state.pellets[0].y < SIDE);
    }
}

static void a_score_stops_at_what_its_field_holds(void **state)
{
    (void)state;
    struct world_rules one = bare;
    one.pellet_count = 1;
    world_init(&world, &one);
    uint32_t player = world_join(&world);
    for (int i = 0; i < 3; i++) {
        player_of(player)->score = i == 0 ? UINT16_MAX - 1 : player_of(player)->score;
        world.state.pellets[0] = (struct game_pellet){player_of(player)->x, player_of(player)->y};
        world_step(&world);
        assert_int_equal(player_of(player)->score, UINT16_MAX);
    }
}

static void everybody_has_a_place_until_there_is_none(void **state)
{
    (void)state;
    world_init(&world, &bare);
    for (uint32_t i = 0; i < GAME_PLAYERS_MAX; i++) {
        assert_int_equal(world_join(&world), i);
        assert_true(player_of(i)->x < SIDE && player_of(i)->y < SIDE);
    }
    assert_int_equal(world_join(&world), WORLD_NO_PLAYER);
    world_leave(&world, 400);
    assert_false(player_of(400)->is_here);
    assert_int_equal(world_join(&world), 400);
    assert_int_equal(player_of(400)->ack, 0);
}

static void a_place_that_was_left_rests(void **state)
{
    (void)state;
    world_init(&world, &bare);
    assert_int_equal(world_join(&world), 0);
    world_leave(&world, 0);
    assert_int_equal(world_join(&world), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_calls_make_the_same_world_everywhere),
        cmocka_unit_test(a_player_goes_where_it_says_at_full_speed_and_no_faster),
        cmocka_unit_test(a_second_is_as_long_at_every_rate),
        cmocka_unit_test(no_direction_is_longer_than_full_speed),
        cmocka_unit_test(the_walls_hold),
        cmocka_unit_test(an_input_counts_once_and_in_order),
        cmocka_unit_test(more_inputs_make_nobody_faster_and_the_fifth_is_refused),
        cmocka_unit_test(a_pellet_is_collected_in_reach_and_comes_up_elsewhere),
        cmocka_unit_test(a_score_stops_at_what_its_field_holds),
        cmocka_unit_test(everybody_has_a_place_until_there_is_none),
        cmocka_unit_test(a_place_that_was_left_rests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
