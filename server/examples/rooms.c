/* SPDX-License-Identifier: MIT
 * throng-rooms: rooms that anybody may join and talk in. The model of a program that broadcasts, and what
 * throng-stress --scenario rooms talks to. A message is a letter, a room (0..rooms_max - 1, four bytes,
 * big-endian), and what the letter wants:
 *
 *     'J' room           join it           answer: 'J' room number(8), that of its next line
 *     'L' room           leave it          answer: 'L' room
 *     'S' room words     say a line        to each member: 'S' room number(8) words
 *     'E' anything       echo              answer: the same
 *     anything else                        answer: '?' and what is wrong
 *
 * Signals are as in echo.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <throng/room.h>

#include "program/program.h"

#define BATCH 64
#define DRAIN_MS 10000
#define RETRY_MS 1
#define WAITING_MAX 2048u
#define ASK_SIZE 5   /* a letter and a room */
#define HEAD_SIZE 13 /* and a number */

struct numbered_room {
    throng_room id; /* made when the first one joins */
    uint64_t next;  /* number of its next line */
};

struct hall {
    struct throng_server *server;
    struct numbered_room *rooms;
    uint32_t room_count;
    uint8_t *line;
    size_t line_max;

    /* Messages for which there was no send memory, oldest first, and all that came after them, or lines would
     * change places. They are not released, so throng reads less meanwhile. */
    struct throng_event waiting[WAITING_MAX]; /* a ring */
    size_t waiting_first;
    size_t waiting_count;
    size_t waiting_max; /* no more than half of the events that throng lends */
};

static int complain(struct hall *hall, throng_conn conn, const char *text)
{
    return throng_write_data(hall->server, conn, text, strlen(text));
}

/* What was asked, with the number of the room's next line, is the head of what is answered or told. */
static void put_head(struct hall *hall, const uint8_t *ask, uint64_t number)
{
    memcpy(hall->line, ask, ASK_SIZE);
    for (int i = 0; i < 8; i++) {
        hall->line[ASK_SIZE + i] = (uint8_t)(number >> (56 - 8 * i));
    }
}

static int join(struct hall *hall, throng_conn conn, struct numbered_room *room, const uint8_t *ask)
{
    int result = room->id.id != 0 ? 0 : throng_room_create(hall->server, &room->id);
    if (result == 0) {
        result = throng_room_join(hall->server, room->id, conn);
    }
    if (result < 0) {
        return complain(hall, conn, "?no place in this room, or no room");
    }
    put_head(hall, ask, room->next);
    return throng_write_data(hall->server, conn, hall->line, HEAD_SIZE);
}

static int say(struct hall *hall, throng_conn conn, struct numbered_room *room, const uint8_t *ask,
               size_t size)
{
    size_t words = size - ASK_SIZE;
    if (throng_room_has(hall->server, room->id, conn) != 1) {
        return complain(hall, conn, "?not in this room");
    }
    if (words + HEAD_SIZE > hall->line_max) {
        return complain(hall, conn, "?too long a line");
    }
    put_head(hall, ask, room->next);
    memcpy(hall->line + HEAD_SIZE, ask + ASK_SIZE, words);
    int result =
        throng_room_broadcast(hall->server, room->id, hall->line, HEAD_SIZE + words, THRONG_NOBODY);
    room->next += result == 0; /* a line that did not go out has no number */
    return result;
}

/* Does what a message says. THRONG_EAGAIN: it could not be done now, and is to be done again. */
static int obey(struct hall *hall, const struct throng_event *event)
{
    const uint8_t *ask = event->data;
    if (event->size > 0 && ask[0] == 'E') {
        return throng_write_data(hall->server, event->conn, ask, event->size);
    }
    if (event->size < ASK_SIZE) {
        return complain(hall, event->conn, "?a letter and a room are missing");
    }
    uint32_t number = (uint32_t)ask[1] << 24 | (uint32_t)ask[2] << 16 | (uint32_t)ask[3] << 8 |
                      ask[4];
    if (number >= hall->room_count) {
        return complain(hall, event->conn, "?no such room");
    }
    struct numbered_room *room = &hall->rooms[number];
    switch (ask[0]) {
    case 'J':
        return join(hall, event->conn, room, ask);
    case 'L':
        (void)throng_room_leave(hall->server, room->id, event->conn);
        return throng_write_data(hall->server, event->conn, ask, ASK_SIZE);
    case 'S':
        return say(hall, event->conn, room, ask, event->size);
    default:
        return complain(hall, event->conn, "?no such letter");
    }
}

static void handle(struct hall *hall, struct throng_event *event)
{
    if (event->type == THRONG_EVENT_MESSAGE &&
        (hall->waiting_count > 0 || obey(hall, event) == THRONG_EAGAIN)) {
        if (hall->waiting_count < hall->waiting_max) {
            size_t last = hall->waiting_first + hall->waiting_count++;
            hall->waiting[last % WAITING_MAX] = *event;
            return;
        }
        (void)throng_abort(hall->server, event->conn); /* the others need events too */
    }
    throng_release_event(hall->server, event);
}

static void catch_up(struct hall *hall)
{
    for (; hall->waiting_count > 0; hall->waiting_count--) {
        struct throng_event *event = &hall->waiting[hall->waiting_first];
        if (obey(hall, event) == THRONG_EAGAIN) {
            return;
        }
        throng_release_event(hall->server, event);
        hall->waiting_first = (hall->waiting_first + 1) % WAITING_MAX;
    }
}

static void serve(struct hall *hall)
{
    struct throng_event events[BATCH];
    int drained_at = 0;
    int count;
    while ((count = throng_get_events(hall->server, events, BATCH,
                                      hall->waiting_count > 0 ? RETRY_MS : -1)) >= 0) {
        catch_up(hall);
        for (int i = 0; i < count; i++) {
            handle(hall, &events[i]);
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
    int status = 0;
    struct throng_server_options options;
    throng_server_options_init(&options);
    if (program_read_options(&options, argc, argv, "rooms to join and talk in", &status) != 0) {
        return status;
    }
    static struct hall hall; /* too large for a stack */
    hall.server = program_start(&options, &status);
    if (hall.server == NULL) {
        return status;
    }
    hall.room_count = options.rooms_max;
    hall.rooms = calloc(hall.room_count, sizeof(*hall.rooms));
    hall.line_max = options.message_bytes_max;
    hall.line = calloc(1, hall.line_max + HEAD_SIZE);
    hall.waiting_max = options.events_max / 2 < WAITING_MAX ? options.events_max / 2 : WAITING_MAX;
    if (hall.rooms != NULL && hall.line != NULL) {
        serve(&hall);
    } else {
        fprintf(stderr, "no memory\n");
        status = 1;
    }
    int finished = program_finish(hall.server);
    free(hall.line);
    free(hall.rooms);
    return status != 0 ? status : finished;
}
