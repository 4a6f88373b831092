/* SPDX-License-Identifier: MIT
 * See screen.h. What is printed comes from view.c, which lets nothing through that commands a
 * terminal. */
#define NCURSES_WIDECHAR 1
#include "screen.h"

#include <curses.h>

#include "view.h"

#define COLUMNS_LEAST 40

static void begin_colours(void)
{
    if (!has_colors() || start_color() == ERR || use_default_colors() == ERR) {
        return;
    }
    (void)init_pair(VIEW_TITLE, COLOR_CYAN, -1);
    (void)init_pair(VIEW_GOOD, COLOR_GREEN, -1);
    (void)init_pair(VIEW_WARN, COLOR_YELLOW, -1);
    (void)init_pair(VIEW_BAD, COLOR_RED, -1);
}

bool screen_begin(void)
{
    if (newterm(NULL, stdout, stdin) == NULL) {
        return false;
    }
    begin_colours();
    (void)cbreak();
    (void)noecho();
    (void)nodelay(stdscr, TRUE);
    (void)keypad(stdscr, TRUE);
    (void)curs_set(0);
    return true;
}

void screen_end(void)
{
    (void)endwin();
}

static void show_piece(void *context, enum view_style style, const char *text)
{
    (void)context;
    attr_t look = style == VIEW_DIM                          ? A_DIM
                  : style == VIEW_TITLE || style == VIEW_BAD ? A_BOLD
                                                             : A_NORMAL;
    short pair = style == VIEW_NORMAL || style == VIEW_DIM ? 0 : (short)style;
    (void)attr_set(look, pair, NULL);
    (void)addstr(text);
    (void)attr_set(A_NORMAL, 0, NULL);
}

static void show_end_of_line(void *context)
{
    int *row = context;
    (void)move(++*row, 0);
}

void screen_show(const struct dashboard *dashboard, const char *endpoint, uint64_t now_ms,
                 const char *note)
{
    int row = 0;
    struct view_target target = {.context = &row,
                                 .piece = show_piece,
                                 .end_line = show_end_of_line,
                                 /* The last column stays free: writing there moves the cursor. */
                                 .columns = COLS > COLUMNS_LEAST ? (size_t)COLS - 1 : COLUMNS_LEAST,
                                 .rows = LINES > 0 ? (size_t)LINES : 1};
    (void)erase();
    (void)move(0, 0);
    view_dashboard(&target, dashboard, endpoint, now_ms, note);
    (void)refresh();
}

enum screen_key screen_key(void)
{
    int key = getch();
    switch (key) {
    case ERR:
        return SCREEN_NOTHING;
    case 'q':
    case 'Q':
        return SCREEN_QUIT;
    case ' ':
    case 'p':
        return SCREEN_HOLD;
    case '-':
        return SCREEN_SLOWER;
    case '+':
        return SCREEN_FASTER;
    default:
        return SCREEN_REDRAW;
    }
}
