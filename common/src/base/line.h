/* SPDX-License-Identifier: MIT
 * Text that somebody else may have chosen, made into one harmless line: what keeps the promise of
 * throng/log.h. Pure; any thread.
 *
 *     byte or character                        written as
 *     \n, \r, \t, \                            \n, \r, \t, \\
 *     other control bytes, DEL                 \x1b
 *     a byte that is not UTF-8                 \xff
 *     C1 controls, line separators, what       \u{202e}
 *       changes the direction or is not seen
 *
 * So a line can't end early, move a terminal's cursor or show its letters in another order, and
 * what it was can be read back. */
#ifndef TG_BASE_LINE_H
#define TG_BASE_LINE_H

#include <stdarg.h>
#include <stddef.h>

#include "base/format.h"

/* The longest line that tg_line_format makes, with its NUL. */
#define TG_LINE_FORMAT_MAX 512u

/* Writes `length` bytes of `text` (NULs may be among them) into `line` as one line with a NUL. What
 * does not fit is cut between two characters, and the line ends in "...". Answers the line's length
 * without the NUL, less than `capacity`, which is 4 or more. */
size_t tg_line_escape(char *line, size_t capacity, const char *text, size_t length);

/* vsnprintf, and the same done to its result. capacity is 4..TG_LINE_FORMAT_MAX. */
TG_FORMAT(3, 0)
size_t tg_line_format(char *line, size_t capacity, const char *format, va_list arguments);

#endif
