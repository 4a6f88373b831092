/* SPDX-License-Identifier: MIT
 * See screen.h. What is printed went through text_escape when it came (decode.c), or was typed here
 * (editor.c), so nothing of it commands the terminal.
 *
 *     throng-chat  tcp://127.0.0.1:7010  #lobby: the topic
 *     #lobby       | 12:00:01 <ana> hello                 | ana
 *     #games 2     | 12:00:02 -- ben came                 | ben
 *                  |                                      |
 *     -- connected as ana ----------------------------------------------
 *     ana> what is typed_                                                     */
#define NCURSES_WIDECHAR 1
#include "screen.h"

#include <curses.h>
#include <string.h>

#include "../terminal/system.h"
#include "../terminal/text.h"
#include "look.h"

#define ROOMS_COLUMNS 15 /* with the line beside them */
#define MEMBERS_COLUMNS 17
#define WIDTH_WITH_ROOMS 60 /* narrower screens show neither */
#define WIDTH_WITH_MEMBERS 76
#define CLOCK_COLUMNS 9
#define WRAPPED_ROWS_MAX 512 /* the rest of a longer line on a narrow screen is not shown */
#define BARS 3               /* rows that are no lines: title, status, input */

/* Where things are, in columns and rows. */
struct layout {
    int lines_left;
    int lines_columns;
    int lines_rows;
    int members_left; /* 0: they are not shown */
};

static struct layout measure(void)
{
    struct layout layout = {.lines_columns = COLS, .lines_rows = LINES > BARS ? LINES - BARS : 0};
    if (COLS >= WIDTH_WITH_ROOMS) {
        layout.lines_left = ROOMS_COLUMNS;
        layout.lines_columns -= ROOMS_COLUMNS;
    }
    if (COLS >= WIDTH_WITH_MEMBERS) {
        layout.members_left = COLS - MEMBERS_COLUMNS;
        layout.lines_columns -= MEMBERS_COLUMNS;
    }
    return layout;
}

/* Prints what fits into `columns`. */
static void put(attr_t look, int color, int columns, const char *text, size_t size)
{
    size_t fits = text_fit(text, size, columns > 0 ? (size_t)columns : 0);
    (void)attr_set(look, (short)color, NULL);
    (void)addnstr(text, (int)fits);
    (void)attr_set(A_NORMAL, 0, NULL);
}

static void put_text(attr_t look, int color, int columns, const char *text)
{
    put(look, color, columns, text, strlen(text));
}

/* ---- the lines of the room ---- */

static void put_row(const struct line *line, const char *text, size_t size, size_t prefix_size,
                    int columns)
{
    attr_t look = line->mentions_us ? A_BOLD : line->kind >= LINE_NOTICE ? A_DIM : A_NORMAL;
    int color = line->kind == LINE_ERROR ? LOOK_RED : 0;
    if (line->kind == LINE_ERROR) {
        look = A_NORMAL;
    }
    if (prefix_size > size) {
        prefix_size = size;
    }
    put(look | (line->name[0] != '\0' ? A_BOLD : 0),
        line->name[0] != '\0' ? look_color(line->name) : color, columns, text, prefix_size);
    int used = (int)text_columns(text, prefix_size);
    put(look, color, columns - used, text + prefix_size, size - prefix_size);
}

/* A line of the chat as it is wrapped. */
struct wrapped {
    char text[LOOK_PREFIX_SIZE + EVENT_TEXT_SIZE + 512];
    size_t prefix_size;
    size_t starts[WRAPPED_ROWS_MAX];
    size_t sizes[WRAPPED_ROWS_MAX];
    size_t rows;
};

static void wrap(struct wrapped *wrapped, const struct layout *layout, const struct line *line)
{
    size_t skip = 0;
    int columns = layout->lines_columns - CLOCK_COLUMNS - 1;
    (void)look_prefix(wrapped->text, line);
    wrapped->prefix_size = strlen(wrapped->text);
    (void)snprintf(wrapped->text + wrapped->prefix_size,
                   sizeof(wrapped->text) - wrapped->prefix_size, " %s", line->text);
    size_t size = strlen(wrapped->text), rows = 0;
    for (size_t at = 0; at < size && rows < WRAPPED_ROWS_MAX; rows++) {
        wrapped->starts[rows] = at;
        wrapped->sizes[rows] =
            text_wrap(wrapped->text + at, size - at, columns > 1 ? (size_t)columns : 1, &skip);
        at += wrapped->sizes[rows] + skip;
    }
    wrapped->rows = rows;
}

/* One line of the chat, the last of its rows at `bottom`, counted from the top of the lines. Rows
 * outside of them are left out. */
static void put_line(const struct layout *layout, const struct line *line,
                     const struct wrapped *wrapped, int bottom)
{
    char clock[9];
    system_time_of_day(line->at_ms / 1000, clock);
    for (size_t i = 0; i < wrapped->rows; i++) {
        int row = bottom - (int)(wrapped->rows - 1 - i);
        if (row < 0 || row >= layout->lines_rows) {
            continue;
        }
        (void)move(1 + row, layout->lines_left);
        put_text(A_DIM, 0, CLOCK_COLUMNS, i == 0 ? clock : "");
        (void)move(1 + row, layout->lines_left + CLOCK_COLUMNS);
        put_row(line, wrapped->text + wrapped->starts[i], wrapped->sizes[i],
                i == 0 ? wrapped->prefix_size : 0, layout->lines_columns - CLOCK_COLUMNS - 1);
    }
}

/* From the newest line upwards, until the screen is full. */
static void put_lines(struct screen *screen, const struct layout *layout)
{
    static struct wrapped wrapped; /* room to work in */
    const struct room *room = &screen->chat->model.rooms[screen->chat->model.current];
    if (screen->scrolled > 0) {
        size_t rows = 0, seen = (size_t)layout->lines_rows;
        for (size_t i = 0; i < room->line_count; i++) {
            wrap(&wrapped, layout, room_line(room, i));
            rows += wrapped.rows;
        }
        /* Not beyond the oldest line. */
        size_t most = rows > seen ? rows - seen : 0;
        screen->scrolled = screen->scrolled < most ? screen->scrolled : most;
    }
    int bottom = layout->lines_rows - 1 + (int)screen->scrolled;
    for (size_t i = room->line_count; i-- > 0 && bottom >= 0;) {
        wrap(&wrapped, layout, room_line(room, i));
        put_line(layout, room_line(room, i), &wrapped, bottom);
        bottom -= (int)wrapped.rows;
    }
}

/* ---- what is around them ---- */

static void put_rooms(const struct model *model, const struct layout *layout)
{
    for (size_t i = 0; layout->lines_left > 0 && i < model->room_count; i++) {
        const struct room *room = &model->rooms[i];
        char name[EVENT_NAME_SIZE + 2], unread[16];
        attr_t look = i == model->current ? A_REVERSE : room->inside || i == 0 ? A_NORMAL : A_DIM;
        if ((int)i >= layout->lines_rows) {
            return;
        }
        (void)snprintf(name, sizeof(name), i == 0 ? "server" : "#%s", room->name);
        (void)snprintf(unread, sizeof(unread), room->unread > 999 ? " 999+" : " %u", room->unread);
        (void)move(1 + (int)i, 0);
        int space = ROOMS_COLUMNS - 2 - (room->unread > 0 ? (int)strlen(unread) : 0);
        put_text(look, 0, space, name);
        if (room->unread > 0) {
            put_text(A_BOLD, room->mentioned ? LOOK_RED : LOOK_YELLOW, 6, unread);
        }
    }
    for (int row = 0; layout->lines_left > 0 && row < layout->lines_rows; row++) {
        (void)mvaddch(1 + row, ROOMS_COLUMNS - 2, ACS_VLINE);
    }
}

static void put_members(const struct model *model, const struct layout *layout)
{
    const struct room *room = &model->rooms[model->current];
    if (layout->members_left == 0) {
        return;
    }
    for (int row = 0; row < layout->lines_rows; row++) {
        (void)mvaddch(1 + row, layout->members_left, ACS_VLINE);
        if ((size_t)row >= room->member_count) {
            continue;
        }
        (void)move(1 + row, layout->members_left + 2);
        if (row == layout->lines_rows - 1 && room->member_count > (size_t)layout->lines_rows) {
            char more[32];
            (void)snprintf(more, sizeof(more), "%zu more", room->member_count - (size_t)row);
            put_text(A_DIM, 0, MEMBERS_COLUMNS - 2, more);
        } else {
            put_text(A_NORMAL, look_color(room->members[row]), MEMBERS_COLUMNS - 2,
                     room->members[row]);
        }
    }
}

static void put_bars(struct screen *screen)
{
    const struct model *model = &screen->chat->model;
    const struct room *room = &model->rooms[model->current];
    char text[EVENT_TEXT_SIZE + 512];
    (void)attr_set(A_REVERSE, 0, NULL);
    (void)mvhline(0, 0, ' ', COLS);
    (void)mvhline(LINES - 2, 0, ' ', COLS);
    (void)snprintf(text, sizeof(text), "throng-chat  %s  %s%s%s%s", screen->endpoint,
                   room->name[0] != '\0' ? "#" : "", room->name, room->topic[0] != '\0' ? ": " : "",
                   room->topic);
    (void)move(0, 0);
    put_text(A_REVERSE, 0, COLS, text);
    bool well = screen->chat->status[0] == '\0';
    (void)snprintf(text, sizeof(text), "%s%s%s%s", well ? "connected as " : "",
                   well ? model->name : screen->chat->status,
                   room->members_known             ? ""
                   : well && room->name[0] != '\0' ? ", entering"
                                                   : "",
                   screen->scrolled > 0 ? "; PgDn for what is new" : "");
    (void)move(LINES - 2, 0);
    put_text(A_REVERSE | (well ? 0 : A_BOLD), well ? 0 : LOOK_RED, COLS, text);
}

/* The line that is typed, moved left so that the cursor is seen. */
static void put_input(const struct screen *screen)
{
    const struct editor *editor = &screen->editor;
    char prompt[EVENT_NAME_SIZE + 2];
    (void)snprintf(prompt, sizeof(prompt), "%s> ", screen->chat->model.name);
    (void)move(LINES - 1, 0);
    put_text(A_BOLD, 0, COLS / 2, prompt);
    int left = getcurx(stdscr);
    int columns = COLS - left - 1;
    size_t first = 0;
    while (first < editor->cursor &&
           text_columns(editor->text + first, editor->cursor - first) > (size_t)columns) {
        uint32_t code;
        first += text_next(editor->text + first, editor->size - first, &code);
    }
    put(A_NORMAL, 0, columns, editor->text + first, editor->size - first);
    (void)move(LINES - 1, left + (int)text_columns(editor->text + first, editor->cursor - first));
}

void screen_show(struct screen *screen)
{
    (void)erase();
    struct layout layout = measure();
    if (LINES > BARS) {
        put_lines(screen, &layout);
        put_rooms(&screen->chat->model, &layout);
        put_members(&screen->chat->model, &layout);
        put_bars(screen);
    }
    put_input(screen);
    (void)refresh();
}

/* ---- life ---- */

static void begin_colors(void)
{
    if (!has_colors() || start_color() == ERR || use_default_colors() == ERR) {
        return;
    }
    for (int color = LOOK_RED; color <= LOOK_CYAN; color++) {
        (void)init_pair((short)color, (short)color, -1);
    }
}

bool screen_begin(struct screen *screen, bool color)
{
    (void)screen;
    if (newterm(NULL, stdout, stdin) == NULL) {
        return false;
    }
    if (color) {
        begin_colors();
    }
    (void)cbreak();
    (void)noecho();
    (void)nonl(); /* Return is not Ctrl-J */
    (void)nodelay(stdscr, TRUE);
    (void)keypad(stdscr, TRUE);
    (void)set_escdelay(25);
    return true;
}

void screen_end(struct screen *screen)
{
    (void)endwin();
    editor_clear(&screen->editor);
}
