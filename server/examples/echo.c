/* SPDX-License-Identifier: MIT
 * throng-echo: sends every message back. The model of a server program: options, loop, drain.
 *
 *     throng-echo --listen tcp://127.0.0.1:7000 --max-connections 65000
 *
 * SIGTERM or SIGINT drains: what was received is answered, every connection is closed, exit 0. A
 * second signal stops at once. */
#include <stdio.h>

#include <throng/server.h>

#include "program/program.h"

/* Events taken at once. */
#define BATCH 64

/* How long a drain may take. */
#define DRAIN_MS 10000

static void handle(struct throng_server *server, struct throng_event *event)
{
    if (event->type != THRONG_EVENT_MESSAGE) {
        return;
    }
    int result = throng_write_data(server, event->conn, event->data, event->size);
    if (result == THRONG_EAGAIN) {
        /* No room for the answer: an echo with a hole in it is worth nothing. */
        (void)throng_abort(server, event->conn);
    }
}

static void serve(struct throng_server *server)
{
    struct throng_event events[BATCH];
    int drained_at = 0;
    int count;
    while ((count = throng_get_events(server, events, BATCH, -1)) >= 0) {
        for (int i = 0; i < count; i++) {
            handle(server, &events[i]);
            throng_release_event(server, &events[i]);
        }
        int signalled = program_signalled();
        if (signalled > drained_at) {
            throng_server_drain(server, signalled == 1 ? DRAIN_MS : 0);
            drained_at = signalled;
        }
    }
}

int main(int argc, char **argv)
{
    int status;
    struct throng_server_options options;
    throng_server_options_init(&options);
    if (program_read_options(&options, argc, argv, "sends every message back", &status) != 0) {
        return status;
    }
    struct throng_server *server = program_start(&options, &status);
    if (server == NULL) {
        return status;
    }
    serve(server);
    return program_finish(server);
}
