/* SPDX-License-Identifier: MIT
 * throng-echo: sends every message back. The model of a server program: options, loop, drain.
 *
 *     throng-echo --listen tcp://127.0.0.1:7000 --max-connections 65000
 *
 * SIGTERM or SIGINT (Windows: Ctrl-C or Ctrl-Break) drains: what was received is answered, every
 * connection is closed, exit 0. A second one stops at once. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <throng/server.h>

#include "program/program.h"

/* Events taken at once. */
#define BATCH 64

/* How long a drain may take. */
#define DRAIN_MS 10000

/* How often an answer for which there is no room is tried again, and for how many seconds. */
#define RETRY_MS 1
#define PATIENCE_S 5

/* Messages whose answers wait for send memory, first in first out. They are not released, so throng
 * stops reading when they become many: the peers are slowed, and nobody is lost. */
struct backlog {
    struct waiting {
        struct throng_event event;
        time_t since;
    } * ring;
    size_t capacity; /* more than throng ever lends */
    size_t first;
    size_t count;
};

static bool backlog_open(struct backlog *backlog, const struct throng_server *server,
                         const struct throng_server_options *options)
{
    size_t threads = throng_server_io_threads(server);
    /* events_max of each thread; throng rounds it up to a power of two. */
    size_t capacity = 2 * (size_t)options->events_max * (threads > 0 ? threads : 1);
    *backlog =
        (struct backlog){.ring = calloc(capacity, sizeof(struct waiting)), .capacity = capacity};
    return backlog->ring != NULL;
}

static void backlog_push(struct backlog *backlog, const struct throng_event *event)
{
    struct waiting *last = &backlog->ring[(backlog->first + backlog->count++) % backlog->capacity];
    *last = (struct waiting){.event = *event, .since = time(NULL)};
}

/* Tries those that wait again, in order. One that waited for too long loses its connection: an echo
 * with a hole in it is worth nothing. */
static void backlog_retry(struct backlog *backlog, struct throng_server *server)
{
    for (; backlog->count > 0; backlog->count--) {
        struct waiting *first = &backlog->ring[backlog->first];
        struct throng_event *event = &first->event;
        if (throng_write_data(server, event->conn, event->data, event->size) == THRONG_EAGAIN) {
            if (time(NULL) - first->since <= PATIENCE_S) {
                return;
            }
            (void)throng_abort(server, event->conn);
        }
        throng_release_event(server, event);
        backlog->first = (backlog->first + 1) % backlog->capacity;
    }
}

static void handle(struct throng_server *server, struct backlog *backlog,
                   struct throng_event *event)
{
    if (event->type == THRONG_EVENT_MESSAGE &&
        (backlog->count > 0 ||
         throng_write_data(server, event->conn, event->data, event->size) == THRONG_EAGAIN)) {
        backlog_push(backlog, event);
    } else {
        throng_release_event(server, event);
    }
}

static void serve(struct throng_server *server, struct backlog *backlog)
{
    struct throng_event events[BATCH];
    int drained_at = 0;
    int count;
    while ((count = throng_get_events(server, events, BATCH, backlog->count > 0 ? RETRY_MS : -1)) >=
           0) {
        backlog_retry(backlog, server);
        for (int i = 0; i < count; i++) {
            handle(server, backlog, &events[i]);
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
    int status = 0;
    struct throng_server_options options;
    throng_server_options_init(&options);
    if (program_read_options(&options, argc, argv, "sends every message back", &status) != 0) {
        return status;
    }
    struct throng_server *server = program_start(&options, &status);
    if (server == NULL) {
        return status;
    }
    struct backlog backlog;
    if (backlog_open(&backlog, server, &options)) {
        serve(server, &backlog);
    } else {
        fprintf(stderr, "no memory\n");
        status = 1;
    }
    free(backlog.ring);
    int finished = program_finish(server);
    return status != 0 ? status : finished;
}
