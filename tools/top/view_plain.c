/* SPDX-License-Identifier: MIT
 * See view_plain.h. */
#include "view_plain.h"

#include "view.h"

#define COLUMNS 100
#define ROWS 200

/* Blanks at a line's end are kept back until something follows them. */
struct plain {
    FILE *file;
    unsigned blanks;
};

static void print_piece(void *context, enum view_style style, const char *text)
{
    struct plain *plain = context;
    (void)style;
    for (; *text != '\0'; text++) {
        if (*text == ' ') {
            plain->blanks++;
            continue;
        }
        for (; plain->blanks > 0; plain->blanks--) {
            fputc(' ', plain->file);
        }
        fputc(*text, plain->file);
    }
}

static void print_end_of_line(void *context)
{
    struct plain *plain = context;
    plain->blanks = 0;
    fputc('\n', plain->file);
}

void view_plain(FILE *file, const struct dashboard *dashboard, const char *endpoint,
                uint64_t now_ms, const char *note)
{
    struct plain plain = {.file = file};
    struct view_target target = {.context = &plain,
                                 .piece = print_piece,
                                 .end_line = print_end_of_line,
                                 .columns = COLUMNS,
                                 .rows = ROWS};
    view_dashboard(&target, dashboard, endpoint, now_ms, note);
    fputc('\n', file);
}
