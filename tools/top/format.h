/* SPDX-License-Identifier: MIT
 * Numbers as a dashboard shows them, bars and sparklines. Pure. */
#ifndef TOP_FORMAT_H
#define TOP_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#define FORMAT_SIZE 32

/* "1,234,567"; "-" for what is negative or not finite. Answers `text`, as all of these do. */
const char *format_count(char text[FORMAT_SIZE], double number);

/* "512 B", "1.5 KiB", "20 MiB" */
const char *format_bytes(char text[FORMAT_SIZE], double bytes);

/* "12.5 us", "3.0 ms", "1.25 s" */
const char *format_seconds(char text[FORMAT_SIZE], double seconds);

/* "45 s", "12 min", "3 h 20 min", "2 d 4 h" */
const char *format_age(char text[FORMAT_SIZE], double seconds);

/* `columns` of block characters, filled in proportion; a level above 0 shows at least an eighth. */
void format_bar(char *text, size_t size, double used, double total, size_t columns);

/* The newest `columns` of `count` values, each an eighth-block character in proportion to the
 * largest of them; blanks in front if there are fewer. */
void format_sparkline(char *text, size_t size, const double *values, size_t count, size_t columns);

#endif
