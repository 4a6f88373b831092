/* SPDX-License-Identifier: MIT
 * The field as lines of text, for people who want to see something. */
#ifndef GAME_MAP_H
#define GAME_MAP_H

#include <stdio.h>

#include "view.h"

/* '@' is `player`, a digit so many others, '.' a pellet. Nothing if the view is not synced. */
void map_print(FILE *file, const struct view *view, uint32_t player);

#endif
