/* SPDX-License-Identifier: MIT
 * See screen.h: a build without ncurses has no screen. */
#include "screen.h"

bool screen_begin(struct screen *screen, bool color)
{
    (void)screen;
    (void)color;
    return false;
}

void screen_end(struct screen *screen)
{
    (void)screen;
}

void screen_show(struct screen *screen)
{
    (void)screen;
}

bool screen_keys(struct screen *screen)
{
    (void)screen;
    return false;
}
