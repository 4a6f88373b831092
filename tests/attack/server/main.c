/* SPDX-License-Identifier: MIT
 * attack_server: the server that tests/attack attacks. It takes the options of throng-echo, and
 * orders on standard input (control.h). SIGTERM drains, a second one stops at once. */
#include <stdio.h>
#include <string.h>

#include "../../../server/examples/program/program.h"

#include "control.h"
#include "game.h"

#define BATCH 256
#define DRAIN_MS 10000

static void serve(struct throng_server *server, struct game *game, struct control *control)
{
    struct throng_event events[BATCH];
    int drained_at = 0;
    int wait_ms = -1;
    int count;
    while ((count = throng_get_events(server, events, BATCH, wait_ms)) >= 0) {
        for (int i = 0; i < count; i++) {
            game_on_event(game, &events[i]);
        }
        control_obey(control);
        wait_ms = game_tick(game);
        int signalled = program_signalled();
        if (signalled > drained_at) {
            throng_server_drain(server, signalled == 1 ? DRAIN_MS : 0);
            drained_at = signalled;
        }
    }
}

int main(int argc, char **argv)
{
    int status = 0;
    struct throng_server_options options;
    throng_server_options_init(&options);
    if (program_read_options(&options, argc, argv, "is attacked", &status) != 0) {
        return status;
    }
    struct throng_server *server = program_start(&options, &status);
    if (server == NULL) {
        return status;
    }
    struct game *game = game_create(server, &options);
    struct control *control = game != NULL ? control_start(server, game) : NULL;
    if (control != NULL) {
        serve(server, game, control);
        control_stop(control);
    } else {
        fprintf(stderr, "no memory\n");
        status = 1;
    }
    if (game != NULL) {
        game_destroy(game);
    }
    int finished = program_finish(server);
    return status != 0 ? status : finished;
}
