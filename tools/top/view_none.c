/* SPDX-License-Identifier: MIT
 * See screen.h: a build without ncurses has no screen. */
#include "screen.h"

bool screen_begin(void)
{
    return false;
}

void screen_end(void)
{
    /* Nothing was begun. */
}

void screen_show(const struct dashboard *dashboard, const char *endpoint, uint64_t now_ms,
                 const char *note)
{
    (void)dashboard;
    (void)endpoint;
    (void)now_ms;
    (void)note;
}

enum screen_key screen_key(void)
{
    return SCREEN_NOTHING;
}
