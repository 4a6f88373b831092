/* SPDX-License-Identifier: MIT
 * One line of standard output for each event, for pipes, tests, and terminals without ncurses:
 *
 *     12:00:01 #lobby 17 <ana> hello
 *     12:00:02 #lobby -- ben came
 *     12:00:03 !! the connection is lost: ...
 *
 * The time, the room if it is about one, the line's number, who, what. A text has no newline in it,
 * so a line is always one event. Main thread. */
#ifndef CHAT_VIEW_PLAIN_H
#define CHAT_VIEW_PLAIN_H

#include <stdbool.h>
#include <stdio.h>

#include "room.h"

struct view_plain {
    FILE *file;
    bool color;
};

/* A model_sink; `context` is a struct view_plain. */
void view_plain_line(void *context, const struct room *room, const struct line *line);

#endif
