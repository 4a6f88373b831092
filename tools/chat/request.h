/* SPDX-License-Identifier: MIT
 * What a request of the chat's protocol carries, and its bytes. Pure. */
#ifndef CHAT_REQUEST_H
#define CHAT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL and 0: not there. */
struct ask {
    const char *room;
    const char *name;
    const char *address;
    const char *text;
    const char *token;
    uint64_t from;
    bool has_seconds;
    uint32_t seconds;
};

/* Writes the message; answers its length, or THRONG_ETOOBIG. */
int request_pack(void *buffer, size_t capacity, uint32_t type, int32_t id, const struct ask *ask);

#endif
