/* SPDX-License-Identifier: MIT
 * The chat on a terminal. Two files fulfil it: view_curses.c, and view_none.c where ncurses was not
 * found. Main thread. */
#ifndef CHAT_SCREEN_H
#define CHAT_SCREEN_H

#include <stdbool.h>

#include "chat.h"
#include "editor.h"

/* What is on the screen, beside the model. */
struct screen {
    struct chat *chat;
    struct editor editor;
    const char *endpoint;
    size_t scrolled; /* rows up from the newest line; 0: follow it */
    bool ended;      /* the terminal has no more input, or Ctrl-D was typed */
};

/* False if there is no screen to be had: plain lines then. */
bool screen_begin(struct screen *screen, bool color);
void screen_end(struct screen *screen);

void screen_show(struct screen *screen);

/* Takes what was typed. Answers whether there was anything. */
bool screen_keys(struct screen *screen);

#endif
