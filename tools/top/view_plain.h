/* SPDX-License-Identifier: MIT
 * The dashboard as plain lines, for pipes, files and terminals without ncurses. Main thread. */
#ifndef TOP_VIEW_PLAIN_H
#define TOP_VIEW_PLAIN_H

#include <stdio.h>

#include "dashboard.h"

/* One table, and an empty line. */
void view_plain(FILE *file, const struct dashboard *dashboard, const char *endpoint,
                uint64_t now_ms, const char *note);

#endif
