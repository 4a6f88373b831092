/* SPDX-License-Identifier: MIT
 * throng-rooms: rooms that anybody may join and talk in. The model of a program that broadcasts; what
 * throng-stress --scenario rooms talks to.
 *
 *     throng-rooms --listen tcp://127.0.0.1:7000 --max-connections 65000
 *
 * A message's first byte says what to do, the next four which room (0 to rooms_max - 1, big-endian; it
 * is there when the first one joins):
 *
 *     'J' room           join it           answer: 'J' room number(8), that of its next line
 *     'L' room           leave it          answer: 'L' room
 *     'S' room words     say a line in it  to each member: 'S' room number(8) words
 *     'E' anything       echo              answer: the same
 *     anything else                        answer: '?' and what is wrong
 *
 * Signals are as in echo.c. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <throng/room.h>

#include "program/program.h"

#define BATCH 64
#define DRAIN_MS 10000
#define RETRY_MS 1
#define ASK_SIZE 5   /* a letter and a room */
#define HEAD_SIZE 13 /* and a number */

struct numbered_room {
    throng_room id;
    uint64_t next; /* number of its next line */
};

struct hall {
    struct throng_server *server;
    struct numbered_room *rooms;
    uint32_t room_count;
    uint8_t *line; /* message_bytes_max */
    size_t line_max;

    /* Messages for which there was no send memory, oldest first. They are not released, so throng reads
     * less meanwhile; all that come after them wait behind them, or lines would change places. */
    struct throng_event *waiting;
    size_t waiting_count;
    size_t waiting_max;
};

static void put_number(uint8_t *bytes, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    }
}

static int complain(struct hall *hall, throng_conn conn, const char *text)
{
    return throng_write_data(hall->server, conn, text, strlen(text));
}

static int join(struct hall *hall, throng_conn conn, struct numbered_room *room, const uint8_t *ask)
{
    uint8_t answer[HEAD_SIZE];
    int result = room->id.id != 0 ? 0 : throng_room_create(hall->server, &room->id);
    if (result == 0) {
        result = throng_room_join(hall->server, room->id, conn);
    }
    if (result < 0) {
        return complain(hall, conn, "?no place in this room, or no room");
    }
    memcpy(answer, ask, ASK_SIZE);
    put_number(answer + ASK_SIZE, room->next);
    return throng_write_data(hall->server, conn, answer, sizeof(answer));
}

static int leave(struct hall *hall, throng_conn conn, const struct numbered_room *room,
                 const uint8_t *ask)
{
    (void)throng_room_leave(hall->server, room->id, conn);
    return throng_write_data(hall->server, conn, ask, ASK_SIZE);
}

static int say(struct hall *hall, throng_conn conn, struct numbered_room *room, const uint8_t *ask,
               size_t size)
{
    size_t words = size - ASK_SIZE;
    if (throng_room_has(hall->server, room->id, conn) != 1) {
        return complain(hall, conn, "?not in this room");
    }
    if (words > hall->line_max - HEAD_SIZE) {
        return complain(hall, conn, "?too long a line");
    }
    memcpy(hall->line, ask, ASK_SIZE);
    put_number(hall->line + ASK_SIZE, room->next);
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
        return leave(hall, event->conn, room, ask);
    case 'S':
        return say(hall, event->conn, room, ask, event->size);
    default:
        return complain(hall, event->conn, "?no such letter");
    }
}

static void handle(struct hall *hall, struct throng_event *event)
{
    bool done = event->type != THRONG_EVENT_MESSAGE ||
                (hall->waiting_count == 0 && obey(hall, event) != THRONG_EAGAIN);
    if (!done && hall->waiting_count < hall->waiting_max) {
        hall->waiting[hall->waiting_count++] = *event;
        return;
    }
    if (!done) {
        (void)throng_abort(hall->server, event->conn); /* the others need events too */
    }
    throng_release_event(hall->server, event);
}

static void catch_up(struct hall *hall)
{
    size_t done = 0;
    while (done < hall->waiting_count && obey(hall, &hall->waiting[done]) != THRONG_EAGAIN) {
        throng_release_event(hall->server, &hall->waiting[done++]);
    }
    hall->waiting_count -= done;
    memmove(hall->waiting, hall->waiting + done, hall->waiting_count * sizeof(*hall->waiting));
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
    struct hall hall = {.room_count = options.rooms_max,
                        .line_max = options.message_bytes_max,
                        .waiting_max = options.events_max / 2};
    hall.rooms = calloc(hall.room_count, sizeof(*hall.rooms));
    hall.line = calloc(1, hall.line_max + HEAD_SIZE);
    hall.waiting = calloc(hall.waiting_max, sizeof(*hall.waiting));
    hall.server = program_start(&options, &status);
    if (hall.server != NULL && hall.rooms != NULL && hall.line != NULL && hall.waiting != NULL) {
        serve(&hall);
    } else if (hall.server != NULL) {
        fprintf(stderr, "no memory\n");
        status = 1;
    }
    if (hall.server != NULL) {
        int finished = program_finish(hall.server);
        status = status != 0 ? status : finished;
    }
    free(hall.waiting);
    free(hall.line);
    free(hall.rooms);
    return status;
}
