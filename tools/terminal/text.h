/* SPDX-License-Identifier: MIT
 * Text for a terminal: UTF-8 read one character at a time, how many columns it takes, and how what
 * came from a stranger is shown so that it cannot command the terminal. Pure; any thread. */
#ifndef TERMINAL_TEXT_H
#define TERMINAL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What text_next answers for a byte that begins no character of UTF-8. */
#define TEXT_NOT_UTF8 UINT32_MAX

/* The most that text_escape makes of one byte: "\xff". */
#define TEXT_ESCAPED_BYTES_PER_BYTE 4

/* Reads the character at the start of `text` (size > 0) into *code. Answers its bytes, 1..4; 1 with
 * TEXT_NOT_UTF8 for a byte that is none: cut off, over-long, a surrogate, above U+10FFFF. */
size_t text_next(const char *text, size_t size, uint32_t *code);

/* Writes a character as UTF-8, 1..4 bytes; answers how many, 0 for what is no character. */
size_t text_encode(uint32_t code, char bytes[4]);

/* Columns of a character: 0 (combining), 1 or 2 (East Asian wide, emoji); of Unicode 14. */
unsigned text_width(uint32_t code);

/* Whether a terminal must never get it as it is: control characters (C0, DEL, C1), what turns or
 * hides the direction of the text around it (bidi controls, Unicode TR 36), line and paragraph
 * separators, invisible characters that make two names look alike, non-characters,
 * TEXT_NOT_UTF8. */
bool text_is_unsafe(uint32_t code);

/* Columns of a text. */
size_t text_columns(const char *text, size_t size);

/* How many bytes of `text` fit into `columns`, in whole characters with what combines with them. */
size_t text_fit(const char *text, size_t size, size_t columns);

/* Bytes of the next row of a text that is shown `columns` wide: up to the last blank that fits, or
 * as much as fits. At least one character. *skip is what lies between this row and the next: a
 * blank, or nothing. */
size_t text_wrap(const char *text, size_t size, size_t columns, size_t *skip);

/* Copies `text` into `out` (out_size > 0) with every unsafe character shown as "\n", "\t", "\x1b"
 * or "\u{202e}", and so what combines beyond the fourth in a row. Ends it with a NUL, cut at a
 * whole character if it does not fit. Answers the length. */
size_t text_escape(char *out, size_t out_size, const char *text, size_t size);

/* A hash of a text (FNV-1a), for a name's colour. */
uint32_t text_hash(const char *text, size_t size);

#endif
