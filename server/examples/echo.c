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

#include <throng/server.h>

#include "program/program.h"

/* Events taken at once. */
#define BATCH 64

/* How long a drain may take. */
#define DRAIN_MS 10000

/* A message whose answer was refused, with those of the same connection that came after it. The
 * first of them is the connection's user pointer. They are not released, and throng reads no more
 * from that connection until its WRITABLE event: its peer is slowed, and nobody else. */
struct kept {
    struct throng_event event;
    struct kept *next; /* of the same connection, or free */
    struct kept *last; /* in the first one */
};

/* Where they come from. As many as half of the events that throng lends: who needs one more than
 * that loses the connection, for the others need events too. */
struct shelf {
    struct kept *memory;
    struct kept *free;
    size_t used;
};

static bool shelf_open(struct shelf *shelf, const struct throng_server_options *options)
{
    size_t count = options->events_max / 2;
    *shelf = (struct shelf){.memory = calloc(count, sizeof(struct kept))};
    for (size_t i = 0; shelf->memory != NULL && i < count; i++) {
        shelf->memory[i].next = shelf->free;
        shelf->free = &shelf->memory[i];
    }
    return shelf->memory != NULL;
}

static struct kept *first_kept(struct throng_server *server, const struct shelf *shelf,
                               throng_conn conn)
{
    void *user = NULL;
    if (shelf->used > 0) {
        (void)throng_get_user(server, conn, &user);
    }
    return user;
}

static void keep(struct throng_server *server, struct shelf *shelf, struct throng_event *event)
{
    struct kept *kept = shelf->free;
    if (kept == NULL) {
        (void)throng_abort(server, event->conn);
        throng_release_event(server, event);
        return;
    }
    struct kept *first = first_kept(server, shelf, event->conn);
    shelf->free = kept->next;
    shelf->used++;
    *kept = (struct kept){.event = *event, .last = kept};
    if (first == NULL) {
        (void)throng_set_user(server, event->conn, kept);
    } else {
        first->last->next = kept;
        first->last = kept;
    }
}

/* The first one is done with. */
static struct kept *put_back(struct throng_server *server, struct shelf *shelf, struct kept *kept)
{
    struct kept *next = kept->next;
    if (next != NULL) {
        next->last = kept->last;
    }
    throng_release_event(server, &kept->event);
    kept->next = shelf->free;
    shelf->free = kept;
    shelf->used--;
    return next;
}

static int echo(struct throng_server *server, const struct throng_event *event)
{
    return throng_write_data(server, event->conn, event->data, event->size);
}

/* Answers what was kept of a connection, as far as there is room. */
static void catch_up(struct throng_server *server, struct shelf *shelf, throng_conn conn)
{
    struct kept *first = first_kept(server, shelf, conn);
    while (first != NULL && echo(server, &first->event) != THRONG_EAGAIN) {
        first = put_back(server, shelf, first);
    }
    (void)throng_set_user(server, conn, first);
}

static void handle(struct throng_server *server, struct shelf *shelf, struct throng_event *event)
{
    if (event->type == THRONG_EVENT_MESSAGE) {
        if (first_kept(server, shelf, event->conn) != NULL ||
            echo(server, event) == THRONG_EAGAIN) {
            keep(server, shelf, event);
            return;
        }
    } else if (event->type == THRONG_EVENT_WRITABLE) {
        catch_up(server, shelf, event->conn);
    } else if (event->type == THRONG_EVENT_CLOSED) {
        for (struct kept *kept = first_kept(server, shelf, event->conn); kept != NULL;) {
            kept = put_back(server, shelf, kept);
        }
    }
    throng_release_event(server, event);
}

static void serve(struct throng_server *server, struct shelf *shelf)
{
    struct throng_event events[BATCH];
    int drained_at = 0;
    int count;
    while ((count = throng_get_events(server, events, BATCH, -1)) >= 0) {
        for (int i = 0; i < count; i++) {
            handle(server, shelf, &events[i]);
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
    struct shelf shelf;
    if (shelf_open(&shelf, &options)) {
        serve(server, &shelf);
    } else {
        fprintf(stderr, "no memory\n");
        status = 1;
    }
    free(shelf.memory);
    int finished = program_finish(server);
    return status != 0 ? status : finished;
}
