/* SPDX-License-Identifier: MIT
 * Finding a user or a room by its name: a hash table of record numbers over memory that the owner
 * gives. The hash is keyed, so that nobody can choose names that collide. Pure; called by
 * state.c. */
#ifndef CHAT_INDEX_H
#define CHAT_INDEX_H

#include "names.h"

#define CHAT_NOBODY UINT32_MAX

struct chat_index {
    uint32_t *slots; /* record number + 1; 0: free */
    uint32_t mask;
    uint64_t seed[2];
    const char *names; /* the first record's name; the next is `stride` bytes further */
    size_t stride;
};

/* Bytes of `slots` for so many records. */
size_t chat_index_bytes(uint32_t records_max);

/* `slots` is zeroed memory of chat_index_bytes. */
void chat_index_init(struct chat_index *index, uint32_t *slots, uint32_t records_max,
                     const uint64_t seed[2], const struct chat_name *names, size_t stride);

/* The record of that name, or CHAT_NOBODY. */
uint32_t chat_index_find(const struct chat_index *index, const struct chat_name *name);

/* Adds a record whose name is in place and not in the table; removes one that is. */
void chat_index_add(struct chat_index *index, uint32_t record);
void chat_index_remove(struct chat_index *index, uint32_t record);

#endif
