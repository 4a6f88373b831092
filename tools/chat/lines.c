/* SPDX-License-Identifier: MIT
 * See lines.h. */
#include "lines.h"

#include <string.h>

char *lines_end(struct lines *lines)
{
    return lines->bytes + lines->size;
}

size_t lines_space(const struct lines *lines)
{
    return lines->ended ? 0 : sizeof(lines->bytes) - lines->size;
}

void lines_added(struct lines *lines, size_t size)
{
    lines->size += size;
}

void lines_finish(struct lines *lines)
{
    lines->ended = true;
}

bool lines_take(struct lines *lines, char *line)
{
    const char *newline = memchr(lines->bytes, '\n', lines->size);
    size_t size = newline != NULL ? (size_t)(newline - lines->bytes) : lines->size;
    if (newline == NULL && size < sizeof(lines->bytes) && !(lines->ended && size > 0)) {
        return false;
    }
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        if (lines->bytes[i] != '\0' && !(lines->bytes[i] == '\r' && i + 1 == size)) {
            line[used++] = lines->bytes[i];
        }
    }
    line[used] = '\0';
    size += newline != NULL ? 1 : 0;
    lines->size -= size;
    memmove(lines->bytes, lines->bytes + size, lines->size);
    return true;
}

bool lines_finished(const struct lines *lines)
{
    return lines->ended && lines->size == 0;
}
