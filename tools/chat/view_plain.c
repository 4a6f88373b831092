/* SPDX-License-Identifier: MIT
 * See view_plain.h. */
#include "view_plain.h"

#include <inttypes.h>

#include "../terminal/system.h"
#include "look.h"

void view_plain_line(void *context, const struct room *room, const struct line *line)
{
    const struct view_plain *view = context;
    char clock[9], prefix[LOOK_PREFIX_SIZE];
    system_time_of_day(line->at_ms / 1000, clock);
    fprintf(view->file, "%s ", clock);
    if (room->name[0] != '\0' && line->kind != LINE_PRIVATE && line->kind != LINE_TOLD) {
        fprintf(view->file, "#%s ", room->name);
    }
    if (line->seq != 0) {
        fprintf(view->file, "%" PRIu64 " ", line->seq);
    }
    int color = line->name[0] != '\0' ? look_color(line->name) : LOOK_RED;
    bool colored = view->color && (line->name[0] != '\0' || line->kind == LINE_ERROR);
    if (colored) {
        fprintf(view->file, "\033[3%dm", color);
    }
    fputs(look_prefix(prefix, line), view->file);
    fprintf(view->file, "%s %s\n", colored ? "\033[0m" : "", line->text);
}
