/* SPDX-License-Identifier: MIT
 * The line being typed: insertion, movement by characters and words, history, completion. Pure:
 * keys come in as calls, the view shows `text` and `cursor`. */
#ifndef CHAT_EDITOR_H
#define CHAT_EDITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest line: what the server takes (CHAT_LINE_BYTES_MAX), and a command's word and name
 * before it. */
#define EDITOR_BYTES_MAX 1400
#define EDITOR_HISTORY_MAX 100

/* Zeroed: empty. */
struct editor {
    char text[EDITOR_BYTES_MAX + 1]; /* UTF-8, NUL-terminated */
    size_t size;
    size_t cursor; /* bytes before it; between characters */

    char *history[EDITOR_HISTORY_MAX]; /* oldest first */
    size_t history_count;
    size_t history_at; /* == history_count: the new line */
    char *unsent;      /* the new line, while an old one is looked at */

    size_t word_start;               /* of the word that completion replaces */
    size_t word_size;                /* what was typed of it */
    size_t completion;               /* which candidate is shown; 0: none */
    char word[EDITOR_BYTES_MAX + 1]; /* what was typed of it */
};

enum editor_move {
    EDITOR_LEFT,
    EDITOR_RIGHT,
    EDITOR_WORD_LEFT,
    EDITOR_WORD_RIGHT,
    EDITOR_HOME,
    EDITOR_END,
};

/* Inserts a character at the cursor; nothing if it is a control character or there is no room. */
void editor_insert(struct editor *editor, uint32_t code);

void editor_move(struct editor *editor, enum editor_move move);

/* Deletes from the cursor to where the move would lead. */
void editor_delete(struct editor *editor, enum editor_move move);

/* An older line of the history, or a newer one. */
void editor_older(struct editor *editor);
void editor_newer(struct editor *editor);

/* Takes the line: copies it into `line` (EDITOR_BYTES_MAX + 1), keeps it in the history, and is
 * empty. */
void editor_take(struct editor *editor, char *line);

/* Candidate number `index` for `word`; false behind the last one. `first`: the word begins the
 * line. */
typedef bool editor_candidate(void *context, const char *word, bool first, size_t index,
                              char *candidate, size_t candidate_size);

/* Replaces the word before the cursor by its next candidate; after the last one it is as typed
 * again. */
void editor_complete(struct editor *editor, editor_candidate *candidate, void *context);

/* Frees the history. */
void editor_clear(struct editor *editor);

#endif
