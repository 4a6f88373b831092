/* SPDX-License-Identifier: MIT
 * The dashboard on a terminal. Two files fulfil it: view_curses.c, and view_none.c where ncurses
 * was not found. Main thread. */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "dashboard.h"

enum screen_key {
    SCREEN_NOTHING = 0,
    SCREEN_QUIT,
    SCREEN_HOLD,
    SCREEN_SLOWER,
    SCREEN_FASTER,
    SCREEN_REDRAW, /* another size, or a key that means nothing */
};

/* False if there is no screen to be had: plain tables then. */
bool screen_begin(void);
void screen_end(void);

void screen_show(const struct dashboard *dashboard, const char *endpoint, uint64_t now_ms,
                 const char *note);

/* What was typed, one key a call. */
enum screen_key screen_key(void);

#endif
