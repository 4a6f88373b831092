/* SPDX-License-Identifier: MIT
 * The dashboard as lines of styled text. Pure: whoever shows them (view_curses.c, view_plain.c)
 * gets pieces that are safe to print, whatever the server's labels hold. */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include <stddef.h>

#include "dashboard.h"

enum view_style {
    VIEW_NORMAL = 0,
    VIEW_TITLE, /* a heading */
    VIEW_DIM,   /* what is always there */
    VIEW_GOOD,
    VIEW_WARN, /* worth a look */
    VIEW_BAD,  /* something is wrong */
    VIEW_STYLES
};

/* Who shows it. */
struct view_target {
    void *context;
    void (*piece)(void *context, enum view_style style, const char *text);
    void (*end_line)(void *context);
    size_t columns; /* 40 or more */
    size_t rows;    /* most lines */
};

/* `now_ms` tells how old the newest page is; `note` is a last line of the caller's, may be "". */
void view_dashboard(const struct view_target *target, const struct dashboard *dashboard,
                    const char *endpoint, uint64_t now_ms, const char *note);

#endif
