/* SPDX-License-Identifier: MIT
 * See map.h. */
#include "map.h"

#include <string.h>

#define COLUMNS 72u
#define LINES 24u

struct map {
    char cells[LINES][COLUMNS + 1];
};

static char *cell_of(struct map *map, const struct view *view, uint32_t x, uint32_t y)
{
    return &map->cells[y * LINES / view->side][x * COLUMNS / view->side];
}

static void draw(struct map *map, const struct view *view, uint32_t player)
{
    for (uint32_t i = 0; i < view->pellet_count; i++) {
        *cell_of(map, view, view->state.pellets[i].x, view->state.pellets[i].y) = '.';
    }
    for (uint32_t i = 0; i < GAME_PLAYERS_MAX; i++) {
        const struct game_player *other = &view->state.players[i];
        if (other->is_here && i != player) {
            char *cell = cell_of(map, view, other->x, other->y);
            *cell = (char)(*cell < '1' ? '1' : *cell < '9' ? *cell + 1 : '9');
        }
    }
    const struct game_player *me = &view->state.players[player];
    *cell_of(map, view, me->x, me->y) = '@';
}

void map_print(FILE *file, const struct view *view, uint32_t player)
{
    struct map map;
    if (!view->is_synced) {
        return;
    }
    memset(&map, ' ', sizeof(map));
    draw(&map, view, player);
    fprintf(file, "tick %u, %u pellets collected\n", view->state.tick,
            view->state.players[player].score);
    for (uint32_t line = 0; line < LINES; line++) {
        map.cells[line][COLUMNS] = '\0';
        fprintf(file, "|%s|\n", map.cells[line]);
    }
    (void)fflush(file);
}
