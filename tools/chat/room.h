/* SPDX-License-Identifier: MIT
 * One room as this client has seen it: its last lines, who is there, what was not read yet.
 * Pure. */
#ifndef CHAT_ROOM_VIEW_H
#define CHAT_ROOM_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

#define ROOM_LINES_MAX 500

enum line_kind {
    LINE_SAID = 0, /* `name` said it */
    LINE_ACTION,   /* `name` does it */
    LINE_PRIVATE,  /* `name` told us */
    LINE_TOLD,     /* we told `name` */
    LINE_NOTICE,   /* of the program or the server: no name */
    LINE_COMING,   /* somebody came, left, was renamed */
    LINE_ERROR,
};

struct line {
    enum line_kind kind;
    uint64_t seq;  /* SAID, ACTION; else 0 */
    int64_t at_ms; /* since 1970 */
    bool mentions_us;
    char name[EVENT_NAME_SIZE];
    char *text;
};

struct room {
    char name[EVENT_NAME_SIZE];
    char topic[EVENT_TEXT_SIZE];
    bool wanted; /* to be entered again after a reconnect */
    bool inside; /* the server has said so, on this connection */
    uint64_t last_seq;
    unsigned unread; /* lines said since somebody looked */
    bool mentioned;  /* one of them named us */

    char (*members)[EVENT_NAME_SIZE]; /* sorted */
    size_t member_count;
    size_t member_capacity;
    bool members_known;
    bool list_wanted; /* /who: they are to be shown when all of them have come */

    struct line lines[ROOM_LINES_MAX]; /* a ring */
    size_t line_first;
    size_t line_count;
};

/* A line at the end; the oldest goes if there are too many. The text is copied. Answers it, NULL
 * without memory. */
struct line *room_add_line(struct room *room, const struct line *line, const char *text);

/* The line `index`, oldest first. */
const struct line *room_line(const struct room *room, size_t index);

/* The line with this number, NULL if it is not kept. */
const struct line *room_find_line(const struct room *room, uint64_t seq);

/* Members; a name that is there already, or not there, changes nothing. */
void room_add_member(struct room *room, const char *name);
void room_remove_member(struct room *room, const char *name);
void room_clear_members(struct room *room);

/* Frees what it holds, and is zeroed. */
void room_clear(struct room *room);

#endif
