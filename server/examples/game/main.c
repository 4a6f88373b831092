/* SPDX-License-Identifier: MIT
 * throng-game-server: an authoritative tick server. Options, loop, drain; the game is in handlers.c
 * and world.c, and README.md explains how they go together.
 *
 *     throng-game-server --listen tcp://127.0.0.1:7000 --tick-hz 20 --field 256
 *
 * SIGTERM or SIGINT (Windows: Ctrl-C or Ctrl-Break) drains: every connection is closed, exit 0. A
 * second one stops at once. */
#include <stdio.h>
#include <stdlib.h>

#include <throng/server.h>

#include "../program/program.h"
#include "handlers.h"

/* Events taken at once. */
#define BATCH 64

/* How long a drain may take. */
#define DRAIN_MS 10000

static struct game_settings settings;

static const struct program_option own_options[] = {
    {.name = "tick-hz",
     .unit = "Hz",
     .help = "steps of the world, and snapshots, a second",
     .number = &settings.rate_hz,
     .fallback = 20,
     .least = 1,
     .most = 100},
    {.name = "field",
     .unit = "units",
     .help = "side of the field; a player runs 10 units a second",
     .number = &settings.side_units,
     .fallback = 256,
     .least = GAME_SIDE_MIN / GAME_UNIT,
     .most = GAME_SIDE_MAX / GAME_UNIT},
    {.name = "pellets",
     .unit = "pellets",
     .help = "pellets in the field",
     .number = &settings.pellet_count,
     .fallback = 200,
     .least = 0,
     .most = GAME_PELLETS_MAX},
    {.name = "seed",
     .unit = "number",
     .help = "where newcomers and pellets come up",
     .number = &settings.seed,
     .fallback = 1,
     .least = 0,
     .most = UINT32_MAX},
};

/* A player who does not keep up needs the newest snapshots, and soon: a short queue, from which the
 * oldest go. A client says an input a tick; four times that, at the highest rate, is plenty. */
static const struct program_preset presets[] = {
    {"max_connections", "1024"},           {"message_bytes_max", "16384"},
    {"send_queue_bytes_max", "65536"},     {"when_send_full", "drop_oldest"},
    {"first_message_timeout_ms", "10000"}, {"messages_per_s", "400"},
};

static size_t own_budget(const struct throng_server_options *options,
                         struct throng_budget_term *terms, size_t capacity)
{
    (void)options;
    if (capacity == 0) {
        return 0;
    }
    terms[0] = (struct throng_budget_term){
        .name = "the game",
        .reason = "the world, what of it was broadcast, a session for each player",
        .bytes = sizeof(struct game)};
    return 1;
}

static const struct program program = {
    .purpose = "a field of players, twenty times a second",
    .presets = presets,
    .preset_count = sizeof(presets) / sizeof(presets[0]),
    .options = own_options,
    .option_count = sizeof(own_options) / sizeof(own_options[0]),
    .budget = own_budget,
};

static void serve(struct throng_server *server, struct game *game)
{
    struct throng_event events[BATCH];
    int drained_at = 0;
    int count;
    while ((count = throng_get_events(server, events, BATCH, -1)) >= 0) {
        for (int i = 0; i < count; i++) {
            game_handle(game, &events[i]);
            throng_release_event(server, &events[i]);
        }
        int signalled = program_signalled();
        if (signalled > drained_at) {
            game_end(game);
            throng_server_drain(server, signalled == 1 ? DRAIN_MS : 0);
            drained_at = signalled;
        }
    }
}

static int play(struct throng_server *server, struct game *game)
{
    int result = game_open(game, server, &settings);
    if (result < 0) {
        fprintf(stderr, "the game cannot start: %s\n", throng_error_text(result));
        return 1;
    }
    serve(server, game);
    game_report(game);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;
    struct throng_server_options options;
    throng_server_options_init(&options);
    if (program_read(&options, argc, argv, &program, &status) != 0) {
        return status;
    }
    struct game *game = calloc(1, sizeof(*game));
    if (game == NULL) {
        fprintf(stderr, "no memory\n");
        return 1;
    }
    struct throng_server *server = program_start(&options, &status);
    if (server != NULL) {
        status = play(server, game);
        int finished = program_finish(server);
        status = status != 0 ? status : finished;
    }
    free(game);
    return status;
}
