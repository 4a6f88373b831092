/* SPDX-License-Identifier: MIT
 * Bytes of a pipe become lines. Pure. */
#ifndef CHAT_LINES_H
#define CHAT_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* Longer lines are cut into several. */
#define LINES_BYTES_MAX 4096

/* Zeroed: empty. */
struct lines {
    char bytes[LINES_BYTES_MAX];
    size_t size;
    bool ended;
};

/* Where bytes are to be put, and how many fit; then how many were put there, or that no more
 * come. */
char *lines_end(struct lines *lines);
size_t lines_space(const struct lines *lines);
void lines_added(struct lines *lines, size_t size);
void lines_finish(struct lines *lines);

/* Takes a whole line, without its newline, into `line` (LINES_BYTES_MAX + 1); the last one may lack
 * its newline. NULs are left out. False if there is none. */
bool lines_take(struct lines *lines, char *line);

/* Whether all was taken, and no more comes. */
bool lines_finished(const struct lines *lines);

#endif
