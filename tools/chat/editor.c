/* SPDX-License-Identifier: MIT
 * See editor.h. */
#include "editor.h"

#include <stdlib.h>
#include <string.h>

#include "../terminal/text.h"

#define CANDIDATE_SIZE 256

/* ---- places in the line ---- */

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The character before a place, with what combines with it: where it begins. */
static size_t before(const struct editor *editor, size_t at)
{
    while (at > 0) {
        uint32_t code;
        at--;
        if (is_continuation(editor->text[at])) {
            continue;
        }
        (void)text_next(editor->text + at, editor->size - at, &code);
        if (text_width(code) != 0) {
            break;
        }
    }
    return at;
}

/* Behind the character at a place, and what combines with it. */
static size_t behind(const struct editor *editor, size_t at)
{
    uint32_t code;
    if (at < editor->size) {
        at += text_next(editor->text + at, editor->size - at, &code);
    }
    while (at < editor->size) {
        size_t length = text_next(editor->text + at, editor->size - at, &code);
        if (text_width(code) != 0) {
            break;
        }
        at += length;
    }
    return at;
}

static size_t place_of(const struct editor *editor, enum editor_move move)
{
    const char *text = editor->text;
    size_t at = editor->cursor;
    switch (move) {
    case EDITOR_LEFT:
        return before(editor, at);
    case EDITOR_RIGHT:
        return behind(editor, at);
    case EDITOR_HOME:
        return 0;
    case EDITOR_END:
        return editor->size;
    case EDITOR_WORD_LEFT:
        for (; at > 0 && text[at - 1] == ' '; at--) {
        }
        for (; at > 0 && text[at - 1] != ' '; at--) {
        }
        return at;
    case EDITOR_WORD_RIGHT:
        for (; at < editor->size && text[at] == ' '; at++) {
        }
        for (; at < editor->size && text[at] != ' '; at++) {
        }
        return at;
    }
    return at;
}

/* ---- change ---- */

/* Puts `size` bytes in the place of [from, to); the cursor stands behind them. False if there is no
 * room. */
static bool replace(struct editor *editor, size_t from, size_t to, const char *bytes, size_t size)
{
    if (editor->size - (to - from) + size > EDITOR_BYTES_MAX) {
        return false;
    }
    memmove(editor->text + from + size, editor->text + to, editor->size - to + 1);
    memcpy(editor->text + from, bytes, size);
    editor->size = editor->size - (to - from) + size;
    editor->cursor = from + size;
    return true;
}

static void set_text(struct editor *editor, const char *text)
{
    (void)replace(editor, 0, editor->size, text, strlen(text));
}

void editor_insert(struct editor *editor, uint32_t code)
{
    char bytes[4];
    size_t size = text_encode(code, bytes);
    editor->completion = 0;
    if (size > 0 && !text_is_unsafe(code)) {
        (void)replace(editor, editor->cursor, editor->cursor, bytes, size);
    }
}

void editor_move(struct editor *editor, enum editor_move move)
{
    editor->completion = 0;
    editor->cursor = place_of(editor, move);
}

void editor_delete(struct editor *editor, enum editor_move move)
{
    size_t place = place_of(editor, move);
    size_t from = place < editor->cursor ? place : editor->cursor;
    size_t to = place < editor->cursor ? editor->cursor : place;
    editor->completion = 0;
    (void)replace(editor, from, to, "", 0);
}

/* ---- history ---- */

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

static void show_history(struct editor *editor)
{
    bool is_new = editor->history_at == editor->history_count;
    const char *text = is_new ? editor->unsent : editor->history[editor->history_at];
    set_text(editor, text != NULL ? text : "");
    editor->completion = 0;
}

void editor_older(struct editor *editor)
{
    if (editor->history_at == 0) {
        return;
    }
    if (editor->history_at == editor->history_count) {
        free(editor->unsent);
        editor->unsent = copy_text(editor->text);
    }
    editor->history_at--;
    show_history(editor);
}

void editor_newer(struct editor *editor)
{
    if (editor->history_at < editor->history_count) {
        editor->history_at++;
        show_history(editor);
    }
}

static void keep(struct editor *editor)
{
    size_t count = editor->history_count;
    if (editor->size == 0 || (count > 0 && strcmp(editor->history[count - 1], editor->text) == 0)) {
        return; /* nothing, or the same again */
    }
    char *copy = copy_text(editor->text);
    if (copy == NULL) {
        return; /* a history with a gap is better than no chat */
    }
    if (count == EDITOR_HISTORY_MAX) {
        free(editor->history[0]);
        memmove(&editor->history[0], &editor->history[1],
                sizeof(editor->history) - sizeof(editor->history[0]));
        count--;
    }
    editor->history[count] = copy;
    editor->history_count = count + 1;
}

void editor_take(struct editor *editor, char *line)
{
    memcpy(line, editor->text, editor->size + 1);
    keep(editor);
    editor->history_at = editor->history_count;
    set_text(editor, "");
    editor->completion = 0;
}

void editor_clear(struct editor *editor)
{
    for (size_t i = 0; i < editor->history_count; i++) {
        free(editor->history[i]);
    }
    free(editor->unsent);
    memset(editor, 0, sizeof(*editor));
}

/* ---- completion ---- */

void editor_complete(struct editor *editor, editor_candidate *candidate, void *context)
{
    char found[CANDIDATE_SIZE];
    if (editor->completion == 0) {
        size_t start = editor->cursor;
        for (; start > 0 && editor->text[start - 1] != ' '; start--) {
        }
        editor->word_start = start;
        editor->word_size = editor->cursor - start;
        memcpy(editor->word, editor->text + start, editor->word_size);
        editor->word[editor->word_size] = '\0';
    }
    size_t start = editor->word_start;
    if (candidate(context, editor->word, start == 0, editor->completion, found, sizeof(found))) {
        if (replace(editor, start, editor->cursor, found, strlen(found))) {
            editor->completion++;
        }
    } else if (editor->completion > 0) {
        (void)replace(editor, start, editor->cursor, editor->word, editor->word_size);
        editor->completion = 0;
    }
}
