/* SPDX-License-Identifier: MIT
 * throng-game-bots: players for throng-game-server that check what they are told. README.md of
 * server/examples/game says what.
 *
 *     throng-game-bots --connect tcp://127.0.0.1:7000 --bots 300 --seconds 10 */
#include <inttypes.h>
#include <stdio.h>

#include "../stress/interrupt.h"
#include "../stress/system.h"
#include "play.h"
#include "report.h"

#define SECOND_NS UINT64_C(1000000000)
#define LOOK_MS 10

/* How long the goodbyes may take: a little more than the swarm waits for a peer. */
#define END_NS (8 * SECOND_NS)

enum {
    EXIT_ALL_RIGHT = 0,
    EXIT_NOT_ALL_RIGHT = 1,
    EXIT_BAD_USAGE = 2,
};

struct game {
    struct play play;
    const struct options *options;
    struct totals shown; /* as of the last line of progress */
    uint64_t shown_ns;
    bool is_interrupted;
};

static void show(struct game *game, const struct totals *totals, uint64_t now_ns)
{
    if (game->options->quiet || now_ns - game->shown_ns < SECOND_NS) {
        return;
    }
    double seconds = (double)(now_ns - game->shown_ns) / 1e9;
    double players = totals->joined > 0 ? (double)totals->joined : 1;
    fprintf(stderr,
            "%" PRIu64 " players, %.1f ticks/s, %.1f KB/s each, %" PRIu64 " pellets, %" PRIu64
            " gaps, %" PRIu64 " errors\n",
            totals->joined, (double)(totals->ticks - game->shown.ticks) / seconds / players,
            (double)(totals->bytes - game->shown.bytes) / seconds / players / 1e3, totals->pellets,
            totals->gaps, totals_errors(totals));
    game->shown = *totals;
    game->shown_ns = now_ns;
}

/* The totals of now; shows progress; sleeps a little before. */
static uint64_t look(struct game *game, struct totals *totals)
{
    game->is_interrupted = interrupt_wait(LOOK_MS) || game->is_interrupted;
    tally_read(totals, &game->play.tally);
    uint64_t now_ns = throng_swarm_now_ns();
    show(game, totals, now_ns);
    return now_ns;
}

static uint64_t patience_ns(const struct game *game)
{
    return game->options->patience_s * SECOND_NS;
}

static void wait_for_all(struct game *game)
{
    struct totals totals;
    uint64_t start_ns = throng_swarm_now_ns();
    uint64_t now_ns;
    do {
        now_ns = look(game, &totals);
    } while (totals.joined < game->options->bots && totals_errors(&totals) == 0 &&
             now_ns - start_ns < patience_ns(game) && !game->is_interrupted);
}

static void subtract(struct totals *totals, const struct totals *before)
{
    totals->ticks -= before->ticks;
    totals->bytes -= before->bytes;
}

/* The time that is measured. */
static void play_on(struct game *game, struct outcome *outcome)
{
    struct totals before;
    uint64_t play_ns = game->options->seconds > 0 ? game->options->seconds * SECOND_NS : UINT64_MAX;
    play_enter(&game->play, PLAY_ON);
    uint64_t start_ns = look(game, &before);
    uint64_t now_ns = start_ns;
    while (now_ns - start_ns < play_ns && !game->is_interrupted) {
        now_ns = look(game, &outcome->measured);
    }
    outcome->seconds = (double)(now_ns - start_ns) / 1e9;
    subtract(&outcome->measured, &before);
}

/* What went wrong before stays wrong; then nobody waits. */
static void settle(struct game *game)
{
    struct totals totals;
    tally_read(&totals, &game->play.tally);
    if (totals_errors(&totals) > 0) {
        return;
    }
    play_enter(&game->play, PLAY_SETTLE);
    uint64_t start_ns = throng_swarm_now_ns();
    while (!play_is_settled(&game->play) && look(game, &totals) - start_ns < patience_ns(game)) {
        /* each answer makes it one less */
    }
    tally_add(&game->play.tally.unanswered, play_unsettled(&game->play));
}

static void end(struct game *game)
{
    struct totals totals;
    play_enter(&game->play, PLAY_END);
    uint64_t start_ns = throng_swarm_now_ns();
    while (throng_swarm_connected(game->play.swarm) > 0 &&
           look(game, &totals) - start_ns < END_NS) {
        /* each goodbye makes it one less */
    }
}

static int run(struct game *game, struct outcome *outcome)
{
    struct throng_error error;
    int result = play_start(&game->play, game->options, &error);
    if (result < 0) {
        fprintf(stderr, "%s\n", error.text);
        return result == THRONG_EINVAL ? EXIT_BAD_USAGE : EXIT_NOT_ALL_RIGHT;
    }
    game->shown_ns = throng_swarm_now_ns();
    wait_for_all(game);
    play_on(game, outcome);
    settle(game);
    end(game);
    throng_swarm_stop(game->play.swarm);
    tally_read(&outcome->whole, &game->play.tally);
    play_latency(&game->play, &outcome->latency);
    outcome->players = (uint32_t)outcome->whole.joined;
    /* Who heard nothing has found nothing wrong. */
    outcome->errors = totals_errors(&outcome->whole) + (game->options->bots - outcome->players) +
                      (outcome->whole.ticks == 0) + (outcome->latency.count == 0);
    return outcome->errors == 0 ? EXIT_ALL_RIGHT : EXIT_NOT_ALL_RIGHT;
}

int main(int argc, char **argv)
{
    /* Not on the stack: the histogram is large. */
    static struct outcome outcome;
    struct options options;
    system_begin();
    switch (options_read(&options, argc, argv)) {
    case OPTIONS_DONE:
        return EXIT_ALL_RIGHT;
    case OPTIONS_BAD:
        return EXIT_BAD_USAGE;
    case OPTIONS_GO:
        break;
    }
    interrupt_prepare();
    struct game game = {.options = &options};
    int status = run(&game, &outcome);
    if (game.play.swarm != NULL) {
        (options.json ? report_json : report_text)(stdout, &options, &outcome);
    }
    play_stop(&game.play);
    /* A report that nobody got is not all right. */
    return fflush(stdout) == 0 ? status : EXIT_NOT_ALL_RIGHT;
}
