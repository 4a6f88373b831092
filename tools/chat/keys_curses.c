/* SPDX-License-Identifier: MIT
 * What each key does: screen_keys of screen.h. */
#define NCURSES_WIDECHAR 1
#include <curses.h>

#include "screen.h"

#define CONTROL(letter) ((letter) - 'A' + 1)
#define ESCAPE 27
#define DELETE 127

static void scroll_rows(struct screen *screen, bool up)
{
    size_t rows = LINES > 6 ? (size_t)LINES - 5 : 1;
    if (up) {
        screen->scrolled += rows; /* screen_show takes back what is too much */
    } else {
        screen->scrolled -= rows < screen->scrolled ? rows : screen->scrolled;
    }
}

static void look_at(struct screen *screen, size_t index)
{
    (void)model_look(&screen->chat->model, index);
    screen->scrolled = 0;
}

static void look_beside(struct screen *screen, bool next)
{
    const struct model *model = &screen->chat->model;
    size_t count = model->room_count;
    look_at(screen, (model->current + (next ? 1 : count - 1)) % count);
}

static void enter_line(struct screen *screen)
{
    char line[EDITOR_BYTES_MAX + 1];
    editor_take(&screen->editor, line);
    screen->scrolled = 0;
    chat_input(screen->chat, line);
}

/* A key that ncurses knows by name; false if it means nothing here. */
static bool named_key(struct screen *screen, wint_t key)
{
    static const struct {
        wint_t key;
        enum editor_move move;
    } moves[] = {
        {KEY_LEFT, EDITOR_LEFT}, {KEY_RIGHT, EDITOR_RIGHT},     {KEY_HOME, EDITOR_HOME},
        {KEY_END, EDITOR_END},   {KEY_SLEFT, EDITOR_WORD_LEFT}, {KEY_SRIGHT, EDITOR_WORD_RIGHT},
    };
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        if (moves[i].key == key) {
            editor_move(&screen->editor, moves[i].move);
            return true;
        }
    }
    switch (key) {
    case KEY_BACKSPACE:
        editor_delete(&screen->editor, EDITOR_LEFT);
        return true;
    case KEY_DC:
        editor_delete(&screen->editor, EDITOR_RIGHT);
        return true;
    case KEY_UP:
        editor_older(&screen->editor);
        return true;
    case KEY_DOWN:
        editor_newer(&screen->editor);
        return true;
    case KEY_PPAGE:
    case KEY_NPAGE:
        scroll_rows(screen, key == KEY_PPAGE);
        return true;
    case KEY_ENTER:
        enter_line(screen);
        return true;
    default:
        return false;
    }
}

/* Alt and a key: Escape comes before it. */
static void alt_key(struct screen *screen)
{
    wint_t key;
    if (get_wch(&key) != OK) {
        return;
    }
    if (key >= '0' && key <= '9') {
        look_at(screen, key - '0');
    } else if (key == 'b') {
        editor_move(&screen->editor, EDITOR_WORD_LEFT);
    } else if (key == 'f') {
        editor_move(&screen->editor, EDITOR_WORD_RIGHT);
    }
}

static void control_key(struct screen *screen, wint_t key)
{
    struct editor *editor = &screen->editor;
    switch (key) {
    case CONTROL('M'):
    case CONTROL('J'):
        enter_line(screen);
        break;
    case CONTROL('I'):
        editor_complete(editor, model_candidate, &screen->chat->model);
        break;
    case CONTROL('H'):
    case DELETE:
        editor_delete(editor, EDITOR_LEFT);
        break;
    case CONTROL('A'):
        editor_move(editor, EDITOR_HOME);
        break;
    case CONTROL('E'):
        editor_move(editor, EDITOR_END);
        break;
    case CONTROL('U'):
        editor_delete(editor, EDITOR_HOME);
        break;
    case CONTROL('K'):
        editor_delete(editor, EDITOR_END);
        break;
    case CONTROL('W'):
        editor_delete(editor, EDITOR_WORD_LEFT);
        break;
    case CONTROL('N'):
    case CONTROL('P'):
        look_beside(screen, key == CONTROL('N'));
        break;
    case CONTROL('L'):
        (void)clearok(curscr, TRUE); /* something else wrote on the terminal */
        break;
    case CONTROL('D'):
        screen->ended |= editor->size == 0;
        break;
    case ESCAPE:
        alt_key(screen);
        break;
    default:
        break;
    }
}

bool screen_keys(struct screen *screen)
{
    bool any = false;
    wint_t key;
    for (int kind = get_wch(&key); kind != ERR; kind = get_wch(&key)) {
        any = true;
        if (kind == KEY_CODE_YES) {
            (void)named_key(screen, key);
        } else if (key < ' ' || key == DELETE) {
            control_key(screen, key);
        } else {
            editor_insert(&screen->editor, (uint32_t)key);
        }
    }
    return any;
}
