/* SPDX-License-Identifier: MIT
 * The last lines of a room, as they went out: a ring of entries over a ring of bytes, in memory
 * that the owner gives. The oldest go when either is full. Pure; called by state.c and
 * handlers.c. */
#ifndef CHAT_HISTORY_H
#define CHAT_HISTORY_H

#include <stddef.h>
#include <stdint.h>

struct chat_history_entry {
    uint64_t seq;
    uint32_t offset;
    uint32_t size;
};

struct chat_history {
    struct chat_history_entry *entries;
    char *bytes;
    uint32_t lines_max; /* 0: none is kept */
    uint32_t bytes_max;
    uint32_t first; /* the oldest entry */
    uint32_t count;
};

void chat_history_init(struct chat_history *history, struct chat_history_entry *entries,
                       uint32_t lines_max, char *bytes, uint32_t bytes_max);

/* Forgets all lines. */
void chat_history_clear(struct chat_history *history);

/* Keeps a line; one that is longer than bytes_max alone is not kept, nor anything before it. */
void chat_history_add(struct chat_history *history, uint64_t seq, const void *line, size_t size);

/* Line `index`, 0 for the oldest, up to count - 1. */
const struct chat_history_entry *chat_history_at(const struct chat_history *history,
                                                 uint32_t index);

#endif
