/* SPDX-License-Identifier: MIT
 * throng-rooms, the model of a program that broadcasts; throng-stress --scenario rooms talks to it.
 * A message is a letter, a room (0..rooms_max - 1, four bytes, big-endian), and what the letter
 * wants:
 *
 *     'J' room           join it           answer: 'J' room number(8), that of its next line
 *     'L' room           leave it          answer: 'L' room
 *     'S' room words     say a line        to each member: 'S' room number(8) words
 *     'E' anything       echo              answer: the same
 *     anything else                        answer: '?' and what is wrong */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <throng/room.h>

#include "program/program.h"

#define BATCH 64
#define DRAIN_MS 10000
#define WAITING_MAX 2048u
#define ASK_SIZE 5   /* a letter and a room */
#define HEAD_SIZE 13 /* and a number */

struct hall {
    struct throng_server *server;
    struct throng_server_options options;
    throng_room *rooms; /* rooms_max; each is made when the first one joins */
    uint8_t *line;      /* what is told, while it is made: a head and a message */
};

static int complain(struct hall *hall, throng_conn conn, const char *text)
{
    return throng_write_data(hall->server, conn, text, strlen(text));
}

/* What was asked, and the number of the room's next line: lines are all that is broadcast there. */
static void put_head(struct hall *hall, throng_room room, const uint8_t *ask)
{
    struct throng_room_info info = {0};
    (void)throng_room_get_info(hall->server, room, &info);
    memcpy(hall->line, ask, ASK_SIZE);
    for (int i = 0; i < 8; i++) {
        hall->line[ASK_SIZE + i] = (uint8_t)(info.broadcasts >> (56 - 8 * i));
    }
}

static int join(struct hall *hall, throng_room *room, const struct throng_event *event)
{
    if ((room->id == 0 && throng_room_create(hall->server, room) < 0) ||
        throng_room_join(hall->server, *room, event->conn) < 0) {
        return complain(hall, event->conn, "?no place in this room, or no room");
    }
    put_head(hall, *room, event->data);
    return throng_write_data(hall->server, event->conn, hall->line, HEAD_SIZE);
}

static int say(struct hall *hall, throng_room room, const struct throng_event *event)
{
    size_t words = event->size - ASK_SIZE;
    if (throng_room_has(hall->server, room, event->conn) != 1) {
        return complain(hall, event->conn, "?not in this room");
    }
    put_head(hall, room, event->data);
    memcpy(hall->line + HEAD_SIZE, (const uint8_t *)event->data + ASK_SIZE, words);
    int result =
        throng_room_broadcast(hall->server, room, hall->line, HEAD_SIZE + words, THRONG_NOBODY);
    return result == THRONG_ETOOBIG ? complain(hall, event->conn, "?too long a line") : result;
}

/* Does what a message says. THRONG_EAGAIN: there was no memory for it now, and it is to be done
 * again. */
static int obey(struct hall *hall, const struct throng_event *event)
{
    const uint8_t *ask = event->data;
    if (event->size > 0 && ask[0] == 'E') {
        return throng_write_data(hall->server, event->conn, ask, event->size);
    }
    uint32_t number = 0;
    for (int i = 1; i < ASK_SIZE && event->size >= ASK_SIZE; i++) {
        number = number << 8 | ask[i];
    }
    if (event->size < ASK_SIZE || number >= hall->options.rooms_max) {
        return complain(hall, event->conn, "?a letter and a room are missing, or no such room");
    }
    switch (ask[0]) {
    case 'J':
        return join(hall, &hall->rooms[number], event);
    case 'L':
        (void)throng_room_leave(hall->server, hall->rooms[number], event->conn);
        return throng_write_data(hall->server, event->conn, ask, ASK_SIZE);
    case 'S':
        return say(hall, hall->rooms[number], event);
    default:
        return complain(hall, event->conn, "?no such letter");
    }
}

/* A message for which there is no send memory waits in front of all that come after it, or lines
 * would change places. They are not released meanwhile, so throng reads less. */
static void serve(struct hall *hall)
{
    static struct throng_event events[WAITING_MAX + BATCH];
    size_t waiting = 0;
    int drained_at = 0;
    int count;
    while ((count = throng_get_events(hall->server, events + waiting, BATCH,
                                      waiting > 0 ? 1 /* ms, and try again */ : -1)) >= 0) {
        size_t done = 0;
        for (waiting += (size_t)count; waiting > 0; waiting--, done++) {
            if (events[done].type == THRONG_EVENT_MESSAGE &&
                obey(hall, &events[done]) == THRONG_EAGAIN) {
                break;
            }
            throng_release_event(hall->server, &events[done]);
        }
        memmove(events, events + done, waiting * sizeof(events[0]));
        while (waiting > WAITING_MAX || waiting > hall->options.events_max / 2) {
            struct throng_event *last = &events[--waiting]; /* the others need events too */
            if (last->type == THRONG_EVENT_MESSAGE) {
                (void)throng_abort(hall->server, last->conn);
            }
            throng_release_event(hall->server, last);
        }
        int signalled = program_signalled();
        if (signalled > drained_at) {
            throng_server_drain(hall->server, signalled == 1 ? DRAIN_MS : 0);
            drained_at = signalled;
        }
    }
}

int main(int argc, char **argv)
{
    int status = 1;
    struct hall hall = {0};
    throng_server_options_init(&hall.options);
    if (program_read_options(&hall.options, argc, argv, "rooms to talk in", &status) != 0) {
        return status;
    }
    hall.rooms = calloc(hall.options.rooms_max, sizeof(*hall.rooms));
    hall.line = malloc((size_t)hall.options.message_bytes_max + HEAD_SIZE);
    if (hall.rooms == NULL || hall.line == NULL) {
        fprintf(stderr, "no memory\n");
    } else if ((hall.server = program_start(&hall.options, &status)) != NULL) {
        serve(&hall);
        status = program_finish(hall.server);
    }
    free(hall.line);
    free(hall.rooms);
    return status;
}
