/* SPDX-License-Identifier: MIT
 * How a line looks, on the screen as in a pipe: what stands before its text, and the colour of a
 * name. Pure. */
#ifndef CHAT_LOOK_H
#define CHAT_LOOK_H

#include <stddef.h>

#include "room.h"

#define LOOK_PREFIX_SIZE (EVENT_NAME_SIZE + 32)

/* Colours that names may have, as the terminal numbers them: red is kept for what is wrong. */
enum {
    LOOK_GREEN = 2,
    LOOK_YELLOW,
    LOOK_BLUE,
    LOOK_MAGENTA,
    LOOK_CYAN,
    LOOK_RED = 1
};

/* What stands before the text: "<ana>", "* ana", "from ana:" ... Answers `prefix`. */
const char *look_prefix(char prefix[LOOK_PREFIX_SIZE], const struct line *line);

/* The colour of a name, always the same one. */
int look_color(const char *name);

#endif
