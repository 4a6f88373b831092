/* SPDX-License-Identifier: MIT
 * Names of users and rooms: which may be, and which are the same. Pure; called by handlers.c. */
#ifndef CHAT_NAMES_H
#define CHAT_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* A name as it was given, with a NUL, and its key: two names whose keys are the same are the same
 * name. */
struct chat_name {
    uint8_t size;
    uint8_t key_size;
    char text[CHAT_ROOM_SIZE];
    char key[CHAT_ROOM_SIZE];
};

/* Takes a name over: CHAT_CODE_NONE; or EMPTY, TOO_LONG (`chars_max`, at most CHAT_ROOM_CHARS_MAX),
 * BAD_UTF8, BAD_CHARACTER or RESERVED (there is no letter or digit in it), and `name` is not to be
 * used. */
enum chat_code chat_name_take(struct chat_name *name, const char *text, size_t size,
                              size_t chars_max);

/* Whether a user of that name would be taken for the server. */
bool chat_name_is_reserved(const struct chat_name *name);

bool chat_name_same(const struct chat_name *left, const struct chat_name *right);

#endif
